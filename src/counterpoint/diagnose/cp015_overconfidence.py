"""CP015: a branch that is surer than it is right outshouts the other when their probabilities are averaged.

A temperature is fitted to each single-entity contender on validation rows (Guo, Pleiss, Sun and Weinberger, ICML 2017);
on test rows stand its calibration error before and after, and what the average of a text and an image contender gains.
What the average gains is told and does not decide: an average of two is less sure than either, so that its log loss
often falls where one is too sure, while the surer one still decides which class is named.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, final

import numpy as np

from counterpoint.diagnose.check import Check, Cost, Finding
from counterpoint.measures import Estimate
from counterpoint.measures.comparison_tables import Modalities, contenders_reading
from counterpoint.measures.prediction_arrays import PredictionArrays, prediction_arrays, validated_contenders
from counterpoint.metrics import Rows, find_metric
from counterpoint.metrics.estimate import Floats, estimated
from counterpoint.schema import Frame

HOT = 2.0
"""Networks often need a temperature up to 1.5; from 2 on, a probability of .95 stands for one of at most .81."""
WORTH_ECE = 0.02
"""A calibration error that falls by less is within what 15 bins of a thousand rows say of a calibrated model."""
FEW_ROWS = 30
SUBJECT = "calibration"
LOWEST, HIGHEST = 0.05, 50.0


class Calibration(NamedTuple):
    """A single-entity contender before and after its temperature, and the fusion that it is averaged into."""

    name: str
    other: str
    temperature: float
    ece: tuple[float, float]
    ece_fall: Estimate
    log_loss_fall: Estimate
    accuracy_rise: Estimate

    @property
    def is_overconfident(self) -> bool:
        """Say whether it needs a high temperature, and is better calibrated on test rows with it."""
        return self.temperature >= HOT and self.ece_fall.low > WORTH_ECE

    @property
    def effect(self) -> str:
        """Say whether its scaling changes what the average gets right."""
        rise = self.accuracy_rise
        change = f"{rise.value:+.3f} ({rise.low:+.3f} to {rise.high:+.3f})"
        if rise.low > 0:
            return (
                f"averaged with {self.other} it takes the word: scaled first, the average's accuracy is {change} better"
            )
        return f"scaled first, its average with {self.other} has an accuracy of {change} more, which is not clear"


@final
class Overconfidence(Check):
    """Look at the temperature of each single-entity contender, and at the average of two before and after scaling."""

    code = "CP015"
    title = "Over-confident branch"
    cost = Cost("0.1 s")
    needs = ("predictions", "modalities", "best_contenders")

    def run(self, *, predictions: Frame, modalities: Modalities, best_contenders: Mapping[str, str | None]) -> Finding:
        """Return the finding on the contender of the highest temperature."""
        if None in best_contenders.values():
            needed = "Averaging needs a contender that reads the text alone and one the image alone."
            return self.not_applicable(SUBJECT, needed)
        names = [name for each in ("text", "image") for name in validated_contenders(predictions, modalities, each)]
        validation, test = (prediction_arrays(predictions, names, part) for part in ("validation", "test"))
        if min(len(validation.ids), len(test.ids)) < FEW_ROWS:
            return self.not_applicable(SUBJECT, "There are too few validation or test rows.")
        scaled = {name: _scaled(validation, test, name) for name in names}
        texts = contenders_reading(modalities, "text")
        others = {name: str(best_contenders["image" if name in texts else "text"]) for name in names}
        return self._found([_branch(name, others[name], test, scaled) for name in names])

    def _found(self, branches: list[Calibration]) -> Finding:
        table = [_row(branch) for branch in branches]
        worst = max(branches, key=lambda branch: (branch.is_overconfident, branch.temperature))
        if not worst.is_overconfident:
            most = f"the largest temperature is {worst.temperature:.2f}, of {worst.name}"
            return self.finding("info", SUBJECT, f"No branch is far surer than it is right: {most}.", table=table)
        explanation = (
            f"{worst.name} is surer than it is right (temperature {worst.temperature:.1f}; calibration error "
            f"{worst.ece[0]:.3f}, {worst.ece[1]:.3f} when scaled): {worst.effect}. "
            "Scale before you fuse, as late-fusion does."
        )
        return self.finding("warn", worst.name, explanation, table=table)


def _row(branch: Calibration) -> dict[str, Any]:
    return {
        "contender": branch.name,
        "temperature": round(branch.temperature, 3),
        "ece": round(branch.ece[0], 4),
        "ece scaled": round(branch.ece[1], 4),
        "averaged with": branch.other,
        "log loss falls by": round(branch.log_loss_fall.value, 4),
        "accuracy rises by": round(branch.accuracy_rise.value, 4),
    }


def _branch(name: str, other: str, test: PredictionArrays, scaled: dict[str, tuple[Floats, float]]) -> Calibration:
    before, (after, temperature), others = test.proba[name], scaled[name], scaled[other][0]
    ece, accuracy = find_metric("ece"), find_metric("accuracy")
    alone = Rows(test.codes, before), Rows(test.codes, after)
    # The other branch is scaled both times: what changes is this branch alone.
    averages = (before + others) / 2, (after + others) / 2
    fused = tuple(Rows(test.codes, proba) for proba in averages)
    losses = (_losses(proba, test) for proba in averages)
    fall = np.subtract(*losses)
    one = np.ones((1, len(test.codes)))
    return Calibration(
        name,
        other,
        temperature,
        (float(ece(alone[0].weigh(one))[0]), float(ece(alone[1].weigh(one))[0])),
        _estimate(lambda weights: ece(alone[0].weigh(weights)) - ece(alone[1].weigh(weights)), test),
        _estimate(lambda weights: weights @ fall / weights.sum(1), test),
        _estimate(lambda weights: accuracy(fused[1].weigh(weights)) - accuracy(fused[0].weigh(weights)), test),
    )


def _estimate(measure: Any, rows: PredictionArrays) -> Estimate:
    return estimated(measure, rows.groups, draws=500)


def _losses(proba: Floats, rows: PredictionArrays) -> Floats:
    losses: Floats = -np.log(proba[np.arange(len(rows.codes)), rows.codes].clip(min=1e-7))
    return losses


def _scaled(validation: PredictionArrays, test: PredictionArrays, name: str) -> tuple[Floats, float]:
    """Return the test rows' probabilities at each fold's own temperature, and the geometric mean of these."""
    proba, temperatures = np.empty_like(test.proba[name]), []
    for fold in np.unique(test.folds):
        known = validation.of_fold(fold)
        temperatures.append(temperature_of(known.log_proba(name), known.codes))
        rows = test.folds == fold
        proba[rows] = _at(test.log_proba(name)[rows], temperatures[-1])
    return proba, float(np.exp(np.mean(np.log(temperatures))))


def temperature_of(logs: Floats, codes: np.ndarray[Any, np.dtype[np.intp]]) -> float:
    """Return the temperature of least log loss, from .05 to 50; 1 where no row is there to fit it on.

    Parameters
    ----------
    logs
        *logs* are log probabilities or logits, shape (n, n_classes).
    codes
        *codes* are the true classes.

    Examples
    --------
    >>> sure = np.log([[0.99, 0.01]] * 3 + [[0.01, 0.99]])  # right three times of four
    >>> round(temperature_of(sure, np.zeros(4, dtype=int)), 2)
    4.18
    """
    from scipy.optimize import minimize_scalar  # noqa: PLC0415 - slow to import

    if not len(codes):
        return 1.0

    def loss(log_temperature: float) -> float:
        proba = _at(logs, float(np.exp(log_temperature)))
        return float(-np.log(proba[np.arange(len(codes)), codes].clip(min=1e-12)).mean())

    found = minimize_scalar(loss, bounds=(np.log(LOWEST), np.log(HIGHEST)), method="bounded")
    return float(np.exp(found.x))


def _at(logs: Floats, temperature: float) -> Floats:
    cooled = logs / temperature
    odds = np.exp(cooled - cooled.max(1, keepdims=True))
    proba: Floats = odds / odds.sum(1, keepdims=True)
    return proba
