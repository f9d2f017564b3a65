"""A study file as text: the inferred settings, with comments on the choices and their alternatives."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from counterpoint.data.given_split import FEWEST_FOLDS
from counterpoint.data.infer.example_keywords import two_words
from counterpoint.data.infer.inferred_source import InferredSource
from counterpoint.data.look_alikes import look_alike_findings, yaml_string
from counterpoint.errors import ConfigError, did_you_mean
from counterpoint.safe_text import terminal_text

PRESETS = {"study-2023": Path(__file__).parents[2] / "study-2023.yaml"}
"""Published studies by name: whole study files, whose source the user replaces."""
FOLDS = 5
SHOWN_CLASSES = 8

TEMPLATE = """\
# A study: does a model that reads text and images beat one that reads a single modality on these pairs?
#   counterpoint run {file}
# Every key that stands in a comment shows its default.
{warnings}
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
{split}
  balance: false          # true leaves out rows of the larger classes
  seed: 0

# contenders: [majority, keyword-rule, metadata, text-svm, text-lstm, image-cnn, lstm-cnn, late-fusion]
# Often better, with models that were trained on other data (pip install 'counterpoint[encoders]'):
# contenders: [majority, keyword-rule, text-ngrams, text-probe, image-probe, pair-probe, probe-average, ensemble]

fit:
  seeds: [0]              # three or more show the effect of chance on the networks

# evaluate:
#   primary: balanced_accuracy
"""


def study_text(file: Path, found: InferredSource) -> str:
    """Return the text of a study file at *file* with the settings of *found*."""
    warnings = "".join(f"#\n# NOTE: {in_comment(line)}\n" for line in [*found.warnings, *_too_few(found)])
    label = _labels(found) if found.is_labelled else _keywords(found)
    return TEMPLATE.format(
        file=file, study=study_name(file), warnings=warnings, source=source_lines(file, found), label=label,
        split=_split(found),
    )  # fmt: skip


def published_study(preset: str, file: Path, source: str | None) -> str:
    """Return the file of a published study under another name, with *source* in place of its own.

    Parameters
    ----------
    preset
        *preset* is the name of the published study.
    file
        *file* is the path that the study file will be written to.
    source
        *source* are the lines of the section ``source``, or None to keep the example source of the study.

    Raises
    ------
    ConfigError
        When the study is unknown.
    """
    if preset not in PRESETS:
        raise ConfigError(f"Unknown study preset {preset!r}.{did_you_mean(preset, PRESETS)}")
    text = PRESETS[preset].read_text(encoding="utf-8").replace("run study.yaml", f"run {file}")
    text = text.replace(f"\nstudy: {preset}\n", f"\nstudy: {study_name(file)}\n")
    if source is None:
        return text
    return re.sub(r"^source:.*\n(?:  .*\n)+", lambda _: f"source:\n{source}\n", text, flags=re.MULTILINE)


def study_name(file: Path) -> str:
    """Return the name of the study in *file*.

    >>> study_name(Path("my first.yaml"))
    'my-first'
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", file.stem).strip("-._") or "study"


def source_lines(file: Path, found: InferredSource) -> str:
    """Return the lines of the section ``source``, with paths relative to the folder of *file*."""
    settings = {key: seen_from(file, value) for key, value in found.source.items()}
    return "\n".join(setting_line(key, value, found.notes.get(key)) for key, value in settings.items())


def setting_line(key: str, value: object, note: str | None, indent: str = "  ") -> str:
    """Return *key* and *value* as lines of YAML, with a comment.

    Parameters
    ----------
    key, value
        *key* is the name of the setting, *value* its value, also a list or a mapping.
    note
        *note* is the comment, if any.
    indent
        *indent* is the white space before the key.

    Examples
    --------
    >>> setting_line("text", "caption", "could also be title")
    '  text: caption           # could also be title'
    """
    if isinstance(value, Mapping):
        inner = "\n".join(setting_line(name, each, None, indent + "  ") for name, each in value.items())
        return f"{commented(f'{indent}{key}:', note)}\n{inner}"
    text = f"{key}: {_yaml(value, in_line=True)}" if isinstance(value, list) else _yaml({key: value})
    return commented(f"{indent}{text}", note)


def _yaml(value: object, *, in_line: bool = False) -> str:
    r"""Return *value* as YAML.  The line end U+0085 is written as ``\N``, because YAML reads it as a space."""
    made = str(yaml.safe_dump(value, allow_unicode=True, width=1000, default_flow_style=in_line))
    if "\x85" in made:
        made = str(yaml.safe_dump(value, width=1000, default_flow_style=in_line))
    return made.strip()


