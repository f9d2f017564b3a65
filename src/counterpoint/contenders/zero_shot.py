"""The names of the classes as prompts, compared with the image in the space of a joint encoder."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import AfterValidator
from sklearn.preprocessing import normalize

from counterpoint.contenders import settings_as_fields
from counterpoint.contenders.base import Proba, Rows
from counterpoint.contenders.calibrate import ENOUGH, CalibratedContender, fit_scaling
from counterpoint.contenders.kept.state import State
from counterpoint.contenders.probes.rows_file import chunks
from counterpoint.contenders.readings import Reading, check_fingerprints, fingerprints_of
from counterpoint.contenders.regression import spread
from counterpoint.schema import Frame
from counterpoint.settings import Device

Floats = NDArray[np.float64]
PLACE = "{}"
SHARPNESS = 100.0
"""The factor of cosines before they are calibrated: the largest that CLIP learns."""


def _with_place(prompt: str) -> str:
    if prompt.count(PLACE) != 1:
        raise ValueError(f"a prompt should have {PLACE} once, in the place of the class")
    return prompt


@settings_as_fields
class ZeroShot(CalibratedContender):
    """Prompts such as "a photo of a dog" → the cosine of each with the image, in one space → softmax.

    The encoder is a joint one, of text and image, such as CLIP (Radford et al., ICML 2021).  No pair trains it.  The
    labels of the training rows only set a temperature and the class shares, so that the probabilities are calibrated.
    A missing image gets the class shares.

    Attributes
    ----------
    prompts_
        *prompts_* has the prompt of each class.

    Examples
    --------
    >>> ZeroShot(prompt="a drawing of a {}").prompt_of("red_fox")
    'a drawing of a red fox'
    """

    modalities = ("image",)
    complexity: ClassVar[int | None] = 2

    encoder: str = "joint"
    """An encoder of text and image in one space: a name of the catalogue, a path, or ``module:Class``."""
    prompt: Annotated[str, AfterValidator(_with_place)] = "a photo of a {}"
    """The prompt of a class, with {} in the place of its name."""
    names: Mapping[str, str] | None = None
    """The words for a class where its label is no word, as in ``{n02119789: fox}``."""
    device: Device = "auto"
    """The device of the encoder: "auto", "cpu", "cuda", "cuda:1" or "mps"."""
    encodings: str | None = None
    """The folder of the stored encodings."""
    seed: int = 0
    """Changes nothing in this contender."""

    def encodings_read(self, given: Collection[str] = ()) -> tuple[Reading, ...]:
        """Return the encoder, which encodes the images."""
        return (Reading(self.encoder, "image", self.device),)

    def check_installed(self, given: Collection[str] = ()) -> None:
        """Raise ConfigError when the encoder is missing, or does not read both text and image."""
        self._of_texts().opened()
        super().check_installed(given)

    def prompt_of(self, label: Any) -> str:
        """Return the prompt of the class *label*, whose dashes and underscores are read as spaces."""
        name = (self.names or {}).get(str(label), str(label).replace("_", " ").replace("-", " "))
        return self.prompt.replace(PLACE, name)

    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:
        self.fingerprints_ = fingerprints_of(self.encodings_read())
        self.prompts_ = [self.prompt_of(label) for label in self.classes_]
        prompts = self._of_texts().vectors(pl.DataFrame({"text": self.prompts_}), self.encodings)
        self.directions_ = _unit(prompts[np.arange(len(prompts))])
        rows = spread(train.codes, ENOUGH)
        cosines, is_missing = self._cosines(train.pairs[rows])
        log_shares = np.log(self.class_shares_)
        self.scaling_ = fit_scaling([cosines[~is_missing]], train.codes[rows][~is_missing], log_shares=log_shares)
        self.n_parameters_ = 1 + len(self.classes_)

    def restore(self, state: State) -> Self:
        """Restore a fitted contender from its *state*, if the encoder is still the same."""
        check_fingerprints(self.encodings_read(), state.texts("fingerprints_"))
        return super().restore(state)

    def _proba(self, pairs: Frame) -> Proba:
        cosines, is_missing = self._cosines(pairs)
        proba = self.scaling_.proba([cosines])
        proba[is_missing] = self.class_shares_
        return proba

    def _cosines(self, pairs: Frame) -> tuple[Floats, NDArray[np.bool_]]:
        """Return the cosine of each image with each prompt, times `SHARPNESS`, and which images are missing."""
        (reading,) = self.encodings_read()
        vectors = reading.vectors(pairs, self.encodings)
        cosines = np.empty((len(vectors), len(self.directions_)))
        for rows in chunks(len(vectors)):
            cosines[rows] = SHARPNESS * _unit(vectors[rows]) @ self.directions_.T
        return cosines, vectors.is_missing

    def _of_texts(self) -> Reading:
        return Reading(self.encoder, "text", self.device)


def _unit(vectors: NDArray[Any]) -> Floats:
    """Return the vectors with length 1, or zeros where they are zeros."""
    unit: Floats = normalize(vectors.astype(np.float64))
    return unit
