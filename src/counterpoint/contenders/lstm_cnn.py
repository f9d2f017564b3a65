"""A text LSTM and an image network, joined by concatenation and trained together."""

from collections.abc import Collection, Mapping
from copy import deepcopy
from typing import Annotated, Any, ClassVar, Literal, Self, cast

from pydantic import Field
from torch import nn

from counterpoint.contenders import Positive, Share, make, settings_as_fields
from counterpoint.contenders.base import Rows
from counterpoint.contenders.batches import Material
from counterpoint.contenders.calibrate import Scaling
from counterpoint.contenders.image_cnn import ImageCNN
from counterpoint.contenders.kept.state import State
from counterpoint.contenders.network import Network
from counterpoint.contenders.one_cycle import OneCycleNetwork
from counterpoint.contenders.text_lstm import TextLSTM
from counterpoint.networks.fusions import Concatenation, Solo

BRANCHES = ("text-lstm", "image-cnn")


@settings_as_fields
class LSTMCNN(OneCycleNetwork):
    """Text and image vectors, concatenated → a joint layer, added to the logits of each branch alone.

    With *start* "branches", both encoders are first trained alone and then together.  Trained together from scratch,
    each learns less than alone (Du et al., ICML 2023; Wang et al., CVPR 2020).  With "scratch", the loss of each branch
    is added to the joint loss for that reason.

    Examples
    --------
    >>> import polars as pl
    >>> texts = {"text": ["a fox", "a car"] * 4, "image": [None] * 8}
    >>> pairs = pl.DataFrame(texts, schema_overrides={"image": pl.String})
    >>> model = LSTMCNN(text={"epochs": 9}, image={"epochs": 1, "side_px": 8, "width": 4})
    >>> model.fit(pairs, ["animal", "thing"] * 4).predict(pairs[:2]).tolist()
    ['animal', 'thing']
    """

    modalities: ClassVar[tuple[str, ...]] = ("text", "image")
    branch: ClassVar[str] = "joint"
    tiny: ClassVar[Mapping[str, Any]] = {
        "text": TextLSTM.tiny, "image": ImageCNN.tiny, "hidden": 8, "epochs": 1, "batch": 8,
    }  # fmt: skip

    start: Literal["branches", "scratch"] = "branches"
    """"branches" starts from the fits of text-lstm and image-cnn, and trains those that ``fit`` does not get.
    "scratch" starts from random weights."""
    text: dict[str, Any] | None = None
    """Settings of the text branch, where this contender trains it."""
    image: dict[str, Any] | None = None
    """Settings of the image branch, where this contender trains it."""
    hidden: Positive = 64
    """The width of the joint layer."""
    dropout: Share = 0.2
    """The dropout before the joint layer."""
    hide: Share = 0.2
    """The share of pairs with one modality hidden from the joint part in training."""
    auxiliary: Annotated[float, Field(ge=0)] = 0.3
    """The weight of each branch's own loss."""
    encoder_rate: Annotated[float, Field(ge=0, le=1)] = 0.1
    """The learning rate of trained branches, as a share of *lr*."""
    cache: str | None = None
    """The folder of the stored pixels."""
    epochs: Positive = 8
    patience: Positive = 4
    lr: Annotated[float, Field(gt=0)] = 2e-3

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the contenders whose fits it starts from."""
        return BRANCHES if self.start == "branches" else ()

    def pixel_settings(self) -> dict[str, Any] | None:
        """Return the pixel settings of the image branch, or None where ``fit`` gets that branch."""
        return None if self.needs else ImageCNN(**(self.image or {})).pixel_settings()

    def training_devices(self, given: Collection[str] = ()) -> tuple[str, ...]:
        """Return the names of the devices on which it and the branches are trained that ``fit`` does not get."""
        own = [model.device for name, model in self._alone().items() if name in self.needs and name not in given]
        return (self.device, *own)

    def estimate_s(self, n_rows: int, branches: Mapping[str, Any]) -> float:
        """Estimate the seconds of a fit, with the training of the branches that ``fit`` does not get."""
        own = {name: model for name, model in self._alone().items() if name in self.needs and name not in branches}
        return super().estimate_s(n_rows, branches) + sum(model.estimate_s(n_rows, {}) for model in own.values())

    def row_s(self, branches: Mapping[str, Any]) -> float:
        """Estimate the seconds of a row in an epoch, for both branches."""
        return sum(float(branches.get(name, model).row_s({})) for name, model in self._alone().items())

    def _alone(self) -> dict[str, Network]:
        """Return the untrained branches with the settings of this contender."""
        own = {"text-lstm": {**(self.text or {})}, "image-cnn": {"cache": self.cache, **(self.image or {})}}
        shared = {name: getattr(self, name) for name in ("seed", "device", "precision")}
        return {name: cast(Network, make(name, **{**shared, **own[name]})) for name in BRANCHES}

    def _learn(self, train: Rows, validation: Rows, fits: dict[str, Any]) -> None:
        given = {name: deepcopy(fits[name]) for name in self.needs if name in fits}
        self.branches_ = {
            name: given.get(name) or self._branch(model, train, validation) for name, model in self._alone().items()
        }

    def _branch(self, model: Network, train: Rows, validation: Rows) -> Network:
        """Return a branch with a learned vocabulary and pixel mean, and trained unless *start* is "scratch"."""
        if self.start == "branches":
            labelled = [(rows.pairs, self.classes_[rows.codes]) for rows in (train, validation)]
            return model.fit(*labelled[0], validation=labelled[1])
        model.classes_, model.scaling_ = self.classes_, Scaling.identity(len(self.classes_))
        model._learn(train, validation, {})
        model.network_ = model._network()
        return model

    def state(self) -> State:
        """Return the learned state, which includes both branches."""
        return super().state() | State(fits=self.branches_)

    def restore(self, state: State) -> Self:
        """Restore a fitted contender from its *state*, with the branches first: the joint network contains theirs."""
        self.branches_ = {name: state.fits[name] for name in BRANCHES}
        return super().restore(state)

    def _material(self, rows: Rows) -> Material:
        text, image = (branch._material(rows) for branch in self.branches_.values())
        return Material(rows.codes, tokens=text.tokens, pixels=image.pixels)

    def _network(self) -> nn.Module:
        text, image = (cast(Solo, branch.network_) for branch in self.branches_.values())
        return Concatenation(
            text, image, n_classes=len(self.classes_), hidden=self.hidden, dropout=self.dropout, hide=self.hide
        )

    def _rates(self) -> dict[str, float]:
        return {"text.*": self.encoder_rate, "image.*": self.encoder_rate} if self.needs else {}
