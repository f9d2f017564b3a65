"""The record of the chain that web.py runs: rows by step, and the files that it wrote.  Runs nothing."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from counterpoint.artifacts import read_json, write_json

NAME = "chain.json"


@dataclass(frozen=True)
class Chain:
    """The rows of the chain at each step.  Without a record of a run, numbers are None and mappings are empty."""

    pictures: str | None = None
    """The collection that the pictures are from."""
    n_read: int | None = None
    """Rows of the list."""
    texts: Mapping[str, int] = field(default_factory=dict)
    """Rows of the list from each collection of texts."""
    selected_texts: Mapping[str, int] = field(default_factory=dict)
    """Selected rows from each collection of texts."""
    removed: Mapping[str, int] = field(default_factory=dict)
    """Rows that each rule of the selection removed."""
    selected: Mapping[str, int] = field(default_factory=dict)
    """Selected rows of each class."""
    by_rule: Mapping[str, int] = field(default_factory=dict)
    """Rows of each class by their rule alone, before the filter of letters."""
    by_word: Mapping[str, int] = field(default_factory=dict)
    """The same with whole words, in upper or lower case."""
    statuses: Mapping[str, int] = field(default_factory=dict)
    """Selected rows by the status of their image."""
    files: Mapping[str, int] = field(default_factory=dict)
    """Images or rows in each folder and table of the authors' layout."""

    @property
    def is_run(self) -> bool:
        """Whether there is a record."""
        return self.n_read is not None

    @property
    def n_selected(self) -> int | None:
        """The number of selected rows."""
        return sum(self.selected.values()) if self.is_run else None

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the record in *folder*, or an empty one where there is none."""
        return cls(**(read_json(folder / NAME) or {}))

    def write(self, folder: Path) -> None:
        """Write the record into *folder*.

        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as name:
        ...     Chain(n_read=3, selected={"person": 2}).write(Path(name))
        ...     Chain.read(Path(name)).n_selected, Chain.read(Path(name, "no")).n_selected
        (2, None)
        """
        write_json(folder / NAME, asdict(self))
