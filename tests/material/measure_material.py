"""Made models and rows for the tests of measures."""

from typing import Any

import numpy as np
import polars as pl


def first(one: Any, _: Any) -> Any:
    return one


def second(_: Any, other: Any) -> Any:
    return other


class Reader:
    """A model whose text and image are numbers, and whose logit of class 1 is a function of both."""

    classes_ = np.array([0, 1])

    def __init__(self, logit: Any) -> None:
        self.logit = logit

    def predict_proba(self, pairs: pl.DataFrame) -> np.ndarray:
        text, image = (pairs[modality].cast(pl.Float64).to_numpy() for modality in ("text", "image"))
        chance = 1 / (1 + np.exp(-self.logit(text, image)))
        return np.stack([1 - chance, chance], axis=1)


def signs(n: int = 120) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    return pl.DataFrame({modality: rng.choice([-1, 1], n).astype(str) for modality in ("text", "image")})


def both(pairs: pl.DataFrame, how: Any) -> np.ndarray:
    text, image = (pairs[modality].cast(pl.Float64).to_numpy() for modality in ("text", "image"))
    return (how(text, image) > 0).astype(int)


HITS = {
    "prior": np.tile([1, 0], 50),
    "text": np.repeat([1, 1, 0, 0], [40, 30, 10, 20]),
    "image": np.repeat([1, 0, 1, 0], [40, 30, 10, 20]),
    "both": np.repeat([1, 0], [80, 20]),
}
