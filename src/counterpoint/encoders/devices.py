"""The device of a torch encoder: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.  Arithmetic is in 32 bits."""

from collections.abc import Iterator
from contextlib import contextmanager
from re import fullmatch

import torch

from counterpoint.errors import ConfigError, did_you_mean

ALLOWED = ("auto", "cpu", "cuda", "cuda:0", "mps")
GPU_BATCH = 64
"""The number of rows of a batch on a GPU."""


def device_of(name: str) -> torch.device:
    """Return the device of this *name*.  "auto" is the first GPU where there is one, else the CPU.

    Raises
    ------
    ConfigError
        When there is no such device.

    Examples
    --------
    >>> device_of("cpu")
    device(type='cpu')
    >>> device_of("gpu")
    Traceback (most recent call last):
    counterpoint.errors.ConfigError: Unknown device 'gpu'. Did you mean 'cpu'?
    """
    if fullmatch(r"auto|cpu|mps|cuda(:\d{1,3})?", name) is None:
        raise ConfigError(f"Unknown device {name!r}.{did_you_mean(name, ALLOWED)}")
    found = ["mps"] if torch.backends.mps.is_available() else []
    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    found = [*(["cuda"] if n_gpus else []), *(f"cuda:{i}" for i in range(n_gpus)), *found, "cpu"]
    if name == "auto":
        return torch.device(found[0])
    if name not in found:
        raise ConfigError(f"The device {name!r} is not available here. Available: auto, {', '.join(found)}.")
    return torch.device(name)


@contextmanager
def exact() -> Iterator[None]:
    """Run torch without gradients, with one thread and in full precision: the same vectors in every process."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with (
            torch.inference_mode(),
            torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False),
        ):
            yield
    finally:
        torch.set_num_threads(n_threads)
