"""The sections about the contenders: how they learned, what they confuse, where they err, which words move them."""

from collections.abc import Iterator
from typing import Any

import polars as pl

from counterpoint.report import error_analysis, panels, word_importance
from counterpoint.report.material import Material
from counterpoint.report.svg import Gallery
from counterpoint.report.thumbnails import thumbnail
from counterpoint.schema import Frame

Content = dict[str, Any]
N_MISTAKES, N_WORDS = 5, 12


def curves(material: Material, gallery: Gallery) -> list[Content]:
    """Return the learning curves of every contender that has them, and of each of its branches."""
    return [_curves(material, gallery, *learner) for learner in _learners(material)]


def _learners(material: Material) -> Iterator[tuple[str, str, Frame]]:
    history = material.table("history")
    for contender in material.contenders:
        of_contender = history.filter(contender=contender)
        for branch in of_contender["branch"].unique(maintain_order=True):
            title = contender if branch in (None, "joint") else f"{contender}: {branch} branch"
            yield contender, title, of_contender.filter(pl.col("branch").eq_missing(branch))


def _curves(material: Material, gallery: Gallery, contender: str, title: str, rows: Frame) -> Content:
    best, kept = best_epochs(rows), _kept(material.models.get(contender), rows)
    n_fits = rows.select("seed", "fold").n_unique()
    alt = f"Loss and accuracy by epoch of {title}, {n_fits} fits."
    figure = panels.learning(rows, kept, best=best)
    return {
        "contender": contender,
        "title": title,
        "figure": gallery.add(f"learning-{title}", f"Learning: {title}", figure, alt=alt),
        "n_fits": n_fits,
        "best": (best["epoch"].min(), best["epoch"].max()) if len(best) else None,
        "kept": (kept["epoch"].min(), kept["epoch"].max()) if kept is not None else None,
    }


def best_epochs(rows: Frame) -> Frame:
    """Return the epoch of lowest validation loss of each fit."""
    best_first = rows.drop_nulls("valid_loss").sort("valid_loss", "epoch")
    return best_first.group_by("seed", "fold", maintain_order=True).first()


def _kept(model: Any, rows: Frame) -> Frame | None:
    """Return the epoch whose weights each fit kept: the best, or the last of a model that stops at none."""
    if not hasattr(model, "best_epoch_") or model.branch not in rows["branch"]:
        return None
    if model.patience is not None:
        return best_epochs(rows)
    return rows.sort("epoch").group_by("seed", "fold", maintain_order=True).last()


def confusions(material: Material, gallery: Gallery) -> list[Content]:
    """Return what each contender calls the pairs of each class, and how many it finds."""
    found, level = [], material.evaluate.confidence
    for contender, rows in _test_rows(material):
        figure = panels.confusion(
            error_analysis.confusion(rows, material.classes), material.classes, colour=material.voice(contender).colour
        )
        recalls = error_analysis.rates(rows, "label", confidence=level).to_dicts()
        alt = f"Confusion matrix of {contender}, as shares of each true class; the table below has the diagonal."
        svg = gallery.add(f"confusion-{contender}", f"Confusion: {contender}", figure, alt=alt)
        found.append({"contender": contender, "title": contender, "figure": svg, "recalls": recalls})
    return found


def reliabilities(material: Material, gallery: Gallery) -> list[Content]:
    """Return how often each contender was right at each level of stated confidence."""
    level = material.evaluate.confidence
    bins = {name: error_analysis.reliability(rows, confidence=level) for name, rows in _test_rows(material)}
    lowest = [of_one.select(pl.min_horizontal("low", "confidence").min()).item() for of_one in bins.values()]
    return [
        _reliability(material, gallery, contender, of_one, min(lowest) - 0.02) for contender, of_one in bins.items()
    ]


