"""A sweep's page: what the changes do first, then each with its doubt, then everything it rests on."""

from pathlib import Path
from typing import Any

from counterpoint.report import record
from counterpoint.report.rendering import write_html
from counterpoint.report.svg import Gallery, drawing
from counterpoint.report.sweep import sections
from counterpoint.report.sweep.material import GAP, Swept


def write_sweep_page(folder: Path, swept: Swept) -> Path:
    """Write ``report.html`` and ``figures/`` of a sweep into *folder*; return the page's path.

    Raises
    ------
    RunFolderError
        When *folder* cannot be written, or the disk is full.
    """
    with drawing():
        gallery = Gallery(folder / "figures")
        path = write_html(folder, "sweep.html.j2", _content(swept, gallery))
        gallery.remove_others()
    return path


def _content(swept: Swept, gallery: Gallery) -> dict[str, Any]:
    return {
        "swept": swept,
        "style_of": swept.style_of,
        "answer": sections.answer(swept),
        "differences": sections.differences(swept, gallery),
        "scores": sections.scores(swept, gallery),
        "curves": sections.curves(swept, gallery),
        "learning": sections.learning(swept, gallery),
        "table": sections.table(swept),
        "gap": GAP,
        "environment": record.plain(swept.record.get("environment") or {}),
        "terms": sections.terms(swept),
    }
