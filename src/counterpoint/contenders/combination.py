"""The base class of combinations: contenders that combine the fits of others, and train those that no study gives."""

from abc import abstractmethod
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from counterpoint.contenders import MODELS, WITHOUT_ENCODERS, make, settings_as_fields, settings_of
from counterpoint.contenders.base import Contender, Rows
from counterpoint.contenders.inner_split import hold_out
from counterpoint.contenders.readings import Reading
from counterpoint.errors import ConfigError, SchemaError
from counterpoint.lookup import find
from counterpoint.schema import MODALITIES

SHARED = ("seed", "cache", "encodings")
"""Settings that a combination shares with the members that it trains itself."""


@settings_as_fields
class Combination(Contender):
    """A combination of other contenders, its members.  A child names them in ``named``."""

    is_seeded = True
    complexity = 3

    branches: Mapping[str, Mapping[str, Any]] | None = None
    """Settings, by name, of the members that this contender trains itself."""
    seed: int = 0
    """The seed of the members that this contender trains itself."""
    cache: str | None = None
    """The folder of the stored pixels."""
    encodings: str | None = None
    """The folder of the stored encodings."""

    @property
    @abstractmethod
    def named(self) -> tuple[str, ...]:
        """Return the names of the members in the settings."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the names of the members."""
        return self.named

    def encodings_read(self, given: Collection[str] = ()) -> tuple[Reading, ...]:
        """Return the vectors that the members read which it trains itself."""
        trained = [self._unfitted(member) for member in self.named if member not in {*given, *WITHOUT_ENCODERS}]
        return tuple(reading for model in trained for reading in model.encodings_read(given))

    def training_devices(self, given: Collection[str] = ()) -> tuple[str, ...]:
        """Return the names of the devices on which it trains networks among its members."""
        trained = [self._unfitted(member) for member in self.named if member not in given]
        return tuple(device for model in trained for device in model.training_devices(given))

    def _fitted_members(
        self, names: Iterable[str], *, train: Rows, validation: Rows | None, fits: Mapping[str, Any]
    ) -> tuple[dict[str, Any], Rows]:
        """Return the fit of each member by name, and the validation rows to combine them on.

        A member that *fits* lacks is trained here.  Without *validation*, some of *train* are held out.

        Parameters
        ----------
        names
            *names* are the members.
        train, validation, fits
            *train*, *validation* and *fits* are the inputs of ``_fit``.

        Raises
        ------
        ConfigError
            When there are fits but no validation rows: some rows of *train* have trained these fits.
        SchemaError
            When a fit has other classes than the combination.
        """
        own = type(self).__name__
        if validation is None and fits:
            raise ConfigError(f"{own} combines fits on validation rows outside their training rows. Got none.")
        rest, held_out = (train, validation) if validation else hold_out(train, seed=self.seed)
        models = {name: fits[name] if name in fits else self._trained(name, rest, held_out) for name in names}
        strange = [name for name, model in models.items() if not np.array_equal(model.classes_, self.classes_)]
        if strange:
            raise SchemaError(f"{own} got fits of other classes than {self.classes_.tolist()}: {strange}.")
        return models, held_out

    def _trained(self, member: str, train: Rows, held_out: Rows) -> Any:
        labels, judged = (self.classes_[rows.codes] for rows in (train, held_out))
        return self._unfitted(member).fit(train.pairs, labels, validation=(held_out.pairs, judged))

    def _unfitted(self, member: str) -> Any:
        """Return a *member* that the combination trains itself, with the settings of its ``branches``."""
        known = settings_of(find(member, MODELS, what="contender")).model_fields
        ours = {key: getattr(self, key) for key in SHARED if key in known}
        return make(member, **ours | dict((self.branches or {}).get(member, {})))

    def _modalities_read(self, members: Iterable[str], study: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the modalities that any of *members* reads: both, if one is known to another study only.

        *study* has contenders by name.
        """
        read = {modality for member in members for modality in self._modalities_of(member, study)}
        return tuple(modality for modality in MODALITIES if modality in read)

    def _modalities_of(self, member: str, study: Mapping[str, Any]) -> tuple[str, ...]:
        if member in study:
            return tuple(study[member].modalities_in(study))
        return tuple(self._unfitted(member).modalities) if member in MODELS or ":" in member else MODALITIES