def _reliability(material: Material, gallery: Gallery, contender: str, bins: Frame, floor: float) -> Content:
    voice = material.voice(contender)
    figure = panels.reliability(bins, floor=floor, colour=voice.colour, marker=voice.marker)
    alt = f"Share right at each stated confidence, {contender}; on the dotted line both agree."
    svg = gallery.add(f"reliability-{contender}", f"Confidence: {contender}", figure, alt=alt)
    return {"contender": contender, "title": contender, "figure": svg}


def lengths(material: Material, gallery: Gallery) -> list[Content]:
    """Return how often each contender was right on texts of each length."""
    tested = material.test_rows["id"].unique()
    binned = error_analysis.lengths(material.table("pairs").filter(pl.col("id").is_in(tested.implode())))
    if binned["bin"].n_unique() < 2:
        return []
    level = material.evaluate.confidence
    bins = {name: error_analysis.by_length(rows, binned, confidence=level) for name, rows in _test_rows(material)}
    lowest = [of_one.select(pl.col("low").min()).item() for of_one in bins.values()]
    return [_length(material, gallery, contender, of_one, min(lowest) - 0.01) for contender, of_one in bins.items()]


def _length(material: Material, gallery: Gallery, contender: str, bins: Frame, floor: float) -> Content:
    voice = material.voice(contender)
    figure = panels.by_length(bins, floor=floor, colour=voice.colour, marker=voice.marker)
    alt = f"Share right by number of words, {contender}: " + ", ".join(
        f"{row['bin']} words {row['value']:.0%} ({row['low']:.0%} to {row['high']:.0%})" for row in bins.to_dicts()
    )
    svg = gallery.add(f"length-{contender}", f"Accuracy by text length: {contender}", figure, alt=alt)
    return {"contender": contender, "title": contender, "figure": svg}


def mistakes(material: Material) -> list[Content]:
    """Return each contender's most confident mistakes, with the pair where it may be shown."""
    pairs = material.table("pairs").select("id", "text", "image").unique("id", keep="first")
    found = []
    for contender, rows in _test_rows(material):
        wrong = error_analysis.mistakes(rows, material.classes, most=N_MISTAKES).join(
            pairs, on="id", how="left", maintain_order="left"
        )
        if len(wrong):
            found.append(
                {
                    "contender": contender,
                    "title": contender,
                    "rows": [_mistake(material, row) for row in wrong.to_dicts()],
                }
            )
    return found


def _mistake(material: Material, row: Content) -> Content:
    if not material.page.example_images:
        return row | {"text": None, "picture": None}
    return row | {"picture": thumbnail(row["image"], material.reader)}


def weights(material: Material) -> list[Content]:
    """Return the words with the largest weights of each fit that can tell them, by class."""
    found = []
    for contender in material.contenders:
        tell = getattr(material.models.get(contender), "top_words", None)
        if tell is not None:
            top = tell(N_WORDS)
            most = top["weight"].abs().max() or 1.0
            by_class = {label: rows.to_dicts() for (label,), rows in top.group_by("class", maintain_order=True)}
            found.append({"contender": contender, "title": contender, "classes": by_class, "most": most})
    return found


def removals(material: Material) -> list[Content]:
    """Return the words whose removal moves each contender most that reads text only and tells no weights."""
    first = material.test_rows.filter(pl.col("fold") == pl.col("fold").min(), pl.col("seed") == pl.col("seed").min())
    pairs = material.table("pairs").filter(pl.col("id").is_in(first["id"].unique().implode()))
    found = []
    for contender in material.contenders:
        model = material.models.get(contender)
        if material.voice(contender).label == "text" and model is not None and not hasattr(model, "top_words"):
            moved = word_importance.removals(model, pairs, confidence=material.evaluate.confidence)
            rows = moved.filter(pl.col("value") > 0).head(N_WORDS).to_dicts()
            found.append({"contender": contender, "title": contender, "rows": rows})
    return found


def _test_rows(material: Material) -> Iterator[tuple[str, Frame]]:
    for contender in material.contenders:
        rows = material.test_rows.filter(contender=contender)
        if len(rows):
            yield contender, rows
