"""The injection benchmark plants the described faults, counts draws correctly, and repeats no draw."""

import doctest
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

import measured
import verdicts
from check_material import inputs_of, made_costs, made_pairs, predictions_of
from counterpoint.contenders.plan import models_of
from counterpoint.data.sources import open_source
from counterpoint.diagnose import CHECKS
from counterpoint.features.decode import Limits
from counterpoint.features.hashes import inspect_images
from counterpoint.schema import DIFFERENCES
from injection import contribution, draw, losses, named, rates, records, work
from injection.draw import CLEAN, Item, frame_of
from injection.plants import PLANTS, clean_study
from injection.rates import even_odds, meets, panel, rate, rising, summary
from injection.sources import GENERATED, REAL, SIDE_PX, Drawn, Planted, is_there, joined
from injection.studies import Place
from injection.work import REPORTED, items, kept, waiting, work_through

pytestmark = pytest.mark.slow

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "pitfalls.py"
PLACE = Place(300, 1, 5)


def planted(tmp_path, fault, strength, **settings):
    source = Planted(n=600, side_px=SIDE_PX, seed=3, fault=fault, strength=strength, **settings)
    batches = list(source.read(tmp_path))
    return pl.concat([records for records, _ in batches]), pl.concat([dropped for _, dropped in batches])


# Faults in what a source yields.


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_a_share_of_the_test_rows_are_copies_of_training_rows(tmp_path, share):
    rows, _ = planted(tmp_path, "copied", share, are_folds_random=True)
    test, train = (rows.filter(fold=fold) for fold in ("test", "train"))
    copies = test.filter(pl.col("image").is_in(train["image"].implode()))
    assert len(copies) == round(share * len(test))
    origins = copies.join(train, on="image")
    assert origins.select((pl.col("text") == pl.col("text_right")).all()).item()


def test_rows_of_one_class_are_lost_more_often(tmp_path):
    rows, dropped = planted(tmp_path, "lost", 0.5)
    lost, left = (frame["label"].value_counts() for frame in (dropped, rows))
    shares = {name: n / (n + dict(left.iter_rows())[name]) for name, n in lost.iter_rows()}
    assert abs(shares["class_1"] - 0.5) < 0.1
    assert abs(shares["class_0"] - 0.1) < 0.05


@pytest.mark.parametrize(("share", "low", "high"), [(0.5, 0.43, 0.57), (0.8, 0.73, 0.87)])
def test_the_length_predicts_a_share_of_the_classes(tmp_path, share, low, high):
    rows, _ = planted(tmp_path, "long", share)
    is_long = rows["text"].str.count_matches(" ") > 18
    assert low < (is_long == (rows["label"] == "class_1")).mean() < high


def test_a_share_of_the_images_is_blank(tmp_path):
    rows, _ = planted(tmp_path, "blank", 0.3)
    seen = inspect_images(rows, Limits(8, 1000, 10**6, 20.0), workers=1)
    assert abs(seen["phash"].null_count() / len(seen) - 0.3) < 0.07
    assert seen["sha256"].null_count() == 0


def test_a_share_of_the_words_is_unknown(tmp_path):
    rows, _ = planted(tmp_path, "unknown_words", 0.4)
    words = rows["text"].str.split(" ").explode()
    assert abs(words.str.contains(r"^q[0-9a-f]+$").mean() - 0.4) < 0.03


@pytest.mark.parametrize("name", REAL)
def test_pairs_of_a_real_set_are_drawn_with_the_wanted_balance(tmp_path, name):
    if not is_there(name):
        pytest.skip(f"{name} is not here")
    first, again, other = (
        pl.concat([records for records, _ in Drawn(pairs=name, n=200, balance=(3, 1), seed=seed).read(tmp_path)])
        for seed in (1, 1, 2)
    )
    assert dict(first["label"].value_counts().iter_rows()) == {"class_0": 150, "class_1": 50}
    assert first["id"].n_unique() == 200
    assert first.equals(again)
    assert not first["id"].equals(other["id"])


