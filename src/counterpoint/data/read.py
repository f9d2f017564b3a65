"""Pairs for a script or a notebook: read in one call, split in two.  A study runs the same steps one by one."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl

from counterpoint.data.group import first_of
from counterpoint.data.infer import infer_source
from counterpoint.data.prepare import PairRules, inspect_records, prepare_pairs
from counterpoint.data.sources import Source, open_source
from counterpoint.data.sources.table import TableSource
from counterpoint.data.stratified_assignment import assign_parts
from counterpoint.errors import ConfigError, SchemaError
from counterpoint.features.in_memory import folder_of_process
from counterpoint.schema import Frame

log = logging.getLogger(__name__)


def read_pairs(
    source: Any,
    *,
    image: str | None = None,
    text: str | None = None,
    label: str | None = None,
    group: str | None = None,
    root: Path | str | None = None,
    separator: str | None = None,
    encoding: str | None = None,
    quoting: str | None = None,
    work: Path | str | None = None,
) -> Frame:
    """Return the aligned pairs of *source*, near-duplicates in one ``group``, without folds.

    They pass the steps of a study with its default settings.  The number of rows that leave is logged by reason.

    Parameters
    ----------
    source
        *source* is a table (CSV, TSV, XLSX, JSON lines, Parquet), a folder of images, tar shards, a pandas, polars or
        Arrow frame, or the section ``source`` of a study file as a dict.
    image, text, label, group
        *image*, *text*, *label* and *group* are the names of these columns if they have other names.
    root
        *root* is the folder in which image paths start (default: the folder of the table, or for a frame the working
        folder).  It is relative to the working folder, or else to the folder of the table.
    separator, encoding, quoting
        *separator*, *encoding* and *quoting* are settings of the source ``table`` (default: inferred from the file).
    work
        *work* is the folder for images that a frame holds as bytes, PIL images or arrays (default: a folder that is
        removed when the process ends).

    Raises
    ------
    SourceError
        When *source* is missing, or lacks a column.
    SchemaError
        When more than half of its rows are bad, or it has fewer than two classes.

    Examples
    --------
    >>> import tempfile
    >>> from counterpoint.data import generate
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pairs = read_pairs(generate(folder, n=60, seed=1))
    >>> len(pairs), pairs.columns[:3]
    (60, ['id', 'row', 'text'])
    """
    columns = {"image": image, "text": text, "label": label, "group": group}
    written = {"root": root, "separator": separator, "encoding": encoding, "quoting": quoting}
    opened = _open(source, {name: value for name, value in (columns | written).items() if value is not None})
    batches = list(opened.read(Path(work) if work else Path(folder_of_process())))
    records = pl.concat([batch for batch, _ in batches], how="diagonal")
    rules = PairRules()
    dropped = pl.concat([left for _, left in batches])
    made = prepare_pairs(inspect_records(records, rules.clean), dropped, rules)
    for reason, n in made.dropped["reason"].value_counts().sort("reason").iter_rows():
        log.warning("%d rows left out: %s", n, reason)
    for finding in [*opened.findings(), *made.findings]:
        log.warning("%s", finding["explanation"])
    return made.pairs


def _open(source: Any, given: Mapping[str, Any]) -> Source:
    if isinstance(source, Mapping):
        return open_source({**source, **given})
    if not isinstance(source, str | Path):
        return TableSource.of(source, **given)
    path = Path(source)
    if "root" in given:
        given = {**given, "root": _root(Path(given["root"]), path)}
    if path.is_dir() or path.suffix == ".tar":
        found = infer_source(path)
        for line in found.warnings:
            log.warning("%s", line)
        return open_source({**found.source, **given})
    return open_source({"kind": "table", "path": path, **given})


def _root(root: Path, path: Path) -> Path:
    """Return *root* relative to the folder of *path* if it exists there and not in the working folder."""
    from_table = (path if path.is_dir() else path.parent) / root
    return from_table if from_table.is_dir() and not root.is_dir() else root


def split(pairs: Any, *, test_share: float = 0.2, seed: int = 0) -> tuple[Any, Any]:
    """Return (train, test): every class is in both parts in its share, and no ``group`` is in two.

    Parameters
    ----------
    pairs
        *pairs* are a pandas, polars or Arrow frame with ``label``.  A row without a ``group`` is its own group.
    test_share
        *test_share* is the part of each class that is tested on.
    seed
        *seed* decides between equally good splits.

    Raises
    ------
    SchemaError
        When there is no column ``label``, or a label is null.
    SplitError
        When a part would lack a class.

    Examples
    --------
    >>> pairs = pl.DataFrame({"label": ["cat", "dog"] * 5, "group": ["a", "a", "b", "b", "c", "c", "d", "d", "e", "e"]})
    >>> train, test = split(pairs, test_share=0.4)
    >>> len(train), len(test), set(train["group"]) & set(test["group"])
    (6, 4, set())
    """
    if not 0 < test_share < 1:
        raise ConfigError(f"test_share: should be between 0 and 1 (got {test_share!r}).")
    frame = nw.from_native(pairs, eager_only=True)
    if "label" not in frame.columns:
        raise SchemaError(f"Pairs lack label. Found {', '.join(frame.columns)}.")
    labels = frame["label"].to_polars().cast(pl.String)
    if labels.null_count():
        raise SchemaError(f"{labels.null_count():,} of {len(labels):,} labels are null. Leave these rows out.")
    group = frame["group"].to_polars() if "group" in frame.columns else pl.repeat(None, len(labels), eager=True)
    parts = assign_parts(labels, pl.Series(first_of(group)), {"train": 1 - test_share, "test": test_share}, seed=seed)
    train, test = (frame.filter((parts == part).to_list()).to_native() for part in ("train", "test"))
    return train, test
