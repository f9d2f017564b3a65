"""Pairs that belong together, and pairs that do not: in all rows, in some, in one part, or beyond their class."""

from statistics import NormalDist

import numpy as np
import polars as pl
import pytest

from check_material import evidence, run_check
from counterpoint.data.generate import generate
from counterpoint.diagnose import cp004_misaligned_pairs as check
from counterpoint.diagnose.misaligned_rows import LEAST_CLARITY, LEAST_LAPSE_RATE, LEAST_SUPPORT, different_part
from counterpoint.diagnose.pair_association import ENOUGH
from counterpoint.measures.lapse_rate import label_support, lapse_rate, proba_from_words
from counterpoint.measures.matched_pairs import MatchedPairs
from counterpoint.measures.own_image_rate import own_image_rate
from counterpoint.measures.prediction_arrays import prediction_arrays
from counterpoint.measures.sampled_rows import sampled_blocks
from counterpoint.measures.single_predictions import LEAST_BITS, ByItself, SinglePredictions
from counterpoint.measures.text_image_association import Canonical, image_features, text_features
from counterpoint.metrics.estimate import Estimate
from joint_material import encodings_of, made_encoded
from made_signals import inputs_of_signals, made_fits

N = ENOUGH


@pytest.fixture(scope="module")
def aligned(tmp_path_factory):
    """Pairs whose text and image show the class on the same rows: they share more than the class."""
    pairs = generate(tmp_path_factory.mktemp("pairs"), n=N, redundant_signal=0.6, side_px=16, seed=1)
    return pairs.with_columns(row=pl.int_range(N, dtype=pl.Int64), group="id")


def comparison(pairs, **signals):
    """Return a comparison of these pairs, with predictions of text and image that are independent of each other."""
    return inputs_of_signals(n=N, **({"text": 0, "image": 0} | signals), pairs=pairs)


def permuted(pairs, seed=0, within="all"):
    """Return *pairs* with their texts permuted, among all rows or within a class."""
    strata = pl.lit(0) if within == "all" else pl.col(within)
    return pairs.with_columns(pl.col("text").shuffle(seed).over(strata))


def test_pairs_that_share_more_than_the_class_raise_no_alarm(aligned):
    found = run_check("CP004", comparison(aligned))
    assert found["severity"] == "info"
    assert "beyond the class" in found["explanation"]


def test_texts_of_other_rows_have_no_association_with_the_images(aligned):
    found = run_check("CP004", comparison(permuted(aligned)))
    assert found["severity"] == "warn"
    assert "no association of text and image" in found["explanation"]


def test_text_and_image_of_an_exclusive_or_match_within_each_class(tmp_path):
    pairs = generate(tmp_path, n=N, joint_signal=0.95, side_px=16, seed=2)
    pairs = pairs.with_columns(row=pl.int_range(N, dtype=pl.Int64), group="id")
    found = run_check("CP004", comparison(pairs))
    assert found["severity"] == "info"
    assert set(evidence(found)["own_image_by_class"]) == {"class_0", "class_1"}
    assert "own_image_by_class" not in evidence(run_check("CP004", comparison(permuted(pairs))))


def test_two_sets_joined_on_class_alone_are_reported_and_are_no_alarm(aligned):
    found = run_check("CP004", comparison(permuted(aligned, within="label"), text=0.6, image=0.6))
    assert found["severity"] == "info"
    assert evidence(found)["association"] == "of the class alone"
    assert "joined on class alone" in found["explanation"]


def independent_predictions(*modalities, n=N, by=0.2):
    """Return predictions by text and image that are independent, though each of *modalities* predicts the class."""
    rng = np.random.default_rng(0)
    signs = {name: rng.choice([-1, 1], n) for name in ("text", "image")}
    codes = (rng.random(n) < 0.5 + by * sum(signs[name] for name in modalities)).astype(int)
    fold, frames = rng.permutation(n) % 3, []
    for contender, name in (("text-svm", "text"), ("image-cnn", "image")):
        logits = np.outer(0.4 * signs[name] + rng.normal(0, 0.1, n), [-1, 1])
        frames.append(made_fits(logits, codes, fold).with_columns(contender=pl.lit(contender)))
    return pl.concat(frames)


