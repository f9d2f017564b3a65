"""The settings of generated pairs."""

from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, model_validator

from counterpoint.data.words import MAX_CLASSES, Language
from counterpoint.settings import Section, Seed

SIGNALS = ("text_signal", "image_signal", "redundant_signal", "joint_signal")
WITHOUT_SIGNALS = {"text_signal": 0.6, "image_signal": 0.4}

Chance = Annotated[float, Field(ge=0, le=1)]
Share = Annotated[float, Field(ge=0, lt=1)]


class Recipe(BaseModel):
    """How generated pairs are made.

    A class is drawn for each row.  Each of four signals is then present or absent, by chance, independently of the
    others.  A present signal determines the class.  The class of a row without any signal can only be guessed.  The
    signals are visible: a word, a shape, a texture, or their absence.

    Parameters
    ----------
    n, classes
        *n* is the number of rows.  *classes* is the number of classes, 2 to 8, named "class_0" and so on.
    text_signal
        *text_signal* is the chance that the text has the word of its class.
    image_signal
        *image_signal* is the chance that the image has the shape of its class.
    redundant_signal
        *redundant_signal* is the chance that the text has the word and the image has the shape.
    joint_signal
        *joint_signal* is the chance that the text has a word *a* and the image a texture *b*.  The class is then
        (a + b) mod *classes*, the exclusive or of two classes.  Each by itself is independent of the class.
    label_noise
        *label_noise* is the chance that the label is one of the other classes, each with equal chance.
    balance
        *balance* are the classes' weights (default: equal).
    language
        *language* is "english", "chinese" (without spaces) or "arabic".
    side_px
        *side_px* is the width and the height of the images.
    near_duplicates
        *near_duplicates* is the share of rows that copy an earlier row, except for one word and a shade of gray.
    missing_text, missing_image, bad_images
        *missing_text* and *missing_image* are the shares of rows without that modality.  *bad_images* is the share of
        rows whose image cannot be read.  Each is independent of the others.
    seed
        *seed* is the seed of all the draws.

    Notes
    -----
    Where no signal is given, *text_signal* is .6 and *image_signal* .4.  Where one is given, the others are 0.
    """

    model_config = Section.model_config

    n: Annotated[int, Field(ge=1, le=10_000_000)] = 1000
    classes: Annotated[int, Field(ge=2, le=MAX_CLASSES)] = 2
    text_signal: Chance = 0.0
    image_signal: Chance = 0.0
    redundant_signal: Chance = 0.0
    joint_signal: Chance = 0.0
    label_noise: Share = 0.0
    balance: tuple[Annotated[float, Field(gt=0)], ...] | None = None
    language: Language = "english"
    side_px: Annotated[int, Field(ge=16, le=512)] = 32
    near_duplicates: Share = 0.0
    missing_text: Share = 0.0
    missing_image: Share = 0.0
    bad_images: Share = 0.0
    seed: Seed = 0

    @model_validator(mode="before")
    @classmethod
    def _some_signal(cls, values: Any) -> Any:
        is_given = not isinstance(values, dict) or any(name in values for name in SIGNALS)
        return values if is_given else {**WITHOUT_SIGNALS, **values}

    @model_validator(mode="after")
    def _one_weight_a_class(self) -> Self:
        if self.balance is not None and len(self.balance) != self.classes:
            raise ValueError(f"balance needs {self.classes} weights, one a class")
        return self

    @property
    def prior(self) -> NDArray[np.float64]:
        """The chance of each class, before labels are flipped."""
        weights = np.ones(self.classes) if self.balance is None else np.array(self.balance)
        prior: NDArray[np.float64] = weights / weights.sum()
        return prior
