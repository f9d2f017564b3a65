"""The number of test rows that would settle an answer which shows no gain, or the reason why no number does."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from counterpoint.compare.equivalence import rows_needed
from counterpoint.compare.repeated import n_repeats
from counterpoint.data.given_split import is_split_given
from counterpoint.diagnose.verdict_inputs import VerdictInputs
from counterpoint.measures.held_out_rows import HOLDOUT
from counterpoint.metrics.spread import spread_of_mean
from counterpoint.schema import TEST_PARTS, Frame

UNSETTLED = ("open", "none")
"""Claims that more rows may settle."""


def more_rows(inputs: VerdictInputs, claim: str) -> Mapping[str, Any] | None:
    """Return the number of further test rows that would settle a *claim*, or None where it is settled.

    Returns
    -------
    Mapping or None
        It has ``rows``, the number of further rows, or None where it is more than a hundred times the rows of now.
        ``is_of_fits`` is whether the fits vary too much, so that no number of rows settles it.  ``by_folds`` is the
        number of test rows that a k-fold of the same pairs has, where these are enough, or else None.
    """
    row = inputs.contrast
    is_settled = not row["low"] <= 0 <= row["high"] or row["high"] < inputs.worthless
    if claim not in UNSETTLED or is_settled or not (row["error"] or 0) > 0:
        return None
    n = int(inputs.inputs["scores"].filter(pl.col("part").is_in(TEST_PARTS))["n"].max() or 0)
    if not n:
        return None
    needed = rows_needed(
        row["difference"], row["error"], row["df"], n, error_of_fits=_error_of_fits(inputs),
        margin=inputs.inputs["margin"], worthless=inputs.worthless, confidence=inputs.inputs["confidence"],
    )  # fmt: skip
    if needed.n is not None and needed.n <= n:
        return None
    n_by_folds = _n_by_folds(inputs)
    return {
        "rows": needed.n and needed.n - n,
        "is_of_fits": needed.is_of_fits,
        "by_folds": n_by_folds if needed.n and needed.n <= n_by_folds else None,
    }


def _n_by_folds(inputs: VerdictInputs) -> int:
    """Return the number of test rows of a k-fold of the same pairs, or 0 where the split is no single hold-out of ours.

    A split of the source is kept, because other results may rest on it.
    """
    pairs: Frame = inputs.inputs["pairs"]
    is_single = set(pairs["fold"].unique()) >= HOLDOUT and n_repeats(inputs.inputs["repeats"]) < 2
    return len(pairs) if is_single and not is_split_given(inputs.findings) else 0


def _error_of_fits(inputs: VerdictInputs) -> float:
    """Return the standard error of the primary contrast that is due to fits: 0 where one fit shows nothing of it."""
    repeats = inputs.inputs["repeats"]
    if n_repeats(repeats) > 1:
        return float(inputs.inputs["repeated"]["error_from_fits"].fill_null(0.0)[0])
    by_seed = repeats.group_by("seed").agg(pl.col("difference").mean())["difference"].drop_nulls().to_numpy()
    return spread_of_mean(by_seed).error if len(by_seed) > 1 else 0.0
