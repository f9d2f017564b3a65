"""The contender that an answer recommends to use."""

from counterpoint.diagnose.claim import BETTER
from counterpoint.diagnose.verdict_inputs import VerdictInputs
from counterpoint.diagnose.verdict_list import Verdict
from counterpoint.schema import ALARMS

SETTLED = ("same", "worse", "none", "open")
"""Claims after which the contender of one modality is to be used, if only until more pairs settle the question."""


def to_use(inputs: VerdictInputs, verdict: Verdict, claim: str) -> str | None:
    """Return the contender to use, or None where the answer recommends none.

    Parameters
    ----------
    inputs
        *inputs* are the numbers behind the answer.
    verdict, claim
        *verdict* and *claim* are those of the answer.
    """
    if verdict.name == "no_signal" or claim not in (*BETTER, *SETTLED):
        return None
    name = _chosen(inputs, "a" if claim in BETTER else "b")
    if inputs.above_baseline(name).high < 0 or (claim == "same" and not inputs.is_above_baseline(name)):
        return None  # whatever reads neither does better, or as well
    return (_simpler_sum(inputs, name) or name) if claim in BETTER else name


def _chosen(inputs: VerdictInputs, side: str) -> str:
    """Return the contender of a side that was chosen most often, of those that none of them is shown to beat."""
    shares = (inputs.inputs["primary"].get("shares") or {}).get(side, {})
    names: list[str] = list(shares) or [str(inputs.contrast[side])]
    beaten = {name for name in names if any(inputs.difference(other, name).low > 0 for other in names if other != name)}
    return next((name for name in names if name not in beaten), names[0])


def _simpler_sum(inputs: VerdictInputs, a: str) -> str | None:
    """Return a sum of models that is not shown to be worse than *a*, where CP009 advises one."""
    if (inputs.alarm("CP009", *ALARMS) or {}).get("subject") != a:
        return None
    sums = [name for name in inputs.additive if name in inputs.members and len(inputs.modalities[name]) > 1]
    return next((name for name in sums if name != a and _is_as_good(inputs, name, a)), None)


def _is_as_good(inputs: VerdictInputs, name: str, other: str) -> bool:
    """Return whether *name* is compared with *other*, and not shown to be worse."""
    found = inputs.known_difference(name, other, inputs.metric)
    return found is not None and found.high >= 0
