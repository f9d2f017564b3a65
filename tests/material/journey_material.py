"""Pictures and captions that a first-time user could have: shirts, mugs and lamps of a shop, each photo another."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

THINGS = {
    "shirts": ("shirt", "blouse", "tunic"),
    "mugs": ("mug", "cup", "beaker"),
    "lamps": ("lamp", "lantern", "light"),
}
COLOURS = {"red": (200, 60, 50), "blue": (50, 80, 200), "green": (60, 160, 70), "yellow": (220, 190, 60)}
WORDS = "soft warm light plain fine small large round new old bright dark handmade simple classic sturdy".split()  # noqa: SIM905


class Article(NamedTuple):
    """One article of the shop."""

    number: int
    caption: str
    kind: str
    picture: Image.Image


def articles(n: int, *, seed: int = 0) -> list[Article]:
    """Return *n* articles of three kinds; a caption names its kind three times out of four."""
    rng = np.random.default_rng(seed)
    return [_article(rng, number) for number in range(n)]


def _article(rng: np.random.Generator, number: int) -> Article:
    kind = list(THINGS)[number % 3]
    colour = str(rng.choice(list(COLOURS)))
    thing = str(rng.choice(THINGS[kind])) if rng.random() < 0.75 else "piece"
    first, second, third = rng.choice(WORDS, 3, replace=False)
    caption = f"{first} {colour} {thing}, {second} and {third}, no. {number}"
    return Article(number, caption, kind, _picture(rng, kind, COLOURS[colour]))


def _picture(rng: np.random.Generator, kind: str, colour: tuple[int, int, int]) -> Image.Image:
    room = rng.integers(120, 256, (5, 5, 3), dtype=np.uint8)  # no two photos have the same background
    picture = Image.fromarray(room).resize((48, 48), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    left, top, size = rng.integers(2, 10), rng.integers(2, 10), rng.integers(24, 34)
    box = (int(left), int(top), int(left + size), int(top + size))
    if kind == "shirts":
        draw.rectangle(box, fill=colour)
    elif kind == "mugs":
        draw.ellipse(box, fill=colour)
    else:
        draw.polygon([(box[0], box[3]), (box[2], box[3]), ((box[0] + box[2]) // 2, box[1])], fill=colour)
    return picture


def save(found: list[Article], folder: Path, *, suffix: str = "jpg") -> list[Path]:
    """Save the pictures in *folder* under their numbers; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{article.number:03d}.{suffix}" for article in found]
    for article, path in zip(found, paths, strict=True):
        article.picture.save(path, quality=92)
    return paths