@pytest.mark.parametrize(
    ("modalities", "severity"),
    [(("text", "image"), "info"), (("text",), "warn"), (("image",), "warn"), ((), "warn")],
    ids=["both predict the class", "the text alone", "the image alone", "neither"],
)
def test_pairs_without_an_association_are_no_alarm_where_each_modality_predicts_the_class(
    aligned, modalities, severity
):
    given = comparison(permuted(aligned)).replaced(predictions=independent_predictions(*modalities))
    found = run_check("CP004", given)
    assert (evidence(found)["association"], found["severity"]) == ("none", severity)
    assert ("nothing shows that the pairs are wrong" in found["explanation"]) == (severity == "info")
    assert [low > LEAST_BITS for _, low, _ in evidence(found)["bits"].values()] == [
        name in modalities for name in ("text", "image")
    ]


def test_a_millionth_of_a_bit_is_no_evidence_of_the_class_though_its_interval_lies_above_0():
    assert NOTHING.is_absent
    assert not NOTHING.is_shown
    assert not UNCLEAR.is_absent
    assert not UNCLEAR.is_shown
    assert ByItself(NOTHING.bits, Estimate(0.55, 0.51, 0.59), 0.5).is_shown
    assert WEAK.is_shown


GUESSING = Estimate(0.5, 0.48, 0.52)
NOTHING = ByItself(Estimate(1e-6, 1e-7, 2e-6), GUESSING, 0.5)
UNCLEAR = ByItself(Estimate(0.01, -0.01, 0.03), GUESSING, 0.5)
WEAK = ByItself(Estimate(0.03, 0.01, 0.05), Estimate(0.6, 0.55, 0.65), 0.5)
STRONG = ByItself(Estimate(0.3, 0.2, 0.4), Estimate(0.8, 0.75, 0.85), 0.5)


@pytest.mark.parametrize(
    ("by_text", "by_image", "known"),
    [
        (NOTHING, STRONG, ("none", "warn")),
        (NOTHING, WEAK, ("none", "warn")),
        (NOTHING, NOTHING, ("none", "warn")),
        (UNCLEAR, STRONG, ("none", "warn")),
        (UNCLEAR, WEAK, ("unknown", "info")),
        (WEAK, WEAK, ("none", "info")),
        (WEAK, STRONG, ("none", "info")),
    ],
)
def test_pairs_without_an_association_are_judged_by_what_each_modality_predicts(
    aligned, monkeypatch, by_text, by_image, known
):
    monkeypatch.setattr(SinglePredictions, "by_itself", lambda _: {"text": by_text, "image": by_image})
    found = run_check("CP004", comparison(permuted(aligned)))
    assert (evidence(found)["association"], found["severity"]) == known


@pytest.mark.parametrize("within", ["all", "label"])
def test_few_pairs_without_an_association_leave_it_unknown(aligned, within):
    few = permuted(aligned, within=within).head(ENOUGH - 1)
    found = run_check("CP004", comparison(few, text=0.6, image=0.6) if within == "label" else comparison(few))
    assert found["severity"] == "info"
    assert "it is unknown whether" in found["explanation"].lower()
    assert ("another image of its class" in found["explanation"]) == (within == "label")
    assert f"needs at least {ENOUGH} pairs" in found["explanation"]


@pytest.mark.parametrize("by", [1, -2])
def test_images_shifted_against_texts_are_named_with_the_shift(aligned, by):
    shifted = aligned.with_columns(image=pl.Series(np.roll(aligned["image"].to_numpy(), by)))
    found = run_check("CP004", comparison(shifted))
    assert found["severity"] == "fail"
    assert evidence(found)["shifted_by"] == by


