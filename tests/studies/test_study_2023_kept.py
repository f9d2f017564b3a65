"""The page of the 2023 study is written again from kept predictions by the rules of today, without a fit."""

import io
import json
import re
import shutil
import zipfile
from pathlib import Path

import polars as pl
import pytest
import yaml

import inquest
import kept
import renewed
import study_2023_runs
import write
from candidates.config import read_inquest
from counterpoint.contenders import fit as fitting
from page.results import FolderResults
from page.values import NOT_RUN

ROOT, FOLDER = write.ROOT, write.FOLDER
STUDY = {"study": "a", "source": {"kind": "generated", "n": 90, "side_px": 16}, "fit": {"engine": "inline"},
         "contenders": ["majority", "keyword-rule", "text-svm"]}  # fmt: skip
SWEEP = {"sweep": "b", "study": "a.yaml", "contenders": ["text-svm"], "variants": {"plain": {}},
         "only": {"plain": {"other words": {"contenders.text-svm.min_count": 9}}}}  # fmt: skip
EARLIER = "The archives of"

pytestmark = pytest.mark.slow


@pytest.fixture
def quick(monkeypatch):
    """Fit no network for a table of its layers."""
    row = {"kind": "Conv2d", "takes": "1", "gives": "2", "size": None, "parameters": 3}
    monkeypatch.setitem(write.GLOBALS, "layers", lambda _: [row])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Made-up runs of every file; not to be changed."""
    return study_2023_runs.make_all(tmp_path_factory.mktemp("made") / "runs")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The runs of a small study and of a sweep of it, and their files; not to be changed."""
    folder = tmp_path_factory.mktemp("small")
    for name, values in (("a", STUDY), ("b", SWEEP)):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(values))
    write.run([folder / "a.yaml", folder / "b.yaml"], folder / "runs", lambda *_: None)
    return folder / "runs"


def archived(runs: Path, folder: Path, *, with_predictions: bool = True) -> Path:
    """Keep runs whose intervals are of an earlier method, and return the folder of the archives."""
    earlier = shutil.copytree(runs, folder / "earlier")
    for table in [*earlier.rglob("tables/scores.parquet"), *earlier.rglob("tables/differences.parquet")]:
        pl.read_parquet(table).with_columns(pl.col("low", "high") - 0.5).write_parquet(table)
    record = json.loads((earlier / "b" / "sweep.json").read_text())
    record["points"] = [row | {"low": -9.0, "difference_low": -9.0} for row in record["points"]]
    (earlier / "b" / "sweep.json").write_text(json.dumps(record))
    for figure in earlier.glob("b/figures/*.svg"):
        figure.write_text("<svg/>")
    for table in () if with_predictions else earlier.rglob("tables/predictions.parquet"):
        table.unlink()
    for name in "ab":
        kept.keep(earlier / name, runs.parent / f"{name}.yaml", folder / "archives")
    return folder / "archives"


def without_commits(page: str) -> str:
    return re.sub(r"`[0-9a-f]{7,12}`", "", page)


def test_scores_differences_and_figures_are_made_again_from_kept_predictions_without_a_fit(runs, tmp_path, monkeypatch):
    archives, paths = archived(runs, tmp_path), [runs.parent / "a.yaml", runs.parent / "b.yaml"]
    monkeypatch.setattr(fitting, "_fitted", None)  # a fit would raise
    write.restore(paths, tmp_path / "again", lambda *_: None, archives=archives)
    tables = sorted(path.relative_to(runs) for path in runs.rglob("tables/*.parquet") if path.stem in renewed.RENEWED)
    assert len(tables) == 5  # differences between contenders within the variant, and not within its change
    for table in tables:
        assert pl.read_parquet(tmp_path / "again" / table).equals(pl.read_parquet(runs / table)), table
    for name in ("sweep.json", "figures/differences-plain-text-svm.svg"):
        assert (tmp_path / "again" / "b" / name).read_text() == (runs / "b" / name).read_text()
    again = FolderResults(runs.parent, tmp_path / "again")
    assert not again.study("a").lacks_predictions
    assert not again.sweep("b").lacks_predictions
    assert again.sweep("b").change("plain", "other words") == FolderResults(runs.parent, runs).sweep("b").change(
        "plain", "other words"
    )


def test_a_run_without_kept_predictions_stays_as_it_is_and_is_marked(runs, tmp_path):
    archives, paths = archived(runs, tmp_path, with_predictions=False), [runs.parent / "a.yaml", runs.parent / "b.yaml"]
    write.restore(paths, tmp_path / "again", lambda *_: None, archives=archives)
    assert not any(renewed.renew(path, tmp_path / "again") for path in paths)
    again = FolderResults(runs.parent, tmp_path / "again")
    assert again.study("a").lacks_predictions
    assert again.sweep("b").lacks_predictions
    scores = [pl.read_parquet(folder / "a" / "tables" / "scores.parquet") for folder in (runs, tmp_path / "again")]
    assert scores[0]["value"].equals(scores[1]["value"])
    assert not scores[0]["low"].equals(scores[1]["low"])


