"""A map of pairs: places in two dimensions, near where the texts and images of two pairs are alike.

The places show neighbours.  They have no units, and a distance between two far pairs means little.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from counterpoint.contenders.folds import folds_to_test
from counterpoint.contenders.plan import stored_reading
from counterpoint.measures.text_image_association import image_features, main_directions, text_features
from counterpoint.metrics.rows import Floats
from counterpoint.schema import MAP, Frame, empty
from counterpoint.seeds import child_seed

MOST_PAIRS = 2000
"""Of more test pairs a sample is placed: t-SNE takes seconds for these, and a page of more would be large."""
FEW_PAIRS = 12
"""Fewer pairs are placed by their two main directions alone."""
WIDTH, PERPLEXITY, STEPS, COARSENESS, DECIMALS = 50, 30.0, 500, 0.7, 4
"""Of t-SNE: half of the usual steps, and a coarser sum of far rows, keep the ten nearest neighbours as well."""


def pair_map(pairs: Frame, contenders: Mapping[str, Any], *, encodings: Path | None = None, seed: int = 0) -> Frame:
    """Return the places of the test pairs, or of a sample of them: schema.MAP.

    Vectors are those that a contender reads, which are stored already.  Without such a contender they are words and
    runs of characters of the text, and colours, coarse pixels and edges of the image.

    Parameters
    ----------
    pairs
        *pairs* is schema.PAIRS.
    contenders
        *contenders* are the unfitted contenders by name.
    encodings
        *encodings* is the folder of the stored encodings.
    seed
        *seed* fixes the sample and the places.

    Examples
    --------
    >>> columns = {"id": ["1", "2", "3"], "text": ["a fox", "two foxes", "a car"], "image": [None] * 3, "fold": "test"}
    >>> pair_map(pl.DataFrame(columns, schema_overrides={"image": pl.String}), {})["id"].to_list()
    ['1', '2', '3']
    """
    rows = sampled_test_pairs(pairs, seed=seed)
    blocks = {name: _vectors(rows, name, contenders, encodings) for name in ("text", "image")}
    known = {name: (by, block) for name, (by, vectors) in blocks.items() if (block := _scaled(vectors)) is not None}
    if not known:
        return empty(MAP)
    places, method = placed(np.hstack([block for _, block in known.values()]), seed=seed)
    basis = f"{method} of " + " and ".join(by for by, _ in known.values())
    x, y = places.T
    return pl.DataFrame({"id": rows["id"], "x": x, "y": y}).with_columns(basis=pl.lit(basis)).select(list(MAP))


def sampled_test_pairs(pairs: Frame, *, seed: int = 0) -> Frame:
    """Return at most `MOST_PAIRS` of the test rows of *pairs*, in their order.

    Parameters
    ----------
    pairs
        *pairs* is schema.PAIRS.
    seed
        *seed* fixes the sample.
    """
    tested = pairs.filter(pl.col("fold").is_in(folds_to_test(pairs))).unique("id", keep="first", maintain_order=True)
    if len(tested) <= MOST_PAIRS:
        return tested
    chosen = np.random.default_rng(child_seed(seed, "map", "rows")).choice(len(tested), MOST_PAIRS, replace=False)
    return tested[np.sort(chosen)]


def placed(vectors: Floats, *, seed: int = 0) -> tuple[Floats, str]:
    """Return places between 0 and 1, shape (n, 2), and the name of the method.

    t-SNE keeps the neighbours of each row [1]_, from the main directions of *vectors*.

    Parameters
    ----------
    vectors
        *vectors* have shape (n, width).
    seed
        *seed* fixes the places.

    References
    ----------
    .. [1] L. van der Maaten and G. Hinton, Visualizing Data using t-SNE, JMLR 2008.
    """
    centred = vectors - vectors.mean(axis=0, keepdims=True)
    directions = main_directions(centred, WIDTH)
    if len(vectors) < FEW_PAIRS or not directions[:, 0].std():
        return _in_square(np.pad(directions, ((0, 0), (0, 2)))[:, :2]), "PCA"
    from sklearn.manifold import TSNE  # noqa: PLC0415 - slow to import

    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    start = np.pad(directions, ((0, 0), (0, 1)))[:, :2]
    model = TSNE(
        perplexity=perplexity, max_iter=STEPS, angle=COARSENESS, learning_rate="auto",
        init=1e-4 * start / start[:, 0].std(), random_state=child_seed(seed, "map", "places"),
    )  # fmt: skip
    found: Floats = model.fit_transform(directions.astype(np.float32)).astype(float)
    return _in_square(found), "t-SNE"


def _vectors(
    rows: Frame, modality: str, contenders: Mapping[str, Any], encodings: Path | None
) -> tuple[str, Floats | None]:
    """Return the name of the vectors of a modality, and the vectors, or None where no row has the modality."""
    if rows[modality].null_count() == len(rows):
        return "", None
    reading = stored_reading(contenders, modality)
    if reading is not None:
        vectors = reading.vectors(rows, None if encodings is None else str(encodings))
        return f"{modality}s by {reading.encoder}", vectors[:].astype(float)
    if modality == "text":
        return "the words of texts", text_features(rows["text"].fill_null("").to_list())
    return "the colours and edges of images", _pixel_features(rows, contenders)


def _pixel_features(rows: Frame, contenders: Mapping[str, Any]) -> Floats:
    """Return features of the pixels that a contender reads, because these are stored already."""
    from counterpoint.features.pixels import load_pixels  # noqa: PLC0415 - loads the decoder

    settings, cache = next(filter(None, map(_pixels_of, contenders.values())), ({"side_px": 32, "mode": "rgb"}, None))
    pixels = load_pixels(rows["image"].to_list(), **settings, cache=None if cache is None else Path(cache))
    found = np.zeros((len(rows), 1))
    there = np.flatnonzero(~pixels.is_missing)
    if len(there) > 1:
        features = image_features(pixels[there])
        found = np.zeros((len(rows), features.shape[1]))
        found[there] = features
    return found


def _pixels_of(model: Any) -> tuple[dict[str, Any], Any] | None:
    settings = model.pixel_settings() if hasattr(model, "pixel_settings") else None
    return None if settings is None else (settings, getattr(model, "cache", None))


def _scaled(vectors: Floats | None) -> Floats | None:
    """Return *vectors* around 0 with a mean squared length of 1, so that both modalities weigh the same."""
    if vectors is None or not vectors.size or not np.isfinite(vectors).all():
        return None
    centred = vectors - vectors.mean(axis=0, keepdims=True)
    length = float(np.sqrt((centred**2).sum(axis=1).mean()))
    whole = float(np.sqrt((vectors**2).sum(axis=1).mean()))
    return centred / length if length > 1e-6 * whole else None  # less is a rounding error of rows that are all the same


def _in_square(places: Floats) -> Floats:
    """Return *places* in the square from 0 to 1, with one unit for both axes."""
    low, high = places.min(axis=0), places.max(axis=0)
    span = float((high - low).max()) or 1.0
    found: Floats = np.round((places - (low + high) / 2) / span + 0.5, DECIMALS)
    return found
