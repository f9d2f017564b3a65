"""One colour-blind-safe palette for light and dark pages, and the style of each combination of modalities."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

PALETTE: Mapping[str, tuple[str, str]] = {
    "ink": ("#1c2127", "#ebe8e2"),
    "muted": ("#59626e", "#a7afba"),
    "rule": ("#dddbd5", "#3b4149"),
    "panel": ("#f5f3ee", "#20252b"),
    "paper": ("#fdfcfa", "#15191d"),
    "text": ("#0b63a8", "#74b9f7"),
    "image": ("#b34700", "#ff9f66"),
    "both": ("#00755a", "#50d0a8"),
    "warn": ("#8a5a00", "#f0c15a"),
    "fail": ("#b3261e", "#ff8a80"),
}
"""Each colour as (light, dark).  Hues follow Okabe and Ito, darkened until they can carry text on paper."""


class ModalityStyle(NamedTuple):
    """How the page marks a contender by the modalities that it reads.

    Both colour and shape distinguish the modalities, so that readers who see no colour can follow.
    """

    label: str
    """The modalities in words, such as "text and image"."""
    colour: str
    """A name of `PALETTE`."""
    marker: str
    """A marker of matplotlib."""
    is_hollow: bool = False


STYLES: Mapping[frozenset[str], ModalityStyle] = {
    frozenset({"text"}): ModalityStyle("text", "text", "o"),
    frozenset({"image"}): ModalityStyle("image", "image", "s"),
    frozenset({"text", "image"}): ModalityStyle("text and image", "both", "D"),
    frozenset(): ModalityStyle("neither", "muted", "o", is_hollow=True),
}
NOT_STATED = ModalityStyle("not stated", "ink", "^")


def modality_style(modalities: Iterable[str] | None) -> ModalityStyle:
    """Return the style of a contender that reads *modalities*. None is "not stated".

    >>> modality_style(["image", "text"]).label, modality_style([]).label, modality_style(None).label
    ('text and image', 'neither', 'not stated')
    """
    return NOT_STATED if modalities is None else STYLES.get(frozenset(modalities), NOT_STATED)


def light(name: str) -> str:
    """Return the colour *name* on white paper.

    >>> light("text")
    '#0b63a8'
    """
    return PALETTE[name][0]


def css_variables(theme: int) -> str:
    """Return the palette as CSS variables. *theme* is 0 for light and 1 for dark.

    >>> css_variables(1).startswith("--ink:#ebe8e2;")
    True
    """
    return "".join(f"--{name}:{colours[theme]};" for name, colours in PALETTE.items())
