"""How skorch trains a network here: what is minimised, what is watched each epoch, and when it stops."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping, PassthroughScoring
from skorch.helper import predefined_split
from torch import Tensor, nn
from torch.nn import functional

from counterpoint.contenders.base import Codes

WATCHED = {
    "train_loss": "train_entropy",
    "valid_loss": "valid_entropy",
    "train_score": "train_score",
    "valid_score": "valid_score",
    "gradient_norm": "gradient_norm",
}
"""Columns of the history, and what skorch's own history calls them (its losses are those that are minimised)."""

PREDICTED_AT_ONCE = 256


class Loss(nn.Module):
    """Cross entropy of the verdict and, in training, of each branch alone (auxiliary losses) and smoothed labels.

    Parameters
    ----------
    weight
        *weight* is that of each class, or None.
    smoothing
        *smoothing* is the share of a label that is spread over all classes.
    auxiliary
        *auxiliary* is the weight of each branch's own loss against the verdict's.
    """

    def __init__(self, *, weight: Tensor | None = None, smoothing: float = 0.0, auxiliary: float = 0.0) -> None:
        super().__init__()
        self.weight, self.smoothing, self.auxiliary = weight, smoothing, auxiliary

    def forward(self, logits: Tensor, codes: Tensor) -> Tensor:
        """Return the loss of *logits*, shape (batch, outputs, classes)."""
        verdict, *branches = logits.unbind(1)
        if not self.training:
            return functional.cross_entropy(verdict, codes, weight=self.weight)
        loss = self._smoothed(verdict, codes)
        return loss + self.auxiliary * sum(self._smoothed(branch, codes) for branch in branches)

    def _smoothed(self, logits: Tensor, codes: Tensor) -> Tensor:
        return functional.cross_entropy(logits, codes, weight=self.weight, label_smoothing=self.smoothing)


def balanced_weights(codes: Codes, n_classes: int) -> Tensor:
    """Return a weight for each class such that all classes weigh the same.

    >>> balanced_weights(np.array([0, 0, 0, 1]), 2).tolist()
    [0.6666666865348816, 2.0]
    """
    counts: NDArray[Any] = np.bincount(codes, minlength=n_classes).clip(min=1)
    return torch.tensor(len(codes) / (n_classes * counts), dtype=torch.float32)


class Watch(Callback):  # type: ignore[misc]
    """Clips the gradient, and records its norm and, on both sides in the same way, the loss and the accuracy."""

    def __init__(self, clip: float) -> None:
        self.clip = clip

    def on_grad_computed(self, net: NeuralNet, named_parameters: Any, **kwargs: Any) -> None:
        """Clip the gradient to norm *clip*."""
        norm = nn.utils.clip_grad_norm_([parameter for _, parameter in named_parameters], self.clip)
        net.history.record_batch("gradient_norm", float(norm))

    def on_batch_end(self, net: NeuralNet, batch: Any, training: bool, y_pred: Tensor, **kwargs: Any) -> None:
        """Record the accuracy of the verdict and its loss, without smoothing or auxiliary losses."""
        part = "train" if training else "valid"
        verdict, codes = y_pred[:, 0].detach(), batch[1]
        plain = functional.cross_entropy(verdict, codes, weight=net.criterion_.weight)
        net.history.record_batch(f"{part}_entropy", plain.item())
        net.history.record_batch(f"{part}_score", (verdict.argmax(1) == codes).float().mean().item())


def callbacks(*, clip: float, patience: int | None) -> list[tuple[str, Callback]]:
    """Return what watches a training: the best epoch by validation loss is kept, in memory.

    Without *patience* all epochs are used, and the last is kept.
    """
    scorings = [(key, PassthroughScoring(key, on_train=not key.startswith("valid"))) for key in WATCHED.values()]
    watching = [("watch", Watch(clip)), *scorings]
    if patience is None:
        return watching
    return [*watching, ("stop", EarlyStopping("valid_entropy", patience=patience, threshold=0, load_best=True))]


def trainer(
    network: nn.Module,
    validation: Any,
    *,
    batches: Callable[..., Any],
    loss: Loss,
    epochs: int,
    batch: int,
    seed: int,
    callbacks: Sequence[tuple[str, Callback]],
    **optimiser: Any,
) -> NeuralNet:
    """Return what trains *network*: skorch, with *batches* as its iterator and *optimiser* as its ``optimizer…``."""
    return NeuralNet(
        network,
        criterion=loss,
        max_epochs=epochs,
        batch_size=batch,
        iterator_train=batches,
        iterator_train__seed=seed,
        iterator_valid=batches,
        iterator_valid__batch_size=PREDICTED_AT_ONCE,
        train_split=predefined_split(validation),
        callbacks=list(callbacks),
        callbacks__print_log=None,
        verbose=0,
        **optimiser,
    )
