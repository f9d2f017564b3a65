"""In a k-fold, the best contender of a modality is chosen in each fold, so that its score is no luck."""

import json

import numpy as np
import polars as pl

from check_material import inputs_of, run_check
from counterpoint.config import Evaluate
from counterpoint.diagnose.verdict_inputs import VerdictInputs
from counterpoint.measures.prediction_arrays import best_on_validation
from counterpoint.measures.readers import reader_predictions, reader_scores, readers
from counterpoint.metrics import scores
from counterpoint.metrics.decision import BALANCED
from counterpoint.schema import FINDINGS, empty
from made_predictions import READS, predictions
from made_signals import made_fits

RULES = Evaluate(metrics=(BALANCED,), primary=BALANCED)
TEXTS = tuple(f"text-{k}" for k in range(6))


def k_fold(logits, label, fold):
    """Predictions of contenders that learn nothing: those of a validation row and of the same test row are equal."""
    return pl.concat([
        made_fits(own, label, fold).with_columns(contender=pl.lit(name)) for name, own in logits.items()
    ])  # fmt: skip


def guessed(seed, n=150):
    """Predictions of six contenders of the text that guess, and of one of the image."""
    rng = np.random.default_rng(seed)
    label, fold = rng.integers(0, 2, n), rng.permutation(n) % 3
    return k_fold({name: rng.normal(size=(n, 2)) for name in (*TEXTS, "image-cnn")}, label, fold)


READS_TEXTS = dict.fromkeys(TEXTS, ("text",)) | {"image-cnn": ("image",)}


def test_the_score_of_a_reader_is_not_that_of_the_luckiest_guesser():
    above: dict[str, list[float]] = {"in each fold": [], "on all rows": []}
    for seed in range(40):
        rows = guessed(seed)
        balanced = scores(rows, RULES)
        given = inputs_of(pl.DataFrame({"label": ["a", "b"]}), predictions=rows, modalities=READS_TEXTS,
                          scores=balanced, metric=BALANCED)  # fmt: skip
        above["in each fold"].append(VerdictInputs(given, empty(FINDINGS)).above_chance("text").value)
        luckiest = best_on_validation(rows, TEXTS)
        above["on all rows"].append(balanced.filter(contender=luckiest, part="oof")["value"].item() - 0.5)
    assert np.mean(above["on all rows"]) > 0.035
    assert abs(np.mean(above["in each fold"])) < 0.015


def test_the_gain_of_equally_good_fusions_is_not_that_of_the_luckiest():
    fusions = {f"fusion-{k}": ("text", "image") for k in range(8)}
    reads = {"text-svm": ("text",), "image-cnn": ("image",), **fusions}
    gains = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        n = 150
        label, fold = rng.integers(0, 2, n), rng.permutation(n) % 3
        logits = {name: rng.normal(size=(n, 2)) for name in reads}
        for name in ("text-svm", *fusions):
            logits[name][np.arange(n), label] += 1.5
        rows = k_fold(logits, label, fold)
        found = run_check("CP010", inputs_of(rows.filter(part="test"), predictions=rows, modalities=reads))
        gains.append(json.loads(found["evidence"])["gain_bits"][0])
    assert abs(np.mean(gains)) < 0.04  # a choice on all validation rows gains 0.10


def test_where_one_contender_is_the_best_in_all_folds_nothing_changes():
    rows = predictions({"text-svm": 3, "text-lstm": 0, "image-cnn": 1}, folds=3, n=90)
    chosen = readers(rows, {**READS, "text-lstm": ("text",)})
    assert {modality: reader.name for modality, reader in chosen.items()} == {"text": "text-svm", "image": "image-cnn"}
    assert all(reader.is_unanimous for reader in chosen.values())
    balanced = scores(rows, RULES)
    assert reader_predictions(rows, chosen) is rows
    assert reader_scores(rows, chosen, balanced) is balanced


def test_each_fold_of_a_reader_has_the_rows_of_its_choice_and_other_contenders_stay():
    rows = guessed(1)
    chosen = readers(rows, READS_TEXTS)
    assert not chosen["text"].is_unanimous
    mixed = reader_predictions(rows, chosen)
    for choice in chosen["text"].choices:
        for part in ("validation", "test"):
            own = rows.filter(contender=choice["text"], fold=choice["fold"], part=part).sort("id")
            found = mixed.filter(contender=chosen["text"].name, fold=choice["fold"], part=part).sort("id")
            assert found["p_c0"].to_list() == own["p_c0"].to_list()
    others = pl.col("contender") != chosen["text"].name
    assert mixed.filter(others).equals(rows.filter(others))
