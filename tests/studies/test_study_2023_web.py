"""The chain of the 2023 study runs in one command, and text n, image n and their files belong together."""

import csv
import doctest
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

import web
from counterpoint.errors import SourceError
from counterpoint.formats.png import gray_png
from counterpoint.on_progress import ignore_progress
from counterpoint.rules import preset
from hosted import chain, loopback, stand_ins

FOLDER = Path(__file__).parents[2] / "studies" / "study-2023"

TONES = {"person": (0, 50), "animal": (200,)}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """The quick chain, with the answers of its host by URL."""
    runs, answers = tmp_path_factory.mktemp("runs"), {}
    with pytest.MonkeyPatch.context() as patch:
        bodies_of = web.bodies
        patch.setattr(web, "bodies", lambda *given: answers.setdefault("all", bodies_of(*given)))
        study = web.run(runs, ignore_progress, is_quick=True)
    return web.folder_of(runs, is_quick=True), study, answers["all"]


@pytest.mark.slow
def test_the_list_has_the_columns_of_laion_and_only_urls_of_this_machine(quick):
    rows = pl.read_parquet(quick[0] / "list.parquet")
    assert rows.columns == ["SAMPLE_ID", "URL", "TEXT", "HEIGHT", "WIDTH", "LICENSE", "NSFW", "similarity"]
    assert rows["URL"].str.contains(r"^http://127\.0\.0\.1:\d+/\d+\.jpg$").all()
    assert web.settings(quick[0])["guard"] == {"allow_address": ["127.0.0.1/32"]}


@pytest.mark.slow
def test_each_selected_text_is_described_in_its_order_and_its_image_is_there_or_in_the_missing_list(quick):
    folder, _, _ = quick
    slots = pl.read_parquet(folder / "acquired" / "shards" / "*.parquet").sort("slot")
    missing = {(row["class"], int(row["number"])): row["status"] for row in rows_of(folder / "files" / "missing.csv")}
    for number, name, label in (("1", "pos", "person"), ("0", "neg", "animal")):
        wanted = slots.filter(label=label)
        described = [row["desc"] for row in rows_of(folder / "files" / f"{name}Data.csv")]
        assert described == wanted["text"].to_list()
        for n, status in enumerate(wanted["status"]):
            image = folder / "files" / "images" / name / f"{number}_{n}.jpg"
            assert (image.is_file(), missing.get((number, n), "ok")) == (status == "ok", status)


@pytest.mark.slow
def test_each_image_is_the_one_that_the_host_has_for_its_text(quick):
    folder, _, answers = quick
    slots = pl.read_parquet(folder / "acquired" / "shards" / "*.parquet").sort("slot")
    assert len(answers) == slots.height
    for answer, status, image in zip(answers, slots["status"], slots["image"], strict=True):
        assert (answer is None) == (status == "http_404")
        assert image == (answer if status == "ok" else None)
    faults = Counter(slots["status"])
    assert faults["http_404"] == round(stand_ins.MISSING_SHARE * slots.height) > 0
    assert (faults["too_small"], faults["truncated_image"]) == (stand_ins.N_SMALL, stand_ins.N_BROKEN)


@pytest.mark.slow
def test_the_four_published_models_are_scored_on_the_pairs_that_are_not_ambiguous(quick):
    folder, study, _ = quick
    assert {name for name in study.scores()["contender"] if name.startswith("paper-")} == {
        "paper-text-svm", "paper-text-lstm", "paper-image-cnn", "paper-lstm-cnn",
    }  # fmt: skip
    dropped = Counter(study.dropped()["reason"])
    slots = pl.read_parquet(folder / "acquired" / "shards" / "*.parquet")
    both = slots.filter(pl.col("text").str.contains("A man, a cat and a dog", literal=True), status="ok")
    assert dropped["no_label_rule"] == both.height > 0
    assert set(study.pairs()["label"]) == {"person", "animal"}


@pytest.mark.slow
def test_the_record_of_the_chain_adds_up(quick):
    folder, study, _ = quick
    record = chain.Chain.read(folder)
    n_texts = len(stand_ins.made_up_texts()["made up"])
    assert record.n_read == n_texts == sum(record.removed.values()) + record.n_selected
    assert sum(record.statuses.values()) == record.n_selected == study.pairs().height + study.dropped().height
    assert record.selected_texts == {"made up": record.n_selected}
    files = record.files
    n_images = files["images/pos"] + files["images/neg"]
    assert n_images == files["pixels.csv"] == files["pairs.csv"] == record.statuses["ok"]
    assert files["posData.csv"] + files["negData.csv"] - files["missing.csv"] == files["pairs.csv"]


