"""The page of the 2023 study says what its runs found, no more, and shows no photo that may not be shown."""

import dataclasses
import doctest
import json
import re
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from PIL import Image

import inquest
import study_2023_runs
import write
from candidates import config as candidates_config
from candidates import fits
from candidates.config import Candidate
from counterpoint.config import StudyConfig
from counterpoint.contenders import make
from counterpoint.contenders.published.keras_tokens import KerasTokenizer
from counterpoint.contenders.published.lstm_cnn import PaperLSTMCNN
from counterpoint.contenders.published.reading import TextReading
from counterpoint.contenders.published.text_lstm import PaperTextLSTM
from page import figures, inquest_results, layers, results, their_figures, values
from page.their_figures import read_their_figures
from page.values import NOT_RUN
from study_2023_runs import written

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "studies" / "study-2023"
PAPER = ROOT.parent / "shared" / "PAPER.md"
"""Facts of the paper, which are not part of the project."""

pytestmark = pytest.mark.slow

REPORTED = {"99.8", "99.9", ".99987", ".99797", ".9", ".3", "0.5", "4.0"}
"""Decimals that stand in the template: what the study reported or set, a repair by its name, guessing, a licence."""


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Fitting sixteen million weights is not what these tests are about."""
    row = {"kind": "Conv2d", "takes": "1", "gives": "2", "size": None, "parameters": 3}
    monkeypatch.setitem(write.GLOBALS, "layers", lambda _: [row])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Made-up runs of every file; not to be changed."""
    folder = tmp_path_factory.mktemp("made")
    return study_2023_runs.make_all(folder / "runs", gain=0.123, score=0.777)


def runs_of(folder: Path, **made: float) -> Path:
    """Return made-up runs of every file."""
    for path in write.files():
        study_2023_runs.make(path, folder / "runs", **made)
    return folder / "runs"


def predictions(root: Path, right: dict[str, int], n_rows: int) -> None:
    """Write predictions of contenders that are right on the first so many of *n_rows* rows."""
    truth = (["person", "animal"] * n_rows)[:n_rows]
    rows = [
        {"id": str(place), "contender": contender, "seed": 0, "fold": "0", "part": "test", "group": str(place),
         "label": label, "p_animal": float((label == "animal") == (place < n_right)),
         "p_person": float((label == "person") == (place < n_right))}
        for contender, n_right in right.items() for place, label in enumerate(truth)
    ]  # fmt: skip
    (root / "tables").mkdir(parents=True, exist_ok=True)
    pl.DataFrame(rows).write_parquet(root / "tables" / "predictions.parquet")


def test_the_page_is_written_from_what_the_runs_found(made, tmp_path):
    page, readme = written(tmp_path, made)
    assert NOT_RUN not in page + readme
    assert "0.777 (0.767–0.787)" in page
    assert "+0.123 (+0.113 to +0.133)" in page
    assert "{{" not in page


def test_every_figure_on_the_page_is_there_as_svg_and_png_and_no_other(made, tmp_path):
    (tmp_path / "docs" / "images" / "study-2023").mkdir(parents=True)
    (tmp_path / "docs" / "images" / "study-2023" / "earlier.svg").touch()
    page, _ = written(tmp_path, made)
    shown = {Path(path).stem for path in re.findall(r"\]\(images/study-2023/(.+?)\.svg\)", page)}
    there = [path.name for path in (tmp_path / "docs" / "images" / "study-2023").iterdir()]
    assert sorted(there) == sorted(f"{stem}{ending}" for stem in shown for ending in (".svg", ".png"))
    assert len(shown) > 10


def test_a_study_that_has_not_been_run_is_marked(tmp_path):
    page, readme = written(tmp_path, tmp_path / "runs")
    assert page.count(NOT_RUN) > 50
    assert readme.count(NOT_RUN) > 10
    assert re.findall(r"\d\.\d{3} \(", page) == []
    assert "![" not in page


def test_only_what_is_between_its_marks_is_changed_in_the_readme(made, tmp_path):
    _, readme = written(tmp_path, made)
    assert readme.startswith(f"before\n{write.BEGIN}\n")
    assert readme.endswith(f"|\n{write.END}\nafter\n")
    assert "\nold\n" not in readme


