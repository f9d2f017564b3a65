"""Contenders with a fault that no setting of the real ones has."""

from copy import deepcopy
from typing import Annotated, Any, ClassVar

import numpy as np
import polars as pl
import torch
from pydantic import Field
from torch import nn

from counterpoint.contenders import settings_as_fields
from counterpoint.contenders.base import Proba, Rows
from counterpoint.contenders.batches import Material
from counterpoint.contenders.lstm_cnn import LSTMCNN
from counterpoint.contenders.text_svm import TextSVM
from counterpoint.features.pixels import Pixels
from counterpoint.schema import Frame


class FrozenImage(LSTMCNN):
    """The joint network with a frozen image branch, whose weights are moved to random ones by *share* of the way."""

    def __init__(
        self, *, share: float = 1.0, hidden: int = 32, epochs: int = 3, lr: float = 0.01, batch: int = 64,
        encoder_rate: float = 0.5, seed: int = 0, cache: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            hidden=hidden, epochs=epochs, lr=lr, batch=batch, encoder_rate=encoder_rate, seed=seed, cache=cache
        )
        self.share = share

    def _network(self) -> nn.Module:
        network: Any = super()._network()
        random = deepcopy(network.image)
        for module in random.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
        with torch.no_grad():
            for kept, drawn in zip(network.image.parameters(), random.parameters(), strict=True):
                kept.lerp_(drawn, self.share).requires_grad_(False)
        return network  # type: ignore[no-any-return]


@settings_as_fields
class Simple(TextSVM):
    """The text SVM, which reads the text of another row instead of its own in a *share* of the rows."""

    share: Annotated[float, Field(ge=0, le=1)] = 0.0
    """The share of rows."""

    def _proba(self, pairs: Frame) -> Proba:
        rng = np.random.default_rng([self.seed, len(pairs), self.complexity or 0])
        moved = np.flatnonzero(rng.random(len(pairs)) < self.share)
        origin = np.arange(len(pairs))
        origin[moved] = rng.permutation(moved)
        return super()._proba(pairs.with_columns(pairs["text"].gather(origin)))


@settings_as_fields
class Complex(Simple):
    """The same, with the place of a network in the order of simplicity."""

    complexity: ClassVar[int | None] = 4


class _Filled(Pixels):
    """Pixels without marks for missing images, whose pixels are zero."""

    def __init__(self, pixels: Pixels) -> None:
        super().__init__(pixels._store, pixels._slots, np.zeros(len(pixels), dtype=bool))


class ZeroFilled(LSTMCNN):
    """The joint network trained on complete pairs, which later reads a missing image as a black one."""

    def __init__(
        self, *, hidden: int = 32, epochs: int = 3, lr: float = 0.01, batch: int = 64, encoder_rate: float = 0.5,
        seed: int = 0, cache: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            hidden=hidden,
            epochs=epochs,
            lr=lr,
            batch=batch,
            encoder_rate=encoder_rate,
            hide=0.0,
            seed=seed,
            cache=cache,
        )

    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:
        super()._fit(_whole(train), validation and _whole(validation), fits)

    def _material(self, rows: Rows) -> Material:
        material = super()._material(rows)
        assert material.pixels is not None
        return Material(material.codes, tokens=material.tokens, pixels=_Filled(material.pixels))


def _whole(rows: Rows) -> Rows:
    is_whole = rows.pairs.select(pl.all_horizontal(pl.col("text", "image").is_not_null())).to_series()
    return Rows(rows.pairs.filter(is_whole), rows.codes[is_whole.to_numpy()])
