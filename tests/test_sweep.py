"""A sweep runs one study many times, and reports the effect of each change."""

import json
from pathlib import Path

import polars as pl
import pytest
import yaml

from counterpoint.config.sweep import SweepConfig, points
from counterpoint.data.generate import chunks
from counterpoint.errors import ConfigError
from counterpoint.number_formats import interval, signed
from counterpoint.sweep import open_sweep

pytestmark = pytest.mark.slow

STUDY = {
    "study": "base",
    "source": {"kind": "generated", "n": 200, "text_signal": 0.8},
    "contenders": ["majority", "text-svm"],
    "fit": {"engine": "inline"},
}
SWEEP = {
    "sweep": "tiny",
    "study": "study.yaml",
    "contenders": ["text-svm"],
    "variants": {"plain": {}, "strict": {}},
    "choices": {
        "cost": {"plain": {"contenders.text-svm.c": 1.0}, "strict": {"contenders.text-svm.c": 0.001}},
        "words": {"plain": {"contenders.text-svm.words": 2}, "strict": {"contenders.text-svm.words": 1}},
    },
    "only": {"plain": {"shuffled texts": {"faults": [{"kind": "shuffle_texts", "part": "train"}]}}},
}


def written(folder: Path, sweep: dict) -> Path:
    (folder / "study.yaml").write_text(yaml.safe_dump(STUDY))
    path = folder / "sweep.yaml"
    path.write_text(yaml.safe_dump(sweep))
    return path


def config(**changes) -> SweepConfig:
    return SweepConfig.read({**SWEEP, **changes})


def test_each_choice_is_changed_alone_on_each_variant():
    found = {point.name: point.changes for point in points(config())}
    settings = {name: (of["contenders.text-svm.c"], of["contenders.text-svm.words"]) for name, of in found.items()}
    assert settings == {
        "plain": (1.0, 2),
        "plain-cost": (0.001, 2),
        "plain-words": (1.0, 1),
        "plain-shuffled-texts": (1.0, 2),
        "strict": (0.001, 1),
        "strict-cost": (1.0, 1),
        "strict-words": (0.001, 2),
    }


def test_a_curve_has_a_point_a_value_and_variant():
    along = {"split.limit": [50, 100]}
    found = [(point.variant, point.value) for point in points(config(choices={}, only={}, along=along))]
    assert found == [("plain", "50"), ("plain", "100"), ("strict", "50"), ("strict", "100")]


def test_a_curve_next_to_choices_leaves_each_variant_its_own_point():
    found = [(point.variant, point.choice) for point in points(config(only={}, along={"split.limit": [50]}))]
    assert found.count(("plain", None)) == found.count(("strict", None)) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"choices": {"cost": {"plain": {}}}}, "choice 'cost' needs a value on each variant: plain, strict"),
        ({"only": {"plian": {}}}, "no variant 'plian'"),
        ({"along": {"a": [1], "b": [2]}}, "along takes one key"),
        ({"variants": {"plain": {}}, "choices": {"cost": {"plain": {}}}}, "choices need two variants"),
    ],
)
def test_a_wrong_sweep_is_one_clear_line(change, message):
    with pytest.raises(ConfigError, match=message):
        config(**change)


def test_a_study_that_is_not_there_is_one_clear_line(tmp_path):
    path = written(tmp_path, {**SWEEP, "study": "stduy.yaml"})
    with pytest.raises(ConfigError, match="study: no file"):
        open_sweep(path)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    reported = []
    sweep = open_sweep(written(folder, SWEEP), runs=folder / "runs", on_progress=lambda *step: reported.append(step))
    return sweep, sweep.run(), reported


def test_says_what_each_change_does(made):
    _, table, _ = made
    assert table.height == 7
    assert set(table["contender"]) == {"text-svm"}
    variants = table.filter(pl.col("choice").is_null())
    assert variants["difference"].null_count() == 2
    paired = table.filter(pl.col("choice") == "words")
    assert paired["p"].null_count() == 0
    fallen = table.row(by_predicate=pl.col("choice") == "shuffled texts", named=True)
    own = table.row(by_predicate=pl.col("choice").is_null() & (pl.col("variant") == "plain"), named=True)
    assert fallen["difference"] == pytest.approx(fallen["score"] - own["score"])
    assert fallen["difference_high"] < 0


def test_what_is_made_is_not_made_again(made):
    sweep, table, _ = made
    files = [file for file in sorted(sweep.root.rglob("*.parquet")) if file.name != "sweep.parquet"]
    times = [file.stat().st_mtime_ns for file in files]
    assert open_sweep(sweep.file, runs=sweep.root.parent).run().equals(table)
    assert [file.stat().st_mtime_ns for file in files] == times


def test_progress_counts_all_points_and_all_fits_together(made):
    _, _, reported = made
    stages = list(dict.fromkeys(what for what, _, _ in reported))
    assert stages == ["preparing points", "fitting", "comparing points", "writing the page"]
    assert {total for what, _, total in reported if what.endswith("points")} == {7}
    fitting = [(done, total) for what, done, total in reported if what == "fitting"]
    assert len({total for _, total in fitting}) == 1
    assert fitting[-1][0] == pytest.approx(fitting[-1][1])


def test_records_are_read_once_for_all_points_of_a_source(tmp_path, monkeypatch):
    read = []

    def counted(recipe, work):
        read.append(work.parent.name)
        return chunks(recipe, work)

    monkeypatch.setattr("counterpoint.data.sources.generated.chunks", counted)
    sweep = {**SWEEP, "choices": {}, "variants": {"plain": {}, "other source": {"source.n": 150}}}
    open_sweep(written(tmp_path, sweep), runs=tmp_path / "runs").run()
    assert sorted(read) == ["other-source", "plain"]


def test_the_page_carries_the_numbers_of_the_table(made):
    sweep, table, _ = made
    page = (sweep.root / "report.html").read_text(encoding="utf-8")
    for row in table.drop_nulls("difference").iter_rows(named=True):
        assert signed(row["difference"]) in page
        assert interval(row["difference_low"], row["difference_high"], is_signed=True) in page
    fallen = table.row(by_predicate=pl.col("choice") == "shuffled texts", named=True)
    sentences = json.loads((sweep.root / "sweep.json").read_text())["sentences"]
    assert f"“shuffled texts” loses most, {signed(fallen['difference'])}" in sentences[0]
    assert all(sentence in page for sentence in sentences)


def test_the_page_says_how_it_is_made_again(made):
    sweep, _, _ = made
    page = (sweep.root / "report.html").read_text(encoding="utf-8")
    assert "<code>counterpoint sweep sweep.yaml</code>" in page
    assert "shuffle_texts" in page
    assert "text_signal" in page
    assert str(sweep.root.parent) not in page


def test_a_curve_is_measured_against_its_first_value(tmp_path):
    along = {"contenders.text-svm.c": [0.0001, 1.0]}
    path = written(tmp_path, {**SWEEP, "variants": {"plain": {}}, "choices": {}, "only": {}, "along": along})
    table = open_sweep(path, runs=tmp_path / "runs").run()
    first, last = table.to_dicts()
    assert first["difference"] is None
    assert last["difference"] == pytest.approx(last["score"] - first["score"])
    assert last["p"] is not None
    assert (tmp_path / "runs/tiny/figures/curve.svg").exists()