@pytest.mark.parametrize(
    ("gain", "phrase", "absent"),
    [
        (0.1, "reading both is better than reading the text", "is worse than reading the text"),
        (-0.1, "reading both is worse than reading the text", "is better than reading the text"),
        (0.0, "no gain over the text from reading both is detected", "than reading the text:"),
    ],
)
def test_a_conclusion_turns_with_the_sign_of_its_interval(tmp_path, gain, phrase, absent):
    page, _ = written(tmp_path, runs_of(tmp_path, gain=gain))
    text = " ".join(page.split())
    assert phrase in text
    assert absent not in text
    assert ("No single repair gives a detectable gain" in text) == (gain <= 0)


@pytest.mark.parametrize(
    ("score", "phrase"), [(0.5, "does not differ from guessing"), (0.9, "is better than guessing")]
)
def test_a_score_is_called_better_than_guessing_only_when_its_interval_is(tmp_path, score, phrase):
    page, _ = written(tmp_path, runs_of(tmp_path, score=score))
    assert f"In the first reading it {phrase}." in page


def inquest_config(epochs: int = 4, **candidates) -> candidates_config.InquestConfig:
    return candidates_config.InquestConfig.read({
        "inquest": "made", "epochs": epochs, "seeds": [0], "draws": 2,
        "rule": {"near": 0.03, "epochs_near": 3, "learned": 0.99, "learned_from": 2, "loss_above": 2.5},
        "data": {"flickr8k": {"study": "a.yaml", "contender": "paper-text-lstm"}},
        "candidates": {"right": {}, **candidates},
        "quick": {"epochs": 1, "seeds": [0], "draws": 1, "limit": 60},
    })  # fmt: skip


def made_inquest(folder: Path, config, runs: dict[str, list[tuple[float, float]]]) -> inquest_results.InquestResults:
    """Return results in which each run of a candidate has one accuracy and one loss in every epoch."""
    rows = [
        {"data": "flickr8k", "seed": 0, "candidate": title, "draw": draw, "chance": 0.5, "n": 100,
         "accuracy": [accuracy] * config.epochs, "loss": [loss] * config.epochs,
         "train_accuracy": [0.9] + [1.0] * (config.epochs - 1), "train_loss": [0.1] * config.epochs}
        for title, of in runs.items() for draw, (accuracy, loss) in enumerate(of)
    ]  # fmt: skip
    (folder / "made").mkdir(exist_ok=True)
    made = {"n_trainings": 1, "n_finished": 1, "took_s": 1.0, "data": {}, "runs": rows}
    (folder / "made" / "inquest.json").write_text(json.dumps(made))
    return inquest_results.InquestResults(config, folder, read_their_figures())


def test_the_candidate_with_their_curves_is_the_closest_and_only_far_ones_are_separate(tmp_path):
    config = inquest_config(permuted={}, other={}, swapped={})
    runs = {
        "right": [(0.99, 0.03), (0.98, 0.04)], "permuted": [(0.50, 4.5), (0.54, 4.1)],
        "other": [(0.51, 4.4), (0.54, 4.0)], "swapped": [(0.01, 6.0), (0.02, 6.0)],
    }  # fmt: skip
    found = made_inquest(tmp_path, config, runs)
    assert [one.title for one in found.ranked("flickr8k")] == ["permuted", "other", "swapped", "right"]
    assert [one.title for one in found.makers("flickr8k")] == ["permuted", "other"]
    assert [one.title for one in found.separated("flickr8k")] == ["swapped", "right"]
    assert found.phrase("flickr8k", "other") == "cannot be separated"
    assert (found.right("flickr8k").low, found.right("flickr8k").high) == (0.98, 0.99)
    assert found.candidate("flickr8k", "right").n_near == 0


def test_a_candidate_without_one_of_their_signs_makes_no_curves(tmp_path):
    config = inquest_config(low={}, far={})
    found = made_inquest(tmp_path, config, {"low": [(0.5, 2.4)], "far": [(0.56, 4.5)], "right": [(0.5, 4.5)]})
    signs = {one.title: (one.n_near, one.has_high_loss, one.has_signs) for one in found.ranked("flickr8k")}
    assert signs == {"right": (4, True, True), "low": (4, False, False), "far": (0, True, False)}