@pytest.mark.parametrize("is_dropped", [False, True], ids=["all rows", "every tenth row dropped"])
def test_a_shift_is_seen_among_more_rows_than_are_read(monkeypatch, is_dropped):
    n = 6000
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(n + 1, 3))
    labels = np.where(rng.random(n) < 0.5, "a", "b")
    pairs = pl.DataFrame({"row": range(n), "text": "a word", "image": "x.png", "label": labels, "group": range(n)})
    pairs = pairs.filter(pl.col("row") % 10 != 3) if is_dropped else pairs

    def matched(whole, _):
        rows = sampled_blocks(whole, 1500)
        own = rows["row"].to_numpy()
        features = Canonical(shared[own] + rng.normal(size=(len(own), 3)) / 2, shared[own - 1])
        return MatchedPairs(rows, features, "Cheap features", enough=800, weak=0.54)

    monkeypatch.setattr(check, "cheaply_matched", matched)
    found = run_check("CP004", comparison(pairs))
    assert found["severity"] == "fail"
    assert evidence(found)["shifted_by"] == 1


def test_validation_texts_shuffled_against_labels_are_named(aligned):
    given = inputs_of_signals(n=N, text=0.9, pairs=aligned)
    columns = ["p_c0", "p_c1"]
    is_shuffled = (pl.col("contender") == "text-svm") & (pl.col("part") == "validation")
    wrong = [pl.when(is_shuffled & (pl.col("id").cast(pl.Int64) % 2 == 0)).then(b).otherwise(a).alias(a)
             for a, b in (columns, columns[::-1])]  # fmt: skip
    found = run_check(
        "CP004", inputs_of_signals(n=N, pairs=aligned, predictions=given["predictions"].with_columns(wrong))
    )
    assert found["severity"] == "fail"
    assert "validation" in found["explanation"]


@pytest.mark.parametrize("bad", ["0", "2"])
def test_a_fold_whose_texts_are_another_s_is_named_in_a_k_fold(aligned, bad):
    given = inputs_of_signals(n=N, text=0.9, pairs=aligned)
    of_fold = given["predictions"].filter(fold=bad, part="test")["id"].unique()
    is_wrong = (pl.col("contender") == "text-svm") & pl.col("id").is_in(of_fold.implode())
    is_swapped = is_wrong & (pl.col("id").cast(pl.Int64) % 2 == 0)
    swapped = [pl.when(is_swapped).then(b).otherwise(a).alias(a) for a, b in (("p_c0", "p_c1"), ("p_c1", "p_c0"))]
    found = run_check(
        "CP004", inputs_of_signals(n=N, pairs=aligned, predictions=given["predictions"].with_columns(swapped))
    )
    assert found["severity"] == "fail"
    fold = evidence(found)["fold"]
    before = str((int(bad) - 1) % 3)  # its validation fold is the bad one
    assert (fold["fit"], fold["test"] < fold["validation"]) in ((bad, True), (before, False))


@pytest.mark.parametrize("part", ["validation", "test"])
def test_a_class_that_a_part_lacks_is_no_sign_of_wrong_rows(aligned, part):
    given = inputs_of_signals(n=N, text=0.9, pairs=aligned)["predictions"]
    proba = [pl.lit(value).alias(name) for name, value in (("p_c0", 0.7), ("p_c1", 0.2), ("p_c2", 0.1))]
    third = pl.when(pl.col("id").cast(pl.Int64) % 3 == 0).then(pl.lit("c2")).otherwise("label").alias("label")
    constant = given.with_columns(third, *proba).filter((pl.col("part") != part) | (pl.col("label") != "c2"))
    reads = {"text-svm": ("text",), "image-cnn": ("image",)}
    assert different_part(given.with_columns(third, *proba), reads) is None
    assert different_part(constant, reads) is None


def test_half_of_the_texts_of_other_rows_have_a_lapse_rate_where_images_do_not(aligned):
    found = run_check("CP004", inputs_of_signals(n=N, text=0.8, image=0.6, mispaired=0.5, pairs=aligned))
    assert found["severity"] == "warn"
    assert "other rows" in found["explanation"]


def graded(accuracy, seed, n=1000):
    """Return exactly calibrated logits of a signal that is normal within a class, and the classes."""
    rng = np.random.default_rng(seed)
    codes, apart = rng.integers(0, 2, n), NormalDist().inv_cdf(accuracy)
    logits = 2 * apart * ((2 * codes - 1) * apart + rng.normal(size=n))
    return logits, codes


