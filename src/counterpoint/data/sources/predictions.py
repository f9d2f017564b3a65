"""Predictions of an outside model, from a CSV or Parquet file of ids and probabilities."""

import logging
from pathlib import Path

import polars as pl

from counterpoint.config import OutsidePredictions
from counterpoint.data.sources.columns import names
from counterpoint.data.sources.messages import no_column, some
from counterpoint.data.sources.paths import existing
from counterpoint.errors import SourceError
from counterpoint.formats.tables import BAD, LINE, open_table
from counterpoint.formats.values import number_columns
from counterpoint.schema import PREDICTIONS, Frame, empty

log = logging.getLogger(__name__)

TOLERANCE = 1e-3
KEY = ("id", "seed", "fold")


def read_predictions(outside: OutsidePredictions, pairs: Frame) -> Frame:
    r"""Return the predictions of an outside model for *pairs*: schema.PREDICTIONS, in the order of *pairs*.

    Parameters
    ----------
    outside
        *outside* names the file and the contender.  The file has columns ``id`` and ``p_<class>``, one for each class
        of *pairs*.  A column ``seed`` allows several fits.  Without it there is one, of seed 0.  A column ``fold``
        names the test fold of each fit of a k-fold.
    pairs
        *pairs* have their folds.  Without a column ``fold`` in the file, each row of a k-fold is predicted by the fit
        that tests it.  In a hold-out there is only one fit.

    Raises
    ------
    SourceError
        When a test row is missing, or some but not all rows of another part are.  When classes differ or an id comes
        twice.  When probabilities are not from 0 to 1 with sum 1 (within .001, and then scaled to sum 1).

    Examples
    --------
    >>> import tempfile
    >>> pairs = pl.DataFrame({"id": ["a", "b"], "label": ["x", "y"], "group": ["1", "2"], "fold": ["0", "1"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "mine.csv")
    ...     _ = path.write_text("id,p_x,p_y\na,0.75,0.25\nb,0.5,0.5\n")
    ...     rows = read_predictions(OutsidePredictions(path=path, name="mine"), pairs)
    >>> rows.select("id", "fold", "part", "p_x").rows()
    [('a', '0', 'test', 0.75), ('b', '1', 'test', 0.5)]
    """
    classes = pairs["label"].unique().sort().to_list()
    given = _read(outside, classes)
    _check_fits(given, pairs, outside.path)
    placed = _placed(given, pairs)
    _check_rows(placed, pairs, outside.path)
    made = _scaled(placed, classes, outside.path).with_columns(pl.lit(outside.name).alias("contender"))
    columns = {**PREDICTIONS, **{f"p_{label}": pl.Float64 for label in classes}}
    return made.select(pl.col(name).cast(kind) for name, kind in columns.items())


def _read(outside: OutsidePredictions, classes: list[str]) -> Frame:
    """Return id, seed, fold (null without such a column) and the probabilities (null where they are no numbers)."""
    path = outside.path
    table = open_table(existing(path, what="table of predictions"), **outside.reading())
    for note in table.notes:
        log.warning("%s", note)
    if "id" not in table.columns:
        raise SourceError(no_column(f"{path} has no column", "id", table.columns))
    wanted, found = [f"p_{label}" for label in classes], [name for name in table.columns if name.startswith("p_")]
    if set(wanted) != set(found):
        raise SourceError(f"{path} should have columns {some(wanted, 20)}, one a class. Found {some(found, 20)}.")
    numbers = number_columns(table, {name for name in KEY if name in table.columns})
    missing = {"seed": pl.lit("0"), "fold": pl.lit(None, pl.String)}
    parts = [
        _whole(part, path)
        .select(
            *(names(part[key], table, numbers) if key in part.columns else missing[key].alias(key) for key in KEY),
            *(pl.col(name).cast(pl.Float64, strict=False) for name in wanted),
        )
        .with_columns(pl.col("seed").cast(pl.Int64, strict=False))
        for part in table.frames({*KEY, *wanted, LINE})
    ]
    return pl.concat(parts, how="vertical_relaxed") if parts else empty(dict.fromkeys([*KEY, *wanted], pl.String))