def test_joining_on_the_class_keeps_the_texts_of_each_class():
    rows = pl.DataFrame({"text": [f"{i}" for i in range(40)], "label": ["a", "b"] * 20})
    permuted = joined(rows, np.random.default_rng(0))
    assert permuted["text"].to_list() != rows["text"].to_list()
    assert all(set(permuted.filter(label=c)["text"]) == set(rows.filter(label=c)["text"]) for c in "ab")


# Studies.


@pytest.mark.parametrize("code", PLANTS)
def test_every_study_of_a_plant_is_one_whose_source_and_contenders_take_their_settings(code, tmp_path):
    plant = PLANTS[code]
    assert (plant.make is None) != (plant.alter is None)
    if plant.make is None:
        return
    strengths = {plant.strength, *plant.grid} | ({plant.clean_at} if plant.clean_at is not None else set())
    for strength in strengths:
        for place in (Place(300, 4, 7), Place(3000, 1, 8)):
            config = plant.make(place, strength)
            assert open_source(config.source).n == place.n
            assert models_of(config.contenders, seed=0, cache=tmp_path)
    for pairs, clean_at in plant.real.items():
        made = [plant.make(Place(1000, 1, 7, pairs), strength) for strength in (plant.strength, clean_at)]
        assert {open_source(config.source).pairs for config in made} == {pairs}
        assert made[0] != made[1]


def test_every_check_has_a_plant():
    assert set(CHECKS) <= set(PLANTS)
    assert list(PLANTS) == sorted(PLANTS)


def test_the_clean_study_compares_single_contenders_with_their_fusion_on_five_fits():
    config = clean_study(PLACE)
    assert {entry.name for entry in config.contenders} >= {"text-svm", "text-lstm", "image-cnn", "late-fusion"}
    assert (config.split.kind, config.split.folds) == ("kfold", 5)


def test_a_masked_study_and_its_twin_differ_in_the_mask_alone():
    masked, plain = (PLANTS["CP001"].make(PLACE, strength) for strength in (0.0, 0.95))
    assert masked.text.mask
    assert masked.model_copy(update={"text": plain.text}) == plain


# Records.

PRIMARY = {"a": "late-fusion", "b": "text-svm", "metric": "balanced_accuracy", "chosen_on": "validation"}


def comparison():
    pairs = made_pairs(60)
    contrasts = [("late-fusion", "text-svm", True), ("lstm-cnn", "text-svm", False), ("late-fusion", "lstm-cnn", False)]
    rows = [{"a": a, "b": b, "metric": "balanced_accuracy", "is_primary": first} for a, b, first in contrasts]
    return inputs_of(
        pairs,
        primary=PRIMARY,
        modalities={"text-svm": ("text",), "lstm-cnn": ("text", "image"), "late-fusion": ("text", "image")},
        additive=("late-fusion",),
        differences=pl.DataFrame(rows, schema=dict(DIFFERENCES)),
        costs=made_costs(text_svm=(1, 0, 9, 1.0), late_fusion=(3, 9, 9, 1.0)),
        predictions=pl.concat([predictions_of(pairs, name) for name in ("text-svm", "lstm-cnn", "late-fusion")]),
    )


def test_only_the_multimodal_contender_has_many_trials():
    trials = (
        records.many_trials(comparison(), 12, 0)["costs"]
        .select("contender", "trials")
        .unique()
        .sort("contender")
        .rows()
    )
    assert trials == [("late-fusion", 12), ("text-svm", 1)]


def test_without_the_control_no_contender_is_a_sum_of_branches():
    control = records.no_control(comparison(), 1, 0)
    assert (comparison()["additive"], control["additive"], control["members"]) == (("late-fusion",), (), {})


def test_fits_and_evaluations_are_as_many_as_wanted():
    assert (
        records.few_fits(comparison(), 2, 0)["n_fits"],
        records.many_evaluations(comparison(), 8, 0)["test_evaluations"],
    ) == (2, 8)


