"""Options of the exports, and the message after one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import typer

from counterpoint.errors import ConfigError, did_you_mean
from counterpoint.safe_text import terminal_text

Classes = Annotated[
    str | None, typer.Option(help="Classes in the order of their numbers, as in animal,person (default: alphabetical).")
]
Resize = Annotated[str, typer.Option(help="How pixels of tables are resized: bilinear, as in 2023, or area.")]
Way = Literal["bilinear", "area"]


def as_list(classes: str | None) -> list[str] | None:
    """Return the classes that an option names.

    >>> as_list("animal, person"), as_list(None)
    (['animal', 'person'], None)
    """
    return None if classes is None else [name.strip() for name in classes.split(",")]


def checked_resize(resize: str) -> Way:
    """Return *resize*.

    Raises
    ------
    ConfigError
        When it is neither bilinear nor area.
    """
    if resize not in get_args(Way):
        raise ConfigError(f"Unknown --resize {resize!r}.{did_you_mean(resize, get_args(Way))}")
    way: Way = "area" if resize == "area" else "bilinear"
    return way


def exported(account: Mapping[str, Any], where: Path) -> str:
    """Return the message after an export.

    >>> exported({"n_rows": 1200, "n_exported": 1000, "left_out": {"http_404": 150, "too_slow": 50}}, Path("tars"))
    'Wrote 1,000 of 1,200 rows to tars; left out: http_404 150, too_slow 50.'
    >>> exported({"rows": {"train_updated.csv": 800, "test_updated.csv": 200}}, Path("csvs"))
    'Wrote to csvs: train_updated.csv 800 rows, test_updated.csv 200 rows.'
    """
    if "rows" in account:
        written = f"Wrote to {where}: " + ", ".join(f"{name} {n:,} rows" for name, n in account["rows"].items())
    else:
        written = f"Wrote {account['n_exported']:,} of {account['n_rows']:,} rows to {where}"
    left_out = sorted(account.get("left_out", {}).items(), key=lambda item: -item[1])
    why = ", ".join(f"{terminal_text(str(status))} {n:,}" for status, n in left_out)
    return f"{written}; left out: {why}." if why else f"{written}."