@pytest.mark.slow
def test_run_again_the_chain_asks_no_host_and_changes_nothing(quick, monkeypatch):
    folder, study, _ = quick
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    monkeypatch.setattr(web, "serving", lambda *_: pytest.fail("a host was started"))
    again = web.run(folder.parent, ignore_progress, is_quick=True)
    assert again.scores().equals(study.scores())
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


@pytest.mark.slow
@pytest.mark.parametrize("step", ["fill", "counts_of_files"])
def test_a_chain_that_was_stopped_goes_on_with_the_same_list_and_the_images_that_it_has(step, tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(web, step, stop)
        with pytest.raises(KeyboardInterrupt):
            web.make_chain(tmp_path, ignore_progress, is_quick=True)
    assert not chain.Chain.read(tmp_path).is_run
    kept = [tmp_path / "list.parquet", *(tmp_path / "acquired" / "shards").glob("*"), *tmp_path.glob("files/*.csv")]
    before = {path: path.stat().st_mtime_ns for path in kept}
    web.make_chain(tmp_path, ignore_progress, is_quick=True)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert chain.Chain.read(tmp_path).statuses["ok"] > 0


def test_without_the_texts_the_study_is_left_out_with_the_reason(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(stand_ins, "TEXTS", {"alt-texts": tmp_path / "gone.parquet"})
    assert web.run(tmp_path / "runs", ignore_progress) is None
    assert "left out: there is no" in capsys.readouterr().out
    assert not (tmp_path / "runs").exists()


def test_a_port_that_is_in_use_is_one_line():
    in_use = pytest.raises(SourceError, match="which the list names, is in use")
    with loopback.serving() as host, in_use, loopback.serving(host.server_port):
        pass


def test_a_row_without_a_fault_has_a_picture_of_its_class_and_a_class_with_few_uses_them_again():
    found = {label: [gray_png(bytes([tone]) * 4096) for tone in tones] for label, tones in TONES.items()}
    labels = ["person", "animal", "person"] * 40
    answers = stand_ins.bodies(labels, found)
    whole = [(label, body) for label, body in zip(labels, answers, strict=True) if body in found[label]]
    assert len(whole) == len(labels) - len(list(stand_ins._faults(len(labels))))
    assert {body for _, body in whole} == {body for each in found.values() for body in each}


def test_selected_rows_are_counted_for_the_collection_that_they_are_from(tmp_path):
    (tmp_path / "acquired" / "plan").mkdir(parents=True)
    pl.DataFrame({"id": ["0", "2", "4"]}).write_parquet(tmp_path / "acquired" / "plan" / "00000.parquet")
    texts = {"one": ["a", "b"], "two": ["c", "d", "e"], "three": ["f"]}
    assert web.counts_by_collection(tmp_path, texts) == {"one": 1, "two": 2, "three": 0}


@pytest.mark.skipif(bool(stand_ins.missing_texts()), reason="the texts of the web are not on this machine")
def test_the_rule_finds_both_classes_in_real_texts_and_misses_words_without_spaces_around():
    texts = pl.DataFrame({"TEXT": [text for each in stand_ins.web_texts().values() for text in each]})
    counts = web.counts_by_words(texts)
    assert set(counts["by_rule"]) == {"person", "animal"}
    assert all(counts["by_word"][label] > n for label, n in counts["by_rule"].items())


def test_the_label_of_the_study_is_the_rule_of_the_list_without_ambiguous_rows():
    texts = [
        "the man in red",
        "a dog on grass",
        "the man with his dog here",
        "see a dog and people there",
        "a boy and a kitten",
    ]
    frame = pl.DataFrame({"text": texts})
    rules = web.read_study(web.FILE).label.rules()
    labels = frame.select(by_list=preset("study-2023").label(pl.col("text")), by_study=rules.label(pl.col("text")))
    assert labels["by_list"].to_list() == ["person", "animal", "person", "animal", "person"]
    assert labels["by_study"].to_list() == ["person", "animal", "none", "none", "none"]


@pytest.mark.parametrize("module", [loopback, stand_ins, web, chain])
def test_the_examples_of_the_programs_are_true(module):
    assert doctest.testmod(module).failed == 0
