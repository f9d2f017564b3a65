"""A contender that loses to a simpler one of its modality is named, with the meaning of this for the answer."""

import json

import numpy as np
import polars as pl
import pytest

from check_material import inputs_of, run_check
from counterpoint.compare import differences
from counterpoint.config import Evaluate
from counterpoint.contenders import MODELS
from counterpoint.contenders.base import Contender
from counterpoint.diagnose.cp023_loses_to_simpler import LEAST_LOSS
from counterpoint.lookup import find
from counterpoint.schema import COSTS, PREDICTIONS
from made_signals import made_fits

RULES = Evaluate(metrics=("balanced_accuracy", "log_loss"))
READS = {"text-svm": ("text",), "text-lstm": ("text",), "image-cnn": ("image",), "late-fusion": ("text", "image")}
PLACES = {"text-svm": 2, "text-lstm": 4, "image-cnn": 4, "late-fusion": 3}
PRIMARY = {"a": "late-fusion", "b": "text-svm", "metric": "balanced_accuracy"}


def given(right, *, reads=READS, places=PLACES, metric="balanced_accuracy", primary=PRIMARY, members=(), costs=None):
    """Return inputs with contenders that predict a share of the rows, by name."""
    rng = np.random.default_rng(0)
    n = 900
    codes, fold = rng.integers(0, 2, n), rng.permutation(n) % 3
    frames = []
    for name, share in right.items():
        guess = np.where(rng.random(n) < share, codes, 1 - codes)
        logits = np.eye(2)[guess] * 1.5
        frames.append(made_fits(logits, codes, fold).with_columns(contender=pl.lit(name)))
    predictions = pl.concat(frames).with_columns(pl.col("seed").cast(pl.Int64)).select(*PREDICTIONS, "^p_.*$")
    known = {name: own for name, own in reads.items() if name in right}
    rules = RULES.model_copy(update={"primary": metric})
    table = differences(predictions, rules, None, known)
    sizes = pl.DataFrame(
        [{"contender": name, "parameters": n} for name, n in (costs or {}).items()], schema=dict(COSTS)
    )
    return inputs_of(
        predictions.filter(part="test").select("id", "label"), predictions=predictions, differences=table,
        modalities=known, complexity=places, metric=metric, primary=primary, members=dict(members), costs=sizes,
    )  # fmt: skip


def losses(found):
    return json.loads(found["evidence"])["losses"]


def test_a_loss_to_a_contender_that_reads_nothing_is_no_sign_of_what_the_modality_has():
    reads, places = {**READS, "metadata": ()}, {**PLACES, "metadata": 1}
    found = run_check(
        "CP023", given({"metadata": 0.8, "image-cnn": 0.6, "late-fusion": 0.85}, reads=reads, places=places)
    )
    assert losses(found) == {"image-cnn": "metadata"}
    assert "image-cnn is worse than metadata, which reads neither text nor image: −0.1" in found["explanation"]
    assert "all that the image says" not in found["explanation"]


def test_a_network_below_a_linear_model_of_its_modality_is_named():
    found = run_check("CP023", given({"text-svm": 0.8, "text-lstm": 0.65, "late-fusion": 0.85}))
    assert found["severity"] == "warn"
    assert losses(found) == {"text-lstm": "text-svm"}
    assert "text-lstm is worse than text-svm, which is simpler: −0.1" in found["explanation"]
    assert "all that the text says about the class" in found["explanation"]


