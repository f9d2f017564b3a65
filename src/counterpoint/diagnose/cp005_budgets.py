"""CP005: one side of the contrast was given many more tries than the other, so that effort passes for skill."""

from typing import Any, final

import polars as pl

from counterpoint.diagnose.check import Check, Finding
from counterpoint.diagnose.inputs import Primary
from counterpoint.schema import Frame

TRIALS_RATIO = 4
"""Late fusion of three candidates counts three trials by construction; four and more are a search."""
EPOCHS_RATIO = 10
"""Early stopping alone makes a factor of four between networks of like settings; an order of magnitude is a choice."""
BUDGET = ("trials", "epochs", "parameters", "fit_s")


@final
class Budgets(Check):
    """Look at trials, epochs, parameters and seconds of the contenders, and compare those of the primary contrast."""

    code = "CP005"
    title = "Unequal budgets"
    needs = ("primary", "costs", "additive")

    def run(self, *, primary: Primary | None, costs: Frame, additive: tuple[str, ...]) -> Finding:
        """Return the finding on the two contenders of the primary contrast."""
        if primary is None:
            return self.not_applicable("costs", "The study has no primary contrast.")
        rows = {row["contender"]: row for row in _table(costs)}
        a, b = primary["a"], primary["b"]
        unknown = [name for name in (a, b) if name not in rows]
        if unknown:
            reason = f"There is no record of what {' and '.join(unknown)} took: say how it was tuned, beside its score."
            return self.not_applicable("costs", reason, table=list(rows.values())[:12])
        table = [rows.pop(a), rows.pop(b), *rows.values()][:12]
        uneven = _uneven(table[0], table[1], additive)
        sizes = (
            f"{a} took {table[0]['trials']:g} trials, {table[0]['epochs']:g} epochs and {table[0]['parameters']:,.0f} "
            f"parameters, {b} {table[1]['trials']:g}, {table[1]['epochs']:g} and {table[1]['parameters']:,.0f}"
        )
        if uneven:
            more = max(table[:2], key=lambda row: row[uneven])["contender"]
            advice = f"{more} was given many more {uneven}: give {a if more == b else b} as many before the two are"
            return self.finding("warn", "costs", f"{sizes}. {advice} compared.", unequal=uneven, table=table)
        explanation = f"{sizes}: neither was tried so much more often that this explains a difference."
        return self.finding("info", "costs", explanation, table=table)


def _uneven(one: dict[str, Any], other: dict[str, Any], additive: tuple[str, ...]) -> str | None:
    """Return which of trials and epochs the two were given in very unequal number, if any."""
    if _ratio(one["trials"], other["trials"]) >= TRIALS_RATIO:
        return "trials"
    # A sum of branches counts the epochs of each; what needs no epochs is no network.
    is_network = one["epochs"] and other["epochs"] and not {one["contender"], other["contender"]} & set(additive)
    return "epochs" if is_network and _ratio(one["epochs"], other["epochs"]) >= EPOCHS_RATIO else None


def _ratio(one: float, other: float) -> float:
    return max(one, other) / max(1.0, min(one, other))


def _table(costs: Frame) -> list[dict[str, Any]]:
    """Return the median of each cost over the fits of a contender."""
    found = costs.group_by("contender", maintain_order=True).agg(pl.len().alias("fits"), pl.col(BUDGET).median())
    return found.fill_null(0).with_columns(pl.col("fit_s").round(2)).to_dicts()
