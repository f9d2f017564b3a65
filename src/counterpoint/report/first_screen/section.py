"""The first screen of the page: the question, the answer, how sure it is, its main doubt, its cost, and the next step.

All of it is in words for readers who know neither statistics nor the models.  The sections below have the detail.
"""

from typing import Any

import numpy as np
import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.compare.equivalence import chances
from counterpoint.diagnose.claim import BETTER
from counterpoint.formats.images import ImageReader
from counterpoint.report.drawing.thumbnails import thumbnail
from counterpoint.report.first_screen import next_step, plain_words
from counterpoint.report.first_screen.plain_numbers import more_right, of_many, rights
from counterpoint.report.first_screen.sides import Sides
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed

Content = dict[str, Any]
MOST_EXAMPLES, MOST_NAMED, SHORT = 4, 4, 60
N_TRIED = 24
"""So many pairs of a class are looked at for one with an image and a short text."""
UNDECIDED = ("not_asked", "not_comparable", "nothing", "")
"""Claims without a word on a gain: there is nothing to be sure of."""


def first_screen(sides: Sides, images: ImageReader | None) -> Content:
    """Return the first screen.

    Parameters
    ----------
    sides
        *sides* are the two contenders that the answer is about.
    images
        *images* reads the example images.  None shows neither images nor texts.
    """
    pairs = sides.tables["pairs"].drop_nulls("label")
    return {
        "n_pairs": len(sides.tables["pairs"]),
        "classes": _classes(pairs, images),
        "answer": _answer(sides),
        "scores": scores_in_words(sides),
        "sure": sure_in_words(sides),
        "doubt": _doubt(sides),
        "cost": next_step.cost_in_words(sides),
        "next": next_step.next_step(sides),
    }


def _classes(pairs: Frame, images: ImageReader | None) -> Content:
    """Return the largest classes, each with its number of pairs and an example."""
    sizes = pairs.group_by("label").len("n").sort("n", "label", descending=[True, False])
    shown = sizes.head(MOST_EXAMPLES).rows()
    examples = [{"label": label, "n": n} | _example(pairs.filter(label=label), images) for label, n in shown]
    names = sorted(sizes["label"]) if len(sizes) <= MOST_NAMED else []
    return {"n": len(sizes), "names": names, "examples": examples}


def _example(pairs: Frame, images: ImageReader | None) -> Content:
    """Return the text and the picture of one pair of a class, which is drawn with a seed."""
    if images is None:
        return {"text": None, "picture": None}
    rng = np.random.default_rng(child_seed(0, "first screen"))
    drawn = pairs[np.sort(rng.permutation(len(pairs))[:N_TRIED])]
    is_short = pl.col("text").str.len_chars().is_between(1, SHORT).fill_null(False)
    best = drawn.sort(is_short & pl.col("image").is_not_null(), descending=True, maintain_order=True)
    row = best.row(0, named=True)
    return {"text": row["text"], "picture": thumbnail(row["image"], images)}


def _answer(sides: Sides) -> str:
    if sides.claim == "nothing" and sides.results.get("primary"):
        return plain_words.TOO_FEW
    words = plain_words.answer_in_words(sides.claim, sides.verdict, is_usable=bool(sides.answer.get("to_use")))
    return words.format_map(sides.places | {"single": sides.modality_to_use})


def scores_in_words(sides: Sides) -> str:
    """Return one sentence on the test scores of both sides, as counts of right answers where the metric allows it."""
    metric, row = sides.counted, sides.row
    if row is None:
        return _best_in_words(sides)
    subject = "it" if sides.claim in BETTER else "reading both"
    if sides.n_repeats > 1:  # the scores are those of the first repeat alone, and the difference is over all
        return _over_repeats(sides, subject)
    values = [sides.value(name, metric or sides.scores.metric) for name in (sides.a, sides.b)]
    ours, single = values
    if ours is None or single is None:
        return ""
    if metric is None:
        scores = f"{numbers.score(ours)}, and {sides.alone} {numbers.score(single)}"
        return f"By the measure that decides this study, {subject} reaches {scores}. More is better."
    (count, of_single), of = rights(ours, single)
    start = f"Of {of} pairs{_weighing(metric)}"
    if count == of_single:
        return f"{start}, both get {count} right."
    return f"{start}, {subject} gets {count} right, and {sides.alone} {of_single}."


