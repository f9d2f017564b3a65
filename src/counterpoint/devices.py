"""The device of a torch model: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``, and the arithmetic on it."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from copy import deepcopy
from importlib.util import find_spec
from typing import Any, TypeVar

import torch
from torch import nn

from counterpoint.engines.caps import WORKER
from counterpoint.errors import ConfigError, first_line
from counterpoint.settings import device_name

Module = TypeVar("Module", bound=nn.Module)


def available() -> list[str]:
    """Return the names of the devices here, the fastest first.  The last one is "cpu".

    >>> available()[-1]
    'cpu'
    """
    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    gpus = [*(["cuda"] if n_gpus else []), *(f"cuda:{i}" for i in range(n_gpus))]
    return [*gpus, *(["mps"] if torch.backends.mps.is_available() else []), "cpu"]


def device_of(name: str) -> torch.device:
    """Return the device of this *name*.  "auto" is the first of `available`.

    On a machine with several GPUs, "auto" and "cuda" take another one in each worker process of an engine.

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
    try:
        device_name(name)
    except ValueError as error:
        raise ConfigError(error) from None
    found = available()
    if name not in ("auto", *found):
        raise ConfigError(f"The device {name!r} is not available here. Available: auto, {', '.join(found)}.")
    chosen = found[0] if name == "auto" else name
    worker, n_gpus = os.environ.get(WORKER), sum(each.startswith("cuda:") for each in found)
    return torch.device("cuda", int(worker) % n_gpus) if chosen == "cuda" and worker else torch.device(chosen)


def device_or_cpu(name: str) -> torch.device:
    """Return the device of this *name*, or the CPU where it is not available: a fit may come from another machine.

    >>> device_or_cpu("cuda:999")
    device(type='cpu')
    """
    return device_of(name) if name in ("auto", *available()) else torch.device("cpu")


def device_kind(name: str) -> str:
    """Return the kind of the device of this *name*, which for names other than "auto" may be on another machine.

    >>> device_kind("cuda:1")
    'cuda'
    """
    return device_of(name).type if name == "auto" else name.partition(":")[0]


def on_device(network: Module, device: torch.device) -> Module:
    """Return *network*, which is on the CPU, or its copy on another *device*.

    >>> on_device(nn.Linear(3, 2), torch.device("meta")).weight.device.type
    'meta'
    """
    return network if device.type == "cpu" else deepcopy(network).to(device)


def moved(values: Any, device: torch.device) -> Any:
    """Return *values*, a tensor or a dict, tuple or list of them, on *device*.

    >>> moved({"x": (torch.zeros(2), [])}, torch.device("meta"))["x"][0].device.type
    'meta'
    """
    if isinstance(values, torch.Tensor):
        return values.to(device)
    if isinstance(values, dict):
        return {name: moved(value, device) for name, value in values.items()}
    return type(values)(moved(value, device) for value in values)


def own_draws(device: torch.device) -> AbstractContextManager[None]:
    """Return a context in which draws on the CPU and on *device* do not shift those outside of it."""
    return torch.random.fork_rng([] if device.type == "cpu" else [device], device_type=device.type)


def repeatable() -> AbstractContextManager[None]:
    """Return a context in which cuDNN computes in 32 bits, always by the same algorithms."""
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)


@contextmanager
def exact() -> Iterator[None]:
    """Run torch without gradients, with one thread and in full precision: the same vectors in every process."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode(), repeatable():
            yield
    finally:
        torch.set_num_threads(n_threads)


def check_mixed_precision() -> None:
    """Raise `ConfigError` where the package for mixed precision is missing."""
    if find_spec("accelerate") is None:
        raise ConfigError("precision: mixed needs accelerate, which is missing. Run: pip install 'counterpoint[mixed]'")


def mixed_precision(device: torch.device) -> Callable[[], AbstractContextManager[Any]]:
    """Return a function that makes contexts, in which torch uses bfloat16 on *device* where that is safe.

    The range of bfloat16 is that of 32 bits, so the loss needs no scale.

    Raises
    ------
    ConfigError
        When the package accelerate is missing, the device has no bfloat16, or accelerate already works on another
        device in this process.
    """
    check_mixed_precision()
    from accelerate import Accelerator  # noqa: PLC0415 - an extra, and slow

    try:
        accelerator = Accelerator(cpu=device.type == "cpu", mixed_precision="bf16")
    except ValueError as error:
        raise ConfigError(f"precision: mixed is not possible on {device}: {first_line(error)}") from error
    if accelerator.device.type != device.type:
        other = accelerator.device
        raise ConfigError(
            f"precision: mixed is not possible on {device}: in this process, accelerate works on {other}."
        )
    autocast: Callable[[], AbstractContextManager[Any]] = accelerator.autocast
    return autocast
