"""A text LSTM and an image network that are joined by concatenation, and trained together."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Annotated, Any, ClassVar, Literal, Self, cast

from pydantic import Field
from torch import nn

from counterpoint.contenders import make
from counterpoint.contenders.base import Rows
from counterpoint.contenders.batches import Material
from counterpoint.contenders.image_cnn import ImageCNN
from counterpoint.contenders.kept.state import State
from counterpoint.contenders.network import Network
from counterpoint.networks.fusions import Concatenation, Solo

Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]
BRANCHES = ("text-lstm", "image-cnn")


class LSTMCNN(Network):
    """Text and image vectors side by side → a joint layer, added to what each branch says alone.

    From "branches" both encoders are first trained alone, then together: trained together from scratch, each
    learns less than it would alone (Du et al., ICML 2023; Wang et al., CVPR 2020).  From "scratch", each branch's
    own loss is added to the joint one against that.

    Parameters
    ----------
    start
        *start* is "branches" (needs the fits of text-lstm and image-cnn, and makes those it is not handed) or
        "scratch".
    text, image
        *text* and *image* are settings of the branches that it makes itself.
    hidden, dropout
        *hidden* is the width of the joint layer, *dropout* that before it.
    hide
        *hide* is the share of pairs of which one modality is hidden from the joint part in training.
    auxiliary
        *auxiliary* is the weight of each branch's own loss.
    encoder_rate
        *encoder_rate* is the learning rate of trained branches, as a share of *lr*.
    epochs, batch, lr, weight_decay, label_smoothing, patience, class_weight, seed
        As for every ``Network``: at most *epochs*, stopped after *patience* of them without a lower
        validation loss.
    cache
        *cache* is the folder of the store of pixels, where there is one.

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

    def __init__(
        self,
        *,
        start: Literal["branches", "scratch"] = "branches",
        text: dict[str, Any] | None = None,
        image: dict[str, Any] | None = None,
        hidden: Positive = 64,
        dropout: Share = 0.2,
        hide: Share = 0.2,
        auxiliary: Annotated[float, Field(ge=0)] = 0.3,
        encoder_rate: Annotated[float, Field(ge=0, le=1)] = 0.1,
        epochs: Positive = 8,
        batch: Positive = 32,
        lr: Annotated[float, Field(gt=0)] = 2e-3,
        weight_decay: Annotated[float, Field(ge=0)] = 0.05,
        label_smoothing: Share = 0.05,
        patience: Positive = 8,
        class_weight: Literal["balanced"] | None = "balanced",
        seed: int = 0,
        cache: str | None = None,
    ) -> None:
        self.start = start
        self.text = text
        self.image = image
        self.hidden = hidden
        self.dropout = dropout
        self.hide = hide
        self.auxiliary = auxiliary
        self.encoder_rate = encoder_rate
        self.epochs = epochs
        self.batch = batch
        self.lr = lr
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.patience = patience
        self.class_weight = class_weight
        self.seed = seed
        self.cache = cache

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the contenders whose fits it starts from."""
        return BRANCHES if self.start == "branches" else ()

    def pixel_settings(self) -> dict[str, Any] | None:
        """Return those of the image branch; None when that is handed over, pixels and all."""
        return None if self.needs else ImageCNN(**(self.image or {})).pixel_settings()

    def estimate_s(self, n_rows: int, branches: Mapping[str, Any]) -> float:
        """Return about how many seconds a fit takes, with the training of branches that it is not handed."""
        own = {name: model for name, model in self._alone().items() if name in self.needs and name not in branches}
        return super().estimate_s(n_rows, branches) + sum(model.estimate_s(n_rows, {}) for model in own.values())

    def row_s(self, branches: Mapping[str, Any]) -> float:
        """Return about how many seconds a row takes in an epoch: those of both branches."""
        return sum(float(branches.get(name, model).row_s({})) for name, model in self._alone().items())

    def _alone(self) -> dict[str, Network]:
        """Return the branches as this contender makes them itself, not yet trained."""
        own = {"text-lstm": {**(self.text or {})}, "image-cnn": {"cache": self.cache, **(self.image or {})}}
        return {name: cast(Network, make(name, **{"seed": self.seed, **own[name]})) for name in BRANCHES}

    def _learn(self, train: Rows, validation: Rows, fits: dict[str, Any]) -> None:
        handed = {name: deepcopy(fits[name]) for name in self.needs if name in fits}
        self.branches_ = {
            name: handed.get(name) or self._branch(model, train, validation) for name, model in self._alone().items()
        }

    def _branch(self, model: Network, train: Rows, validation: Rows) -> Network:
        """Return a branch that reads as the training rows need it; trained, unless everything starts from scratch."""
        if self.start == "branches":
            labelled = [(rows.pairs, self.classes_[rows.codes]) for rows in (train, validation)]
            return model.fit(*labelled[0], validation=labelled[1])
        model.classes_ = self.classes_
        model._learn(train, validation, {})
        model.network_ = model._network()
        return model

    def state(self) -> State:
        """Return what ``fit`` learned, both branches among it."""
        return super().state() | State(fits=self.branches_)

    def restore(self, state: State) -> Self:
        """Take what ``state`` returned; the joint network is built around those of the branches."""
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
