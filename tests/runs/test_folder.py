"""The owner of a run folder, the changes that make its stages again, and the outcome of damages."""

import os
import shutil

import polars as pl
import pytest
import yaml
from PIL import Image

import counterpoint as cp
from counterpoint.artifacts import read_sealed, write_sealed
from counterpoint.config import StudyConfig
from counterpoint.errors import CounterpointError, RunFolderError
from counterpoint.runs.evaluations import Evaluations
from counterpoint.runs.folder import RunFolder
from counterpoint.saved.predict_pair import predict_pair
from counterpoint.study import STAGES

pytestmark = pytest.mark.slow

N = 24
STUDY = {"study": "birds", "source": {"kind": "table", "path": "birds.csv"},
         "contenders": ["majority", "keyword-rule"], "fit": {"engine": "inline"}}  # fmt: skip


def numbers(*values):
    return lambda: {"numbers": pl.DataFrame({"n": values})}


@pytest.fixture
def shop(tmp_path):
    """A folder with pictures, a table of them, and a study file."""
    folder = tmp_path / "shop[1]"
    folder.mkdir()
    rows = ["id,image,text,label"]
    for n in range(N):
        draw(folder / f"{n}.png", n)
        rows.append(f"{n},{n}.png,{'a red one' if n % 2 else 'a blue two'} {n},{'yes' if n % 2 else 'no'}")
    (folder / "birds.csv").write_text("\n".join(rows) + "\n")
    write(folder)
    return folder


def draw(path, n):
    Image.new("RGB", (16, 16), (n, 255 - n, n * 7 % 255)).save(path)


def write(folder, name="study.yaml", **changes):
    (folder / name).write_text(yaml.safe_dump(STUDY | changes))
    return folder / name


def opened(folder, name="study.yaml", runs="runs*"):
    return cp.open_study(folder / name, runs=folder / runs)


def made(study, monkeypatch):
    """Return the stages that are made, not read, until the fits are there, in their order."""
    found = []
    keep_or_make = RunFolder.keep_or_make

    def noted(self, stage, key, make, **options):
        return keep_or_make(self, stage, key, lambda: found.append(stage) or make(), **options)

    monkeypatch.setattr(RunFolder, "keep_or_make", noted)
    study.predictions()
    monkeypatch.undo()
    return [stage for stage in STAGES if stage in found]


def test_a_study_that_fails_before_anything_is_made_leaves_no_folder(shop):
    write(shop, source={"kind": "table", "path": "birds.csv", "label": "lable"})
    with pytest.raises(CounterpointError):
        opened(shop).pairs()
    assert not (shop / "runs*" / "birds").exists()
    write(shop)
    assert len(opened(shop).pairs()) == N


def test_a_study_file_may_change_its_source(shop, monkeypatch):
    opened(shop).predictions()
    shutil.copytree(shop, shop / "moved")
    write(shop, source={"kind": "table", "path": "moved/birds.csv"})
    assert made(opened(shop), monkeypatch) == ["source", "records", "grouped", "pairs", "fits"]
    write(shop, source={"kind": "folder", "path": ".", "layout": "imagefolder"})
    with pytest.raises(CounterpointError, match="metadata"):
        opened(shop).pairs()


def test_another_study_file_may_have_the_same_source(shop, monkeypatch):
    opened(shop).predictions()
    write(shop, "again.yaml")
    assert made(opened(shop, "again.yaml"), monkeypatch) == []


def test_another_study_of_another_source_is_refused_with_ways_out(shop):
    opened(shop).pairs()
    write(shop, "other.yaml", source={"kind": "emoji"})
    with pytest.raises(RunFolderError) as error:
        opened(shop, "other.yaml").pairs()
    message = str(error.value)
    for words in ("study.yaml", "of another source (table)", "another name", "--runs DIR", "or delete"):
        assert words in message
    assert "\n" not in message


def test_new_rows_make_again_what_depends_on_them(shop, monkeypatch):
    opened(shop).predictions()
    with (shop / "birds.csv").open("a") as file:
        file.write("new,0.png,a red one more,yes\n")
    study = opened(shop)
    assert made(study, monkeypatch) == ["source", "records", "grouped", "pairs", "fits"]
    assert len(study.pairs()) == N + 1


def test_another_rule_of_cleaning_does_not_read_the_source_again(shop, monkeypatch):
    opened(shop).predictions()
    write(shop, clean={"min_words": 2})
    assert made(opened(shop), monkeypatch) == ["records", "grouped", "pairs", "fits"]


@pytest.mark.parametrize(("images", "is_kept_time", "is_noticed"), [
    ("stat", False, True), ("stat", True, False), ("hash", True, True), ("ignore", False, False),
])  # fmt: skip
def test_a_replaced_image_is_noticed(shop, monkeypatch, images, is_kept_time, is_noticed):
    write(shop, images=images)
    path = shop / "3.png"
    before = opened(shop).predictions() is not None and path.stat()
    data = bytearray(path.read_bytes())
    data[-20] ^= 1  # of the same size
    path.write_bytes(data)
    if is_kept_time:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    expected = ["records", "grouped", "pairs", "fits"] if is_noticed else []
    assert made(opened(shop), monkeypatch) == expected


