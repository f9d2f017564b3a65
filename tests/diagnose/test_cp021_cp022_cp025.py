"""CP021, CP022 and CP025 warn of their fault, are quiet on honest content, and name the fact and the rows."""

import numpy as np
import polars as pl
import pytest

from check_material import evidence, inputs_of, made_pairs, run_check
from counterpoint.features.image_facts import IMAGE_FACTS
from counterpoint.measures.encoded_pairs import EncodedPairs
from counterpoint.measures.fact_models import coded, predictable, separation, trees
from joint_material import encodings_of


def photos(n=1000, **how):
    """Return pairs with facts of images that do not depend on the class."""
    pairs, rng = made_pairs(n, **how), np.random.default_rng(7)
    numbers = {name: rng.random(n) for name, kind in IMAGE_FACTS.items() if kind == pl.Float64}
    facts = {
        **numbers,
        "image_format": ["jpeg"] * n,
        "image_quality": [85] * n,
        "image_bytes": rng.integers(900, 999, n),
    }
    return pairs.with_columns(
        pl.Series(name, facts[name], dtype=kind) for name, kind in IMAGE_FACTS.items()
    ).with_columns(image_border_spread=pl.lit(0.2))


def found(code, pairs, **given):
    return run_check(code, inputs_of(pairs, **given))


IS_FIRST = pl.col("label") == "class_0"
SEVEN_OF_TEN = IS_FIRST.xor(pl.col("row") % 10 < 3)


def test_old_run_folders_without_facts_are_not_applicable():
    assert found("CP021", made_pairs())["severity"] == "not_applicable"


def test_images_without_a_shortcut_are_quiet():
    assert found("CP021", photos())["severity"] == "info"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"image_format": pl.when(SEVEN_OF_TEN).then(pl.lit("png")).otherwise("image_format")}, "format"),
        ({"image_quality": pl.when(SEVEN_OF_TEN).then(60).otherwise("image_quality")}, "JPEG quality"),
        ({"image_border_spread": pl.when(SEVEN_OF_TEN).then(0.0).otherwise("image_border_spread")}, "plain border"),
    ],
)
def test_a_fact_of_the_file_that_predicts_the_class_warns(change, named):
    finding = found("CP021", photos().with_columns(**change))
    assert finding["severity"] == "warn"
    assert named in finding["explanation"]


def brightened(shift):
    return photos().with_columns(image_brightness=pl.col("image_brightness") + shift * IS_FIRST.cast(pl.Float64))


def test_brightness_that_overlaps_is_content_and_brightness_that_separates_is_a_shortcut():
    honest, processed = found("CP021", brightened(0.4)), found("CP021", brightened(0.95))
    assert (honest["severity"], processed["severity"]) == ("info", "warn")
    assert "Content may explain this" in honest["explanation"]
    assert "brightness, nearly separates" in processed["explanation"]


def test_the_score_of_the_best_image_contender_is_named():
    scores = pl.DataFrame({"contender": ["image-cnn"], "part": ["test"], "metric": ["balanced_accuracy"],
                           "value": [0.71]})  # fmt: skip
    given = {"balanced_scores": scores, "best_contenders": {"text": None, "image": "image-cnn"}}
    assert "image-cnn, has 0.710" in found("CP021", brightened(0.4), **given)["explanation"]


def test_a_border_of_few_rows_is_no_error():
    few = photos().with_columns(image_border_spread=pl.when(pl.col("row") == 3).then(0.0).otherwise(0.2))
    assert found("CP021", few)["severity"] == "info"


# CP022


def test_random_parts_are_alike():
    assert found("CP022", photos())["severity"] == "info"


IS_TEST = pl.col("fold") == "test"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"text": pl.when(IS_TEST).then(pl.col("text") + " word1 word2 word3").otherwise("text")}, "words"),
        ({"image_brightness": pl.col("image_brightness") + 0.5 * IS_TEST.cast(pl.Float64)}, "brightness"),
        ({"host": pl.when(IS_TEST).then(pl.lit("new.org")).otherwise(pl.lit("old.org"))}, "host"),
        ({"label": pl.when(IS_TEST & (pl.col("row") % 5 < 4)).then(pl.lit("class_0")).otherwise("label")}, "class"),
    ],
)
def test_a_fact_that_differs_between_parts_warns_and_is_named(change, named):
    finding = found("CP022", photos().with_columns(**change))
    assert finding["severity"] == "warn"
    assert named in finding["explanation"]
    assert evidence(finding)["table"][0]["p"] < 0.001


