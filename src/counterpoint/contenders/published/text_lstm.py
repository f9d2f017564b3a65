"""The text branch of the 2023 study's fusion, alone: embedding, LSTM, last state."""

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import nn

from counterpoint.contenders import settings_as_fields
from counterpoint.contenders.published.last_state import LastState
from counterpoint.contenders.published.network import Published
from counterpoint.contenders.published.networks import Head, initialised
from counterpoint.contenders.published.settings import TextSettings


@settings_as_fields
class PaperTextLSTM(TextSettings, Published):
    """Keras' tokenizer (2,000 words, padded to 100) → embedding 32 → LSTM 128 → softmax.

    Examples
    --------
    >>> import polars as pl
    >>> pairs = pl.DataFrame({"text": ["a red fox", "the fox", "a blue car", "the car"] * 4})
    >>> model = PaperTextLSTM(hidden=8, length=5, epochs=30, batch=4, lr=0.02)
    >>> model.fit(pairs, ["animal", "animal", "thing", "thing"] * 4).predict(pairs[1:3]).tolist()
    ['animal', 'thing']
    """

    modalities: ClassVar[tuple[str, ...]] = ("text",)
    branch: ClassVar[str] = "text"
    tiny: ClassVar[Mapping[str, Any]] = {"hidden": 8, "length": 6, "epochs": 2, "batch": 8}

    def row_s(self, branches: Mapping[str, Any]) -> float:
        """Estimate the seconds of a row in an epoch."""
        return text_s(self)

    def _network(self) -> nn.Module:
        return initialised(Head(text_branch(self), n_classes=len(self.classes_)))


def text_branch(settings: TextSettings) -> LastState:
    """Return the text branch with these *settings*."""
    return LastState(
        settings.n_words,
        embed=settings.embed,
        hidden=settings.hidden,
        is_masked=settings.is_masked,
        softmax=settings.lstm_activation == "softmax",
    )


def text_s(settings: TextSettings) -> float:
    """Estimate the seconds of a row in an epoch for the text branch."""
    slower = 6 if settings.lstm_activation == "softmax" else 1
    return 6e-8 * slower * float(settings.length * settings.hidden)
