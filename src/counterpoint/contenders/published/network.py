"""How the 2023 study trained its networks: Adam at one rate, a fixed number of epochs, the last weights kept."""

import math
from typing import Annotated

import torch
from pydantic import Field
from skorch import NeuralNet
from torch import nn

from counterpoint.contenders.batches import Batches, Material
from counterpoint.contenders.network import Network
from counterpoint.contenders.training import Loss, balanced_weights, callbacks, trainer
from counterpoint.seeds import child_seed

Positive = Annotated[int, Field(ge=1)]
Patience = Annotated[int, Field(ge=1)] | None


class Published(Network):
    """A network trained as published: no schedule, no weight decay, no smoothing, no clipping.

    With a *patience*, it stops after that many epochs without a lower validation loss, and the best epoch is kept.
    """

    def _trainer(self, network: nn.Module, train: Material, validation: Material) -> NeuralNet:
        weight = balanced_weights(train.codes, len(self.classes_)) if self.class_weight else None
        return trainer(
            network,
            validation,
            batches=Batches,
            loss=Loss(weight=weight),
            epochs=self.epochs,
            batch=self.batch,
            seed=child_seed(self.seed, "order"),
            callbacks=callbacks(clip=math.inf, patience=self.patience),
            lr=self.lr,
            optimizer=torch.optim.Adam,
            optimizer__fused=True,
        )
