"""Faults of a record: the inputs of the checks of a clean study, with one of them as it would be after the fault.

No fit is made again: the checks of these faults read the records of a comparison, or its predictions.
"""

import polars as pl

from counterpoint.diagnose import Inputs
from counterpoint.measures.comparison_tables import contenders_reading

FLOOR = 1e-12


def many_trials(inputs: Inputs, n_trials: float, seed: int) -> Inputs:  # noqa: ARG001
    """Return *inputs* as if the multimodal contender of the primary contrast had so many trials, the other one."""
    primary = inputs["primary"]
    is_multimodal, is_single = (pl.col("contender") == primary[name] for name in ("a", "b"))
    trials = pl.when(is_multimodal).then(int(n_trials)).when(is_single).then(1).otherwise("trials")
    return inputs.replaced(costs=inputs["costs"].with_columns(trials=trials.cast(pl.Int64)))


def no_control(inputs: Inputs, strength: float, seed: int) -> Inputs:  # noqa: ARG001
    """Return *inputs* as if the multimodal contender were trained jointly, and no other contender were multimodal."""
    return inputs.replaced(additive=(), members={})


def few_fits(inputs: Inputs, n_fits: float, seed: int) -> Inputs:  # noqa: ARG001
    """Return *inputs* as if the comparison had so many fits."""
    return inputs.replaced(n_fits=int(n_fits))


def many_evaluations(inputs: Inputs, n_evaluations: float, seed: int) -> Inputs:  # noqa: ARG001
    """Return *inputs* as if the test rows had been scored so often."""
    return inputs.replaced(test_evaluations=int(n_evaluations))


def confident(inputs: Inputs, times: float, seed: int) -> Inputs:
    """Return *inputs* with the logits of all text contenders, or of all image contenders, *times* as large."""
    predictions, names = (
        inputs["predictions"],
        contenders_reading(inputs["modalities"], "text" if seed % 2 else "image"),
    )
    probabilities = [name for name in predictions.columns if name.startswith("p_")]
    raised = [pl.col(name).clip(lower_bound=FLOOR) ** times for name in probabilities]
    scaled = [
        pl.when(pl.col("contender").is_in(names)).then(power / pl.sum_horizontal(raised)).otherwise(name).alias(name)
        for name, power in zip(probabilities, raised, strict=True)
    ]
    return inputs.replaced(predictions=predictions.with_columns(scaled))
