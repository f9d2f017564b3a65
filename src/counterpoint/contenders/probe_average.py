"""The average of models of one modality each, calibrated apart: a combination without weights to learn."""

from collections.abc import Collection, Mapping
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
    modalities_of,
    readings_of,
)
from counterpoint.contenders.readings import Reading
from counterpoint.errors import ConfigError
from counterpoint.schema import Frame


@settings_as_fields
class ProbeAverage(Contender):
    """Averages the calibrated log probabilities of models that read one modality each.

    Each member gets its temperature and bias on the validation rows that have its modality.  All members count alike,
    so that a few validation rows are enough.  The average of independent members is too unsure: one more temperature
    and bias make up for it (a logarithmic opinion pool, Genest and Zidek 1986).

    Where a text or an image is missing, the members of the other modality are averaged.  Where both are missing, the
    class shares are predicted.  The logits are a function of the text plus a function of the image.

    Attributes
    ----------
    members_
        *members_* are the members, each with name, model and scaling.
    scaling_
        *scaling_* is the calibration of the average of all members.

    Examples
    --------
    >>> ProbeAverage(members=("text-probe", "text-ngrams", "image-probe")).needs
    ('text-probe', 'text-ngrams', 'image-probe')
    """

    is_additive = True
    is_seeded = True
    tiny: ClassVar[Mapping[str, Any]] = {
        "members": ("text-svm", "image-cnn"),
        "branches": {"image-cnn": {"side_px": 8, "width": 4, "epochs": 1, "batch": 8}},
    }

    members: Annotated[tuple[str, ...], Field(min_length=1)] = ("text-probe", "image-probe")
    """The contenders that are averaged, each of one modality."""
    branches: Mapping[str, Mapping[str, Any]] | None = None
    """Settings, by name, of the members that this contender trains itself."""
    seed: int = 0
    """The seed of the members that this contender trains itself."""
    cache: str | None = None
    """The folder of the stored pixels."""
    encodings: str | None = None
    """The folder of the stored encodings."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the names of the members."""
        return self.members

    @property
    def modalities(self) -> tuple[str, ...]:  # type: ignore[override]
        """Return the modalities that the members read."""
        fitted = {member.name: member.model for member in getattr(self, "members_", ())}
        return modalities_of(self, self.members, fitted)

    def modalities_in(self, study: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the modalities that the members read in a *study*."""
        return modalities_of(self, self.members, study)

    def encodings_read(self, given: Collection[str] = ()) -> tuple[Reading, ...]:
        """Return the vectors that the members read which it trains itself."""
        return readings_of(self, self.members, given)

    def training_devices(self, given: Collection[str] = ()) -> tuple[str, ...]:
        """Return the names of the devices on which it trains networks among its members."""
        return devices_of(self, self.members, given)

    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:
        models, held_out = fitted_members(self, self.members, train=train, validation=validation, fits=fits)
        mixed = next((name for name, model in models.items() if len(model.modalities) != 1), None)
        if mixed is not None:
            read = " and ".join(models[mixed].modalities) or "neither text nor image"
            raise ConfigError(f"probe-average averages contenders of one modality each. {mixed} reads {read}.")
        self.log_prior_ = np.log(np.maximum(self.class_shares_, FLOOR))
        self.members_: tuple[CalibratedModel, ...] = tuple(
            calibrated(name, model, having(held_out, *model.modalities), self.log_prior_)[1]
            for name, model in models.items()
        )
        whole = having(held_out, *self.modalities)
        scores = np.mean([member.logits(whole.pairs) for member in self.members_], axis=0)
        self.scaling_ = fit_scaling([scores], whole.codes, log_shares=self.log_prior_, log_prior=self.log_prior_)
        self.n_epochs_, self.n_parameters_, self.n_trials_ = (
            sum(getattr(model, count) for model in models.values())
            for count in ("n_epochs_", "n_parameters_", "n_trials_")
        )
        self.n_parameters_ += 1 + len(self.classes_)

    def state(self) -> State:
        """Return the learned state, which includes the fits of all members."""
        state = super().state() | State(arrays=self.scaling_.arrays("average"))
        for i, member in enumerate(self.members_):
            state |= member.state(f"member-{i}")
        return state

    def restore(self, state: State) -> Self:
        """Restore a fitted contender from its *state*."""
        names = dict.fromkeys(self.members)
        self.members_ = tuple(CalibratedModel.of(state, f"member-{i}", member=name) for i, name in enumerate(names))
        self.scaling_ = Scaling.of(state.arrays, "average")
        return super().restore(state)

    def encoded(self, X: Any) -> Encoded | None:
        """Return the summed logits of each modality for the pairs *X*, or None where the members read only one."""
        if len(self.modalities) == 1:
            return None
        pairs = self._pairs(X)
        with self._reading(pairs):
            terms_of = self._terms(with_missing(pairs))
        text, image = (
            EncodedModality(terms[:-1, :-1], with_mean(terms, pairs[name].is_not_null().to_numpy()))
            for name, terms in terms_of.items()
        )
        return Encoded(text, image, join=self._averaged)

    def _terms(self, pairs: Frame) -> dict[str, Floats]:
        """Return, by modality, the summed logits of its members, and how many there are: (n_pairs, n_classes + 1)."""
        shape = len(pairs), len(self.classes_) + 1
        terms: dict[str, Floats] = {modality: np.zeros(shape) for modality in self.modalities}
        for member in self.members_:
            (modality,) = member.model.modalities
            is_there = pairs[modality].is_not_null().to_numpy()[:, None]
            terms[modality] += is_there * np.hstack([member.logits(pairs), np.ones((len(pairs), 1))])
        return terms

    def _averaged(self, *terms: Floats) -> NDArray[np.float64]:
        """Return the logits of summed *terms* of modalities."""
        total = np.asarray(np.sum(terms, axis=0), dtype=np.float64)
        n_members = total[:, -1:]
        average = np.where(n_members > 0, total[:, :-1] / np.maximum(n_members, 1), self.log_prior_)
        return np.where(n_members == len(self.members_), self.scaling_.logits([average]), average)

    def _proba(self, pairs: Frame) -> Proba:
        return np.asarray(softmax(self._averaged(*self._terms(pairs).values()), axis=1))
