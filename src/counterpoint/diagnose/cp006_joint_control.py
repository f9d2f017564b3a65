"""CP006: a joint network compared without the control that trains its branches apart and fuses them late."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from counterpoint.diagnose.case import Case
from counterpoint.schema import finding

TITLE = "No control for joint training"
LEAST_COST = 0.5
"""A control at less than half of the joint network's cost is no equal rival (Du et al., ICML 2023)."""
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
    control, (difference, low, high) = max(
        ((name, _difference(case, joint, name)) for name in controls), key=lambda found: -(found[1][0] or 0.0)
    )
    seconds = {name: _total_s(case, name) for name in (joint, control)}
    evidence = {
        "joint": joint, "control": control, "difference": difference, "low": low, "high": high,
        "joint_s": seconds[joint], "control_s": seconds[control],
    }  # fmt: skip
    told = _told(joint, control, evidence)
    if _is_cheap(seconds[control], seconds[joint]):
        took = f"{seconds[control]:.1f} s with its branches, {joint} {seconds[joint]:.1f} s"
        told += f" But {control} took {took}: give it as much."
        return finding("CP006", "warn", SUBJECT, told, **evidence)
    return finding("CP006", "info", SUBJECT, told, **evidence)


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


def _difference(case: Case, joint: str, control: str) -> tuple[float | None, float | None, float | None]:
    """Return *joint* less *control* in the primary metric with its interval, whichever way round the table has it."""
    for a, b, sign in ((joint, control, 1), (control, joint, -1)):
        row = case.differences.filter(a=a, b=b, metric=case.metric)
        if row["low"].count():
            low, high = sorted((sign * row["low"][0], sign * row["high"][0]))
            return sign * row["difference"][0], low, high
    return None, None, None


def _total_s(case: Case, name: str) -> float | None:
    """Return the seconds that a fit of *name* takes with those of the branches that it is handed; None if unknown."""
    costs = case.costs.group_by("contender").agg(pl.col("fit_s").median())
    seconds = dict(costs.iter_rows())
    fitted = case.fit_of(name) if name in seconds else None
    if fitted is None:
        return None
    return float(sum(seconds.get(each, 0.0) for each in {name, *getattr(fitted.model, "needs", ())}))


def _is_cheap(control_s: float | None, joint_s: float | None) -> bool:
    return control_s is not None and joint_s is not None and control_s < LEAST_COST * joint_s
