"""A training is judged by its curves: chance agreement is found, over-fitting is none, and doubt is an answer."""

import numpy as np
import pytest

from counterpoint.errors import ConfigError, SchemaError
from counterpoint.measures.curve_signs import Curves, ValidationRows, chance_interval
from counterpoint.measures.history_files import read_history, validation_rows
from counterpoint.measures.learning_curves import judged

EVEN = ValidationRows(np.array([0.5, 0.5]), 1000)
PUBLISHED = ValidationRows(np.array([0.58, 0.42]))
# Read off figures 6 and 7 of Razzak and Akhtar (2023): the fusion of text and image over 15 epochs.
TRAIN_ACCURACY = [0.968, *[1.0] * 14]
VALID_ACCURACY = [.495, .489, .489, .492, .492, .497, .510, .502, .502, .502, .502, .503, .502, .502, .494]  # fmt: skip
TRAIN_LOSS = [.12, .02, .01, .02, .02, .01, .01, .02, .01, .01, .01, .01, .01, .01, .01]  # fmt: skip
VALID_LOSS = [3.27, 3.96, 4.57, 4.80, 4.47, 3.97, 4.61, 4.67, 4.99, 5.33, 5.67, 5.95, 6.36, 6.64, 5.52]  # fmt: skip


def curves(train_loss, train, valid_loss, valid, *, first=0):
    values = (np.asarray(each, dtype=float) for each in (train_loss, valid_loss, train, valid))
    return Curves(np.arange(first, first + len(train), dtype=float), *values)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("n", [None, 1231, 2000])
def test_the_fusion_of_2023_was_evaluated_on_other_rows(first, n):
    published = curves(TRAIN_LOSS, TRAIN_ACCURACY, VALID_LOSS, VALID_ACCURACY, first=first)
    found = judged(published, PUBLISHED._replace(n=n))
    assert found.answer == "evaluated_on_other_rows"
    assert found.other_rows == pytest.approx(1, abs=0.03)
    assert "0.968" in found.reason
    assert "0.489 to 0.510" in found.reason


def test_the_interval_of_chance_agreement_reaches_from_even_answers_to_class_shares():
    low, high = chance_interval(PUBLISHED._replace(n=10**8))
    assert (low, high) == pytest.approx((0.5, 0.58**2 + 0.42**2), abs=1e-3)
    known = ValidationRows(np.array([0.9, 0.1]), 10**8, np.array([1.0, 0.0]))
    assert chance_interval(known) == pytest.approx((0.9, 0.9), abs=1e-3)


def test_half_of_the_rows_are_estimated_as_half():
    half = curves([0.2, 0.03, 0.01], [0.94, 1, 1], [1.2, 1.6, 2.0], [0.74, 0.75, 0.75])
    found = judged(half, EVEN)
    assert found.answer == "evaluated_on_other_rows"
    assert found.other_rows == pytest.approx(0.5, abs=0.05)


SLOW = [0.51, 0.6, 0.75, 0.9, 0.97, 0.99]
FALLING = [0.7, 0.66, 0.5, 0.3, 0.1, 0.03]
STATES = {
    "memorised": curves(FALLING, [0.55, 0.64, 0.75, 0.9, 0.98, 1.0], [0.67, 0.65, 0.7, 0.9, 1.3, 1.8], [0.6] * 6),
    "not_trained": curves([0.694] * 6, [0.5] * 6, [0.694] * 6, [0.5] * 6),
    "unfinished": curves(
        [0.69, 0.66, 0.63, 0.6, 0.57, 0.54], [0.51, 0.55, 0.6, 0.63, 0.66, 0.69],
        [0.69, 0.67, 0.64, 0.61, 0.58, 0.55], [0.52, 0.56, 0.6, 0.63, 0.66, 0.68],
    ),
    "healthy": curves(FALLING, SLOW, [0.6, 0.4, 0.2, 0.1, 0.08, 0.08], [0.7, 0.9, 0.95, 0.97, 0.97, 0.97]),
    "cannot_tell": curves(FALLING, SLOW, [0.7, 0.72, 0.8, 1.2, 1.8, 2.5], [0.5, 0.49, 0.51, 0.5, 0.5, 0.5]),
}  # fmt: skip


