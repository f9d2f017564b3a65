"""CP005: one side of the contrast was given many more tries than the other, so that effort passes for skill."""

from typing import Any

import polars as pl

from counterpoint.diagnose.case import Case
from counterpoint.schema import Frame, finding

TITLE = "Unequal budgets"
TRIALS_RATIO = 4
"""Late fusion of three candidates counts three trials by construction; four and more are a search."""
EPOCHS_RATIO = 10
"""Early stopping alone makes a factor of four between networks of like settings; an order of magnitude is a choice."""
BUDGET = ("trials", "epochs", "parameters", "fit_s")


def look(case: Case) -> dict[str, str]:
    """Look at trials, epochs, parameters and seconds of the contenders, and compare those of the primary contrast."""
    if case.primary is None:
        return finding("CP005", "not_applicable", "costs", "The study has no primary contrast.")
    costs = {row["contender"]: row for row in _table(case.costs)}
    a, b = case.primary["a"], case.primary["b"]
    unknown = [name for name in (a, b) if name not in costs]
    if unknown:
        said = f"There is no record of what {' and '.join(unknown)} took: say how it was tuned, beside its score."
        return finding("CP005", "not_applicable", "costs", said, table=list(costs.values())[:12])
    table = [costs.pop(a), costs.pop(b), *costs.values()][:12]
    uneven = _uneven(table[0], table[1], case.additive)
    sizes = (
        f"{a} took {table[0]['trials']:g} trials, {table[0]['epochs']:g} epochs and {table[0]['parameters']:,.0f} "
        f"parameters, {b} {table[1]['trials']:g}, {table[1]['epochs']:g} and {table[1]['parameters']:,.0f}"
    )
    if uneven:
        more = max(table[:2], key=lambda row: row[uneven])["contender"]
        less = a if more == b else b
        said = f"{sizes}. {more} was given many more {uneven}: give {less} as many before the two are compared."
        return finding("CP005", "warn", "costs", said, unequal=uneven, table=table)
    said = f"{sizes}: neither was tried so much more often that this explains a difference."
    return finding("CP005", "info", "costs", said, table=table)


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
