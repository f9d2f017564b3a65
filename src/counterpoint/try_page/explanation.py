"""A prediction with its causes: how the probability changes without each word, each patch, the text, the picture.

Each piece is left out once, and one call predicts all variants.  Pieces that matter only together are not found.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.encoders.encodings import made_apart
from counterpoint.features.decode import Pixels8
from counterpoint.metrics.decision import why_less_probable
from counterpoint.safe_text import page_line
from counterpoint.saved.model import SavedModel
from counterpoint.try_page.picture import GRID, write_copies

MOST_WORDS = 60
"""The number of words that are left out in turn: the first ones of a longer text."""
_NO_SPACES = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Japanese and Chinese characters, each of which counts as a word."""
_WORD = re.compile(rf"[{_NO_SPACES}]|[^\s{_NO_SPACES}]+")
Pair = tuple[str | None, str | None]


class Piece(NamedTuple):
    """A piece of the pair and the variant without it.

    Attributes
    ----------
    kind
        *kind* is "words", "patches" or "modalities".
    name
        *name* is the word, the place of the patch, or the modality.
    without
        *without* is the pair without the piece.
    """

    kind: str
    name: str
    without: Pair


def words_of(text: str) -> list[tuple[int, int]]:
    """Return the start and the end of each of the first `MOST_WORDS` words of *text*.

    >>> [("a 狗 runs"[start:end]) for start, end in words_of("a 狗 runs")]
    ['a', '狗', 'runs']
    """
    found = []
    for match in _WORD.finditer(text):
        found.append(match.span())
        if len(found) == MOST_WORDS:
            break
    return found


def pieces_of(pair: Pair, modalities: Iterable[str], hidden: Iterable[str] = ()) -> list[Piece]:
    """Return the pieces of *pair* that can be left out.

    Parameters
    ----------
    pair
        *pair* is the text and the path of the picture.  Either may be None.
    modalities
        *modalities* are those that the model reads.
    hidden
        *hidden* are the paths of the copies of the picture with one patch hidden.

    Examples
    --------
    >>> [piece.without for piece in pieces_of(("a dog", None), ["text"])]
    [(' dog', None), ('a ', None)]
    """
    text, image = pair
    pieces = []
    if text is not None and "text" in modalities:
        pieces += [Piece("words", text[a:b], (text[:a] + text[b:], image)) for a, b in words_of(text)]
    if text is not None and image is not None and {"text", "image"} <= set(modalities):
        pieces += [Piece("modalities", "text", (None, image)), Piece("modalities", "image", (text, None))]
    return pieces + [Piece("patches", str(place), (text, path)) for place, path in enumerate(hidden)]


def explain(saved: SavedModel, text: str | None, image: Path | None, pixels: Pixels8 | None, folder: Path) -> Any:
    """Return the prediction of one pair and the effect of each of its pieces, as a structure for JSON.

    An *effect* is the probability of the predicted class with the piece, minus the probability without it.  Effects are
    measured with a small copy of the picture, so that a large picture is decoded only once.

    Parameters
    ----------
    saved
        *saved* is the model.
    text
        *text* is the text of the pair, or None.
    image
        *image* is the file of the picture, or None.
    pixels
        *pixels* are those of its small copy, or None.
    folder
        *folder* receives the copies of the picture.
    """
    whole, *hidden = write_copies(pixels, folder) if pixels is not None and "image" in saved.modalities else [None]
    pair = (text, whole)
    pieces = pieces_of(pair, saved.modalities, [path for path in hidden if path])
    variants = list(dict.fromkeys([pair, *(piece.without for piece in pieces)]))
    rows = [(text, str(image) if image else None), *variants]
    with made_apart():  # the page runs for long
        found = saved.predict(pl.DataFrame(rows, schema={"text": pl.String, "image": pl.String}, orient="row"))
    first = found.row(0, named=True)
    chances = dict(zip(variants, found[f"p_{first['label']}"].to_list()[1:], strict=True))
    return {
        **_prediction(first, saved),
        **_by_kind((piece, chances[pair] - chances[piece.without]) for piece in pieces),
        "n_words": sum(1 for _ in _WORD.finditer(text or "")),
        "grid": GRID,
    }


def _prediction(row: Mapping[str, Any], saved: SavedModel) -> dict[str, Any]:
    """Return the predicted class, the probabilities from the highest on, and the reasons to doubt them."""
    chances = sorted(((row[f"p_{name}"], name) for name in saved.classes), key=lambda each: -each[0])
    return {
        "label": page_line(row["label"]),
        "classes": [
            {
                "name": page_line(name),
                "chance": chance,
                "shown": numbers.probability(chance),
                "is_predicted": name == row["label"],
            }
            for chance, name in chances
        ],
        "rule": why_less_probable(row["label"], {name: chance for chance, name in chances}, saved.record["metric"]),
        "flags": flags_of(row, saved.modalities),
    }


def _by_kind(effects: Iterable[tuple[Piece, float]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {"words": [], "patches": [], "modalities": []}
    for piece, effect in effects:
        found[piece.kind].append({"name": piece.name, "effect": effect, "shown": _points(effect)})
    return found


def _points(effect: float) -> str:
    """Return an effect with two decimals, and no sign where it rounds to zero.

    >>> _points(0.123), _points(-0.5), _points(-0.001)
    ('+0.12', '−0.50', '0.00')
    """
    rounded = round(effect, 2)
    return f"{rounded:+.2f}".replace("-", "−") if rounded else "0.00"


def flags_of(row: Mapping[str, Any], modalities: Iterable[str]) -> list[str]:
    """Return the reasons to doubt a prediction, one sentence each.

    Parameters
    ----------
    row
        *row* is a row of `SavedModel.predict`.
    modalities
        *modalities* are those that the model reads.

    Examples
    --------
    >>> flags_of({"is_text_missing": False, "is_text_unlike": True}, ["text"])
    ['The text is unlike those of training: do not trust this without a look.']
    """
    found = []
    for modality, noun in (("text", "text"), ("image", "picture")):
        if modality not in modalities:
            continue
        if row[f"is_{modality}_missing"]:
            found.append(f"The {noun} is missing: the model predicts without it.")
        elif row[f"is_{modality}_unlike"]:
            found.append(f"The {noun} is unlike those of training: do not trust this without a look.")
    return found