def test_only_the_logits_of_one_modality_are_scaled():
    before, after = comparison(), records.confident(comparison(), 3, 1)  # an odd seed: the text
    chances = [
        frame["predictions"].filter(contender=name)["p_class_0"].to_numpy()
        for name in ("text-svm", "lstm-cnn")
        for frame in (before, after)
    ]
    logits = [np.log(p / (1 - p)) for p in chances]
    assert np.allclose(3 * logits[0], logits[1])
    assert np.array_equal(chances[2], chances[3])


# Models.


@pytest.fixture
def networks():
    models = pytest.importorskip("injection.models")
    texts = {"text": ["a fox", "a car"] * 8, "image": [None] * 16}
    return models, pl.DataFrame(texts, schema_overrides={"image": pl.String})


def settings(model):
    model.text, model.image = {"epochs": 1, "embed": 4, "hidden": 4}, {"epochs": 1, "side_px": 8, "width": 4}
    return model


def test_a_frozen_image_branch_does_not_learn(networks):
    models, pairs = networks
    model = settings(models.FrozenImage(epochs=1)).fit(
        pairs, ["animal", "thing"] * 8, validation=(pairs, ["animal", "thing"] * 8)
    )
    assert not any(weights.requires_grad for weights in model.network_.image.parameters())
    assert any(weights.requires_grad for weights in model.network_.text.parameters())


def test_a_zero_filled_network_takes_no_image_for_missing(networks, tmp_path):
    models, pairs = networks
    from counterpoint.contenders.base import Rows  # noqa: PLC0415 - loads torch

    Image.new("RGB", (16, 16)).save(tmp_path / "black.png")
    whole = pairs.with_columns(image=pl.lit(str(tmp_path / "black.png")))
    model = settings(models.ZeroFilled(epochs=1)).fit(
        whole, ["animal", "thing"] * 8, validation=(whole, ["animal", "thing"] * 8)
    )
    assert not model._material(Rows(pairs, np.zeros(16, dtype=np.int64))).pixels.is_missing.any()


# Rates.


def test_wilsons_interval_is_that_of_the_textbook():
    assert rate(pl.Series([True] * 10 + [False] * 190)) == {
        "k": 10,
        "n": 200,
        "share": 0.05,
        "low": 0.02738,
        "high": 0.08958,
    }
    assert rate(pl.Series([], dtype=pl.Boolean)) is None


def test_neighbours_that_fall_are_pooled_by_their_weights():
    assert rising([0.5, 0.2], [1, 3]) == pytest.approx([0.275, 0.275])
    assert rising([0.0, 0.2, 0.9], [1, 1, 1]) == [0.0, 0.2, 0.9]


@pytest.mark.parametrize(
    ("strengths", "shares", "expected"),
    [
        ([0.0, 0.1, 0.2], [0.0, 0.4, 0.8], 0.125),
        ([3, 2, 1], [0.0, 0.0, 1.0], 1.5),
        ([0.1, 0.2], [0.0, 0.4], None),
        ([0.1, 0.2], [0.7, 0.9], None),
    ],
)
def test_even_odds_lie_between_the_strengths_around_them(strengths, shares, expected):
    found = even_odds(strengths, shares, [40] * len(shares))
    assert found == (expected if expected is None else pytest.approx(expected))


def test_the_strength_of_even_odds_needs_every_strength_of_the_curve():
    strengths = [0.0, *PLANTS["CP002"].grid, PLANTS["CP002"].strength]
    drawn = [result("CP002", 1, {"CP002": "warn" if s > 0.02 else "info"}, strength=s) for s in strengths]
    assert summary(drawn, is_quick=False)["checks"]["CP002"]["even_odds"] == pytest.approx(0.025)
    assert summary(drawn[:-2] + drawn[-1:], is_quick=False)["checks"]["CP002"]["even_odds"] is None


def result(kind, seed, found, *, strength=0.0, n=1000, **more):
    return {"kind": kind, "n": n, "ratio": 1, "strength": strength, "seed": seed, "found": found, "took_s": 1.0, **more}


