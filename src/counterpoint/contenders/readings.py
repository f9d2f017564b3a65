"""The vectors that a contender reads: of which encoder, of which modality, and on which device."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from counterpoint.contenders.images import vectors_of
from counterpoint.contenders.vectors import NoVectors, Vectors
from counterpoint.encoders import COLUMNS, files_of, fingerprint_of, open_encoder
from counterpoint.encoders.base import Encoder
from counterpoint.encoders.catalogue import CATALOGUE
from counterpoint.encoders.encodings import Encodings, load_encodings
from counterpoint.files import settled_state
from counterpoint.schema import Frame

States = tuple[tuple[int, ...] | None, ...]
"""The states of the files of an encoder."""


class Reading(NamedTuple):
    """One encoder, on one modality of the pairs."""

    encoder: str
    modality: str
    device: str = "auto"

    def opened(self) -> Encoder:
        """Return the encoder, whose weights are loaded at its first use.

        One of the catalogue or of a file is opened once for this process, until the file changes.

        Raises
        ------
        ConfigError
            When it does not exist, is not installed, or does not read this modality.
        """
        states = self._states()
        is_kept = self.encoder in CATALOGUE or (states and None not in states)
        encoder = (_opened_in if is_kept else _opened)(states, self.encoder, self.device)
        if self.modality not in encoder.modalities:
            raise encoder.reads_no(self.modality)
        return encoder

    def fingerprint(self) -> str:
        """Return the fingerprint of the encoder.  That of a file is found again only after the file has changed."""
        states = self._states()
        return fingerprint_of(self.encoder) if None in states or not states else _fingerprint_in(states, self.encoder)

    def _states(self) -> States:
        return tuple(map(settled_state, files_of(self.encoder)))

    def vectors(self, pairs: Frame, folder: str | None, *, width: int | None = None) -> Vectors:
        """Return the vectors of *pairs*, from the store in *folder* or encoded now.

        Parameters
        ----------
        pairs
            *pairs* have the column of the modality.  Where all lack it, the encoder is not read.
        folder
            *folder* is the folder of the stored encodings, or None.
        width
            *width* is the width of the vectors where it is known already.
        """
        encoder = self.opened()
        if pairs[self.modality].null_count() == len(pairs):
            return NoVectors(len(pairs), encoder.width if width is None else width)

        def load(rows: Frame) -> Encodings:
            return load_encodings(rows, encoder, self.modality, cache=Path(folder) if folder else None)

        # Vectors that are given belong to rows, all others to images: each image is encoded once.
        is_of_image = self.modality == "image" and encoder.shape is not None
        return vectors_of(pairs, self, load) if is_of_image else load(pairs)


def _opened(states: States, encoder: str, device: str) -> Encoder:  # noqa: ARG001 - a part of the key
    return open_encoder(encoder, device=device)


_opened_in = lru_cache(maxsize=8)(_opened)


@lru_cache(maxsize=64)
def _fingerprint_in(states: States, encoder: str) -> str:  # noqa: ARG001 - a part of the key
    return fingerprint_of(encoder)


def fingerprints_of(readings: Iterable[Reading]) -> list[str]:
    """Return the fingerprint of each encoder."""
    return [reading.fingerprint() for reading in readings]


def check_fingerprints(readings: Iterable[Reading], fitted: Sequence[str]) -> None:
    """Raise ValueError where an encoder is not the one, with the fingerprint in *fitted*, that a fit has read."""
    for reading, own, then in zip(readings, fingerprints_of(readings), fitted, strict=True):
        if own != then:
            raise ValueError(f"it was fitted on vectors of another version of the encoder {reading.encoder!r}")


def encoder_versions(fingerprints: Mapping[Reading, str]) -> list[dict[str, str]]:
    """Return the name and the version of each encoder: its packages, where it is shipped, and a short fingerprint.

    >>> encoder_versions({Reading("columns:mood_", "text"): "0123456789abcdef"})
    [{'name': 'columns:mood_', 'version': 'fingerprint 0123456789'}]
    """
    found: dict[str, str] = {}
    for reading, fingerprint in fingerprints.items():
        entry = CATALOGUE.get(reading.encoder)
        packages = sorted({file.requirement.replace("==", " ") for file in entry.files.values()}) if entry else []
        found[reading.encoder] = ", ".join([*packages, f"fingerprint {fingerprint[:10]}"])
    return [{"name": name, "version": version} for name, version in found.items()]


def needs_trust(encoder: str) -> bool:
    """Report whether an *encoder* that a stranger names is opened only if the reader names it as well.

    Encoders of the catalogue, and columns of the pairs, open no file and no code of a stranger.

    >>> needs_trust("my_lab.encoders:Words"), needs_trust("minilm")
    (True, False)
    """
    return encoder not in CATALOGUE and not encoder.startswith(COLUMNS)
