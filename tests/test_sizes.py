"""Curves of size: parts of the training rows alone, the same test rows, made once, resumed, and only where cheap."""

import shutil

import polars as pl
import pytest

import counterpoint as cp
from counterpoint import sizes as sizing
from counterpoint.config import StudyConfig
from counterpoint.errors import ConfigError
from counterpoint.schema import SIZE_CURVES, SIZES, check

pytestmark = pytest.mark.slow

GIVEN = {
    "study": "sized",
    "source": {"kind": "growth.vectors:Vectors", "n": 800, "n_whole": 800, "seed": 13},
    "split": {"kind": "holdout", "test_share": 0.3},
    "contenders": [
        {"kind": "growth.vectors:ReadsText", "name": "text"},
        {"kind": "growth.vectors:ReadsBoth", "name": "both"},
    ],
    "align": {"missing_image": "keep"},
    "group": {"exact": False, "near_images": False, "near_texts": False},
    "fit": {"engine": "inline"},
    "evaluate": {"metrics": ["balanced_accuracy"]},
    "checks": {"encoders": False},
}


def study(runs, **changes):
    return cp.Study(StudyConfig.read(GIVEN | changes), runs=runs)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    runs = tmp_path_factory.mktemp("runs")
    made = study(runs)
    made.sizes()
    return made, runs


def test_both_sides_have_scores_on_each_size_and_a_curve_to_three_times_as_many_rows(finished):
    made, _ = finished
    sizes = check(made.sizes(), SIZES, table="Sizes")
    assert dict(sizes.filter(contender="both")["share"].value_counts().iter_rows()) == {0.125: 4, 0.25: 3, 0.5: 2, 1: 1}
    assert set(sizes["contender"]) == {"text", "both"}
    curves = check(made.made("sizes")["size_curves"], SIZE_CURVES, table="Curves")
    assert curves["reason"].null_count() == len(curves)
    subjects = curves.filter(times=3.0).select("contender", "minus").rows()
    assert subjects == [("both", None), ("text", None), ("both", "text")]
    assert (curves["low"] <= curves["value"]).all()
    assert (curves["value"] <= curves["high"]).all()


def test_the_whole_size_is_the_score_of_the_study(finished):
    made, _ = finished
    whole = made.sizes().filter(share=1.0).select("contender", "value", "low", "high").sort("contender")
    scores = made.scores().filter(part="test").select("contender", "value", "low", "high").sort("contender")
    assert whole.equals(scores)


def test_parts_have_the_test_rows_of_the_study_and_nested_training_rows_without_torn_groups(finished):
    made, _ = finished
    pairs = made.pairs()
    parts = {(part.draw, part.share): part for part in sizing.subsets_of(made, ["text"])}
    for (draw, share), part in parts.items():
        ids = {name: set(part.pairs.filter(fold=name)["id"]) for name in ("train", "validation", "test")}
        whole = {name: set(pairs.filter(fold=name)["id"]) for name in ids}
        assert ids["test"] == whole["test"]
        assert ids["train"] < whole["train"]
        assert ids["validation"] < whole["validation"]
        larger = parts.get((draw, 2 * share))
        assert larger is None or ids["train"] < set(larger.pairs.filter(fold="train")["id"])
        groups = part.pairs.filter(fold="train")["group"].unique().implode()
        assert set(pairs.filter(pl.col("group").is_in(groups), fold="train")["id"]) == ids["train"]


def test_a_finished_study_fits_nothing_and_needs_the_folder_no_more(finished, counted, tmp_path):
    made, runs = finished
    shutil.move(made.root / "sizes", tmp_path / "sizes")
    again = study(runs)
    assert again.sizes().equals(made.sizes())
    assert again.made("sizes")["size_curves"].equals(made.made("sizes")["size_curves"])
    assert counted == []
    shutil.move(tmp_path / "sizes", made.root / "sizes")


