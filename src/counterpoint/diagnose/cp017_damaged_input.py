"""CP017: models do not receive the content: unknown words, cut texts, blank or tiny images."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, final

import numpy as np
import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.diagnose.check import Check, Cost, Finding, rounded
from counterpoint.diagnose.inputs import Depth
from counterpoint.features.tokens import tokenize
from counterpoint.measures.comparison_tables import Modalities
from counterpoint.measures.contender_fits import FitOf
from counterpoint.measures.held_out_rows import parts_by_fold
from counterpoint.metrics.contingency import cross_counts, independence
from counterpoint.metrics.estimate import estimated
from counterpoint.metrics.intervals import wilson
from counterpoint.rules import n_words
from counterpoint.schema import Frame

UNKNOWN_AT = 0.35
"""The largest share of unknown words.  In short names of many things, such as names of emoji, 30 % are new."""
UNKNOWN_BEYOND = 0.10
"""With so many more unknown words than training texts predict (Good 1953), the test texts are of another kind."""
BLANK_AT, TINY_AT, CUT_AT = 0.05, 0.05, 0.10
TINY_PX = 16
"""A smaller image has no room for the features of a network with 3 × 3 kernels and two poolings."""
P_BY_CLASS, V_BY_CLASS = 0.001, 0.10
SUBJECT = "input"
SAMPLE = 40
"""The number of images decoded at full depth to measure the loss by resizing, about 10 ms each."""


class Damage(NamedTuple):
    """One kind of damage.

    Attributes
    ----------
    kind
        *kind* is a clause on the damaged inputs, such as "images are smaller than 16 px".
    share, low
        *share* is their share of all inputs, and *low* the lower end of its interval.
    limit
        *limit* is the share above which the check warns.
    rows
        *rows* have the label and ``is_damaged`` of each row.  It is None if the damage is not counted by row.
    """

    kind: str
    share: float
    low: float
    limit: float
    advice: str
    rows: Frame | None = None


@final
class DamagedInput(Check):
    """Look at words that training texts lack, texts that are cut, and images that are blank or tiny."""

    code = "CP017"
    title = "Input damaged"
    advice = "Raise the limit that the finding names, read characters in place of words, or leave damaged rows out."
    cost = Cost(
        "0.1 s",
        "Also read 40 images for each contender that resizes them, to measure the lost detail (10 ms an image).",
    )
    needs = ("pairs", "modalities", "fit_of", "depth")

    def run(self, *, pairs: Frame, modalities: Modalities, fit_of: FitOf, depth: Depth) -> Finding:
        """Return the finding on all kinds of damage together."""
        damages = [*_texts(pairs, modalities, fit_of), *_images(pairs)]
        if not damages:
            return self.not_applicable(SUBJECT, "There are no texts with test rows, and no measured images.")
        alarms = [
            f"{numbers.share(damage.share)} of {damage.kind}. {damage.advice}"
            for damage in damages
            if damage.low > damage.limit
        ]
        alarms += [uneven for damage in damages if damage.low <= damage.limit and (uneven := _uneven(damage))]
        lost = _resize_loss(pairs, modalities, fit_of) if depth == "full" else []
        evidence = {"table": rounded([*map(_row, damages), *lost])}
        if alarms:
            return self.finding("warn", SUBJECT, " ".join(alarms), **evidence)
        shares = ", ".join(f"{numbers.share(damage.share, decimals=1)} of {damage.kind}" for damage in damages)
        return self.finding("info", SUBJECT, f"The inputs of models are intact: {shares}.", **evidence)


def _row(damage: Damage) -> dict[str, Any]:
    row: dict[str, Any] = {"damage": damage.kind, "share": damage.share, "warns above": damage.limit}
    if damage.rows is None:
        return row
    by_class = damage.rows.group_by("label").agg(pl.col("is_damaged").mean()).sort("label").head(6)
    return row | {f"share of {label}": share for label, share in by_class.iter_rows()}


def _uneven(damage: Damage) -> str | None:
    """Return the sentences on a small damage if it depends on the class, and so predicts it."""
    if damage.rows is None or not damage.rows["is_damaged"].any():
        return None
    found = independence(cross_counts(damage.rows, "is_damaged", "label"))
    if found is None or found.p >= P_BY_CLASS or found.v < V_BY_CLASS:
        return None
    share = numbers.share(damage.share, decimals=1)
    return (
        f"{share} of {damage.kind}, unequally by class ({numbers.p_equals(found.p)}). "
        "So a model can predict the class from the damage. Repair these rows, or leave them out."
    )


def _counted(kind: str, limit: float, advice: str, rows: Frame) -> Damage:
    k, n = int(rows["is_damaged"].sum()), len(rows)
    return Damage(kind, k / n, wilson(k, n)[0], limit, advice, rows)


# Texts.


def _texts(pairs: Frame, modalities: Modalities, fit_of: FitOf) -> Iterator[Damage]:
    if "text" not in pairs.columns or not pairs["text"].count():
        return
    unknown = _unknown_words(pairs)
    if unknown is not None:
        yield unknown
    lengths = pairs.select("label", n=n_words(pl.col("text")).fill_null(0))
    for name, most in _limits(modalities, fit_of).items():
        rows = lengths.select("label", is_damaged=pl.col("n") > most)
        advice = "Raise that limit. The ends of these texts are never read."
        yield _counted(f"texts are longer than the {numbers.count(most)} words that {name} reads", CUT_AT, advice, rows)


def _limits(modalities: Modalities, fit_of: FitOf) -> Mapping[str, int]:
    """Return the most words of a text that each contender reads, for the contenders that cut texts."""
    found = {}
    for name in (name for name, reads in modalities.items() if "text" in reads):
        fit = fit_of(name)
        most = getattr(fit.model, "max_words", getattr(fit.model, "length", None)) if fit else None
        if isinstance(most, int):
            found[name] = most
    return found


def _unknown_words(pairs: Frame) -> Damage | None:
    """Return the share of words of test texts that no training text of their fit has."""
    found = [_new_words(fold["train"], fold["test"]) for fold in parts_by_fold(pairs)]
    rows = pl.concat([counts for counts, _ in found]) if found else pl.DataFrame()
    if rows.is_empty():
        return None
    n, new = (rows[name].to_numpy().astype(float) for name in ("n", "new"))
    share = estimated(lambda weights: weights @ new / (weights @ n), range(len(n)), draws=500)
    expected = float(np.mean([usual for _, usual in found]))
    if share.value > expected + UNKNOWN_BEYOND:
        advice = f"Training texts predict {numbers.share(expected)}. Check that both texts are of one kind."
    else:
        advice = "Any text of this kind has so many new words. Read characters, or use more pairs."
    limit = min(UNKNOWN_AT, expected + UNKNOWN_BEYOND)
    return Damage("words of test texts are unknown", share.value, share.low, limit, advice)


def _new_words(train: Frame, test: Frame) -> tuple[Frame, float]:
    """Return ``n`` and ``new`` words of each test text, and the share of new words that the training texts predict.

    The estimate of Good and Turing (Good, Biometrika 1953): the probability of a new word is about the share of words
    that occur in a single group of the training texts.
    """
    group = pl.col("group") if "group" in train.columns else pl.int_range(pl.len()).alias("group")
    words = train.select(group, word=tokenize(train["text"])).explode("word").drop_nulls("word")
    is_alone = pl.col("group").n_unique().over("word") == 1
    usual = words.select(is_alone.sum() / pl.len().clip(1)).item()
    tested = pl.DataFrame({"row": range(len(test)), "word": tokenize(test["text"])})
    by_text = tested.explode("word").drop_nulls("word").group_by("row", maintain_order=True)
    is_new = ~pl.col("word").is_in(words["word"].unique().implode())
    return by_text.agg(n=pl.len(), new=is_new.sum()), float(usual)


# Images.


def _images(pairs: Frame) -> Iterator[Damage]:
    known = set(pairs.columns)
    if "image" not in known or not pairs["image"].count():
        return
    there = pairs.filter(pl.col("image").is_not_null())
    if {"sha256", "phash"} <= known and there["sha256"].count():
        rows = there.select("label", is_damaged=pl.col("phash").is_null() & pl.col("sha256").is_not_null())
        yield _counted("images are blank (one grey level)", BLANK_AT, "Leave them out.", rows)
    if {"width_px", "height_px"} <= known and there["width_px"].count():
        tiny = pl.min_horizontal("width_px", "height_px") < TINY_PX
        rows = there.select("label", is_damaged=tiny.fill_null(False))
        advice = "Raise clean.min_side_px, or find larger images."
        yield _counted(f"images are smaller than {TINY_PX} px", TINY_AT, advice, rows)


def _resize_loss(pairs: Frame, modalities: Modalities, fit_of: FitOf) -> list[dict[str, Any]]:
    """Return rows of evidence with the share of the variance of pixels that the input size of each contender loses."""
    sizes = {}
    for name in (name for name, reads in modalities.items() if "image" in reads):
        fit = fit_of(name)
        settings = fit.model.pixel_settings() if fit and hasattr(fit.model, "pixel_settings") else None
        if settings:
            sizes[name] = settings["side_px"]
    refs = pairs["image"].drop_nulls().unique(maintain_order=True) if sizes else pl.Series([], dtype=pl.String)
    refs = refs.sample(min(SAMPLE, len(refs)), seed=0) if len(refs) else refs
    return [
        {"damage": f"image detail is lost at the {side_px} px that {name} reads", "share": loss, "warns above": None}
        for name, side_px in sizes.items() if (loss := _lost_detail(refs.to_list(), side_px)) is not None
    ]  # fmt: skip


def _lost_detail(refs: list[str], side_px: int) -> float | None:
    from PIL import Image  # noqa: PLC0415

    from counterpoint.errors import ImageError  # noqa: PLC0415
    from counterpoint.features.decode import decode  # noqa: PLC0415
    from counterpoint.features.resize import ANY, size_in_square  # noqa: PLC0415
    from counterpoint.formats.images import ImageReader  # noqa: PLC0415

    losses = []
    with ImageReader() as reader:
        for ref in refs:
            try:
                whole = Image.fromarray(decode(reader.read(ref), limits=ANY, mode="gray")[:, :, 0])
            except ImageError:
                continue
            height, width = size_in_square(whole.height, whole.width, side_px, "keep")
            small = whole.resize((min(width, whole.width), min(height, whole.height)), Image.Resampling.BOX)
            back = np.asarray(small.resize(whole.size, Image.Resampling.BILINEAR), dtype=float)
            variance = float(np.asarray(whole, dtype=float).var())
            if variance > 0:
                losses.append(min(1.0, float(((np.asarray(whole) - back) ** 2).mean()) / variance))
    return float(np.mean(losses)) if losses else None
