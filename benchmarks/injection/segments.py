"""Draws of predictions with a known gain of reading both in each row: for benchmarks/segments.py.

No model is trained.  A row has facts.  Two contenders are right or wrong by latent normal values, which rows, groups
and fits share.  Longer texts are easier for both.  The gain is a difference of the two chances of a right answer.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
HOLD_OUT, K_FOLD = "hold-out", "k-fold"
LAYOUTS = (HOLD_OUT, K_FOLD)
VALIDATION_SHARE = 0.8
"""Validation rows of a hold-out for each test row, as the default shares of a study give them."""
FOLDS = 5
SHARE = 0.2
"""The share of rows in a planted segment."""
FILLERS = [f"filler{place}" for place in range(200)]
WORD = "planted"
SKILL, SLOPE = 0.75, 0.1
"""The mean chance of a right answer by one modality, and its difference between the longest and the shortest texts."""
IN_GROUP, IN_ROW, IN_CONTENDER = 0.35, 0.45, 0.12
"""The shares of the latent variance that a group, a row, and a contender on a row have.  The fit has the rest.

Then one contender alone is right on 15 % of the rows.  In the demo, it is 4 % of the rows.
"""
READS = {"both": ("text", "image"), "text-only": ("text",)}
PLANTED = ("few_words", "dark", "one_word")
"""Planted segments with a bar: texts of few words, dark images, texts with one word."""
HARDER = ("middle", "two_facts")
"""Planted segments without a bar: the middle of a fact, and two facts together."""
NOTHING = "nothing"


class Kind(NamedTuple):
    """The kind of a study.

    Attributes
    ----------
    layout, segment
        *layout* is one of `LAYOUTS`.  *segment* is one of `PLANTED` or `HARDER`, or `NOTHING`: all rows have the gain.
    ratio
        *ratio* is that of the two classes.
    gain
        *gain* is the difference of the chances of a right answer.
    """

    layout: str
    segment: str
    ratio: int
    gain: float


class Drawn(NamedTuple):
    """A study: its tables, and the planted rows and the true gain of each pair, shape (n,)."""

    pairs: pl.DataFrame
    predictions: pl.DataFrame
    primary: dict[str, Any]
    planted: Mask
    gain: Floats


def drawn(kind: Kind, n: int, seed: int) -> Drawn:
    """Return a study of *kind* with *n* test rows.

    Parameters
    ----------
    kind
        *kind* is the kind of the study.
    n, seed
        *n* is the number of test rows, and *seed* fixes the draw.
    """
    rng, layout = np.random.default_rng(seed), kind.layout
    n_all = n if layout == K_FOLD else round(n * (1 + VALIDATION_SHARE))
    pairs, values = _pairs(n_all, kind.ratio, rng)
    planted = np.ones(n_all, dtype=bool) if kind.segment == NOTHING else _planted(kind.segment, values)
    groups = np.unique(pairs["group"].to_numpy(), return_inverse=True)[1]
    place = rng.permutation(groups.max() + 1)[groups]
    pairs = pairs.with_columns(fold=pl.Series(_folds(layout, place, n / n_all)))
    true = np.where(planted, kind.gain, 0.0)
    rank = np.argsort(np.argsort(values["words"])) / n_all
    predictions = _predictions(pairs, _right(groups, rank, true, rng), layout)
    names = pairs["fold"].unique().sort() if layout == K_FOLD else ["test"]
    choices = [{"fold": name, "seed": 0, "a": "both", "b": "text-only"} for name in names]
    primary = {"a": "both", "b": "text-only", "metric": "accuracy", "choices": choices}
    return Drawn(pairs, predictions, primary, planted, true)


def _folds(layout: str, place: NDArray[np.intp], test_share: float) -> list[str]:
    if layout == K_FOLD:
        return [str(fold) for fold in place % FOLDS]
    return ["test" if is_test else "validation" for is_test in place < test_share * (place.max() + 1)]


def _pairs(n: int, ratio: int, rng: np.random.Generator) -> tuple[pl.DataFrame, Mapping[str, Floats]]:
    """Return pairs with facts, a third of them in groups of two to four with nearly the same facts."""
    sizes = np.where(rng.random(n) < 0.7, 1, rng.integers(2, 5, n))
    group = np.repeat(np.arange(n), sizes)[:n]
    own = {name: rng.random(n)[group] for name in ("words", "dark", "sharp", "wide", "red", "contrast", "word")}
    n_words = np.clip(2 + np.floor(-14 * np.log(1 - own["words"] + 1e-9)), 2, 60).astype(int)
    zipf = 1 / np.arange(2, len(FILLERS) + 2)
    fillers = rng.choice(FILLERS, n_words.sum(), p=zipf / zipf.sum())
    texts = [" ".join(words) for words in np.split(fillers, np.cumsum(n_words)[:-1])]
    texts = [f"{WORD} {text}" if has else text for text, has in zip(texts, own["word"] < SHARE, strict=True)]
    label = np.where(rng.random(n) < ratio / (1 + ratio), "a", "b")
    noise = 1 + 0.01 * rng.random((5, n))
    facts = {
        "width_px": (200 + 800 * own["wide"]).astype(int), "height_px": rng.integers(200, 900, n),
        "image_bytes": rng.integers(20_000, 90_000, n), "image_quality": rng.choice([75, 80, 90, 95, np.nan], n),
        "image_brightness": 0.9 * own["dark"] * noise[0], "image_contrast": 0.3 * own["contrast"] * noise[1],
        "image_sharpness": 0.4 * own["sharp"] * noise[2], "image_saturation": 0.5 * rng.random(n),
        "image_red": 0.8 * own["red"] * noise[3], "image_green": rng.random(n), "image_blue": rng.random(n),
        "image_border_spread": 0.1 * rng.random(n), "image_format": rng.choice(["jpeg", "png"], n),
        "source": rng.choice(["one", "two", "three"], n),
    }  # fmt: skip
    ids = [f"r{place:05d}" for place in range(n)]
    columns = {"id": ids, "row": np.arange(n), "text": texts, "label": label, "group": [f"g{k}" for k in group]}
    return pl.DataFrame({**columns, **facts}, strict=False), {**own, "words": n_words.astype(float)}


def _planted(kind: str, values: Mapping[str, Floats]) -> Mask:
    words, dark = values["words"], values["dark"]
    few = [words < limit for limit in range(3, 30)]
    masks = {
        "few_words": min(few, key=lambda mask: abs(mask.mean() - SHARE)),
        "dark": dark < SHARE,
        "one_word": values["word"] < SHARE,
        "middle": np.abs(values["sharp"] - 0.5) < SHARE / 2,
        "two_facts": (dark < SHARE**0.5) & (values["wide"] < SHARE**0.5),
    }
    return masks[kind]


def _right(
    groups: NDArray[np.intp], rank: Floats, gain: Floats, rng: np.random.Generator
) -> dict[tuple[str, str], Mask]:
    """Return whether each contender is right on each row as a validation and as a test row, by two fits."""
    n = len(groups)
    shared = IN_GROUP**0.5 * rng.normal(size=n)[groups] + IN_ROW**0.5 * rng.normal(size=n)
    of_fit = (1 - IN_GROUP - IN_ROW - IN_CONTENDER) ** 0.5
    single = SKILL + SLOPE * (rank - 0.5)
    right = {}
    for contender, chance in (("both", single + gain), ("text-only", single)):
        own = shared + IN_CONTENDER**0.5 * rng.normal(size=n)
        for part in ("validation", "test"):
            right[contender, part] = own + of_fit * rng.normal(size=n) < ndtri(chance)
    return right


def _predictions(pairs: pl.DataFrame, right: Mapping[tuple[str, str], Mask], layout: str) -> pl.DataFrame:
    return pl.concat([_of_part(pairs, *which, mask, layout) for which, mask in right.items()])


def _of_part(pairs: pl.DataFrame, contender: str, part: str, right: Mask, layout: str) -> pl.DataFrame:
    truth = pairs["label"].to_numpy() == "a"
    p_a = np.where(right == truth, 0.9, 0.1)
    rows = pairs.select("id", "group", "label", "fold").with_columns(
        contender=pl.lit(contender), seed=pl.lit(0, pl.Int64), part=pl.lit(part), p_a=p_a, p_b=1 - p_a
    )
    if layout == K_FOLD:
        before = ((pl.col("fold").cast(pl.Int64) - 1) % FOLDS).cast(pl.String)  # the fit that it validates
        found = rows.with_columns(fold=before) if part == "validation" else rows
    else:
        found = rows.filter(fold=part).with_columns(fold=pl.lit("test"))
    return found.select("id", "contender", "seed", "fold", "part", "group", "label", "p_a", "p_b")
