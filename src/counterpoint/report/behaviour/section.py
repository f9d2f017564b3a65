"""The sections about the contenders: learning curves, confusions, mistakes, and the words that move them."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.formats.images import ImageReader
from counterpoint.report.behaviour import error_analysis, word_importance
from counterpoint.report.behaviour.predicted_classes import PredictedClasses
from counterpoint.report.contenders import Contenders
from counterpoint.report.drawing import panels
from counterpoint.report.drawing.svg import Gallery
from counterpoint.report.drawing.thumbnails import thumbnail
from counterpoint.schema import Frame

Content = dict[str, Any]
N_MISTAKES, N_WORDS = 5, 12
EPOCH_COLUMNS = (
    "contender", "branch", "seed", "fold", "epoch", "train_loss", "valid_loss", "train_score", "valid_score", "is_kept",
)  # fmt: skip


def learning_curves_section(history: Frame, contenders: Contenders, gallery: Gallery) -> list[Content]:
    """Return the learning curves of every contender that has them, and of each of its branches.

    Parameters
    ----------
    history
        *history* has a row for each epoch of each fit.
    contenders
        *contenders* give the order.
    gallery
        *gallery* takes the figures.
    """
    return [_curves(contender, title, rows, gallery) for contender, title, rows in _learners(history, contenders)]


def _learners(history: Frame, contenders: Contenders) -> Iterator[tuple[str, str, Frame]]:
    for contender in contenders:
        of_contender = history.filter(contender=contender)
        for branch in of_contender["branch"].unique(maintain_order=True):
            title = contender if branch in (None, "joint") else f"{contender}: {branch} branch"
            yield contender, title, of_contender.filter(pl.col("branch").eq_missing(branch))


def _curves(contender: str, title: str, rows: Frame, gallery: Gallery) -> Content:
    best, kept = best_epochs(rows), rows.filter("is_kept")
    n_fits = rows.select("seed", "fold").n_unique()
    alt = f"Loss and accuracy by epoch of {title}, {n_fits} fits."
    figure = panels.draw_learning(rows, kept if len(kept) else None, best=best)
    return {
        "contender": contender,
        "title": title,
        "figure": gallery.add(f"learning-{title}", f"Learning: {title}", figure, alt=alt, data=learning_numbers(rows)),
        "n_fits": n_fits,
        "best": (best["epoch"].min(), best["epoch"].max()) if len(best) else None,
        "kept": (kept["epoch"].min(), kept["epoch"].max()) if len(kept) else None,
        "is_scaled": rows["scaled_loss"].is_not_null().any(),
    }


def learning_numbers(rows: Frame) -> Frame:
    """Return the numbers of the learning curves: loss and accuracy of each fit at each epoch."""
    return rows.select(name for name in EPOCH_COLUMNS if name in rows.columns)


def best_epochs(rows: Frame) -> Frame:
    """Return the epoch of lowest validation loss of each fit."""
    best_first = rows.drop_nulls("valid_loss").sort("valid_loss", "epoch")
    return best_first.group_by("seed", "fold", maintain_order=True).first()


def confusions_section(predicted: PredictedClasses, contenders: Contenders, gallery: Gallery) -> list[Content]:
    """Return the confusion matrix of each contender, and its recall of each class.

    Parameters
    ----------
    predicted
        *predicted* are the test rows with the predicted class.
    contenders
        *contenders* give the order and the colours.
    gallery
        *gallery* takes the figures.
    """
    found, classes = [], predicted.classes
    for contender, rows in predicted.by_contender(contenders):
        shares = error_analysis.confusion_shares(rows, classes)
        figure = panels.draw_confusion(shares, classes, colour=contenders.style(contender).colour)
        recalls = error_analysis.group_accuracy(rows, "label", confidence=predicted.confidence).to_dicts()
        title = contenders.title(contender)
        alt = f"Confusion matrix of {title}, as shares of each true class. The table below has the diagonal."
        svg = gallery.add(f"confusion-{contender}", f"Confusion: {title}", figure, alt=alt,
                          data=error_analysis.confusion_table(shares, classes))  # fmt: skip
        found.append({"contender": contender, "title": contender, "figure": svg, "recalls": recalls})
    return found


def reliabilities_section(predicted: PredictedClasses, contenders: Contenders, gallery: Gallery) -> list[Content]:
    """Return the accuracy of each contender in each tenth of its stated confidence.

    Parameters
    ----------
    predicted
        *predicted* are the test rows with the predicted class.
    contenders
        *contenders* give the order and the style.
    gallery
        *gallery* takes the figures.
    """
    bins = {
        name: error_analysis.reliability_bins(rows, confidence=predicted.confidence)
        for name, rows in predicted.by_contender(contenders)
    }
    lowest = [of_one.select(pl.min_horizontal("low", "confidence").min()).item() for of_one in bins.values()]
    return [
        _reliability(contender, contenders, of_one, min(lowest) - 0.02, gallery) for contender, of_one in bins.items()
    ]


def _reliability(contender: str, contenders: Contenders, bins: Frame, floor: float, gallery: Gallery) -> Content:
    style, title = contenders.style(contender), contenders.title(contender)
    figure = panels.draw_reliability(bins, floor=floor, colour=style.colour, marker=style.marker)
    alt = f"Accuracy at each stated confidence, {title}. On the dotted line both are equal."
    data = bins.select("confidence", pl.col("value").alias("accuracy"), "low", "high", "n")
    svg = gallery.add(f"reliability-{contender}", f"Confidence: {title}", figure, alt=alt, data=data)
    return {"contender": contender, "title": contender, "figure": svg}


def lengths_section(
    pairs: Frame, predicted: PredictedClasses, contenders: Contenders, gallery: Gallery
) -> list[Content]:
    """Return the accuracy of each contender on texts of each length, if the texts differ in length.

    Parameters
    ----------
    pairs
        *pairs* have the texts.
    predicted
        *predicted* are the test rows with the predicted class.
    contenders
        *contenders* give the order and the style.
    gallery
        *gallery* takes the figures.
    """
    tested = predicted.rows["id"].unique()
    binned = error_analysis.length_bins(pairs.filter(pl.col("id").is_in(tested.implode())))
    if binned["bin"].n_unique() < 2:
        return []
    bins = {
        name: error_analysis.accuracy_by_length(rows, binned, confidence=predicted.confidence)
        for name, rows in predicted.by_contender(contenders)
    }
    lowest = [of_one.select(pl.col("low").min()).item() for of_one in bins.values()]
    return [_length(contender, contenders, of_one, min(lowest) - 0.01, gallery) for contender, of_one in bins.items()]


def _length(contender: str, contenders: Contenders, bins: Frame, floor: float, gallery: Gallery) -> Content:
    style, title = contenders.style(contender), contenders.title(contender)
    figure = panels.draw_by_length(bins, floor=floor, colour=style.colour, marker=style.marker)
    alt = f"Accuracy by number of words, {title}: " + ", ".join(map(_in_words, bins.to_dicts()))
    data = bins.select(pl.col("bin").alias("words"), pl.col("value").alias("accuracy"), "low", "high", "n")
    svg = gallery.add(f"length-{contender}", f"Accuracy by text length: {title}", figure, alt=alt, data=data)
    return {"contender": contender, "title": contender, "figure": svg}


def _in_words(row: Content) -> str:
    low, high = numbers.share(row["low"]), numbers.share(row["high"])
    return f"{row['bin']} words {numbers.share(row['value'])} ({low} to {high})"


def mistakes_section(
    pairs: Frame, predicted: PredictedClasses, contenders: Contenders, reader: ImageReader | None
) -> list[Content]:
    """Return the most confident mistakes of each contender.

    Parameters
    ----------
    pairs
        *pairs* have the texts and images.
    predicted
        *predicted* are the test rows with the predicted class.
    contenders
        *contenders* give the order.
    reader
        *reader* reads the images. Without one, neither text nor image is returned.
    """
    shown = pairs.select("id", "text", "image").unique("id", keep="first")
    found = []
    for contender, rows in predicted.by_contender(contenders):
        wrong = error_analysis.confident_mistakes(rows, predicted.classes, most=N_MISTAKES)
        wrong = wrong.join(shown, on="id", how="left", maintain_order="left")
        if len(wrong):
            of_contender = [_mistake(row, reader) for row in wrong.to_dicts()]
            found.append({"contender": contender, "title": contender, "rows": of_contender})
    return found


def _mistake(row: Content, reader: ImageReader | None) -> Content:
    if reader is None:
        return row | {"text": None, "picture": None}
    return row | {"picture": thumbnail(row["image"], reader)}


def weights_section(models: Mapping[str, Any], contenders: Contenders) -> list[Content]:
    """Return the words with the largest weights of each fit that has them, by class."""
    found = []
    for contender in contenders:
        top_words = getattr(models.get(contender), "top_words", None)
        if top_words is not None:
            top = top_words(N_WORDS)
            most = top["weight"].abs().max() or 1.0
            by_class = {label: rows.to_dicts() for (label,), rows in top.group_by("class", maintain_order=True)}
            found.append({"contender": contender, "title": contender, "classes": by_class, "most": most})
    return found


def removals_section(
    pairs: Frame, models: Mapping[str, Any], predicted: PredictedClasses, contenders: Contenders
) -> list[Content]:
    """Return the words whose removal moves a contender most, for contenders of text that have no weights of words.

    Parameters
    ----------
    pairs
        *pairs* have the texts.
    models
        *models* are fits by contender, of the first test fold and seed.
    predicted
        *predicted* are the test rows. Texts of the first fold and seed are used.
    contenders
        *contenders* give the order and the modalities.
    """
    rows, found = predicted.rows, []
    first = rows.filter(pl.col("fold") == pl.col("fold").min(), pl.col("seed") == pl.col("seed").min())
    tested = pairs.filter(pl.col("id").is_in(first["id"].unique().implode()))
    for contender in contenders.of_modality("text"):
        model = models.get(contender)
        if model is not None and not hasattr(model, "top_words"):
            moved = word_importance.removal_effects(model, tested, confidence=predicted.confidence)
            top = moved.filter(pl.col("value") > 0).head(N_WORDS).to_dicts()
            found.append({"contender": contender, "title": contender, "rows": top})
    return found
