"""Predictions of made-up contenders, of any number of rows, classes, seeds and folds."""

import numpy as np
import polars as pl

READS = {"majority": (), "text-svm": ("text",), "image-cnn": ("image",), "lstm-cnn": ("text", "image")}


def some_proba(rng, codes, n_classes, *, skill=1.0, decimals=None):
    """Probabilities that lean to the true class by *skill*; rounded ones have ties."""
    logits = rng.normal(size=(len(codes), n_classes))
    logits[np.arange(len(codes)), codes] += skill
    if decimals is not None:
        logits = logits.round(decimals)
    proba = np.exp(logits)
    return proba / proba.sum(axis=1, keepdims=True)


def frame_of(codes, proba, *, contender="text-svm", seed=0, fold="test", part="test", groups=None):
    """The Predictions of one fit on one part; a row's id is its place."""
    n = len(codes)
    ids = [f"r{place:05d}" for place in range(n)]
    columns = {
        "id": ids,
        "contender": [contender] * n,
        "seed": [seed] * n,
        "fold": [fold] * n if isinstance(fold, str) else list(fold),
        "part": [part] * n,
        "group": ids if groups is None else [str(group) for group in groups],
        "label": [f"c{code}" for code in codes],
    }
    return pl.DataFrame(columns | {f"p_c{k}": proba[:, k] for k in range(proba.shape[1])})


def predictions(skills, *, n=60, n_classes=2, seeds=(0,), folds=0, parts=("validation", "test")):
    """Predictions of contenders with these *skills*; of a k-fold where *folds* is above 0."""
    rng = np.random.default_rng(0)
    tables = []
    for part in parts:
        codes = np.resize(np.arange(n_classes), n)
        fold = [str(place * folds // n) for place in range(n)] if folds else "test"
        for contender, skill in skills.items():
            for seed in seeds:
                proba = some_proba(rng, codes, n_classes, skill=skill)
                tables.append(frame_of(codes, proba, contender=contender, seed=seed, fold=fold, part=part))
    return pl.concat(tables)
