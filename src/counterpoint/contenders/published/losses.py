"""The losses of the networks of the 2023 study: cross entropy, and binary cross entropy with labels broadcast."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from counterpoint.contenders.training import Loss
from counterpoint.errors import ConfigError

LossKind = Literal["categorical", "broadcast"]
_KERAS_EPS = 1e-7


class BroadcastLoss(nn.Module):
    """Binary cross entropy of every output with the class number of its row.

    With labels of shape (n, 1) and outputs of shape (n, 2), Keras broadcasts the labels over both outputs.  Both then
    learn the same number, although they add up to 1.

    Parameters
    ----------
    weight
        *weight* is the weight of each class, shape (2,), or None.

    Examples
    --------
    >>> loss = BroadcastLoss()(torch.tensor([[[0.0, 0.0]]]), torch.tensor([1]))
    >>> round(loss.item(), 4)
    0.6931
    """

    weight: Tensor | None

    def __init__(self, *, weight: Tensor | None = None) -> None:
        super().__init__()
        self.register_buffer("weight", weight)  # moves to the device of the network

    def forward(self, logits: Tensor, codes: Tensor) -> Tensor:
        """Return the loss of *logits*, shape (batch, outputs, 2)."""
        weights = torch.ones(len(codes), device=logits.device) if self.weight is None else self.weight[codes]
        losses = row_losses("broadcast", logits[:, 0], codes)
        return (losses * weights).sum() / weights.sum()


def loss_of(kind: LossKind, n_classes: int, *, weight: Tensor | None = None) -> nn.Module:
    """Return the loss of this *kind*.

    Parameters
    ----------
    kind
        *kind* is "categorical" or "broadcast".
    n_classes
        *n_classes* is the number of classes.
    weight
        *weight* is the weight of each class, shape (n_classes,), or None.

    Raises
    ------
    ConfigError
        When *kind* is "broadcast" and there are not two classes.
    """
    if kind == "categorical":
        return Loss(weight=weight)
    if n_classes != 2:
        raise ConfigError(f"loss: broadcast needs two classes. These rows have {n_classes}.")
    return BroadcastLoss(weight=weight)


def row_losses(kind: LossKind, logits: Tensor, codes: Tensor) -> Tensor:
    """Return the loss of each row, shape (n_rows,).

    Parameters
    ----------
    kind
        *kind* is "categorical" or "broadcast".
    logits, codes
        *logits* have the shape (n_rows, n_classes), and *codes* are the classes, shape (n_rows,).

    Examples
    --------
    >>> row_losses("categorical", torch.zeros(1, 2), torch.tensor([0])).exp().tolist()
    [2.0]
    """
    if kind == "categorical":
        return functional.cross_entropy(logits, codes, reduction="none")
    proba = logits.softmax(1).clamp(_KERAS_EPS, 1 - _KERAS_EPS)
    labels = codes.to(proba).unsqueeze(1).expand_as(proba)
    return functional.binary_cross_entropy(proba, labels, reduction="none").mean(1)


def row_scores(kind: LossKind, logits: Tensor, codes: Tensor) -> Tensor:
    """Return the accuracy of each row as Keras counts it for this loss, shape (n_rows,).

    With "broadcast" it is the share of outputs on the correct side of one half.  Of two outputs that add up to 1, this
    is always one.

    Parameters
    ----------
    kind
        *kind* is "categorical" or "broadcast".
    logits, codes
        *logits* have the shape (n_rows, n_classes), and *codes* are the classes, shape (n_rows,).

    Examples
    --------
    >>> row_scores("broadcast", torch.tensor([[9.0, 0.0]]), torch.tensor([0])).tolist()
    [0.5]
    """
    if kind == "categorical":
        return (logits.argmax(1) == codes).float()
    return ((logits.softmax(1) > 0.5) == codes.bool().unsqueeze(1)).float().mean(1)
