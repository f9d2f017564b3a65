"""YAML from strangers as plain values: bounded in size and depth, with each key once and as written.

A few bytes of YAML can stand for gigabytes (aliases of aliases), nest until the stack ends, or name Python objects.
So a stream of events is checked first, before any value is made.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

MOST_BYTES = 2 << 20
MOST_VALUES = 200_000
"""The largest number of values and keys.  An alias counts as many as it stands for."""
MOST_DEPTH = 40

_TEXT = "tag:yaml.org,2002:str"
_SCALARS = {f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null")}
_KINDS = {*_SCALARS, _TEXT, "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map", None}
# A scalar that does not fit its tag, such as `!!int ""` or a number of 5,000 digits, may raise any of these.
_MISFITS = (ValueError, LookupError, AttributeError, TypeError, OverflowError, RecursionError)
_TAG_DIRECTIVE = re.compile(r"^%TAG", re.MULTILINE)

# The loader of libyaml takes a tenth of the time, if PyYAML was built with it.
_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Safe):  # type: ignore[misc]
    """Reads the types of JSON: a date is text, and neither bytes nor sets are read."""

    yaml_constructors = {kind: make for kind, make in _Safe.yaml_constructors.items() if kind in _KINDS}  # noqa: RUF012
    yaml_implicit_resolvers = {  # noqa: RUF012 - names of PyYAML's
        first: [resolver for resolver in resolvers if not resolver[0].endswith(":timestamp")]
        for first, resolvers in _Safe.yaml_implicit_resolvers.items()
    }


class NotPlainError(Exception):
    """Text that is not YAML, or is larger than a settings file may be.  The message is one line with the place."""


def read_yaml(text: str) -> Any:
    r"""Return the value that the YAML *text* describes.

    Raises
    ------
    NotPlainError
        When it is not YAML, has a key twice, or is too large or too deep.

    Examples
    --------
    >>> read_yaml("mapping: {1: cat, no: dog}")
    {'mapping': {'1': 'cat', 'no': 'dog'}}
    >>> read_yaml("a: 1\nb: 2\na: 3")
    Traceback (most recent call last):
    counterpoint.config.yaml_text.NotPlainError: line 3: the key 'a' stands there twice, first in line 1
    """
    if _TAG_DIRECTIVE.search(text):
        raise NotPlainError("settings have no %TAG directive")
    loader = None
    try:
        _check_size(text)
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        for mapping in _mappings(node):
            _check_keys(mapping)
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        raise NotPlainError(_where(error)) from error
    except _MISFITS as error:
        raise NotPlainError(f"a value that cannot be read: {' '.join(str(error).split())[:200]}") from error
    finally:
        if loader is not None:
            loader.dispose()


def _check_size(text: str) -> None:
    """Raise unless *text* is within the bounds.  An alias is as large as the value that it stands for."""
    sizes: dict[str, int] = {}
    under_way: list[tuple[str | None, int]] = [(None, 0)]  # the anchor of each open collection, and its size so far
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            under_way.append((event.anchor, 0))
            _check_bound(len(under_way) - 1, MOST_DEPTH, "levels deep", event)
            continue
        anchor, size = None, 0
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, size = under_way.pop()
            size += 1
        elif isinstance(event, yaml.ScalarEvent):
            anchor, size = event.anchor, 1
        elif isinstance(event, yaml.AliasEvent):
            size = _size_of_alias(event, sizes)
        if anchor is not None:
            sizes[anchor] = size
        outer, before = under_way[-1]
        under_way[-1] = (outer, before + size)
        _check_bound(before + size, MOST_VALUES, "values, each alias counted as its values", event)


def _size_of_alias(event: Any, sizes: dict[str, int]) -> int:
    if event.anchor not in sizes:
        raise NotPlainError(f"{_line(event)}: the alias {event.anchor!r} stands for nothing before it, or for itself")
    return sizes[event.anchor]


def _check_bound(found: int, most: int, what: str, event: Any) -> None:
    if found > most:
        raise NotPlainError(f"{_line(event)}: more than {most:,} {what}")


def _mappings(root: yaml.Node) -> Iterator[yaml.MappingNode]:
    """Yield each mapping below *root* once."""
    waiting, seen = [root], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen or isinstance(node, yaml.ScalarNode):
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            yield node
            waiting += [each for pair in node.value for each in pair]
        else:
            waiting += node.value


def _check_keys(mapping: yaml.MappingNode) -> None:
    """Turn each key into its text, so that ``no`` and ``1`` are names too.  Raise if a key is there twice."""
    first: dict[str, Any] = {}
    for key, _ in mapping.value:
        if not isinstance(key, yaml.ScalarNode):
            raise NotPlainError(f"{_line(key)}: a key that is no text")
        if key.tag in _SCALARS:
            key.tag = _TEXT
        before = first.setdefault(key.value, key)
        if before is not key:
            name = key.value[:80]
            raise NotPlainError(f"{_line(key)}: the key {name!r} stands there twice, first in {_line(before)}")


def _line(found: Any) -> str:
    return f"line {found.start_mark.line + 1}"


def _where(error: yaml.YAMLError) -> str:
    """Return the place and the reason of *error*, without the line itself, which may hold a password."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    words = problem or getattr(error, "reason", None) or str(error).splitlines()[0]
    return f"{place}{' '.join(str(words).split())[:200]}"
