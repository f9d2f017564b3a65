"""What a reader does next, and what the models cost: the lower part of the first screen."""

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.contenders import WITHOUT_ENCODERS
from counterpoint.contenders.titles import COMBINATIONS, SUMS, TITLES
from counterpoint.diagnose.claim import BETTER
from counterpoint.diagnose.to_use import SETTLED
from counterpoint.report.curves.cost_front import ALL_PREDICTIONS_S
from counterpoint.report.first_screen.plain_numbers import about, milliseconds
from counterpoint.report.first_screen.plain_words import NEXT
from counterpoint.report.first_screen.sides import Sides

Content = dict[str, Any]
ENCODED = set(TITLES).difference(WITHOUT_ENCODERS, ("late-fusion", "ensemble"))
"""Kinds that read the vectors of pretrained models in any case."""
USABLE = (*BETTER, *SETTLED)
"""Claims with a contender to use, unless one that reads nothing is better."""
QUEUES = {
    "CP004": "whose text and image agree least",
    "CP020": "whose label looks wrong",
    "CP024": "with different labels for the same content",
    "CP025": "with a shared picture or phrase",
}
"""The pairs in the queue of each check, in words."""


def next_step(sides: Sides) -> Content:
    """Return the next step: sentences, the command that saves a contender, and the rows to look at."""
    name, command = sides.answer.get("to_use"), None
    sentences = list(_steps(sides))
    if not name and sides.claim in USABLE and sides.verdict != "no_signal":
        sentences.insert(0, "Use none of these yet: try better models of the text and of the image.")
    if name:
        title = sides.contenders.title(name)
        sentences.insert(0 if sides.claim != "open" else len(sentences), f"{_use(sides, name)} “{title}”.")
        command = _command(sides, name)
        if command is None:
            sentences.append("It is a model from outside, so this study cannot save it.")
    sentences = sentences or ["Read the answer in detail below."]
    return {"sentences": sentences, "command": command, "queue": _queue(sides)}


def _use(sides: Sides, name: str) -> str:
    """Return the beginning of the sentence on the contender to use."""
    if sides.claim == "open":
        return "Until then, use"
    is_sum = name != sides.a and sides.kind(name) in SUMS
    return "Use the simpler" if sides.claim == "same" or is_sum else "Use"


def _steps(sides: Sides) -> Iterator[str]:
    """Yield what to do, apart from the contender to use."""
    if sides.row is None:
        yield _missing(sides)
        return
    if sides.verdict in NEXT:
        yield _absent(sides) or NEXT[sides.verdict].format_map(sides.places)
    if sides.claim == "not_shown":
        yield "To learn the reason, try better models of the text alone and of the image alone, or more pairs."
    if sides.verdict == "averaging_gain":
        yield "A better model of one of the two may do as well: try one before you pay for both."
    if sides.claim == "better" and sides.alarm("CP009") and sides.kind(sides.a) not in SUMS:
        yield "Two models that are trained apart and added are likely to be enough."
    if sides.claim in ("open", "none") and sides.verdict != "no_signal":
        yield from _more_pairs(sides, sides.answer.get("more"))


def _absent(sides: Sides) -> str | None:
    """Return what to do where no pair has a modality that no contender reads alone."""
    absent = [modality for modality in sides.unread if sides.tables["pairs"][modality].null_count() == sides.n_pairs]
    if sides.verdict != "not_asked" or not absent:
        return None
    return f"No pair of this study has {'a text' if 'text' in absent else 'an image'}: add them, and run again."


def _missing(sides: Sides) -> str:
    if sides.results.get("primary"):
        return "Keep more pairs for the test, and run again."
    if not sides.contenders.of_modality("text and image"):
        return "Add a model that reads text and image together, and run again."
    if not sides.unread:
        return "Give predictions by each model of the pairs that choose the best one, and run again."
    return f"Add a model that reads the {sides.places['unread']} alone, and run again."


