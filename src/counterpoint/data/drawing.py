"""Small pictures with a shape and a texture over noise.  A gray version carries the same signal as the colours."""

import numpy as np
from numpy.typing import NDArray

NOTHING = -1
"""The code of a picture without a shape, or without a texture."""

APPEARANCE_VALUES = 13
"""How many numbers in [0, 1) fix the appearance of a picture.

They are the places of the shape, the texture and two noises, then light, contrast and tint.
"""

Floats = NDArray[np.float32]


class Painter:
    """Draws pictures of *side_px* by *side_px* pixels, many at once.

    Shapes and textures are equal to their mirror images, so that models may flip pictures.

    Parameters
    ----------
    side_px
        *side_px* is the width and the height of a picture.

    Examples
    --------
    >>> appearance = np.full((2, APPEARANCE_VALUES), 0.5)
    >>> Painter(32).draw(np.array([0, NOTHING]), np.array([NOTHING, 3]), appearance, np.zeros(2)).shape
    (2, 32, 32, 3)
    """

    def __init__(self, side_px: int) -> None:
        self._side_px = side_px
        self._margin = side_px // 6
        self._period = side_px // 4
        self._shapes = _shapes(side_px + 2 * self._margin, radius_px=0.3 * side_px)
        self._textures = _textures(side_px + 2 * self._period, self._period)
        self._noise = _noise(8 * side_px)

    def draw(
        self,
        shape: NDArray[np.int64],
        texture: NDArray[np.int64],
        appearance: NDArray[np.float64],
        shade: NDArray[np.int64],
    ) -> NDArray[np.uint8]:
        """Return pictures, shape (n, side_px, side_px, 3), of these shapes and textures.

        Parameters
        ----------
        shape, texture
            *shape* and *texture* are codes from 0 to 7, or `NOTHING`, shape (n,).
        appearance
            *appearance* are numbers in [0, 1), shape (n, `APPEARANCE_VALUES`).
        shade
            *shade* is added to the light of each picture, in gray levels, shape (n,).
        """
        shapes = self._cut(self._shapes, shape, appearance[:, 0:2], 2 * self._margin + 1)
        textures = self._cut(self._textures, texture, appearance[:, 2:4], 2 * self._period)
        # The sum of two windows: single windows would overlap, and unlike rows would pass for near-duplicates.
        windows = (appearance[:, at : at + 2] for at in (4, 6))
        noise = sum(self._cut(self._noise, shape * 0, window, 7 * self._side_px) for window in windows)
        light, contrast = _column(80 + 30 * appearance[:, 8] + shade), _column(60 + 40 * appearance[:, 9])
        gray = light + contrast * shapes + 22 * textures + noise  # (n, side_px, side_px)
        np.clip(gray, 0, 255, out=gray)
        tint = (0.65 + 0.35 * appearance[:, 10:13]).astype(np.float32)[:, None, None, :]
        pixels: NDArray[np.uint8] = (gray[..., None] * tint).astype(np.uint8)
        return pixels

    def _cut(self, patterns: Floats, code: NDArray[np.int64], place: NDArray[np.float64], n_places: int) -> Floats:
        """Return the window of each picture's pattern at the picture's place."""
        corner = (place * n_places).astype(np.int64)  # (n, 2)
        line = np.arange(self._side_px)
        y, x = corner[:, :1] + line, corner[:, 1:] + line  # (n, side_px)
        window: Floats = patterns[code[:, None, None], y[:, :, None], x[:, None, :]]
        return window


def _column(values: NDArray[np.float64]) -> Floats:
    return values.astype(np.float32)[:, None, None]


def _shapes(size: int, *, radius_px: float) -> Floats:
    """Return the shapes, and a blank as the last, at the index of `NOTHING`."""
    line = (np.arange(size) - (size - 1) / 2) / radius_px
    x, y = np.abs(line)[None, :], line[:, None]
    far, wide, near = np.hypot(x, y), np.maximum(x, np.abs(y)), np.minimum(x, np.abs(y))
    shapes = (
        (near < 0.3) & (wide < 1.1),  # cross
        (far < 1.2) & (far > 0.75),  # ring
        (np.abs(y) < 0.4) & (x < 1.2),  # bar
        (x < 0.4) & (np.abs(y) < 1.2),  # post
        far < 1.0,  # disc
        (np.abs(x - np.abs(y)) < 0.35) & (wide < 1.1),  # saltire
        (x < (y + 1) / 2) & (y < 1.0),  # triangle
        (wide < 1.0) & (wide > 0.6),  # frame
    )
    return np.stack([*shapes, np.zeros((size, size), bool)]).astype(np.float32)


def _textures(size: int, period: int) -> Floats:
    """Return the textures, light +1 and dark -1, and a blank as the last."""
    line = np.arange(size)
    fine, coarse = (np.where(line % length < length // 2, 1, -1) for length in (period, 2 * period))
    even = np.ones(size, int)
    pairs = (
        (fine, even), (even, fine), (fine, fine), (coarse, even),
        (even, coarse), (coarse, coarse), (fine, coarse), (coarse, fine),
    )  # fmt: skip
    return np.stack([*(np.outer(y, x) for y, x in pairs), np.zeros((size, size))]).astype(np.float32)


def _noise(size: int) -> Floats:
    """Return one large field of soft blotches and grain, from which each picture takes its own windows."""
    rng = np.random.default_rng(0)
    line = np.arange(size) * 2j * np.pi / size
    field = rng.normal(0, 6, (size, size))
    for (y, x), phase in zip(rng.integers(-16, 17, (24, 2)), rng.random(24) * 2j * np.pi, strict=True):
        field += 6 * np.outer(np.exp(y * line + phase), np.exp(x * line)).real  # a wave that the edges do not break
    grain: Floats = field[None].astype(np.float32)
    return grain


def spoil(image: bytes, way: int) -> bytes:
    """Return the bytes of a damaged image: cut off, empty, a page of HTML, or overwritten in the middle.

    *way* chooses among the four, modulo 4.

    >>> [len(spoil(b"0123456789" * 10, way)) for way in range(4)]
    [50, 0, 37, 100]
    """
    middle = len(image) // 2
    damaged = image[:middle] + bytes(min(16, len(image) - middle)) + image[middle + 16 :]
    return (image[:middle], b"", b"<html><body>Not found</body></html>\r\n", damaged)[way % 4]
