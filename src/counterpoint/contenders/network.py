"""A neural contender: it builds its network, trains it with skorch, and keeps weights and settings only."""

from abc import abstractmethod
from collections.abc import Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import nn

from counterpoint.contenders import Positive, settings_as_fields
from counterpoint.contenders.base import Contender, Proba, Rows
from counterpoint.contenders.batches import PREDICTED_AT_ONCE, WATCHED, Batches, Material
from counterpoint.contenders.calibrate import Scaling
from counterpoint.contenders.encoded import Encoded, EncodedModality, Floats, with_mean, with_missing
from counterpoint.contenders.inner_split import hold_out
from counterpoint.contenders.kept.state import State
from counterpoint.devices import (
    check_mixed_precision,
    device_of,
    device_or_cpu,
    moved,
    on_device,
    own_draws,
    repeatable,
)
from counterpoint.errors import CounterpointError
from counterpoint.networks.fusions import Fusion
from counterpoint.networks.layers import layer_table
from counterpoint.networks.weights import rebuilt, weights_of
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed
from counterpoint.settings import Device, Precision

if TYPE_CHECKING:
    from skorch import NeuralNet


@settings_as_fields
class Network(Contender):
    """A contender around a torch module, with the settings of training that all such contenders have.

    A child writes ``_learn``, ``_material``, ``_network``, ``_trainer`` and ``_scaling``.  Without ``validation``, 15 %
    of the rows are held out for validation.

    Attributes
    ----------
    branch
        *branch* is the name of the trained part in the history: "text", "image" or "joint".
    network_
        *network_* is the trained module, in evaluation mode, on the CPU.
    scaling_
        *scaling_* maps the logits of the network to those of the predicted probabilities.
    best_epoch_
        *best_epoch_* is the epoch, counted from 1, whose weights were kept.
    """

    branch: ClassVar[str]
    is_seeded: ClassVar[bool] = True
    complexity: ClassVar[int | None] = 4

    epochs: Positive = 15
    """The largest number of epochs."""
    batch: Positive = 32
    """The largest number of rows in a batch."""
    lr: Annotated[float, Field(gt=0)] = 1e-3
    """The learning rate of the optimiser."""
    patience: Positive | None = None
    """Epochs without a lower validation loss, after which training stops and the best epoch is kept.  Without it
    the weights of the last epoch are kept."""
    class_weight: Literal["balanced"] | None = None
    """With "balanced" every class has the same weight in the loss."""
    device: Device = "auto"
    """The device: "auto", "cpu", "cuda", "cuda:1" or "mps".  "auto" is a GPU where there is one.  A fitted network
    predicts on the CPU where its device is not available."""
    precision: Precision = "full"
    """"full" trains in 32 bits.  "mixed" trains in bfloat16 where that is safe, and needs ``counterpoint[mixed]``.
    An LSTM and all predictions are always in 32 bits."""
    seed: int = 0
    """Seeds the weights, the order of the rows and the rows held out."""

    def check_installed(self, given: Collection[str] = ()) -> None:
        """Check that the package for mixed precision is there, where it is used."""
        super().check_installed(given)
        if self.precision == "mixed":
            check_mixed_precision()

    def training_devices(self, given: Collection[str] = ()) -> tuple[str, ...]:
        """Return the names of the devices on which it trains networks."""
        return (self.device,)

    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:
        if validation is None:
            train, validation = hold_out(train, seed=child_seed(self.seed, "hold-out"))
        # Each fit has its own generators: the draws of a caller and of a fit do not shift each other.
        with own_draws(device_of(self.device)), repeatable():
            torch.manual_seed(child_seed(self.seed, self.branch))
            self._learn(train, validation, fits)
            watched = self._material(validation)
            self._train(self._network(), self._material(train), watched)
        # Where every class is one group, the validation rows are the training rows, on which no model is calibrated.
        self.scaling_ = self._scaling(None if validation is train else watched)

    def state(self) -> State:
        """Return the learned state, which includes the weights of the network."""
        weights = {f"network.{name}": array for name, array in weights_of(self.network_).items()}
        return super().state() | State(arrays=weights | self.scaling_.arrays("scaling"))

    def restore(self, state: State) -> Self:
        """Restore a fitted contender from its *state*, where a child first restores all that ``_network`` needs."""
        super().restore(state)
        self.scaling_ = Scaling.of(state.arrays, "scaling")
        self.network_: nn.Module = rebuilt(self._network, state.under("network"))
        return self

    def layer_table(self, X: Any) -> Frame:
        """Return the layers of the fitted network in the order of a forward pass: `networks.layers.LAYERS`.

        The pass is of the pairs *X*, at least one.  Texts without a fixed length are padded to the longest of *X*.
        """
        pairs = self._pairs(X)
        with self._reading(pairs):
            inputs, _ = self._material(Rows(pairs, np.zeros(len(pairs), dtype=np.int64)))[np.arange(len(pairs))]
        return layer_table(self.network_, **inputs)

    def encoded(self, X: Any) -> Encoded | None:
        """Return the outputs of both encoders for the pairs *X*, or None where the network is no `Fusion`."""
        network = self.network_
        if set(self.modalities) != {"text", "image"} or not isinstance(network, Fusion):
            return None
        pairs = self._pairs(X)
        with self._reading(pairs):
            material = self._material(Rows(with_missing(pairs), np.zeros(len(pairs) + 1, dtype=np.int64)))
        orders = Batches(material, batch_size=PREDICTED_AT_ONCE).orders()
        device = device_or_cpu(self.device)
        vectors_and_terms = cast(Fusion, on_device(network, device)).vectors_and_terms
        with repeatable(), torch.inference_mode():
            outputs = (vectors_and_terms(**moved(material[rows][0], device)) for rows in orders)
            batches = [moved(each, torch.device("cpu")) for each in outputs]
        back = np.argsort(np.concatenate(orders))

        def encoded(place: int, modality: str) -> EncodedModality:
            vectors, terms = (torch.cat([batch[place][i] for batch in batches]).numpy()[back] for i in (0, 1))
            return EncodedModality(vectors[:-1], with_mean(terms, pairs[modality].is_not_null().to_numpy()))

        return Encoded(encoded(0, "text"), encoded(1, "image"), join=partial(_decided, network, self.scaling_))

    def estimate_s(self, n_rows: int, branches: Mapping[str, Any]) -> float:
        """Estimate the seconds that a fit to *n_rows* takes on one core if all epochs are used."""
        return 0.3 + self.epochs * n_rows * self.row_s(branches)

    @abstractmethod
    def row_s(self, branches: Mapping[str, Any]) -> float:
        """Estimate the seconds of a row in an epoch, on one core of a server of 2021."""

    @abstractmethod
    def _learn(self, train: Rows, validation: Rows, fits: dict[str, Any]) -> None:
        """Learn all that the network needs before it is built: a vocabulary, the mean of the pixels, the branches."""

    @abstractmethod
    def _material(self, rows: Rows) -> Material:
        """Return the inputs of the network for *rows*."""

    @abstractmethod
    def _network(self) -> nn.Module:
        """Return the network to train, with logits of shape (batch, outputs, classes)."""

    def _epoch(self, row: dict[str, Any]) -> dict[str, Any]:
        return {
            "epoch": row["epoch"],
            "branch": self.branch,
            **{name: float(row[key]) for name, key in WATCHED.items() if key in row},
            "is_kept": row["epoch"] == self.best_epoch_,
        }

    def _train(self, network: nn.Module, train: Material, validation: Material) -> None:
        try:
            net = self._trainer(network, train, validation).fit(train, None)
        except torch.OutOfMemoryError as error:
            raise CounterpointError("The GPU lacks memory. Try a smaller batch, or fewer fit.workers.") from error
        stop = dict(net.callbacks_).get("stop")
        is_through = len(net.history) == self.epochs and "dur" in net.history[-1]
        if not is_through and (stop is None or stop.misses_ < stop.patience):
            raise KeyboardInterrupt  # at Ctrl-C skorch stops training and keeps the network as it is
        self.network_ = net.module_.eval().cpu()
        self.n_epochs_ = len(net.history)
        # Without a finite loss, as without early stopping, the weights of the last epoch are kept.
        self.best_epoch_: int = (stop and stop.best_epoch_) or self.n_epochs_
        self.n_parameters_ = sum(weights.numel() for weights in network.parameters() if weights.requires_grad)
        self.history_ = [self._epoch(row) for row in net.history]

    @abstractmethod
    def _trainer(self, network: nn.Module, train: Material, validation: Material) -> "NeuralNet":
        """Return the trainer of *network* on *train*, which watches the loss on *validation*."""

    @abstractmethod
    def _scaling(self, validation: Material | None) -> Scaling:
        """Return the map from logits to calibrated logits, fitted on *validation* rows if there are any."""

    def _proba(self, pairs: Frame) -> Proba:
        return self.scaling_.proba([self._logits(self._material(Rows(pairs, np.zeros(len(pairs), dtype=np.int64))))])

    def _logits(self, material: Material) -> NDArray[np.float64]:
        """Return the logits of the network itself, shape (n_pairs, n_classes)."""
        logits = np.empty((len(material), len(self.classes_)))
        device = device_or_cpu(self.device)
        network = on_device(self.network_, device)
        with repeatable(), torch.inference_mode():
            for rows in Batches(material, batch_size=PREDICTED_AT_ONCE).orders():
                outputs = network(**moved(material[rows][0], device))  # (batch, outputs, classes)
                logits[rows] = outputs[:, 0].cpu().numpy()
        return logits


def _decided(network: Fusion, scaling: Scaling, text: Floats, image: Floats) -> Floats:
    with torch.inference_mode():
        logits = network.decide(torch.from_numpy(text), torch.from_numpy(image)).numpy()
    return scaling.logits([logits])
