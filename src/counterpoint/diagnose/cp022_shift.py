"""CP022: the test rows differ from the training rows, so that a score on them is about other data.

Small models predict the part of each row from its facts, its words, and its vectors in the joint space if these exist.
In a random split no model can.  In a split by time or by source one often can, and the score is then about new data.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint import number_formats as numbers
from counterpoint.compare.holm import holm
from counterpoint.diagnose.check import Check, Cost, Finding, rounded
from counterpoint.features.image_facts import IMAGE_FACTS
from counterpoint.measures.encoded_pairs import EncodedPairs
from counterpoint.measures.fact_models import (
    Codes,
    Make,
    Predictable,
    fact_values,
    predictable,
    sampled,
    separation,
    trees,
)  # fmt: skip
from counterpoint.measures.held_out_rows import has_test_rows
from counterpoint.measures.image_properties import APPEARANCE, FILE
from counterpoint.metrics.rows import Floats
from counterpoint.schema import Frame

LEAST_SKILL, P_LIMIT = 0.20, 0.001
"""The check warns if a model covers this share of the way from guessing to certainty, with this p-value."""
MOST_ROWS, FEW_ROWS = 5_000, 100
N_WORDS = 4_096
"""The number of columns that words are hashed into."""
MOST_SHOWN = 12
CODED = ("class", "host", "format")
"""The facts whose numbers are codes without an order."""
SUBJECT = "split"
_TRAIN, _OTHERS = "train", ("test", "validation")


class Comparison(NamedTuple):
    """The rows of some parts, the part of each as a code, and the facts that differ between rows, shape (n_rows,)."""

    name: str
    rows: Frame
    codes: Codes
    facts: Mapping[str, Floats]


class Shift(NamedTuple):
    """How well one reading of the rows predicts their part, and its p-value after Holm's correction."""

    parts: str
    reading: str
    found: Predictable
    p: float


@final
class PartsDiffer(Check):
    """Look at how well facts, words and vectors of a row predict whether it is a training or a test row."""

    code = "CP022"
    title = "Train and test differ"
    advice = (
        "If the split is by time or by source on purpose, report the difference with the score. "
        "If it is not, split at random within groups."
    )
    cost = Cost("0.6 s: it fits trees and linear models", "Compare the vectors of all pairs (1 s per 10,000 pairs).")
    needs = ("pairs", "encoded_pairs")

    def run(self, *, pairs: Frame, encoded_pairs: EncodedPairs | None) -> Finding:
        """Return the finding on the parts of a hold-out, or on the folds of a k-fold."""
        compared = list(_comparisons(pairs)) if has_test_rows(pairs) and len(pairs) >= FEW_ROWS else []
        shifts = _shifts(compared, encoded_pairs)
        if not shifts:
            few = f"There are no test rows, no facts to compare, or fewer than {FEW_ROWS} rows."
            return self.not_applicable(SUBJECT, few)
        worst = min(shifts, key=lambda shift: (shift.p, -shift.found.skill))
        facts = _facts_that_differ(compared)
        evidence = {"skill": worst.found.skill, "p": worst.p, "readings": _readings(shifts), "table": rounded(facts)}
        measured = (
            f"The {worst.reading} of a row predict its part ({worst.parts}) with a balanced accuracy of "
            f"{numbers.score(worst.found.score.value)}. Chance is {numbers.score(worst.found.chance)}."
        )
        alarms = [shift for shift in shifts if shift.p < P_LIMIT and shift.found.skill >= LEAST_SKILL]
        if not alarms:
            return self.finding("info", SUBJECT, f"{measured} The parts are alike, as in a random split.", **evidence)
        advice = (
            "The score on the test rows is a score on another kind of data. "
            "If the split is meant so, say it with the score. Else split at random within groups."
        )
        return self.finding("warn", SUBJECT, f"{measured} {_named(facts)} {advice}", **evidence)


def _named(facts: list[dict[str, Any]]) -> str:
    names = [str(row["fact"]) for row in facts if row["p"] < P_LIMIT][:3]
    if not names:
        return "No single fact differs clearly: the difference is in the words, the images, or in several facts."
    return f"These facts differ most: {', '.join(names)}."


def _readings(shifts: list[Shift]) -> list[dict[str, Any]]:
    rows = [
        {"parts": shift.parts, "reading": shift.reading, "balanced accuracy": shift.found.score.value,
         "low": shift.found.score.low, "high": shift.found.score.high, "p": shift.p}
        for shift in shifts
    ]  # fmt: skip
    return rounded(rows)