def test_a_distance_is_the_mean_of_three_differences_in_units_of_reading_error_and_usual_spread(tmp_path):
    config = inquest_config(epochs=15)
    found = made_inquest(tmp_path, config, {"right": [(0.6, 4.0), (0.4, 4.0)]})
    theirs = read_their_figures()
    their = {
        name: np.array(theirs.curve(name)) for name in ("train_accuracy", "validation_accuracy", "validation_loss")
    }
    train = np.abs(np.array([0.9] + [1.0] * 14) - their["train_accuracy"]).mean() / 0.003
    accuracy = np.abs(0.6 - their["validation_accuracy"]).mean() / (0.003 + 0.1)
    loss = np.abs(np.log(4 / their["validation_loss"])).mean() / (0.03 / their["validation_loss"]).mean()
    [one] = found.ranked("flickr8k")
    assert one.distances[0] == pytest.approx((train + accuracy + loss) / 3)


def test_the_page_concludes_from_the_inquest_what_it_found(made, tmp_path):
    page = " ".join(written(tmp_path, made)[0].split())
    assert (
        "these candidates make both of their curves and cannot be separated: “labels permuted” and “texts permuted”"
        in page
    )
    assert "A tokenizer fitted again can be separated from the closest candidate on Flickr8k, and cannot" in page
    assert "“labels permuted” and “texts permuted” make both curves" in page
    assert "training here is slower" not in page


def test_the_page_says_so_where_a_fault_makes_the_validation_curves_but_training_is_slower(made, tmp_path):
    runs = tmp_path / "runs"
    shutil.copytree(made, runs)
    path = runs / candidates_config.read_inquest(inquest.FILE).inquest / "inquest.json"
    found = json.loads(path.read_text())
    for row in found["runs"]:
        row["train_accuracy"][2] = 0.985
    path.write_text(json.dumps(found))
    page = " ".join(written(tmp_path, runs)[0].split())
    assert "make both of their validation curves and cannot be separated: “labels permuted” and “texts" in page
    assert "its mean accuracy is 0.9850 in epoch 3, where the rule asks for 0.99, and at least 1.0000 from" in page
    assert "“labels permuted” and “texts permuted” make both validation curves." in page


def test_every_validation_fault_is_scored_as_if_it_were_planted_in_the_study(tmp_path):
    config = inquest_config(epochs=2, again={"texts": {"tokenizer": "again"}}, swapped={"faults": [FAULT]})
    pairs = text_pairs()
    [training] = inquest.plan(config, {"flickr8k": (pairs, tmp_path)})
    training = dataclasses.replace(training, settings={**training.settings, "hidden": 8, "length": 6, "batch": 8})
    rows = {(row["candidate"], row["draw"]): row for row in fits.curves(training)}
    model = PaperTextLSTM(**training.settings)
    train, validation = pairs.filter(fold="train"), pairs.filter(fold="validation")
    model.fit(train, train["label"], validation=(validation, validation["label"]))
    drawn = fits.drawn_rows(pairs, config.candidates["right"], 1)
    texts = pairs[drawn["text"].to_list()]
    right = (model.predict(texts) == drawn["label"].to_numpy()).mean()
    assert rows["right", 1]["accuracy"][-1] == pytest.approx(right, abs=1e-4)
    assert rows["swapped", 1]["accuracy"][-1] == pytest.approx(1 - right, abs=1e-4)
    again = dataclasses.replace(TextReading.of(model), fitted_on="again")
    model.tokenizer_ = KerasTokenizer.of(texts["text"])
    assert (
        fits.tokens(model, texts["text"], config.candidates["again"].texts).tolist()
        == again.tokens(model.tokenizer_, texts).tolist()
    )
    assert rows["right", 1]["train_accuracy"] == [
        pytest.approx(epoch["train_score"], abs=0.02) for epoch in model.history_
    ]


FAULT = {"kind": "swap_labels", "part": "validation"}


def text_pairs() -> pl.DataFrame:
    n = 60
    texts = [f"{'a man' if row % 2 else 'the dog'} number {row}" for row in range(n)]
    folds = ["train"] * 36 + ["validation"] * 12 + ["test"] * 12
    labels = ["person" if row % 2 else "animal" for row in range(n)]
    return pl.DataFrame({"id": texts, "text": texts, "image": [None] * n, "label": labels, "fold": folds},
                        schema_overrides={"image": pl.String})  # fmt: skip


