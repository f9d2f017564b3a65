"""What a worker process starts with: caps for the threads of numeric libraries, and memory that is used again."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "POLARS_MAX_THREADS",
)  # fmt: skip

REUSE = {"MALLOC_MMAP_THRESHOLD_": str(32 * 2**20), "MALLOC_TRIM_THRESHOLD_": str(2**40)}
"""Of glibc: blocks of up to 32 MiB, its most, are kept when freed.  Else every step of a training asks the system for
its activations anew, and a fifth of its time goes into pages that must be zeroed."""


def caps(threads: int) -> dict[str, str]:
    """Return the variables of a worker: each library capped at *threads*, freed memory kept.

    >>> caps(2)["OMP_NUM_THREADS"]
    '2'
    """
    return dict.fromkeys(THREAD_VARIABLES, str(threads)) | REUSE


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