def _comparisons(pairs: Frame) -> Iterator[Comparison]:
    """Yield the parts to distinguish: test and validation from training rows, or all folds of a k-fold."""
    placed = sampled(pairs.filter(pl.col("fold").is_not_null()), "cp022", MOST_ROWS)
    if _TRAIN not in set(placed["fold"]):
        yield Comparison("all folds", placed, _codes(placed["fold"]), _facts(placed))
        return
    for other in _OTHERS:
        rows = placed.filter(pl.col("fold").is_in([_TRAIN, other]))
        if rows["fold"].n_unique() == 2:
            yield Comparison(f"{_TRAIN} or {other}", rows, _codes(rows["fold"]), _facts(rows))


def _codes(values: pl.Series) -> Codes:
    return np.unique(values.to_numpy(), return_inverse=True)[1].astype(np.int64)


def _shifts(compared: list[Comparison], encoded: EncodedPairs | None) -> list[Shift]:
    found = [
        (each.name, reading, score)
        for each in compared
        for reading, table, rows, make in _tables(each, encoded)
        if (score := predictable(table, each.codes[rows], each.rows[rows], make, confidence=0.95)) is not None
    ]
    corrected = holm([score.p for _, _, score in found])
    return [Shift(*each, p) for each, p in zip(found, corrected, strict=True)]


Table = tuple[str, Any, NDArray[np.intp], Make]
"""The name of a reading, its values, shape (n_rows, n_columns), the rows that have one, and the maker of its model."""


def _tables(compared: Comparison, encoded: EncodedPairs | None) -> Iterator[Table]:
    rows, everything = compared.rows, np.arange(len(compared.rows))
    if compared.facts:
        is_code = [name in CODED for name in compared.facts]
        yield "facts", np.column_stack(list(compared.facts.values())), everything, trees(is_code)
    if "text" in rows.columns and rows["text"].count():
        yield "words", _hashed(rows["text"]), everything, _linear
    if encoded is not None:
        place = {row: position for position, row in enumerate(encoded.rows["id"])}
        there = np.array([row for row, name in enumerate(rows["id"]) if name in place], dtype=np.intp)
        at = [place[rows["id"][int(row)]] for row in there]
        for name, vectors in (("vectors of texts", encoded.text), ("vectors of images", encoded.features)):
            if len(there) >= FEW_ROWS:
                yield name, vectors[np.array(at)].astype(np.float64), there, _scaled_linear


def _hashed(texts: pl.Series) -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer  # noqa: PLC0415 - takes longer than most checks

    hashing = HashingVectorizer(n_features=N_WORDS, alternate_sign=False)
    return hashing.transform(texts.fill_null("").to_list())


def _linear() -> Any:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - takes longer than most checks

    return LogisticRegression(max_iter=200)


def _scaled_linear() -> Any:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - takes longer than most checks
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=200))


def _facts(rows: Frame) -> dict[str, Floats]:
    """Return each fact that differs between rows, shape (n,), with NaN where a row lacks it."""
    from counterpoint.contenders.metadata import FACTS  # noqa: PLC0415 - loads scikit-learn

    known = set(rows.columns)
    facts = {name: fact for name, (needs, fact) in FACTS.items() if set(needs) <= known}
    if set(IMAGE_FACTS) <= known:
        facts |= {**FILE, **APPEARANCE}
    facts |= {name: pl.col(column) for name, column in (("class", "label"), ("host", "host")) if column in known}
    return {name: values for name, values in fact_values(rows, facts).items() if len(np.unique(values)) > 1}


def _facts_that_differ(compared: list[Comparison]) -> list[dict[str, Any]]:
    """Return the facts by how much they differ between parts, the most different first."""
    names = [(each.name, fact) for each in compared for fact in each.facts]
    found = [separation(values, each.codes) for each in compared for values in each.facts.values()]
    corrected = holm([p for _, p in found])
    rows: list[dict[str, Any]] = [
        {"fact": fact, "parts": parts, "separation": strength, "p": p}
        for (parts, fact), (strength, _), p in zip(names, found, corrected, strict=True)
    ]
    return sorted(rows, key=lambda row: (row["p"], -row["separation"]))[:MOST_SHOWN]
