"""The shipped encoders and scikit-image in contenders, where they are installed."""

import sys

import numpy as np
import polars as pl
import pytest
from PIL import Image

from counterpoint.contenders import make
from counterpoint.errors import ConfigError

ANIMALS = ("dog", "cat", "horse", "cow", "fox", "rabbit")
MACHINES = ("car", "bus", "truck", "train", "ship", "bicycle")


def installed(kind: str, **settings):
    """Return an unfitted contender, or skip the test where a package that it needs is missing."""
    model = make(kind, **settings)
    try:
        model.check_installed()
    except ConfigError as error:
        pytest.skip(str(error))
    return model


def named(animals, machines) -> tuple[pl.DataFrame, list[str]]:
    texts = [f"a photo of {name}" for name in (*animals, *machines)]
    return pl.DataFrame({"text": texts}), ["animal"] * len(animals) + ["machine"] * len(machines)


def test_a_text_probe_reads_words_that_it_has_not_seen():
    X, labels = named(ANIMALS, MACHINES)
    unseen, truth = named(("puppy", "kitten", "wolf"), ("lorry", "tram", "motorcycle"))
    assert installed("text-probe").fit(X, labels).score(unseen, truth) == 1


def striped(n: int, *, seed: int) -> tuple[pl.DataFrame, np.ndarray]:
    """Return images of upright or level stripes, in any colours, and their directions."""
    rng = np.random.default_rng(seed)
    directions = np.array(["upright", "level"])[rng.integers(0, 2, n)]
    images = []
    for direction in directions:
        colours = rng.integers(0, 256, (2, 3))
        stripes = np.tile(colours[np.arange(32) // 4 % 2], (32, 1, 1)).astype(np.uint8)
        images.append(Image.fromarray(stripes if direction == "upright" else stripes.transpose(1, 0, 2)))
    return pl.DataFrame({"image": pl.Series(images, dtype=pl.Object)}), directions


@pytest.mark.parametrize(("kind", "settings"), [("image-hog", {"side_px": 32}), ("image-probe", {})])
def test_an_image_model_reads_shapes_whatever_their_colours(kind, settings):
    model = installed(kind, **settings).fit(*striped(40, seed=0))
    assert model.score(*striped(20, seed=1)) > 0.9


def test_a_square_of_one_cell_has_no_block():
    model = installed("image-hog", side_px=16, cell_px=10)
    with pytest.raises(ConfigError, match=r"image-hog\.cell_px is 10; allowed: at most half of side_px, 8"):
        model.fit(*striped(4, seed=0))


def test_a_missing_scikit_image_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(ConfigError, match=r"needs scikit-image: pip install 'counterpoint\[encoders\]'"):
        make("image-hog").check_installed()