def test_faults_of_two_kinds_have_two_curves_and_no_even_odds_together():
    plant = PLANTS["CP017"]
    strengths = [0.0, *plant.grid, plant.strength]
    drawn = [
        result("CP017", seed, {"CP017": "warn" if seed == 2 and s else "info"}, strength=s)
        for s in strengths
        for seed in (2, 3)
    ]
    found = summary(drawn, is_quick=False)["checks"]["CP017"]
    assert found["even_odds"] is None
    blank, unknown = ([point["rate"]["share"] for point in curve] for curve in found["by_kind"].values())
    assert (blank[1:], unknown[1:]) == ([1.0] * 5, [0.0] * 5)


def test_a_bar_is_met_by_enough_draws_with_few_errors():
    plant = PLANTS["CP003"]
    good = {"planted": {"n": 200, "share": 0.95}, "clean": {"n": 200, "share": 0.02}}
    assert meets(good, plant)
    assert meets(good | {"clean": {"n": 200, "share": 0.025}}, plant) is False
    assert meets(good | {"planted": {"n": 199, "share": 1.0}}, plant) is None
    assert meets(good | {"planted": None}, plant) is None


def test_the_panel_counts_studies_and_not_findings():
    loud = result(CLEAN, 1, {"CP001": "warn", "CP002": "fail"})
    quiet = result(CLEAN, 2, {"CP001": "info", "CP002": "not_applicable"})
    elsewhere = result(CLEAN, 3, {"CP001": "warn"}, n=300)
    found = panel(frame_of([loud, quiet, elsewhere, result("CP001", 4, {"CP001": "warn"})]))
    assert (found["rate"]["k"], found["rate"]["n"], found["by_check"]) == (1, 2, {"CP001": 1, "CP002": 1})
    (other,) = found["elsewhere"]
    assert (other["n"], other["ratio"], other["rate"]["k"], other["by_check"]) == (300, 1, 1, {"CP001": 1})


def test_a_summary_keeps_planted_clean_and_failed_draws_apart():
    lost = PLANTS["CP003"]
    results = [
        result("CP003", 1, {"CP003": "warn"}, strength=lost.strength),
        result("CP003", 2, {"CP003": "info"}, strength=lost.strength),
        result(CLEAN, 3, {"CP003": "info"}),
        result(CLEAN, 1, {"CP005": "info"}, records=[["CP005", PLANTS["CP005"].strength, "warn"]]),
        {**result("CP010", 1, {}), "error": "ValueError: no"},
    ]
    found = summary(results, is_quick=True)
    sizes = {code: found["checks"][code]["sizes"][0] for code in ("CP003", "CP005")}
    assert [(sizes["CP003"][variant]["k"], sizes["CP003"][variant]["n"]) for variant in ("planted", "clean")] == [
        (1, 2),
        (0, 1),
    ]
    assert [(sizes["CP005"][variant]["k"], sizes["CP005"][variant]["n"]) for variant in ("planted", "clean")] == [
        (1, 1),
        (0, 1),
    ]
    assert (found["n_errors"], found["errors"]) == (1, ["CP010: ValueError: no"])
    failed = summary([{**result("CP010", 1, {}, strength=1.0), "error": "no"}], is_quick=True)
    assert failed["checks"]["CP010"]["sizes"][0]["planted"]["k"] == 0
    failed = summary([{**result(CLEAN, 1, {}), "error": "no"}], is_quick=True)
    assert (failed["panel"]["rate"]["k"], failed["panel"]["meets"]) == (1, None)
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(("n", "most"), [(1000, 16), (300, 30)])
def test_clean_studies_with_an_alarm_are_counted_against_the_bar_of_their_size(n, most):
    for n_alarms in (most, most + 1):
        drawn = [
            result(CLEAN, seed, {"CP002": "info", "CP003": "warn" if seed < n_alarms else "info"}, n=n)
            for seed in range(200)
        ]
        found = summary(drawn, is_quick=False)["panel"]
        own = found if n == 1000 else found["elsewhere"][0]
        assert (own["rate"]["k"], own["meets"]) == (n_alarms, n_alarms == most)
    assert any(
        line.startswith(f"panel {n} 1:1") and "MISSED" in line for line in rates.lines(summary(drawn, is_quick=False))
    )
    fewer = summary(drawn[:199], is_quick=False)["panel"]
    assert (fewer if n == 1000 else fewer["elsewhere"][0])["meets"] is None


