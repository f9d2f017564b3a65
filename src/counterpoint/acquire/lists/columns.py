"""Which column of a list of URLs is what, and what types it may have.  Does not read rows."""

from collections.abc import Collection, Mapping, Sequence

import pyarrow as pa

from counterpoint.config.acquire import COLUMN_PRESETS, Columns, Input
from counterpoint.errors import SourceError, did_you_mean

STRINGS = ("url", "text", "license", "nsfw", "sha256")
NUMBERS = ("width", "height", "similarity", "punsafe", "pwatermark")
NAMES = ("id", "label")
"""Strings or numbers, which become strings."""
ROLES = tuple(Columns.model_fields)


def roles_of(source: Input, columns: Sequence[str], *, path: str) -> dict[str, str]:
    """Return the column of each role that the list at *path* has.

    A role has the name that the settings give it, else that of the preset, else the first of any preset that is there.

    Raises
    ------
    SourceError
        When there is none for the URL or the text, or a column that the settings name is not there.

    Examples
    --------
    >>> roles_of(Input(path=["a.csv"], columns={"label": "kind"}), ["URL", "TEXT", "punsafe", "kind"], path="a.csv")
    {'url': 'URL', 'text': 'TEXT', 'punsafe': 'punsafe', 'label': 'kind'}
    """
    found = {}
    for role in ROLES:
        names = _names(source, role)
        name = next((name for name in names if name in columns), None)
        if name is not None:
            found[role] = name
        elif names and (role in source.columns or role in ("url", "text")):
            raise SourceError(_missing(path, role, names, columns))
    return found


def _names(source: Input, role: str) -> list[str]:
    """Return what the column of *role* may be called."""
    if role in source.columns:
        name = source.columns[role]
        return [] if name is None else [name]
    presets = COLUMN_PRESETS.values() if source.preset is None else [COLUMN_PRESETS[source.preset]]
    return [preset[role] for preset in presets if role in preset]


def _missing(path: str, role: str, names: Sequence[str], columns: Collection[str]) -> str:
    called = " or ".join(map(repr, names))
    return f"{path} has no column {called} for input.columns.{role}.{_nearest(names, columns)}"


def _nearest(names: Sequence[str], columns: Collection[str]) -> str:
    alike = _other_case(names, columns)
    return did_you_mean(names[0], columns) if alike is None else f" Did you mean {alike!r}?"


def _other_case(names: Sequence[str], columns: Collection[str]) -> str | None:
    folded = {name.lower() for name in names}
    return next((column for column in columns if column.lower() in folded), None)


def overlooked(source: Input, columns: Sequence[str], found: Mapping[str, str]) -> list[str]:
    """Return a line for each column that only its case keeps from being read.

    >>> overlooked(Input(path=["a.csv"]), ["URL", "TEXT", "nsfw"], {"url": "URL", "text": "TEXT"})
    ["Column 'nsfw' is not read, because it is not called 'NSFW'; say input.columns.nsfw: nsfw."]
    """
    lines = []
    for role in ROLES:
        names = [] if role in found else _names(source, role)
        alike = _other_case(names, columns)
        if alike is not None:
            other = f"it is not called {' or '.join(map(repr, names))}"
            lines.append(f"Column {alike!r} is not read, because {other}; say input.columns.{role}: {alike}.")
    return lines


def check_alike(first: Mapping[str, str], found: Mapping[str, str], *, paths: tuple[str, str]) -> None:
    """Raise `SourceError` unless two files, at *paths*, have the same columns for the same roles."""
    for role in ROLES:
        if first.get(role) == found.get(role):
            continue
        has, lacks = paths if role in first else paths[::-1]
        raise SourceError(
            f"{lacks} has no column {first.get(role, found.get(role))!r}, which {has} has: the files of one list need "
            f"the same columns; leave it out with input.columns.{role}: null, or plan them apart."
        )


def check_type(role: str, name: str, kind: pa.DataType, *, path: str) -> None:
    """Raise `SourceError` unless a column of this type can be what *role* is.

    >>> check_type("text", "TEXT", pa.int64(), path="a.parquet")
    Traceback (most recent call last):
    counterpoint.errors.SourceError: a.parquet: column 'TEXT' is int64; allowed for input.columns.text: strings.
    """
    allowed = {"strings": role in STRINGS + NAMES, "numbers": role in NUMBERS + NAMES}
    is_kind = {"strings": _is_string(kind), "numbers": pa.types.is_integer(kind) or pa.types.is_floating(kind)}
    if not pa.types.is_null(kind) and not any(allowed[word] and is_kind[word] for word in allowed):
        words = ", ".join(word for word, may in allowed.items() if may)
        raise SourceError(f"{path}: column {name!r} is {kind}; allowed for input.columns.{role}: {words}.")


def _is_string(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_string(kind.value_type)
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_binary)
    return any(test(kind) for test in tests) or pa.types.is_large_binary(kind)
