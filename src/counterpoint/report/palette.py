"""One colour-blind-safe palette in a light and a dark dress, and the mark of each voice."""

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


class Voice(NamedTuple):
    """What a contender hears, and how it is marked: by a colour, and by a shape for those who see no colour."""

    label: str
    colour: str
    marker: str
    is_hollow: bool = False


VOICES: Mapping[frozenset[str], Voice] = {
    frozenset({"text"}): Voice("text", "text", "o"),
    frozenset({"image"}): Voice("image", "image", "s"),
    frozenset({"text", "image"}): Voice("text and image", "both", "D"),
    frozenset(): Voice("neither", "muted", "o", is_hollow=True),
}
OTHER = Voice("not stated", "ink", "^")


def voice_of(modalities: Iterable[str] | None) -> Voice:
    """Return the voice of a contender that hears these modalities; None is "not stated".

    >>> voice_of(["image", "text"]).label, voice_of([]).label, voice_of(None).label
    ('text and image', 'neither', 'not stated')
    """
    return OTHER if modalities is None else VOICES.get(frozenset(modalities), OTHER)


def light(name: str) -> str:
    """Return the colour *name* on white paper.

    >>> light("text")
    '#0b63a8'
    """
    return PALETTE[name][0]


def variables(dress: int) -> str:
    """Return the palette as CSS variables; *dress* is 0 for light and 1 for dark.

    >>> variables(1).startswith("--ink:#ebe8e2;")
    True
    """
    return "".join(f"--{name}:{colours[dress]};" for name, colours in PALETTE.items())
