"""Images as files that other programs read: the extension of a name, and pixels encoded as a JPEG.  Decodes nothing."""

import numpy as np
import simplejpeg
from numpy.typing import NDArray

JPEG_QUALITY = 95
_EXTENSIONS = {"jpeg": "jpg"}


def file_extension(image_format: str) -> str:
    """Return the extension of a file of this format.

    >>> file_extension("jpeg"), file_extension("png")
    ('jpg', 'png')
    """
    return _EXTENSIONS.get(image_format, image_format)


def jpeg_of(pixels: NDArray[np.uint8]) -> bytes:
    """Return RGB pixels, shape (height, width, 3), as a JPEG of quality 95 without subsampling of colour.

    >>> jpeg_of(np.zeros((64, 64, 3), dtype=np.uint8))[:3].hex()
    'ffd8ff'
    """
    return bytes(simplejpeg.encode_jpeg(pixels, quality=JPEG_QUALITY, colorspace="RGB", colorsubsampling="444"))
