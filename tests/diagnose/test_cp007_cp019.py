"""Branches that over-fit at different speeds, and weights that were kept too long."""

import json

import numpy as np
import polars as pl
import pytest

from check_material import run_check
from counterpoint.schema import HISTORY
from made_signals import inputs_of_signals

EPOCHS = 10


def curve(*, low, rise=0.0, best=EPOCHS, train_low=None):
    """Return training and validation losses that fall until epoch *best*, where validation turns up by *rise*."""
    epochs = np.arange(1, EPOCHS + 1)
    fall = np.minimum(epochs / best, 1)
    valid = 0.7 - (0.7 - low) * fall + rise * np.clip((epochs - best) / EPOCHS, 0, None)
    return np.linspace(0.7, low if train_low is None else train_low, EPOCHS), valid


def history(curves, *, fits=3, noise=0.005, seed=0):
    rng = np.random.default_rng(seed)
    rows = [
        {"contender": name, "seed": 0, "fold": str(fit), "epoch": epoch + 1, "branch": "joint",
         "train_loss": train[epoch] + rng.normal(0, noise), "valid_loss": valid[epoch] + rng.normal(0, noise)}
        for name, (train, valid) in curves.items() for fit in range(fits) for epoch in range(EPOCHS)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=dict(HISTORY))


SOUND = curve(low=0.5, train_low=0.45)
FAST = curve(low=0.55, rise=0.6, best=3, train_low=0.05)


def losses(given, name):
    """Return the validation loss of the predictions of contender *name*."""
    rows = given["predictions"].filter(contender=name, part="validation")
    own = pl.when(label="c0").then(pl.col("p_c0")).otherwise(pl.col("p_c1"))
    return float(rows.select(-own.log().mean()).item())


@pytest.mark.parametrize("fast", ["text-svm", "image-cnn"])
def test_the_branch_that_overfits_faster_is_named(fast):
    curves = {"text-svm": SOUND, "image-cnn": SOUND} | {fast: FAST}
    found = run_check("CP007", inputs_of_signals(history=history(curves)))
    assert (found["severity"], found["subject"]) == ("warn", fast)
    rows = {row["branch"]: row for row in json.loads(found["evidence"])["table"]}
    assert rows[fast]["best epoch"] == pytest.approx(3, abs=1)


@pytest.mark.parametrize(("n", "severity"), [(300, "warn"), (297, "info")])
def test_few_validation_rows_leave_the_speeds_unknown(n, severity):
    curves = history({"text-svm": SOUND, "image-cnn": FAST})
    found = run_check("CP007", inputs_of_signals(n=n, history=curves))  # three folds: a third are validation rows
    assert found["severity"] == severity
    assert ("It is unknown" in found["explanation"]) == (severity == "info")
    assert json.loads(found["evidence"]).get("n_validation") == (99 if severity == "info" else None)


def test_branches_of_like_speed_raise_no_alarm():
    given = inputs_of_signals(history=history({"text-svm": SOUND, "image-cnn": curve(low=0.6, train_low=0.55)}))
    assert run_check("CP007", given)["severity"] == "info"


@pytest.mark.parametrize(
    ("curves", "fits"),
    [
        ({"text-svm": SOUND, "image-cnn": FAST}, 1),
        ({"text-svm": SOUND}, 3),
        ({"text-svm": SOUND, "image-cnn": (np.linspace(0.7, 0.3, EPOCHS), np.linspace(0.7, 0.9, EPOCHS))}, 3),
        ({}, 3),
    ],
    ids=["one fit", "one branch", "a branch that learns nothing", "no curves"],
)
def test_speeds_that_cannot_be_compared_are_not_applicable(curves, fits):
    assert run_check("CP007", inputs_of_signals(history=history(curves, fits=fits)))["severity"] == "not_applicable"


@pytest.mark.parametrize("classes", [2, 4])
def test_weights_worse_than_those_of_an_earlier_epoch_are_reported_with_that_epoch(classes):
    given = inputs_of_signals(classes=classes)
    low = losses(given, "text-svm") - 0.3 if classes == 2 else 0.1
    train, _ = SOUND
    valid = np.full(EPOCHS, low + 0.3)
    valid[:4] = [low + 0.2, low + 0.1, low, low + 0.1]
    found = run_check(
        "CP019", inputs_of_signals(classes=classes, history=history({"text-svm": (train, valid)}, noise=0))
    )
    assert (found["severity"], found["subject"]) == ("warn", "text-svm")
    assert "Stop at epoch 3" in found["explanation"]


def test_weights_of_the_best_epoch_raise_no_alarm_though_the_curve_turns_up():
    given = inputs_of_signals()
    low = losses(given, "text-svm")
    valid = low + np.array([0.3, 0.2, 0.1, 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    found = run_check("CP019", inputs_of_signals(history=history({"text-svm": (SOUND[0], valid)}, noise=0)))
    assert found["severity"] == "info"
    assert json.loads(found["evidence"])["table"][0]["stop at"] == 4


def test_without_curves_there_is_no_epoch_to_stop_at():
    assert run_check("CP019", inputs_of_signals())["severity"] == "not_applicable"
