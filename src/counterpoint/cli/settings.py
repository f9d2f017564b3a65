"""Options that change settings of a file.  All commands share them."""

import json
from collections.abc import Mapping
from typing import Annotated

import typer

Sets = Annotated[list[str] | None, typer.Option("--set", help="Change a setting of the file, as in split.seed=1.")]
Address = Annotated[
    str | None, typer.Option(help="A Ray cluster, as in 10.0.0.1:6379 (default: RAY_ADDRESS, or a new one here).")
]


def as_sets(given: Mapping[str, str | int | None]) -> list[str]:
    """Return the options that were *given*, as ``--set`` would have them.

    >>> as_sets({"fit.engine": "ray", "fit.address": None})
    ['fit.engine="ray"']
    """
    return [f"{key}={json.dumps(value)}" for key, value in given.items() if value is not None]
