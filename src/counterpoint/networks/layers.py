"""The layers of a network, read from a forward pass: the shapes, parameters and rule of size of each.

Reads modules only: a function such as ``torch.relu`` or a mean has no row.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import polars as pl
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from counterpoint.schema import Frame

LAYERS: Mapping[str, Any] = {
    "layer": pl.String,
    "kind": pl.String,
    "input_shape": pl.List(pl.Int64),
    "output_shape": pl.List(pl.Int64),
    "size": pl.String,
    "parameters": pl.Int64,
}
"""The kind of a dropout contains its share, and a dropout of 0 is no layer.  Shapes are for one example.  Only
parameters that learn are counted.  ``size`` is the rule for the side of a feature map, from the side before."""

_SLIDING = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)
Row = dict[str, Any]


def layer_table(network: nn.Module, *inputs: Tensor, **named: Tensor) -> Frame:
    """Return the layers of *network* in the order in which *inputs* pass them: the columns of `LAYERS`.

    A layer that is passed twice has two rows, with its parameters in the first.  Layers that these inputs do not reach
    come last, without shapes.  Where no two layers share a parameter, the parameters add up to those of the network.

    Parameters
    ----------
    network
        *network* is not changed, and not trained.
    inputs, named
        *inputs* and *named* are the arguments of its ``forward``, of any batch size.

    Examples
    --------
    >>> parts = nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8192, 2)
    >>> network = nn.Sequential(*parts)
    >>> table = layer_table(network, torch.zeros(1, 1, 32, 32))
    >>> table["kind"].to_list(), table["parameters"].to_list()
    (['Conv2d', 'ReLU', 'MaxPool2d', 'Flatten', 'Linear'], [832, 0, 0, 0, 16386])
    >>> table["size"].to_list()[:3]
    ['⌊(32 + 2·2 − 5)/1⌋ + 1 = 32', None, '⌊(32 + 2·0 − 2)/2⌋ + 1 = 16']
    """
    layers = {module: name for name, module in network.named_modules() if _is_layer(module)}
    passed = _Passed()
    with passed.watching(layers), _at_rest(network), torch.no_grad():
        network(*inputs, **named)
    for module, name in layers.items():
        if module not in passed.reached:
            passed.rows.append(_row(name, module) | {"parameters": _n_parameters(module)})
    return pl.DataFrame(passed.rows, schema=dict(LAYERS))


class _Passed:
    """The rows of the layers that a forward pass reaches, in its order."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.reached: set[nn.Module] = set()

    @contextmanager
    def watching(self, layers: Mapping[nn.Module, str]) -> Iterator[None]:
        hooks = [
            module.register_forward_hook(partial(self._note, name), with_kwargs=True) for module, name in layers.items()
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _note(self, name: str, module: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
        before, after = (_shape(value, module) for value in ((*inputs, *named.values()), output))
        n_parameters = 0 if module in self.reached else _n_parameters(module)
        self.reached.add(module)
        shapes = {"input_shape": before, "output_shape": after, "size": _size(module, before, after)}
        self.rows.append(_row(name, module) | shapes | {"parameters": n_parameters})


def _is_layer(module: nn.Module) -> bool:
    """Report whether a module is a leaf that changes its input, or has parameters of its own."""
    if isinstance(module, nn.Dropout) and not module.p:
        return False
    return next(module.children(), None) is None or next(module.parameters(recurse=False), None) is not None


def _n_parameters(module: nn.Module) -> int:
    return sum(weights.numel() for weights in module.parameters(recurse=False) if weights.requires_grad)


@contextmanager
def _at_rest(network: nn.Module) -> Iterator[None]:
    """Put every module into evaluation mode, and back into its own mode at the end."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training


def _row(name: str, module: nn.Module) -> Row:
    share = f" {module.p:g}" if isinstance(module, nn.Dropout) else ""
    return {"layer": name, "kind": f"{type(module).__name__}{share}"}


def _shape(value: Any, module: nn.Module) -> list[int]:
    """Return the shape of one example, of the first tensor in *value*."""
    while isinstance(value, tuple) and not isinstance(value, PackedSequence):
        value = value[0]
    if isinstance(value, PackedSequence):
        value, _ = pad_packed_sequence(value, batch_first=bool(getattr(module, "batch_first", True)))
    return list(value.shape[1:])


def _size(module: nn.Module, before: list[int], after: list[int]) -> str | None:
    """Return the rule of the size, once where it is the same for height and width."""
    if not isinstance(module, _SLIDING) or isinstance(module.padding, str):
        return None
    names = ("padding", "kernel_size", "stride", "dilation")
    axes = zip(before[1:], *(_pair(module, name) for name in names), strict=True)
    is_ceiled = getattr(module, "ceil_mode", False)
    rules = [f"{_rule(axis, is_ceiled=is_ceiled)} = {out}" for axis, out in zip(axes, after[1:], strict=True)]
    return " × ".join(dict.fromkeys(rules))


def _rule(axis: tuple[int, int, int, int, int], *, is_ceiled: bool) -> str:
    n, p, m, s, d = axis
    window = d * (m - 1) + 1  # the width of a kernel of m pixels with dilation d
    left, right = "⌈⌉" if is_ceiled else "⌊⌋"
    return f"{left}({n} + 2·{p} − {window})/{s}{right} + 1"


def _pair(module: nn.Module, name: str) -> tuple[int, int]:
    value = getattr(module, name, 1)
    return (value, value) if isinstance(value, int) else (value[0], value[1])
