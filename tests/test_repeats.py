"""A study with repeats: each is the study of another split and other seeds, made once, resumed, and cheap to read."""

import shutil

import polars as pl
import pytest
import yaml

import counterpoint as cp
from counterpoint.cli.study import run_study
from counterpoint.config import StudyConfig
from counterpoint.config.sweep import SweepConfig, points
from counterpoint.errors import ConfigError
from counterpoint.repeats import repeats_of, require_drawn_split
from counterpoint.schema import REPEATED, REPEATS, check
from counterpoint.settings import LARGEST_SEED
from counterpoint.sweep import Sweep

pytestmark = pytest.mark.slow

GIVEN = {
    "study": "often",
    "source": {"kind": "generated", "n": 120, "text_signal": 0.8, "image_signal": 0.6, "side_px": 16, "seed": 3},
    "split": {"kind": "kfold", "folds": 3},
    "contenders": ["text-ngrams", {"kind": "image-hog", "name": "hog"}, "ensemble"],
    "fit": {"engine": "inline"},
    "evaluate": {"repeats": 2},
    "checks": {"encoders": False},
}


def study(runs, on_progress=lambda *_: None, **changes):
    return cp.Study(StudyConfig.read(GIVEN | changes), runs=runs, on_progress=on_progress)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    runs, shown = tmp_path_factory.mktemp("runs"), []
    made = study(runs, lambda *progress: shown.append(progress))
    made.report()
    return made, runs, shown


def test_the_contrast_is_that_of_all_repeats_in_numbers_and_words(finished):
    made, _, _ = finished
    repeats = check(made.repeats(), REPEATS, table="Repeats")
    assert repeats.select("repeat", "fold").rows() == [(repeat, fold) for repeat in (0, 1) for fold in "012"]
    row = made.differences().row(0, named=True)
    assert row["is_primary"]
    (over,) = check(made.made("repeats")["repeated"], REPEATED, table="Repeated").rows(named=True)
    assert [row[name] for name in ("difference", "error", "df")] == [
        over[name] for name in ("difference", "error", "df")
    ]
    assert row["difference"] == pytest.approx(repeats["difference"].mean(), abs=0.02)  # folds differ a little in size
    results = made.results()
    assert results["repeats"] == repeats.to_dicts()
    assert any("over 2 repeats" in reason for reason in results["answer"]["reasons"])
    page = (made.root / "report.html").read_text(encoding="utf-8")
    assert "The difference in each of 2 repeats" in page
    assert made.check_inputs["n_fits"] == 6


def test_each_repeat_is_the_study_of_its_split_and_seeds(finished, tmp_path):
    made, _, _ = finished
    alone = {"evaluate": {"repeats": 1}}
    first = study(tmp_path, **alone)
    assert made.predictions().equals(first.predictions())
    assert made.scores().equals(first.scores())
    other = study(tmp_path / "other", **alone, split=GIVEN["split"] | {"seed": 1}, fit=GIVEN["fit"] | {"seeds": [1]})
    second = made.repeats().filter(repeat=1).drop("repeat")
    assert second.equals(other.repeats().drop("repeat"))


def test_records_and_groups_are_read_once_and_kept_once(finished):
    made, _, _ = finished
    tables = {path.stem for path in (made.root / "repeats" / "often-1" / "tables").glob("*.parquet")}
    assert not {"source", "records", "grouped"} & tables
    assert not (made.root / "repeats" / "often-1" / "cache").exists()
    assert len(made.test_evaluations()) == 1


def test_all_fits_are_made_in_one_pool_with_progress(finished):
    _, _, shown = finished
    pools = [progress for progress in shown if progress[0] == "fitting" and progress[1] == 0 and progress[2] > 0]
    assert len(pools) == 1
    assert ("preparing repeats", 1, 2) in shown


def test_a_finished_study_fits_nothing_and_needs_its_repeats_no_more(finished, counted, tmp_path):
    made, runs, _ = finished
    shutil.move(made.root / "repeats", tmp_path / "repeats")
    again = study(runs)
    again.report()
    assert again.repeats().equals(made.repeats())
    assert again.differences().equals(made.differences())
    assert counted == []
    assert not (made.root / "repeats").exists()
    shutil.move(tmp_path / "repeats", made.root / "repeats")


def test_only_missing_fits_of_a_repeat_are_made_again(finished, counted):
    made, runs, _ = finished
    other = made.root / "repeats" / "often-1"
    for path in (made.root / "tables" / ".repeats.json", other / "tables" / ".fits.json"):
        path.unlink()
    shutil.rmtree(next((other / "fits").glob("hog.*")))
    assert study(runs).repeats().equals(made.repeats())
    assert len(counted) == 1
    assert counted[0].startswith("often-1/hog")


def test_a_further_repeat_fits_only_itself(finished, counted):
    made, runs, _ = finished
    more = study(runs, evaluate={"repeats": 3})
    more.made("fits")
    assert {name.partition("/")[0] for name in counted} == {"often-2"}
    assert more.repeats().filter(pl.col("repeat") < 2).equals(made.repeats())
    assert len(more.test_evaluations()) == 2


def test_until_fits_makes_the_fits_of_all_repeats(tmp_path, counted):
    file = tmp_path / "often.yaml"
    file.write_text(yaml.safe_dump(GIVEN))
    run_study(file, runs=tmp_path / "runs", sets=[], until="fits")
    assert {name.partition("/")[0] for name in counted} == {"often", "often-1"}
    n_made = len(counted)
    run_study(file, runs=tmp_path / "runs", sets=[], until="report")
    assert len(counted) == n_made


def test_a_sweep_makes_no_repeats(tmp_path):
    (tmp_path / "often.yaml").write_text(yaml.safe_dump(GIVEN))
    config = SweepConfig(sweep="points", study=tmp_path / "often.yaml", variants={"plain": {}})
    assert Sweep(config, runs=tmp_path).study(points(config)[0]).config.evaluate.repeats == 1


def test_a_split_that_is_given_cannot_be_repeated():
    with pytest.raises(ConfigError, match=r"evaluate\.repeats needs another split each time"):
        StudyConfig.read(GIVEN | {"split": {"kind": "given"}})
    outside = [{"path": "p.csv", "name": "other"}]
    with pytest.raises(ConfigError, match="outside predictions lack"):
        StudyConfig.read(GIVEN | {"predictions": outside})


def test_a_split_of_the_source_cannot_be_repeated_either():
    rows = pl.DataFrame({"fold": ["train", "validation", "test"]})
    config = StudyConfig.read(GIVEN | {"split": {}})
    require_drawn_split(rows.drop("fold"), config)
    require_drawn_split(rows, StudyConfig.read(GIVEN | {"split": {}, "evaluate": {}}))
    with pytest.raises(ConfigError, match="the source gives the split"):
        require_drawn_split(rows, config)


def test_no_two_repeats_share_a_seed_even_at_the_end_of_all_seeds():
    ends = {"fit": {"seeds": [LARGEST_SEED, 5]}, "split": {"seed": LARGEST_SEED}, "evaluate": {"repeats": 4}}
    found = repeats_of(StudyConfig.read(GIVEN | ends))
    assert [each.split.seed for each in found] == [0, 1, 2]
    fine = repeats_of(StudyConfig.read(GIVEN | {"fit": {"seeds": [0, 7, 3]}, "evaluate": {"repeats": 4}}))
    seeds = [seed for each in fine for seed in each.fit.seeds]
    assert len(set(seeds)) == len(seeds)
    assert {each.evaluate.repeats for each in found} == {1}