def test_the_alarms_of_a_check_are_pooled_over_its_clean_draws_of_all_sizes():
    clean = [result(CLEAN, seed, {"CP002": "info"}, n=(300, 1000)[seed % 2]) for seed in range(400)]
    own = [result("CP002", seed, {"CP002": "warn" if seed < 3 else "info"}, strength=0.0) for seed in range(200)]
    planted = [result("CP002", seed, {"CP002": "warn"}, strength=PLANTS["CP002"].strength) for seed in range(9)]
    pooled = summary([*clean, *own, *planted], is_quick=False)["checks"]["CP002"]["pooled"]
    assert (pooled["rate"]["k"], pooled["rate"]["n"], pooled["meets"]) == (3, 600, True)
    assert summary([*clean, *own[1:]], is_quick=False)["checks"]["CP002"]["pooled"]["meets"] is None
    own[3]["found"]["CP002"] = "fail"
    assert summary([*clean, *own], is_quick=False)["checks"]["CP002"]["pooled"]["meets"] is False


def test_real_pairs_have_rates_of_their_own():
    results = [
        result("CP003", 1, {"CP003": "info"}, strength=0.2),
        result("CP003", 1, {"CP003": "warn"}, strength=0.2, pairs="openmoji"),
        result("CP003", 1, {"CP003": "info"}, strength=0.1, pairs="openmoji"),
        {**result("CP003", 2, {}, strength=0.1, pairs="openmoji"), "error": "no"},
    ]
    found = summary(results, is_quick=False)["checks"]["CP003"]
    assert (found["sizes"][0]["planted"]["k"], found["sizes"][0]["planted"]["n"]) == (0, 1)
    own = {each["pairs"]: each for each in found["real"]}["openmoji"]
    assert [(own[variant]["k"], own[variant]["n"]) for variant in ("planted", "clean")] == [(1, 1), (1, 2)]
    text = measured.text_of("CP003", {"is_quick": False, "checks": {"CP003": found}}, {})
    assert "| drawings (OpenMoji) | 100.0 % (20.7 to 100.0), 1 of 1 | 50.0 % (9.5 to 90.5), 1 of 2 |" in text


# The list of draws.


def test_parts_are_drawn_in_the_given_order():
    assert [item[1:3] for item in items(codes=["CP002"], draws=1, parts=["main"])] == [(1000, 1)] * 2
    assert {item.strength for item in items(codes=["CP002"], draws=1, parts=["curves"])} == set(PLANTS["CP002"].grid)
    both = [items(codes=["CP002"], draws=1, parts=parts) for parts in (["curves", "main"], ["curves"], ["main"])]
    assert both[0] == both[1] + both[2]
    real = items(codes=["CP003"], parts=["real"])
    assert {item.pairs for item in real} == {name for name in PLANTS["CP003"].real if is_there(name)}
    assert {item.pairs for item in items(parts=["main", "cells", "curves"])} == {GENERATED}


@pytest.mark.parametrize("code", ["CP008", "CP014"])
def test_draws_at_one_place_share_the_fits_that_are_the_same(code, tmp_path):
    plant = PLANTS[code]
    first, second = (draw.study_of(plant.make(PLACE, strength), tmp_path) for strength in (0.0, plant.strength))
    assert first.root == second.root
    fits = [{task.contender: task.key for task in study.fits.tasks} for study in (first, second)]
    assert {name for name in fits[0] if fits[0][name] == fits[1][name]} == {"text-svm", "text-lstm", "image-cnn"}


