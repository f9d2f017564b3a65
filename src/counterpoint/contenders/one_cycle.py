"""The training of this package's own networks: AdamW, and one cycle of the learning rate."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import log_softmax
from torch import nn

from counterpoint.contenders import Positive, Share, settings_as_fields
from counterpoint.contenders.base import Codes
from counterpoint.contenders.batches import Batches, Material
from counterpoint.contenders.calibrate import Scaling, fit_scaling
from counterpoint.contenders.network import Network
from counterpoint.seeds import child_seed

if TYPE_CHECKING:
    from skorch import NeuralNet

_CLIP = 1.0
WARM_UP = 0.3
"""The share of the steps in which the learning rate rises."""
_LEAST_BATCH, _STEPS_AN_EPOCH = 8, 32


@settings_as_fields
class OneCycleNetwork(Network):
    """A network that learns with AdamW, one cycle of the learning rate, smoothed labels and a clipped gradient.

    The learning rate rises to *lr* and falls again (Smith and Topin 2018).  The epoch with the lowest validation loss
    after scaling is kept (Berta, Holzmüller, Jordan and Bach 2025).  Over-confidence, which scaling removes, then hides
    no learning.  A child writes ``_learn``, ``_material`` and ``_network``.

    The probabilities are calibrated under the class shares of the training rows.  The class weights of training are
    corrected by these shares (Saerens, Latinne and Decaestecker 2002).  The logits are then scaled on validation rows.
    """

    weight_decay: Annotated[float, Field(ge=0)] = 0.05
    """The weight decay of AdamW."""
    label_smoothing: Share = 0.05
    """The share of each label that is spread over all classes."""
    patience: Positive = 5
    """Epochs without a lower validation loss after scaling, after which training stops.  They are counted from the end
    of the warm-up, in which the learning rate rises: the first 30 % of *epochs*.  The best epoch is kept."""
    class_weight: Literal["balanced"] | None = "balanced"

    def _rates(self) -> dict[str, float]:
        """Return a share of the learning rate for each pattern of names of weights."""
        return {}

    def _scaling(self, validation: Material | None) -> Scaling:
        if validation is None:
            return Scaling(np.ones(1), self._log_shares - self._log_prior)
        return self._scaled(self._logits(validation), validation.codes)

    def _scaled(self, logits: NDArray[np.float64], codes: Codes) -> Scaling:
        """Correct the class weights of training by the class shares, and scale on rows with these *logits*."""
        return fit_scaling([logits], codes, log_shares=self._log_shares, log_prior=self._log_prior)

    def _scaled_loss(self, logits: NDArray[np.float64], codes: Codes) -> float:
        """Return the log loss of the rows on which the scaling of their *logits* is fitted."""
        scaled = self._scaled(logits, codes).logits([logits])
        return -float(log_softmax(scaled, axis=1)[np.arange(len(codes)), codes].mean())

    @property
    def _log_shares(self) -> NDArray[np.float64]:
        return np.log(self.class_shares_)

    @property
    def _log_prior(self) -> NDArray[np.float64]:
        """Return the logs of the class shares that the logits contain: none where all classes weigh the same."""
        return np.zeros_like(self.class_shares_) if self.class_weight else self._log_shares

    def _trainer(self, network: nn.Module, train: Material, validation: Material) -> "NeuralNet":
        from counterpoint.contenders import training  # noqa: PLC0415 - loads skorch, and only fits need it

        weight = training.balanced_weights(train.codes, len(self.classes_)) if self.class_weight else None
        # A small table gets small batches, so that an epoch has enough steps.
        batch_size = min(self.batch, max(_LEAST_BATCH, len(train) // _STEPS_AN_EPOCH))
        groups = [(pattern, {"lr": share * self.lr}) for pattern, share in self._rates().items()]
        watching = training.callbacks(
            clip=_CLIP,
            patience=self.patience,
            warm_up=WARM_UP * self.epochs,
            log_shares=self._log_shares - self._log_prior,
            scaled=self._scaled_loss,
        )
        return training.trainer(
            network,
            validation,
            batches=Batches,
            loss=training.Loss(
                weight=weight, smoothing=self.label_smoothing, auxiliary=getattr(self, "auxiliary", 0.0)
            ),
            epochs=self.epochs,
            batch=batch_size,
            seed=child_seed(self.seed, "order"),
            device=self.device,
            precision=self.precision,
            callbacks=[*watching, ("cycle", self._cycle(train, batch_size, groups))],
            lr=self.lr,
            optimizer=torch.optim.AdamW,
            optimizer__weight_decay=self.weight_decay,
            optimizer__param_groups=groups,
            optimizer__fused=True,
        )

    def _cycle(self, train: Material, batch_size: int, groups: list[tuple[str, dict[str, float]]]) -> Any:
        """Return the callback that changes the learning rate of each group of weights after each batch."""
        from skorch.callbacks import LRScheduler  # noqa: PLC0415 - takes a second, and only fits need it
        from torch.optim.lr_scheduler import OneCycleLR  # noqa: PLC0415 - the same

        n_steps = self.epochs * len(Batches(train, batch_size=batch_size).orders())
        rates = [*(group["lr"] for _, group in groups), self.lr]
        return LRScheduler(OneCycleLR, step_every="batch", max_lr=rates, total_steps=n_steps, pct_start=WARM_UP)
