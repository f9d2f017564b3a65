"""A commented study file, inferred from what a folder, a table or tar shards hold."""

import json
import re
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from counterpoint.artifacts import read_json
from counterpoint.data.sources.base import existing
from counterpoint.errors import ConfigError, SourceError, did_you_mean
from counterpoint.formats.tables import BAD, FORMATS, open_table
from counterpoint.formats.tars import Sample, read_tar
from counterpoint.schema import Frame

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif")
LABEL_NAMES = ("label", "class", "category", "target", "y")
LOOKED_AT = 500
"""Rows that are looked at, from the first."""
MAX_CLASSES = 20
PRESETS = {"study-2023": Path(__file__).parents[1] / "study-2023.yaml"}
"""Published studies by name: whole study files, of which the source is the user's own."""

TEMPLATE = """\
# A study: does a model that reads text and images beat one that reads a single modality on these pairs?
#   counterpoint run {file}
# Every key that stands in a comment shows its default.

study: {study}            # also the name of the run folder

source:
{source}
{label}
# clean:
#   min_words: 0          # rows with shorter texts are dropped, and counted
#   min_side_px: 8

# align:
#   missing_text: drop    # or keep: the row stays, and models read a mask
#   missing_image: drop

# text:
#   mask: []              # words taken out of every text before any model sees it

split:
  kind: kfold             # every row is tested once; holdout is faster
  folds: 5
  balance: false          # true leaves out rows of the larger classes
  seed: 0

# contenders: [majority, keyword-rule, metadata, text-svm, text-lstm, image-cnn, lstm-cnn, late-fusion]

fit:
  seeds: [0]              # three or more show what chance does to the networks

# evaluate:
#   primary: balanced_accuracy
"""


def study_file(file: Path, source: Path | None, *, preset: str | None = None) -> str:
    """Return the text of a study file at *file* for what is found at *source*.

    Parameters
    ----------
    file
        *file* is where it will stand; its name is also the study's.
    source
        *source* is a folder, a table or tar shards; None: OpenMoji, or the example source of *preset*.
    preset
        *preset* is the name of a published study, of which everything but the source is taken.

    Raises
    ------
    ConfigError
        When there is no such preset.
    SourceError
        When there is nothing at *source* that a source of Counterpoint reads.

    Examples
    --------
    >>> print(study_file(Path("emoji.yaml"), None).splitlines()[7])
      kind: emoji
    >>> "preset: study-2023" in study_file(Path("theirs.yaml"), None, preset="study-2023")
    True
    """
    study = re.sub(r"[^A-Za-z0-9._-]+", "-", file.stem).strip("-._") or "study"
    if preset is not None:
        return _published(preset, file, study, _source_lines(file, *infer(source)) if source else None)
    settings, notes = infer(source) if source else ({"kind": "emoji"}, {})
    is_labelled = settings["kind"] == "emoji" or "label" in settings or "label" in notes
    lines = _source_lines(file, settings, notes)
    return TEMPLATE.format(file=file, study=study, source=lines, label="" if is_labelled else NO_LABEL)


def _published(preset: str, file: Path, study: str, source: str | None) -> str:
    """Return the file of a published study under another name, with *source* in place of its own."""
    if preset not in PRESETS:
        raise ConfigError(f"Unknown study preset {preset!r}.{did_you_mean(preset, PRESETS)}")
    text = PRESETS[preset].read_text(encoding="utf-8").replace("run study.yaml", f"run {file}")
    text = text.replace(f"\nstudy: {preset}\n", f"\nstudy: {study}\n")
    if source is None:
        return text
    return re.sub(r"^source:.*\n(?:  .*\n)+", lambda _: f"source:\n{source}\n", text, flags=re.MULTILINE)


def _source_lines(file: Path, settings: dict[str, Any], notes: dict[str, str]) -> str:
    if "path" in settings:
        settings = settings | {"path": str(_seen_from(file, settings["path"]))}
    return "\n".join(_line(key, value, notes.get(key)) for key, value in settings.items())


NO_LABEL = """
label:                    # no column of labels was found: words in the text decide (see docs on what that means)
  keywords:
    classes:
      first: [word, another]
      second: [other]
"""