def test_other_words_of_equal_length_warn_without_a_fact():
    other = pl.when(IS_TEST).then(pl.col("text").str.replace_all(r"word1\b", "word99")).otherwise("text")
    other = pl.when(IS_TEST).then(other.str.replace_all(r"word[2-5]\b", "word98")).otherwise("text")
    finding = found("CP022", made_pairs(1000).with_columns(text=other))
    assert finding["severity"] == "warn"
    assert "The words of a row" in finding["explanation"]


@pytest.mark.parametrize(("shift", "severity"), [(0.0, "info"), (1.0, "warn")])
def test_vectors_of_the_joint_space_are_read_where_they_exist(shift, severity):
    pairs, rng = photos(), np.random.default_rng(1)
    turned = pairs.sample(fraction=1, shuffle=True, seed=0).head(900)  # in another order, and not all of them
    is_test = (turned["fold"] == "test").to_numpy()
    images = rng.standard_normal((900, 20)).astype(np.float32)
    images[:, 3] += 2 * shift * is_test
    texts = rng.standard_normal((900, 20)).astype(np.float32)
    encoded = EncodedPairs(turned, encodings_of(texts), encodings_of(images), lambda vectors: vectors)
    finding = found("CP022", pairs, encoded_pairs=encoded)
    assert finding["severity"] == severity
    assert len(evidence(finding)["readings"]) == 8
    assert ("The vectors of images of a row" in finding["explanation"]) == (severity == "warn")