def test_a_draw_takes_rows_that_are_not_trained_on_and_is_even_where_it_is_wanted():
    pairs = text_pairs()
    drawn = [fits.drawn_rows(pairs, Candidate(), draw) for draw in (0, 1)]
    assert all(len(rows) == 12 and rows["text"].min() >= 36 for rows in drawn)
    assert drawn[0]["text"].to_list() != drawn[1]["text"].to_list()
    even = fits.drawn_rows(pairs, Candidate(is_even=True), 0)
    assert even["label"].value_counts()["count"].to_list() == [6, 6]
    lost = fits.drawn_rows(pairs, Candidate(faults=[{"kind": "resplit", "part": "validation"}]), 0)
    assert (lost["text"] != lost["image"]).any()
    assert lost["text"].min() < 36


def test_a_network_of_both_adds_the_terms_of_text_and_image(tmp_path):
    for gray in range(3):
        Image.new("L", (16, 16), 90 * gray).save(tmp_path / f"{gray}.png")
    pairs = text_pairs().with_columns(image=pl.Series([str(tmp_path / f"{row % 3}.png") for row in range(60)]))
    settings = {"hidden": 8, "length": 6, "side_px": 16, "batch": 8, "epochs": 1, "seed": 0}
    candidates = {"right": Candidate(), "raw": Candidate(divide_by=1)}
    training = fits.Training("a", "d", "paper-lstm-cnn", settings, pairs, candidates, 1)
    rows = {row["candidate"]: row for row in fits.curves(training)}
    train, validation = pairs.filter(fold="train"), pairs.filter(fold="validation")
    model = PaperLSTMCNN(**settings).fit(train, train["label"], validation=(validation, validation["label"]))
    drawn = fits.drawn_rows(pairs, Candidate(), 0)
    proba = model.predict_proba(pairs[drawn["text"].to_list()])
    codes = np.searchsorted(model.classes_, drawn["label"].to_numpy())
    assert rows["right"]["loss"][-1] == pytest.approx(-np.log(proba[np.arange(12), codes]).mean(), abs=1e-4)
    model.network_.image.divide_by = 1
    proba = model.predict_proba(pairs[drawn["text"].to_list()])
    assert rows["raw"]["loss"][-1] == pytest.approx(-np.log(proba[np.arange(12), codes]).mean(), abs=1e-4)


def test_an_inquest_goes_on_where_it_was_stopped(tmp_path):
    study = {"study": "a", "source": {"kind": "generated", "n": 120}, "contenders": ["majority"]}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(study))
    config = inquest_config(epochs=1, behind={"train": {"padding": "post"}})
    one = config.data["flickr8k"].model_copy(
        update={"study": tmp_path / "a.yaml", "settings": {"hidden": 4, "length": 4}}
    )
    config = config.model_copy(update={"data": {"flickr8k": one}})
    steps: list[tuple[float, float]] = []
    for _ in range(2):
        inquest.run(config, tmp_path, lambda _, *done: steps.append(done), kept=tmp_path / "kept", workers=1)
    assert steps == [(0, 2), (1, 2), (2, 2), (2, 2)]
    found = json.loads((tmp_path / "made" / "inquest.json").read_text())
    assert (found["n_finished"], {run["candidate"] for run in found["runs"]}) == (2, {"right", "behind"})
    changed = config.model_copy(update={"draws": 1})
    folder, trainings = tmp_path / "kept", inquest.plan(changed, {"flickr8k": (text_pairs(), tmp_path)})
    assert [inquest.made(folder, training) for training in trainings] == [None, None]


def test_the_files_of_the_inquest_name_data_and_settings_that_exist(tmp_path):
    config = candidates_config.read_inquest(FOLDER / "inquest.yaml")
    assert len(config.seeds) >= 3
    assert config.draws >= 5
    for data, one in config.data.items():
        for title, candidate in config.candidates_on(data).items():
            assert make(one.contender, **one.settings, **candidate.train), title
    short = config.shortened()
    assert (short.inquest, short.draws) == ("study-2023-inquest-quick", 2)
    with pytest.raises(write.CounterpointError, match="is tried on 'web'"):
        inquest_config(a={"data": ["web"]})


