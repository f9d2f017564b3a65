"""The scores of a study's contenders on parts of its training rows, and their expected scores with more rows.

The two contenders of the primary contrast are fitted to nested parts of the training and validation rows of each fold,
and predict the same test rows.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.artifacts import key_of, write_parquet
from counterpoint.contenders.fit_task import FitTask
from counterpoint.contenders.folds import folds_to_test, rows_by_part
from counterpoint.data.nested_subsets import nested_subsets
from counterpoint.files import read_parquet
from counterpoint.fits import Fits, FittedStudy, build_stores
from counterpoint.measures.size_curve import FURTHEST, NO_CONTRAST, NOT_WANTED, SizeCurve, SizeGain, why_not
from counterpoint.measures.size_scores import SizeScores, Subset, size_scores
from counterpoint.metrics import find_metric
from counterpoint.metrics.decision import class_shares
from counterpoint.runs.places import fits_folder, table_path
from counterpoint.schema import SIZE_CURVES, SIZES, Frame, empty
from counterpoint.seeds import child_seed

FOLDER = "sizes"
"""The folder in the run folder with the fits to parts of the training rows.  A finished study needs it no more."""
SIZES_RULE = "nested parts, three forms of curves"
"""The rule of the parts and curves, a part of the key of their tables."""
AUTO_SHARES = (0.125, 0.25, 0.5)
LEAST_ROWS, MOST_S, MOST_SHARE = 50, 60.0, 0.1
"""``auto`` needs so many training rows in the smallest part, and at most so many seconds of one core, or this share of
the estimated seconds of all fits of the study."""
MOST_DRAWS = 4


class Sizable(FittedStudy, Protocol):
    """A study that can be fitted to parts of its training rows."""

    root: Path
    encodings: Path

    @property
    def cache(self) -> Path:
        """The folder of the stored pixels."""


class SizeSubset(NamedTuple):
    """The pairs of a part of one fold, as a hold-out, and the fits to it.  The last of them are the contenders'."""

    share: float
    draw: int
    fold: str
    pairs: Frame
    folder: Path
    tasks: tuple[FitTask, ...]

    @property
    def n_train(self) -> int:
        """The number of training rows."""
        return int((self.pairs["fold"] == "train").sum())


def size_tables(study: Sizable) -> dict[str, Frame]:
    """Return ``sizes`` (schema.SIZES) and ``size_curves`` (schema.SIZE_CURVES), after making the fits that they need.

    Parameters
    ----------
    study
        *study* is the study, whose own fits are made.
    """
    names, reason = _compared(study)
    subsets = [] if reason else list(subsets_of(study, names))
    reason = reason or _too_costly(study, subsets)
    if reason:
        return {"sizes": empty(SIZES), "size_curves": _frame([{"reason": reason}])}
    _made(study, subsets)
    found = _scored(study, names, subsets)
    return {"sizes": found.table, "size_curves": _curves(found, study, names)}


def _compared(study: Sizable) -> tuple[list[str], str | None]:
    """Return the contenders of the primary contrast that can be fitted again, or the reason that there are none."""
    if study.config.evaluate.sizes == "none":
        return [], NOT_WANTED
    primary = study.primary()
    if primary is None:
        return [], NO_CONTRAST
    names = [name for name in (primary["a"], primary["b"]) if name in study.contenders]
    if not names:
        return [], "The compared predictions are of outside models, which cannot be fitted to fewer pairs."
    return names, None


def n_draws(share: float, n_folds: int) -> int:
    """Return the number of parts of this *share* in each fold: more of smaller ones, which vary more.

    >>> [n_draws(share, 1) for share in AUTO_SHARES], n_draws(0.125, 5)
    ([4, 3, 2], 1)
    """
    wanted = min(MOST_DRAWS, 1 + round(math.log2(1 / share)))
    return max(1, math.ceil(wanted / n_folds))


