"""The checks of the pairs themselves: each fires on its planted fault, and is quiet where the fault is absent."""

import json

import numpy as np
import polars as pl
import pytest

from check_material import FILLERS, inputs_of, made_dropped, made_pairs, predictions_of, run_check, severity
from counterpoint.config import Group, Split
from counterpoint.data.group import group
from counterpoint.data.split import split
from counterpoint.diagnose import CHECKS, title_of
from counterpoint.measures.contender_fits import ContenderFit

DATA = ("CP001", "CP002", "CP003", "CP013", "CP017", "CP018", "CP022", "CP025")


def table(found):
    return json.loads(found["evidence"])["table"]


@pytest.fixture(scope="module")
def pairs():
    return made_pairs()


@pytest.fixture(scope="module")
def clean(pairs):
    predictions = pl.concat([predictions_of(pairs, "text-svm"), predictions_of(pairs, "lstm-cnn", seed=1)])
    return inputs_of(pairs, predictions=predictions)


@pytest.mark.parametrize("code", DATA)
def test_a_check_of_the_data_is_quiet_where_its_fault_is_absent(code, clean):
    assert severity(code, clean) == "info"


@pytest.mark.parametrize("code", DATA)
@pytest.mark.parametrize("classes", [3, 5])
def test_a_check_of_the_data_takes_more_classes_than_two(code, classes):
    pairs = made_pairs(classes=classes)
    given = inputs_of(
        pairs, predictions=predictions_of(pairs, "text-svm"), dropped=made_dropped({("too_small", "class_2"): 3})
    )
    assert severity(code, given) == "info"


ODD = [
    lambda pairs: pairs.select("label"),
    lambda pairs: pairs.with_columns(text=pl.lit(None, pl.String)),
    lambda pairs: pairs.with_columns(image=pl.lit(None, pl.String)).drop("sha256", "phash", "width_px"),
    lambda pairs: pairs.with_columns(label=pl.lit("class_0")),
    lambda pairs: pairs.with_columns(fold=pl.lit("train")),
    lambda pairs: pairs.filter((pl.col("fold") != "train") | (pl.col("label") == "class_0")),
    lambda pairs: pairs.head(3),
]


@pytest.mark.parametrize("code", sorted(CHECKS))
@pytest.mark.parametrize("change", ODD)
def test_odd_pairs_are_reported_and_raise_nothing(code, change, pairs):
    assert run_check(code, inputs_of(change(pairs)))["severity"] in ("info", "warn", "not_applicable")


ALL = {"text-svm": ("text",), "image-cnn": ("image",), "lstm-cnn": ("text", "image")}
PREDICTED = ("CP002", "CP004", "CP010", "CP015", "CP016", "CP018", "CP020")


@pytest.mark.parametrize("code", PREDICTED)
@pytest.mark.parametrize("change", [lambda pairs: pairs, *ODD])
@pytest.mark.parametrize("kept", [{"test", "validation"}, {"test"}])
def test_predictions_of_odd_pairs_are_reported_and_raise_nothing(code, change, kept, pairs):
    rows = pl.concat(
        [predictions_of(pairs, name, seed=i, part=part) for i, name in enumerate(ALL) for part in sorted(kept)]
    )
    given = inputs_of(change(pairs), predictions=rows, modalities=ALL)
    assert run_check(code, given)["severity"] in ("info", "warn", "not_applicable")
    one = given.replaced(predictions=rows.filter(label="class_0"))
    assert run_check(code, one)["severity"] in ("info", "warn", "not_applicable")


def test_every_check_has_a_title():
    assert all(title_of(code) for code in CHECKS)


@pytest.mark.parametrize("code", DATA)
def test_the_same_case_gives_the_same_bytes(code, clean):
    lost = made_dropped({("b", "class_0"): 3, ("a", "class_1"): 3, ("c", "class_1"): 2})
    given = clean.replaced(dropped=lost)
    assert run_check(code, given) == run_check(code, given)


@pytest.mark.parametrize("name", ["is_damaged", "outcome", "of", "median", "damage", "share", "class", "warns above"])
def test_a_class_may_have_the_name_of_a_column(name):
    pairs = made_pairs(1000).with_columns(label=pl.col("label").replace("class_0", name))
    is_blank = (pl.col("label") == name) & (pl.col("row") % 8 == 0)
    odd = pairs.with_columns(phash=pl.when(is_blank).then(None).otherwise(pl.col("phash")))
    given = inputs_of(odd, dropped=made_dropped({("too_small", name): 125, ("decode_error", "class_1"): 55}))
    assert "unequally by class" in run_check("CP017", given)["explanation"]
    assert [row["damage"] for row in table(run_check("CP017", given))][1].startswith("images are blank")
    assert all(row["share"] < 0.5 for row in table(run_check("CP017", given)))
    assert severity("CP003", given) == "warn"
    assert {row["class"] for row in table(run_check("CP003", given))} == {name, "class_1"}
    assert "width_px" in {row["median"] for row in table(run_check("CP013", given))}


