"""The scores of contenders that were fitted to parts of their training rows, with the covariance of their errors."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from counterpoint.config import Evaluate
from counterpoint.measures.size_curve import SizePoints
from counterpoint.metrics import find_metric, read_part
from counterpoint.metrics.decision import decide, shares_by_row
from counterpoint.metrics.intervals import scaled_interval, widened
from counterpoint.metrics.jackknife import Jackknifed, jackknife
from counterpoint.metrics.parts import Part
from counterpoint.metrics.rows import Floats, PredictedRows
from counterpoint.schema import SIZES, Frame


class Subset(NamedTuple):
    """A part of the training rows, and the contender that was fitted to it in each fold.

    ``draw`` numbers the parts of one share, and ``n_train`` is the mean number of rows over folds.
    """

    contender: str
    share: float
    draw: int
    n_train: int


class SizeScores(NamedTuple):
    """The scores on all parts: their table (schema.SIZES), and the points of the curve of each contender.

    ``correlations`` has the correlation over test rows of the scores of two contenders on the whole size.
    """

    table: Frame
    points: Mapping[str, SizePoints]
    correlations: Mapping[tuple[str, str], float]


def size_scores(
    fits: Mapping[Subset, Frame], rules: Evaluate, shares: Mapping[str, Floats], *, n_folds: int = 1
) -> SizeScores:
    """Return the scores of *fits* in the primary metric, all on the same test rows.

    Parameters
    ----------
    fits
        *fits* are the predictions of test rows (schema.PREDICTIONS) of each part.  A part of share 1 may have several
        seeds, all others have one.
    rules
        *rules* is the section ``evaluate``.
    shares
        *shares* are the class shares of all training rows by fold.
    n_folds
        *n_folds* is the number of folds, each with a fit of its own.
    """
    subsets = sorted(fits, key=lambda each: (each.contender, each.share, each.draw))
    names = {str(place): subset for place, subset in enumerate(subsets)}
    rows = [fits[subset].with_columns(contender=pl.lit(name)) for name, subset in names.items()]
    part = read_part(pl.concat(rows), "test", primary=rules.primary, shares=shares)
    found = {names[name]: scores[rules.primary] for name, scores in jackknife(part, [rules.primary]).items()}
    covariance, guess = _covariance(list(found.values())), _guess(part, rules.primary, shares, rows[0])
    points, whole = {}, {}
    for contender in dict.fromkeys(subset.contender for subset in subsets):
        places = [place for place, subset in enumerate(subsets) if subset.contender == contender]
        points[contender] = _points(places, list(found.items()), covariance, guess, n_folds)
        whole[contender] = places[-1]
    deviations = np.sqrt(np.maximum(np.diag(covariance), 1e-12))
    correlation = covariance / deviations / deviations[:, None]
    pairs = {(a, b): float(correlation[whole[a], whole[b]]) for a in whole for b in whole}
    return SizeScores(_table(found, rules, part.n), points, pairs)


def _points(
    places: list[int], found: list[tuple[Subset, Jackknifed]], covariance: Floats, guess: float, n_folds: int
) -> SizePoints:
    own = [found[place] for place in places]
    return SizePoints(
        np.array([subset.share for subset, _ in own]),
        np.array([subset.draw for subset, _ in own]),
        np.array([score.centre for _, score in own]),
        covariance[np.ix_(places, places)],
        guess,
        own[-1][0].n_train,
        n_folds,
    )


def _covariance(scores: list[Jackknifed]) -> Floats:
    """Return the covariance of *scores* over units of rows, with the variances of half groups and of seeds."""
    changes = np.array([score.changes for score in scores])
    n_units = changes.shape[1]
    apart = changes - changes.mean(axis=1, keepdims=True)
    if n_units < 2:
        return np.full((len(scores), len(scores)), np.nan)
    own = [float((score.half_changes**2).sum()) + _of_seeds(score.by_seed) for score in scores]
    covariance: Floats = (n_units - 1) / n_units * apart @ apart.T + np.diag(own)
    return covariance


def _of_seeds(by_seed: Floats) -> float:
    return float(by_seed.var(ddof=1)) / len(by_seed) if len(by_seed) > 1 else 0.0


def _guess(part: Part, metric: str, shares: Mapping[str, Floats], rows: Frame) -> float:
    """Return the score of the class shares as the probabilities of every row."""
    first = next(iter(part.trials.values()))[0]
    folds = rows.sort("seed", "fold", "id").head(len(first.codes))["fold"].to_numpy()
    proba = shares_by_row(shares, folds, first.n_classes)
    constant = PredictedRows(first.codes, proba, first.folds, predicted=decide(proba, metric=metric, shares=proba))
    return float(find_metric(metric)(constant.weigh(np.ones((1, len(first.codes)))))[0])


def _table(found: Mapping[Subset, Jackknifed], rules: Evaluate, n: int) -> Frame:
    scale = find_metric(rules.primary).scale
    rows: list[dict[str, Any]] = []
    for subset, score in found.items():
        ends = scaled_interval(score.centre, score.spread.half_width(rules.confidence), scale)
        low, high = widened(ends, score.value)
        seeds = len(score.by_seed)
        own = {"metric": rules.primary, "value": score.value, "low": low, "high": high, "n": n, "seeds": seeds}
        rows.append(subset._asdict() | own)
    return pl.DataFrame(rows, schema=dict(SIZES)).fill_nan(None)
