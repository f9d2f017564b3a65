"""The settings that fit a table, or several tables of the same columns."""

import re
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from counterpoint.data.infer.columns import (
    MAX_UNNAMED,
    Choice,
    group_column,
    id_column,
    label_columns,
    split_columns,
    text_columns,
    why_no_labels,
)
from counterpoint.data.infer.images import ImageColumn, image_column
from counterpoint.data.infer.inferred_source import InferredSource
from counterpoint.data.infer.names import LABELS, name_rank
from counterpoint.data.infer.sample import SampledTable, sampled
from counterpoint.data.sources.folder_labels import folders_of
from counterpoint.data.sources.image_column import as_names
from counterpoint.errors import SourceError
from counterpoint.formats.fold_names import fold_of
from counterpoint.formats.tables import FORMATS, open_table
from counterpoint.schema import Frame

N_TEXTS, FEW = 2000, 5
MAX_FILES = 20


def tables_in(folder: Path) -> list[Path]:
    """Return the tables in *folder*, sorted."""
    return sorted(
        file for file in folder.iterdir()
        if file.suffix.lower() in FORMATS and file.is_file() and not file.name.startswith((".", "~$", "_"))
    )  # fmt: skip


def infer_tables(files: Sequence[Path], path: Path) -> InferredSource:
    """Return the settings for *files* of the same columns, which a study reads from *path*.

    Raises
    ------
    SourceError
        When there is no column of images, or no column of texts.
    """
    table = open_table(files[0])
    sample = sampled_of_all(files)
    if sample.rows.is_empty():
        raise SourceError(f"{files[0]} has no rows.")
    pictures = image_column(table, sample, files[0].parent)
    others = sample.rows.drop(pictures.column, strict=False)
    found = InferredSource({"kind": "table", "path": path}, is_whole=sample.is_whole)
    for note in table.notes[:1]:
        found.notes["path"] = re.split(r"\. (?=Settings |The setting )", note.removeprefix(f"{table.path.name} is "))[0]
    _set_images(found, pictures)
    text = _text_of(others, found, files[0])
    found.source["text"] = text.first
    rest = others[[name for name in others.columns if name not in text.names[:1]]]
    _rest(found, rest, table.columns, _names_of(sample.rows, pictures.column))
    choose(found, "text", Choice(tuple(name for name in text.names if name != found.source.get("label"))))
    count_classes(found, sample.rows, pictures.column)
    return found


def _set_images(found: InferredSource, pictures: ImageColumn) -> None:
    if pictures.root is not None:
        found.source["root"], found.notes["root"] = pictures.root, pictures.root_note
        found.warnings.append(pictures.moved)
    if pictures.warning:
        found.warnings.append(pictures.warning)
        found.has_images = False
    choose(found, "image", Choice((pictures.column,)), pictures.others)


def _text_of(rows: Frame, found: InferredSource, file: Path) -> Choice:
    """Return the columns that may be the text.  Columns of names count only when there is no other."""
    text = text_columns(rows)
    if text.first is not None:
        return text
    text = Choice(tuple(name for name in rows.columns if _may_be_text(name, rows[name])))
    if text.first is None:
        raise SourceError(
            f"{file} has images in {found.source['image']}, but no column of texts. Found {_listed(rows, found)}."
        )
    found.warnings.append(f"{file} has no column of sentences. source.text: {text.first} is a guess.")
    return text


def _listed(rows: Frame, found: InferredSource) -> str:
    return ", ".join([found.source["image"], *rows.columns])


