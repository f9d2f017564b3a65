"""Made-up outcomes of sweeps, in the shape that real ones have, for the tests of their page."""

import numpy as np
import polars as pl

from counterpoint import schema
from counterpoint.config import Evaluate
from counterpoint.config.sweep import SweepConfig
from counterpoint.report.sweep import Learned, Swept
from counterpoint.sweep import POINTS

MODALITIES = {"paper-lstm-cnn": ("text", "image"), "text-svm": ("text",), "image-cnn": ("image",)}
CHANGES = {
    "published": {
        "hidden activation": 0.21, "padding": 0.004, "image side": -0.012, "tokenizer fitted again": -0.15,
        "validation and test texts shuffled": -0.31,
    },
    "repaired": {"hidden activation": -0.19, "padding": 0.01, "label from": 0.02},
}  # fmt: skip
VARIANTS = (("gray", 0.52, 0.11), ("rgb", 0.55, 0.22))
NOTHING: dict = {}
VALUES = ("16", "32", "64", "160")


def changed(contenders=("paper-lstm-cnn",), *, effects=CHANGES):
    """Return a sweep of single changes; ``effects`` are the differences by variant and change."""
    rng, rows = np.random.default_rng(0), []
    for variant, of_variant in effects.items():
        for contender in contenders:
            own = 0.62 if variant == "published" else 0.84
            rows.append(_row(variant, None, None, contender, own))
            for change, effect in of_variant.items():
                half = 0.03 + 0.02 * rng.random()
                is_paired = change not in ("image side", "label from")
                rows.append(_row(variant, change, None, contender, own + effect) | _difference(effect, half, is_paired))
    named = {change: dict.fromkeys(effects, NOTHING) for of_variant in effects.values() for change in of_variant}
    config = SweepConfig(sweep="autopsy", study="study.yaml", variants=dict.fromkeys(effects, NOTHING), choices=named)
    return _swept(config, rows, dict.fromkeys(effects))


def curved(contenders=("image-cnn",), *, values=VALUES, variants=VARIANTS, key="contenders.image-cnn.side_px"):
    """Return a sweep along a key; each of ``variants`` is its name, its first score, and how much it gains in all."""
    rows = []
    for variant, first, gain in variants:
        for place, contender in enumerate(contenders):
            for step, value in enumerate(values):
                effect = gain * step / max(len(values) - 1, 1)
                row = _row(variant, key, value, contender, first + effect + 0.05 * place)
                rows.append(row | _difference(effect, 0.06, is_paired=True) if step else row)
    config = SweepConfig(
        sweep="sides",
        study="study.yaml",
        variants=dict.fromkeys((variant for variant, *_ in variants), NOTHING),
        along={key: tuple(values)},
    )
    return _swept(config, rows, {variant: values[-1] for variant, *_ in variants})


def _swept(config, rows, learned):
    table = pl.DataFrame(rows, schema=POINTS)
    contender = table["contender"][0]
    return Swept(
        config, table, evaluate=Evaluate(), modalities=MODALITIES,
        learned=tuple(Learned(variant, value, _history(contender, place)) for place, (variant, value) in
                      enumerate(learned.items())),
        record={"command": f"counterpoint sweep {config.sweep}.yaml --quick",
                "files": [(f"{config.sweep}.yaml", f"sweep: {config.sweep}\n"), ("study.yaml", "study: base\n")],
                "environment": {"python": "3.11", "packages": {"numpy": "2.0"}}},
    )  # fmt: skip


def _row(variant, choice, value, contender, score):
    return {
        "variant": variant, "choice": choice, "value": value, "contender": contender, "metric": "balanced_accuracy",
        "score": score, "low": score - 0.05, "high": score + 0.05, "n": 240, "seeds": 3,
        "train": min(1.0, score + 0.28) if score < 0.7 else score + 0.04, "validation": score + 0.01,
    }  # fmt: skip


def _difference(effect, half, is_paired):
    p = 0.0005 if abs(effect) > half else 0.4
    return {
        "difference": effect, "difference_low": effect - half, "difference_high": effect + half,
        "p": p if is_paired else None,
    }  # fmt: skip


def _history(contender, seed):
    rng, rows = np.random.default_rng(seed), []
    for fit in range(3):
        fall = 0.65 * np.exp(-np.arange(12) / rng.uniform(2, 4))
        for epoch in range(12):
            train, valid = 0.05 + fall[epoch], 0.16 + fall[epoch] * 0.8 + 0.02 * epoch
            losses, scores = (train, valid, None), (1 - train / 2, 1 - valid / 2)
            rows.append((contender, fit, "test", epoch + 1, "joint", *losses, *scores, 1.0, epoch == 11))
    return pl.DataFrame(rows, schema=dict(schema.HISTORY), orient="row")
