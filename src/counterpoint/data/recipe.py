"""The settings of generated pairs, and the best accuracy that is possible on them."""

from itertools import product
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


def ceilings(recipe: Recipe) -> dict[str, float]:
    """Return the Bayes accuracy of the text, of the image, and of both: the best that any model can reach.

    It is over all rows.  A missing modality carries no signal.

    Examples
    --------
    >>> {name: round(value, 3) for name, value in ceilings(Recipe(text_signal=0.8, joint_signal=0.5)).items()}
    {'text': 0.9, 'image': 0.5, 'both': 0.95}
    """
    flips = np.full((recipe.classes, recipe.classes), recipe.label_noise / (recipe.classes - 1))
    np.fill_diagonal(flips, 1 - recipe.label_noise)
    informed, guessed = float(recipe.prior @ flips.max(axis=1)), float((recipe.prior @ flips).max())

    def accuracy(has_text: float, has_image: float) -> float:
        without = _without_signal(recipe, has_text, has_image)
        return without * guessed + (1 - without) * informed

    has_text, has_image = 1 - recipe.missing_text, (1 - recipe.missing_image) * (1 - recipe.bad_images)
    return {"text": accuracy(has_text, 0), "image": accuracy(0, has_image), "both": accuracy(has_text, has_image)}


def _without_signal(recipe: Recipe, has_text: float, has_image: float) -> float:
    """Return the chance that a row has no signal, given the chances that its text and its image are present."""
    without = 0.0
    for text, image in product((0, 1), repeat=2):
        chance = (has_text if text else 1 - has_text) * (has_image if image else 1 - has_image)
        alone = (1 - recipe.text_signal * text) * (1 - recipe.image_signal * image)
        shared = (1 - recipe.redundant_signal * max(text, image)) * (1 - recipe.joint_signal * text * image)
        without += chance * alone * shared
    return without