@pytest.mark.parametrize("accuracy", [0.62, 0.65, 0.69, 0.72, 0.79])
def test_texts_of_graded_evidence_have_no_lapse_rate(accuracy):
    lows = []
    for seed in range(20):
        logits, codes = graded(accuracy, seed)
        p = 1 / (1 + np.exp(-logits))
        lows.append(lapse_rate(np.stack([1 - p, p], axis=1), codes).rate.low)
    assert sum(low > LEAST_LAPSE_RATE for low in lows) <= 1


def test_infinite_logits_and_three_classes_have_a_lapse_rate():
    rows = prediction_arrays(inputs_of_signals(n=3000, classes=3, text=0.8, mispaired=0.5)["predictions"], ["text-svm"])
    proba = rows.proba["text-svm"]
    assert abs(lapse_rate(proba, rows.codes).rate.value - 0.5) < 0.1
    assert np.isfinite(lapse_rate(np.eye(3)[proba.argmax(1)], rows.codes).rate).all()


@pytest.mark.parametrize("share", [0.5, 0.2], ids=["balanced", "four to one"])
def test_texts_often_without_information_have_no_lapse_rate_however_unequal_the_classes_are(share):
    lows = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        codes = (rng.random(1000) < share).astype(int)
        is_readable = rng.random(1000) < 0.5
        p = np.where(
            is_readable, np.where(codes == 1, 0.98, 0.02), share
        )  # a text without a signal leaves the class shares
        lows.append(lapse_rate(np.stack([1 - p, p], axis=1), codes).rate.low)
    assert max(lows) < LEAST_LAPSE_RATE


def test_wrong_labels_are_not_taken_for_misaligned_texts(aligned):
    assert (
        run_check("CP004", inputs_of_signals(n=N, text=0.8, image=0.6, flips=0.15, pairs=aligned))["severity"] == "info"
    )


def test_lapses_are_near_the_share_of_rows_from_elsewhere():
    rows = prediction_arrays(inputs_of_signals(n=3000, text=0.8, mispaired=0.5)["predictions"], ["text-svm"])
    found = lapse_rate(rows.proba["text-svm"], rows.codes).rate
    assert abs(found.value - 0.5) < 0.1
    assert found.low > LEAST_LAPSE_RATE


@pytest.mark.parametrize("classes", [2, 3])
def test_images_go_with_the_label_where_texts_are_mispaired_and_with_the_text_where_labels_are_wrong(classes):
    both = ["text-svm", "image-cnn"]
    supports = []
    for fault in ({"mispaired": 0.4}, {"flips": 0.2}):
        rows = prediction_arrays(
            inputs_of_signals(n=3000, classes=classes, text=0.8, image=0.4, **fault)["predictions"], both
        )
        found = lapse_rate(rows.proba["text-svm"], rows.codes)
        supports.append(label_support(rows.proba["image-cnn"], found, rows.codes, rows.groups))
    assert supports[0].low > LEAST_SUPPORT > supports[1].high
    rows = prediction_arrays(inputs_of_signals(n=300, text=1.0, image=0.4)["predictions"], both)
    none = lapse_rate(rows.proba["text-svm"], rows.codes)._replace(
        predicted=rows.codes, lapse_proba=np.zeros(len(rows.ids))
    )
    assert np.isnan(label_support(rows.proba["image-cnn"], none, rows.codes, rows.groups)).all()


def test_words_are_read_out_of_fold_where_a_contender_has_memorised_its_texts():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2, 1000)
    mispaired = rng.random(1000) < 0.5
    named = np.where(mispaired, rng.integers(0, 2, 1000), codes)
    rare = [" ".join(rng.choice(4000, 6).astype(str)) for _ in codes]  # each text is one of its kind
    texts = [f"{('fox', 'car')[code]} {tail}" for code, tail in zip(named, rare, strict=True)]
    groups = [str(row) for row in range(1000)]
    found = lapse_rate(proba_from_words(texts, codes, groups, 2), codes).rate
    assert found.low > LEAST_LAPSE_RATE
    assert abs(found.value - 0.5) < 0.15
    assert proba_from_words(["one", "two", "three"] * 2, np.zeros(6, dtype=int), groups[:6], 2) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda pairs: pairs.head(50),
        lambda pairs: pairs.with_columns(text=pl.lit(None, pl.String)),
        lambda pairs: pairs.with_columns(label=pl.lit("one")),
        lambda pairs: pairs.with_columns(image=pl.lit("/nowhere.png")),
    ],
    ids=["few rows", "no texts", "one class", "no images"],
)
def test_what_cannot_be_judged_is_not_applicable(aligned, change):
    assert run_check("CP004", comparison(change(aligned)))["severity"] == "not_applicable"


