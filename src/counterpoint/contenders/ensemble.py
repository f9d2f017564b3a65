"""The mean of the probabilities of other contenders, chosen greedily on validation rows."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field

from counterpoint.contenders import settings_as_fields
from counterpoint.contenders.base import Proba, Rows
from counterpoint.contenders.combination import Combination
from counterpoint.contenders.greedy_selection import greedy_weights
from counterpoint.contenders.kept.state import State
from counterpoint.errors import ConfigError
from counterpoint.schema import MODALITIES, Frame


@settings_as_fields
class Ensemble(Combination):
    """The weighted mean of the probabilities of other contenders, by greedy selection on validation rows.

    The selection is the one of Caruana et al. (ICML 2004), for the log loss (`greedy_selection`).  It uses all
    contenders of the study that read a text or an image and are no ensemble, unless *members* names some.  A model of
    metadata would make its gain one of neither modality.  The validation score of an ensemble is too good, because it
    was selected on these rows.  Its test score is not.

    Attributes
    ----------
    weights_
        *weights_* has the weight of each chosen contender by name.  They add up to 1.
    members_
        *members_* has the fit of each chosen contender by name.

    Examples
    --------
    >>> Ensemble(members=("text-svm", "image-cnn")).needs
    ('text-svm', 'image-cnn')
    """

    tiny: ClassVar[Mapping[str, Any]] = {
        "members": ("text-svm", "keyword-rule", "image-cnn"),
        "branches": {
            "keyword-rule": {"n_words": 3, "min_count": 1},
            "image-cnn": {"side_px": 8, "width": 4, "epochs": 1, "batch": 8},
        },
    }

    members: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """The contenders to choose from.  With null these are all contenders of the study that read a text or an image and
    are no ensemble."""
    steps: Annotated[int, Field(ge=0, le=1000)] = 50
    """The number of contenders that are added to the best ones.  A contender may be added repeatedly."""
    equal_weights: bool = False
    """Gives all chosen contenders the same weight."""
    bags: Annotated[int, Field(ge=1, le=1000)] = 1
    """The number of selections that are averaged, each from a random share of the contenders."""
    bag_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """The share of the contenders in each selection, if there are several."""

    @property
    def named(self) -> tuple[str, ...]:
        """Return the names of the members, or none where a study gives all of its contenders."""
        return self.members or ()

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the names of the members or, where a study gave all of its contenders, of the chosen ones."""
        return self.named or tuple(getattr(self, "members_", ()))

    @property
    def modalities(self) -> tuple[str, ...]:  # type: ignore[override]
        """Return the modalities that the members read."""
        fitted: dict[str, Any] = getattr(self, "members_", {})
        names = tuple(fitted) or self.named
        return self._modalities_read(names, fitted) if names else MODALITIES

    def modalities_in(self, study: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the modalities that the members read in a *study*."""
        return self._modalities_read(self.named or self.needs_in(study), study)

    def needs_in(self, study: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the members, or all contenders of a *study* that read a modality and are no ensemble."""
        others = (name for name, model in study.items() if not isinstance(model, Ensemble) and model.modalities)
        return super().needs_in(study) if self.named else tuple(others)

    def estimate_s(self, n_rows: int, branches: Mapping[str, Any]) -> float:
        """Estimate the seconds of a fit, in which each member predicts all rows."""
        return 0.2 + len(branches) * n_rows * 5e-4

    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:
        names = self.named or tuple(fits)
        if not names:
            raise ConfigError("An ensemble outside of a study needs members, as in members: [text-svm, image-cnn].")
        models, held_out = self._fitted_members(names, train=train, validation=validation, fits=fits)
        own = np.arange(len(held_out.codes)), held_out.codes
        chances = np.array([model.predict_proba(held_out.pairs)[own] for model in models.values()])
        weights = greedy_weights(
            chances, steps=self.steps, bags=self.bags, bag_share=self.bag_share, are_equal=self.equal_weights
        )
        self.weights_ = {name: float(weight) for name, weight in zip(models, weights, strict=True) if weight > 0}
        self.members_ = {name: models[name] for name in self.weights_}
        self.n_epochs_, self.n_parameters_ = (
            sum(getattr(model, count) for model in self.members_.values()) for count in ("n_epochs_", "n_parameters_")
        )
        self.n_parameters_ += len(models)
        self.n_trials_ = sum(model.n_trials_ for model in models.values())

    def state(self) -> State:
        """Return the learned state, which includes the fits of the chosen members."""
        fits = {f"member-{i}": model for i, model in enumerate(self.members_.values())}
        return super().state() | State(fits=fits)

    def restore(self, state: State) -> Self:
        """Restore a fitted contender from its *state*."""
        names = state.values["weights_"]
        self.members_ = {name: state.fits[f"member-{i}"] for i, name in enumerate(names)}
        return super().restore(state)

    def _proba(self, pairs: Frame) -> Proba:
        parts = [weight * self.members_[name].predict_proba(pairs) for name, weight in self.weights_.items()]
        return np.asarray(np.sum(parts, axis=0))
