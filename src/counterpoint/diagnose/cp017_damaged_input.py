"""CP017: words, texts or images that the models do not get to see as they are."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, final

import numpy as np
import polars as pl

from counterpoint.diagnose.check import Check, Cost, Finding, rounded
from counterpoint.diagnose.inputs import Depth
from counterpoint.features.tokens import tokenize
from counterpoint.measures.comparison_tables import Modalities
from counterpoint.measures.contender_fits import FitOf
from counterpoint.measures.held_out_rows import parts_by_fold
from counterpoint.metrics.contingency import cross_counts, independence, p_phrase
from counterpoint.metrics.estimate import estimated
from counterpoint.metrics.intervals import wilson
from counterpoint.rules import n_words
from counterpoint.schema import Frame

UNKNOWN_AT = 0.35
"""Of the words.  Short names of many things, such as those of emoji, have three in ten that are new and are whole."""
UNKNOWN_BEYOND = 0.10
"""More new words than the training texts foretell (Good 1953): the test texts are not of the same kind."""
BLANK_AT, TINY_AT, CUT_AT = 0.05, 0.05, 0.10
TINY_PX = 16
"""Below it, no side has room for what a network of 3 × 3 kernels and two poolings looks for."""
P_BY_CLASS, V_BY_CLASS = 0.001, 0.10
SUBJECT = "input"
SAMPLE = 40
"""Images that are decoded at full depth, to see what resizing loses: some 10 ms each."""


class Damage(NamedTuple):
    """One kind of damage: of what share, from when on it matters, and in which rows."""

    what: str
    share: float
    low: float
    limit: float
    advice: str
    rows: Frame | None = None
    """Label and ``hit``: whether the row is damaged."""


@final
class DamagedInput(Check):
    """Look at words that training texts lack, texts that are cut, and images that are blank or tiny."""

    code = "CP017"
    title = "Input damaged"
    cost = Cost(
        "0.1 s",
        "Also read 40 images for each contender that resizes them, to see what detail is lost (10 ms an image).",
    )
    needs = ("pairs", "modalities", "fit_of", "depth")

    def run(self, *, pairs: Frame, modalities: Modalities, fit_of: FitOf, depth: Depth) -> Finding:
        """Return the finding on all kinds of damage together."""
        damages = [*_texts(pairs, modalities, fit_of), *_images(pairs)]
        if not damages:
            return self.not_applicable(SUBJECT, "There are no texts with test rows, and no images looked at.")
        alarms = [
            f"{damage.share:.0%} of {damage.what}: {damage.advice}" for damage in damages if damage.low > damage.limit
        ]
        alarms += [uneven for damage in damages if damage.low <= damage.limit and (uneven := _uneven(damage))]
        lost = _resize_loss(pairs, modalities, fit_of) if depth == "full" else []
        evidence = {"table": rounded([*map(_row, damages), *lost])}
        if alarms:
            return self.finding("warn", SUBJECT, f"{'; '.join(alarms)}.", **evidence)
        shares = ", ".join(f"{damage.share:.1%} of {damage.what}" for damage in damages)
        return self.finding("info", SUBJECT, f"What models read is whole: {shares}.", **evidence)


def _row(damage: Damage) -> dict[str, Any]:
    row: dict[str, Any] = {"what": damage.what, "share": damage.share, "warns above": damage.limit}
    if damage.rows is None:
        return row
    by_class = damage.rows.group_by("label").agg(pl.col("hit").mean()).sort("label").head(6)
    return row | {f"share of {label}": share for label, share in by_class.iter_rows()}


def _uneven(damage: Damage) -> str | None:
    """Say so when the damage, though small, depends on the class: a model can read the class off it."""
    if damage.rows is None or not damage.rows["hit"].any():
        return None
    found = independence(cross_counts(damage.rows, "hit", "label"))
    if found is None or found.p >= P_BY_CLASS or found.v < V_BY_CLASS:
        return None
    return (
        f"{damage.share:.1%} of {damage.what}, unequally by class ({p_phrase(found.p)}): the class can be read off it"
    )


def _counted(what: str, limit: float, advice: str, rows: Frame) -> Damage:
    k, n = int(rows["hit"].sum()), len(rows)
    return Damage(what, k / n, wilson(k, n)[0], limit, advice, rows)


# Texts.


def _texts(pairs: Frame, modalities: Modalities, fit_of: FitOf) -> Iterator[Damage]:
    if "text" not in pairs.columns or not pairs["text"].count():
        return
    unknown = _unknown_words(pairs)
    if unknown is not None:
        yield unknown
    lengths = pairs.select("label", n=n_words(pl.col("text")).fill_null(0))
    for name, most in _limits(modalities, fit_of).items():
        rows = lengths.select("label", hit=pl.col("n") > most)
        advice = "raise the limit, or the ends of these texts are never read"
        yield _counted(f"texts longer than the {most:,} words that {name} reads", CUT_AT, advice, rows)


def _limits(modalities: Modalities, fit_of: FitOf) -> Mapping[str, int]:
    """Return how many words of a text each contender reads, of those that cut."""
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
        advice = f"training texts foretell {expected:.0%}: see that both are of one kind"
    else:
        advice = "so many are new in any text of this kind: read characters, or take more pairs"
    limit = min(UNKNOWN_AT, expected + UNKNOWN_BEYOND)
    return Damage("words of test texts unknown", share.value, share.low, limit, advice)


def _new_words(train: Frame, test: Frame) -> tuple[Frame, float]:
    """Return ``n`` and ``new`` words of each test text, and the share of new ones that the training texts foretell.

    Good and Turing: a word of the next group of texts is new about as often as one so far stood in a single group.
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
        rows = there.select("label", hit=pl.col("phash").is_null() & pl.col("sha256").is_not_null())
        yield _counted("images blank (no grey level differs)", BLANK_AT, "they show nothing: leave them out", rows)
    if {"width_px", "height_px"} <= known and there["width_px"].count():
        tiny = pl.min_horizontal("width_px", "height_px") < TINY_PX
        rows = there.select("label", hit=tiny.fill_null(False))
        yield _counted(f"images under {TINY_PX} px a side", TINY_AT, "raise clean.min_side_px, or find larger", rows)


def _resize_loss(pairs: Frame, modalities: Modalities, fit_of: FitOf) -> list[dict[str, Any]]:
    """Return the share of the variance of pixels that is lost at the size which each contender reads."""
    sizes = {}
    for name in (name for name, reads in modalities.items() if "image" in reads):
        fit = fit_of(name)
        settings = fit.model.pixel_settings() if fit and hasattr(fit.model, "pixel_settings") else None
        if settings:
            sizes[name] = settings["side_px"]
    refs = pairs["image"].drop_nulls().unique(maintain_order=True) if sizes else pl.Series([], dtype=pl.String)
    refs = refs.sample(min(SAMPLE, len(refs)), seed=0) if len(refs) else refs
    return [
        {"what": f"detail of images lost at the {side_px} px that {name} reads", "share": loss, "warns above": None}
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
