"""The independent benchmark knows its truths, reads the claims of all answers, and repeats no draw."""

import doctest
import json
from pathlib import Path
from typing import get_args

import numpy as np
import polars as pl
import pytest

from counterpoint.diagnose.verdict import Answer
from counterpoint.diagnose.verdict_list import VERDICTS
from independent import (
    claims,
    command,
    fresh,
    judging,
    language,
    outcome_rates,
    pictures,
    pools,
    source,
    studies,
    truths,
)
from independent.claims import FAULTS, Claim, claim_of, gain_of
from independent.judging import Contrast, Known, judged
from independent.language import OFF, write
from independent.language import language as words_of
from independent.outcome_rates import RATES, lines, summary
from independent.pictures import TEXTURES
from independent.pools import FRESH, STUDY, Place, pool
from independent.source import Independent
from independent.source import fresh as fresh_rows
from independent.studies import BALANCED, FAST_PART, FOLDED, REPORTED, answered, config, items, outcomes
from independent.truths import BITS, SCORED, TRUTHS, Evidence, best_scores, chances, drawn
from injection.draw import Item
from injection.work import kept

pytestmark = pytest.mark.slow

CERTAIN = 1e-9


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return Place(tmp_path_factory.mktemp("pool"), TEXTURES, scale=0.1)


def best_of(name, n=4000):
    rng = np.random.default_rng(5)
    latents = drawn(TRUTHS[name], n, rng)
    evidence = Evidence(write(latents.topics, rng).log_likelihood, latents.types, latents.hosts)
    return best_scores(TRUTHS[name], evidence, latents.codes)


# The language.


def test_words_follow_the_law_of_zipf_and_none_proves_a_topic():
    words, frequency = words_of()
    assert len(words) > 4000
    assert (frequency > 0).all()
    common = np.sort(frequency[: language.N_COMMON, OFF])[::-1]
    slope = np.polyfit(np.log(np.arange(10, 2000)), np.log(common[10:2000]), 1)[0]
    assert -1.3 < slope < -0.9
    # The whole of the ratio between two topics lies in many words.
    share = frequency[:, 0] / frequency.sum(1)
    assert share.max() < 0.8


def test_the_likelihood_of_a_text_is_that_of_its_words():
    found = write(np.array([2]), np.random.default_rng(3))
    words, frequency = words_of()
    places = {word: place for place, word in enumerate(words)}
    chosen = [places[word.strip(".").lower()] for word in found.texts[0].split()]
    assert np.allclose(np.log(frequency[chosen]).sum(0), found.log_likelihood[0])


def test_lengths_vary_and_do_not_depend_on_the_topic():
    rng = np.random.default_rng(0)
    lengths = [np.array([len(text.split()) for text in write(np.full(400, topic), rng).texts]) for topic in (0, 4)]
    assert lengths[0].std() > 3
    assert abs(lengths[0].mean() - lengths[1].mean()) < 1.5


# The truths.


@pytest.mark.parametrize("name", TRUTHS)
def test_the_chances_of_a_truth_are_chances(name):
    truth = TRUTHS[name]
    assert truth.shown().min() >= 0
    assert truth.shown().sum() == pytest.approx(1)
    assert truth.n_types <= pictures.N_TYPES
    latents = drawn(truth, 500, np.random.default_rng(1))
    evidence = Evidence(write(latents.topics, np.random.default_rng(1)).log_likelihood, latents.types, latents.hosts)
    for proba in chances(truth, evidence).values():
        assert np.allclose(proba.sum(1), 1)


@pytest.mark.parametrize("name", ["complementary", "off_topic", "noise_by_topic", "shares_60_30_10"])
def test_the_chances_are_true(name):
    rng = np.random.default_rng(2)
    latents = drawn(TRUTHS[name], 8000, rng)
    evidence = Evidence(write(latents.topics, rng).log_likelihood, latents.types, latents.hosts)
    for proba in chances(TRUTHS[name], evidence).values():
        of_label = proba[np.arange(8000), latents.codes]
        # If the chances are true, the log loss is their entropy, which a bias in any direction would exceed or miss.
        entropy = -(proba * np.log(np.maximum(proba, 1e-12))).sum(1).mean()
        assert abs(-np.log(of_label).mean() - entropy) < 0.03


