"""The activity of the layers of a network on a batch: how much outputs differ by row, and the size of gradients."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from counterpoint.networks.layer_activity import Activity

MAX_UNITS = 4096
_SILENT = (nn.Sequential, nn.ModuleList, nn.Embedding, nn.Flatten, nn.Dropout, nn.Identity)
"""Modules that contain others, or whose output in evaluation is their input."""
_SQUASHING = (nn.LSTM, nn.LSTMCell, nn.GRU, nn.RNN, nn.Tanh, nn.Sigmoid)
SATURATED = 0.99


def activities(network: nn.Module, run: Callable[[], Any]) -> list[Activity]:
    """Return the activity of every layer of *network* while *run* passes rows through it, in the order of the pass.

    >>> network = nn.Sequential(nn.Linear(3, 4), nn.Softmax(dim=1))
    >>> found = activities(network, lambda: network(1e-6 * torch.randn(20, 3)))
    >>> [(layer.kind, layer.spread < 1e-4) for layer in found][1]
    ('Softmax', True)
    """
    found: dict[str, Activity] = {}

    def note(name: str, module: nn.Module, _: Any, output: Any) -> None:
        values = _rows(output)
        if values is not None and name not in found:
            found[name] = _activity(name, module, values)

    with _watching(network, note), torch.no_grad():
        run()
    return list(found.values())


def _rows(output: Any) -> Tensor | None:
    """Return the first tensor in *output* as (rows, units), with at most `MAX_UNITS` evenly chosen units."""
    while isinstance(output, tuple) and not isinstance(output, PackedSequence):
        output = output[0]
    output = output.data if isinstance(output, PackedSequence) else output
    if not isinstance(output, Tensor) or output.dim() < 2 or not output.is_floating_point():
        return None
    rows = output.flatten(1)
    return rows[:, :: max(1, -(-rows.shape[1] // MAX_UNITS))].cpu().double()


def _activity(name: str, module: nn.Module, rows: Tensor) -> Activity:
    size = rows.square().mean().sqrt().item()
    spread = rows.var(0, unbiased=False).mean().sqrt().item() / size if size else 0.0
    dead = (rows == 0).all(0).double().mean().item() if isinstance(module, nn.ReLU) else 0.0
    saturated = (rows.abs() > SATURATED).double().mean().item() if isinstance(module, _SQUASHING) else 0.0
    return Activity(name, type(module).__name__, rows.shape[1], rows.mean().item(), spread, dead, saturated)


@contextmanager
def _watching(network: nn.Module, note: Callable[..., None]) -> Iterator[None]:
    modules = [(name, module) for name, module in network.named_modules() if name and not isinstance(module, _SILENT)]
    hooks = [module.register_forward_hook(partial(note, name)) for name, module in modules]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def gradient_shares(network: nn.Module, run: Callable[[], Any], code: int) -> dict[str, float]:
    """Return the norm of the gradient in each part of *network*, with one class as the label of all rows.

    Parameters
    ----------
    network
        *network* returns logits of shape (rows, outputs, classes).  Its children are the parts.
    run
        *run* passes some rows through *network*.
    code
        *code* is the class.

    Examples
    --------
    >>> network = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2), nn.Unflatten(1, (1, 2)))
    >>> sorted(gradient_shares(network, lambda: network(torch.randn(5, 3)), 0))
    ['0', '1']
    """
    passed: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    keep = network.register_forward_pre_hook(lambda _, args, named: passed.append((args, named)), with_kwargs=True)
    try:
        run()
    finally:
        keep.remove()
    args, named = passed[0]
    with torch.enable_grad():
        # Copies: tensors of inference mode do not allow gradients.  The pass may have been on another device.
        logits = network(*map(_copied, args), **{name: _copied(value) for name, value in named.items()})
        loss = functional.cross_entropy(logits[:, 0], torch.full((len(logits),), code))
        weights = {name: each for name, each in network.named_parameters() if each.requires_grad}
        slopes = torch.autograd.grad(loss, list(weights.values()), allow_unused=True)
    squares: dict[str, float] = {}
    for name, slope in zip(weights, slopes, strict=True):
        part = name.partition(".")[0]
        squares[part] = squares.get(part, 0.0) + (0.0 if slope is None else slope.square().sum().item())
    return {part: square**0.5 for part, square in squares.items()}


def _copied(value: Tensor) -> Tensor:
    return value.cpu().clone()
