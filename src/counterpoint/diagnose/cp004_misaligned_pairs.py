"""CP004: texts that belong to other images, in all rows, in some, or in one fold; and sets joined on class alone.

What can be seen, and from what:

- **No association**: a model of cheap features of both (`association`), fitted on some rows, does not find the own
  image of others among images.  Where it then finds the image of a later or earlier row, the images are shifted.
- **In each class another way**: it finds none over all rows, but does where it is fitted and asked within a class: they
  belong together, and only the two together tell the class, as in an exclusive or.
- **Class alone**: it finds images of the class, and not the own one among them; nor do what text and image contenders
  say go together within a class.  So it is where two unrelated sets were joined on their classes.
- **One fold differs**: a single-entity contender is far better on validation rows than on test rows, or far worse.
- **Some rows**: texts have a lapse rate, however sure one is of a text, one is right no oftener (`lapses`), and where
  they lapse the images go with the label (`backing`): where labels are wrong they go with the text.  A text whose
  evidence is graded has no such rate, as far as the rows can tell.  Of pairs that are independent given the class
  nothing more can be said: dealing a share of the texts anew makes exactly what a text that tells less would make.  A
  share of *images* dealt anew is not told from images that are hard to read.

Takes 2 s at 1,000 rows, of which most is reading images.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from counterpoint.diagnose import Case
from counterpoint.measures import Estimate
from counterpoint.measures.lapse_rate import Lapses, backing, lapses, read_words
from counterpoint.measures.prediction_arrays import Codes, Floats, Heard, best_of, heard, judged
from counterpoint.measures.text_image_association import Found, association, image_features, text_features
from counterpoint.metrics.permutations import permute_within
from counterpoint.schema import Frame, class_names, finding
from counterpoint.seeds import child_seed

TITLE = "Misaligned pairs"
MAX_ROWS, FEW_ROWS = 1500, 300
LEVEL = 0.01
"""A dealing that does as well as often as this leaves the association open."""
WEAK = 0.54
"""Whoever prefers the own image this seldom is said to know nothing of it; aligned captions of photos reach .6."""
ENOUGH = 800
"""Of fewer pairs a model of cheap features learns too little for what it does not find to be absent."""
LAPSED, BLIND = 0.12, 0.95
"""So large must the lapse rate of texts be at least; beyond is no reading."""
BACKED = 0.6
"""So far must images go with the label, and not with what the text names, where texts lapse."""
APART, SIGMAS = 0.15, 4.0
"""A fold differs when the accuracy on it does by this much and this many standard errors."""
SHIFTS = (1, -1, 2, -2)
BLOCK = 100
"""Of many rows blocks of so many neighbours are read, as shifts are only seen among neighbours."""
DEALINGS = 999
SUBJECT = "pairs"


class Sides(NamedTuple):
    """The features of the rows that have both sides."""

    rows: Frame
    text: Floats
    image: Floats

    @property
    def groups(self) -> list[str]:
        """What stays together."""
        return self.rows["group"].to_list()

    @property
    def codes(self) -> Codes:
        """The classes."""
        codes: Codes = np.unique(self.rows["label"].to_numpy(), return_inverse=True)[1]
        return codes


class Reading(NamedTuple):
    """What somebody says of texts that it was not fitted on."""

    name: str
    ids: list[str]
    codes: Codes
    proba: Floats


def look(case: Case) -> dict[str, str]:
    """Look for what binds text and image beyond chance, beyond the class, in every fold, in every row."""
    is_there = {"text", "image"} <= set(case.pairs.columns)
    has_both = pl.all_horizontal(pl.col("text", "image").is_not_null()) if is_there else pl.lit(False)
    whole = case.pairs.filter(has_both)
    if len(whole) < FEW_ROWS or whole["label"].n_unique() < 2:
        said = f"Of {len(whole)} pairs with both sides, fewer than {FEW_ROWS} or of one class, too little can be said."
        return finding("CP004", "not_applicable", SUBJECT, said)
    sides = _sides(case, whole)
    if sides is None:
        return finding("CP004", "not_applicable", SUBJECT, "The images of the pairs cannot be read any more.")
    at_all = association(sides.text, sides.image, sides.groups)
    evidence: dict[str, Any] = {"own_image": list(at_all), "n": len(sides.rows)}
    for problem in (_shifted(sides, at_all), _fold(case), _lapsed(case, sides)):
        if problem:
            severity, said, more = problem
            return finding("CP004", severity, SUBJECT, said, **evidence | more)
    evidence["p_said"] = _said_together(case, is_within_class=False)
    if 2 * min(at_all.p, evidence["p_said"]) > LEVEL:
        return _bound_by_class(sides, at_all, evidence) or _unbound(sides, at_all, evidence)
    within = association(sides.text, sides.image, sides.groups, sides.codes)
    evidence |= {"own_image_in_class": list(within), "p_said_in_class": _said_together(case, is_within_class=True)}
    if 2 * min(within.p, evidence["p_said_in_class"]) <= LEVEL:
        return finding("CP004", "info", SUBJECT, _bound(at_all, within, evidence["p_said_in_class"]), **evidence)
    return _class_alone(sides, within, evidence)


def _bound_by_class(sides: Sides, at_all: Found, evidence: dict[str, Any]) -> dict[str, str] | None:
    """Say when text and image go together within a class, though not over all."""
    found = {}
    for code in np.unique(sides.codes):
        rows = np.flatnonzero(sides.codes == code)
        if len(rows) >= FEW_ROWS // 3:
            own = [sides.groups[row] for row in rows]
            found[str(sides.rows["label"][int(rows[0])])] = association(sides.text[rows], sides.image[rows], own)
    name, best = min(found.items(), key=lambda item: item[1].p, default=("", at_all))
    if best.p * len(found) > LEVEL or best.low <= at_all.high:
        return None
    said = (
        f"Text and image go together in each class in another way: among rows of {name} a text prefers its own image "
        f"in {_share(best)} of the cases, over all rows in {_share(at_all)}. Only both together tell the class so: a "
        "contender must read them together, and be trained for long enough to find it."
    )
    by_class = {label: list(each) for label, each in found.items()}
    return finding("CP004", "info", SUBJECT, said, **evidence, bound_by_class=by_class)


def _unbound(sides: Sides, at_all: Found, evidence: dict[str, Any]) -> dict[str, str]:
    measured = f"a text prefers its own image to another's in {_share(at_all)} of the cases, p = {at_all.p:.3f}"
    if not _is_absent(sides, at_all):
        said = f"Whether text and image belong together stays open: {measured}; {_would_tell(sides)}."
        return finding("CP004", "info", SUBJECT, said, **evidence)
    said = (
        f"Text and image have nothing in common that cheap features show: {measured}. Either the pairs are misaligned, "
        "or one side says nothing of the other by its nature: look at a dozen pairs before anything else."
    )
    return finding("CP004", "warn", SUBJECT, said, **evidence)


def _class_alone(sides: Sides, within: Found, evidence: dict[str, Any]) -> dict[str, str]:
    measured = f"among images of its class a text prefers its own in {_share(within)} of the cases, p = {within.p:.3f}"
    if not _is_absent(sides, within):
        said = f"Text and image go together; whether beyond the class stays open: {measured}; {_would_tell(sides)}."
        return finding("CP004", "info", SUBJECT, said, **evidence)
    said = (
        f"Text and image have the class in common and nothing else that is seen: {measured}. So it is where two "
        "unrelated sets were joined on class alone; what a fusion gains there, it gains from two guesses at the class, "
        "and not from pairs. Look at a dozen pairs."
    )
    return finding("CP004", "warn", SUBJECT, said, **evidence, joined_on_class=True)


def _is_absent(sides: Sides, found: Found) -> bool:
    """Say whether what was not found is not there: found it would be, of so many pairs, were it worth the name."""
    return len(sides.rows) >= ENOUGH and found.high <= WEAK


def _would_tell(sides: Sides) -> str:
    return "more rows would tell" if len(sides.rows) >= ENOUGH else f"at least {ENOUGH} pairs are needed to tell"


def _bound(at_all: Found, within: Found, p_said: float) -> str:
    found = f"a text prefers its own image to another's in {_share(at_all)} of the cases"
    if within.p <= LEVEL / 2:
        return (
            f"Text and image belong together beyond the class: {found}, to another's of its class in {_share(within)}."
        )
    together = f"what a text and an image contender say goes together within a class (p = {p_said:.3f})"
    return f"Text and image belong together beyond the class: {together}; by cheap features, {found}."


def _share(found: Found | Estimate) -> str:
    return f"{found[0]:.1%} ({found.low:.1%} to {found.high:.1%})"


def _sides(case: Case, whole: Frame) -> Sides | None:
    """Return features of at most 1,500 pairs, in the order of their source."""
    whole = _blocks(whole.sort("row") if "row" in whole.columns else whole.with_columns(row=pl.int_range(len(whole))))
    from counterpoint.features.pixels import load_pixels  # noqa: PLC0415 - loads the decoder

    fitted = case.fit_of(best) if (best := best_of(case, "image")) else None
    settings = fitted.model.pixel_settings() if fitted and hasattr(fitted.model, "pixel_settings") else None
    # What a contender reads is decoded already, and kept in a store.
    cache = fitted.model.cache if fitted and settings and getattr(fitted.model, "cache", None) else None
    pixels = load_pixels(
        whole["image"].to_list(), **settings or {"side_px": 32, "mode": "rgb"}, cache=Path(cache) if cache else None
    )
    rows = np.flatnonzero(~pixels.is_missing)
    if len(rows) < FEW_ROWS:
        return None
    return Sides(whole[rows], text_features(whole["text"].gather(rows).to_list()), image_features(pixels[rows]))


def _blocks(whole: Frame) -> Frame:
    """Return at most 1,500 rows, of more in blocks of neighbours from everywhere: sources may be sorted by class."""
    if len(whole) <= MAX_ROWS:
        return whole
    rng = np.random.default_rng(child_seed(0, "cp004", "rows"))
    first = np.sort(rng.choice(len(whole) // BLOCK, MAX_ROWS // BLOCK, replace=False)) * BLOCK
    return whole[(first[:, None] + np.arange(BLOCK)).ravel()]


def _shifted(sides: Sides, at_all: Found) -> tuple[str, str, dict[str, Any]] | None:
    """Say when texts find the image of a row a few places on, and better than their own."""
    if at_all.p <= LEVEL and at_all.low > WEAK:
        return None
    shifts = {by: beside for by in SHIFTS if (beside := _beside(sides, by)) is not None}
    if not shifts:
        return None
    by, (found, n_rows) = max(shifts.items(), key=lambda item: item[1][0].rate)
    if found.p > LEVEL / len(SHIFTS) or found.low <= at_all.high:
        return None
    said = (
        f"Images are shifted by {by} against texts: a text finds the image of the row {by:+d} on in "
        f"{_share(found)} of the cases, its own in {_share(at_all)}. Join them by an id, not by their place."
    )
    return "fail", said, {"shifted_by": by, "shifted_image": list(found), "n_shifted": n_rows}


def _beside(sides: Sides, by: int) -> tuple[Found, int] | None:
    """Return how well texts find the image of the row *by* places on, and of how many rows; None of too few."""
    numbers = sides.rows["row"].to_numpy()
    _, here, there = np.intersect1d(numbers + by, numbers, return_indices=True)
    if len(here) < FEW_ROWS // 2:
        return None
    return association(sides.text[here], sides.image[there], [sides.groups[row] for row in here]), len(here)


def _fold(case: Case) -> tuple[str, str, dict[str, Any]] | None:
    """Say when a fit of a single-entity contender is far better on validation rows than on test rows, or far worse."""
    worst: tuple[float, dict[str, Any]] = (0.0, {})
    for modality in ("text", "image"):
        for name in case.reading(modality):
            for fold, a, b, error in _by_fit(case, name):
                if abs(a - b) > max(APART, SIGMAS * error, worst[0]):
                    found = {"contender": name, "modality": modality, "fit": fold, "validation": a, "test": b}
                    worst = abs(a - b), found
    if not worst[1]:
        return None
    name, modality, fold, a, b = worst[1].values()
    bad = "validation" if a < b else "test"
    where = "" if fold == "test" else f" of the fit to test fold {fold}"
    said = (
        f"The {modality}s of {bad} rows{where} do not go with their labels as those of other rows do: {name} is right "
        f"on {a:.1%} of validation rows and on {b:.1%} of test rows. See how the {bad} part was put together."
    )
    return "fail", said, {"fold": worst[1]}


def _by_fit(case: Case, name: str) -> Iterator[tuple[str, float, float, float]]:
    """Yield of each test fold how often *name* is right on validation rows and on test rows, and the standard error.

    Fold by fold: over all fits of a k-fold the validation rows are the test rows.
    """
    validation, test = (heard(case, [name], part) for part in ("validation", "test"))
    for fold in sorted({*validation.folds.tolist()} & {*test.folds.tolist()}):
        sides = (validation.of(fold), test.of(fold))
        (a, m), (b, n) = ((float(rows.hits(name).mean()), len(set(rows.groups))) for rows in sides)
        yield fold, a, b, (a * (1 - a) / m + b * (1 - b) / n) ** 0.5


def _lapsed(case: Case, sides: Sides) -> tuple[str, str, dict[str, Any]] | None:
    """Say when texts have a lapse rate, and images go with the labels where texts lapse."""
    image = _linear(case, "image")
    rows = heard(case, [image]) if image else None
    if image is None or rows is None or len(rows.ids) < FEW_ROWS // 2:
        return None
    for reading in _readings(case, sides):
        found = lapses(reading.proba, reading.codes)
        if not (found.rate.low > LAPSED and found.rate.high < BLIND):
            continue
        backed = _backed(rows, image, reading, found)
        if backed.low > BACKED:
            return _lapse_told(reading, found, backed)
    return None


def _lapse_told(reading: Reading, found: Lapses, backed: Estimate) -> tuple[str, str, dict[str, Any]]:
    said = (
        f"However surely a text names the class, it is as often wrong as if {_share(found.rate)} of the texts belonged "
        f"to other rows (lapse rate of {reading.name}); and there the images go with the label and not with the text, "
        f"{_share(backed)} of the way. Either texts were mixed up in part, or by their nature they name another class "
        "than their label: look at the rows."
    )
    wrong = np.flatnonzero(found.named != reading.codes)
    surest = wrong[np.argsort(-reading.proba[wrong].max(1), kind="stable")][:12].tolist()
    table = [{"id": reading.ids[row], "sure": round(float(reading.proba[row].max()), 4)} for row in surest]
    evidence = {
        "lapses": {"reader": reading.name, "rate": list(found.rate), "labels_backed": list(backed)},
        "table": table,
    }
    return "warn", said, evidence


def _readings(case: Case, sides: Sides) -> Iterator[Reading]:
    """Yield what the text contender of least log loss says, and what the words say by themselves."""
    text = _linear(case, "text")
    if text is not None:
        rows = heard(case, [text])
        if len(rows.ids) >= FEW_ROWS // 2:
            yield Reading(text, rows.ids, rows.codes, rows.proba[text])
    classes = class_names(case.predictions)
    known = sides.rows.filter(pl.col("label").is_in(classes))
    if len(known) < FEW_ROWS // 2:
        return
    codes = np.searchsorted(classes, known["label"].to_numpy())
    proba = read_words(known["text"].to_list(), codes, known["group"].to_list(), len(classes))
    if proba is not None:
        yield Reading("the words", known["id"].to_list(), codes, proba)


def _backed(rows: Heard, image: str, reading: Reading, found: Lapses) -> Estimate:
    """Return how far *image* goes with the labels on the rows that both have read."""
    place = {name: row for row, name in enumerate(reading.ids)}
    both = [(row, place[name]) for row, name in enumerate(rows.ids) if name in place]
    own, read = (np.array(each, dtype=np.intp) for each in zip(*both, strict=True)) if both else (np.zeros(0, int),) * 2
    groups = [rows.groups[row] for row in own]
    return backing(rows.proba[image][own], found.named[read], rows.codes[own], found.chance[read], groups)


def _linear(case: Case, modality: str) -> str | None:
    """Return the contender of least log loss on validation rows: its logits are the most to be believed."""
    names = judged(case, modality)
    if not names:
        return None
    rows = heard(case, names, "validation")
    own = np.arange(len(rows.codes))
    return max(names, key=lambda name: float(rows.log(name)[own, rows.codes].sum()))


def _said_together(case: Case, *, is_within_class: bool) -> float:
    """Return how often dealing images anew, or within a class, lets what two contenders say go together as much."""
    text, image = best_of(case, "text"), best_of(case, "image")
    rows = heard(case, [text, image]) if text and image else None
    if rows is None or text is None or image is None or len(rows.ids) < FEW_ROWS // 3:
        return 1.0
    strata = rows.codes if is_within_class else np.zeros_like(rows.codes)
    logs = [_centred(rows.log(name), strata) for name in (text, image)]
    rng = np.random.default_rng(child_seed(0, "cp004", "said"))
    found = float((logs[0] * logs[1]).sum())
    dealt = [float((logs[0] * logs[1][permute_within(strata, rng)]).sum()) for _ in range(DEALINGS)]
    return (1 + sum(each >= found for each in dealt)) / (1 + DEALINGS)


def _centred(logs: Floats, strata: Codes) -> Floats:
    """Return of each class's log probability the place among all rows, less the mean of the stratum."""
    ranks = logs.argsort(0).argsort(0) / len(logs)
    for code in np.unique(strata):
        ranks[strata == code] -= ranks[strata == code].mean(0)
    return ranks
