"""The sections about the data: the rows that were dropped, the classes in each fold, example pairs."""

from functools import partial
from typing import Any

import numpy as np
import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.formats.images import ImageReader
from counterpoint.report.drawing import panels
from counterpoint.report.drawing.panels import Plate
from counterpoint.report.drawing.rowplots import Bar, bar_table, draw_bars
from counterpoint.report.drawing.svg import Gallery
from counterpoint.report.drawing.thumbnails import small, thumbnail
from counterpoint.report.pairs.row_account import STAGES, rows_in_words
from counterpoint.schema import NOTE, PARTS, Frame
from counterpoint.seeds import child_seed

Content = dict[str, Any]
NOTED = ("source", "split")
"""The subjects of findings that also stand with the data: the source, and the split that it gives."""
MOST_REASONS, MOST_CLASSES, N_EXAMPLES, MOST_PLATES, N_LEAST = 16, 12, 4, 4, 8


def rows_section(n_in: int, pairs: Frame, dropped: Frame, gallery: Gallery) -> Content | None:
    """Return how many rows of the source were dropped, by stage and reason, and how many became pairs.

    Parameters
    ----------
    n_in
        *n_in* is the number of rows that the source has.
    pairs
        *pairs* are the rows that remained.
    dropped
        *dropped* are the other rows, each with its stage and reason.
    gallery
        *gallery* takes the figure.

    Returns
    -------
    dict or None
        Counts, rows by stage and reason, and the figure. None where no row was read.
    """
    if not n_in:
        return None
    bars = row_bars(n_in, pairs, dropped)
    draw = partial(draw_bars, bars, x_label="rows")
    n_read, n_dropped, n_pairs = map(numbers.count, (n_in, len(dropped), len(pairs)))
    alt = f"Of {n_read} rows, {n_dropped} were dropped and {n_pairs} became pairs."
    return {
        "n_in": n_in,
        "n_pairs": len(pairs),
        "n_dropped": len(dropped),
        "is_whole": n_in == len(pairs) + len(dropped),
        "in_words": rows_in_words(n_in, pairs, dropped),
        "dropped": _counted(dropped).to_dicts(),
        "figure": gallery.add_rows("rows", "From rows to pairs", draw, alt=alt, data=bar_table(bars)),
    }


def source_notes(findings: Frame) -> list[str]:
    """Return the explanations of the findings on how the source was read and on its own split."""
    return findings.filter(pl.col("code") == NOTE, pl.col("subject").is_in(NOTED))["explanation"].to_list()


def row_bars(n_in: int, pairs: Frame, dropped: Frame) -> list[Bar]:
    """Return a bar for all rows, for each reason of dropped rows, for the pairs, and for each fold.

    Parameters
    ----------
    n_in
        *n_in* is the number of rows that the source has.
    pairs
        *pairs* are the rows that remained.
    dropped
        *dropped* are the other rows.
    """
    found, remaining = [Bar("rows read", 0, n_in, numbers.count(n_in), is_bold=True)], n_in
    for reason in _shortened(_counted(dropped)).iter_rows(named=True):
        label = f"{reason['stage']}: {reason['reason']}" if reason["stage"] else reason["reason"]
        found.append(Bar(label, remaining - reason["n"], remaining, f"−{numbers.count(reason['n'])}", hatch="////"))
        remaining -= reason["n"]
    found.append(Bar("pairs", 0, len(pairs), numbers.count(len(pairs)), is_bold=True))
    folds = _folds(pairs).with_columns(end=pl.col("n").cum_sum())
    return found + [
        Bar(fold if fold in PARTS else f"fold {fold}", end - n, end, numbers.count(n))
        for fold, n, end in folds.iter_rows()
    ]


def _counted(dropped: Frame) -> Frame:
    """Return the number of rows that were dropped at each stage for each reason, in the order of the stages."""
    place = pl.col("stage").replace_strict({stage: i for i, stage in enumerate(STAGES)}, default=len(STAGES))
    counted = dropped.group_by("stage", "reason").agg(n=pl.len(), place=place.first())
    return counted.sort("place", "stage", "n", "reason", descending=[False, False, True, False]).drop("place")


def _shortened(counted: Frame) -> Frame:
    if len(counted) <= MOST_REASONS:
        return counted
    kept = counted.with_row_index("place").top_k(MOST_REASONS - 1, by="n").sort("place").drop("place")
    others = counted.join(kept, on=["stage", "reason"], how="anti", nulls_equal=True)
    rest = {"stage": [""], "reason": [f"{len(others)} other reasons"], "n": [others["n"].sum()]}
    return pl.concat([kept, pl.DataFrame(rest, schema=kept.schema)])