def _more_pairs(sides: Sides, more: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield about how many more pairs would settle the question.  The answer counts *more* test pairs."""
    if more is None:
        return
    if more["is_of_fits"]:
        yield "More pairs alone will not settle it, because each training differs: train the models more often."
    elif more["rows"] is None:
        yield "More pairs will hardly settle it: more than a hundred times as many would be needed."
    elif more["by_folds"]:
        n = numbers.count(more["by_folds"])
        yield f"You may need no new pairs: test each of the {n} once, in turns (split.kind: kfold)."
    else:
        n = more["rows"] * max(1.0, sides.n_pairs / sides.n_tested)
        yield f"About {about(n)} more pairs would settle it, if the difference stays as it is."


def _command(sides: Sides, name: str) -> str | None:
    if not sides.is_ours(name):
        return None
    run = shlex.quote(f"runs/{sides.results['study']}")
    return f"counterpoint save {run} --contender {shlex.quote(name)} --to model"


def _queue(sides: Sides) -> Content | None:
    """Return the rows to look at first, of the first check that warns and has a queue."""
    for code, words in QUEUES.items():
        found = sides.alarm(code)
        n = json.loads(found["evidence"] or "{}").get("n_queue") if found else None
        if n:
            pairs = "pair" if n == 1 else "pairs"
            return {"code": code, "words": f"Look at the {numbers.count(n)} {pairs} {words}"}
    return None


class Cost(NamedTuple):
    """The seconds that a contender takes for one pair, for one training, and for its encoders (None: not known)."""

    predict_s: float
    fit_s: float
    encode_s: float | None


def cost_in_words(sides: Sides) -> list[str]:
    """Return sentences on the time that both sides take for a pair, and on the time of training."""
    names = [name for name in (sides.a, sides.b) if name] or list(sides.contenders.names[:1])
    took = {name: found for name in names if (found := _took(sides, name)) is not None}
    if not took:
        return ["Not measured."]
    sentences = [f"{_subject(sides, name)}: {milliseconds(cost.predict_s)} a pair{_training(sides, name, cost.fit_s)}."
                 for name, cost in took.items()]  # fmt: skip
    return [*sentences, *_left_out(sides, {name: cost.encode_s for name, cost in took.items()})]


def _subject(sides: Sides, name: str) -> str:
    if name == sides.a:
        return "Reading both"
    return f"The {sides.single} alone" if name == sides.b else "The best model"


def _training(sides: Sides, name: str, fit_s: float) -> str:
    """Return the time of one training.  That of a combination is its own part, which may rest on other contenders."""
    took = numbers.rough_duration(fit_s) if fit_s >= 1 else "less than 1 s"
    return f", after {took} of training{' of its own' if sides.kind(name) in COMBINATIONS else ''}"


def _took(sides: Sides, name: str) -> Cost | None:
    """Return medians over the fits of a contender."""
    costs = sides.tables["costs"].filter(contender=name)
    fit = ["contender", "seed", "fold"]
    rows = sides.tables["predictions"].filter(contender=name).group_by(fit).len("n")
    each = costs.join(rows, on=fit, how="left").with_columns(pl.col("n").fill_null(len(sides.tables["pairs"])))
    found = each.filter(pl.col("n") > 0, pl.col("predict_s").is_finite(), pl.col("fit_s").is_finite())
    if found.is_empty():
        return None
    of_pair, of_training = found.select((ALL_PREDICTIONS_S / pl.col("n")).median(), pl.col("fit_s").median()).row(0)
    encode_s = None if found["encode_s"].has_nulls() else float(found["encode_s"].sum())
    return Cost(of_pair, of_training, encode_s)


def _left_out(sides: Sides, encode_s: Mapping[str, float | None]) -> Iterator[str]:
    """Yield sentences on time that is included or left out.  *encode_s* is that of the encoders of each contender."""
    kinds = {name: sides.kind(name) for name in encode_s}
    unknown = [name for name, took in encode_s.items() if took is None and kinds[name] not in WITHOUT_ENCODERS]
    if any(encode_s.values()) and not unknown:
        yield "Pretrained models are included."
    by_pixels = [name for name in encode_s if "image" in sides.contenders.style(name).label and not encode_s[name]]
    loading = "to load pictures" if by_pixels else ""
    running = "to run the pretrained models" if {kinds[name] for name in unknown} & ENCODED else ""
    if unknown and not running:
        running = "to run pretrained models if it uses any"
    if loading or running:
        yield f"The time {' and '.join(filter(None, [loading, running]))} comes on top."
