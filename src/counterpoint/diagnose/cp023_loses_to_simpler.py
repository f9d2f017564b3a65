"""CP023: a contender of one modality that loses to a simpler one, so that its score understates the modality.

A contender is simpler if its class declares a lower ``complexity``: class shares, a rule or a few facts, a linear
model, trees or a combination, a network that is trained end to end.  If a class declares none, a contender is simpler
that has less than half of the trained parameters.  Predictions of outside models have neither, and are not compared.

Several contenders are compared, so p is corrected for their number (Holm).  A clean study of 300 pairs has four such
comparisons, and a loss is reported as clear only if chance does not explain the worst of them.

Does not compare multimodal contenders: that is the question of the whole study.
"""

from math import isfinite
from typing import Any, NamedTuple, final

from counterpoint import number_formats as numbers
from counterpoint.compare.holm import holm
from counterpoint.diagnose.check import Check, Finding, rounded
from counterpoint.diagnose.inputs import Primary
from counterpoint.measures.comparison_tables import Members, Modalities, difference_between, spread_between
from counterpoint.measures.prediction_arrays import best_on_validation
from counterpoint.measures.simplicity import Simplicity
from counterpoint.metrics import find_metric
from counterpoint.metrics.estimate import Estimate
from counterpoint.metrics.spread import Spread
from counterpoint.schema import Frame

LEAST_LOSS = 0.02
"""A loss must be shown to lie beyond this.  A smaller loss hardly changes an answer."""
SHOWN = 12
SUBJECT = "single-entity contenders"


class Loss(NamedTuple):
    """The difference of a contender minus the best simpler one, positive if the contender is better.

    Attributes
    ----------
    p
        *p* is that of a loss beyond `LEAST_LOSS`: 1 for a smaller loss.
    """

    contender: str
    simpler: str
    difference: Estimate
    p: float


@final
class LosesToSimpler(Check):
    """Compare each single-entity contender with the best simpler contender that reads no more, on test rows."""

    code = "CP023"
    title = "A contender loses to a simpler one"
    advice = "Train it longer, on more rows or with other settings, or leave it out of the comparison."
    needs = (
        "predictions", "differences", "primary", "modalities", "members", "simplicity", "metric", "confidence",
    )  # fmt: skip

    def run(
        self, *, predictions: Frame, differences: Frame, primary: Primary | None, modalities: Modalities,
        members: Members, simplicity: Simplicity, metric: str, confidence: float,
    ) -> Finding:  # fmt: skip
        """Return the finding on all single-entity contenders, the one with the largest loss as its subject."""
        validated = set(predictions.filter(part="validation")["contender"].unique())
        known = {name: reads for name, reads in modalities.items() if name in validated}
        compared = [
            Loss(name, simpler, found, _p(found, spread_between(differences, name, simpler, metric)))
            for name in known if len(known[name]) == 1
            if (simpler := _best_simpler(predictions, name, known, simplicity)) is not None
            if (found := _advantage(differences, name, simpler, metric)) is not None
        ]  # fmt: skip
        if not compared:
            return self.not_applicable(SUBJECT, "No single-entity contender has a simpler one to compare it with.")
        table = rounded([
            {"contender": each.contender, "simpler": each.simpler, **each.difference._asdict()} for each in compared
        ])[:SHOWN]  # fmt: skip
        corrected = holm([each.p for each in compared])
        clear = [each for each, p in zip(compared, corrected, strict=True) if p <= 1 - confidence]
        lost = sorted(clear, key=lambda each: each.difference.value)
        evidence: dict[str, Any] = {"losses": {each.contender: each.simpler for each in lost}, "table": table}
        if not lost:
            sound = f"No single-entity contender is clearly worse than a simpler one ({len(compared)} compared)."
            return self.finding("info", SUBJECT, sound, **evidence)
        explained = [_explained(each, metric, known) for each in lost]
        meaning = [_meaning(each, primary, members, modalities) for each in lost]
        sentences = dict.fromkeys([*explained, *meaning, ADVICE])
        return self.finding("warn", lost[0].contender, " ".join(sentences), **evidence)


ADVICE = "Train it longer or on more rows, or leave it out."


def _best_simpler(predictions: Frame, name: str, modalities: Modalities, simplicity: Simplicity) -> str | None:
    """Return the simpler contender that reads no more than *name*, and is the best on validation rows, or None."""
    reads = set(modalities[name])
    simpler = [
        other for other in modalities
        if other != name and set(modalities[other]) <= reads and simplicity.is_simpler(other, name)
    ]  # fmt: skip
    return best_on_validation(predictions, simpler) if simpler else None


def _advantage(differences: Frame, name: str, simpler: str, metric: str) -> Estimate | None:
    """Return the score of *name* minus that of *simpler*, positive if *name* is better, or None if it is unknown."""
    found = difference_between(differences, name, simpler, metric)
    if found is None or find_metric(metric).higher_is_better:
        return found
    return Estimate(-found.value, -found.high, -found.low)


def _p(found: Estimate, spread: Spread) -> float:
    """Return p of the difference *found* if the true loss were `LEAST_LOSS`, and 1 for a smaller loss."""
    p = spread.p(found.value + LEAST_LOSS)
    return p if found.value < -LEAST_LOSS and isfinite(p) else 1.0


def _explained(loss: Loss, metric: str, modalities: Modalities) -> str:
    measured = f"{numbers.signed_with_interval(*loss.difference)} in {metric.replace('_', ' ')}."
    name, simpler, (modality,) = loss.contender, loss.simpler, modalities[loss.contender]
    if not modalities[simpler]:
        return f"{name} is worse than {simpler}, which reads neither text nor image: {measured}"
    unseen = f"So its score does not show all that the {modality} says about the class."
    return f"{name} is worse than {simpler}, which is simpler: {measured} {unseen}"


def _meaning(loss: Loss, primary: Primary | None, members: Members, modalities: Modalities) -> str:
    """Return the sentence on the meaning of a loss for the answer."""
    name, simpler = loss.contender, loss.simpler
    if primary is None:
        return ""
    a, b = primary["a"], primary["b"]
    if name == b:
        return f"The answer compares {a} with {name}, so the gain from reading both may be too large."
    if name in members.get(a, ()):
        return f"{a} combines {name}, so the gain from reading both may be larger than the answer says."
    if a not in members and modalities.get(name, ("",))[0] in modalities.get(a, ()) and simpler != b:
        return f"If {a} reads its input like {name}, the gain from reading both may be larger than the answer says."
    return f"The answer compares {a} with {b}, and does not rest on {name}."