def test_a_restored_run_is_not_run_again(runs, tmp_path, monkeypatch):
    archives, path = archived(runs, tmp_path), runs.parent / "a.yaml"
    write.restore([path], tmp_path / "again", lambda *_: None, archives=archives)
    monkeypatch.setattr(write, "open_study", None)  # a run would raise
    write.run([path], tmp_path / "again", lambda *_: None, are_kept=True)
    assert write.is_restored(path, tmp_path / "again")


@pytest.mark.usefixtures("quick")
def test_the_page_names_the_runs_whose_intervals_are_of_an_earlier_method(made, tmp_path):
    runs = shutil.copytree(made, tmp_path / "runs")
    page, readme = study_2023_runs.written(tmp_path / "one", runs)
    assert EARLIER not in page
    assert "earlier method" not in page + readme
    (runs / "study-2023-published" / "tables" / "predictions.parquet").unlink()
    next((runs / "study-2023-repaired").rglob("predictions.parquet")).unlink()
    page, readme = study_2023_runs.written(tmp_path / "two", runs)
    assert f"{EARLIER} 2 runs keep no predictions" in " ".join(page.split())
    assert "of [an earlier method](docs/study-2023.md#how-this-page-was-made)" in readme
    rows = re.findall(r"^\| `(\S+)\.yaml` .* \| (.*) \|$", page, re.MULTILINE)
    assert [name for name, intervals in rows if intervals == "earlier"] == ["published", "repaired"]
    assert dict(rows)["inquest"] == "ranges over runs"
    assert dict(rows)["labels"] == "present"


@pytest.mark.usefixtures("quick")
def test_a_page_from_kept_runs_is_the_page_from_the_runs(made, tmp_path):
    for path in write.files():
        for run in write.run_folders(path, made):
            kept.keep(run, path, tmp_path / "kept")
            restored = tmp_path / "runs" / run.name
            assert kept.restore(path, restored, tmp_path / "kept")
        assert write.is_restored(path, tmp_path / "runs")
    name = read_inquest(inquest.FILE).inquest
    shutil.copytree(made / name, tmp_path / "runs" / name)
    one, two = (study_2023_runs.written(tmp_path / name, runs)
                for name, runs in (("one", made), ("two", tmp_path / "runs")))  # fmt: skip
    assert tuple(map(without_commits, one)) == tuple(map(without_commits, two))


@pytest.mark.filterwarnings("ignore:None of the 2 pairs has an image")
def test_the_committed_page_and_table_are_what_the_kept_runs_give(tmp_path):
    runs = tmp_path / "runs"
    write.restore(write.files(), runs, lambda *_: None)
    inquest.restore(read_inquest(inquest.FILE), runs)
    if not all(write.is_restored(path, runs) for path in write.files()):
        pytest.skip("the archives are of another version or of other settings")
    page, readme = study_2023_runs.written(tmp_path, runs)
    assert NOT_RUN not in page.replace(f"“{NOT_RUN.strip('*')}” marks", "")
    assert without_commits((ROOT / "docs" / "study-2023.md").read_text(encoding="utf-8")) == without_commits(page)
    table = readme.partition(write.BEGIN)[2].partition(write.END)[0]
    assert table in (ROOT / "README.md").read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    return FolderResults(FOLDER, Path("runs")).at(path).name


@pytest.mark.parametrize("change", ["version", "settings", "run folder", "archive"])
def test_a_kept_run_of_another_version_or_of_other_settings_is_not_used(made, tmp_path, monkeypatch, change):
    path = shutil.copy(FOLDER / "published.yaml", tmp_path / "published.yaml")
    archive, run = kept.keep(made / name_of(path), path, tmp_path / "kept"), tmp_path / "study-2023-published"
    if change == "version":
        monkeypatch.setattr(kept, "__version__", "0.0.1")
    elif change == "settings":
        path.write_text(path.read_text(encoding="utf-8").replace("seeds: [1]", "seeds: [2]"), encoding="utf-8")
    elif change == "run folder":
        run.mkdir()
    else:
        archive.write_bytes(b"cut off")
    assert not kept.restore(path, run, tmp_path / "kept")
    assert not kept.is_restored(path, run)


def test_kept_runs_have_no_text_and_no_photo(made, tmp_path):
    archive = kept.keep(made / "study-2023-published", FOLDER / "published.yaml", tmp_path)
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
        tables = {name: pl.read_parquet(io.BytesIO(opened.read(name))) for name in names if name.endswith(".parquet")}
    assert tables["tables/pairs.parquet"].columns == ["id", "label", "fold"]
    assert not any("text" in table.columns or "image" in table.columns for table in tables.values())
    assert not any("examples" in name or name.startswith("fits") for name in names)
    with zipfile.ZipFile(kept.keep(made / "openmoji", write.DEMO, tmp_path)) as opened:
        assert "figures/examples.svg" in opened.namelist()


def test_the_inquest_is_read_from_kept_trainings_of_the_same_settings_only(tmp_path):
    config = read_inquest(inquest.FILE)
    assert not inquest.restore(config.shortened(), tmp_path / "runs")
    assert inquest.restore(config, tmp_path / "runs")
    found = json.loads((tmp_path / "runs" / config.inquest / inquest.RESULTS).read_text())
    assert found["n_finished"] == found["n_trainings"] == len(list(inquest.KEPT.glob("*-*.json")))
    assert not inquest.restore(config, tmp_path / "runs")