def test_folds_by_time_differ_and_random_folds_do_not():
    folds = (pl.col("row") * 5 // 1000).cast(pl.String)
    drifting = photos().with_columns(fold=folds, image_brightness=pl.col("image_brightness") + pl.col("row") / 500)
    assert found("CP022", drifting)["severity"] == "warn"
    assert found("CP022", photos().with_columns(fold=folds))["severity"] == "info"


def test_rows_of_one_group_are_in_one_fold_of_the_models():
    # Each group has its own brightness.  Only a model that saw other rows of the group could know its part.
    groups = photos().with_columns(group=(pl.col("row") // 20).cast(pl.String), fold=pl.lit("train"))
    groups = groups.with_columns(
        fold=pl.when(pl.col("group").cast(pl.Int64) % 3 == 0).then(pl.lit("test")).otherwise("fold")
    )
    own = groups.with_columns(image_brightness=(pl.col("group").cast(pl.Int64) * 37 % 50) / 50)
    assert found("CP022", own)["severity"] == "info"


def test_few_rows_and_rows_without_folds_are_not_applicable():
    assert found("CP022", photos(60))["severity"] == "not_applicable"
    assert found("CP022", photos().drop("fold"))["severity"] == "not_applicable"


# CP025


def test_rows_of_their_own_share_nothing():
    assert "No picture, text or phrase" in found("CP025", photos())["explanation"]


def shared(rows, **columns):
    return photos().with_columns(
        pl.when(rows).then(pl.lit(value)).otherwise(name).alias(name) for name, value in columns.items()
    )


PLACEHOLDER = {"sha256": "0" * 64, "phash": 7}
SOME_FIRST = IS_FIRST & (pl.col("row") % 10 == 0)


def test_a_placeholder_of_one_class_gives_it_away_and_its_rows_are_in_the_queue():
    pairs = shared(SOME_FIRST, **PLACEHOLDER)
    finding = found("CP025", pairs)
    assert finding["severity"] == "warn"
    assert "of class class_0" in finding["explanation"]
    assert "exclude" in finding["explanation"]
    assert set(evidence(finding)["queue"]) == set(pairs.filter(SOME_FIRST)["id"])
    assert set(evidence(finding)["queue"].values()) == {"picture"}


def test_a_rare_placeholder_of_all_classes_is_reported_only_and_a_frequent_one_warns():
    rare, often = (found("CP025", shared(pl.col("row") % k == 0, **PLACEHOLDER)) for k in (50, 8))
    assert (rare["severity"], often["severity"]) == ("info", "warn")
    assert evidence(rare)["n_queue"] == 20
    assert "little content of their own" in often["explanation"]


def test_five_captions_a_picture_are_no_placeholder():
    pictures = photos().with_columns(
        sha256=(pl.col("row") // 5).cast(pl.String), phash=(pl.col("row") // 5).cast(pl.UInt64)
    )
    assert found("CP025", pictures)["severity"] == "info"
    assert evidence(found("CP025", pictures))["n_queue"] == 0


def test_a_picture_of_all_rows_is_shared_by_many():
    finding = found("CP025", photos().with_columns(**{name: pl.lit(value) for name, value in PLACEHOLDER.items()}))
    assert finding["severity"] == "warn"
    assert evidence(finding)["n_queue"] == 1000


def test_copies_of_one_pair_are_left_to_the_check_of_duplicates():
    assert evidence(found("CP025", shared(SOME_FIRST, text="a b c", **PLACEHOLDER)))["n_queue"] == 0


@pytest.mark.parametrize(
    "tail", [" click to enlarge", ". Image not available.", " (stock photo)", "\nAll rights reserved"]
)
def test_a_stock_phrase_of_one_class_is_named_for_the_mask(tail):
    text = pl.when(SOME_FIRST).then(pl.col("text") + tail).otherwise("text")
    finding = found("CP025", photos().with_columns(text=text))
    assert finding["severity"] == "warn"
    assert "text.mask" in finding["explanation"]
    assert evidence(finding)["table"][0]["value"] in tail.lower()
    assert evidence(finding)["n_queue"] == 0


def test_a_text_that_rows_share_is_named_whole():
    finding = found("CP025", shared(SOME_FIRST, text="Image not available"))
    assert finding["severity"] == "warn"
    assert (
        evidence(finding)["table"][0] | {"shared": "text", "value": "image not available"}
        == evidence(finding)["table"][0]
    )


def test_usual_turns_of_speech_are_no_stock_phrase():
    # "a group of" begins many texts of one class.  Its other words are frequent elsewhere.
    text = pl.when(SOME_FIRST).then("a group of " + pl.col("text")).otherwise("a word of " + pl.col("text"))
    assert found("CP025", photos().with_columns(text=text))["severity"] == "info"


def test_a_language_without_spaces_has_stock_phrases_too():
    rng = np.random.default_rng(0)
    own = ["".join(rng.choice(list("春夏秋冬山水火木金土日月"), 9)) for _ in range(1000)]
    pairs = photos().with_columns(text=pl.Series(own))
    text = pl.when(SOME_FIRST).then(pl.col("text") + "点击放大").otherwise("text")
    assert found("CP025", pairs)["severity"] == "info"
    assert found("CP025", pairs.with_columns(text=text))["severity"] == "warn"


# The models of facts


def test_models_of_facts_find_a_fact_and_no_chance():
    rng = np.random.default_rng(0)
    codes, pairs = np.repeat([0, 1], 200), pl.DataFrame({"row": range(400)})
    noise = rng.random((400, 2))
    assert predictable(noise, codes, pairs, trees([False, False]), confidence=0.99).score.low < 0.5
    signal = noise + codes[:, None]
    assert predictable(signal, codes, pairs, trees([False, False]), confidence=0.99).skill > 0.95
    assert predictable(signal, np.zeros(400, np.int64), pairs, trees([False, False]), confidence=0.99) is None


def test_separation_is_that_of_the_class_that_differs_most():
    codes = np.repeat([0, 1, 2], 50)
    strength, p = separation((codes == 2).astype(float), codes)
    assert (strength, p < 1e-6) == (1.0, True)
    assert separation(np.full(150, np.nan), codes) == (0.0, 1.0)


def test_rare_values_have_no_code():
    assert np.isnan(coded(pl.Series([str(i) for i in range(60)]), most=50)).sum() == 10
