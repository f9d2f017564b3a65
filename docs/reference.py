"""Tables of the documentation that are read from the code, so that they stay equal to it.

`keys` lists the settings of a section, a source or a contender.  `entries` lists the names of a literal table, and
`sections` the settings of each of its entries.  A setting without an explanation is an error.  `tables.py` writes the
tables into the pages.
"""

import json
import re
from collections.abc import Iterable, Mapping
from importlib import import_module
from inspect import cleandoc, getmodule, isfunction
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from sphinx.pycode import ModuleAnalyzer

from counterpoint.contenders import settings_of
from counterpoint.lookup import find

BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
NAMES = {
    "string": "text",
    "path": "path",
    "integer": "integer",
    "number": "number",
    "boolean": "true or false",
    "null": "`null`",
}


def explanations(model: type) -> dict[str, str]:
    """Return the explanation of each setting of *model*: the string below a field, or its entry under Parameters.

    >>> from counterpoint.config import Fit
    >>> explanations(Fit)["threads"]
    'Threads of one fit.  The same number gives the same bytes.'
    """
    found: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if kind.__module__.startswith("counterpoint"):
            fields = ModuleAnalyzer.for_module(kind.__module__).find_attr_docs()
            own = {name: " ".join(lines).strip() for (owner, name), lines in fields.items() if owner == kind.__name__}
            found |= own | _parameters(kind.__doc__ or "")
    return found


def _parameters(docstring: str) -> dict[str, str]:
    _, _, section = (cleandoc(docstring) + "\n").partition("\nParameters\n----------\n")
    section = re.split(r"\n\w+\n-+\n", section)[0] + "\n"
    entries = re.findall(r"^(\w.*)\n((?: +.*\n)+)", section, re.MULTILINE)
    return {name: " ".join(text.split()) for names, text in entries for name in names.split(", ")}


def allowed(schema: Mapping[str, Any]) -> str:
    """Return the values that a JSON Schema allows, in words.

    >>> allowed({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]})
    'integer ≥ 1, or `null`'
    """
    match schema if "const" not in schema else {"enum": [schema["const"]]}:
        case {"anyOf": choices}:
            return ", or ".join(dict.fromkeys(map(allowed, choices)))
        case {"enum": values}:
            return ", ".join(f"`{value}`" for value in values)
        case {"type": "array", "items": item} | {"type": "array", "prefixItems": [item, *_]}:
            return f"list of {allowed(item)}"
        case {"type": "object", "additionalProperties": {**values}}:
            return f"names to {allowed(values)}"
        case {"type": "object"} | {"$ref": _}:
            return "keys"
    bounds = " and ".join(f"{sign} {schema[name]:g}" for name, sign in BOUNDS.items() if name in schema)
    return f"{NAMES.get(schema.get('format', schema.get('type')), 'anything')} {bounds}".strip()


def default(field: FieldInfo) -> str:
    """Return the default of a setting in the syntax of a study file."""
    if field.is_required():
        return "**needed**"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
        value = [item.name for item in value]
    return f"`{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}`"


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table.

    >>> print(table(["a", "b"], [["x", "y"]]))
    | a | b |
    |:--|:--|
    | x | y |
    """
    header = list(header)
    lines = [header, *rows]
    text = ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
    return "\n".join([text[0], "|" + ":--|" * len(header), *text[1:]])


def keys(path: str) -> str:
    """Return the settings of a section, a source or a contender as a table: key, allowed values, default, meaning.

    >>> print(keys("counterpoint.contenders.metadata:Metadata").splitlines()[0])
    | key | allowed | default | meaning |
    """
    model = find(path, {}, what="section")
    section = model if issubclass(model, BaseModel) else settings_of(model)
    properties = section.model_json_schema()["properties"]
    fields = {name: field for name, field in section.model_fields.items() if "const" not in properties[name]}
    meaning = explanations(model)
    if lacking := sorted(fields.keys() - meaning.keys()):
        raise LookupError(f"{path}: {', '.join(lacking)} has no explanation.")
    rows = [[f"`{name}`", allowed(properties[name]), default(field), meaning[name]] for name, field in fields.items()]
    return table(["key", "allowed", "default", "meaning"], rows)


def entries(path: str) -> str:
    """Return the entries of a literal table: each name, with the first line of its documentation.

    >>> print(entries("counterpoint.metrics:METRICS").splitlines()[2])
    | `accuracy` | The share of rows whose predicted class is the true one. |
    """
    module, _, name = path.partition(":")
    paths = getattr(import_module(module), name)
    about = {key: summary(find(path, {}, what="entry")) for key, path in paths.items()}
    rows = [[f"`{key}`", line.removeprefix(f"{key}: ")] for key, line in about.items()]
    return table(["name", "description"], rows)


def sections(path: str, *, without: Iterable[str] = ()) -> str:
    """Return the settings of every entry of a literal table, each under its name as a heading.

    Parameters
    ----------
    path
        *path* is ``module:TABLE``.
    without
        *without* are the entries that the page explains by itself, as ``module:Class``.

    Examples
    --------
    >>> print(sections("counterpoint.contenders:MODELS").splitlines()[0])
    ## majority
    """
    module, _, name = path.partition(":")
    paths: Mapping[str, str] = getattr(import_module(module), name)
    others = {key: entry for key, entry in paths.items() if entry not in set(without)}
    return "\n\n".join(f"## {key}\n\n{keys(entry)}" for key, entry in others.items())


def summary(entry: Any) -> str:
    """Return the first line of the docstring of a class or a metric, or for a function of its module.

    >>> from counterpoint.metrics.classification import ACCURACY
    >>> summary(ACCURACY)
    'The share of rows whose predicted class is the true one.'
    """
    source = getmodule(entry) if isfunction(entry) else entry
    line = str(source.__doc__).strip().splitlines()[0].removeprefix("Return ")
    return line[0].upper() + line[1:]
