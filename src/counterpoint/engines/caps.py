"""Caps for the threads of numeric libraries, which read them from the environment when a process starts."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "POLARS_MAX_THREADS",
)  # fmt: skip


def caps(threads: int) -> dict[str, str]:
    """Return the variables that cap each library at *threads*.

    >>> caps(2)["OMP_NUM_THREADS"]
    '2'
    """
    return dict.fromkeys(THREAD_VARIABLES, str(threads))


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables of the environment for a while, and leave it as it was.

    >>> with environment({"COUNTERPOINT_EXAMPLE": "1"}):
    ...     os.environ["COUNTERPOINT_EXAMPLE"]
    '1'
    >>> "COUNTERPOINT_EXAMPLE" in os.environ
    False
    """
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
