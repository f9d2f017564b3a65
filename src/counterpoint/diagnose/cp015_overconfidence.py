"""CP015: if two probabilities are averaged, an over-confident contender decides, right or wrong.

A temperature is fitted to each single-entity contender on validation rows (Guo, Pleiss, Sun and Weinberger, ICML 2017).
Its calibration error on test rows is measured before and after scaling.  The change of the average of a text and an
image contender is reported, and does not decide.  An average is less confident than either contender.  So its log loss
hides that the more confident one decides the class.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Any, NamedTuple, final

import numpy as np

from counterpoint import number_formats as numbers
from counterpoint.diagnose.check import Check, Cost, Finding
from counterpoint.measures import Estimate
from counterpoint.measures.comparison_tables import Modalities, contenders_reading
from counterpoint.measures.prediction_arrays import PredictionArrays, prediction_arrays, validated_contenders
from counterpoint.metrics import PredictedRows, find_metric
from counterpoint.metrics.calibration import Calibration, calibration
from counterpoint.metrics.estimate import estimated
from counterpoint.metrics.rows import FLOOR, Floats
from counterpoint.schema import Frame

HOT = 2.0
"""Networks often need a temperature up to 1.5.  From 2 on, a probability of .95 of two classes becomes .81 or less."""
WORTH_ECE = 0.02
"""A smaller fall is within the calibration error of a calibrated model in 15 bins of 1,000 rows."""
FEW_ROWS = 30
SUBJECT = "calibration"
LOWEST, HIGHEST = 0.05, 50.0


class Average(NamedTuple):
    """The average of a contender with *other*, the contender of the other modality, and its changes by scaling."""

    other: str
    log_loss_fall: Estimate
    accuracy_rise: Estimate

    @property
    def effect(self) -> str:
        """The sentences on the accuracy of the average with and without scaling."""
        change = f"changes the accuracy of their average by {numbers.signed_with_interval(*self.accuracy_rise)}"
        if self.accuracy_rise.low > 0:
            return f"It dominates the average with {self.other}. Scaling it first {change}."
        return f"Its average with {self.other} is not clearly worse for it. Scaling it first {change}."


class ScaledContender(NamedTuple):
    """A single-entity contender before and after scaling by its temperature.

    Attributes
    ----------
    ece
        *ece* is the calibration error on test rows, before and after scaling.
    ece_fall
        *ece_fall* is its fall by scaling, with an interval.
    line
        *line* are the calibration slope and the overconfidence on test rows, before scaling.
    average
        *average* is the average with the contender of the other modality.
    """

    name: str
    temperature: float
    ece: tuple[float, float]
    ece_fall: Estimate
    line: Calibration
    average: Average

    @property
    def is_overconfident(self) -> bool:
        """Whether its temperature is high, and scaling by it lowers the calibration error on test rows."""
        return self.temperature >= HOT and self.ece_fall.low > WORTH_ECE


@final
class Overconfidence(Check):
    """Look at the temperature of each single-entity contender, and at its average with another after scaling."""

    code = "CP015"
    title = "Over-confident branch"
    advice = "Calibrate each contender first, then fuse, as late-fusion does."
    cost = Cost("0.1 s")
    needs = ("predictions", "modalities", "best_contenders")

    def run(self, *, predictions: Frame, modalities: Modalities, best_contenders: Mapping[str, str | None]) -> Finding:
        """Return the finding on the over-confident contender with the highest temperature."""
        if None in best_contenders.values():
            needed = "An average needs a contender that reads the text alone, and one that reads the image alone."
            return self.not_applicable(SUBJECT, needed)
        names = [name for each in ("text", "image") for name in validated_contenders(predictions, modalities, each)]
        validation, test = (prediction_arrays(predictions, names, part) for part in ("validation", "test"))
        if min(len(validation.ids), len(test.ids)) < FEW_ROWS:
            return self.not_applicable(SUBJECT, "There are too few validation or test rows.")
        scaled = {name: _scaled(validation, test, name) for name in names}
        texts = contenders_reading(modalities, "text")
        others = {name: str(best_contenders["image" if name in texts else "text"]) for name in names}
        return self._found([_calibration(name, others[name], test, scaled) for name in names])

    def _found(self, calibrations: list[ScaledContender]) -> Finding:
        table = [_row(each) for each in calibrations]
        worst = max(calibrations, key=lambda each: (each.is_overconfident, each.temperature))
        temperature = numbers.score(worst.temperature)
        if not worst.is_overconfident:
            sound = (
                f"No contender is clearly over-confident. The largest temperature is {temperature}, of {worst.name}. "
                f"The limit is {HOT:.0f}, together with a calibration error that scaling clearly reduces."
            )
            return self.finding("info", SUBJECT, sound, table=table)
        explanation = (
            f"{worst.name} is over-confident: its temperature is {temperature}. Its calibration error is "
            f"{numbers.score(worst.ece[0])}, and {numbers.score(worst.ece[1])} after scaling. {worst.average.effect} "
            "Scale probabilities before you fuse them, as late-fusion does."
        )
        return self.finding("warn", worst.name, explanation, table=table)


def _row(contender: ScaledContender) -> dict[str, Any]:
    return {
        "contender": contender.name,
        "temperature": round(contender.temperature, 3),
        "ece": round(contender.ece[0], 4),
        "ece scaled": round(contender.ece[1], 4),
        **_with_ends("slope", contender.line.slope),
        **_with_ends("overconfidence", contender.line.overconfidence),
        "averaged with": contender.average.other,
        "log loss falls by": round(contender.average.log_loss_fall.value, 4),
        "accuracy rises by": round(contender.average.accuracy_rise.value, 4),
    }


def _with_ends(name: str, found: Estimate) -> dict[str, Any]:
    """Return *found* with its interval by column, or without a value where it is not known."""
    ends = {name: found.value, f"{name} low": found.low, f"{name} high": found.high}
    return {column: round(end, 3) if isfinite(end) else None for column, end in ends.items()}


def _calibration(
    name: str, other: str, test: PredictionArrays, scaled: dict[str, tuple[Floats, float]]
) -> ScaledContender:
    before, (after, temperature), others = test.proba[name], scaled[name], scaled[other][0]
    ece, accuracy = find_metric("ece"), find_metric("accuracy")
    alone = PredictedRows(test.codes, before), PredictedRows(test.codes, after)
    # The other contender is scaled both times, so that only this one changes.
    averages = (before + others) / 2, (after + others) / 2
    fused = tuple(PredictedRows(test.codes, proba) for proba in averages)
    losses = (_losses(proba, test) for proba in averages)
    fall = np.subtract(*losses)
    one = np.ones((1, len(test.codes)))
    average = Average(
        other,
        _estimate(lambda weights: weights @ fall / weights.sum(1), test),
        _estimate(lambda weights: accuracy(fused[1].weigh(weights)) - accuracy(fused[0].weigh(weights)), test),
    )
    return ScaledContender(
        name,
        temperature,
        (float(ece(alone[0].weigh(one))[0]), float(ece(alone[1].weigh(one))[0])),
        _estimate(lambda weights: ece(alone[0].weigh(weights)) - ece(alone[1].weigh(weights)), test),
        calibration(test.codes, before, test.groups),
        average,
    )


def _estimate(measure: Any, rows: PredictionArrays) -> Estimate:
    return estimated(measure, rows.groups, draws=500)


def _losses(proba: Floats, rows: PredictionArrays) -> Floats:
    losses: Floats = -np.log(proba[np.arange(len(rows.codes)), rows.codes].clip(min=FLOOR))
    return losses


def _scaled(validation: PredictionArrays, test: PredictionArrays, name: str) -> tuple[Floats, float]:
    """Return the probabilities of test rows at the temperature of their fold, and the geometric mean temperature."""
    proba, temperatures = np.empty_like(test.proba[name]), []
    for fold in np.unique(test.folds):
        own = validation.of_fold(fold)
        temperatures.append(temperature_of(own.log_proba(name), own.codes))
        rows = test.folds == fold
        proba[rows] = _at(test.log_proba(name)[rows], temperatures[-1])
    return proba, float(np.exp(np.mean(np.log(temperatures))))


def temperature_of(logs: Floats, codes: np.ndarray[Any, np.dtype[np.intp]]) -> float:
    """Return the temperature of least log loss, between 0.05 and 50.

    Scaling divides logits by the temperature (Guo, Pleiss, Sun and Weinberger, ICML 2017).  Without a row to fit it on,
    the temperature is 1.

    Parameters
    ----------
    logs
        *logs* are log probabilities or logits, shape (n, n_classes).
    codes
        *codes* are the true classes, shape (n,).

    Examples
    --------
    >>> confident = np.log([[0.99, 0.01]] * 3 + [[0.01, 0.99]])  # three of four rows are correct
    >>> round(temperature_of(confident, np.zeros(4, dtype=int)), 2)
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
