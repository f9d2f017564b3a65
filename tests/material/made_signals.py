"""Inputs of checks with made-up predictions of text and image contenders, on rows whose signals are known."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from check_material import inputs_of
from counterpoint.diagnose import Inputs

MODALITIES = {"text-svm": ("text",), "image-cnn": ("image",), "late-fusion": ("text", "image")}


def inputs_of_signals(
    seed: int = 0,
    *,
    n: int = 600,
    classes: int = 2,
    text: float = 0.6,
    image: float = 0.4,
    both: float = 0.0,
    flips: float = 0.0,
    mispaired: float = 0.0,
    hot: str | None = None,
    modalities: Mapping[str, tuple[str, ...]] = MODALITIES,
    **given: Any,
) -> Inputs:
    """Return the inputs of a three-fold study.

    Parameters
    ----------
    text, image, both
        *text*, *image* and *both* are the shares of rows whose class that modality carries, or both at once.
    flips
        *flips* is the share of labels that are another class.
    mispaired
        *mispaired* is the share of texts that belong to another row.
    hot
        *hot* is a contender whose logits are multiplied by 4.
    given
        *given* are further inputs.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    redundant = rng.random(n) < both
    label = np.where(rng.random(n) < flips, (truth + rng.integers(1, classes, n)) % classes, truth)
    named = np.where(rng.random(n) < mispaired, rng.permutation(truth), truth)
    signals = (named, text), (truth, image)
    single = [_logits(rng, codes, (rng.random(n) < share) | redundant, classes) for codes, share in signals]
    logits = {"text-svm": single[0], "image-cnn": single[1], "late-fusion": single[0] + single[1]}
    fold = rng.permutation(n) % 3
    frames = [made_fits(logits[name] * (4 if name == hot else 1), label, fold) .with_columns(contender=pl.lit(name))
              for name in modalities]  # fmt: skip
    pairs = frames[0].filter(part="test").select("id", "label", "group").sort("id")
    own = {"modalities": modalities, "additive": ("late-fusion",), "n_fits": 3, "predictions": pl.concat(frames)}
    return inputs_of(**{"pairs": pairs} | own | given)


def _logits(rng, truth, is_signal, classes):
    logits = rng.normal(0, 0.35, (len(truth), classes))
    logits[np.arange(len(truth)), truth] += np.where(is_signal, rng.normal(3, 0.8, len(truth)), 0)
    return logits


def made_fits(logits, label, fold):
    proba = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    ids = [f"{row:04d}" for row in range(len(label))]
    frames = []
    for test in range(3):
        part = np.where(fold == test, "test", np.where(fold == (test + 1) % 3, "validation", "train"))
        columns = {"id": ids, "seed": 0, "fold": str(test), "part": part, "group": ids}
        chances = {f"p_c{k}": proba[:, k] for k in range(proba.shape[1])}
        frames.append(pl.DataFrame(columns | {"label": [f"c{k}" for k in label]} | chances))
    return pl.concat(frames).with_columns(pl.col("seed").cast(pl.Int64))
