"""The training of a network by skorch: its loss, the values recorded in each epoch, and early stopping."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping, PassthroughScoring
from skorch.helper import predefined_split
from skorch.utils import noop
from torch import Tensor, nn
from torch.nn import functional

from counterpoint.contenders.base import Codes
from counterpoint.contenders.batches import PREDICTED_AT_ONCE, WATCHED
from counterpoint.devices import device_of, mixed_precision
from counterpoint.settings import Precision

ScaledLoss = Callable[[NDArray[np.float64], Codes], float]


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

    weight: Tensor | None

    def __init__(self, *, weight: Tensor | None = None, smoothing: float = 0.0, auxiliary: float = 0.0) -> None:
        super().__init__()
        self.register_buffer("weight", weight)  # moves to the device of the network
        self.smoothing, self.auxiliary = smoothing, auxiliary

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
    """Clips the gradient and records its norm, and the loss and accuracy of training and validation in the same way.

    Parameters
    ----------
    clip
        *clip* is the largest norm of the gradient.
    log_shares
        *log_shares* are the logs of the class shares, shape (n_classes,), where training weighs all classes alike.
        They are added to the logits, so that losses and accuracies are those of the rows without weights.
    scaled
        *scaled* returns the log loss of logits after their scaling, for logits and classes of the validation rows.
    """

    def __init__(
        self, clip: float, log_shares: NDArray[np.float64] | None = None, scaled: ScaledLoss | None = None
    ) -> None:
        self.clip, self.log_shares, self.scaled = clip, log_shares, scaled

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Forget the validation logits of the last epoch."""
        self.seen_: list[tuple[Tensor, Tensor]] = []

    def on_grad_computed(self, net: NeuralNet, named_parameters: Any, **kwargs: Any) -> None:
        """Clip the gradient to norm *clip*."""
        norm = nn.utils.clip_grad_norm_(net.module_.parameters(), self.clip)
        net.history.record_batch("gradient_norm", float(norm))

    def on_batch_end(self, net: NeuralNet, batch: Any, training: bool, y_pred: Tensor, **kwargs: Any) -> None:
        """Record the accuracy and the loss of the prediction, without weights, smoothing or auxiliary losses.

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
        prediction, codes = y_pred[:, 0].detach().cpu(), batch[1]
        if not training:
            self.seen_.append((prediction, codes))
        if self.log_shares is not None:
            prediction = prediction + torch.from_numpy(self.log_shares).to(prediction)
        net.history.record_batch(f"{part}_entropy", functional.cross_entropy(prediction, codes).item())
        net.history.record_batch(f"{part}_score", (prediction.argmax(1) == codes).float().mean().item())

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Record the validation loss after scaling."""
        if self.scaled is not None:
            logits, codes = (torch.cat(parts).numpy() for parts in zip(*self.seen_, strict=True))
            net.history.record("scaled_entropy", self.scaled(logits.astype(np.float64), codes))


class Patience(EarlyStopping):  # type: ignore[misc]
    """Early stopping that counts no epoch of the warm-up, in which the learning rate still rises.

    Parameters
    ----------
    monitor, patience
        *monitor* is the loss in the history of skorch that must fall within *patience* epochs.
    warm_up
        *warm_up* is the number of epochs of the warm-up.
    """

    def __init__(self, monitor: str, patience: int, warm_up: float = 0.0) -> None:
        # Ray replaces `print`, and skorch then prints what it would not print otherwise.
        super().__init__(monitor, patience=patience, threshold=0, load_best=True, sink=noop)
        self.warm_up = warm_up

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Count the epochs without a lower loss, from the end of the warm-up."""
        if len(net.history) <= self.warm_up:
            self.misses_ = -1
        super().on_epoch_end(net, **kwargs)


def callbacks(
    *,
    clip: float,
    patience: int | None,
    warm_up: float = 0.0,
    log_shares: NDArray[np.float64] | None = None,
    scaled: ScaledLoss | None = None,
) -> list[tuple[str, Callback]]:
    """Return the callbacks of a training, which keep the epoch with the lowest validation loss.

    Parameters
    ----------
    clip, log_shares, scaled
        *clip*, *log_shares* and *scaled* are those of `Watch`.  With *scaled*, the loss after scaling is watched.
    patience, warm_up
        *patience* and *warm_up* are those of `Patience`.  Without *patience* all epochs are used, and the last is kept.
    """
    keys = [key for key in WATCHED.values() if key != "scaled_entropy"]  # which is no mean over batches
    scorings = [(key, PassthroughScoring(key, on_train=not key.startswith("valid"))) for key in keys]
    watching = [("watch", Watch(clip, log_shares, scaled)), *scorings]
    if patience is None:
        return watching
    return [*watching, ("stop", Patience("scaled_entropy" if scaled else "valid_entropy", patience, warm_up))]


class Trainer(NeuralNet):  # type: ignore[misc]
    """A trainer of skorch whose forward passes are in the contexts of *autocast*.  Losses and steps are in 32 bits."""

    def __init__(self, *args: Any, autocast: Callable[[], AbstractContextManager[Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.autocast = autocast

    def infer(self, x: Any, **fit_params: Any) -> Tensor:
        """Return the logits of a batch *x*."""
        with self.autocast():
            logits: Tensor = super().infer(x, **fit_params)
        return logits.float()


def trainer(
    network: nn.Module,
    validation: Any,
    *,
    batches: Callable[..., Any],
    loss: nn.Module,
    epochs: int,
    batch: int,
    seed: int,
    callbacks: Sequence[tuple[str, Callback]],
    device: str = "cpu",
    precision: Precision = "full",
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
    device, precision
        *device* and *precision* are those of `Network`.
    optimiser
        *optimiser* are the learning rate and other arguments of skorch that begin with ``optimizer``.
    """
    place = device_of(device)
    return Trainer(
        network,
        autocast=mixed_precision(place) if precision == "mixed" else nullcontext,
        device=str(place),
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
