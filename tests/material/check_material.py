"""Made-up comparisons without training, as inputs of checks."""

import json
from typing import Any

import numpy as np
import polars as pl

from counterpoint.diagnose import Finding, Inputs, check_of
from counterpoint.schema import COSTS, DIFFERENCES, DROPPED, HISTORY, PREDICTIONS, REPEATED, REPEATS, SCORES, empty

FILLERS = [f"word{i}" for i in range(60)]


def made_pairs(n: int = 400, *, classes: int = 2, seed: int = 0, shares: Any = None) -> pl.DataFrame:
    """Return *n* pairs in three folds.  Their texts, images and sizes do not depend on the class."""
    rng = np.random.default_rng(seed)
    code = rng.choice(classes, n, p=shares)
    rows = np.arange(n)
    return pl.DataFrame(
        {
            "id": [f"{row:04d}" for row in rows],
            "row": rows,
            "text": [" ".join(rng.choice(FILLERS, 10)) for _ in rows],
            "image": [f"{row}.png" for row in rows],
            "label": [f"class_{k}" for k in code],
            "label_source": ["column"] * n,
            "group": [f"g{row}" for row in rows],
            "fold": rng.permutation(np.resize(["train"] * 5 + ["validation", "test", "test"], n)),
            "width_px": rng.integers(100, 200, n),
            "height_px": rng.integers(100, 200, n),
            "sha256": [f"{row:064x}" for row in rows],
            "phash": rng.integers(0, 1 << 63, n, dtype=np.uint64) * 2 + rng.integers(0, 2, n, dtype=np.uint64),
        }
    )


def predictions_of(
    pairs: pl.DataFrame, contender: str, *, right: Any = 0.8, seed: int = 0, part: str = "test"
) -> pl.DataFrame:
    """Return predictions of the rows of a fold, correct with probability *right*, or one for each class."""
    rng = np.random.default_rng(seed)
    names = sorted(pairs["label"].unique())
    rows = pairs.filter(pl.col("fold") == part)
    code = np.array([names.index(label) for label in rows["label"]])
    chance = np.broadcast_to(right, len(names))[code]
    is_right = rng.random(len(code)) < chance
    guess = np.where(is_right, code, (code + rng.integers(1, len(names), len(code))) % len(names))
    proba = np.full((len(code), len(names)), 0.1 / (len(names) - 1))
    proba[np.arange(len(code)), guess] = 0.9
    own = {"contender": contender, "seed": 0, "fold": "test", "part": part}
    frame = rows.select("id", *(pl.lit(value).alias(name) for name, value in own.items()), "group", "label")
    chances = [pl.Series(f"p_{name}", proba[:, k]) for k, name in enumerate(names)]
    return frame.with_columns(pl.col("seed").cast(pl.Int64), *chances).select(*PREDICTIONS, pl.col("^p_.*$"))


def no_fit(name: str) -> None:
    """Return the fit of an outside model: none."""
    return


def inputs_of(pairs: pl.DataFrame, **given: Any) -> Inputs:
    """Return the inputs of a comparison on *pairs*: those *given*, and empty tables and usual settings for the rest."""
    usual: dict[str, Any] = {
        "pairs": pairs,
        "dropped": empty(DROPPED),
        "predictions": empty(PREDICTIONS),
        "history": empty(HISTORY),
        "costs": empty(COSTS),
        "scores": empty(SCORES),
        "repeats": empty(REPEATS),
        "repeated": empty(REPEATED),
        "differences": empty(DIFFERENCES),
        "primary": None,
        "modalities": {"text-svm": ("text",), "lstm-cnn": ("text", "image")},
        "additive": (),
        "members": {"late-fusion": ("text-svm", "image-cnn")},
        "complexity": {},
        "pretrained": frozenset(),
        "n_fits": 5,
        "test_evaluations": 1,
        "is_record_lost": False,
        "metric": "balanced_accuracy",
        "margin": None,
        "confidence": 0.95,
        "untrained": (),
        "depth": "fast",
        "encode": None,
        "fit_of": no_fit,
    }
    return Inputs(usual | given)


def run_check(name: str, inputs: Inputs) -> Finding:
    """Return the finding of the check *name* on *inputs*."""
    check = check_of(name)
    return check.run(**inputs.select(check.needs))


def severity(name: str, inputs: Inputs) -> str:
    """Return the severity of the finding of the check *name* on *inputs*."""
    return run_check(name, inputs)["severity"]


def evidence(found: Finding) -> dict[str, Any]:
    """Return the evidence of a finding."""
    return json.loads(found["evidence"])


def made_dropped(counts: dict[tuple[str, str | None], int], *, host: str | None = None) -> pl.DataFrame:
    """Return a ledger with so many rows of each (reason, label)."""
    rows = [(reason, label) for (reason, label), n in counts.items() for _ in range(n)]
    table = {
        "row": range(10_000, 10_000 + len(rows)),
        "id": [f"lost-{i}" for i in range(len(rows))],
        "source": ["made-up"] * len(rows),
        "stage": ["clean"] * len(rows),
        "reason": [reason for reason, _ in rows],
        "label": [label for _, label in rows],
        "host": [host] * len(rows),
    }
    return pl.DataFrame(table, schema=dict(DROPPED))


def made_costs(**costs: tuple[int, int, int, float]) -> pl.DataFrame:
    """Return two fits of each contender, which took these trials, epochs, parameters and seconds."""
    rows = [
        (name.replace("_", "-"), seed, "test", *cost[:3], cost[3], 0.1, 0.0)
        for name, cost in costs.items()
        for seed in (0, 1)
    ]
    return pl.DataFrame(rows, schema=dict(COSTS), orient="row")
