"""The tables of stages that follow each other: each made once, kept in the run folder, and read from there.

Does not know the stages: `counterpoint.study` has their order, their inputs and their functions.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, Generic, NamedTuple, Self, TypeVar

from counterpoint import __version__
from counterpoint.artifacts import key_of
from counterpoint.runs.folder import RunFolder
from counterpoint.schema import Frame

Tables = Mapping[str, Frame]
"""Tables by the names under which the run folder keeps them."""
T = TypeVar("T")


class Stage(NamedTuple, Generic[T]):
    """One stage: the inputs that its key is made of, in addition to the key of the stage before, and its function.

    Attributes
    ----------
    inputs, make
        *inputs* and *make* take the study.  *make* returns the tables.
    makes_images
        *makes_images* is True for a stage that also writes image files.
    """

    inputs: Callable[[T], Any]
    make: Callable[[T], Tables]
    makes_images: bool = False


class KeptStages(Generic[T]):
    """The stages of one study, with the key and the tables of each.

    Parameters
    ----------
    stages
        *stages* are the stages by name, in their order.  Each is made from the tables of the stages before it.
    study
        *study* is the object that the functions of the stages take.
    folder
        *folder* returns the run folder, at its first use.
    other
        *other* are the stages of another study, whose tables this one may take.
    shared, reused
        *shared* are the stages that are always taken from *other* and kept in the own folder too.  *reused* are those
        that are read from the folder of *other* if their keys are equal.

    Examples
    --------
    >>> import polars as pl
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> stages = {"numbers": Stage(lambda n: n, lambda n: {"numbers": pl.DataFrame({"n": range(n)})})}
    >>> with TemporaryDirectory() as runs:
    ...     folder = RunFolder(Path(runs) / "a", study="a", source={"kind": "emoji"})
    ...     KeptStages(stages, 3, lambda: folder).made("numbers")["numbers"]["n"].to_list()
    [0, 1, 2]
    """

    def __init__(
        self,
        stages: Mapping[str, Stage[T]],
        study: T,
        folder: Callable[[], RunFolder],
        *,
        other: Self | None = None,
        shared: Sequence[str] = (),
        reused: Sequence[str] = (),
    ) -> None:
        self._stages, self._study, self._folder = stages, study, folder
        self._other, self._shared, self._reused = other, shared, reused
        self._previous = {stage: before for before, stage in pairwise(stages)}
        self._tables: dict[str, Tables] = {}
        self._keys: dict[str, str] = {}

    def key(self, stage: str) -> str:
        """Return the hash of everything that the tables of *stage* are made from."""
        if self._other is not None and stage in self._shared:
            return self._other.key(stage)
        if stage not in self._keys:
            before = self.key(self._previous[stage]) if stage in self._previous else ""
            self._keys[stage] = key_of(stage, __version__, before, self._stages[stage].inputs(self._study))
        return self._keys[stage]

    def made(self, stage: str) -> Tables:
        """Return the tables of *stage*: from memory, from the run folder, or made now."""
        if self._other is not None and stage in self._reused and self._other.key(stage) == self.key(stage):
            return self._other.made(stage)
        if stage not in self._tables:
            make, makes_images = partial(self._make, stage), self._stages[stage].makes_images
            self._tables[stage] = self._folder().keep_or_make(stage, self.key(stage), make, makes_images=makes_images)
        return self._tables[stage]

    def _make(self, stage: str) -> Tables:
        if self._other is not None and stage in self._shared:
            return self._other.made(stage)
        return self._stages[stage].make(self._study)

    def released(self, stage: str) -> Tables:
        """Return the tables of *stage*, which are not held in memory any longer."""
        tables = self.made(stage)
        self._tables.pop(stage, None)
        return tables
