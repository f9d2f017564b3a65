"""The base class of probes on the vectors of frozen encoders."""

from collections.abc import Mapping
from typing import Any, Self

from counterpoint.contenders import settings_as_fields
from counterpoint.contenders.base import Rows
from counterpoint.contenders.kept.state import State
from counterpoint.contenders.probes.probe import Probe
from counterpoint.contenders.readings import check_fingerprints, fingerprints_of
from counterpoint.contenders.vectors import Vectors
from counterpoint.schema import Frame
from counterpoint.settings import Device


@settings_as_fields
class EmbeddingProbe(Probe):
    """A probe on vectors of frozen encoders, which a child names in ``encodings_read``.

    A study encodes each text and each image once.
    """

    device: Device = "auto"
    """The device of the encoder: "auto", "cpu", "cuda", "cuda:1" or "mps"."""
    encodings: str | None = None
    """The folder of the stored encodings."""
    seed: int = 0
    """Changes nothing in this contender."""

    @property
    def folder(self) -> str | None:
        """The folder of the stored encodings."""
        return self.encodings

    def estimate_s(self, n_rows: int, branches: Mapping[str, Any]) -> float:
        """Estimate the seconds of a fit to vectors that are encoded already."""
        return 1 + n_rows * 1e-3 * len(self.modalities)

    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:
        self.fingerprints_ = fingerprints_of(self.encodings_read())
        super()._fit(train, validation, fits)

    def restore(self, state: State) -> Self:
        """Restore a fitted contender from its *state*, if the encoders are still the same."""
        check_fingerprints(self.encodings_read(), state.texts("fingerprints_"))
        return super().restore(state)

    def _vectors(self, pairs: Frame) -> Mapping[str, Vectors]:
        return {reading.modality: reading.vectors(pairs, self.encodings) for reading in self.encodings_read()}