def _folds(pairs: Frame) -> Frame:
    counted = pairs.group_by("fold").len("n")
    place = pl.col("fold").replace_strict({fold: i for i, fold in enumerate(PARTS)}, default=len(PARTS))
    return counted.sort(place, pl.col("fold").cast(pl.Int64, strict=False), "fold")


def classes_section(pairs: Frame, gallery: Gallery) -> Content | None:
    """Return the number of pairs of each class, in all and in each fold."""
    pairs = pairs.drop_nulls("label")
    if pairs.is_empty():
        return None
    folds = _folds(pairs)["fold"].to_list()
    counts = pairs.group_by("label", "fold").len("n")
    wide = counts.pivot("fold", index="label", values="n").fill_null(0)
    wide = wide.with_columns(pl.sum_horizontal(folds).alias(" all")).sort(" all", "label", descending=[True, False])
    totals = {fold: int(wide[fold].sum()) for fold in [" all", *folds]}
    rows = [Bar(r["label"], 0, r[" all"], _share(r[" all"], totals[" all"])) for r in wide.iter_rows(named=True)]
    cuts = [np.cumsum([r[fold] for fold in folds])[:-1].tolist() for r in wide.iter_rows(named=True)]
    n = min(len(rows), MOST_CLASSES)
    return {
        "folds": folds,
        "table": [
            {"label": r["label"], "n": r[" all"], "cells": [(r[fold], r[fold] / totals[fold]) for fold in folds]}
            for r in wide.iter_rows(named=True)
        ],
        "n_drawn": n,
        "figure": gallery.add_rows(
            "classes", "Pairs of each class", partial(draw_bars, rows[:n], x_label="pairs", cuts=cuts[:n]),
            alt="Pairs of each class: " + "; ".join(f"{row.label} {row.note}" for row in rows[:n]) + ".",
            data=wide.select("label", pl.col(" all").alias("pairs"), pl.col(folds).name.prefix("fold ")),
        ),
    }  # fmt: skip


def _share(n: int, total: int) -> str:
    return f"{numbers.count(n)} ({numbers.share(n / total)})"


def examples_section(pairs: Frame, reader: ImageReader, gallery: Gallery) -> dict[str, list[Content]] | None:
    """Return a seeded sample of the pairs of each of the twelve largest classes.

    The first pair of each class is also saved as a figure.

    Parameters
    ----------
    pairs
        *pairs* are all pairs of the study.
    reader
        *reader* reads their images.
    gallery
        *gallery* takes the figure.

    Returns
    -------
    dict or None
        The pairs by class, each with id, text and picture. None without pairs.
    """
    pairs = pairs.drop_nulls("label")
    if pairs.is_empty():
        return None
    sizes = pairs.group_by("label").len("n").sort("n", "label", descending=[True, False])
    drawn = {label: _drawn(pairs.filter(label=label)) for label in sorted(sizes["label"].head(MOST_CLASSES))}
    first = [rows.row(0, named=True) for rows in drawn.values()][:MOST_PLATES]
    plates = [Plate(row["label"], row["text"], small(row["image"], reader)) for row in first]
    data = pl.DataFrame([(row["label"], row["id"], row["text"]) for row in first],
                        schema={"label": pl.String, "id": pl.String, "text": pl.String}, orient="row")  # fmt: skip
    gallery.save("examples", "A pair of each class", panels.draw_examples(plates), data=data)
    return {label: _shown(rows, reader) for label, rows in drawn.items()}


def least_agreeing_section(pairs: Frame, agreement: Frame, reader: ImageReader) -> list[Content]:
    """Return the first pairs of the queue, whose text and image agree least, each with its standing.

    Parameters
    ----------
    pairs
        *pairs* are all pairs of the study.
    agreement
        *agreement* is schema.AGREEMENT.
    reader
        *reader* reads the images.
    """
    first = agreement.sort("standing", "agreement").head(N_LEAST).join(pairs, on="id", maintain_order="left")
    return [
        shown | {"standing": standing} for shown, standing in zip(_shown(first, reader), first["standing"], strict=True)
    ]


def _drawn(pairs: Frame) -> Frame:
    rng = np.random.default_rng(child_seed(0, "examples"))
    return pairs[np.sort(rng.permutation(len(pairs))[:N_EXAMPLES])]


def _shown(pairs: Frame, reader: ImageReader) -> list[Content]:
    return [
        {"id": row["id"], "text": row["text"], "picture": thumbnail(row["image"], reader)}
        for row in pairs.iter_rows(named=True)
    ]
