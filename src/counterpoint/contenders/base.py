"""The base class of contenders: a scikit-learn classifier of frames with text and image columns."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from counterpoint.contenders import settings_of
from counterpoint.contenders.encoded import Encoded
from counterpoint.contenders.images import images_of, warn_of_none
from counterpoint.contenders.inputs import as_labels, as_pairs
from counterpoint.contenders.kept.state import State, learned
from counterpoint.contenders.readings import Reading
from counterpoint.errors import SchemaError
from counterpoint.schema import Frame

Codes = NDArray[np.int64]
Proba = NDArray[np.float64]
_LEARNED = {
    "classes_": np.ndarray,
    "class_shares_": np.ndarray,
    "history_": list,
    "n_epochs_": int,
    "n_parameters_": int,
    "n_trials_": int,
}


class Rows(NamedTuple):
    """Pairs and, for each, the position of its label in ``classes_``."""

    pairs: Frame
    codes: Codes


class Contender(ClassifierMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """A classifier of pairs.  A child writes ``_fit``, ``_proba`` and its settings.

    The settings are annotated fields under `counterpoint.contenders.settings_as_fields`, or the annotated keyword-only
    parameters of ``__init__``.

    Attributes
    ----------
    modalities
        *modalities* are the columns of the pairs that it reads as a modality: "text", "image".
    needs
        *needs* are the contenders whose fits it uses.  A study passes them to ``fit``.
    is_seeded
        *is_seeded* is False when the seed changes nothing, so that one fit is enough for all seeds.
    is_trained
        *is_trained* is False for a rule of a few words, which shows nothing about a modality.
    is_calibrated
        *is_calibrated* is False for a model whose probabilities stay as published.  The probabilities of all others are
        calibrated under the class shares of the training rows.  Only the contract of contenders reads it: a study
        treats both alike.
    is_additive
        *is_additive* is True when its logits are a sum over the modalities, without any interaction.
    complexity
        *complexity* is the place of its trained part in the order of CP023: 0 for class shares, 1 for a rule or a few
        facts, 2 for a linear model, 3 for trees or a combination, 4 for a network that is trained end to end.  Without
        it, CP023 compares the number of trained parameters.
    part_types
        *part_types* are the only types of scikit-learn, or their full names, that a kept fit may contain.
    tiny
        *tiny* are settings for tests: a fit to a few rows then takes less than a second.
    classes_, class_shares_, history_, n_epochs_, n_parameters_, n_trials_
        The results of ``fit``: the sorted labels, their shares of the training rows, one row for each epoch, and the
        cost of the fit.
    """

    modalities: ClassVar[tuple[str, ...]] = ()
    needs: Any = ()
    is_seeded: ClassVar[bool] = False
    is_trained: ClassVar[bool] = True
    is_calibrated: ClassVar[bool] = True
    is_additive: ClassVar[bool] = False
    complexity: ClassVar[int | None] = None
    part_types: ClassVar[tuple[type | str, ...]] = ()
    tiny: ClassVar[Mapping[str, Any]] = {}

    classes_: NDArray[Any]
    class_shares_: NDArray[np.float64]
    history_: list[dict[str, Any]]
    n_epochs_: int
    n_parameters_: int
    n_trials_: int

    def fit(
        self, X: Any, y: Any, *, validation: tuple[Any, Any] | None = None, fits: Mapping[str, Any] | None = None
    ) -> Self:
        """Learn from the pairs *X* and their labels *y*.

        Parameters
        ----------
        X, y
            *X* is a polars, pandas or Arrow frame with ``text`` and ``image``.  An image is a path, bytes, a PIL image,
            or an array of uint8 of shape (height, width) or (height, width, 3).  *y* has one label (text or number) for
            each row.
        validation
            *validation* is ``(X, y)`` of rows for early stopping, calibration or combination, never for training.
        fits
            *fits* maps names in ``needs`` to contenders that are already fitted on these rows.

        Raises
        ------
        SchemaError
            When a column or a label is missing, *y* has fewer than two classes, or no image can be read.
        ConfigError
            When a setting is not allowed.

        Warns
        -----
        ImageWarning
            Once, with the number of images that cannot be read.  They count as missing.  Also where a model of images
            alone gets no image.
        """
        settings_of(type(self)).read(self.get_params(deep=False), where=type(self).__name__)
        labels = as_labels(y)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise SchemaError(f"A classifier needs at least two classes; y has {self.classes_.tolist()}.")
        self.class_shares_ = np.bincount(codes) / len(codes)
        self.history_, self.n_epochs_, self.n_parameters_, self.n_trials_ = [], 0, 0, 1
        train = Rows(self._pairs(X, len(labels)), codes.astype(np.int64))
        held_out = self._coded(validation) if validation else None
        if self.modalities == ("image",):
            warn_of_none(train.pairs)
        with self._reading(train.pairs, held_out.pairs if held_out else None):
            self._fit(train, held_out, dict(fits or {}))
        return self

    def predict_proba(self, X: Any) -> Proba:
        """Return class probabilities, shape (n_pairs, n_classes), columns in the order of ``classes_``.

        They are calibrated under ``class_shares_``, the class shares of the training rows.  `counterpoint.decide`
        returns the predicted classes that are the best for a metric.  Images that cannot be read are treated as by
        ``fit``.
        """
        check_is_fitted(self, "classes_")
        pairs = self._pairs(X)
        with self._reading(pairs):
            return self._proba(pairs) if len(pairs) else np.empty((0, len(self.classes_)))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each pair, which is the best for accuracy."""
        best = self.predict_proba(X).argmax(axis=1)
        labels: NDArray[Any] = self.classes_[best]
        return labels

    def pixel_settings(self) -> dict[str, Any] | None:
        """Return the arguments of `features.pixels.load_pixels` for the pixels that it reads, or None."""
        return None

    def encodings_read(self, given: Collection[str] = ()) -> tuple[Reading, ...]:
        """Return the vectors of encoders that it reads.  A study encodes them once for all contenders.

        *given* are the contenders whose fits it gets, so that it does not train them itself.
        """
        return ()

    def training_devices(self, given: Collection[str] = ()) -> tuple[str, ...]:
        """Return the names of the devices on which it trains networks.  Fits on a GPU are other fits than on the CPU.

        *given* are the contenders whose fits it gets, so that it does not train them itself.
        """
        return ()

    def check_installed(self, given: Collection[str] = ()) -> None:
        """Check that the packages and encoders that it uses are there, before anything is fitted.

        Raises
        ------
        ConfigError
            When one is missing.
        """
        for reading in self.encodings_read(given):
            reading.opened()

    def needs_in(self, study: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the names of the contenders of a *study* whose fits it uses."""
        return tuple(name for name in self.needs if name in study)

    def modalities_in(self, study: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the modalities that it reads in a *study*, whose contenders it may combine."""
        return tuple(self.modalities)

    def encoded(self, X: Any) -> Encoded | None:
        """Return the outputs of the encoders for the pairs *X*, or None where the contender has no such encoders.

        The measures of `counterpoint.measures` then run the head alone on recombined pairs.  Its softmax must equal
        ``predict_proba``.
        """
        return None

    def estimate_s(self, n_rows: int, branches: Mapping[str, Any]) -> float:
        """Estimate the seconds that a fit to *n_rows* takes on one core.

        A study uses it for the order of its fits and for the expected time.  *branches* are the contenders it needs.
        """
        return 0.1 + n_rows / 1000

    def state(self) -> State:
        """Return the learned state, in the forms that are kept on disk.

        By default these are the attributes whose names end in ``_``, if they are arrays, JSON values, estimators of
        ``part_types`` or other contenders.  A child adds others: ``super().state() | State(values=...)``.
        """
        return learned(self)

    def restore(self, state: State) -> Self:
        """Restore a fitted contender from its *state*, where a child restores its own part first and calls this last.

        Raises
        ------
        ValueError
            When a value in *state* has the wrong form.
        """
        found = state.attributes()
        wrong = [name for name, kind in _LEARNED.items() if name in found and not isinstance(found[name], kind)]
        if wrong:
            raise ValueError(f"{wrong[0]} should be {_LEARNED[wrong[0]].__name__}")
        for name, value in found.items():
            setattr(self, name, value)
        return self

    @abstractmethod
    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:
        """Learn from *train* when ``classes_`` is set and the counts of ``Contender`` have their defaults."""

    @abstractmethod
    def _proba(self, pairs: Frame) -> Proba:
        """Return class probabilities, shape (n_pairs, n_classes), of at least one pair."""

    def _pairs(self, X: Any, n_labels: int | None = None) -> Frame:
        return as_pairs(X, self.modalities, n_labels=n_labels, keep_images="image" in self.modalities)

    def _reading(self, pairs: Frame, validation: Frame | None = None) -> AbstractContextManager[None]:
        """Return the context of a call, which counts the images that cannot be read."""
        return images_of(pairs, validation) if "image" in self.modalities else nullcontext()

    def _coded(self, validation: tuple[Any, Any]) -> Rows | None:
        """Return the validation rows without those of a class that training lacks."""
        labels = as_labels(validation[1])
        pairs = self._pairs(validation[0], len(labels))
        is_known = np.isin(labels, self.classes_)
        codes = np.searchsorted(self.classes_, labels[is_known]).astype(np.int64)
        return Rows(pairs.filter(is_known), codes) if is_known.any() else None
