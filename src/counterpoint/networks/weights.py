"""A network, built again from its weights, whose shapes are checked before any memory is used."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

Weights = Mapping[str, NDArray[Any]]


def weights_of(network: nn.Module) -> dict[str, NDArray[Any]]:
    """Return the parameters and buffers of *network* by name, in the memory of the network.

    >>> {name: array.shape for name, array in weights_of(nn.Linear(3, 2)).items()}
    {'weight': (2, 3), 'bias': (2,)}
    """
    return {name: weights.numpy() for name, weights in network.state_dict().items()}


def rebuilt(build: Callable[[], nn.Module], weights: Weights) -> nn.Module:
    """Return the network of *build* with *weights*, in evaluation mode, and leave the random state as it is.

    Raises
    ------
    ValueError
        When the names, shapes or types of the weights differ.

    Examples
    --------
    >>> network = nn.Linear(3, 2)
    >>> again = rebuilt(lambda: nn.Linear(3, 2), weights_of(network))
    >>> bool((again(torch.ones(3)) == network(torch.ones(3))).all())
    True
    """
    tensors = {name: torch.from_numpy(array) for name, array in weights.items()}
    with torch.random.fork_rng(devices=[]):
        # On this device a network of any size takes no memory: its settings may come from a stranger.
        with torch.device("meta"), _Unfilled():
            expected = _shapes(build().state_dict())
        found = _shapes(tensors)
        wrong = sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
        if wrong:
            raise ValueError(f"{wrong[0]} should be {expected.get(wrong[0])}, but is {found.get(wrong[0])}")
        network = build()
    network.load_state_dict(tensors)
    return network.eval()


class _Unfilled(TorchFunctionMode):
    """Leaves out the first values of weights.  On the device "meta" they would only import a compiler, for seconds."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(function, "__module__", None) == nn.init.__name__:
            return kwargs["tensor"]
        return function(*args, **(kwargs or {}))


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, str]:
    return {name: f"{tuple(weights.shape)} of {weights.dtype}" for name, weights in tensors.items()}