def subsets_of(study: Sizable, names: Sequence[str]) -> Iterator[SizeSubset]:
    """Yield the parts of each fold with the fits of the contenders *names*, without making them.

    Parameters
    ----------
    study
        *study* is the study.
    names
        *names* are contenders of the study.
    """
    pairs, sizes = study.made("pairs")["pairs"], study.config.evaluate.sizes
    shares = AUTO_SHARES if isinstance(sizes, str) else sizes
    folds, first_seed = folds_to_test(pairs), study.config.fit.seeds[0]
    for fold in folds:
        parts = rows_by_part(pairs, fold)
        own = {task.contender: task for task in study.fits.tasks if task.fold == fold and task.seed == first_seed}
        for draw in range(max(n_draws(share, len(folds)) for share in shares)):
            seed = child_seed(study.config.split.seed, "sizes", fold, draw)
            train, validation = (nested_subsets(parts[part], shares, seed=seed) for part in ("train", "validation"))
            for share in sorted(train.keys() & validation.keys()):
                if draw < n_draws(share, len(folds)):
                    rows = {"train": train[share], "validation": validation[share], "test": parts["test"]}
                    yield _subset(study, (share, draw, fold), rows, [own[name] for name in names])


def _subset(
    study: Sizable, at: tuple[float, int, str], rows: Mapping[str, Frame], wanted: Sequence[FitTask]
) -> SizeSubset:
    share, draw, fold = at
    folder = study.root / FOLDER / f"{fold}-{share:g}-{draw}"
    pairs = pl.concat([own.with_columns(fold=pl.lit(part)) for part, own in rows.items()])
    tasks: dict[str, FitTask] = {}

    def moved(task: FitTask) -> FitTask:
        if task.contender not in tasks:
            needed = {name: moved(each) for name, each in task.needed.items()}
            branches = {name: study.contenders[name] for name in needed}
            seconds = study.contenders[task.contender].estimate_s(len(rows["train"]), branches)
            tasks[task.contender] = replace(
                task, fold="test", pairs=table_path(folder, "pairs"), fits=fits_folder(folder),
                key=key_of("size", task.key, share, draw), needed=needed, estimate_s=seconds,
            )  # fmt: skip
        return tasks[task.contender]

    for task in wanted:
        moved(task)
    return SizeSubset(share, draw, fold, pairs, folder, tuple(tasks.values()))


def _too_costly(study: Sizable, subsets: Sequence[SizeSubset]) -> str | None:
    """Return the reason for which ``auto`` makes no fits, with their estimated time."""
    if study.config.evaluate.sizes != "auto":
        return None
    least = min((subset.n_train for subset in subsets), default=0)
    if least < LEAST_ROWS:
        return f"Parts of an eighth of the training pairs have fewer than {LEAST_ROWS} pairs."
    seconds = sum(task.estimate_s for subset in subsets for task in subset.tasks)
    allowed = max(MOST_S, MOST_SHARE * sum(task.estimate_s for task in study.fits.tasks))
    if seconds <= allowed:
        return None
    return (
        f"The fits to fewer pairs would take about {numbers.rough_duration(seconds)} of one core. "
        f"Set evaluate.sizes: [{', '.join(f'{share:g}' for share in AUTO_SHARES)}] to make them."
    )


def _made(study: Sizable, subsets: Sequence[SizeSubset]) -> None:
    """Make the fits of all *subsets* that are not made yet, in one pool."""
    for subset in subsets:
        if not all(task.is_done for task in subset.tasks):
            write_parquet(table_path(subset.folder, "pairs"), subset.pairs)
    prepared = study.made("pairs")
    build = partial(
        build_stores, prepared["pairs"], study.contenders, config=study.config, cache=study.cache,
        n_records=len(prepared["pairs"]) + len(prepared["dropped"]), encodings=study.encodings,
        on_progress=study.on_progress,
    )  # fmt: skip
    needed = {name for subset in subsets for task in subset.tasks for name in task.after}
    tasks = sorted(
        (task for subset in subsets for task in subset.tasks),
        key=lambda task: (task.name not in needed, -task.estimate_s),
    )
    Fits(tasks, study.config.fit, build_stores=build, on_progress=study.on_progress).make_missing()


