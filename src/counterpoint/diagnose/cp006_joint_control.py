"""CP006: a contender that is trained jointly, without its control: a fusion of branches that are trained apart."""

from collections.abc import Mapping
from typing import NamedTuple, Self, final

import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.diagnose.check import Check, Finding
from counterpoint.diagnose.inputs import Primary
from counterpoint.measures import Estimate
from counterpoint.measures.comparison_tables import Members, Modalities, difference_between, joint_members
from counterpoint.schema import Frame

LEAST_COST = 0.5
"""A control that has less than half of the joint network's cost, and loses, is no fair comparison (Du et al., ICML
2023)."""
SUBJECT = "joint training"


class _Cost(NamedTuple):
    """The cost of a fit and of the branches that it takes over: seconds, and epochs times parameters."""

    seconds: float
    updates: float

    @classmethod
    def of(cls, name: str, costs: Frame, members: Members) -> Self | None:
        """Return the cost of *name*, the median over its fits, or None if it has no fit."""
        medians = costs.group_by("contender").agg(pl.col("fit_s", "epochs", "parameters").median().fill_null(0))
        rows = {row["contender"]: row for row in medians.to_dicts()}
        if name not in rows:
            return None
        branches = [rows[each] for each in members.get(name, ()) if each in rows]
        # The epochs of a combination already include the epochs of its branches.
        updates = sum(row["epochs"] * row["parameters"] for row in branches or [rows[name]])
        return cls(round(sum(row["fit_s"] for row in [*branches, rows[name]]), 2), updates)


@final
class JointControl(Check):
    """Look for a fusion of separately trained branches as the control of a joint contender in the primary contrast."""

    code = "CP006"
    title = "No control for joint training"
    advice = (
        "Add late-fusion, or probe-average for contenders on encoders. "
        "It shows how much of the gain comes from joint training."
    )
    needs = ("primary", "additive", "members", "modalities", "differences", "metric", "costs")

    def run(
        self,
        *,
        primary: Primary | None,
        additive: tuple[str, ...],
        members: Members,
        modalities: Modalities,
        differences: Frame,
        metric: str,
        costs: Frame,
    ) -> Finding:
        """Return the finding on the multimodal contender of the primary contrast."""
        if primary is None:
            return self.not_applicable(SUBJECT, "The study has no primary contrast.")
        joint = primary["a"]
        if joint in members:
            together = joint_members(joint, members, modalities)
            return self.finding("info", SUBJECT, _combined(joint, together, is_sum=joint in additive))
        is_own = joint in set(costs["contender"])  # the training of an outside model is not known
        trained = f"{joint} {'is' if is_own else 'may be'} trained jointly"
        controls = [name for name in additive if name in members and len(modalities.get(name, ())) > 1]
        if not controls and joint in additive:
            explanation = f"{trained}, but it is a sum over the modalities. To see if that matters, add probe-average."
            return self.finding("info", SUBJECT, explanation)
        if not controls:
            advice = "Add late-fusion to the contenders, or probe-average where they read encoders."
            missing = f"{trained}, and no contender fuses branches that are trained apart. {advice}"
            return self.finding("warn", SUBJECT, missing, joint=joint)
        found = {name: difference_between(differences, joint, name, metric) for name in controls}
        control, difference = max(found.items(), key=lambda item: -(item[1].value if item[1] else 0.0))
        spent = {name: _Cost.of(name, costs, members) for name in (joint, control)}
        return self._compared(joint, control, difference, spent)

    def _compared(
        self, joint: str, control: str, difference: Estimate | None, spent: Mapping[str, _Cost | None]
    ) -> Finding:
        value, low, high = difference or (None, None, None)
        evidence = {"joint": joint, "control": control, "difference": value, "low": low, "high": high}
        table = [{"contender": name, **cost._asdict()} for name, cost in spent.items() if cost]
        explanation = _explained(joint, control, difference)
        if difference is not None and difference.low > 0 and _is_cheap(spent[joint], spent[control]):
            cheap = f"But {control} and its branches had less than half of the training of {joint}."
            advice = "Train them for as long, and compare again."
            return self.finding("warn", SUBJECT, f"{explanation} {cheap} {advice}", **evidence, table=table)
        return self.finding("info", SUBJECT, explanation, **evidence, table=table)


def _combined(name: str, together: list[str], *, is_sum: bool) -> str:
    kind = "a sum" if is_sum else "a combination"
    explanation = f"{name}, the multimodal contender of the contrast, is {kind} of contenders that are trained apart."
    if not together:
        return explanation
    verb = "is" if len(together) == 1 else "are"
    return f"{explanation} Of these, {' and '.join(together)} {verb} trained jointly."


def _explained(joint: str, control: str, difference: Estimate | None) -> str:
    if difference is None:
        return f"{control}, whose branches are trained apart, is the control of {joint}. Their difference is unknown."
    scored = numbers.signed_with_interval(*difference)
    measured = f"The difference of {joint} minus {control}, whose branches are trained apart, is {scored}."
    if difference.low > 0:
        return f"{measured} Joint training improves the score."
    if difference.high < 0:
        return f"{measured} Joint training is worse. Use {control}."
    return f"{measured} It is not shown that joint training improves the score."


def _is_cheap(joint: _Cost | None, control: _Cost | None) -> bool:
    """Return whether the control took less than half, both in seconds (noisy) and in updates (coarse)."""
    return (
        joint is not None
        and control is not None
        and all(cost < LEAST_COST * joint_cost for cost, joint_cost in zip(control, joint, strict=True))
    )
