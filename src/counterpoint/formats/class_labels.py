"""Names of classes that Hugging Face stores in the metadata of a Parquet table.  The column has their numbers."""

import json
from collections.abc import Mapping
from typing import Any

import polars as pl
import polars.selectors as cs
import pyarrow as pa

from counterpoint.schema import Frame

KEY = b"huggingface"
Features = Mapping[str, Any]


def features_of(schema: pa.Schema) -> Features:
    """Return the Hugging Face feature of each column of a *schema*, or none where the metadata have none.

    >>> info = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
    >>> features_of(pa.schema([("label", pa.int64())], metadata={"huggingface": json.dumps(info)}))
    {'label': {'names': ['cat', 'dog'], '_type': 'ClassLabel'}}
    """
    try:
        features = json.loads((schema.metadata or {}).get(KEY, b"{}"))["info"]["features"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return {}
    return features if isinstance(features, dict) else {}


def with_names(frame: Frame, features: Features) -> Frame:
    """Return *frame* with the names of classes in place of their numbers, inside lists and structs too.

    The number -1, and every other number without a name, is missing.

    Examples
    --------
    >>> features = {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
    >>> with_names(pl.DataFrame({"label": [1, -1, 0]}), features)["label"].to_list()
    ['dog', None, 'cat']
    """
    found = {name: _named(cs.by_name(name), frame[name].dtype, features.get(name)) for name in frame.columns}
    return frame.with_columns(**{name: named for name, named in found.items() if named is not None})


def _named(values: pl.Expr, kind: pl.DataType, feature: Any) -> pl.Expr | None:
    """Return *values* with names of classes, or None when *feature* names no class for values of this *kind*."""
    names = _names(feature)
    if names and kind.is_integer():
        return values.replace_strict(dict(enumerate(names)), default=None, return_dtype=pl.String)
    if isinstance(kind, pl.List | pl.Array) and isinstance(feature, Mapping | list):
        inner = feature[0] if isinstance(feature, list) and feature else feature
        inner = inner.get("feature") if isinstance(inner, Mapping) and "feature" in inner else inner
        named = _named(pl.element(), _kind(pl.Field("", kind.inner)), inner)
        listed = values if isinstance(kind, pl.List) else values.arr.to_list()
        return None if named is None else listed.list.eval(named)
    if isinstance(kind, pl.Struct) and isinstance(feature, Mapping):
        parts = {part.name: _named(pl.field(part.name), _kind(part), feature.get(part.name)) for part in kind.fields}
        changed = [named.alias(name) for name, named in parts.items() if named is not None]
        return values.struct.with_fields(*changed) if changed else None
    return None


def _kind(field: pl.Field) -> pl.DataType:
    return field.dtype if isinstance(field.dtype, pl.DataType) else field.dtype()


def _names(feature: Any) -> list[str]:
    """Return the names of a ClassLabel, or an empty list for any other feature."""
    if not isinstance(feature, Mapping) or feature.get("_type") != "ClassLabel":
        return []
    names = feature.get("names")
    is_named = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return list(names) if is_named and names else []