def test_many_classes_and_empty_texts_are_no_trouble(aligned):
    odd = aligned.with_columns(text=pl.lit(""), label=pl.col("id").str.tail(1))
    assert run_check("CP004", comparison(odd))["severity"] in ("info", "warn")


def test_chance_is_a_half():
    rng = np.random.default_rng(0)
    groups = [str(row) for row in range(N)]
    features = Canonical(rng.normal(size=(N, 5)), rng.normal(size=(N, 5)))
    found = own_image_rate(features, groups, rng.integers(0, 2, N))
    assert found.low < 0.5 < found.high
    assert found.p > 0.01


@pytest.mark.parametrize("texts", [[""] * 60, ["one"] * 60, ["只有"] * 60])
def test_texts_without_words_have_features(texts):
    assert np.isfinite(text_features(texts)).all()


def test_gray_pictures_of_odd_sizes_have_features():
    assert np.isfinite(image_features(np.zeros((4, 1, 19, 19), np.uint8))).all()


def encoded_comparison(encoded, n, **signals):
    """Return a comparison of encoded pairs, with predictions of text and image that are independent of each other."""
    given = inputs_of_signals(n=n, **({"text": 0, "image": 0} | signals), pairs=encoded.rows)
    return given.replaced(encode=lambda *_: None, encoded_pairs=encoded)


@pytest.mark.parametrize("n", [60, 400], ids=["fewer than cheap features need", "more"])
def test_pretrained_encoders_show_an_association_from_few_pairs_on(n):
    encoded, _ = made_encoded(n, shared=2.0)
    found = run_check("CP004", encoded_comparison(encoded, n))
    assert found["severity"] == "info"
    assert "belong together beyond the class" in found["explanation"]
    assert evidence(found)["own_image"]["Pretrained encoders"][0] > 0.8


@pytest.mark.parametrize("n", [60, 400])
def test_pretrained_encoders_show_from_few_pairs_on_that_there_is_no_association(n):
    encoded, _ = made_encoded(n, shared=2.0, permuted=1.0)
    found = run_check("CP004", encoded_comparison(encoded, n))
    assert found["severity"] == "warn"
    assert "Pretrained encoders show no association of text and image" in found["explanation"]


def test_without_encoders_few_pairs_are_too_few_and_one_line_names_the_command():
    encoded, _ = made_encoded(60)
    found = run_check("CP004", encoded_comparison(encoded, 60).replaced(encode=None))
    assert found["severity"] == "not_applicable"
    assert "needs 300 pairs" in found["explanation"]
    assert "pip install 'counterpoint[encoders]'" in found["explanation"]
    few = run_check("CP004", encoded_comparison(made_encoded(40)[0], 40).replaced(encoded_pairs=None))
    assert "needs 50 pairs" in few["explanation"]


def test_encoders_find_a_shift_among_few_pairs():
    encoded, _ = made_encoded(120, shared=2.0)
    shifted = encoded._replace(features=encoded.features.take(np.roll(np.arange(120), -1)))
    found = run_check("CP004", encoded_comparison(shifted, 120))
    assert found["severity"] == "fail"
    assert evidence(found)["shifted_by"] == -1


def test_an_association_that_only_cheap_features_find_is_one(aligned):
    encoded, _ = made_encoded(N, permuted=1.0)
    found = run_check("CP004", comparison(aligned).replaced(encode=lambda *_: None, encoded_pairs=encoded))
    assert found["severity"] == "info"
    assert "beyond the class" in found["explanation"]


def test_the_least_agreeing_pairs_are_the_queue_of_the_check():
    encoded, is_moved = made_encoded(200, shared=2.0, permuted=0.1)
    found = run_check("CP004", encoded_comparison(encoded, 200))
    queue = list(evidence(found)["queue"])
    moved = encoded.rows.filter(pl.Series(is_moved))["id"].to_list()
    assert evidence(found)["n_queue"] == len(queue) == 40
    assert [row["id"] for row in evidence(found)["table"]] == queue[:12]
    assert len(set(moved) & set(queue)) > 12
    assert "exclude:" in found["explanation"]


