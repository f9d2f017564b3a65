"""Count how often 95 % intervals hold the true score: `coverage.py [--whole]`.

Predictions are drawn from a latent model, and nothing is trained.  A row of class 1 has a score that is higher by d,
and all scores have a standard deviation of 1, so that the ROC AUC is Φ(d/√2).  Probabilities are those of Bayes' rule,
or over-confident: their log odds are tripled.  The true scores are those of 1,000,000 rows.  Groups have 1 to 10 rows,
of which nine in ten have the class of their group, and half of the variance of their scores in common.

Every cell is a number of rows, a balance, an AUC, a split, and whether there are groups.  Results of finished cells are
kept in `results/coverage.json`, and `--whole` makes those that are missing.  Thresholds and weights were chosen on
other seeds.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit, ndtri

from counterpoint.artifacts import write_json
from counterpoint.metrics import Part, PredictedRows, decide, find_metric
from counterpoint.metrics.parts import FEW_GROUPS
from counterpoint.metrics.rows import Floats, Ints
from counterpoint.metrics.scores import intervals_of

RESULTS = Path(__file__).parent / "results" / "coverage.json"
METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "log_loss")
CONFIDENT = "log_loss, over-confident"
TRIPLED = 3.0
TRUE_ROWS, FIRST_SEED = 1_000_000, 850_000
WHOLE, QUICK = 2000, 20
ENOUGH_GROUPS = 60
"""With fewer groups of the rarest class, intervals may be slightly too narrow."""


class Cell(NamedTuple):
    """The settings of one cell."""

    n: int
    share: float
    auc: float
    folds: int
    has_groups: bool

    @property
    def name(self) -> str:
        """The name of the cell in the results."""
        rows = "groups" if self.has_groups else "rows"
        return f"{rows} {self.n}, {self.share:g}, auc {self.auc:g}, {self.folds} folds"


CELLS = [
    Cell(*each, has_groups=has_groups)
    for has_groups, sizes in ((False, (100, 300, 1000)), (True, (100, 300, 1000, 3000)))
    for each in product(sizes, (0.5, 0.1), (0.75, 0.95), (1, 5))
]


class Drawn(NamedTuple):
    """The groups, classes and latent scores of the rows of a draw."""

    groups: Ints
    codes: Ints
    scores: Floats


def drawn(rng: np.random.Generator, cell: Cell, n: int) -> Drawn:
    """Return *n* rows of a cell."""
    step = 2**0.5 * float(ndtri(cell.auc))
    if not cell.has_groups:
        codes = (rng.random(n) < cell.share).astype(np.intp)
        return Drawn(np.arange(n), codes, step * codes + rng.normal(size=n))
    sizes = rng.integers(1, 11, size=n)
    groups = np.repeat(np.arange(n), sizes)[:n]
    of_group = rng.random(n) < cell.share
    codes = np.where(rng.random(n) < 0.9, of_group[groups], rng.random(n) < cell.share).astype(np.intp)
    noise = rng.normal(size=n)[groups] + rng.normal(size=n)
    return Drawn(groups, codes, step * codes + noise / 2**0.5)


def predicted(rows: Drawn, cell: Cell, times: float) -> PredictedRows:
    """Return the predictions of rows by Bayes' rule, with log odds of so many *times*, in stratified folds."""
    step, share = 2**0.5 * float(ndtri(cell.auc)), cell.share
    high = expit(times * (step * rows.scores - step**2 / 2) + np.log(share / (1 - share)))
    proba = np.column_stack([1 - high, high])
    codes = decide(proba, metric="balanced_accuracy", shares=[1 - share, share])
    return PredictedRows(rows.codes, proba, _folds(len(codes), cell.folds), predicted=codes)


def _folds(n: int, n_folds: int) -> tuple[slice, ...]:
    ends = np.linspace(0, n, n_folds + 1).round().astype(int).tolist()
    return tuple(slice(start, stop) for start, stop in pairwise(ends))


def stratified(rows: Drawn, cell: Cell) -> Drawn:
    """Return rows in the order of stratified folds: groups stay together, and are dealt by the class of most rows."""
    if cell.folds == 1:
        return rows
    sizes = np.bincount(rows.groups)
    is_positive = np.bincount(rows.groups, weights=rows.codes) > sizes / 2
    order = np.argsort(is_positive, kind="stable")
    fold_of = np.empty(len(sizes), dtype=np.intp)
    fold_of[order] = np.arange(len(sizes)) % cell.folds
    return Drawn(*(column[np.argsort(fold_of[rows.groups], kind="stable")] for column in rows))


