"""Two tables to join: captions in one, labels in the other, and a column of image names in both."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import polars as pl

from counterpoint.data.infer.columns import label_columns
from counterpoint.data.infer.inferred_source import InferredSource
from counterpoint.data.infer.sample import sampled
from counterpoint.data.infer.tables import choose, infer_tables
from counterpoint.data.sources.joined import is_by_path, keys_of
from counterpoint.errors import SourceError
from counterpoint.formats.tables import open_table
from counterpoint.schema import Frame

LEAST_SHARED = 0.5


class Link(NamedTuple):
    """Two columns of two tables with the same values, and the share of rows that have a match."""

    matches: str
    key: str
    share: float


def infer_joined_tables(files: Sequence[Path]) -> InferredSource:
    """Return the settings for tables of different columns: of one complete table, else of two to join.

    Raises
    ------
    SourceError
        When no table has images and texts, with the reason of the first.
    """
    found, reasons = {}, []
    for file in files:
        try:
            found[file] = infer_tables([file], file)
        except SourceError as error:
            reasons.append(str(error))
    if not found:
        raise SourceError(reasons[0])
    whole = [file for file in found if found[file].is_labelled]
    main = (whole or list(found))[0]
    others = [file for file in files if file != main]
    if not whole:
        joined = next((each for each in (_joined(found[main], main, other) for other in others) if each), None)
        if joined is not None:
            return joined
    found[main].notes["path"] = f"{', '.join(file.name for file in others[:4])} not read"
    return found[main]


def _joined(found: InferredSource, main: Path, other: Path) -> InferredSource | None:
    """Return *found*, the settings for table *main*, with the label of table *other*, or None without a shared key."""
    here, there = sampled(open_table(main)).rows, sampled(open_table(other)).rows
    link = _link(here, there, image=found.source["image"])
    if link is None:
        return None
    label = label_columns(there.drop(link.key))
    if label.first is None or label.first in here.columns:
        return None
    found.source["join"] = {"path": other, "key": link.key, "matches": link.matches}
    found.notes["join"] = f"{link.share:.0%} of the rows have one there"
    choose(found, "label", label)
    found.is_labelled = True
    counts = there[label.first].cast(pl.String).drop_nulls().value_counts(sort=True)
    found.classes, found.texts = dict(counts.iter_rows()), []
    return found


def _link(here: Frame, there: Frame, *, image: str) -> Link | None:
    """Return the two columns with the most shared names.  The image column of *here* wins a tie."""
    pairs = product(_may_be_keys(here), _may_be_keys(there))
    links = [link for left, right in pairs if (link := _shared(here[left], there[right])).share >= LEAST_SHARED]
    return max(links, key=lambda link: (link.share, link.matches == link.key, link.matches == image), default=None)


def _may_be_keys(rows: Frame) -> list[str]:
    return [name for name, kind in rows.schema.items() if kind == pl.String or kind.is_integer()]


def _shared(here: pl.Series, there: pl.Series) -> Link:
    is_path = is_by_path(there)
    keys = keys_of(there, is_path=is_path)
    is_key = len(keys) > 0 and keys.n_unique() > 0.9 * len(keys)
    share = keys_of(here, is_path=is_path).is_in(keys.drop_nulls().implode()).mean() if is_key else 0.0
    return Link(here.name, there.name, float(share or 0))  # type: ignore[arg-type]