def test_sets_that_share_the_class_alone_are_not_named_so_from_few_pairs():
    rng = np.random.default_rng(0)
    encoded, _ = made_encoded(200, shared=0.0)
    codes = (encoded.rows["label"] == "class_1").to_numpy()[:, None]
    text, features = (2 * codes + rng.normal(size=(200, 8)) for _ in range(2))
    encoded = encoded._replace(text=encodings_of(text), features=encodings_of(features))
    found = run_check("CP004", encoded_comparison(encoded, 200))
    assert found["severity"] == "info"
    assert "unknown whether they match beyond the class" in found["explanation"]


def contrasting(n=600, *, strength=0.7, seed=0):
    """Return features of text and image that go together in one class, and in the opposite way in the other."""
    rng = np.random.default_rng(seed)
    codes, shared = rng.integers(0, 2, n), rng.normal(size=n)
    text, image = rng.normal(size=(n, 20)), rng.normal(size=(n, 20))
    text[:, 0] += strength * 2 * shared
    image[:, 0] += strength * 2 * shared * (2 * codes - 1)
    return text, image, codes


def test_an_association_that_is_opposite_in_two_classes_is_found_where_each_class_has_few_rows():
    groups = [str(row) for row in range(300)]
    found = []
    for seed in range(10):
        text, image, codes = contrasting(300, seed=seed)
        model = Canonical(text, image)
        rates = [own_image_rate(model.contrasted(), groups, codes), own_image_rate(model, groups)]
        found.append([rate.p <= check.LEVEL for rate in rates])
    is_contrast, is_at_all = np.sum(found, axis=0)
    assert is_contrast >= 9
    assert is_at_all <= 1


def test_unrelated_texts_and_images_have_a_small_p_as_often_as_it_says():
    rng = np.random.default_rng(1)
    groups, n_draws = [str(row) for row in range(100)], 300
    p = [own_image_rate(Canonical(*rng.normal(size=(2, 100, 5))), groups).p for _ in range(n_draws)]
    # Permutations within folds that share rows gave 10 % where they said 5 %.
    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 2.5 * (0.05 * 0.95 / n_draws) ** 0.5


def test_an_association_that_is_the_same_in_all_classes_is_no_contrast():
    rng = np.random.default_rng(0)
    groups, alarms = [str(row) for row in range(300)], 0
    for _ in range(20):
        codes, shared = rng.integers(0, 2, 300), rng.normal(size=(300, 1))
        text, image = (shared + rng.normal(size=(300, 10)) + codes[:, None] for _ in range(2))
        alarms += own_image_rate(Canonical(text, image).contrasted(), groups, codes).p <= check.LEVEL
    assert alarms <= 1


def test_every_finding_has_whether_an_association_that_differs_by_class_is_excluded(aligned):
    for pairs in (aligned, permuted(aligned), aligned.head(400)):
        assert evidence(run_check("CP004", comparison(pairs)))["contrast"] in ("shown", "absent", "unknown")


def weak_texts(seed, n=600):
    """Return probabilities of weak evidence, with noise of rare and large logits, as of a model of many rare words."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 2, n)
    seen = 0.5 * (2 * codes - 1) + rng.normal(size=n)
    p = 1 / (1 + np.exp(-(seen + rng.standard_t(5, n) * 0.8)))
    return np.stack([1 - p, p], axis=1), codes


def test_texts_that_do_not_lapse_must_be_clear():
    weak = [lapse_rate(*weak_texts(seed)) for seed in range(30)]
    lapsing = [each.clarity for each in weak if each.rate.low > LEAST_LAPSE_RATE]
    assert len(lapsing) >= 5  # the rate alone would raise alarms
    assert sum(clarity >= LEAST_CLARITY for clarity in lapsing) <= 1
    rows = prediction_arrays(inputs_of_signals(n=1000, text=1.0, mispaired=0.5)["predictions"], ["text-svm"])
    assert lapse_rate(rows.proba["text-svm"], rows.codes).clarity >= LEAST_CLARITY
