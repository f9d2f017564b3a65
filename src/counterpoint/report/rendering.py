"""A page from its template: the filters and names that templates share, one style, one script."""

import base64
from collections.abc import Mapping, Sequence
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
from counterpoint.runs.places import PAGE
from counterpoint.safe_text import page_line

FILTERS = (
    numbers.score, numbers.signed, numbers.share, numbers.interval,
    numbers.p_value, numbers.count, numbers.duration, page_line, cell,
)  # fmt: skip

STYLE_SHEETS, SCRIPTS = ("page.css", "first_screen.css", "findings.css"), ("page.js",)
"""The files in ``templates`` that every page contains."""
OF_TEMPLATE: Mapping[str, tuple[str, ...]] = {
    "page.html.j2": ("disagreements.css", "map.css", "checklist.css", "disagreements.js", "map.js"),
}
"""Further ones of a template."""
PRINT = "print.css"
"""The style sheet that overrides all others."""


def write_html(folder: Path, template: str, content: Mapping[str, Any], *, name: str = PAGE) -> Path:
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
    page = _environment(OF_TEMPLATE.get(template, ())).get_template(template).render(content)
    path = folder / name
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def _environment(own: Sequence[str]) -> Environment:
    """Return the environment of pages that contain the *own* files of a template too."""
    environment = Environment(
        loader=PackageLoader("counterpoint.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {function.__name__: function for function in FILTERS}
    sheets, scripts = ([name for name in own if name.endswith(suffix)] for suffix in (".css", ".js"))
    files = ((*STYLE_SHEETS, *sheets, PRINT), (*SCRIPTS, *scripts))
    css, script = ("\n".join(_source(environment, name) for name in names) for names in files)
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