def _whole(part: Frame, path: Path) -> Frame:
    """Return *part*, and raise when one of its rows could not be read."""
    bad = part.filter(pl.col(BAD).is_not_null())
    if bad.height:
        raise SourceError(f"{path}: line {bad[LINE][0]:,} cannot be read ({bad[BAD][0]}).")
    return part


def _check_fits(given: Frame, pairs: Frame, path: Path) -> None:
    """Raise when a seed is no whole number, or a fold is not one of the k."""
    if given["seed"].null_count():
        raise SourceError(f"{path}: column 'seed' should hold whole numbers.")
    folds = pairs["fold"].unique().sort().to_list()
    strange = [fold for fold in given["fold"].unique().drop_nulls() if fold not in folds]
    if strange and _n_folds(pairs):
        raise SourceError(f"{path} has fold {strange[0]!r}. The pairs have {some(folds)}.")


def _placed(given: Frame, pairs: Frame) -> Frame:
    """Return *given* with the group and label of its rows, their fits, and their parts in these fits."""
    own = pairs.select("id", "group", "label", pl.col("fold").alias("own"))
    rows = given.join(own, on="id", how="inner", maintain_order="right")
    n_folds = _n_folds(pairs)
    if n_folds is None:
        return rows.with_columns(pl.lit("test").alias("fold"), pl.col("own").alias("part"))
    tested = pl.col("fold").fill_null(pl.col("own"))
    ahead = (pl.col("own").cast(pl.Int64) - tested.cast(pl.Int64, strict=False)) % n_folds
    part = (
        pl.when(ahead == 0).then(pl.lit("test")).when(ahead == 1).then(pl.lit("validation")).otherwise(pl.lit("train"))
    )
    return rows.with_columns(tested, part.alias("part"))


def _n_folds(pairs: Frame) -> int | None:
    """Return the k of a k-fold, or None for a hold-out."""
    folds = pairs["fold"].unique()
    return len(folds) if folds.str.contains(r"^\d+$").all() else None


def _check_rows(placed: Frame, pairs: Frame, path: Path) -> None:
    """Raise when a row comes twice, or a part of a fit is incomplete.  The test part is required."""
    twice = placed.filter(placed.select(KEY).is_duplicated())
    if twice.height:
        raise SourceError(f"{path} has id {twice['id'][0]!r} more than once for the same fit.")
    n_folds = _n_folds(pairs)
    for seed in placed["seed"].unique().sort().to_list() or [0]:
        for part in ("test", "validation", "train"):
            found = placed.filter((pl.col("seed") == seed) & (pl.col("part") == part))
            expected = pairs if n_folds else pairs.filter(pl.col("fold") == part)
            n_times = n_folds - 2 if n_folds and part == "train" else 1
            n_lacking = expected.height * n_times - found.height
            if n_lacking and (found.height or part == "test"):
                lacking = expected.join(found, on="id", how="anti")["id"].to_list()
                counts = f"{n_lacking:,} of {expected.height * n_times:,}"
                raise SourceError(f"{path} lacks {counts} {part} rows (seed {seed}): {some(lacking, 3)}.")


def _scaled(placed: Frame, classes: list[str], path: Path) -> Frame:
    columns = [f"p_{label}" for label in classes]
    total = pl.sum_horizontal(columns)
    is_inside = pl.all_horizontal(pl.col(columns).is_between(-TOLERANCE, 1 + TOLERANCE))
    wrong = placed.filter(~(is_inside & ((total - 1).abs() <= TOLERANCE)).fill_null(False))
    if wrong.height:
        n = "1 row is" if wrong.height == 1 else f"{wrong.height:,} rows are"
        row = wrong.select("id", *columns).row(0)
        raise SourceError(f"{path}: {n} not probabilities from 0 to 1 with sum 1. The first is {row}.")
    clipped = placed.with_columns(pl.col(columns).clip(0.0, 1.0))
    return clipped.with_columns(pl.col(columns) / total)
