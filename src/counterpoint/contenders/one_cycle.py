"""The training of this package's own networks: AdamW, and one cycle of the learning rate."""

from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field
from skorch import NeuralNet
from skorch.callbacks import LRScheduler
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR

from counterpoint.contenders import Positive, Share, settings_as_fields
from counterpoint.contenders.base import Codes
from counterpoint.contenders.batches import Batches, Material
from counterpoint.contenders.calibrate import Scaling, fit_scaling
from counterpoint.contenders.network import Network
from counterpoint.contenders.training import Loss, balanced_weights, callbacks, trainer
from counterpoint.seeds import child_seed

_CLIP = 1.0
_LEAST_BATCH, _STEPS_AN_EPOCH = 8, 32


@settings_as_fields
class OneCycleNetwork(Network):
    """A network that learns with AdamW, one cycle of the learning rate, smoothed labels and a clipped gradient.

    The learning rate rises to *lr* and falls again (Smith and Topin 2018).  The epoch with the lowest validation loss
    is kept.  A child writes ``_learn``, ``_material`` and ``_network``.

    The probabilities are calibrated under the class shares of the training rows.  The class weights of training are
    corrected by these shares (Saerens, Latinne and Decaestecker 2002).  The logits are then scaled on validation rows.
    """

    weight_decay: Annotated[float, Field(ge=0)] = 0.05
    """The weight decay of AdamW."""
    label_smoothing: Share = 0.05
    """The share of each label that is spread over all classes."""
    patience: Positive = 8
    """Epochs without a lower validation loss, after which training stops.  The best epoch is kept."""
    class_weight: Literal["balanced"] | None = "balanced"

    def _rates(self) -> dict[str, float]:
        """Return a share of the learning rate for each pattern of names of weights."""
        return {}

    def _scaling(self, codes: Codes, validation: Material | None) -> Scaling:
        """Correct the class weights of training by the class shares, then scale on validation rows."""
        log_shares = np.log(np.bincount(codes) / len(codes))
        log_prior = np.zeros_like(log_shares) if self.class_weight else log_shares
        if validation is None:
            return Scaling(np.ones(1), log_shares - log_prior)
        scores = [self._logits(validation)]
        return fit_scaling(scores, validation.codes, log_shares=log_shares, log_prior=log_prior)

    def _trainer(self, network: nn.Module, train: Material, validation: Material) -> NeuralNet:
        weight = balanced_weights(train.codes, len(self.classes_)) if self.class_weight else None
        # A small table gets small batches, so that an epoch has enough steps.
        batch_size = min(self.batch, max(_LEAST_BATCH, len(train) // _STEPS_AN_EPOCH))
        n_steps = self.epochs * len(Batches(train, batch_size=batch_size).orders())
        groups = [(pattern, {"lr": share * self.lr}) for pattern, share in self._rates().items()]
        rates = [*(group["lr"] for _, group in groups), self.lr]
        cycle = LRScheduler(OneCycleLR, step_every="batch", max_lr=rates, total_steps=n_steps)
        return trainer(
            network,
            validation,
            batches=Batches,
            loss=Loss(weight=weight, smoothing=self.label_smoothing, auxiliary=getattr(self, "auxiliary", 0.0)),
            epochs=self.epochs,
            batch=batch_size,
            seed=child_seed(self.seed, "order"),
            callbacks=[*callbacks(clip=_CLIP, patience=self.patience), ("cycle", cycle)],
            lr=self.lr,
            optimizer=torch.optim.AdamW,
            optimizer__weight_decay=self.weight_decay,
            optimizer__param_groups=groups,
            optimizer__fused=True,
        )
