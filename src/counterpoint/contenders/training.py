"""The training of a network by skorch: its loss, the values recorded in each epoch, and early stopping."""

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
"""Columns of the history, and their names in the history of skorch."""

PREDICTED_AT_ONCE = 256


class Loss(nn.Module):
    """Cross entropy of the prediction, in training with smoothed labels and auxiliary losses of the branches.

    Parameters
    ----------
    weight
        *weight* is the weight of each class, shape (n_classes,), or None.
    smoothing
        *smoothing* is the share of each label that is spread over all classes.
    auxiliary
        *auxiliary* is the weight of the loss of each branch.  The loss of the prediction has weight 1.
    """

    def __init__(self, *, weight: Tensor | None = None, smoothing: float = 0.0, auxiliary: float = 0.0) -> None:
        super().__init__()
        self.weight, self.smoothing, self.auxiliary = weight, smoothing, auxiliary

    def forward(self, logits: Tensor, codes: Tensor) -> Tensor:
        """Return the loss of *logits*, shape (batch, outputs, classes)."""
        prediction, *branches = logits.unbind(1)
        if not self.training:
            return functional.cross_entropy(prediction, codes, weight=self.weight)
        loss = self._smoothed(prediction, codes)
        return loss + self.auxiliary * sum(self._smoothed(branch, codes) for branch in branches)

    def _smoothed(self, logits: Tensor, codes: Tensor) -> Tensor:
        return functional.cross_entropy(logits, codes, weight=self.weight, label_smoothing=self.smoothing)


def balanced_weights(codes: Codes, n_classes: int) -> Tensor:
    """Return a weight for each class such that all classes have the same total weight.

    >>> balanced_weights(np.array([0, 0, 0, 1]), 2).tolist()
    [0.6666666865348816, 2.0]
    """
    counts: NDArray[Any] = np.bincount(codes, minlength=n_classes).clip(min=1)
    return torch.tensor(len(codes) / (n_classes * counts), dtype=torch.float32)


class Watch(Callback):  # type: ignore[misc]
    """Clips the gradient and records its norm, and the loss and accuracy of training and validation in the same way."""

    def __init__(self, clip: float) -> None:
        self.clip = clip

    def on_grad_computed(self, net: NeuralNet, named_parameters: Any, **kwargs: Any) -> None:
        """Clip the gradient to norm *clip*."""
        norm = nn.utils.clip_grad_norm_(net.module_.parameters(), self.clip)
        net.history.record_batch("gradient_norm", float(norm))

    def on_batch_end(self, net: NeuralNet, batch: Any, training: bool, y_pred: Tensor, **kwargs: Any) -> None:
        """Record the accuracy and the loss of the prediction, without smoothing or auxiliary losses.

        Parameters
        ----------
        net, batch
            *net* is the trainer, and *batch* the inputs of the network and their classes.
        training
            *training* is False for a batch of validation rows.
        y_pred
            *y_pred* are the logits, shape (batch, outputs, classes).
        kwargs
            *kwargs* are further arguments of skorch, which are not used.
        """
        part = "train" if training else "valid"
        prediction, codes = y_pred[:, 0].detach(), batch[1]
        plain = functional.cross_entropy(prediction, codes, weight=net.criterion_.weight)
        net.history.record_batch(f"{part}_entropy", plain.item())
        net.history.record_batch(f"{part}_score", (prediction.argmax(1) == codes).float().mean().item())


def callbacks(*, clip: float, patience: int | None) -> list[tuple[str, Callback]]:
    """Return the callbacks of a training, which keep the epoch with the lowest validation loss.

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
    """Return the skorch trainer of *network*.

    Parameters
    ----------
    network, loss
        *network* is the module to train, and *loss* its loss.
    validation
        *validation* are the rows on which the loss is recorded after each epoch.
    batches
        *batches* is the class of the iterator over batches.
    epochs, batch, seed
        *epochs* is the largest number of epochs, *batch* the largest batch, and *seed* shuffles the rows.
    callbacks
        *callbacks* are named callbacks of skorch.
    optimiser
        *optimiser* are the learning rate and other arguments of skorch that begin with ``optimizer``.
    """
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
