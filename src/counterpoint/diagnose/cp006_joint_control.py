"""CP006: a joint network compared without the control that trains its branches apart and fuses them late."""

from collections.abc import Mapping
from typing import NamedTuple, Self, final

import polars as pl

from counterpoint.diagnose.check import Check, Finding
from counterpoint.diagnose.inputs import Primary
from counterpoint.measures import Estimate
from counterpoint.measures.comparison_tables import Modalities, difference_between
from counterpoint.measures.contender_fits import FitOf
from counterpoint.schema import Frame

LEAST_COST = 0.5
"""A control that loses at less than half of the joint network's cost is no equal rival (Du et al., ICML 2023)."""
SUBJECT = "joint training"


class _Cost(NamedTuple):
    """What a fit took with the branches that it is handed: seconds, and epochs times parameters."""

    seconds: float
    updates: float

    @classmethod
    def of(cls, name: str, costs: Frame, fit_of: FitOf, *, is_additive: bool) -> Self | None:
        """Return the cost of *name*, the median over its fits; None where there is no record of it."""
        medians = costs.group_by("contender").agg(pl.col("fit_s", "epochs", "parameters").median().fill_null(0))
        rows = {row["contender"]: row for row in medians.to_dicts()}
        fit = fit_of(name) if name in rows else None
        if fit is None:
            return None
        branches = [rows[each] for each in getattr(fit.model, "needs", ()) if each in rows]
        # A fusion that was handed its branches counts their epochs as its own.
        trained = branches if branches and is_additive else [*branches, rows[name]]
        updates = sum(row["epochs"] * row["parameters"] for row in trained)
        return cls(round(sum(row["fit_s"] for row in [*branches, rows[name]]), 2), updates)


@final
class JointControl(Check):
    """Look for a late fusion of branches trained apart beside a jointly trained contender of the primary contrast."""

    code = "CP006"
    title = "No control for joint training"
    needs = ("primary", "additive", "modalities", "differences", "metric", "costs", "fit_of")

    def run(
        self,
        *,
        primary: Primary | None,
        additive: tuple[str, ...],
        modalities: Modalities,
        differences: Frame,
        metric: str,
        costs: Frame,
        fit_of: FitOf,
    ) -> Finding:
        """Return the finding on the multimodal contender of the primary contrast."""
        if primary is None:
            return self.not_applicable(SUBJECT, "The study has no primary contrast.")
        joint = primary["a"]
        if joint in additive:
            explanation = f"{joint}, the multimodal side of the contrast, is itself a fusion of branches trained apart."
            return self.finding("info", SUBJECT, explanation)
        controls = [name for name in additive if len(modalities.get(name, ())) > 1]
        if not controls:
            advice = "no contender fuses branches trained apart: add late-fusion to them."
            return self.finding("warn", SUBJECT, f"{joint} is trained jointly, and {advice}", joint=joint)
        found = {name: difference_between(differences, joint, name, metric) for name in controls}
        control, difference = max(found.items(), key=lambda item: -(item[1].value if item[1] else 0.0))
        spent = {name: _Cost.of(name, costs, fit_of, is_additive=name in additive) for name in (joint, control)}
        return self._compared(joint, control, difference, spent)

    def _compared(
        self, joint: str, control: str, difference: Estimate | None, spent: Mapping[str, _Cost | None]
    ) -> Finding:
        value, low, high = difference or (None, None, None)
        evidence = {"joint": joint, "control": control, "difference": value, "low": low, "high": high}
        table = [{"contender": name, **cost._asdict()} for name, cost in spent.items() if cost]
        explanation = _explained(joint, control, difference)
        if difference is not None and difference.low > 0 and _is_cheap(spent[joint], spent[control]):
            cheap = f"But {control} with its branches took less than half of the training of {joint}: give it as much."
            return self.finding("warn", SUBJECT, f"{explanation} {cheap}", **evidence, table=table)
        return self.finding("info", SUBJECT, explanation, **evidence, table=table)


def _explained(joint: str, control: str, difference: Estimate | None) -> str:
    if difference is None:
        return f"{control}, whose branches are trained apart, stands beside {joint}."
    scored = f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})"
    measured = f"Against {control}, whose branches are trained apart, {joint} scores {scored}"
    if difference.low > 0:
        return f"{measured}: joint training adds something."
    if difference.high < 0:
        return f"{measured}: joint training does worse, use {control}."
    return f"{measured}: that joint training adds anything is not shown."


def _is_cheap(joint: _Cost | None, control: _Cost | None) -> bool:
    """Say whether the control took less than half by the clock and by count: the one is noisy, the other coarse."""
    return (
        joint is not None
        and control is not None
        and all(ours < LEAST_COST * theirs for ours, theirs in zip(control, joint, strict=True))
    )
