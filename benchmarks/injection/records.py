"""Faults of a record: the case of a clean study, with one thing in it as it would stand there after the fault.

No fit is made again: the checks of these faults read what was written down of a comparison, or its predictions.
"""

from dataclasses import replace

import polars as pl

from counterpoint.diagnose import Case

FLOOR = 1e-12


def many_trials(case: Case, n_trials: float, seed: int) -> Case:  # noqa: ARG001
    """Return *case* as though the multimodal side of the primary contrast had been tried so often, the other once."""
    assert case.primary is not None
    is_multimodal, is_single = (pl.col("contender") == case.primary[side] for side in ("a", "b"))
    trials = pl.when(is_multimodal).then(int(n_trials)).when(is_single).then(1).otherwise("trials")
    return replace(case, costs=case.costs.with_columns(trials=trials.cast(pl.Int64)))


def no_control(case: Case, strength: float, seed: int) -> Case:  # noqa: ARG001
    """Return *case* as though its multimodal contender were trained jointly, and nothing else were multimodal."""
    return replace(case, additive=())


def few_fits(case: Case, n_fits: float, seed: int) -> Case:  # noqa: ARG001
    """Return *case* as though it rested on so many fits."""
    return replace(case, n_fits=int(n_fits))


def many_looks(case: Case, n_looks: float, seed: int) -> Case:  # noqa: ARG001
    """Return *case* as though its test rows had been scored so often."""
    return replace(case, test_looks=int(n_looks))


def sure(case: Case, times: float, seed: int) -> Case:
    """Return *case* with the logits of all text contenders, or of all image contenders, so many *times* as large."""
    names = case.reading("text" if seed % 2 else "image")
    chances = [name for name in case.predictions.columns if name.startswith("p_")]
    raised = [pl.col(name).clip(lower_bound=FLOOR) ** times for name in chances]
    louder = [
        pl.when(pl.col("contender").is_in(names)).then(power / pl.sum_horizontal(raised)).otherwise(name).alias(name)
        for name, power in zip(chances, raised, strict=True)
    ]
    return replace(case, predictions=case.predictions.with_columns(louder))
