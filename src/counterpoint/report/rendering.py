"""A page from its template: the filters and names that templates share, one style, one script."""

import base64
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from counterpoint import __version__
from counterpoint import number_formats as numbers
from counterpoint.artifacts import replacing
from counterpoint.metrics import find_metric
from counterpoint.report.cells import cell
from counterpoint.report.drawing.palette import STYLES, css_variables
from counterpoint.report.findings import section as findings
from counterpoint.safe_text import page_line

FILTERS = (
    numbers.score, numbers.signed, numbers.share, numbers.interval,
    numbers.p_value, numbers.count, numbers.duration, page_line, cell,
)  # fmt: skip

STYLE_SHEETS = (
    "page.css", "first_screen.css", "disagreements.css", "map.css", "findings.css", "checklist.css", "print.css",
)  # fmt: skip
SCRIPTS = ("page.js", "disagreements.js", "map.js")
"""The files in ``templates`` that every page contains, in this order."""


def write_html(folder: Path, template: str, content: Mapping[str, Any], *, name: str = "report.html") -> Path:
    """Write a page into *folder* and return its path.

    Parameters
    ----------
    folder
        *folder* is the run folder.
    template
        *template* is the name of a file in ``templates``.
    content
        *content* has every name that the template reads, among them style_of, which returns a contender's style.
    name
        *name* is the name of the page.

    Raises
    ------
    RunFolderError
        When *folder* cannot be written, or the disk is full.
    """
    page = _environment().get_template(template).render(content)
    path = folder / name
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("counterpoint.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {function.__name__: function for function in FILTERS}
    css, script = ("\n".join(_source(environment, name) for name in names) for names in (STYLE_SHEETS, SCRIPTS))
    environment.globals |= {
        "metric": find_metric,
        "modality_styles": list(STYLES.values()),
        "severities": findings.SEVERITIES,
        "made_with": __version__,
        "css": Markup(f":root{{{css_variables(0)}}}\n@media screen and (prefers-color-scheme:dark)"
                        f"{{:root{{{css_variables(1)}}}}}\n{css}"),
        "script": Markup(script),
        # Only this script may run, whatever a caption contains, and nothing may be fetched.
        "policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
                  f"script-src 'sha256-{base64.b64encode(sha256(script.encode()).digest()).decode()}'",
    }  # fmt: skip
    return environment


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]
