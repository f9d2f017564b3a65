"""CP006: a joint network compared without the control that trains its branches apart and fuses them late."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import polars as pl

from counterpoint.diagnose.case import Case
from counterpoint.schema import finding

TITLE = "No control for joint training"
LEAST_COST = 0.5
"""A control that loses at less than half of the joint network's cost is no equal rival (Du et al., ICML 2023)."""
SUBJECT = "joint training"


def look(case: Case) -> dict[str, str]:
    """Look for a late fusion of branches trained apart beside a jointly trained contender of the primary contrast."""
    if case.primary is None:
        return finding("CP006", "not_applicable", SUBJECT, "The study has no primary contrast.")
    joint = case.primary["a"]
    if joint in case.additive:
        said = f"{joint}, the multimodal side of the contrast, is itself a fusion of branches trained apart."
        return finding("CP006", "info", SUBJECT, said)
    controls = [name for name in case.additive if len(case.modalities.get(name, ())) > 1]
    if not controls:
        said = f"{joint} is trained jointly, and no contender fuses branches trained apart: add late-fusion to them."
        return finding("CP006", "warn", SUBJECT, said, joint=joint)
    differences = {name: case.difference(joint, name, case.metric) for name in controls}
    control, against = max(differences.items(), key=lambda found: -(found[1].value if found[1] else 0.0))
    difference, low, high = against or (None, None, None)
    evidence = {"joint": joint, "control": control, "difference": difference, "low": low, "high": high}
    told = _told(joint, control, evidence)
    costs = [_Cost.of(case, name) for name in (joint, control)]
    table = [{"contender": name, **cost._asdict()} for name, cost in zip((joint, control), costs, strict=True) if cost]
    if low is not None and low > 0 and _is_cheap(*costs):
        told += f" But {control} with its branches took less than half of the training of {joint}: give it as much."
        return finding("CP006", "warn", SUBJECT, told, **evidence, table=table)
    return finding("CP006", "info", SUBJECT, told, **evidence, table=table)


class _Cost(NamedTuple):
    """What a fit took with the branches that it is handed: seconds, and epochs times parameters."""

    seconds: float
    updates: float

    @classmethod
    def of(cls, case: Case, name: str) -> Self | None:
        """Return the cost of *name*, the median over its fits; None where there is no record of it."""
        medians = case.costs.group_by("contender").agg(pl.col("fit_s", "epochs", "parameters").median().fill_null(0))
        costs = {row["contender"]: row for row in medians.to_dicts()}
        fitted = case.fit_of(name) if name in costs else None
        if fitted is None:
            return None
        branches = [costs[each] for each in getattr(fitted.model, "needs", ()) if each in costs]
        # A fusion that was handed its branches counts their epochs as its own.
        trained = branches if branches and name in case.additive else [*branches, costs[name]]
        updates = sum(row["epochs"] * row["parameters"] for row in trained)
        return cls(round(sum(row["fit_s"] for row in [*branches, costs[name]]), 2), updates)


def _told(joint: str, control: str, evidence: Mapping[str, Any]) -> str:
    difference, low, high = (evidence[name] for name in ("difference", "low", "high"))
    if difference is None or low is None:
        return f"{control}, whose branches are trained apart, stands beside {joint}."
    scored = f"{difference:+.3f} ({low:+.3f} to {high:+.3f})"
    said = f"Against {control}, whose branches are trained apart, {joint} scores {scored}"
    if low > 0:
        return f"{said}: joint training adds something."
    if high < 0:
        return f"{said}: joint training does worse, use {control}."
    return f"{said}: that joint training adds anything is not shown."


def _is_cheap(joint: _Cost | None, control: _Cost | None) -> bool:
    """Say whether the control took less than half by the clock and by count: the one is noisy, the other coarse."""
    return (
        joint is not None
        and control is not None
        and all(ours < LEAST_COST * theirs for ours, theirs in zip(control, joint, strict=True))
    )