def test_their_figures_are_those_of_the_paper_in_every_epoch():
    theirs = read_their_figures()
    names = ("train_accuracy", "train_loss", "validation_accuracy", "validation_loss")
    assert {len(theirs.curve(name)) for name in names} == {15}
    assert sum(theirs.counts.values()) == 12_314
    if PAPER.is_file():
        rows = re.findall(
            r"^\| (training|validation) (accuracy|loss).*?\| (.*) \|$", PAPER.read_text(encoding="utf-8"), re.MULTILINE
        )
        read = {
            f"{part.replace('training', 'train')}_{name}": [float(cell) for cell in cells.split(" | ")]
            for part, name, cells in rows
        }
        assert read == {name: theirs.curve(name) for name in names}


def their_sentences() -> list[str]:
    """Return the sentences of the template about them: those of a bullet that begins with They, and any other They."""
    prose = re.sub(
        r"\{[{%#].*?[}%#]\}", "", (FOLDER / "page" / "study-2023.md.j2").read_text(encoding="utf-8"), flags=re.DOTALL
    )
    blocks = [" ".join(block.split()) for block in re.split(r"\n\s*\n|\n(?=- )|^\|.*$", prose, flags=re.MULTILINE)]
    found = []
    for block in blocks:
        whole = block.removeprefix("- ").startswith("**They**")
        sentences = re.split(r"(?<=[.!?]) +(?=[A-Z*“])", block.removeprefix("- "))
        found += [sentence.replace("**", "") for sentence in sentences if whole or re.match(r"\W*They\b", sentence)]
    return found


def test_every_sentence_about_them_has_its_place_in_the_paper():
    places = yaml.safe_load((FOLDER / "page" / "they.yaml").read_text(encoding="utf-8"))
    assert sorted(their_sentences()) == sorted(places)
    assert all(places.values())
    if PAPER.is_file():
        facts = " ".join(PAPER.read_text(encoding="utf-8").replace("**", "").split())
        assert [place for place in places.values() if place not in facts] == []


def test_the_difference_that_a_sweep_did_not_make_is_made_from_its_predictions(tmp_path):
    study_2023_runs.make(FOLDER / "repaired.yaml", tmp_path)
    found = results.FolderResults(FOLDER, tmp_path).sweep("repaired").point("masked")
    predictions(found.root, {"text-lstm": 20, "lstm-cnn": 40}, 40)
    study_2023_runs.record(found.root, ["predictions", "scores"])
    less = found.less("lstm-cnn", "text-lstm")
    assert less.value == pytest.approx(0.5)
    assert found.less("text-lstm", "lstm-cnn").value == pytest.approx(-0.5)
    assert 0 < less.low < less.high < 1


def test_points_that_have_been_run_are_read_before_their_sweep_is_through(tmp_path):
    study_2023_runs.make(FOLDER / "autopsy.yaml", tmp_path / "runs", score=0.777)
    root = tmp_path / "runs" / "study-2023-autopsy"
    (root / "sweep.json").unlink()
    waiting = root / "repaired-resampling" / "tables"
    waiting.rename(waiting.with_name("later"))
    sweep = results.FolderResults(FOLDER, tmp_path / "runs").sweep("autopsy")
    assert (sweep.n_run, sweep.is_run) == (sweep.n_points - 1, False)
    assert sweep.change("repaired", "stopping").score.value == pytest.approx(0.777)
    assert not sweep.change("repaired", "resampling").score.is_known
    page, _ = written(tmp_path, tmp_path / "runs")
    assert f"{sweep.n_run} of {sweep.n_points} points have been run" in page


def test_a_point_is_compared_with_its_variant_pair_by_pair_where_both_have_the_same_rows(tmp_path):
    one, other, third = (
        results.StudyResults(tmp_path / name, lambda: StudyConfig(study="a", source={})) for name in "abc"
    )
    for study, n_right, n_rows in ((one, 40, 40), (other, 20, 40), (third, 20, 38)):
        predictions(study.root, {"text-svm": n_right}, n_rows)
        score = {"contender": "text-svm", "part": "test", "metric": "accuracy", "value": n_right / n_rows}
        ends = {"low": score["value"] - 0.1, "high": score["value"] + 0.1, "n": n_rows, "seeds": 1}
        pl.DataFrame([score | ends]).write_parquet(study.root / "tables" / "scores.parquet")
        study_2023_runs.record(study.root, ["predictions", "scores"])
    less, is_paired = one.less_other(other, "text-svm", "accuracy")
    assert (less.value, is_paired) == (pytest.approx(0.5), True)
    less, is_paired = one.less_other(third, "text-svm", "accuracy")
    assert (less.value, is_paired) == (pytest.approx(1 - 20 / 38), False)


