"""The environment of a worker process: thread caps of numeric libraries, and settings that reuse freed memory."""

import ctypes
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "POLARS_MAX_THREADS",
)  # fmt: skip

WORKER = "COUNTERPOINT_WORKER"
"""The variable with the number of a worker process, from 0.  Workers with other numbers take other GPUs."""

REUSE = {"MALLOC_MMAP_THRESHOLD_": str(32 * 2**20), "MALLOC_TRIM_THRESHOLD_": str(2**40)}
"""Settings of glibc: freed blocks of up to 32 MiB, its limit, are kept.  Otherwise every training step requests its
activations from the system again.  Zeroing their pages would take a fifth of the time."""


def caps(threads: int) -> dict[str, str]:
    """Return the variables of a worker: each library capped at *threads*, and freed memory kept.

    >>> caps(2)["OMP_NUM_THREADS"]
    '2'
    """
    return dict.fromkeys(THREAD_VARIABLES, str(threads)) | REUSE


def give_memory_back() -> None:
    """Give memory that this process has freed back to the system, where the C library can do it."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


@contextmanager
def temporary_environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables of the environment inside a ``with`` block, and restore the old values after it.

    >>> with temporary_environment({"COUNTERPOINT_EXAMPLE": "1"}):
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
