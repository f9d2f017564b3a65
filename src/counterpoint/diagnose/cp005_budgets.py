"""CP005: one contender of the contrast had many more trials than the other, so that the difference measures effort."""

from typing import Any, final

import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.diagnose.check import Check, Finding
from counterpoint.diagnose.inputs import Primary
from counterpoint.measures.comparison_tables import Members
from counterpoint.schema import Frame

TRIALS_RATIO = 4
"""Late fusion chooses among three candidates, so it has three trials by design.  Four or more are a search."""
EPOCHS_RATIO = 10
"""Early stopping alone makes a factor of four between networks with similar settings.  A factor of ten is a choice."""
BUDGET = ("trials", "epochs", "parameters", "fit_s")


@final
class Budgets(Check):
    """Compare the trials, epochs, parameters and seconds of the two contenders of the primary contrast."""

    code = "CP005"
    title = "Unequal budgets"
    advice = "Give both contenders the same number of trials, or report both numbers with the score."
    needs = ("primary", "costs", "members")

    def run(self, *, primary: Primary | None, costs: Frame, members: Members) -> Finding:
        """Return the finding on the two contenders of the primary contrast."""
        if primary is None:
            return self.not_applicable("costs", "The study has no primary contrast.")
        rows = {row["contender"]: row for row in _table(costs)}
        a, b = primary["a"], primary["b"]
        unknown = [name for name in (a, b) if name not in rows]
        if unknown:
            reason = f"The study has no costs of {' and '.join(unknown)}. Report with its score how it was tuned."
            return self.not_applicable("costs", reason, table=list(rows.values())[:12])
        table = [rows.pop(a), rows.pop(b), *rows.values()][:12]
        uneven = _uneven(table[0], table[1], members)
        costs_of_both = f"{_costs_of(table[0])}. {_costs_of(table[1])}."
        if uneven:
            more = max(table[:2], key=lambda row: row[uneven])["contender"]
            advice = f"{more} had many more {uneven}. Give {a if more == b else b} as many, or report both numbers."
            return self.finding("warn", "costs", f"{costs_of_both} {advice}", unequal=uneven, table=table)
        explanation = f"{costs_of_both} The budgets do not differ enough to explain a difference in score."
        return self.finding("info", "costs", explanation, table=table)


def _costs_of(row: dict[str, Any]) -> str:
    counts = [
        f"{numbers.count(row[name])} {name if row[name] != 1 else name.removesuffix('s')}"
        for name in ("trials", "epochs", "parameters")
    ]
    return f"{row['contender']} took {counts[0]}, {counts[1]} and {counts[2]}"


def _uneven(one: dict[str, Any], other: dict[str, Any], members: Members) -> str | None:
    """Return "trials" or "epochs" if the two contenders have a very unequal number of them."""
    if _ratio(one["trials"], other["trials"]) >= TRIALS_RATIO:
        return "trials"
    # A combination counts the epochs of each member.  A contender without epochs is no network.
    is_network = one["epochs"] and other["epochs"] and not {one["contender"], other["contender"]} & set(members)
    return "epochs" if is_network and _ratio(one["epochs"], other["epochs"]) >= EPOCHS_RATIO else None


def _ratio(one: float, other: float) -> float:
    return max(one, other) / max(1.0, min(one, other))


def _table(costs: Frame) -> list[dict[str, Any]]:
    """Return the median of each cost over the fits of a contender."""
    found = costs.group_by("contender", maintain_order=True).agg(pl.len().alias("fits"), pl.col(BUDGET).median())
    return found.fill_null(0).with_columns(pl.col("fit_s").round(2)).to_dicts()