def commented(text: str, note: str | None) -> str:
    """Return a line with a comment, aligned with the comments of other lines."""
    return f"{text:<25} # {in_comment(note)}" if note else text


def in_comment(text: str) -> str:
    r"""Return *text* as one line for a comment: without breaks, and with escapes for characters that cannot be printed.

    >>> print(in_comment("a\nb: \x1b[31mred"))
    a b: \x1b[31mred
    """
    return terminal_text(" ".join(text.split()))


def seen_from(file: Path, value: Any) -> Any:
    """Return a path relative to the folder of *file* when it is below that folder, else the absolute path."""
    if isinstance(value, Mapping):
        return {key: seen_from(file, each) for key, each in value.items()}
    if not isinstance(value, Path):
        return value
    home = file.absolute().parent
    return str(value.relative_to(home)) if value.is_relative_to(home) else str(value)


def _split(found: InferredSource) -> str:
    """Return the lines of the section ``split``: the source's own, or folds that each have rows of every class."""
    if found.split is not None:
        return (
            f"{commented('  kind: given', f'the source has {found.split}')}\n"
            f"{commented('# kind: kfold', 'would draw folds of its own, and test every row once')}"
        )
    sizes = _kept_sizes(found)
    folds = min(FOLDS, max(FEWEST_FOLDS, min(sizes, default=FOLDS))) if found.is_whole else FOLDS
    few = "" if folds == FOLDS else f", and the smallest class has {min(sizes)} rows"
    return f"{commented('  kind: kfold', 'every row is tested once, holdout is faster')}\n" + commented(
        f"  folds: {folds}", f"each has rows of every class{few}"
    )


def _too_few(found: InferredSource) -> list[str]:
    """Return a line when a class has fewer rows than folds, and cannot be left out."""
    sizes = {name: n for name, n in found.classes.items() if name not in rare(found)}
    name = min(sizes, key=lambda each: sizes[each], default="")
    if not found.is_whole or found.split is not None or sizes.get(name, FOLDS) >= FEWEST_FOLDS:
        return []
    return [
        f"class {yaml_string(name)} has {sizes[name]} rows: "
        f"{FEWEST_FOLDS} or more of each are needed to train and test."
    ]


def _kept_sizes(found: InferredSource) -> list[int]:
    return [n for name, n in found.classes.items() if name not in rare(found)]


def rare(found: InferredSource) -> dict[str, int]:
    """Return the classes with fewer rows than a k-fold has folds, when two classes or more have enough.

    >>> rare(InferredSource({}, classes={"cat": 9, "dog": 9, "emu": 2}, is_whole=True))
    {'emu': 2}
    """
    few = {name: n for name, n in found.classes.items() if n < FOLDS and found.split is None}
    is_enough = len(found.classes) - len(few) >= 2 and 2 * sum(few.values()) < sum(found.classes.values())
    return few if is_enough and found.is_whole else {}


def _labels(found: InferredSource) -> str:
    """Return the section ``label``, which is only written for classes that are too small or look alike."""
    few = rare(found)
    alike = look_alike_findings(
        pl.Series([name for name, n in found.classes.items() for _ in range(n)], dtype=pl.String)
    )
    comment = "".join(f"\n# {in_comment(each['explanation'])}" for each in alike)
    if not few:
        return comment and f"{comment}\n"
    names = ", ".join(f"{yaml_string(name)} ({n})" for name, n in list(few.items())[:SHOWN_CLASSES])
    more = f" and {len(few) - SHOWN_CLASSES} more" if len(few) > SHOWN_CLASSES else ""
    kept = "\n".join(f"    {yaml_string(name)}: {yaml_string(name)}" for name in found.classes if name not in few)
    note = f"  # Left out, because each fold needs a row of each class: {names}{more}."
    return f"{comment}\nlabel:\n{note}\n  mapping:\n{kept}\n"


def _keywords(found: InferredSource) -> str:
    """Return the section ``label`` for a source without labels: keywords in the text decide."""
    pair = two_words(found.texts)
    example = "These two frequent words are an example: replace them with your own."
    first, second = pair or ("word", "other")
    return f"""
label:                    # no column of labels was found: words in the text decide (see label.keywords in the docs)
  keywords:               # {example if pair else "Put your own words here: no two words divide these texts."}
    classes:
      first: [{yaml_string(first)}]
      second: [{yaml_string(second)}]
"""
