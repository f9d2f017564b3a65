"""The training of the networks of the 2023 study: Adam at one rate, all epochs, the last weights kept."""

import math
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from skorch import NeuralNet
from torch import nn

from counterpoint.contenders import settings_as_fields
from counterpoint.contenders.base import Rows
from counterpoint.contenders.batches import Batches, ClassOrdered, Material
from counterpoint.contenders.calibrate import Scaling
from counterpoint.contenders.images import pixels_of
from counterpoint.contenders.kept.state import State
from counterpoint.contenders.network import Network
from counterpoint.contenders.published.losses import LossKind, loss_of
from counterpoint.contenders.published.reading import TextReading
from counterpoint.contenders.training import balanced_weights, callbacks, trainer
from counterpoint.seeds import child_seed

_KERAS_EPS, _TORCH_EPS = 1e-7, 1e-8


@settings_as_fields
class Published(Network):
    """A network that is trained as published: without a schedule, weight decay, label smoothing or clipping.

    Its probabilities are the softmax of its logits, as published: they are not calibrated, and balanced class weights
    are not corrected.
    A child has `TextSettings` when it reads texts, and `PixelSettings` when it reads images.
    """

    is_calibrated: ClassVar[bool] = False

    loss: LossKind = "categorical"
    """"categorical" is cross entropy over the classes.  "broadcast" is the binary cross entropy of each output with the
    class number, as Keras computes it for labels of shape (n, 1).  It is not published, and needs two classes."""
    order: Literal["shuffled", "by_class"] = "shuffled"
    """"shuffled" draws the batches of each epoch.  "by_class" reads all rows of one class after those of another, which
    is not published."""

    def _learn(self, train: Rows, validation: Rows, fits: dict[str, Any]) -> None:
        """Learn the numbers of words, and nothing of pixels, which are always divided by 255."""
        if "text" in self.modalities:
            self.tokenizer_ = TextReading.of(self).learn(train, validation)

    def state(self) -> State:
        """Return the learned state, which includes the numbers of words."""
        words = {"words": list(self.tokenizer_.words)} if "text" in self.modalities else {}
        return super().state() | State(values=words)

    def restore(self, state: State) -> Self:
        """Restore a fitted contender from its *state*."""
        if "text" in self.modalities:
            self.tokenizer_ = TextReading.of(self).tokenizer(state.texts("words"))
        return super().restore(state)

    def _material(self, rows: Rows) -> Material:
        tokens = list(TextReading.of(self).tokens(self.tokenizer_, rows.pairs)) if "text" in self.modalities else None
        settings = self.pixel_settings()
        pixels = None if settings is None else pixels_of(settings, rows.pairs, cache=getattr(self, "cache", None))
        return Material(rows.codes, tokens=tokens, pixels=pixels)

    def _scaling(self, validation: Material | None) -> Scaling:
        return Scaling.identity(len(self.classes_))

    def _trainer(self, network: nn.Module, train: Material, validation: Material) -> NeuralNet:
        n_classes = len(self.classes_)
        weight = balanced_weights(train.codes, n_classes) if self.class_weight else None
        return trainer(
            network,
            validation,
            batches=ClassOrdered if self.order == "by_class" else Batches,
            loss=loss_of(self.loss, n_classes, weight=weight),
            epochs=self.epochs,
            batch=self.batch,
            seed=child_seed(self.seed, "order"),
            device=self.device,
            precision=self.precision,
            callbacks=callbacks(
                clip=math.inf,
                patience=self.patience,
                log_shares=np.log(self.class_shares_) if self.class_weight else None,
            ),
            lr=self.lr,
            optimizer=torch.optim.Adam,
            optimizer__eps=_KERAS_EPS if "text" in self.modalities else _TORCH_EPS,
            optimizer__fused=True,
        )