def test_every_study_and_sweep_is_run_in_order_and_then_only_read(tmp_path):
    study = {"study": "a", "source": {"kind": "generated", "n": 60}, "contenders": ["majority"],
             "fit": {"engine": "inline"}}  # fmt: skip
    sweep = {"sweep": "b", "study": "a.yaml", "variants": {"plain": {}}}
    for name, values_of in (("a", study), ("b", sweep)):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(values_of))
    started: list[str] = []
    paths = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    write.run(paths, tmp_path / "runs", lambda what, *_: started.append(what.partition(":")[0]))
    assert list(dict.fromkeys(started)) == ["a", "b"]
    assert (tmp_path / "runs" / "a" / "report.html").is_file()
    found = results.FolderResults(tmp_path, tmp_path / "runs")
    assert found.study("a").of("majority", "accuracy").is_known
    assert found.sweep("b").change("plain").score.is_known


def test_a_table_that_is_being_made_again_is_not_read(tmp_path):
    study_2023_runs.make(FOLDER / "published.yaml", tmp_path)
    study = results.FolderResults(FOLDER, tmp_path).study("published")
    (study.root / "tables" / ".fits.json").unlink()
    assert not study.is_run


def test_a_name_that_no_file_has_is_an_error(tmp_path):
    found = results.FolderResults(FOLDER, tmp_path)
    with pytest.raises(write.CounterpointError, match=r"has no contender 'paper-text-smv'\. Did you mean"):
        found.study("published").of("paper-text-smv")
    with pytest.raises(write.CounterpointError, match="has no point 'published-hidden-activatoin'"):
        found.sweep("autopsy").change("published", "hidden activatoin")


def test_every_study_of_the_folder_is_run_or_is_what_a_sweep_or_the_inquest_starts_from():
    texts = {path.resolve(): yaml.safe_load(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.yaml")}
    bases = {(FOLDER / values["study"]).resolve() for values in texts.values() if "sweep" in values}
    bases |= {one.study.resolve() for one in candidates_config.read_inquest(inquest.FILE).data.values()}
    assert {path for path, values in texts.items() if {"study", "sweep"} & set(values)} <= {
        path.resolve() for path in write.files()
    } | bases


def test_no_number_is_typed_into_the_templates():
    for template in FOLDER.glob("*.j2"):
        prose = re.sub(r"\{[{%#].*?[}%#]\}", "", template.read_text(encoding="utf-8"), flags=re.DOTALL)
        decimals = set(re.findall(r"(?<![\w.])\d*\.\d+", prose))
        assert decimals <= REPORTED, template.name


def test_no_photo_of_flickr8k_is_copied_or_committed(tmp_path):
    study_2023_runs.make(FOLDER / "published.yaml", tmp_path)
    study = results.FolderResults(FOLDER, tmp_path).study("published")
    with pytest.raises(AssertionError, match="not to be shown"):
        figures.check_may_be_shown(study, study.root / "figures" / "examples.svg")
    (study.root / "figures" / "rows.svg").write_text('<svg><image href="data:"/></svg>')
    with pytest.raises(AssertionError, match="not to be shown"):
        figures.check_may_be_shown(study, study.root / "figures" / "rows.svg")
    committed = sorted((ROOT / "docs" / "images" / "study-2023").glob("*"))
    with_pictures = [path.name for path in committed if path.suffix == ".svg" and b"<image" in path.read_bytes()]
    named = [path.name for path in committed if "examples" in path.name]
    assert {name.partition("-")[0] for name in [*named, *with_pictures]} <= {"openmoji"}


def test_the_committed_page_shows_only_figures_that_are_there():
    page = ROOT / "docs" / "study-2023.md"
    shown = set(re.findall(r"\]\(images/(study-2023/.+?)\)", page.read_text(encoding="utf-8")))
    assert all((page.parent / "images" / path).is_file() for path in shown)


@pytest.mark.parametrize("module", [values, write, fits, inquest_results, their_figures])
def test_the_examples_of_the_scripts_are_true(module):
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed == 0


def test_layers_are_read_off_a_real_module():
    rows = layers.layers("paper-text-lstm")
    assert [row["kind"] for row in rows] == ["Embedding", "LSTM", "Linear"]
    assert rows[0]["gives"] == "100 × 32"
