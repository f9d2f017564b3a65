"""Vectors of texts and of image references by an encoder, checked.  Images are decoded in a child process."""

from collections.abc import Sequence

import numpy as np

from counterpoint.encoders.base import Encoder, Floats
from counterpoint.encoders.contents import hash_of_image
from counterpoint.encoders.store import Bools, Hashes
from counterpoint.errors import ConfigError, SchemaError
from counterpoint.features.pixels import load_pixels
from counterpoint.formats.images import ImageReader

AT_ONCE = 128
"""The number of images whose pixels are in memory at once."""


def encode(encoder: Encoder, modality: str, values: Sequence[str], hashes: Hashes) -> tuple[Floats, Bools]:
    """Return the vectors of *values*, shape (n, width), and whether each could be read.

    Parameters
    ----------
    encoder
        *encoder* reads the *modality*.
    modality
        *modality* is "text" or "image".
    values
        *values* are texts, or image references.
    hashes
        *hashes* are the hashes of the contents, uint8 of shape (n, 32).

    Raises
    ------
    ConfigError
        When the encoder returns an array of another shape, or values that are not finite.
    SchemaError
        When an image has another hash.
    """
    if modality == "text":
        return _checked(encoder, encoder.encode_texts(list(values)), len(values)), np.ones(len(values), dtype=bool)
    vectors = np.zeros((len(values), encoder.width), dtype=np.float32)
    is_read = np.zeros(len(values), dtype=bool)
    for start in range(0, len(values), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        vectors[part], is_read[part] = _encode_images(encoder, values[part], hashes[part])
    return vectors, is_read


def _encode_images(encoder: Encoder, refs: Sequence[str], hashes: Hashes) -> tuple[Floats, Bools]:
    if encoder.shape is None:
        raise encoder.reads_no("image")
    shape = encoder.shape
    pixels = load_pixels(
        refs, side_px=shape.side_px, mode=shape.mode, aspect=shape.aspect, resampling=shape.resampling
    )  # fmt: skip
    is_read = ~pixels.is_missing & _have_hashes(refs, hashes)
    vectors = np.zeros((len(refs), encoder.width), dtype=np.float32)
    if is_read.any():
        vectors[is_read] = _checked(encoder, encoder.encode_images(pixels[is_read]), int(is_read.sum()))
    return vectors, is_read


def _have_hashes(refs: Sequence[str], hashes: Hashes) -> Bools:
    """Return whether each image can be read.  One that changed since must not be stored under its old hash."""
    with ImageReader() as reader:
        found = [hash_of_image(ref, reader) for ref in refs]
    for ref, now, before in zip(refs, found, hashes, strict=True):
        if now not in (None, before.tobytes()):
            raise SchemaError(
                f"The image {ref} has another sha256 than its pair: it has changed. Run the study again; "
                "on pairs of your own, leave out the column sha256."
            )
    return np.array([now is not None for now in found], dtype=bool)


def _checked(encoder: Encoder, vectors: Floats, n: int) -> Floats:
    found = np.asarray(vectors)
    if found.shape != (n, encoder.width) or found.dtype.kind != "f":
        raise ConfigError(
            f"The encoder {encoder.name!r} returned {found.dtype} of shape {found.shape}; "
            f"expected float32 of shape {(n, encoder.width)}."
        )
    if bad := int((~np.isfinite(found).all(axis=1)).sum()):
        raise ConfigError(f"The encoder {encoder.name!r} returned NaN or infinite values in {bad:,} of {n:,} rows.")
    return found.astype(np.float32, copy=False)
