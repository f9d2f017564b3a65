"""Rows that share one text or one image raise no suspicion of their labels.  Wrong labels are found all the same."""

import json

import numpy as np
import polars as pl
import pytest

from check_material import run_check
from made_signals import inputs_of_signals, made_fits

N = 600


def made(seed, *, shared=0.45, by_class=False, text=False, image=True, flips=0.0, fold_of="one"):
    """Return inputs where some rows share one text, one image or both, and are read by the worse models of one fold.

    All shared inputs are in one fold, as their group is.  Fewer rows train its models, so that they err more often.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, N)
    label = np.where(rng.random(N) < flips, 1 - truth, truth)
    share = np.where(truth == 1, 0.7, 0.2) if by_class else np.full(N, shared)
    is_shared = rng.random(N) < share
    fold = np.where(is_shared, 0, 1 + rng.integers(0, 2, N)) if fold_of == "one" else rng.integers(0, 3, N)
    right = np.where(fold == 0, 0.62, 0.92)
    frames = []
    for name, is_of_modality in (("text-svm", text), ("image-cnn", image)):
        guess = np.where(rng.random(N) < right, truth, 1 - truth)
        strength = rng.normal(2.5, 0.7, N)
        if is_of_modality:
            guess, strength = np.where(is_shared, 1, guess), np.where(is_shared, 2.0, strength)
        frames.append(made_fits(np.eye(2)[guess] * strength[:, None], label, fold).with_columns(contender=pl.lit(name)))
    rows = pl.int_range(N, eager=True).cast(pl.String)
    pairs = pl.DataFrame({
        "id": [f"{row:04d}" for row in range(N)],
        "text": np.where(is_shared & text, "no description", ("text of row " + rows).to_numpy()),
        "image": [f"{row}.png" for row in range(N)],
        "sha256": np.where(is_shared & image, "placeholder", rows.to_numpy()),
        "label": [f"c{code}" for code in label],
        "group": np.where(is_shared, "placeholder", rows.to_numpy()),
    })  # fmt: skip
    reads = {"text-svm": ("text",), "image-cnn": ("image",)}
    return inputs_of_signals(n=12).replaced(predictions=pl.concat(frames), pairs=pairs, modalities=reads)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "kind",
    [{}, {"by_class": True}, {"text": True, "image": False}, {"text": True}, {"text": True, "by_class": True}],
    ids=["image", "image by class", "text", "both", "both by class"],
)
@pytest.mark.parametrize("fold_of", ["one", "any"])
def test_inputs_that_many_rows_share_raise_no_alarm(kind, seed, fold_of):
    found = run_check("CP020", made(seed, **kind, fold_of=fold_of))
    assert found["severity"] in ("info", "not_applicable")
    assert json.loads(found["evidence"])["n_left_out"] > 150
    assert "Not counted: " in found["explanation"]


def test_a_constant_text_leaves_no_row_to_judge():
    given = made(0, shared=1.0, text=True, image=False)
    assert run_check("CP020", given)["severity"] == "not_applicable"


def test_worse_models_in_one_fold_make_no_wrong_labels():
    given = made(1, shared=0.45)
    pairs = given["pairs"].with_columns(sha256="id", group="id")
    found = run_check("CP020", given.replaced(pairs=pairs))
    assert json.loads(found["evidence"])["n_left_out"] == 0
    assert found["severity"] == "info"


@pytest.mark.parametrize("seed", range(3))
def test_wrong_labels_next_to_a_shared_image_are_found(seed):
    found = run_check("CP020", made(seed, shared=0.2, flips=0.12, fold_of="any"))
    assert found["severity"] == "warn"


def test_rows_that_share_an_image_count_once_for_the_number_of_rows():
    given = made(0, shared=0.0)
    rows = pl.int_range(pl.len())
    few = given["pairs"].with_columns(
        sha256=(rows % 75).cast(pl.String), group=pl.lit("g") + (rows % 15).cast(pl.String)
    )
    found = run_check("CP020", given.replaced(pairs=few))
    assert found["severity"] == "not_applicable"
    assert "independent test rows" in found["explanation"]