@pytest.mark.parametrize(
    ("primary", "members", "meaning"),
    [
        (PRIMARY, {}, "If late-fusion reads its input like text-lstm, the gain"),
        (PRIMARY | {"b": "text-lstm"}, {}, "compares late-fusion with text-lstm, so the gain from reading both may be"),
        (PRIMARY, {"late-fusion": ("text-lstm", "image-cnn")}, "late-fusion combines text-lstm"),
        (PRIMARY, {"late-fusion": ("text-svm", "image-cnn")}, "does not rest on text-lstm"),
        (None, {}, "Train it longer"),
    ],
)
def test_the_meaning_for_the_answer_is_put_in_words(primary, members, meaning):
    reads = READS | {"keyword-rule": ("text",)}
    right = {"text-svm": 0.8, "text-lstm": 0.65, "late-fusion": 0.85, "keyword-rule": 0.84}
    places = PLACES | {"keyword-rule": 1}
    found = run_check("CP023", given(right, reads=reads, places=places, primary=primary, members=members))
    assert meaning in found["explanation"]


@pytest.mark.parametrize("right", [{"text-svm": 0.8, "text-lstm": 0.8}, {"text-svm": 0.7, "text-lstm": 0.8}])
def test_an_equal_or_better_contender_raises_no_alarm(right):
    assert run_check("CP023", given(right))["severity"] == "info"


def test_a_loss_that_is_the_worst_of_several_comparisons_must_be_clearer():
    alone = given({"text-svm": 0.8, "text-lstm": 0.715})
    high = alone["differences"].filter(a="text-lstm", b="text-svm", metric="balanced_accuracy")["high"].item()
    assert -0.03 < high < -LEAST_LOSS  # clear by its own interval, and hardly more
    assert run_check("CP023", alone)["severity"] == "warn"
    others = {f"text-{name}": 0.8 for name in "abcdef"}
    reads, places = READS | dict.fromkeys(others, ("text",)), PLACES | dict.fromkeys(others, 4)
    among = given({"text-svm": 0.8, "text-lstm": 0.715} | others, reads=reads, places=places)
    assert run_check("CP023", among)["severity"] == "info"


def test_a_simpler_contender_that_loses_raises_no_alarm():
    assert run_check("CP023", given({"text-svm": 0.6, "text-lstm": 0.8}))["severity"] == "info"


def test_a_multimodal_contender_below_a_single_entity_one_is_another_question():
    found = run_check("CP023", given({"text-svm": 0.8, "image-cnn": 0.6, "late-fusion": 0.6}))
    assert found["severity"] == "not_applicable"


def test_a_contender_that_reads_nothing_is_simpler_than_one_of_a_modality():
    reads, places = READS | {"metadata": ()}, PLACES | {"metadata": 1}
    found = run_check("CP023", given({"image-cnn": 0.6, "metadata": 0.75}, reads=reads, places=places))
    assert losses(found) == {"image-cnn": "metadata"}


def test_a_loss_is_smaller_for_a_better_contender_in_log_loss_too():
    right = {"text-svm": 0.8, "text-lstm": 0.6}
    assert losses(run_check("CP023", given(right, metric="log_loss"))) == {"text-lstm": "text-svm"}


@pytest.mark.parametrize(("parameters", "severity"), [(100, "warn"), (900, "not_applicable"), (None, "not_applicable")])
def test_contenders_from_outside_without_a_place_are_ordered_by_their_parameters(parameters, severity):
    reads = {"mine": ("text",), "text-lstm": ("text",)}
    costs = {"text-lstm": 1000} | ({"mine": parameters} if parameters else {})
    found = run_check(
        "CP023", given({"mine": 0.8, "text-lstm": 0.65}, reads=reads, places={"text-lstm": 4}, costs=costs)
    )
    assert found["severity"] == severity


def test_a_contender_from_outside_may_declare_its_place():
    reads = {"mine": ("text",), "text-lstm": ("text",)}
    found = run_check("CP023", given({"mine": 0.8, "text-lstm": 0.65}, reads=reads, places={"text-lstm": 4, "mine": 2}))
    assert losses(found) == {"text-lstm": "mine"}


@pytest.mark.parametrize("name", MODELS)
def test_every_contender_of_ours_declares_its_place(name):
    model = find(name, MODELS, what="contender")
    assert issubclass(model, Contender)
    assert model.complexity in range(5)
