"""The page: one file that opens offline, states the answer first, then its doubt, then all that it rests on."""

import base64
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from counterpoint import __version__
from counterpoint.artifacts import replacing
from counterpoint.formats.images import ImageReader
from counterpoint.report import architecture, behaviour, glossary, numbers, outcome, record, rows
from counterpoint.report.material import Material
from counterpoint.report.palette import VOICES, variables
from counterpoint.report.svg import Gallery, drawing
from counterpoint.schema import Frame

FILTERS = (
    numbers.score, numbers.signed, numbers.interval, numbers.p_value, numbers.count, numbers.percent,
    numbers.duration, numbers.shown,
)  # fmt: skip


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
        page = _environment(material).get_template("page.html.j2").render(_content(material, gallery))
        gallery.sweep()
    path = folder / "report.html"
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
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
        "looks": material.results.get("test_looks") or [],
        "reproduction": record.reproduction(material),
        "terms": record.terms(material),
    }


def _environment(material: Material) -> Environment:
    environment = Environment(
        loader=PackageLoader("counterpoint.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {function.__name__: function for function in FILTERS}
    style, script = (_source(environment, name) for name in ("page.css", "page.js"))
    environment.globals |= {
        "metric": glossary.metric,
        "voice": material.voice,
        "voices": list(VOICES.values()),
        "severities": record.SEVERITIES,
        "made_with": __version__,
        "style": Markup(f":root{{{variables(0)}}}\n@media screen and (prefers-color-scheme:dark)"
                        f"{{:root{{{variables(1)}}}}}\n{style}"),
        "script": Markup(script),
        # Only this script may run, whatever a caption manages to say, and nothing may be fetched.
        "policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
                  f"script-src 'sha256-{base64.b64encode(sha256(script.encode()).digest()).decode()}'",
    }  # fmt: skip
    return environment


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]