def test_an_exclusive_or_leaves_each_modality_at_chance():
    best = best_of("exclusive_or")
    for reader in ("text", "image"):
        assert best[reader]["accuracy"] == pytest.approx(0.5)
        assert best[reader][BITS] == pytest.approx(0, abs=CERTAIN)
    assert best["both"]["accuracy"] > 0.85


@pytest.mark.parametrize(("name", "empty"), [("text_only", "image"), ("image_only", "text")])
def test_one_informative_modality_leaves_the_other_nothing_to_add(name, empty):
    best = best_of(name)
    (other,) = {"text", "image"} - {empty}
    assert best[empty][BITS] == pytest.approx(0, abs=CERTAIN)
    assert best[empty][BALANCED] == pytest.approx(0.5)
    assert best["both"][BITS] == pytest.approx(best[other][BITS], abs=CERTAIN)
    assert best[other]["accuracy"] > 0.75


def test_no_signal_is_no_signal():
    assert all(own[BITS] == pytest.approx(0, abs=CERTAIN) for own in best_of("no_signal").values())


@pytest.mark.parametrize("name", ["weak_additive", "complementary", "averaging", "three_classes", "five_classes"])
def test_a_sum_gains_over_the_better_modality(name):
    best = best_of(name)
    least = 0.02 if name != "complementary" else 0.08
    assert best["both"]["accuracy"] > max(best["text"]["accuracy"], best["image"]["accuracy"]) + least


def test_a_host_decides_both_modalities():
    best = best_of("hidden_source")
    assert best["host"][BITS] > best["both"][BITS]
    joint = TRUTHS["hidden_source"].joint()
    given_host = joint / joint.sum((0, 1, 2), keepdims=True)
    for host in range(joint.shape[3]):
        by_class, by_rest = given_host[..., host].sum((1, 2)), given_host[..., host].sum(0)
        assert np.allclose(given_host[..., host], by_class[:, None, None] * by_rest)


def test_two_readings_of_one_latent_are_independent_given_it_alone():
    joint = TRUTHS["averaging"].joint()[..., 0]
    of_class = joint[0] / joint[0].sum()
    assert not np.allclose(of_class, of_class.sum(1, keepdims=True) * of_class.sum(0))


def test_shares_and_balances_are_as_named():
    assert np.allclose(TRUTHS["shares_60_30_10"].shown().sum((1, 2, 3)), [0.6, 0.3, 0.1])
    assert np.allclose(TRUTHS["one_to_twenty"].shown().sum((1, 2, 3)), [20 / 21, 1 / 21])
    assert [TRUTHS[name].n_classes for name in ("three_classes", "five_classes")] == [3, 5]


# Pairs.


def rows_of(place, tmp_path, truth, n=60, seed=1):
    settings = {"folder": place.folder, "pictures": place.kind, "scale": place.scale}
    (rows,) = Independent(truth=truth, n=n, seed=seed, **settings).rows(tmp_path)
    return rows


