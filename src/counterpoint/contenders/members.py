"""The members of a combination: fits that a study made or that are made here, each calibrated on validation rows."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint.contenders import MODELS, make, settings_of
from counterpoint.contenders.base import Rows
from counterpoint.contenders.calibrate import Scaling, fit_scaling
from counterpoint.contenders.inner_split import hold_out
from counterpoint.contenders.kept.state import State
from counterpoint.contenders.readings import Reading
from counterpoint.encoders.base import MODALITIES
from counterpoint.errors import ConfigError, SchemaError
from counterpoint.lookup import find

FLOOR = 1e-7
"""The smallest probability of a member: with 0, the others could not change the prediction."""
SHARED = ("seed", "cache", "encodings")
"""Settings that a combination shares with the members that it trains itself."""


class Combination(Protocol):
    """The settings of a contender that trains the members that no study gives it."""

    branches: Mapping[str, Mapping[str, Any]] | None
    seed: int
    classes_: NDArray[Any]


class CalibratedModel(NamedTuple):
    """A fitted contender, and the scaling that calibrates its log probabilities."""

    name: str
    model: Any
    scaling: Scaling

    def logits(self, pairs: pl.DataFrame) -> NDArray[np.float64]:
        """Return calibrated logits, shape (n_pairs, n_classes)."""
        return self.scaling.logits([_log_proba(self.model, pairs)])

    def state(self, name: str) -> State:
        """Return the fit and its scaling under *name*, as `of` reads them."""
        return State(arrays=self.scaling.arrays(name), fits={name: self.model})

    @classmethod
    def of(cls, state: State, name: str, *, member: str) -> Self:
        """Return a member from its state.

        Parameters
        ----------
        state, name
            *state* has its fit and its scaling under *name*.
        member
            *member* is the name of the contender.
        """
        return cls(member, state.fits[name], Scaling.of(state.arrays, name))


def calibrated(name: str, model: Any, rows: Rows, log_prior: NDArray[np.float64]) -> tuple[float, CalibratedModel]:
    """Return a member with its scaling, and its summed log loss on the rows on which the scaling is fitted.

    Parameters
    ----------
    name, model
        *name* is the member, and *model* its fit.
    rows
        *rows* are validation rows.
    log_prior
        *log_prior* are the logs of the class shares of the training rows, shape (n_classes,).
    """
    scores = _log_proba(model, rows.pairs)
    scaling = fit_scaling([scores], rows.codes, log_shares=log_prior, log_prior=log_prior)
    proba = scaling.proba([scores])
    loss = -float(np.log(proba[np.arange(len(proba)), rows.codes]).sum())
    return loss, CalibratedModel(name, model, scaling)


def fitted_members(
    owner: Combination, members: Iterable[str], *, train: Rows, validation: Rows | None, fits: Mapping[str, Any]
) -> tuple[dict[str, Any], Rows]:
    """Return the fit of each member by name, and the validation rows to combine them on.

    A member that *fits* lacks is trained here.  Without *validation*, some of *train* are held out.

    Parameters
    ----------
    owner, members
        *owner* is the combination, and *members* are names of contenders.
    train, validation, fits
        *train*, *validation* and *fits* are the inputs of ``owner._fit``.

    Raises
    ------
    ConfigError
        When there are fits but no validation rows: some rows of *train* have trained these fits.
    SchemaError
        When a fit has other classes than the combination.
    """
    name = type(owner).__name__
    if validation is None and fits:
        raise ConfigError(f"{name} combines fits on validation rows outside their training rows. Got none.")
    rest, held_out = (train, validation) if validation else hold_out(train, seed=owner.seed)
    models = {member: fits[member] if member in fits else _trained(owner, member, rest, held_out) for member in members}
    strange = [member for member, model in models.items() if not np.array_equal(model.classes_, owner.classes_)]
    if strange:
        raise SchemaError(f"{name} got fits of other classes than {owner.classes_.tolist()}: {strange}.")
    return models, held_out


def unfitted(owner: Combination, member: str) -> Any:
    """Return a *member* that the combination trains itself, with the settings of its ``branches``."""
    known = settings_of(find(member, MODELS, what="contender")).model_fields
    ours = {key: getattr(owner, key) for key in SHARED if key in known}
    return make(member, **ours | dict((owner.branches or {}).get(member, {})))


def readings_of(owner: Combination, members: Iterable[str], given: Collection[str]) -> tuple[Reading, ...]:
    """Return the vectors that those of *members* read that are not *given*.

    Parameters
    ----------
    owner, members
        *owner* is the combination, and *members* are names of contenders.
    given
        *given* are the contenders whose fits it gets.
    """
    trained = _untrained(owner, members, given)
    return tuple(reading for model in trained for reading in model.encodings_read(given))


def devices_of(owner: Combination, members: Iterable[str], given: Collection[str]) -> tuple[str, ...]:
    """Return the names of the devices on which those of *members* are trained that are not *given*.

    Parameters
    ----------
    owner, members
        *owner* is the combination, and *members* are names of contenders.
    given
        *given* are the contenders whose fits it gets.
    """
    trained = _untrained(owner, members, given)
    return tuple(device for model in trained for device in model.training_devices(given))


def _untrained(owner: Combination, members: Iterable[str], given: Collection[str]) -> list[Any]:
    return [unfitted(owner, member) for member in members if member not in given]


def modalities_of(owner: Combination, members: Iterable[str], study: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the modalities that any of *members* reads: both, if one is known to another study only.

    Parameters
    ----------
    owner, members
        *owner* is the combination, and *members* are names of contenders.
    study
        *study* has contenders by name.
    """
    read = {modality for member in members for modality in _modalities(owner, member, study)}
    return tuple(modality for modality in MODALITIES if modality in read)


def _modalities(owner: Combination, member: str, study: Mapping[str, Any]) -> tuple[str, ...]:
    if member in study:
        return tuple(study[member].modalities_in(study))
    return tuple(unfitted(owner, member).modalities) if member in MODELS or ":" in member else MODALITIES


def having(rows: Rows, *modalities: str) -> Rows:
    """Return the rows in which none of *modalities* is missing.

    >>> rows = Rows(pl.DataFrame({"text": ["a", None], "image": ["a.png", "b.png"]}), np.array([0, 1]))
    >>> having(rows, "text", "image").codes.tolist()
    [0]
    """
    is_there = rows.pairs.select(pl.all_horizontal(pl.col(modalities).is_not_null())).to_series().to_numpy()
    return Rows(rows.pairs.filter(is_there), rows.codes[is_there])


def _trained(owner: Combination, member: str, train: Rows, held_out: Rows) -> Any:
    labels, judged = (owner.classes_[rows.codes] for rows in (train, held_out))
    return unfitted(owner, member).fit(train.pairs, labels, validation=(held_out.pairs, judged))


def _log_proba(model: Any, pairs: pl.DataFrame) -> NDArray[np.float64]:
    return np.asarray(np.log(np.maximum(model.predict_proba(pairs), FLOOR)))