def _over_repeats(sides: Sides, subject: str) -> str:
    """Return one sentence on the difference of both sides over all repeats."""
    difference = float((sides.row or {})["difference"])
    start = f"Over {sides.n_repeats} repeats"
    if not sides.is_of_counts:
        measured = f"{numbers.score(abs(difference))} {'less' if difference < 0 else 'more'}"
        return f"{start}, {subject} scores {measured} than {sides.alone}."
    counted = f"{100 * abs(difference):.1f} {'fewer' if difference < 0 else 'more'} of 100 pairs"
    return f"{start}, {subject} gets {counted} right than {sides.alone}{_weighing(sides.scores.metric)}."


def _best_in_words(sides: Sides) -> str:
    metric = sides.counted
    best = next(iter(sides.contenders), None)
    value = sides.value(best, metric) if best and metric else None
    if value is None or metric is None or best is None:
        return ""
    (count,), of = rights(value)
    return (
        f"The best model so far ({sides.contenders.title(best)}) gets {count} of {of} pairs right{_weighing(metric)}."
    )


def _weighing(metric: str) -> str:
    return " (as many of each class)" if metric == "balanced_accuracy" else ""


def sure_in_words(sides: Sides) -> list[str]:
    """Return sentences on the uncertainty of the difference between both sides."""
    row, claim = sides.row, sides.claim
    if row is None or claim in UNDECIDED:
        return ["Nothing can be claimed yet."]
    if row["error"] == 0 and row["difference"] == 0:
        return [f"Both got the same score in every group of the {numbers.count(sides.n_tested)} test pairs."]
    is_repeated = sides.n_repeats > 1
    more = "The models were trained several times." if is_repeated else "Training the models again may change it."
    return [_range(sides), *_probability(sides), f"Tested on {numbers.count(sides.n_tested)} pairs. {more}"]


def _range(sides: Sides) -> str:
    row = sides.row or {}
    measured = (
        f"Reading both gets {more_right(row['low'], row['high'])}"
        if sides.is_of_counts
        else f"The gain lies from {numbers.interval(row['low'], row['high'], is_signed=True)}"
    )
    return f"{measured}. Of ranges found in this way, {of_many(sides.scores.confidence)} hold the truth."


def _probability(sides: Sides) -> list[str]:
    row, margin = sides.row or {}, sides.evaluate.margin
    if row["error"] is None or row["df"] is None:
        return []
    found = chances(row["difference"], row["error"], row["df"], margin=margin or 0.0)
    if not np.isfinite(found.better):
        return []
    if sides.claim == "same":
        return [f"The difference does not matter with a probability of {numbers.probability(found.same)}."]
    worse, better = (numbers.probability(chance) for chance in (found.worse, found.better))
    enough = " by enough to matter" if margin else ""
    if sides.claim == "worse":
        return [f"Reading both is worse{enough} with a probability of {worse}."]
    subject = "Its score" if sides.claim in ("better_alone", "not_shown") else "Reading both"
    return [f"{subject} is better{enough} with a probability of {better}."]


def _doubt(sides: Sides) -> Content | None:
    code = str(sides.answer.get("doubt_code"))
    if code not in plain_words.DOUBTS_IN_WORDS:
        return None
    words = plain_words.BEATEN if sides.answer.get("better_single") else plain_words.DOUBTS_IN_WORDS[code]
    is_listed = code in sides.tables["findings"]["code"]
    return {"code": code if is_listed else None, "words": words.format_map(sides.places)}