# CP001


def keyed(pairs, *, flips=0.0, seed=0):
    """Return *pairs* whose label is whether the text has one of two words, but for some flips."""
    is_in = pairs["text"].str.contains(r"\bword1\b|\bword2\b").to_numpy()
    flipped = np.random.default_rng(seed).random(len(pairs)) < flips
    return pairs.with_columns(label=pl.Series(np.where(is_in ^ flipped, "class_1", "class_0")))


def test_a_label_made_of_words_fails_and_the_words_are_named(pairs):
    found = run_check("CP001", inputs_of(keyed(pairs)))
    assert found["severity"] == "fail"
    assert "word1, word2" in found["explanation"] or "word2, word1" in found["explanation"]


def test_a_label_made_of_words_with_flips_warns():
    assert severity("CP001", inputs_of(keyed(made_pairs(1000), flips=0.05))) == "warn"


def test_a_label_that_keywords_of_the_text_made_fails_where_a_learned_rule_misses_some():
    by_record = keyed(made_pairs(1000), flips=0.05).with_columns(label_source=pl.lit("preset"))
    found = run_check("CP001", inputs_of(by_record))
    assert found["severity"] == "fail"
    assert "Keywords of the text made the labels" in found["explanation"]


def test_a_frequent_class_is_no_rule():
    given = inputs_of(made_pairs(600, shares=(0.95, 0.05)))
    assert severity("CP001", given) == "info"


def test_at_full_depth_the_text_is_read_without_the_words(pairs):
    evidence = json.loads(run_check("CP001", inputs_of(keyed(pairs), depth="full"))["evidence"])
    assert evidence["masked_accuracy"] < 0.75 < evidence["unmasked_accuracy"]


class Ruled:
    """Stands for a fitted keyword rule."""

    n_words, classes, rule_ = 8, None, [("whale", "class_0", 9), ("otherwise", "class_1", 11)]


def test_the_words_are_those_of_the_contender_where_there_is_one(pairs):
    scores = pl.DataFrame({"contender": ["keyword-rule"], "part": ["test"], "metric": ["accuracy"], "value": [0.999]})
    given = inputs_of(pairs, scores=scores, fit_of=lambda _: ContenderFit(Ruled(), pairs, pairs, pairs))
    found = run_check("CP001", given)
    assert (found["severity"], "(whale)" in found["explanation"]) == ("fail", True)


class LongRuled(Ruled):
    n_words = 100


class GivenRuled(Ruled):
    n_words, classes = 8, {"class_0": ["whale"]}


@pytest.mark.parametrize(
    ("rule", "severity", "words"),
    [(LongRuled, "info", "of at most eight words"), (GivenRuled, "fail", "of the words that the study names predicts")],
)
def test_a_contender_of_more_than_eight_words_is_no_rule_of_eight_and_given_words_are_named_so(rule, severity, words):
    pairs = made_pairs(600)
    scores = pl.DataFrame({"contender": ["keyword-rule"], "part": ["test"], "metric": ["accuracy"], "value": [0.999]})
    given = inputs_of(pairs, scores=scores, fit_of=lambda _: ContenderFit(rule(), pairs, pairs, pairs))
    found = run_check("CP001", given)
    assert (found["severity"], words in found["explanation"]) == (severity, True)


# CP002


def copied(pairs, share, columns, *, seed=0):
    """Return *pairs* of whose test rows a *share* copy a training row in these columns."""
    rng = np.random.default_rng(seed)
    places, folds = np.arange(len(pairs)), pairs["fold"].to_numpy()
    test, train = np.flatnonzero(folds == "test"), np.flatnonzero(folds == "train")
    chosen = rng.choice(test, round(share * len(test)), replace=False)
    places[chosen] = rng.choice(train, len(chosen))
    return pairs.with_columns(pairs[name].gather(places) for name in columns)


