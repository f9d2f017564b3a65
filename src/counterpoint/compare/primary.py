"""The primary contrast: for each fold and seed, two contenders that neither its test rows nor the tested fit chose."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from counterpoint.compare.selected import SIDES
from counterpoint.metrics import Part, find_metric, read_part
from counterpoint.metrics.rows import Floats
from counterpoint.schema import Frame

Worths = Mapping[str, Mapping[str, Floats]]
"""By fold and contender: the score of each seed on the validation rows of the fold, where a higher one is better."""
RULE = "best in each fold by the fits of the other seeds"
"""The rule of the choice, a part of the key of every record that rests on it."""
_DIGITS = 12
"""Means that differ in later digits differ by rounding only."""


def choose_primary(predictions: Frame, modalities: Mapping[str, Sequence[str]], metric: str) -> dict[str, Any] | None:
    """Return the multimodal and the single-entity contender that are best on validation rows, by fold and seed.

    The choice for one seed rests on the fits of all other seeds, so that the luck of the tested fit does not decide.
    With one seed it rests on that seed.  A fold whose validation rows give no score uses those of other folds which
    have none of its test rows.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.  The probabilities and labels of test rows are not used.
    modalities
        *modalities* are the modalities of each contender.  Of equal scores, the first contender is chosen.
    metric
        *metric* is the metric by which the best is chosen.

    Returns
    -------
    dict or None
        *a* and *b* are the names that are chosen most often: *a* reads two modalities, *b* reads one.  *metric* and
        *chosen_on* say how.  *shares* has, for a and b, the share of choices that fall on each contender.  *choices*
        has a and b of each fold and seed.  None if one of the two has no contender with a score on validation rows.

    Examples
    --------
    >>> columns = {"id": list("12" * 3), "contender": ["image-cnn"] * 2 + ["text-svm"] * 2 + ["lstm-cnn"] * 2}
    >>> columns |= {"seed": [0] * 6, "fold": "test", "part": "validation", "group": list("12" * 3)}
    >>> table = pl.DataFrame({**columns, "label": list("xy" * 3), "p_x": [0.6, 0.6, 0.9, 0.1, 0.8, 0.2]})
    >>> table = table.with_columns(p_y=1 - pl.col("p_x"))
    >>> reads = {"image-cnn": ["image"], "text-svm": ["text"], "lstm-cnn": ["text", "image"]}
    >>> chosen = choose_primary(table, reads, "balanced_accuracy")
    >>> chosen["a"], chosen["b"], chosen["shares"]
    ('lstm-cnn', 'text-svm', {'a': {'lstm-cnn': 1.0}, 'b': {'text-svm': 1.0}})
    >>> chosen["choices"]
    [{'fold': 'test', 'seed': 0, 'a': 'lstm-cnn', 'b': 'text-svm'}]
    """
    kinds = {side: [name for name, reads in modalities.items() if len(reads) == n] for side, n in SIDES.items()}
    choices = best_by_fit(predictions, kinds, metric)
    if not choices or not all(side in choices[0] for side in SIDES):
        return None
    shares = {side: shares_of(choices, side, kinds[side]) for side in SIDES}
    most_often = {side: next(iter(of_side)) for side, of_side in shares.items()}
    return {**most_often, "metric": metric, "chosen_on": "validation", "shares": shares, "choices": choices}


def best_by_fit(predictions: Frame, kinds: Mapping[str, Sequence[str]], metric: str) -> list[dict[str, Any]]:
    """Return for each fold and seed the best contender of each kind on validation rows, by the rule of this module.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.
    kinds
        *kinds* are the contenders to choose from, by the name of the choice.  Of equal scores, the first is chosen.
    metric
        *metric* is the metric by which the best is chosen.

    Returns
    -------
    list of dict
        Each has a fold, a seed, and the contender of each kind.  A kind without a score on validation rows is left out.
    """
    find_metric(metric)
    wanted = [name for names in kinds.values() for name in names]
    validated = predictions.filter(pl.col("contender").is_in(wanted), part="validation")
    if validated.is_empty():
        return []
    part = read_part(predictions, "validation", validated["contender"].unique(maintain_order=True), primary=metric)
    worths = _worths(part, sorted(validated["fold"].unique()), metric)
    scored = {name for of_fold in worths.values() for name, worth in of_fold.items() if np.isfinite(worth).any()}
    known = {kind: own for kind, names in kinds.items() if (own := [name for name in names if name in scored])}
    return [
        {"fold": fold, "seed": seed}
        | {kind: _best(names, _judged(worths, predictions, fold), place) for kind, names in known.items()}
        for fold in predictions["fold"].unique().sort()
        for place, seed in enumerate(_seeds(validated))
    ]


def _worths(part: Part, folds: Sequence[str], metric: str) -> Worths:
    found = find_metric(metric)
    sign = 1 if found.higher_is_better else -1
    worths: dict[str, dict[str, Floats]] = {fold: {} for fold in folds}
    for name, seeds in part.trials.items():
        scores = [[found(rows.weigh(np.ones((1, len(rows.codes)))))[0] for rows in seed.by_fold] for seed in seeds]
        for fold, of_fold in zip(folds, np.transpose(scores), strict=True):
            worths[fold][name] = sign * of_fold
    return worths


def _seeds(validated: Frame) -> list[int]:
    """Return the seeds of the contender that has most."""
    by_contender = validated.group_by("contender", maintain_order=True).agg(pl.col("seed").unique().sort())
    return max(by_contender["seed"].to_list(), key=len)


def _judged(worths: Worths, predictions: Frame, fold: str) -> Iterator[Mapping[str, Floats]]:
    """Yield the worths that decide in *fold*, then those that decide if they give no score."""
    yield worths.get(fold, {})
    yield _elsewhere(worths, predictions, fold)


def _elsewhere(worths: Worths, predictions: Frame, fold: str) -> Mapping[str, Floats]:
    """Return the mean worths in other folds, of those whose validation rows have no test row of *fold*."""
    tested = predictions.filter(pl.col("part") == "test", fold=fold)["id"].unique()
    validated = predictions.filter(pl.col("part") == "validation", pl.col("fold") != fold)
    overlapping = set(validated.filter(pl.col("id").is_in(tested.implode()))["fold"])
    apart = [of_fold for other, of_fold in worths.items() if other not in {fold, *overlapping}]
    names = dict.fromkeys(name for of_fold in apart for name in of_fold)
    return {name: _mean([of_fold[name] for of_fold in apart if name in of_fold]) for name in names}


def _mean(worths: Sequence[Floats]) -> Floats:
    """Return the mean over folds, of those in which each seed has a score."""
    known = [worth for worth in worths if np.isfinite(worth).all()]
    mean: Floats = np.mean(known, axis=0) if known else np.full_like(worths[0], np.nan)
    return mean


def _best(kind: Sequence[str], judged: Iterable[Mapping[str, Floats]], place: int) -> str:
    """Return the best of its *kind* for the seed at *place*, by the first of *judged* that has any score.

    Without any score it is the first of its kind.
    """
    for worths in judged:
        known = {name: _by_others(worths[name], place) for name in kind if name in worths}
        finite = [name for name, worth in known.items() if np.isfinite(worth)]
        if finite:
            return max(finite, key=known.__getitem__)
    return kind[0]


def _by_others(worths: Floats, place: int) -> float:
    """Return the mean of all seeds but the one at *place*.  A contender with one fit is judged by that fit."""
    worth = worths[0] if len(worths) == 1 else np.delete(worths, place).mean()
    return round(float(worth), _DIGITS)


def shares_of(choices: Sequence[Mapping[str, Any]], kind: str, names: Sequence[str]) -> dict[str, float]:
    """Return the share of the choices that fall on each contender, the largest first.

    Parameters
    ----------
    choices
        *choices* are the result of `best_by_fit`.
    kind
        *kind* is the name of the choice.
    names
        *names* are the contenders in the order of the study.  Of equal shares, the first comes first.

    Examples
    --------
    >>> shares_of([{"b": "svm"}, {"b": "cnn"}, {"b": "cnn"}, {"b": "cnn"}], "b", ["svm", "cnn"])
    {'cnn': 0.75, 'svm': 0.25}
    """
    counts = Counter(choice[kind] for choice in choices)
    ordered = sorted(counts, key=lambda name: (-counts[name], names.index(name)))
    return {name: counts[name] / len(choices) for name in ordered}