def test_there_are_as_many_draws_as_the_bars_need():
    listed = items()
    for code, plant in PLANTS.items():
        if plant.make is None or code not in CHECKS:
            continue
        for n, ratio in ((1000, 1), (300, 1), (300, 4), (3000, 1), (3000, 4)):
            needed = (60 if plant.trains else 200) if n == 1000 else 40
            own = [item for item in listed if item[:4] == (code, n, ratio, plant.strength) and item.pairs == GENERATED]
            assert len({item.seed for item in own}) >= needed
    assert sum(item[:3] == (CLEAN, 1000, 1) for item in listed) == 200
    assert sum(item[:3] == (CLEAN, 300, 1) for item in listed) == 200
    assert sum(item.kind == CLEAN for item in listed) >= rates.N_POOLED
    assert len(set(listed)) == len(listed)
    assert min(item.seed for item in listed) == REPORTED


def test_a_draw_that_is_kept_is_not_made_again(tmp_path):
    path = tmp_path / "draws.jsonl"
    first, second = Item("CP003", 300, 1, 0.2, 1), Item("CP003", 300, 1, 0.2, 2)
    path.write_text(json.dumps(result("CP003", 1, {}, strength=0.2, n=300)) + '\n{"kind": "CP0')
    assert waiting([first, second], kept(path)) == [second]
    assert work_through([first], path) == 0


def test_codes_choose_their_draws_and_a_clean_study_only_where_it_is_needed():
    assert {item.kind for item in items(codes=["CP002"], draws=1)} == {"CP002"}
    assert {item.kind for item in items(codes=["CP012"], draws=1)} == {CLEAN}