@pytest.mark.parametrize("columns", [["sha256", "phash", "text"], ["phash"]])
def test_test_rows_copied_from_training_rows_are_found(pairs, clean, columns):
    found = run_check("CP002", clean.replaced(pairs=copied(pairs, 0.05, columns)))
    assert found["severity"] == "warn"
    assert json.loads(found["evidence"])["share"] == pytest.approx(0.05, abs=0.01)
    assert {row["contender"] for row in table(found)} == {"text-svm", "lstm-cnn"}


def test_a_hash_of_four_bits_off_is_near_and_one_of_nine_is_not(pairs):
    for bits, expected in ((0b1111, "warn"), (0x1FF, "info")):
        near = copied(pairs, 0.1, ["phash"]).with_columns(
            phash=pl.when(pl.col("fold") == "test").then(pl.col("phash") ^ bits).otherwise(pl.col("phash"))
        )
        assert severity("CP002", inputs_of(near)) == expected


def test_texts_alone_are_reported_but_do_not_warn_where_there_are_images(pairs):
    alike = copied(pairs, 0.2, ["text"])
    found = run_check("CP002", inputs_of(alike))
    assert found["severity"] == "info"
    assert "only the text is near-identical" in found["explanation"]
    assert severity("CP002", inputs_of(alike.drop("sha256", "phash"))) == "warn"


def test_a_grouped_split_has_no_duplicates_across_folds():
    alike = copied(made_pairs(), 0.2, ["sha256", "phash", "text"]).drop("fold", "group")
    grouped, _ = group(alike, Group())
    pairs, _ = split(grouped, Split())
    found = run_check("CP002", inputs_of(pairs))
    assert (found["severity"], json.loads(found["evidence"])["share"]) == ("info", 0)