def test_images_that_are_not_compared_are_a_finding(shop):
    write(shop, images="ignore")
    assert any("images is set to ignore" in row for row in opened(shop).made("pairs")["pairs_findings"]["explanation"])


def test_an_image_that_comes_back_is_seen(shop):
    (shop / "3.png").rename(shop / "gone")
    assert opened(shop).records()["image_status"].to_list().count("missing") == 1
    (shop / "gone").rename(shop / "3.png")
    assert opened(shop).records()["image_status"].to_list().count("missing") == 0


def test_studies_with_names_of_patterns_read_their_own_rows(shop):
    assert len(opened(shop).pairs()) == N
    for name in ("runs1", "runs*", "runs[1]", "a=1"):
        study = opened(shop, runs=name)
        study.pairs()
        assert len(opened(shop, runs=name).pairs()) == N


def test_a_run_folder_that_is_moved_finds_the_images_that_it_made(tmp_path):
    config = StudyConfig.read(STUDY | {"source": {"kind": "generated", "n": 60, "side_px": 16, "seed": 3}})
    cp.Study(config, runs=tmp_path / "a").pairs()
    (tmp_path / "a").rename(tmp_path / "b")
    records = cp.Study(config, runs=tmp_path / "b").records()
    assert records["image_status"].to_list() == ["ok"] * len(records)
    assert records["image"].str.starts_with(str(tmp_path / "b")).all()


@pytest.mark.parametrize("harm", ["flipped", "gone", "another's"])
def test_a_stage_is_read_only_when_each_byte_is_its_own(tmp_path, harm):
    run = RunFolder(tmp_path / "a", study="a", source={})
    run.keep_or_make("stage", "k", numbers(1, 2))
    run.keep_or_make("other", "k", lambda: {"others": pl.DataFrame({"n": [3, 4]})})
    path = run.path("numbers")
    data = bytearray(path.read_bytes())
    data[8] ^= 1
    path.unlink()
    if harm != "gone":
        path.write_bytes(data if harm == "flipped" else run.path("others").read_bytes())
    assert run.kept("stage", "k") is None
    assert run.kept("other", "k") is not None
    assert run.keep_or_make("stage", "k", numbers(1, 2))["numbers"]["n"].to_list() == [1, 2]


def test_a_damaged_claim_is_written_again_where_stages_are(tmp_path):
    run = RunFolder(tmp_path / "a", study="a", source={"kind": "emoji"})
    run.keep_or_make("stage", "k", numbers(1))
    (run.root / "run.json").write_text("{")
    again = RunFolder(tmp_path / "a", study="a", source={"kind": "emoji"})
    again.keep_or_make("stage", "new", numbers(2))
    assert read_sealed(run.root / "run.json")["study"] == "a"


@pytest.mark.parametrize("name", ["done.json", "model.json", "predictions.parquet"])
def test_a_run_makes_a_damaged_fit_again_although_the_page_is_there(shop, name):
    study = opened(shop)
    study.report()
    [fit] = (study.root / "fits").glob("keyword-rule*")
    chances = predict_pair(study.root, "keyword-rule", text="a red one")
    (fit / name).write_bytes(b"")
    with pytest.raises(RunFolderError, match="counterpoint run makes it again"):
        predict_pair(study.root, "keyword-rule", text="a red one")
    opened(shop).report()
    assert predict_pair(study.root, "keyword-rule", text="a red one") == chances


def test_what_stands_in_the_way_is_named(tmp_path):
    run = RunFolder(tmp_path / "a", study="a", source={})
    run.keep_or_make("stage", "k", numbers(1))
    run.path("numbers").unlink()
    run.path("numbers").mkdir()
    with pytest.raises(RunFolderError, match=r"numbers\.parquet: it is a folder\. .*move the folder away"):
        run.keep_or_make("stage", "k", numbers(1))
    shutil.rmtree(run.root / "tables")
    (run.root / "tables").touch()
    with pytest.raises(RunFolderError, match=r"tables"):
        run.keep_or_make("stage", "k", numbers(1))


@pytest.mark.parametrize("found", [[1], [{}], [{"time": "now"}]])
def test_a_record_of_test_evaluations_of_another_form_is_lost(tmp_path, found):
    path = tmp_path / "test_evaluations.json"
    write_sealed(path, {"evaluations": found})
    assert len(Evaluations(path).lost()) == 1


def test_a_record_of_test_evaluations_that_is_lost_stays_lost(tmp_path):
    path = tmp_path / "test_evaluations.json"
    assert Evaluations(path).read() == []
    Evaluations(path, is_expected=True).note("b", ["majority"])
    assert [each["config_hash"] for each in Evaluations(path).read()] == [None, "b"]
    assert len(Evaluations(path).lost()) == 1
    write_sealed(path, {"evaluations": []})
    assert Evaluations(path, is_expected=True).read() == []
