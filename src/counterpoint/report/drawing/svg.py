"""Figures saved as files, and as SVG in the colours of the page.  Draws nothing itself."""

import io
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from counterpoint.artifacts import replacing
from counterpoint.report.drawing.figure_data import csv_of
from counterpoint.report.drawing.palette import PALETTE, light
from counterpoint.safe_text import page_line
from counterpoint.schema import Frame

TITLE_PX = 34
"""The band of the title on top of every figure. On the page a heading replaces it, and the band is cut off."""

PNG_DPI = 144

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "counterpoint",
    "text.parse_math": False,  # a class may be called "$5"
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 12,
    "figure.dpi": 72,
    "text.color": light("ink"),
    "axes.edgecolor": light("rule"),
    "axes.facecolor": "none",
    "axes.grid.axis": "x",
    "axes.axisbelow": True,
    "axes.labelcolor": light("muted"),
    "axes.labelsize": 11.5,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.spines.bottom": False,
    "grid.color": light("rule"),
    "grid.linewidth": 0.8,
    "xtick.labelcolor": light("muted"),
    "ytick.labelcolor": light("muted"),
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
}

_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_UNWANTED = (f"{_SVG}metadata", f"{_SVG}style")
_COLOURS = {colours[0]: f"var(--{name})" for name, colours in PALETTE.items()}


@contextmanager
def drawing() -> Iterator[None]:
    """Draw in the page's style, independent of matplotlibrc, without warnings about glyphs that a font lacks.

    >>> with drawing():
    ...     mpl.rcParams["svg.fonttype"]
    'none'
    """
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        # SVG keeps text as text, so a browser finds a glyph that the measuring font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support", category=UserWarning)
        yield


class Gallery:
    """The ``figures`` folder of a page. Every figure is saved there and returned as markup for the page.

    A figure whose numbers are given has them next to it as CSV.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names: list[str] = []
        self._files: set[str] = set()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the files of all figures so far, without their suffix."""
        return tuple(self._names)

    def add(self, name: str, title: str, figure: Figure, *, alt: str, data: Frame | None = None) -> Markup:
        """Save *figure* and return it as markup, without its title, which the page has in a heading.

        Parameters
        ----------
        name
            *name* is the name of the files, of which other characters than letters and digits become dashes.
        title
            *title* stands on top of the saved figure.
        figure
            *figure* is drawn under `drawing`.
        alt
            *alt* is the text for readers who cannot see the figure.
        data
            *data* are the numbers of the figure.
        """
        svg = self.save(name, title, figure, data=data)
        return inline(svg, prefix=self._names[-1], alt=alt)

    def save(self, name: str, title: str, figure: Figure, *, data: Frame | None = None) -> bytes:
        """Save *figure* as SVG and PNG with its title, and its *data* as CSV, and return the SVG.

        Parameters
        ----------
        name
            *name* is the name of the files, as in `add`.
        title
            *title* stands on top of the figure.
        figure
            *figure* is drawn under `drawing`.
        data
            *data* are the numbers of the figure.
        """
        stem = self._stem(name)
        middle = 1 - TITLE_PX / 2 / (figure.get_figheight() * 72)
        text = figure.text(
            0, middle, page_line(title, most=90), va="center_baseline", size=13, weight="bold", gid="title"
        )
        # A long title of a narrow figure is set smaller.
        text.set_fontsize(13 * min(1, figure.bbox.width / max(1, text.get_window_extent().width)))
        figure.patch.set(facecolor="white", gid="paper")
        svg = _saved(figure, FigureCanvasSVG, format="svg", metadata={"Date": None, "Creator": None})
        _write(self.folder / f"{stem}.svg", svg)
        png = _saved(figure, FigureCanvasAgg, format="png", metadata={"Software": None}, dpi=PNG_DPI)
        _write(self.folder / f"{stem}.png", png)
        self._files |= {f"{stem}.svg", f"{stem}.png"}
        if data is not None:
            self._files.add(f"{stem}.csv")
            _write(self.folder / f"{stem}.csv", csv_of(data))
        return svg

    def add_rows(
        self, name: str, title: str, draw: Callable[..., Figure], *, alt: str, data: Frame | None = None
    ) -> Markup:
        """Add a figure in two forms, for a wide and for a narrow screen.

        Parameters
        ----------
        name
            *name* is the name of the files, as in `add`.
        title
            *title* stands on top of the saved figure.
        draw
            *draw* returns the figure. With ``is_narrow=True`` it returns the form for a narrow screen.
        alt
            *alt* is the text for readers who cannot see the figure.
        data
            *data* are the numbers of the figure.
        """
        wide, narrow = self.add(name, title, draw(), alt=alt, data=data), draw(is_narrow=True)
        narrow.patch.set_gid("paper")
        svg = _saved(narrow, FigureCanvasSVG, format="svg")
        small = inline(svg, prefix=f"{self._names[-1]}-small", alt=alt)
        return Markup('<div class="on-wide">{}</div><div class="on-narrow">{}</div>').format(wide, small)

    def remove_others(self) -> None:
        """Remove the files of figures of an earlier page that this one lacks."""
        for path in self.folder.glob("*.*"):
            if path.suffix in (".svg", ".png", ".csv") and path.name not in self._files and not path.is_dir():
                path.unlink()

    def _stem(self, name: str) -> str:
        stem = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()[:60]
        stem = stem if stem not in self._names else f"{stem}-{len(self._names)}"
        self._names.append(stem)
        return stem


