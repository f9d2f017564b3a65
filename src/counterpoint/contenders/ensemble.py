"""The mean of the probabilities of other contenders, chosen greedily on validation rows."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field

from counterpoint.contenders import settings_as_fields
from counterpoint.contenders.base import Contender, Proba, Rows
from counterpoint.contenders.greedy_selection import greedy_weights
from counterpoint.contenders.kept.state import State
from counterpoint.contenders.members import devices_of, fitted_members, modalities_of, readings_of
from counterpoint.contenders.readings import Reading
from counterpoint.encoders.base import MODALITIES
from counterpoint.errors import ConfigError
from counterpoint.schema import Frame


@settings_as_fields
class Ensemble(Contender):
    """The weighted mean of the probabilities of other contenders, by greedy selection on validation rows.

    The selection is the one of Caruana et al. (ICML 2004), for the log loss (`greedy_selection`).  It uses all
    contenders of the study that are no ensemble, unless *members* names some.  The validation score of an ensemble is
    too good, because it was selected on these rows.  Its test score is not.

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

    is_seeded = True
    tiny: ClassVar[Mapping[str, Any]] = {
        "members": ("text-svm", "keyword-rule", "image-cnn"),
        "branches": {
            "keyword-rule": {"n_words": 3, "min_count": 1},
            "image-cnn": {"side_px": 8, "width": 4, "epochs": 1, "batch": 8},
        },
    }

    members: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """The contenders to choose from.  With null these are all contenders of the study that are no ensemble."""
    steps: Annotated[int, Field(ge=0, le=1000)] = 50
    """The number of contenders that are added to the best ones.  A contender may be added repeatedly."""
    equal_weights: bool = False
    """Gives all chosen contenders the same weight."""
    bags: Annotated[int, Field(ge=1, le=1000)] = 1
    """The number of selections that are averaged, each from a random share of the contenders."""
    bag_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """The share of the contenders in each selection, if there are several."""
    branches: Mapping[str, Mapping[str, Any]] | None = None
    """Settings, by name, of the contenders that this one trains itself."""
    seed: int = 0
    """The seed of the contenders that this one trains itself."""
    cache: str | None = None
    """The folder of the stored pixels."""
    encodings: str | None = None
    """The folder of the stored encodings."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the names of the members or, where a study gave all of its contenders, of the chosen ones."""
        return self.members or tuple(getattr(self, "members_", ()))

    @property
    def modalities(self) -> tuple[str, ...]:  # type: ignore[override]
        """Return the modalities that the members read."""
        fitted: dict[str, Any] = getattr(self, "members_", {})
        names = tuple(fitted) or self.members
        return modalities_of(self, names, fitted) if names else MODALITIES

    def modalities_in(self, study: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the modalities that the members read in a *study*."""
        return modalities_of(self, self.members or self.needs_in(study), study)

    def needs_in(self, study: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the members, or all contenders of a *study* that are no ensemble."""
        others = (name for name, model in study.items() if not isinstance(model, Ensemble))
        return super().needs_in(study) if self.members else tuple(others)

    def encodings_read(self, given: Collection[str] = ()) -> tuple[Reading, ...]:
        """Return the vectors that the members read which it trains itself."""
        return readings_of(self, self.members or (), given)

    def training_devices(self, given: Collection[str] = ()) -> tuple[str, ...]:
        """Return the names of the devices on which it trains networks among its members."""
        return devices_of(self, self.members or (), given)

    def estimate_s(self, n_rows: int, branches: Mapping[str, Any]) -> float:
        """Estimate the seconds of a fit, in which each member predicts all rows."""
        return 0.2 + len(branches) * n_rows * 5e-4

    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:
        names = self.members or tuple(fits)
        if not names:
            raise ConfigError("An ensemble outside of a study needs members, as in members: [text-svm, image-cnn].")
        models, held_out = fitted_members(self, names, train=train, validation=validation, fits=fits)
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