def _scored(study: Sizable, names: Sequence[str], subsets: Sequence[SizeSubset]) -> SizeScores:
    pairs, predictions = study.made("pairs")["pairs"], study.made("fits")["predictions"]
    folds = folds_to_test(pairs)
    tested: dict[Subset, list[Frame]] = {}
    for share, draw in dict.fromkeys((subset.share, subset.draw) for subset in subsets):
        own = [subset for subset in subsets if (subset.share, subset.draw) == (share, draw)]
        if len(own) < len(folds):
            continue  # in some fold a class has no group for it
        n_train = round(sum(subset.n_train for subset in own) / len(own))
        for name in names:
            tested[Subset(name, share, draw, n_train)] = [_tested(subset, name) for subset in own]
    n_whole = round(sum(len(rows_by_part(pairs, fold)["train"]) for fold in folds) / len(folds))
    for name in names:
        tested[Subset(name, 1.0, 0, n_whole)] = [predictions.filter(contender=name, part="test")]
    fits = {subset: pl.concat(frames) for subset, frames in tested.items()}
    return size_scores(fits, study.config.evaluate, class_shares(predictions), n_folds=len(folds))


def _tested(subset: SizeSubset, contender: str) -> Frame:
    """Return the predictions of test rows by the fit of *contender* to *subset*, with the fold of the study."""
    (task,) = (task for task in subset.tasks if task.contender == contender)
    rows = read_parquet(task.folder / "predictions.parquet").filter(part="test")
    return rows.with_columns(fold=pl.lit(subset.fold))


def _curves(found: SizeScores, study: Sizable, names: Sequence[str]) -> Frame:
    rules = study.config.evaluate
    if find_metric(rules.primary).scale != "share":
        return _frame([{"reason": f"{rules.primary} is not a share from 0 to 1, so its curve has no known end."}])
    rows: list[dict[str, Any]] = []
    curves: dict[str, SizeCurve] = {}
    for name in names:
        points = found.points[name]
        reason = why_not(points)
        if reason:
            rows.append({"contender": name, "reason": f"{reason}."})
        else:
            curves[name] = SizeCurve(points, seed=study.config.split.seed)
    whole = found.table.filter(share=1.0)["n_train"][0]
    times = _times(found)
    for name, curve in curves.items():
        rows += [_row(curve, each, whole, rules.confidence) | {"contender": name} for each in times]
    if len(curves) == 2:
        a, b = names
        gain = SizeGain(curves[a], curves[b], correlation=found.correlations[a, b], seed=study.config.split.seed)
        subject = {"contender": a, "minus": b}
        rows += [_row(gain, each, whole, rules.confidence) | subject for each in times if each >= 1]
    return _frame(rows)


def _times(found: SizeScores) -> list[float]:
    """Return the sizes of a curve as multiples of today's, from the smallest part to `FURTHEST`."""
    least = float(found.table["share"].min())  # type: ignore[arg-type]
    steps = np.geomspace(least, FURTHEST, 25).round(4).tolist()
    return sorted({*steps, 1.0, 2.0, FURTHEST})


def _row(curve: SizeCurve | SizeGain, times: float, whole: int, confidence: float) -> dict[str, Any]:
    return {"times": times, "n_train": round(times * whole), **curve.at(times, confidence=confidence)._asdict()}


def _frame(rows: Sequence[Mapping[str, Any]]) -> Frame:
    return pl.DataFrame([dict.fromkeys(SIZE_CURVES) | dict(row) for row in rows], schema=dict(SIZE_CURVES))