def sampled_of_all(files: Sequence[Path]) -> SampledTable:
    """Return one sample of several tables, or of a selection of very many."""
    some = files[:: max(1, -(-len(files) // MAX_FILES))]
    samples = [sampled(open_table(file)) for file in some]
    rows = pl.concat([sample.rows for sample in samples], how="diagonal_relaxed")
    return SampledTable(
        rows,
        sum(sample.n_read for sample in samples),
        len(some) == len(files) and all(sample.is_whole for sample in samples),
    )


def _may_be_text(name: str, values: pl.Series) -> bool:
    return values.dtype == pl.String and name_rank(name, LABELS) >= len(LABELS) and values.n_unique() > len(values) / 2


def choose(found: InferredSource, role: str, choice: Choice, note: str = "") -> None:
    """Set *role* to the first column of *choice*, with a comment.

    Parameters
    ----------
    found
        *found* are the settings to change.
    role
        *role* is the setting, such as "text".
    choice
        *choice* are the candidate columns.
    note
        *note* is the comment (default: the next candidates).
    """
    found.source[role] = choice.first
    note = note or choice.others
    if note:
        found.notes[role] = note


def _names_of(rows: Frame, image: str) -> pl.Series:
    return as_names(rows[image]) if image in rows.columns else pl.Series([], dtype=pl.String)


def _by_folder(found: InferredSource, names: pl.Series) -> None:
    """Take the folders of the images as classes, when there are several with enough images each."""
    folders = folders_of(names).drop_nulls()
    counts = dict(folders.value_counts(sort=True).iter_rows())
    is_class = 2 <= len(counts) <= MAX_UNNAMED and len(folders) == len(names) and min(counts.values()) >= FEW
    if is_class and not any(fold_of(name) for name in counts):
        found.source["label_from"], found.notes["label_from"] = "folder", f"{len(counts)} folders are the classes"
        found.is_labelled, found.classes = True, counts


def _rest(found: InferredSource, rows: Frame, columns: Sequence[str], image: pl.Series) -> None:
    """Choose label, split, group and id, and set a role to none when its column does not fit."""
    split = split_columns(rows)
    label = label_columns(rows, split.names)
    if label.first is not None:
        found.is_labelled = True
        n = rows[label.first].alias("").drop_nulls().n_unique()
        choose(found, "label", label, "; ".join(filter(None, (f"{n} values", label.others))))
    else:
        found.warnings += why_no_labels(rows)
        if "label" not in columns:
            _by_folder(found, image)
    if split.first is not None:
        choose(found, "split", split)
        found.split = ", ".join(sorted(rows[split.first].alias("").cast(pl.String).drop_nulls().unique())[:6])
    named = {"group": group_column(rows, label.names[:1]), "id": id_column(rows)}
    found.source |= {role: name for role, name in named.items() if name is not None}
    for role in ("id", "label", "split"):
        if role in columns and role not in found.source and role not in found.source.values():
            found.source[role], found.notes[role] = None, _why_not[role].format(role)
    _check_alignment(found, rows)


_why_not = {
    "id": "some rows share an id, or have none: the id is the row's number",
    "label": "column label holds no classes",
    "split": "column split holds no names of folds",
}


def _check_alignment(found: InferredSource, rows: Frame) -> None:
    """Leave out the two ids that alignment compares, when they are not ids of the same thing."""
    pair = ("text_id", "image_id")
    if set(pair) <= set(rows.columns) and (rows["text_id"].cast(pl.String) != rows["image_id"].cast(pl.String)).any():
        found.source |= dict.fromkeys(pair)
        found.notes["text_id"] = "text_id and image_id are not ids of the same thing: they differ"


def count_classes(found: InferredSource, rows: Frame, image: str) -> None:
    """Count the rows of each class, or its images where these are fewer.  Without a label, keep some texts.

    Parameters
    ----------
    found
        *found* are the settings to complete.
    rows
        *rows* are the sample.
    image
        *image* is the image column.
    """
    label = found.source.get("label")
    if "label_from" in found.source:
        return
    if label is None or label not in rows.columns:
        given = rows[found.source["text"]].alias("").drop_nulls()
        found.texts = given.sample(min(N_TEXTS, len(given)), seed=0).to_list()
        return
    of = pl.col("image").n_unique() if image in rows.columns else pl.len()
    columns = {"label": rows[label].alias("label").cast(pl.String).str.strip_chars()}  # whose own name may be a pattern
    columns |= {"image": rows[image]} if image in rows.columns else {}
    labelled = pl.DataFrame(columns).filter(pl.col("label").is_not_null() & (pl.col("label") != ""))
    counts = labelled.group_by("label").agg(of.alias("n"))
    found.classes = dict(counts.sort("n", "label", descending=[True, False]).iter_rows())