def test_a_seed_fixes_all_pairs(place, tmp_path):
    first, again, other = (rows_of(place, tmp_path, "complementary", seed=seed) for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first["text"].equals(other["text"])


def test_pairs_show_no_latents_and_no_text_or_picture_twice(place, tmp_path):
    rows = rows_of(place, tmp_path, "complementary")
    assert set(rows.columns) == {"id", "text", "image", "label", "source", "reason"}
    assert rows["text"].n_unique() == rows["image"].n_unique() == rows["id"].n_unique() == 60
    assert "host" in rows_of(place, tmp_path, "hidden_source").columns


def test_near_duplicates_share_their_label_and_all_but_one_word(place, tmp_path):
    rows = rows_of(place, tmp_path, "near_duplicates", n=80)
    words = [set(text.split()) for text in rows["text"]]
    near = [(i, j) for i in range(80) for j in range(i) if len(words[i] & words[j]) >= len(words[i] | words[j]) - 2]
    assert len(near) == round(0.15 * 80)
    assert all(rows["label"][i] == rows["label"][j] and rows["image"][i] != rows["image"][j] for i, j in near)


def test_some_texts_are_off_topic_and_some_of_other_rows():
    truth = TRUTHS["off_topic"]
    latents = drawn(truth, 6000, np.random.default_rng(0))
    assert abs((latents.topics == OFF).mean() - truth.off_topic) < 0.02
    apart = np.abs(latents.topics - latents.types)[latents.topics != OFF]
    assert apart.max() > 0


def test_fresh_rows_share_no_text_and_no_picture_with_studies(place):
    study, new = pool(place, STUDY), pool(place, FRESH)
    assert not set(study.texts["text"]) & set(new.texts["text"])
    assert not set(study.pictures["image"]) & set(new.pictures["image"])
    halves = [new.part(number, 2) for number in (0, 1)]
    assert sum(len(half.texts) for half in halves) == len(new.texts)
    assert not set(halves[0].texts["text"]) & set(halves[1].texts["text"])


def test_pools_of_development_and_of_reports_differ(place, tmp_path):
    other = Place(tmp_path, TEXTURES, 1, 0.01)
    assert not set(pool(other, STUDY).texts["text"]) & set(pool(place, STUDY).texts["text"])
    development, reported = (studies.place_of(Item("averaging", 600, 1, 0.0, seed)) for seed in (7, REPORTED))
    assert development.seed != reported.seed


def test_a_killed_pool_is_made_again(tmp_path):
    own = Place(tmp_path, TEXTURES, 0, 0.01)
    before = pools._texts(own, STUDY)
    assert pools._texts(own, STUDY).equals(before)
    pools._keep(before, own.path(STUDY, "texts"))
    assert pool(own, STUDY).texts.equals(before)


@pytest.mark.parametrize("name", TRUTHS)
def test_pools_are_large_enough_for_each_truth(name):
    shown, n = TRUTHS[name].shown(), max(TRUTHS[name].sizes)
    for of_state, sizes in ((shown.sum((0, 2, 3)), pools.SHARES), (shown.sum((0, 1, 3)), pools.SHARES[:-1])):
        # Five standard deviations above the mean.
        needed = n * of_state + 5 * np.sqrt(n * of_state * (1 - of_state))
        assert (needed <= sizes[: len(of_state)]).all()


def test_a_pool_that_is_too_small_is_named():
    with pytest.raises(ValueError, match="has 1 rows of state 3, and 2 are drawn"):
        pools.of_states(pl.DataFrame({"state": [3]}), np.array([3, 3]), np.random.default_rng(0), is_repeated=False)


@pytest.mark.parametrize("kind", pictures.kinds())
def test_pictures_of_this_machine_can_be_drawn(kind, tmp_path):
    if kind == pictures.FLICKR8K:
        found = pictures.photos(STUDY, np.random.default_rng(0))
        assert not set(found["image"]) & set(pictures.photos(FRESH, np.random.default_rng(0))["image"])
        assert (found["state"] == 0).sum() > (found["state"] == 1).sum() > 1000
        return
    found = pictures.painted(kind, np.array([0, 4, 1]), tmp_path / "some.parquet", np.random.default_rng(0))
    assert found["state"].to_list() == [0, 4, 1]
    assert found["image"].n_unique() == 3


# Claims.

HEADLINES = {
    "Yes, reading both helps: the difference in accuracy between a and b is +0.040 (+0.010 to +0.070).": "yes",
    "No, reading both does worse: the difference in accuracy between a and b is −0.040.": "worse",
    "No gain from reading both is shown: the difference in accuracy between a and b is +0.001.": "no",
    "A better score, but not from reading both: the difference in accuracy between a and b is +0.030.": "no",
    "A gain from reading both is neither shown nor ruled out: the difference is +0.020.": "open",
    "There is nothing to compare: the study lacks a single-entity or a multimodal contender.": "open",
    "The test rows are too few to compare on: the primary contrast has no interval.": "open",
    "Not shown: the interval is above 0, and its p is .063.": "open",
    "No difference that matters: it is smaller than the margin.": "equivalent",
    "Cannot be asked: no contender reads the image alone.": "open",
}


@pytest.mark.parametrize(("headline", "gain"), HEADLINES.items())
def test_a_headline_is_read_as_it_opens(headline, gain):
    assert gain_of(headline) == gain
    assert claim_of(Answer("cannot_tell", headline)).gain == gain


def test_every_present_verdict_has_its_claims():
    assert set(VERDICTS) <= set(claims.OF_VERDICT)
    assert {verdict for verdict in VERDICTS if claims.OF_VERDICT[verdict].fault} == set(FAULTS)


def test_a_verdict_and_its_headline_make_one_claim():
    only = claim_of(Answer("text_only", "A better score, but not from reading both: the difference is +0.020."))
    assert (only.gain, only.text, only.image) == ("no", "yes", "no")
    leak = claim_of(Answer("leak", "lstm-cnn does better than text-svm: the difference in accuracy is +0.050."))
    assert (leak.gain, leak.fault) == ("open", "leak")
    assert only.of_gain == "modality"


def test_a_verdict_that_is_not_known_has_the_claims_of_its_headline():
    assert claim_of(Answer("brand_new", "Yes, reading both helps: it does.")) == Claim("yes")


def test_the_field_of_a_claim_counts_before_the_headline():
    answer = {"verdict": "cannot_tell", "headline": "Reading both is better, perhaps.", "claim": "better"}
    assert claim_of(answer).gain == "yes"
    assert claim_of(answer | {"claim": "not_shown"}).gain == "open"
    assert claim_of({**answer, "headline": "Yes, reading both helps: ...", "claim": "nothing"}).gain == "yes"
    assert set(claims.OF_CLAIM.values()) == set(get_args(claims.Gain))


def test_the_words_of_the_reasons_show_their_subject():
    shown = {"verdict": "text_only", "headline": "No gain from reading both is shown: ..."}
    modality = claim_of(shown | {"reasons": ["Only the text carries the label (+0.042)."]})
    tried = claim_of(shown | {"reasons": ["No contender here that reads only the image is better than guessing."]})
    assert (modality.subject, modality.of_gain) == ("modality", "modality")
    assert (tried.subject, tried.of_gain) == ("contenders", "contenders")


def test_an_answer_may_name_a_signal_that_no_contender_has_learned():
    reason = "So both together carry the label, and no contender here has learned to read them together."
    claim = claim_of(Answer("cannot_tell", "No gain from reading both is shown: ...", reasons=(reason,)))
    assert (claim.gain, claim.of_gain, claim.both) == ("no", "contenders", "yes")
    assert judged(claim, known("exclusive_or"), Contrast(BALANCED, -0.002, 0.005)) == ("right", [])
    assert judged(claim, known("no_signal"), Contrast(BALANCED, 0.0, 0.005)) == ("wrong", ["both"])


def test_a_recommendation_may_blame_the_labels():
    answer = Answer("no_signal", "No gain from reading both is shown: ...", recommendation="Look at the labels first.")
    outcome, refuted = judged(claim_of(answer)._replace(subject="contenders"), known("exclusive_or"), None)
    assert (outcome, refuted) == ("right", ["advice"])


# Judgement.


def known(name, **fresh_balanced):
    reads = {"both": ("text", "image"), "svm": ("text",), "hog": ("image",)}
    scores = {who: dict.fromkeys(SCORED, fresh_balanced.get(who, 0.5)) for who in reads}
    return Known(TRUTHS[name], best_of(name, 1000), scores, reads)


@pytest.mark.parametrize(
    ("name", "verdict", "gain", "expected"),
    [
        ("complementary", "additive_gain", 0.05, []),
        ("complementary", "additive_gain", -0.01, ["false_yes"]),
        ("complementary", "redundant", 0.05, ["false_no"]),
        ("complementary", "text_only", 0.05, ["false_no", "image"]),
        ("complementary", "interaction_gain", 0.05, ["joint"]),
        ("complementary", "misaligned", 0.05, ["misaligned"]),
        ("complementary", "averaging_gain", 0.05, ["own"]),
        ("averaging", "averaging_gain", 0.05, []),
        ("text_only", "text_only", 0.0, []),
        ("text_only", "image_only", 0.0, ["text", "image"]),
        ("text_only", "additive_gain", 0.02, ["false_yes"]),
        ("exclusive_or", "no_signal", 0.0, ["false_no", "both"]),
        ("exclusive_or", "interaction_gain", 0.3, []),
        ("exclusive_or", "additive_gain", 0.3, ["joint"]),
        ("off_topic", "misaligned", 0.0, []),
        ("no_signal", "no_signal", 0.0, []),
        ("no_signal", "redundant", 0.0, ["text", "image", "both"]),
    ],
)
def test_a_claim_is_refuted_by_the_truth(name, verdict, gain, expected):
    claim = claims.OF_VERDICT[verdict]._replace(of_gain="modality")
    outcome, refuted = judged(claim, known(name), Contrast(BALANCED, gain, 0.001))
    assert sorted(refuted) == sorted(expected)
    assert outcome == ("wrong" if expected else "right")


def test_a_gain_from_a_third_source_is_no_gain_from_reading_both():
    claim, truth = claims.OF_VERDICT["additive_gain"], known("hidden_source")
    assert judged(claim, truth, Contrast(BALANCED, 0.02, 0.001, 0.70)) == ("right", [])
    assert judged(claim, truth, Contrast(BALANCED, 0.20, 0.001, 0.86)) == ("wrong", ["false_yes"])


def test_an_open_answer_is_neither_right_nor_wrong():
    assert judged(Claim(), known("complementary"), Contrast(BALANCED, 0.1, 0.0)) == ("open", [])


def test_a_claim_on_contenders_is_judged_by_their_fresh_scores():
    claim = Claim(image="no", subject="contenders")
    assert judged(claim, known("complementary", hog=0.51), None) == ("right", [])
    assert judged(claim, known("complementary", hog=0.62), None) == ("wrong", ["image"])
    none = Claim(gain="no")
    assert judged(none, known("complementary"), Contrast(BALANCED, 0.01, 0.001)) == ("right", [])
    assert judged(none, known("complementary"), Contrast(BALANCED, 0.05, 0.001)) == ("wrong", ["false_no"])


def test_the_contrast_of_folds_is_the_mean_over_their_choices():
    gains = {"0": 0.1, "1": 0.3}
    by_fit = {
        (fold, 0): {who: {BALANCED: gain if who == "both" else 0.0} for who in ("both", "svm", "hog")}
        for fold, gain in gains.items()
    }
    found = fresh.FreshScores({}, {"both svm": 0.01}, by_fit)
    primary = {"a": "both", "b": "svm", "metric": BALANCED}
    assert judging.contrast_of(primary, found) == (BALANCED, pytest.approx(0.2), 0.01, 0.0)
    choices = [{"fold": "0", "seed": 0, "a": "both", "b": "svm"}, {"fold": "1", "seed": 0, "a": "hog", "b": "svm"}]
    assert judging.contrast_of(primary | {"choices": choices}, found).gain == pytest.approx(0.05)
    assert judging.contrast_of(None, found) is None


def test_an_equivalence_is_judged_by_its_margin():
    claim = Claim(gain="equivalent", margin=0.02)
    assert judged(claim, known("complementary"), Contrast(BALANCED, 0.01, 0.0))[0] == "right"
    assert judged(claim, known("complementary"), Contrast(BALANCED, -0.04, 0.0)) == ("wrong", ["false_equivalent"])


def test_rows_that_share_texts_count_less():
    parts = np.repeat([0.1, -0.1, 0.1, -0.1], 5)
    apart, shared = pl.Series(range(20)), pl.Series(np.repeat(range(4), 5))
    assert fresh.clustered_error(parts, shared, apart) == pytest.approx(
        np.sqrt(5) * fresh.clustered_error(parts, apart, apart)
    )


# Studies.


@pytest.fixture
def few(monkeypatch, place):
    monkeypatch.setattr(studies, "FAST", {
        "majority": {}, "text-svm": {}, "image-hog": {"side_px": 16},
        "late-fusion": {"text": ["text-svm"], "image": ["image-hog"]}, "ensemble": {},
    })  # fmt: skip
    monkeypatch.setattr(studies, "encoders_are_installed", lambda: False)
    monkeypatch.setattr(pools, "encoders_are_installed", lambda: False)
    monkeypatch.setattr(studies, "N_BEST", 2000)
    return place


def stored(item, tmp_path, place):
    made = answered(item, tmp_path, place=place, n_fresh=800)
    return json.loads(json.dumps({**item._asdict(), "took_s": 1.0, **made}))


def test_a_study_is_answered_and_judged_from_what_is_stored(few, tmp_path):
    found = stored(Item("text_only", 150, 1, 0.0, 3, TEXTURES), tmp_path, few)
    assert set(found["contenders"]) == {"majority", "text-svm", "image-hog", "late-fusion", "ensemble"}
    assert found["contenders"]["majority"][1:3] == [pytest.approx(0.5, abs=0.1), 0.5]
    assert found["contenders"]["text-svm"][2] > 0.55
    assert found["best"]["image"][-1] == 0
    outcome, refuted = outcomes(found)[BALANCED]
    assert outcome in ("right", "open", "wrong")
    assert bool(refuted) == (outcome == "wrong")
    assert any("text_only" in line for line in lines(summary([found])))


def test_members_that_are_read_once_predict_as_the_kept_fits_do(few, tmp_path):
    item = Item("complementary", 150, 1, 0.0, 4, TEXTURES)
    study = studies.study_of(config(item, few), tmp_path, few)
    pairs, _, _ = fresh_rows(TRUTHS["complementary"], 300, pool(few, FRESH), np.random.default_rng(0))
    study.predictions()
    tasks = fresh.by_fit(study)[0]
    found = fresh.predictions(study, tasks, pairs)
    for task in tasks:
        plain = study.fits.model(task).predict_proba(pairs)
        assert np.allclose(found[task.contender][0], plain), task.contender


def test_one_truth_is_judged_by_each_metric_on_the_same_fits(few, tmp_path):
    found = stored(Item(studies.METRICS_TRUTH, 150, 1, 0.0, 5, TEXTURES), tmp_path, few)
    assert tuple(found["answers"]) == tuple(SCORED) or set(found["answers"]) == set(SCORED)
    assert {answer["primary"]["metric"] for answer in found["answers"].values()} == set(SCORED)
    assert summary([found])["fast"]["metrics"]["n"] == 1


def test_a_second_run_repeats_no_draw(few, tmp_path, monkeypatch):
    made = []

    def work_through(todo, path, make, **_):
        made.extend(todo)
        path.write_text("".join(json.dumps(item._asdict()) + "\n" for item in todo))
        return len(todo)

    monkeypatch.setattr(command, "work_through", work_through)
    monkeypatch.setattr(command, "prepare", lambda *_, **__: None)
    listed = items(first_seed=3, each=2, sizes=[150], names=["text_only", "no_signal"])
    for n_made in (4, 0):
        assert command.make_all(listed, tmp_path / "kept.jsonl", folder=tmp_path) == n_made
    assert made == listed


def test_a_failed_draw_is_named_and_counted():
    failed = {**Item("text_only", 150, 1, 0.0, 3, TEXTURES)._asdict(), "error": "no", "took_s": 0.0}
    found = summary([failed])["fast"]
    assert (found["n"], found["errors"], found["pooled"]) == (1, ["text_only 150 3: no"], None)
    assert set(found["meets"].values()) == {None}
    assert list(lines({"fast": found}))


def test_the_report_has_enough_draws_of_each_truth_with_seeds_of_its_own():
    listed = command.whole()
    assert len(set(listed)) == len(listed)
    assert min(item.seed for item in listed) >= REPORTED
    for name, truth in TRUTHS.items():
        for n in truth.sizes:
            assert sum((item.kind, item.n, item.strength) == (name, n, 0.0) for item in listed) >= 20
    assert sum(item.kind == studies.METRICS_TRUTH for item in listed) >= 100


def test_rates_have_intervals_and_an_error_is_not_right():
    row = {"outcome": "right", "refuted": [], "verdict": "text_only"}
    found = outcome_rates.rates([row] * 3 + [{"outcome": "wrong", "refuted": ["image"], "verdict": "image_only"}])
    assert {name: found[name]["k"] for name in RATES} == {"false_yes": 0, "wrong": 1, "right": 3, "open": 0}
    assert found["wrong"]["low"] < 0.25 < found["wrong"]["high"]


def test_nothing_is_kept_of_reported_studies_with_development_seeds():
    assert all(result["seed"] >= REPORTED for result in kept(command.KEPT))


MODULES = (claims, command, fresh, judging, language, outcome_rates, pictures, pools, source, studies, truths)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_the_examples_are_true(module):
    assert doctest.testmod(module).failed == 0


def test_the_largest_studies_are_made_once_more_in_folds_and_have_rates_of_their_own():
    whole = command.whole(each=1)
    folded = [item for item in whole if item.strength == FOLDED]
    assert {item.kind for item in folded} == set(TRUTHS)
    assert {item._replace(strength=FAST_PART) for item in folded} < set(whole)
    place = Place(Path("pool"), "openmoji")
    kinds = {item.strength: config(item, place).split.kind for item in (folded[0], folded[0]._replace(strength=0.0))}
    assert kinds == {FOLDED: "kfold", FAST_PART: "holdout"}
    failed = folded[0]._asdict() | {"error": "no", "took_s": 0.0}
    assert list(summary([failed])) == ["folds"]
