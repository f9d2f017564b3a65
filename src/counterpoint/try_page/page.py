"""The HTML of the page: the style of the report, one script, and a policy that lets nothing else run or load."""

import base64
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from counterpoint import __version__
from counterpoint.report.drawing.palette import css_variables, light
from counterpoint.safe_text import page_line
from counterpoint.try_page.guard import MOST_PICTURE_BYTES, NOTHING_ALLOWED

MOST_CHARACTERS = 100_000
"""The longest text, in characters."""
NOUNS = {"text": "the text", "image": "the picture"}


def page_of(record: Mapping[str, Any]) -> str:
    """Return the page for the saved model with this *record*."""
    reads = [modality for modality in NOUNS if modality in record["modalities"]]
    return (
        _environment()
        .get_template("try.html.j2")
        .render(
            name=page_line(record["contender"]),
            study=page_line(record["study"].get("name") or ""),
            reads=reads,
            reads_words=" and ".join(NOUNS[modality] for modality in reads) or "neither text nor picture",
            n_classes=len(record["classes"]),
            doubt=_doubt_of(record["study"]),
            hides_words=bool(record["text"]["mask"]),
            most_characters=MOST_CHARACTERS,
            most_picture_bytes=MOST_PICTURE_BYTES,
            made_with=__version__,
            css=Markup(_css()),
            script=Markup(_script()),
        )
    )


def _doubt_of(study: Mapping[str, Any]) -> str:
    """Return the doubt of the study, which continues its answer, as a phrase of its own."""
    return page_line((study.get("answer") or {}).get("doubt") or "", most=600).removeprefix("But ")


@cache
def policy() -> str:
    """Return the content security policy of the page: its own style and script, pictures from the page itself.

    >>> "connect-src 'self'" in policy(), "unsafe" in policy()
    (True, False)
    """
    return (
        f"{NOTHING_ALLOWED}; script-src {_hash_of(_script())}; style-src {_hash_of(_css())}; img-src blob: data:; "
        "connect-src 'self'; require-trusted-types-for 'script'"
    )


def _hash_of(code: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(code.encode()).digest()).decode()}'"


@cache
def _environment() -> Environment:
    return Environment(
        loader=ChoiceLoader([PackageLoader("counterpoint.try_page"), PackageLoader("counterpoint.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _source(name: str) -> str:
    environment = _environment()
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


@cache
def _css() -> str:
    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{{css_variables(1)}}}}}"
    map_colours = f".map{{--up:{light('text')};--down:{light('image')}}}"  # a picture is as light in a dark theme
    return "\n".join([f":root{{{css_variables(0)}}}", dark, map_colours, _source("page.css"), _source("try.css")])


@cache
def _script() -> str:
    return _source("try.js")