@pytest.mark.parametrize("answer", STATES)
def test_each_state_has_its_answer(answer):
    found = judged(STATES[answer], EVEN)
    assert (found.answer, found.other_rows) == (answer, None)


def test_a_memorised_rare_class_is_at_chance_agreement_and_no_other_rows():
    # Nine to one: validation falls from the share of the larger class to chance agreement, .82, as training memorises.
    train = [0.88, 0.9, 0.92, 0.96, 0.99, 1.0]
    rare = curves(
        [0.37, 0.32, 0.25, 0.12, 0.04, 0.01],
        train,
        [0.33, 0.34, 0.4, 0.7, 1.0, 1.3],
        [0.9, 0.9, 0.88, 0.85, 0.83, 0.82],
    )
    assert judged(rare, ValidationRows(np.array([0.9, 0.1]), 500)).answer != "evaluated_on_other_rows"


@pytest.mark.parametrize("start", [1, 2])
def test_without_the_first_epoch_other_rows_are_not_claimed(start):
    late = Curves(
        *(values[start:] for values in curves(TRAIN_LOSS, TRAIN_ACCURACY, VALID_LOSS, VALID_ACCURACY, first=1))
    )
    found = judged(late, PUBLISHED)
    assert found.answer == "cannot_tell"
    assert "first" in found.reason


def test_a_first_validation_that_recovers_is_no_other_rows():
    # As from batch normalisation, whose running means need some epochs.
    recovering = curves([0.2, 0.05, 0.02, 0.01], [0.93, 0.99, 1, 1], [2.5, 1.2, 0.2, 0.1], [0.5, 0.6, 0.94, 0.97])
    assert judged(recovering, EVEN).answer == "healthy"


LOG = "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.9,0.3,0.8,0.5\n1,0.95,0.2,0.82,0.45\n"


def written(tmp_path, text):
    path = tmp_path / "log.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_log_of_keras_is_read_whatever_the_order_of_its_rows(tmp_path):
    head, first, second = LOG.splitlines()
    read = read_history(written(tmp_path, "\n".join([head, second, first])))[""]
    assert read.epochs.tolist() == [0, 1]
    assert read.valid_loss.tolist() == [0.5, 0.45]


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("val_loss", "vall_loss", "no column of the validation loss (val_loss, valid_loss, validation_loss)"),
        ("val_loss", "vall_loss", "Did you mean 'val_loss'?"),
        ("0.8,", "80,", "val_accuracy has 80, which is no share from 0 to 1. Divide percentages by 100."),
        ("0.5\n", "nan\n", "val_loss is 'nan' in epoch 0"),
        ("0.45", "inf", "Give the epochs before the training diverged"),
        ("0.45", "", "val_loss is missing in epoch 1"),
        ("0.45", "high", "val_loss is 'high' in epoch 1. Each epoch needs a number."),
        ("\n1,", "\n0,", "epoch 0 twice"),
    ],
)
def test_a_history_that_cannot_be_judged_is_refused_in_one_line(tmp_path, old, new, part):
    with pytest.raises(SchemaError) as raised:
        read_history(written(tmp_path, LOG.replace(old, new)))
    assert part in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("shares", "n", "n_classes", "part"),
    [
        ([58, 42], None, None, "sums to 100. Divide percentages by 100"),
        ([0.5, 0.4], None, None, "sums to 0.9, not to 1"),
        ([1.0], None, None, "Give one share for each class"),
        ([1.2, -0.2], None, None, "Give one share for each class"),
        ([0.5, 0.5], None, 3, "--shares has 2 classes, and --classes is 3"),
        (None, 0, None, "--rows is 0"),
        (None, None, 1, "--classes is 1"),
    ],
)
def test_validation_rows_that_cannot_be_are_refused(shares, n, n_classes, part):
    with pytest.raises(ConfigError) as raised:
        validation_rows(shares, n=n, n_classes=n_classes)
    assert part in str(raised.value)
