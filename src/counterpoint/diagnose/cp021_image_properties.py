"""CP021: a property of the image file or of the whole image predicts the class, so that no content is needed.

The facts are measured when images are first decoded (`features.image_facts`).  A format, a quality or a plain border
is no content: if these predict the class, the check warns.  Brightness, contrast, sharpness, colour and file size also
depend on the content.  Photos of snow are bright.  So one of them must separate the classes nearly completely.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, final

import numpy as np
import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.compare.holm import holm
from counterpoint.diagnose.check import Check, Cost, Finding, rounded
from counterpoint.features.image_facts import IMAGE_FACTS
from counterpoint.measures.comparison_tables import scores_on_test_rows
from counterpoint.measures.fact_models import Codes, Predictable, fact_values, predictable, sampled, separation, trees
from counterpoint.measures.image_properties import APPEARANCE, FILE, FORMAT
from counterpoint.schema import Frame

CONFIDENCE = 0.99
"""The level of the interval on the page."""
LEAST_SKILL = 0.12
"""The share of the way from chance to a perfect score, of the facts of the file.  CP013 has the same limit."""
SEPARATED = 0.85
"""The distance between classes in one property of appearance (`measures.fact_models.separation`), 0 to 1.

Honest content can reach it: in Flickr8k, photos with "grass" in two or more of five captions have 0.79 in green, and
those with it in four or more have 0.89.
"""
P_LIMIT = 0.001
MOST_ROWS = 20_000
SUBJECT = "images"


class Fact(NamedTuple):
    """One fact: how far apart the classes are in it, 0 to 1, and the p-value after Holm's correction."""

    name: str
    separation: float
    p: float


@final
class ImageProperties(Check):
    """Look at formats, borders, brightness, colour and sharpness of images, and at how well they predict the class."""

    code = "CP021"
    title = "Shortcuts in properties of images"
    advice = (
        "Store, crop and process the images of all classes alike. "
        "If the property belongs to the class, report it with the score."
    )
    cost = Cost("0.3 s: it fits trees")
    needs = ("pairs", "balanced_scores", "best_contenders")

    def run(self, *, pairs: Frame, balanced_scores: Frame, best_contenders: Mapping[str, str | None]) -> Finding:
        """Return the finding on all pairs with a measured image."""
        if not set(IMAGE_FACTS) <= set(pairs.columns) or not pairs[FORMAT].count():
            return self.not_applicable(SUBJECT, "The pairs have no measured images, or are from an earlier version.")
        rows = sampled(pairs.filter(pl.col(FORMAT).is_not_null()), "cp021", MOST_ROWS)
        codes = np.unique(rows["label"].to_numpy(), return_inverse=True)[1].astype(np.int64)
        file, both = (_predictable(rows, codes, facts) for facts in (FILE, {**FILE, **APPEARANCE}))
        if both is None:
            return self.not_applicable(SUBJECT, "There are too few rows with an image, or one class.")
        facts = _separations(rows, codes)
        evidence = {
            "file": file and file.score.value, "all": both.score.value, "low": both.score.low, "high": both.score.high,
            "chance": both.chance, "n": both.n, "table": _table(facts),
        }  # fmt: skip
        measured = " ".join([_sentence(both), *_of_images(balanced_scores, best_contenders["image"])])
        if alarms := [*_of_file(file, facts), *_of_appearance(facts)]:
            return self.finding("warn", SUBJECT, " ".join([*alarms, measured]), **evidence)
        return self.finding("info", SUBJECT, f"{measured} {_meaning(both, facts)}", **evidence)


def _sentence(found: Predictable) -> str:
    score = found.score
    return (
        f"Trees on all facts of the image file and its appearance have a balanced accuracy of "
        f"{numbers.score(score.value)} ({numbers.interval(score.low, score.high)} at {numbers.level(CONFIDENCE)} "
        f"confidence). Chance is {numbers.score(found.chance)}."
    )


def _of_file(file: Predictable | None, facts: list[Fact]) -> list[str]:
    if file is None or file.p >= P_LIMIT or file.skill < LEAST_SKILL:
        return []
    strongest = next((fact for fact in facts if fact.name in FILE), None)
    named = f", most of all {strongest.name}," if strongest else ""
    return [
        f"The format, the quality or a plain border of the image{named} predicts the class: balanced accuracy "
        f"{numbers.score(file.score.value)}. These are no content. Store and crop the images of all classes alike."
    ]


def _of_appearance(facts: list[Fact]) -> list[str]:
    return [
        f"One number of each image, {fact.name}, nearly separates the classes ({numbers.share(fact.separation)} of the "
        "way from no difference to no overlap). A contender needs no other content. Check that the images of all "
        "classes were made and processed alike."
        for fact in facts if fact.name in APPEARANCE and fact.separation >= SEPARATED and fact.p < P_LIMIT
    ][:1]  # fmt: skip


def _meaning(both: Predictable, facts: list[Fact]) -> str:
    if both.score.low <= both.chance:
        return "These rows show no such shortcut."
    named = f" The strongest is {facts[0].name}." if facts else ""
    return f"Content may explain this, because the appearance depends on it.{named}"


def _of_images(scores: Frame, contender: str | None) -> list[str]:
    """Return a sentence with the score of the best contender of the image alone."""
    found = scores_on_test_rows(scores, "balanced_accuracy").filter(contender=contender or "")["value"].drop_nulls()
    return [f"The best contender of the image alone, {contender}, has {numbers.score(found[0])}."] if len(found) else []


def _predictable(rows: Frame, codes: Codes, facts: Mapping[str, pl.Expr]) -> Predictable | None:
    found = {name: values for name, values in fact_values(rows, facts).items() if np.unique(values).size > 1}
    if not found:
        return None
    table = np.column_stack(list(found.values()))
    return predictable(table, codes, rows, trees([name == "format" for name in found]), confidence=CONFIDENCE)


def _separations(rows: Frame, codes: Codes) -> list[Fact]:
    """Return the separation of the classes in each fact, the strongest first.  One row of a group counts."""
    alone = rows.with_columns(code=pl.Series(codes))
    alone = alone.unique("group", keep="first", maintain_order=True) if "group" in rows.columns else alone
    values = fact_values(alone, {**FILE, **APPEARANCE})
    found = {name: separation(each, alone["code"].to_numpy()) for name, each in values.items()}
    corrected = holm([p for _, p in found.values()])
    facts = [Fact(name, strength, p) for (name, (strength, _)), p in zip(found.items(), corrected, strict=True)]
    return sorted(facts, key=lambda fact: -fact.separation)


def _table(facts: list[Fact]) -> list[dict[str, Any]]:
    return rounded([{"fact": fact.name, "separation of classes": fact.separation, "p": fact.p} for fact in facts])
