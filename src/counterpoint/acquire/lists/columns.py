"""The roles of the columns in a list of URLs, and their allowed types. Does not read rows."""

from collections.abc import Collection, Mapping, Sequence

import pyarrow as pa

from counterpoint.config.acquire import COLUMN_PRESETS, Input, ListColumns
from counterpoint.errors import SourceError, did_you_mean

STRINGS = ("url", "text", "license", "nsfw", "sha256")
NUMBERS = ("width", "height", "similarity", "punsafe", "pwatermark")
NAMES = ("id", "label")
"""Strings or numbers, which become strings."""
ROLES = tuple(ListColumns.model_fields)


def roles_of(source: Input, columns: Sequence[str], *, path: str) -> dict[str, str]:
    """Return the column of each role in the list at *path*.

    The name of a role comes from the settings, else from the preset, else it is the first match among all presets.

    Parameters
    ----------
    source
        *source* is the section ``input``.
    columns
        *columns* are the names of the columns of the list.
    path
        *path* names the list in errors.

    Raises
    ------
    SourceError
        When no column has the URL or the text, or a column named in the settings is missing.

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
    """Return the possible names of the column of *role*."""
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
    """Return a line for each column that is not read because of its case.

    Parameters
    ----------
    source
        *source* is the section ``input``.
    columns
        *columns* are the names of the columns of the list.
    found
        *found* is the column of each role, as `roles_of` returned it.

    Examples
    --------
    >>> overlooked(Input(path=["a.csv"]), ["URL", "TEXT", "nsfw"], {"url": "URL", "text": "TEXT"})
    ["Column 'nsfw' is not read, because it is not called 'NSFW'. To read it, set input.columns.nsfw: nsfw."]
    """
    lines = []
    for role in ROLES:
        names = [] if role in found else _names(source, role)
        alike = _other_case(names, columns)
        if alike is not None:
            reason = f"it is not called {' or '.join(map(repr, names))}"
            remedy = f"To read it, set input.columns.{role}: {alike}."
            lines.append(f"Column {alike!r} is not read, because {reason}. {remedy}")
    return lines


def check_alike(first: Mapping[str, str], found: Mapping[str, str], *, paths: tuple[str, str]) -> None:
    """Raise `SourceError` unless two files have the same columns for the same roles.

    Parameters
    ----------
    first
        *first* is the column of each role in the first file.
    found
        *found* is the same for the other file.
    paths
        *paths* are the paths of both files.
    """
    for role in ROLES:
        if first.get(role) == found.get(role):
            continue
        has, lacks = paths if role in first else paths[::-1]
        raise SourceError(
            f"{lacks} has no column {first.get(role, found.get(role))!r}, unlike {has}. The files of one list need "
            f"the same columns. Leave it out with input.columns.{role}: null, or make two plans."
        )


def check_type(role: str, name: str, kind: pa.DataType, *, path: str) -> None:
    """Raise `SourceError` unless the type of a column fits its *role*.

    Parameters
    ----------
    role
        *role* is a name of `ROLES`.
    name
        *name* is the name of the column in the list.
    kind
        *kind* is its Arrow type.
    path
        *path* names the list in the error.

    Examples
    --------
    >>> check_type("text", "TEXT", pa.int64(), path="a.parquet")
    Traceback (most recent call last):
    counterpoint.errors.SourceError: a.parquet: column 'TEXT' is int64. Allowed for input.columns.text: strings.
    """
    allowed = {"strings": role in STRINGS + NAMES, "numbers": role in NUMBERS + NAMES}
    is_kind = {"strings": _is_string(kind), "numbers": pa.types.is_integer(kind) or pa.types.is_floating(kind)}
    if not pa.types.is_null(kind) and not any(allowed[word] and is_kind[word] for word in allowed):
        words = ", ".join(word for word, may in allowed.items() if may)
        raise SourceError(f"{path}: column {name!r} is {kind}. Allowed for input.columns.{role}: {words}.")


def _is_string(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_string(kind.value_type)
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_binary)
    return any(test(kind) for test in tests) or pa.types.is_large_binary(kind)
