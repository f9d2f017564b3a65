"""Parts of results.json, which other programs read: the account of rows, the environment, tables as rows."""

import platform
from importlib.metadata import PackageNotFoundError, version
from os import cpu_count
from typing import Any

import polars as pl

from counterpoint.schema import Frame

PACKAGES = ("numpy", "pillow", "polars", "scikit-learn", "simplejpeg", "skorch", "torch")


def rows_account(pairs: Frame, dropped: Frame) -> dict[str, Any]:
    """Return the account of the input's rows, in which in = pairs + the sum of dropped.

    >>> pairs, dropped = pl.DataFrame({"fold": ["0", "1"]}), pl.DataFrame({"reason": ["empty"]})
    >>> rows_account(pairs, dropped)
    {'in': 3, 'pairs': 2, 'dropped': {'empty': 1}, 'folds': {'0': 1, '1': 1}}
    """
    return {
        "in": len(pairs) + len(dropped),
        "pairs": len(pairs),
        "dropped": _counts(dropped["reason"]),
        "folds": _counts(pairs["fold"]),
    }


def _counts(values: pl.Series) -> dict[str, int]:
    counts = values.value_counts().sort("count", values.name, descending=[True, False])
    return dict(counts.iter_rows())


def environment() -> dict[str, Any]:
    """Return the machine and the versions of packages."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": cpu_count(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def rows_of(table: Frame) -> list[dict[str, Any]]:
    """Return the rows of *table* as JSON-like objects. A number that is not finite becomes null."""
    floats = pl.selectors.float()
    return table.with_columns(pl.when(floats.is_finite()).then(floats).name.keep()).to_dicts()
