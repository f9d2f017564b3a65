"""Settings that several networks of the 2023 study share, with the published choices as defaults."""

from typing import Annotated, Any, Literal

from pydantic import Field

from counterpoint.contenders import Positive, settings_as_fields
from counterpoint.contenders.published.keras_tokens import Padding
from counterpoint.contenders.published.reading import FittedOn


@settings_as_fields
class TextSettings:
    """How a text is read, and the LSTM that reads it."""

    n_words: Positive = 2000
    """The number of word numbers, the padding among them."""
    length: Positive = 100
    """The number of words to which every text is cut or padded."""
    padding: Padding = "pre"
    """Where the zeros stand: "pre" before the words, or "post" behind them.  The side is not stated in the paper: "pre"
    is the default of Keras, and the only reading that fits their numbers."""
    is_masked: bool = False
    """Skips the padding.  Not stated in the paper.  By default, as in Keras, the LSTM reads the padding like words."""
    tokenizer: FittedOn = "train"
    """The texts from which the word numbers are made: "train", "train_and_validation", or "again" (new numbers from
    the texts of every call)."""
    embed: Positive = 32
    """The width of the vector of a word."""
    hidden: Positive = 128
    """The width of the LSTM."""
    lstm_activation: Literal["tanh", "softmax"] = "tanh"
    """The activation of the LSTM.  "softmax" is the second reading of "every activation softmax"."""


@settings_as_fields
class PixelSettings:
    """How an image is read."""

    side_px: Annotated[int, Field(ge=16, le=512)] = 64
    """The side of the square to which images are resized, in pixels."""
    mode: Literal["gray", "rgb"] = "gray"
    """The channels that are read: "gray" is one, "rgb" is three."""
    aspect: Literal["keep", "squash"] = "squash"
    """"squash" stretches the image to the square, as published.  "keep" fills the square with white around it."""
    resampling: Literal["bilinear", "area"] = "bilinear"
    """"bilinear" does not average, as published.  "area" does."""
    divide_by: Literal[1, 255] = 255
    """The divisor of pixels from 0 to 255.  Published: 255.  With 1 they are not scaled, which is not published."""
    cache: str | None = None
    """The folder of the stored pixels."""

    def pixel_settings(self) -> dict[str, Any]:
        """Return side_px, mode, aspect and resampling of the pixels that the contender reads."""
        return {"side_px": self.side_px, "mode": self.mode, "aspect": self.aspect, "resampling": self.resampling}