def test_only_missing_fits_are_made_again_with_the_same_result(finished, counted):
    made, runs = finished
    before = made.sizes(), made.made("sizes")["size_curves"]
    (made.root / "tables" / ".sizes.json").unlink()
    shutil.rmtree(made.root / "sizes" / "test-0.25-1" / "fits" / "text.seed-0.fold-test")
    again = study(runs)
    assert again.sizes().equals(before[0])
    assert again.made("sizes")["size_curves"].equals(before[1])
    assert counted == ["test-0.25-1/text.seed-0.fold-test"]


def test_another_setting_of_sizes_leaves_scores_and_fits_as_they_are(finished, counted, tmp_path):
    made, runs = finished
    shutil.copytree(runs, tmp_path / "runs")
    other = study(tmp_path / "runs", evaluate=GIVEN["evaluate"] | {"sizes": [0.25, 0.5]})
    assert other.key("differences") == made.key("differences")
    assert set(other.sizes()["share"]) == {0.25, 0.5, 1.0}
    assert counted == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"evaluate": {"sizes": "none"}}, "evaluate.sizes is none."),
        ({"source": GIVEN["source"] | {"n": 200}}, "fewer than 50 pairs"),
        ({"contenders": GIVEN["contenders"][:1]}, "no primary contrast"),
    ],
)
def test_without_curves_one_row_has_the_reason_and_nothing_is_fitted(changes, reason, counted, tmp_path):
    made = study(tmp_path, **changes)
    assert made.sizes().is_empty()
    (row,) = made.made("sizes")["size_curves"].rows(named=True)
    assert row["contender"] is None
    assert reason in row["reason"]
    assert not any(name.startswith("test-") for name in counted)


def test_auto_fits_nothing_where_it_would_take_long_and_names_the_setting(finished, monkeypatch):
    made, _ = finished
    monkeypatch.setattr(sizing, "MOST_S", 0.1)
    monkeypatch.setattr(sizing, "MOST_SHARE", 0.1)
    found = sizing.size_tables(made)
    assert found["sizes"].is_empty()
    assert "Set evaluate.sizes: [0.125, 0.25, 0.5]" in found["size_curves"]["reason"][0]


def test_a_list_is_fitted_at_any_size_and_too_few_sizes_give_a_reason(tmp_path):
    small = study(tmp_path, source=GIVEN["source"] | {"n": 200}, evaluate=GIVEN["evaluate"] | {"sizes": [0.5]})
    assert set(small.sizes()["share"]) == {0.5, 1.0}
    assert small.made("sizes")["size_curves"]["reason"].str.contains("only 2 sizes").all()


def test_a_k_fold_has_parts_in_each_fold_and_scores_all_rows_once(tmp_path):
    changes = {"split": {"kind": "kfold", "folds": 4}, "fit": GIVEN["fit"] | {"seeds": [0, 1]}}
    made = study(tmp_path, **changes, evaluate=GIVEN["evaluate"] | {"sizes": [0.125, 0.25, 0.5]})
    sizes = made.sizes()
    assert set(sizes["n"]) == {len(made.pairs())}
    assert dict(sizes.filter(contender="text").select("share", "seeds").unique().iter_rows()) == {
        0.125: 1, 0.25: 1, 0.5: 1, 1.0: 2,
    }  # fmt: skip
    assert len(made.made("sizes")["size_curves"].filter(times=3.0)) == 3


@pytest.mark.parametrize("wrong", ["all", "atuo", [], [0.5, 0.5], [2], [0], ["half"], [True], None, 0.5, [0.01] * 13])
def test_a_wrong_setting_is_one_line(wrong):
    with pytest.raises(ConfigError) as error:
        StudyConfig.read(GIVEN | {"evaluate": {"sizes": wrong}})
    assert str(error.value).startswith("evaluate.sizes: ")
    assert "\n" not in str(error.value)


def test_sizes_are_read_in_order_and_survive_a_round_trip():
    config = StudyConfig.read(GIVEN | {"evaluate": {"sizes": [0.5, 0.1]}})
    assert config.evaluate.sizes == (0.1, 0.5)
    assert StudyConfig.read(config.model_dump(mode="json")).evaluate.sizes == (0.1, 0.5)