def inline(svg: bytes, *, prefix: str, alt: str) -> Markup:
    """Return a figure as an element of the page, in the page's colours, without title and background.

    Parameters
    ----------
    svg
        *svg* is the saved figure.
    prefix
        *prefix* makes the ids of the figure unique on the page.
    alt
        *alt* is the text for readers who cannot see the figure.
    """
    root = ET.fromstring(svg)
    _, _, width, height = (float(part) for part in root.attrib["viewBox"].split())
    _strip(root)
    for element in root.iter():
        _dress(element, prefix)
    inner = "".join(ET.tostring(element, encoding="unicode") for element in root)
    box = f"0 {TITLE_PX} {width:g} {height - TITLE_PX:g}"
    label = escape(page_line(alt, most=2000))
    return Markup(f'<svg role="img" aria-label="{label}" viewBox="{box}" style="max-width:{width:g}px">{inner}</svg>')


def _strip(element: ET.Element) -> None:
    """Remove the title, the background and empty groups, which the page does not need."""
    for child in list(element):
        _strip(child)
        is_empty = child.tag == f"{_SVG}g" and len(child) == 0
        if is_empty or child.tag in _UNWANTED or child.get("id") in ("title", "paper"):
            element.remove(child)
    if element.tag != f"{_SVG}text":
        element.text = element.tail = None


def _dress(element: ET.Element, prefix: str) -> None:
    element.tag = element.tag.removeprefix(_SVG)
    if element.tag in ("g", "text"):
        element.attrib.pop("id", None)
    if _HREF in element.attrib:
        element.attrib["href"] = f"#{prefix}-{element.attrib.pop(_HREF)[1:]}"
    for key, value in element.attrib.items():
        element.attrib[key] = _attribute(key, value, prefix)


def _attribute(key: str, value: str, prefix: str) -> str:
    if key == "id":
        return f"{prefix}-{value}"
    if key == "style":
        value = re.sub(r"#[0-9a-f]{6}", lambda found: _COLOURS.get(found[0], found[0]), value)
    if key in ("d", "transform", "x", "y"):
        return " ".join(re.sub(r"-?\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}", value).split())
    return value.replace("url(#", f"url(#{prefix}-")


def _saved(figure: Figure, canvas: type[FigureCanvasBase], **options: Any) -> bytes:
    canvas(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, **options)
    return buffer.getvalue()


def _write(path: Path, data: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(data)
