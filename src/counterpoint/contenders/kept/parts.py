"""Fitted estimators of scikit-learn as bytes, by skops, with a short list of allowed types."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

PLAIN = frozenset({
    "builtins.bool", "builtins.dict", "builtins.float", "builtins.int", "builtins.list", "builtins.slice",
    "builtins.str", "builtins.tuple", "numpy.bool", "numpy.dtype", "numpy.float32", "numpy.float64", "numpy.int32",
    "numpy.int64", "numpy.ndarray", "numpy.uint64",
})  # fmt: skip
"""Types that are allowed in every file: containers and numbers."""
LOADERS = frozenset({
    "CachedNode", "DTypeNode", "DictNode", "FunctionNode", "JsonNode", "ListNode", "LossNode", "NdArrayNode",
    "ObjectNode", "PartialNode", "RandomGeneratorNode", "SliceNode", "TreeNode", "TupleNode", "TypeNode",
})  # fmt: skip
"""The allowed loaders of skops.  They do not include bound methods and operators."""
MAX_UNPACKED_BYTES = 1 << 28
"""The largest size of a file after it is unpacked."""


def names_of(types: Iterable[type | str]) -> list[str]:
    """Return the full name of each type, and each name unchanged.

    >>> names_of([dict, "sklearn.svm._classes.LinearSVC"])
    ['builtins.dict', 'sklearn.svm._classes.LinearSVC']
    """
    return [each if isinstance(each, str) else f"{each.__module__}.{each.__qualname__}" for each in types]


def dumped(parts: Mapping[str, Any], allowed: Collection[str]) -> bytes:
    """Return *parts* as a file of skops, with only the types in *allowed* and `PLAIN`.

    Raises
    ------
    ValueError
        When *parts* contain another type.

    Examples
    --------
    >>> from sklearn.svm import LinearSVC
    >>> svm = LinearSVC().fit([[0.0], [1.0]], [0, 1])
    >>> allowed = ["sklearn.svm._classes.LinearSVC"]
    >>> bool((loaded(dumped({"svm": svm}, allowed), allowed)["svm"].coef_ == svm.coef_).all())
    True
    >>> dumped({"svm": svm}, ["sklearn.svm._classes.SVC"])
    Traceback (most recent call last):
    ValueError: it holds sklearn.svm._classes.LinearSVC; allowed: sklearn.svm._classes.SVC, and plain values
    """
    from skops import io  # noqa: PLC0415 - imports all of scikit-learn, which takes seconds

    data: bytes = io.dumps(dict(parts), compression=ZIP_DEFLATED)
    _audit(data, allowed)
    return data


def loaded(data: bytes, allowed: Collection[str]) -> dict[str, Any]:
    """Return the parts in the *data* that `dumped` returned.

    skops trusts every type of scikit-learn, numpy and scipy.  Here each type must be in *allowed* or `PLAIN`.

    Raises
    ------
    ValueError
        When the file contains another type, or more than `MAX_UNPACKED_BYTES`.
    """
    from skops import io  # noqa: PLC0415 - see above

    _audit(data, allowed)
    parts: dict[str, Any] = io.loads(data, trusted=sorted({*allowed, *PLAIN}))
    return parts


def _audit(data: bytes, allowed: Collection[str]) -> None:
    with ZipFile(BytesIO(data)) as archive:
        if sum(member.file_size for member in archive.infolist()) > MAX_UNPACKED_BYTES:
            raise ValueError(f"it unpacks to more than {MAX_UNPACKED_BYTES:,} bytes")
        schema = json.loads(archive.read("schema.json"))
    if schema["protocol"] != _protocol():
        raise ValueError(f"it is of another protocol of skops, {schema['protocol']!r}")
    nodes = list(_nodes(schema))
    strange = {f"{node['__module__']}.{node['__class__']}" for node in nodes} - {*allowed, *PLAIN}
    strange |= {str(node["__loader__"]) for node in nodes} - LOADERS
    if strange:
        raise ValueError(f"it holds {', '.join(sorted(strange))}; allowed: {', '.join(allowed)}, and plain values")


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every description of an object in *schema*, without recursion: a stranger may nest it deeply."""
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if not {"__loader__", "__class__", "__module__"}.isdisjoint(value):
                yield value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


@cache
def _protocol() -> int:
    """Return the protocol that the installed skops writes."""
    from skops import io  # noqa: PLC0415 - see above

    with ZipFile(BytesIO(io.dumps(None))) as archive:
        return int(json.loads(archive.read("schema.json"))["protocol"])