def groups_of_rarest(rows: Drawn) -> int:
    """Return the smallest number of groups that have rows of a class."""
    return min(len(np.unique(rows.groups[rows.codes == code])) for code in np.unique(rows.codes))


def truths(cell: Cell) -> dict[str, float]:
    """Return the true score of each metric, from many rows."""
    single = cell._replace(folds=1)
    rows = drawn(np.random.default_rng(0), single, TRUE_ROWS)
    whole = {times: predicted(rows, single, times).weigh(np.ones((1, TRUE_ROWS))) for times in (1.0, TRIPLED)}
    found = {name: float(find_metric(name)(whole[1.0])[0]) for name in METRICS}
    return found | {CONFIDENT: float(find_metric("log_loss")(whole[TRIPLED])[0])}


def measured(cell: Cell, seeds: Sequence[int], true: Mapping[str, float]) -> dict[str, Any]:
    """Return how often the interval of each metric held the true score, over draws with these *seeds*.

    Parameters
    ----------
    cell
        *cell* has the settings.
    seeds
        *seeds* are those of the draws.  A draw with fewer than two rows of a class is left out.
    true
        *true* is the result of `truths`.
    """
    hits, below, rarest = dict.fromkeys(true, 0), dict.fromkeys(true, 0), []
    for seed in seeds:
        rows = stratified(drawn(np.random.default_rng(seed), cell, cell.n), cell)
        if np.bincount(rows.codes, minlength=2).min() < 2:
            continue
        part = Part(rows.groups, {"": (predicted(rows, cell, 1.0),)}, "test", cell.n)
        rarest.append(groups_of_rarest(rows))
        found = intervals_of(part, METRICS, 0.95)[""]
        bold = Part(rows.groups, {"": (predicted(rows, cell, TRIPLED),)}, "test", cell.n)
        found[CONFIDENT] = intervals_of(bold, ["log_loss"], 0.95)[""]["log_loss"]
        for name, own in found.items():
            hits[name] += own.low <= true[name] <= own.high
            below[name] += true[name] < own.low
    n = len(rarest)
    few = sum(groups < FEW_GROUPS for groups in rarest)
    return {
        "n": n,
        "rarest": round(float(np.mean(rarest)), 1),
        "few": round(few / n, 4),
        "held": {name: round(k / n, 4) for name, k in hits.items()},
        "below": {name: round(k / n, 4) for name, k in below.items()},
    }


def bar_of(name: str, own: Mapping[str, Any], *, has_groups: bool) -> tuple[float, float] | None:
    """Return the least and the largest allowed coverage of a metric in a cell, or None if it has no bar."""
    least = 0.93 if name in METRICS[:3] else 0.92
    most = 0.97 if name in METRICS[:3] else 1.0
    if not has_groups or own["rarest"] >= ENOUGH_GROUPS:
        return least, most
    return (0.91, 1.0) if own["rarest"] >= FEW_GROUPS else None


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines for a terminal: a line for each cell, with the metrics outside of their bars."""
    for cell in CELLS:
        if cell.name in found:
            own = found[cell.name]
            bars = {name: bar_of(name, own, has_groups=cell.has_groups) for name in own["held"]}
            error = 2 * (0.05 * 0.95 / own["n"]) ** 0.5
            missed = [
                f"{name} {own['held'][name]:.3f}"
                for name, bar in bars.items()
                if bar and not bar[0] <= own["held"][name] <= bar[1]
            ]
            shown = "  ".join(f"{share:.3f}" for share in own["held"].values())
            yield (
                f"{cell.name:<42}{shown}  ±{error:.3f}, groups of the rarest class {own['rarest']:.0f} "
                f"(few in {own['few']:.0%})  {'MISSED ' + ', '.join(missed) if missed else 'met'}"
            )


def main() -> None:
    """Measure the cells that are missing, or a few draws of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--whole", action="store_true", help="make all draws, and keep each finished cell")
    parser.add_argument("--draws", type=int, default=QUICK, help="draws of each cell without --whole")
    args = parser.parse_args()
    found = json.loads(RESULTS.read_text(encoding="utf-8")) if args.whole and RESULTS.exists() else {}
    print(f"{'':<42}" + "  ".join([*METRICS, CONFIDENT]))
    for place, cell in enumerate(CELLS):
        if cell.name not in found:
            first = FIRST_SEED + place * WHOLE if args.whole else place * WHOLE
            n = WHOLE if args.whole else args.draws
            found[cell.name] = measured(cell, range(first, first + n), truths(cell))
            if args.whole:
                write_json(RESULTS, found)
        print(*lines({cell.name: found[cell.name]}), sep="\n", flush=True)


if __name__ == "__main__":
    main()
