"""The page: one file that opens offline, states the answer first, then its doubt, then all that it rests on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from counterpoint.formats.images import ImageReader
from counterpoint.report import architecture, behaviour, outcome, record, rows
from counterpoint.report.material import Material
from counterpoint.report.rendering import write_html
from counterpoint.report.svg import Gallery, drawing
from counterpoint.schema import Frame


def write_page(
    folder: Path,
    results: Mapping[str, Any],
    tables: Mapping[str, Frame],
    *,
    models: Mapping[str, Any] | None = None,
    reader: ImageReader | None = None,
) -> Path:
    """Write ``report.html`` and ``figures/`` into *folder*; return the page's path.

    Parameters
    ----------
    folder
        *folder* is the run folder; figures of an earlier page that this one lacks are removed from it.
    results
        *results* is the content of results.json; any key but "study" may be absent.
    tables
        *tables* are by the names pairs, dropped, predictions, history, costs, scores, differences, findings; a part
        of the page whose table is absent or has no rows is left out.
    models
        *models* are fits by contender, for the words that move them: those of the first test fold and seed.
    reader
        *reader* reads the images of the pairs.

    Raises
    ------
    RunFolderError
        When *folder* cannot be written, or the disk is full.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     page = write_page(Path(folder), {"study": "photos"}, {}).read_text(encoding="utf-8")
    >>> "<title>photos" in page
    True
    """
    with reader or ImageReader() as images, drawing():
        material = Material(results, tables, models=models, reader=images)
        gallery = Gallery(folder / "figures")
        path = write_html(folder, "page.html.j2", _content(material, gallery), voice=material.voice)
        gallery.sweep()
    return path


def _content(material: Material, gallery: Gallery) -> dict[str, Any]:
    return {
        "results": material.results,
        "material": material,
        "answer": outcome.answer(material, gallery),
        "scores": outcome.scores(material, gallery),
        "differences": outcome.differences(material, gallery),
        "journey": rows.journey(material, gallery),
        "classes": rows.classes(material, gallery),
        "examples": rows.examples(material, gallery),
        "curves": behaviour.curves(material, gallery),
        "architectures": architecture.architectures(material, gallery),
        "confusions": behaviour.confusions(material, gallery),
        "reliabilities": behaviour.reliabilities(material, gallery),
        "lengths": behaviour.lengths(material, gallery),
        "mistakes": behaviour.mistakes(material),
        "weights": behaviour.weights(material),
        "removals": behaviour.removals(material),
        "findings": record.findings(material),
        "costs": record.costs(material),
        "looks": material.results.get("test_evaluations") or [],
        "reproduction": record.reproduction(material),
        "terms": record.terms(material),
    }
