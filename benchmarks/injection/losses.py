"""Whether the contenders that CP023 names in clean studies lose on fresh pairs too, so that the check warns rightly.

A clean study has no planted fault, but a small network that trains on 200 pairs may be worse than a rule.  So each
clean study in which CP023 alarms is made again, and its fits predict fresh pairs of the same generator.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from counterpoint.diagnose.cp023_loses_to_simpler import LEAST_LOSS
from counterpoint.study import Study
from independent.fresh import by_fit, predictions
from independent.truths import metric_value
from injection.draw import CLEAN, Item, is_alarm, item_of, study_of, timed
from injection.plants import clean_study
from injection.studies import Place

CODE, METRIC = "CP023", "balanced_accuracy"
N_FRESH, FRESH_SEED = 4000, 7_340_000
"""The fresh pairs, and their seed, which no draw has."""


def items(results: Iterable[Mapping[str, Any]]) -> list[Item]:
    """Return the clean studies among stored *results* in which CP023 alarms."""
    return [
        item_of(result) for result in results if result["kind"] == CLEAN and is_alarm(result.get("found", {}).get(CODE))
    ]


def draw(item: Item, runs: Path) -> dict[str, Any]:
    """Return the loss of each contender that CP023 names, on the test rows of its study and on fresh pairs."""
    return timed(item, runs, _losses)


def _losses(item: Item, runs: Path) -> dict[str, Any]:
    study = study_of(clean_study(Place(item.n, item.ratio, item.seed)), runs)
    evidence = json.loads(study.findings().filter(code=CODE)["evidence"].item())
    fresh = _scores(study, study_of(clean_study(Place(N_FRESH, item.ratio, FRESH_SEED)), runs).pairs())
    return {
        "losses": [
            {**{name: row[name] for name in ("contender", "simpler", "value")}, "fresh": round(loss, 4)}
            for row in evidence["table"]
            if row["contender"] in evidence["losses"]
            for loss in [fresh[row["contender"]] - fresh[row["simpler"]]]
        ]
    }


def _scores(study: Study, pairs: pl.DataFrame) -> dict[str, float]:
    """Return the balanced accuracy of each contender of *study* on fresh *pairs*, the mean over its fits."""
    codes = pairs["label"].rank("dense").to_numpy().astype(np.int64) - 1
    scores: dict[str, list[float]] = {}
    for tasks in by_fit(study):
        for name, (proba, shares) in predictions(study, tasks, pairs).items():
            scores.setdefault(name, []).append(metric_value(METRIC, proba, codes, shares))
    return {name: float(np.mean(values)) for name, values in scores.items()}


def summary(results: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return the numbers of studies with an alarm, of contenders named, and of those that lose on fresh pairs.

    >>> losses = [{"fresh": -0.05}, {"fresh": -0.01}, {"fresh": 0.03}]
    >>> summary([{"losses": losses}, {"losses": []}])
    {'studies': 1, 'named': 3, 'lose': 2, 'lose_more': 1}
    """
    found = [result["losses"] for result in results if result.get("losses")]
    fresh = [loss["fresh"] for losses in found for loss in losses]
    n_lose, n_more = sum(loss < 0 for loss in fresh), sum(loss < -LEAST_LOSS for loss in fresh)
    return {"studies": len(found), "named": len(fresh), "lose": n_lose, "lose_more": n_more}


def lines(found: Mapping[str, int]) -> Iterator[str]:
    """Yield one line on the alarms."""
    if found["studies"]:
        yield (
            f"{CODE} alarms in {found['studies']} clean studies and names {found['named']} contenders: on fresh pairs "
            f"{found['lose']} of these lose, {found['lose_more']} by more than {LEAST_LOSS}"
        )