def test_a_k_fold_is_looked_at_fold_by_fold(pairs):
    folds = pairs.with_columns(fold=(pl.col("row") % 4).cast(pl.String))
    twins = folds.with_columns(sha256=pl.col("sha256").gather(pl.Series(np.arange(len(folds)) // 2 * 2)))
    # Rows 2k and 2k + 1 are alike, so that folds 0 and 1, and 2 and 3, hold each other's twins; of these, fold
    # k + 1 validates and does not train.
    share = json.loads(run_check("CP002", inputs_of(twins))["evidence"])["share"]
    assert share == pytest.approx(0.5, abs=0.01)


# CP003


def unequal(n_lost):
    pairs = made_pairs(1000)
    return inputs_of(pairs, dropped=made_dropped({("too_small", f"class_{k}"): n for k, n in enumerate(n_lost)}))


def test_a_class_that_lost_twice_the_rows_is_found():
    found = run_check("CP003", unequal((125, 55)))
    assert found["severity"] == "warn"
    assert [row["class"] for row in table(found)] == ["class_0", "class_1"]


def test_a_class_that_lost_all_its_rows_is_found():
    lost = made_dropped({("missing_image", "class_2"): 120}).with_columns(stage=pl.lit("align"))
    found = run_check("CP003", inputs_of(made_pairs(1000), dropped=lost))
    assert found["severity"] == "warn"
    assert "Class class_2 lost 100.0% of its rows" in found["explanation"]


def test_an_equal_loss_is_no_finding():
    assert severity("CP003", unequal((80, 85))) == "info"


def test_rows_left_out_on_purpose_do_not_count():
    pairs = made_pairs(1000)
    lost = dict.fromkeys([("ambiguous_label", "class_0"), ("balance", "class_1"), ("train_limit", "class_0")], 200)
    assert severity("CP003", inputs_of(pairs, dropped=made_dropped(lost))) == "info"


def test_rows_that_balance_left_out_count_as_kept():
    pairs = made_pairs(200)
    lost = {("balance", "class_0"): 800, ("too_small", "class_0"): 100, ("too_small", "class_1"): 11}
    assert severity("CP003", inputs_of(pairs, dropped=made_dropped(lost))) == "info"


def test_the_same_loss_for_other_reasons_is_found():
    lost = {("too_small", "class_0"): 60, ("decode_error", "class_1"): 60}
    found = run_check("CP003", inputs_of(made_pairs(1000), dropped=made_dropped(lost)))
    assert (found["severity"], "reasons differ" in found["explanation"]) == ("warn", True)


def test_a_loss_without_labels_cannot_be_compared_by_class():
    given = inputs_of(made_pairs(), dropped=made_dropped({("missing_file", None): 40}))
    assert severity("CP003", given) == "not_applicable"


def test_a_loss_that_depends_on_the_host_warns_where_labels_are_unknown():
    pairs = made_pairs().with_columns(host=pl.lit("alive.org"))
    given = inputs_of(pairs, dropped=made_dropped({("missing_file", None): 100}, host="dead.org"))
    assert severity("CP003", given) == "warn"


# CP013


def test_sizes_that_predict_the_class_are_found():
    pairs = made_pairs(1000)
    wide = pl.when((pl.col("label") == "class_0") & (pl.col("row") % 10 < 3)).then(900).otherwise(pl.col("width_px"))
    given = inputs_of(pairs.with_columns(width_px=wide))
    found = run_check("CP013", given)
    assert found["severity"] == "warn"
    assert 0.6 < json.loads(found["evidence"])["value"] < 0.7


def test_the_score_of_the_metadata_contender_is_in_the_evidence(pairs):
    scores = {"contender": ["metadata"], "part": ["test"], "metric": ["balanced_accuracy"], "value": [0.61]}
    found = run_check("CP013", inputs_of(pairs, scores=pl.DataFrame(scores)))
    assert json.loads(found["evidence"])["metadata_contender"] == 0.61


def test_a_shortcut_to_the_smaller_class_is_found():
    pairs = made_pairs(1000, shares=(0.9, 0.1))
    wide = pl.when((pl.col("label") == "class_1") & (pl.col("row") % 2 == 0)).then(900).otherwise(pl.col("width_px"))
    assert severity("CP013", inputs_of(pairs.with_columns(width_px=wide))) == "warn"


# CP017


def test_words_that_no_training_text_has_are_found(pairs):
    foreign = pl.col("text").str.replace_all(r"word[0-9]\b", "unseen").str.replace_all(r"word[12]", "new")
    odd = pairs.with_columns(pl.when(pl.col("fold") == "test").then(foreign).otherwise(pl.col("text")).alias("text"))
    found = run_check("CP017", inputs_of(odd))
    assert (found["severity"], "words of test texts" in found["explanation"]) == ("warn", True)


def test_names_of_which_some_are_always_new_are_no_finding():
    rng = np.random.default_rng(0)
    names = [f"{rng.choice(FILLERS)} {rng.choice(FILLERS)} {rng.choice(FILLERS)} new{i}" for i in range(400)]
    assert severity("CP017", inputs_of(made_pairs().with_columns(text=pl.Series(names)))) == "info"


def test_blank_images_are_found(pairs):
    blank = pl.when(pl.col("row") % 10 < 3).then(None).otherwise(pl.col("phash"))
    found = run_check("CP017", inputs_of(pairs.with_columns(phash=blank)))
    assert (found["severity"], "30% of images are blank" in found["explanation"]) == ("warn", True)


def test_a_few_blank_images_of_one_class_are_found(pairs):
    is_blank = (pl.col("label") == "class_0") & (pl.col("row") % 8 == 0)
    given = inputs_of(pairs.with_columns(phash=pl.when(is_blank).then(None).otherwise(pl.col("phash"))))
    assert "unequally by class" in run_check("CP017", given)["explanation"]


def test_tiny_images_are_found(pairs):
    tiny = pl.when(pl.col("row") % 5 == 0).then(12).otherwise(pl.col("height_px"))
    assert severity("CP017", inputs_of(pairs.with_columns(height_px=tiny))) == "warn"


class Short:
    """Stands for a fitted network that reads five words of a text."""

    max_words = 5


def test_texts_that_a_contender_cuts_are_found(pairs, clean):
    given = clean.replaced(fit_of=lambda _: ContenderFit(Short(), pairs, pairs, pairs))
    assert "longer than the 5 words that text-svm reads" in run_check("CP017", given)["explanation"]


# CP018


@pytest.mark.parametrize(("share", "expected"), [(0.9, "warn"), (0.8, "info"), (0.5, "info")])
def test_nine_to_one_warns_and_four_to_one_does_not(share, expected):
    pairs = made_pairs(1000, shares=(share, 1 - share))
    assert severity("CP018", inputs_of(pairs, predictions=predictions_of(pairs, "text-svm"))) == expected


@pytest.mark.parametrize(("metric", "expected"), [("accuracy", "warn"), ("balanced_accuracy", "info")])
def test_a_smaller_class_that_is_read_worse_is_hidden_by_accuracy_alone(metric, expected):
    pairs = made_pairs(1000, shares=(0.75, 0.25))
    found = run_check(
        "CP018", inputs_of(pairs, predictions=predictions_of(pairs, "text-svm", right=(0.95, 0.55)), metric=metric)
    )
    assert (found["severity"], "above its balanced accuracy" in found["explanation"]) == (expected, True)
    assert table(found)[0]["recall of class_1"] < 0.7