def infer(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the source settings that fit what is at *path*, and a note for some of them."""
    path = existing(path, what="folder, table or tar")
    if path.is_file():
        return _of_file(path)
    if (path / "plan.json").is_file():
        return _of_acquisition(path)
    if list(path.glob("*.tar")):
        return _of_tars(path, sorted(path.glob("*.tar"))[0])
    tables = [file for file in sorted(path.iterdir()) if file.suffix.lower() in FORMATS]
    if any(path.glob("metadata.*")) or (path / "pos").is_dir() or (path / "images" / "pos").is_dir():
        return {"kind": "folder", "path": path}, {}
    if len(tables) == 1:
        return _of_table(tables[0])
    if any(file.suffix.lower() in IMAGE_SUFFIXES for file in islice(path.glob("*/*"), LOOKED_AT)):
        return {"kind": "folder", "path": path}, {"path": "each folder in it is a class; captions are .txt files"}
    raise SourceError(f"{path} holds no tar shards, no table, and no folders of images; name one of them with --from.")


def _of_file(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    if path.suffix.lower() == ".tar":
        return _of_tars(path, path)
    if path.suffix.lower() in FORMATS:
        return _of_table(path)
    raise SourceError(f"{path} is no table or tar that can be read; allowed: {', '.join(sorted((*FORMATS, '.tar')))}.")


def _of_acquisition(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the settings for the output of `counterpoint acquire`, with the labels that its plan gave."""
    plan = read_json(path / "plan.json")
    labels = plan.get("labels", {}) if isinstance(plan, dict) else {}
    named = ", ".join(labels)
    return {"kind": "acquired", "path": path}, {"label": named, "path": f"labelled {named}"} if labels else {}


def _of_tars(path: Path, tar: Path) -> tuple[dict[str, Any], dict[str, str]]:
    samples = [sample for sample in islice(read_tar(tar), LOOKED_AT) if isinstance(sample, Sample)]
    fields = pl.DataFrame([_fields(sample) for sample in samples], infer_schema_length=None)
    settings: dict[str, Any] = {"kind": "webdataset", "path": path}
    return _with_label(settings, fields)


def _fields(sample: Sample) -> dict[str, str]:
    """Return the plain fields of a sample's JSON, as strings."""
    try:
        values = json.loads(sample.parts.get("json", b"{}"))
    except ValueError:
        return {}
    plain = values if isinstance(values, dict) else {}
    return {name: str(value) for name, value in plain.items() if isinstance(value, str | int | float)}


def _of_table(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    table = open_table(path)
    rows = next(table.frames(table.columns), pl.DataFrame()).head(LOOKED_AT)
    rows = rows.drop(BAD, strict=False)
    strings = rows.select(pl.selectors.string())
    images = [name for name in rows.columns if _holds_images(rows[name])]
    if not images:
        raise SourceError(f"{path} has no column of image paths or bytes; found {', '.join(table.columns)}.")
    texts = sorted(
        (name for name in strings.columns if name not in images),
        key=lambda name: strings[name].str.len_chars().mean() or 0,
    )
    if not texts:
        raise SourceError(f"{path} has no column of texts beside {images[0]}; found {', '.join(table.columns)}.")
    settings = {"kind": "table", "path": path, "image": images[0], "text": texts[-1]}
    return _with_label(settings, rows.drop(images[0], texts[-1]))


def _holds_images(values: pl.Series) -> bool:
    if values.dtype in (pl.Binary, pl.Struct):
        return True
    if values.dtype != pl.String:
        return False
    is_path = values.drop_nulls().str.to_lowercase().str.contains(rf"(?:{'|'.join(map(re.escape, IMAGE_SUFFIXES))})$")
    return is_path.sum() > 0.5 * max(1, len(is_path))


def _with_label(settings: dict[str, Any], fields: Frame) -> tuple[dict[str, Any], dict[str, str]]:
    """Add the column that looks most like a label: one so named, else the one of fewest values."""
    n_values = {name: fields[name].drop_nulls().n_unique() for name in fields.columns}
    fit = [name for name, n in n_values.items() if 2 <= n <= min(MAX_CLASSES, max(2, len(fields) // 5))]
    named = [name for name in fit if name.lower() in LABEL_NAMES]
    if not fit:
        return settings, {}
    label = (named or sorted(fit, key=lambda name: n_values[name]))[0]
    others = [name for name in fit if name != label]
    note = f"{n_values[label]} values" + (f"; could also be {', '.join(others)}" if others else "")
    return settings | {"label": label}, {"label": note}


def _line(key: str, value: object, note: str | None) -> str:
    text = yaml.safe_dump({key: value}, allow_unicode=True, width=1000).strip()
    return f"  {text:<24}# {note}" if note else f"  {text}"


def _seen_from(file: Path, path: Path) -> Path:
    """Return *path* as seen from the folder of *file*, where it is not far away; else absolute."""
    home = file.absolute().parent
    return path.relative_to(home) if path.is_relative_to(home) else path