def test_the_quick_form_of_two_checks_runs_and_leaves_nothing_to_do(tmp_path):
    command = [sys.executable, BENCHMARK, "--codes", "CP001", "CP002", "--draws", "1"]
    command += ["--kept", tmp_path / "kept", "--out", tmp_path / "out.json"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "4 draws, 0 failed" in output
    assert not (tmp_path / "out.json").exists()
    results = kept(tmp_path / "kept" / "draws.jsonl")
    listed = [item for item in items(codes=["CP001", "CP002"], draws=1, first_seed=0) if item[1:3] == (300, 1)]
    assert (len(listed), waiting(listed, results)) == (4, [])


@pytest.mark.parametrize(
    "module", [contribution, draw, losses, named, rates, verdicts, work], ids=lambda module: module.__name__
)
def test_the_examples_of_the_benchmark_are_true(module):
    assert doctest.testmod(module).failed == 0


def test_losses_that_a_clean_study_reports_are_tried_on_fresh_pairs(tmp_path, monkeypatch):
    plant = PLANTS["CP023"]
    alarm, quiet = result(CLEAN, 1, {"CP023": "warn"}, n=300), result(CLEAN, 2, {"CP023": "info"})
    (item,) = losses.items([alarm, quiet, result("CP023", 3, {"CP023": "warn"})])
    assert (item.kind, item.n, item.seed) == (CLEAN, 300, 1)
    monkeypatch.setattr(losses, "clean_study", lambda place: plant.make(place, plant.strength))
    (loss,) = losses.draw(item, tmp_path)["losses"]
    assert (loss["contender"], loss["simpler"]) == ("complex", "simple")
    assert loss["fresh"] < -0.02


# What the documentation shows.


def test_the_page_of_pitfalls_shows_measured_and_missing_figures():
    lost = PLANTS["CP003"]
    results = [result("CP003", seed, {"CP003": "warn"}, strength=lost.strength) for seed in range(3)]
    found = summary(results, is_quick=False)
    text = measured.text_of("CP003", found, {})
    assert "100.0 % (43.8 to 100.0), 3 of 3" in text
    assert "20 % lost of one class" in text
    assert "at least 95 % detected and at most 2 % alarms: too few draws." in text
    for name in ("CP004", "panel", "verdicts"):
        assert measured.NOT_YET in measured.text_of(name, found, {})
    assert "measures nothing" in measured.text_of("CP003", summary(results, is_quick=True), {})


def test_the_page_of_pitfalls_shows_how_detection_grows_with_the_fault():
    copied = PLANTS["CP002"]
    strengths = [0.0, *copied.grid, copied.strength]
    drawn = [result("CP002", 1, {"CP002": "warn" if s > 0.02 else "info"}, strength=s) for s in strengths]
    text = measured.text_of("CP002", summary(drawn, is_quick=False), {})
    assert "Detection reaches one half at 2.5 % of the test rows." in text
    assert "| at 1,000 pairs | 1 % | 2 % | 3 % | 4 % | 5 % |" in text
    always = [result("CP002", 1, {"CP002": "warn"}, strength=s) for s in strengths[1:]]
    text = measured.text_of("CP002", summary(always, is_quick=False), {})
    assert "above one half at the weakest fault of the grid" in text


def test_the_page_of_pitfalls_shows_clean_studies_of_other_sizes():
    drawn = [result(CLEAN, seed, {"CP011": "warn"}, n=n) for n in (1000, 300) for seed in range(2)]
    text = measured.text_of("panel", summary(drawn, is_quick=False), {})
    assert "with any warning or failure: 100.0 % (34.2 to 100.0), 2 of 2. Bar: at most 8 %, too few draws." in text
    assert "| 300 | 1 : 1 | 100.0 % (34.2 to 100.0), 2 of 2 | at most 15 %, too few draws | CP011 in 2 |" in text


def test_the_confusion_table_has_a_row_for_each_truth():
    drawn = [("leak", "leak"), ("leak", "cannot_tell"), ("no_signal", "leak")]
    found = verdicts.summary({"kind": truth, "n": 500, "verdict": verdict} for truth, verdict in drawn)
    assert [found["500"][name]["k"] for name in ("right", "wrong", "cannot_tell")] == [1, 1, 1]
    assert (list(found), found["500"]["meets"]) == (["500"], None)
    claimed = {"kind": "redundant", "n": 500, "verdict": "cannot_tell", "claim": "better"}
    found = verdicts.summary([claimed])["500"]
    assert (found["wrong"]["k"], found["cannot_tell"]["k"], found["false_yes"]["k"]) == (1, 0, 1)
    every = [{"kind": truth, "n": 500, "verdict": "leak"} for truth in verdicts.TRUTHS for _ in range(verdicts.N_EACH)]
    found = verdicts.summary(every)
    assert found["500"]["meets"] is False
    text = measured.text_of("verdicts", {}, found)
    assert "Bar: **missed**." in text
    assert "| at least 70 % |" in text
    assert "| `leak` | 20 |" in text
    assert "| `no_signal` | 20 |" in text


def test_the_page_of_pitfalls_has_every_check():
    page = (BENCHMARK.parents[1] / "docs" / "pitfalls.md").read_text(encoding="utf-8")
    assert [code for code in PLANTS if f"## {code}: " in page and f"<!-- measured {code} -->" in page] == list(PLANTS)


# Named cases and measures of contribution.


def test_every_named_case_is_of_checks_with_a_plant():
    assert {code for given in named.CASES.values() for code in given.codes} <= set(PLANTS)
    assert {item.kind for item in named.items()} <= set(named.CASES)


@pytest.mark.parametrize("name", named.CASES)
def test_every_named_case_is_a_study_whose_contenders_take_their_settings(name, tmp_path):
    if name not in {item.kind for item in named.items()}:
        pytest.skip(f"needs {named.CASES[name].needs}")
    config = named.CASES[name].make()
    assert open_source(config.source).fingerprint()
    assert models_of(config.contenders, seed=0, cache=tmp_path)


def test_signals_of_generated_pairs_have_their_true_distribution(tmp_path):
    from counterpoint.data.generate import generate  # noqa: PLC0415

    signals = {"text_signal": 0.6, "image_signal": 0.2, "redundant_signal": 0.0, "joint_signal": 0.4}
    pairs = generate(tmp_path, n=4000, side_px=SIDE_PX, seed=1, **signals)
    counted = np.zeros((9, 9, 2))
    np.add.at(counted, contribution.codes_of(pairs), 1 / len(pairs))
    truth = contribution.joint_of(signals)
    assert np.abs(counted - truth).max() < 0.02
    assert counted[truth == 0].sum() == 0
