"""The rows of a choice by fold and seed, as rows of one contender: of the two procedures of the primary contrast.

A selection procedure answers in each fold with the contender that was chosen there.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from counterpoint.schema import Frame

SIDES: Mapping[str, int] = {"a": 2, "b": 1}
"""The two sides of the primary contrast, and the number of modalities that their contenders read."""
PROCEDURES: Mapping[str, str] = {
    "a": "best of two modalities, chosen on validation rows",
    "b": "best of one modality, chosen on validation rows",
}
"""The names of the two selection procedures in a table of predictions."""


def is_unanimous(primary: Mapping[str, Any]) -> bool:
    """Report whether the primary contrast has the same two contenders in all folds and seeds.

    Examples
    --------
    >>> one, other = ({"fold": fold, "seed": 0, "a": a, "b": "svm"} for fold, a in [("0", "cnn"), ("1", "late")])
    >>> is_unanimous({"a": "cnn", "b": "svm", "choices": [one]}), is_unanimous({"choices": [one, other]})
    (True, False)
    """
    return all(len({choice[side] for choice in primary.get("choices", ())}) < 2 for side in SIDES)


def selected(predictions: Frame, primary: Mapping[str, Any]) -> Frame:
    """Return the test rows of the two selection procedures, under the names of `PROCEDURES`.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.
    primary
        *primary* is the result of `choose_primary`.

    Returns
    -------
    Frame
        schema.PREDICTIONS with the columns of *predictions*.  A procedure has the seeds of the choices, or one seed
        where all seeds have the same fit.  Where all choices agree, the rows are those of that contender.

    Examples
    --------
    >>> columns = {"id": list("1212"), "contender": ["lstm-cnn"] * 2 + ["text-svm"] * 2, "seed": [0] * 4}
    >>> columns |= {"fold": ["0", "1"] * 2, "part": "test", "group": list("1212"), "label": list("xyxy")}
    >>> table = pl.DataFrame({**columns, "p_x": [0.9, 0.6, 0.7, 0.2]})
    >>> chosen = [{"fold": fold, "seed": 0, "a": "lstm-cnn", "b": "text-svm"} for fold in "01"]
    >>> selected(table, {"choices": chosen})["contender"].unique().sort().to_list() == sorted(PROCEDURES.values())
    True
    """
    return rows_of_choices(predictions.filter(part="test"), primary["choices"], PROCEDURES)


def rows_of_choices(predictions: Frame, choices: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> Frame:
    """Return the rows of the contenders that were chosen in each fold for each seed, under one name for each choice.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS, of any parts.
    choices
        *choices* are the result of `counterpoint.compare.primary.best_by_fit`.
    names
        *names* has the name of the rows of each choice.
    """
    fits = [picks for kind, name in names.items() for picks in _picks(predictions, choices, kind, name)]
    keys = ["contender", "fold", "seed"]
    schema: dict[str, Any] = {**{key: predictions.schema[key] for key in keys}, "to": pl.String, "as": pl.Int64}
    rows = pl.DataFrame(fits, schema=schema).join(predictions, on=keys, how="left", maintain_order="left_right")
    return rows.with_columns(contender="to", seed="as").select(predictions.columns)


def _picks(predictions: Frame, choices: Sequence[Mapping[str, Any]], kind: str, name: str) -> list[dict[str, Any]]:
    """Return the fit of each choice: contender, fold and seed, the name of its rows, and their seed."""
    seeds = sorted({choice["seed"] for choice in choices})
    own = {contender: _seeds(predictions, contender) for contender in {choice[kind] for choice in choices}}
    picks = [
        {
            "contender": choice[kind],
            "fold": choice["fold"],
            "seed": _at(own[choice[kind]], seeds.index(choice["seed"])),
            "to": name,
            "as": choice["seed"],
        }
        for choice in choices
    ]
    if len({(pick["contender"], pick["fold"], pick["seed"]) for pick in picks}) * len(seeds) == len(picks):
        return [pick for pick in picks if pick["as"] == seeds[0]]  # one fit in each fold, which no seed changes
    return picks


def _seeds(predictions: Frame, contender: str) -> list[int]:
    return predictions.filter(contender=contender)["seed"].unique().sort().to_list()


def _at(seeds: list[int], place: int) -> int:
    """Return the seed at *place*.  A contender with one fit is used for all."""
    return seeds[place] if len(seeds) > 1 else seeds[0]
