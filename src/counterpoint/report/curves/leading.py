"""The few contenders that a figure compares: both sides of the primary contrast, and the best of each modality."""

from collections.abc import Collection, Mapping
from typing import Any

from counterpoint.report.contenders import Contenders

MOST = 4
DASHES: Mapping[str, Any] = {"both": "solid", "text": (0, (6, 2)), "image": (0, (1.5, 1.5))}
"""The lines of the first contender of each colour. Shape and colour both distinguish the modalities."""
SECOND: Any = (0, (7, 2, 1.5, 2))


def leading_contenders(
    contenders: Contenders, primary: Mapping[str, Any] | None, *, present: Collection[str]
) -> tuple[str, ...]:
    """Return at most four contenders: both sides of the primary contrast, the best of text, the best of image.

    Parameters
    ----------
    contenders
        *contenders* are in order, the best first.
    primary
        *primary* is the primary contrast, or None. Without one, the best that reads both modalities is the first.
    present
        *present* are the contenders that have predictions.

    Examples
    --------
    >>> from counterpoint.report.drawing.palette import modality_style
    >>> reads = {"fusion": ("text", "image"), "svm": ("text",), "cnn": ("image",), "lstm": ("text",)}
    >>> contenders = Contenders(tuple(reads), {name: modality_style(each) for name, each in reads.items()})
    >>> leading_contenders(contenders, {"a": "fusion", "b": "lstm"}, present=reads)
    ('fusion', 'lstm', 'svm', 'cnn')
    """
    sides: list[Any] = [(primary or {}).get(side) for side in ("a", "b")]
    labels = ("text and image", "text", "image") if primary is None else ("text", "image")
    best: list[Any] = [next(filter(present.__contains__, contenders.of_modality(label)), None) for label in labels]
    chosen = [name for name in dict.fromkeys([*sides, *best]) if name in present]
    return tuple(chosen[:MOST]) or tuple(filter(present.__contains__, contenders))[:1]


def dashes(names: Collection[str], contenders: Contenders) -> dict[str, Any]:
    """Return the line style of each contender, so that two of one colour differ."""
    seen: set[str] = set()
    found = {}
    for name in names:
        colour = contenders.style(name).colour
        found[name] = SECOND if colour in seen else DASHES.get(colour, SECOND)
        seen.add(colour)
    return found
