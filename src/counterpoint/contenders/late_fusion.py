"""A text model and an image model, trained separately, whose probabilities are combined on validation rows."""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import softmax

from counterpoint.contenders import settings_as_fields
from counterpoint.contenders.base import Contender, Proba, Rows
from counterpoint.contenders.calibrate import Scaling, fit_scaling
from counterpoint.contenders.encoded import Encoded, EncodedModality, Floats, with_mean, with_missing
from counterpoint.contenders.kept.state import State
from counterpoint.contenders.members import (
    FLOOR,
    CalibratedModel,
    calibrated,
    devices_of,
    fitted_members,
    having,
    readings_of,
)  # fmt: skip
from counterpoint.contenders.readings import Reading
from counterpoint.schema import Frame

Names = Annotated[tuple[str, ...], Field(min_length=1)]


@settings_as_fields
class LateFusion(Contender):
    """Adds the calibrated log probabilities of a text model and an image model that were trained separately.

    Such a fusion is the control for any joint training (Du et al., ICML 2023).  On the validation rows, each candidate
    gets its temperature (Guo et al., ICML 2017) and bias.  The candidate with the smaller log loss represents its
    modality.  Two weights and one bias for each class are then fitted.  The weights are never negative, and are pulled
    towards each other.

    Where a text or an image is missing, the other branch alone predicts.  Where both are missing, the class shares do.
    The logits are a function of the text plus a function of the image.  So this contender is its own EMAP, and any gain
    of a joint model over it may be interaction.

    Attributes
    ----------
    is_additive
        *is_additive* is True: the logits contain no interaction of the modalities.
    branches_
        *branches_* are the selected text and image branches, each with name, model and scaling.
    scaling_
        *scaling_* has their weights and the bias of each class.

    Examples
    --------
    >>> LateFusion(text=("text-svm",)).needs
    ('text-svm', 'image-cnn')
    """

    modalities = ("text", "image")
    is_seeded = True
    is_additive = True
    tiny: ClassVar[Mapping[str, Any]] = {
        "branches": {
            "text-lstm": {"embed": 8, "hidden": 8, "epochs": 2, "batch": 8},
            "image-cnn": {"side_px": 8, "width": 4, "epochs": 1, "batch": 8},
        }
    }

    text: Names = ("text-svm", "text-lstm")
    """The candidates for the text branch."""
    image: Names = ("image-cnn",)
    """The candidates for the image branch."""
    branches: Mapping[str, Mapping[str, Any]] | None = None
    """Settings, by name, of the candidates that this contender trains itself."""
    seed: int = 0
    """The seed of the candidates that this contender trains itself."""
    cache: str | None = None
    """The folder of the stored pixels."""
    encodings: str | None = None
    """The folder of the stored encodings."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the names of the contenders that it combines."""
        return (*self.text, *self.image)

    def encodings_read(self, given: Collection[str] = ()) -> tuple[Reading, ...]:
        """Return the vectors that the candidates read which it trains itself."""
        return readings_of(self, self.needs, given)

    def training_devices(self, given: Collection[str] = ()) -> tuple[str, ...]:
        """Return the names of the devices on which it trains networks among its candidates."""
        return devices_of(self, self.needs, given)

    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:
        models, held_out = fitted_members(self, self.needs, train=train, validation=validation, fits=fits)
        self.log_prior_ = np.log(np.maximum(self.class_shares_, FLOOR))
        text = _best(self.text, models, having(held_out, "text"), self.log_prior_)
        image = _best(self.image, models, having(held_out, "image"), self.log_prior_)
        self.branches_: tuple[CalibratedModel, ...] = (text, image)
        both = having(held_out, "text", "image")
        scores = [branch.logits(both.pairs) for branch in self.branches_]
        self.scaling_ = fit_scaling(scores, both.codes, log_shares=self.log_prior_, log_prior=self.log_prior_)
        self.n_epochs_ = sum(branch.model.n_epochs_ for branch in self.branches_)
        self.n_parameters_ = 2 + len(self.classes_) + sum(branch.model.n_parameters_ for branch in self.branches_)
        self.n_trials_ = sum(model.n_trials_ for model in models.values())

    def state(self) -> State:
        """Return the learned state, which includes the fits of both branches."""
        text, image = self.branches_
        own = State(arrays=self.scaling_.arrays("joint"), values={"names": [text.name, image.name]})
        return super().state() | own | text.state("text") | image.state("image")

    def restore(self, state: State) -> Self:
        """Restore a fitted contender from its *state*."""
        self.branches_ = tuple(
            CalibratedModel.of(state, modality, member=name)
            for name, modality in zip(state.texts("names"), self.modalities, strict=True)
        )
        self.scaling_ = Scaling.of(state.arrays, "joint")
        return super().restore(state)

    def logits(self, X: Any) -> NDArray[np.float64]:
        """Return the logits, shape (n_pairs, n_classes): a term of the text, a term of the image, and a bias."""
        pairs = self._pairs(X)
        with self._reading(pairs):
            return self._combined(*self._terms(pairs))

    def encoded(self, X: Any) -> Encoded:
        """Return the outputs of both branches for the pairs *X*, with their calibrated logits as vectors."""
        pairs = self._pairs(X)
        with self._reading(pairs):
            terms_of = self._terms(with_missing(pairs))
        text, image = (
            EncodedModality(terms[:-1, :-1], with_mean(terms, pairs[name].is_not_null().to_numpy()))
            for name, terms in zip(self.modalities, terms_of, strict=True)
        )
        return Encoded(text, image, join=self._combined)

    def _terms(self, pairs: Frame) -> list[Floats]:
        """Return logits of text and image with a last column, 1 where it is not missing: (n_pairs, n_classes + 1)."""
        return [
            np.column_stack([branch.logits(pairs), pairs[name].is_not_null().to_numpy()])
            for name, branch in zip(self.modalities, self.branches_, strict=True)
        ]

    def _combined(self, text: Floats, image: Floats) -> NDArray[np.float64]:
        has_text, has_image = text[:, -1:] > 0, image[:, -1:] > 0
        of_text, of_image = np.asarray(text[:, :-1], dtype=float), np.asarray(image[:, :-1], dtype=float)
        alone = np.where(has_text, of_text, np.where(has_image, of_image, self.log_prior_))
        return np.where(has_text & has_image, self.scaling_.logits([of_text, of_image]), alone)

    def _proba(self, pairs: Frame) -> Proba:
        return np.asarray(softmax(self.logits(pairs), axis=1))


def _best(names: Sequence[str], models: dict[str, Any], rows: Rows, log_prior: NDArray[np.float64]) -> CalibratedModel:
    _, best = min((calibrated(name, models[name], rows, log_prior) for name in names), key=lambda found: found[0])
    return best
