"""The command line reports a mistake in one line with exit code 1, and prints the results of a study."""

import json
import sys

import polars as pl
import pytest
import yaml

from counterpoint import cli

pytestmark = pytest.mark.slow

SOURCE = {"kind": "generated", "n": 120, "text_signal": 0.9, "image_signal": 0.3, "side_px": 16}
STUDY = {
    "study": "small",
    "source": SOURCE,
    "contenders": ["majority", "text-svm", {"kind": "image-cnn", "side_px": 16, "epochs": 1}, "keyword-rule",
                   {"kind": "late-fusion", "text": ["text-svm"]}],
    "fit": {"engine": "inline"},
}  # fmt: skip


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """Return a function that runs the command line in an empty folder: (exit code, output, errors)."""
    monkeypatch.chdir(tmp_path)

    def called(*words):
        monkeypatch.setattr(sys, "argv", ["counterpoint", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return called


def write(path, **changes):
    path.write_text(yaml.safe_dump(STUDY | changes), encoding="utf-8")
    return path


def table(path, rows):
    pl.DataFrame(rows, schema=["image", "text", "label"], orient="row").write_csv(path)
    return {"kind": "table", "path": str(path), "image": "image", "text": "text", "label": "label"}


def test_a_study_is_run_and_its_outcome_printed(call, tmp_path):
    path = write(tmp_path / "study.yaml")
    code, out, _ = call("run", path)
    assert code == 0
    assert "late-fusion" in out
    assert "report.html" in out
    results = json.loads((tmp_path / "runs/small/results.json").read_text())
    assert results["answer"]["headline"].split(":")[0] in " ".join(out.split())

    code, out, _ = call("scores", path)
    assert out.splitlines()[0].startswith("contender,part,metric,value,low,high")
    assert code == 0
    code, out, _ = call("compare", path, "text-svm", "majority", "--metric", "accuracy")
    assert (code, len(out.splitlines())) == (0, 2)
    code, out, _ = call("findings", path)
    assert "CP011" in out
    code, out, _ = call("predict", "runs/small", "text-svm", "--text", "a fox")
    assert out.startswith("The predicted class is ")
    chances = [float(line.split()[0]) for line in out.splitlines() if line[:1].isdigit()]
    assert abs(sum(chances) - 1) < 0.01
    code, _, err = call("compare", path, "text-svn", "majority")
    assert (code, "Did you mean 'text-svm'" in err) == (1, True)


def test_a_sweep_prints_a_table_its_sentences_and_where_its_page_is(call, tmp_path):
    write(tmp_path / "study.yaml", contenders=["text-svm"])
    sweep = {"sweep": "tiny", "study": "study.yaml", "variants": {"plain": {}},
             "only": {"plain": {"fewer rows": {"split.limit": 60}}}}  # fmt: skip
    path = tmp_path / "sweep.yaml"
    path.write_text(yaml.safe_dump(sweep), encoding="utf-8")
    code, out, err = call("sweep", path)
    assert code == 0
    assert "from plain: text-svm" in out
    assert "fewer rows" in out
    assert str(tmp_path / "runs/tiny/report.html") in out.replace("\n", "")
    assert [line.split(":")[0] for line in err.splitlines()] == [
        "preparing points", "fitting", "comparing points", "writing the page",
    ]  # fmt: skip
    sentence = json.loads((tmp_path / "runs/tiny/sweep.json").read_text())["sentences"][0]
    assert " ".join(sentence.split()) in " ".join(out.split())
    code, out, _ = call("sweep", path, "--csv")
    assert (code, len(out.splitlines())) == (0, 3)
    assert out.startswith("variant,choice,value,contender,metric,score")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"sorce": {}}, "Unknown key 'sorce'. Did you mean 'source'?"),
        ({"split": {"fold": 5}}, "Unknown key 'split.fold'. Did you mean 'folds'?"),
        ({"split": {"kind": "k-fold"}}, "split.kind"),
        ({"source": {"kind": "emojis"}}, "Did you mean 'emoji'?"),
        ({"source": {}}, "source.kind"),
        ({"source": SOURCE | {"text_signl": 1}}, "Did you mean 'text_signal'?"),
        ({"source": {"kind": "webdataset", "path": "nowhere"}}, "nowhere"),
        ({"source": {"kind": "table", "path": "captions.csv", "image": "image", "text": "text"}}, "captions.csv"),
        ({"contenders": ["text-svn"]}, "Did you mean 'text-svm'?"),
        ({"contenders": [{"kind": "text-svm", "cc": 1}]}, "Did you mean 'c'?"),
        ({"contenders": ["majority", "majority"]}, "majority"),
        ({"contenders": ["my_lab:Nothing"]}, "my_lab"),
        ({"evaluate": {"primary": "auc"}}, "auc"),
        ({"evaluate": {"primary": "log_loss"}}, "more must be better"),
        ({"evaluate": {"metrics": ["accuracy", "f2"], "primary": "accuracy"}}, "f2"),
        ({"fit": {"engine": "loca"}}, "Did you mean 'local'?"),
        ({"source": SOURCE | {"n": 8}, "split": {"kind": "kfold", "folds": 5}}, "folds"),
        ({"label": {"mapping": {"class_0": "a", "class_1": "a"}}}, "One class only"),
        ({"label": {"mapping": {"cat": "a"}}}, "No row has a label"),
        ({"predictions": [{"path": "outside.csv", "name": "outside"}]}, "outside.csv"),
        ({"exclude": "ids.txt"}, "ids.txt"),
    ],
)
def test_a_wrong_setting_is_one_line(call, tmp_path, changes, says):
    code, out, err = call("run", write(tmp_path / "study.yaml", **changes))
    assert (code, out) == (1, "")
    complaint = [line for line in err.splitlines() if line.startswith("counterpoint: ")]
    assert len(complaint) == 1
    assert says in complaint[0]
    assert "Traceback" not in err
    assert not (tmp_path / "runs/small/results.json").exists()


def test_an_absurd_setting_is_refused_before_anything_is_read(call, tmp_path):
    path = write(tmp_path / "study.yaml", contenders=[{"kind": "image-cnn", "epochs": 10**12}])
    code, _, err = call("run", path)
    assert (code, err.count("\n")) == (1, 1)
    assert "image-cnn.epochs: input should be less than or equal to 100000" in err
    assert call("run", path, "--until", "pairs")[0] == 0


@pytest.mark.parametrize(
    ("rows", "change", "says"),
    [
        ([("a.png", "a cat", "x"), ("b.png", "a dog", "y")], {"image": "picture"}, "picture"),
        ([("a.png", "a cat", None), ("b.png", "a dog", None)], {}, "No row has a label"),
        ([("a.png", "a cat", "x"), ("b.png", "a dog", "y")], {}, "dropped"),
    ],
)
def test_a_bad_table_is_one_line(call, tmp_path, rows, change, says):
    source = table(tmp_path / "captions.csv", rows) | change
    code, _, err = call("run", write(tmp_path / "study.yaml", source=source))
    assert code == 1
    assert says in err.splitlines()[-1]
    assert "Traceback" not in err


def test_a_file_that_is_not_yaml_is_one_line(call, tmp_path):
    (tmp_path / "study.yaml").write_text("study: [")
    code, _, err = call("run", "study.yaml")
    assert (code, len(err.splitlines())) == (1, 1)
    code, _, err = call("run", "studi.yaml")
    assert (code, len(err.splitlines())) == (1, 1)


def test_a_run_folder_of_another_study_is_one_line(call, tmp_path):
    assert call("run", write(tmp_path / "study.yaml"), "--until", "records")[0] == 0
    code, _, err = call("run", write(tmp_path / "other.yaml", source={"kind": "emoji"}))
    assert (code, len(err.splitlines())) == (1, 1)
    assert "study.yaml) of another source (generated)" in err
    assert "another name" in err
    assert "--runs DIR" in err
    assert "or delete runs" in err


def test_a_study_file_that_fails_claims_no_name_and_may_be_changed(call, tmp_path):
    path = write(tmp_path / "study.yaml", source={"kind": "table", "path": "gone.csv"})
    assert call("run", path)[0] == 1
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())
    assert call("run", write(path), "--until", "records")[0] == 0
    assert call("run", write(path, source=SOURCE | {"n": 150}), "--until", "records")[0] == 0


def test_usage_is_exit_2(call):
    assert call("runn")[0] == 2
    assert call("run")[0] == 2


def test_an_unknown_stage_names_those_there_are(call, tmp_path):
    code, _, err = call("run", write(tmp_path / "study.yaml"), "--until", "pair")
    assert (code, "Did you mean 'pairs'" in err) == (1, True)


def test_settings_are_changed_from_the_command_line(call, tmp_path):
    path = write(tmp_path / "study.yaml")
    assert call("run", path, "--until", "pairs", "--set", "split.test_share=0.5", "--set", "study=half")[0] == 0
    pairs = pl.read_parquet(tmp_path / "runs/half/tables/pairs.parquet")
    assert abs((pairs["fold"] == "test").mean() - 0.5) < 0.05


def test_the_engine_and_its_address_are_named_on_the_command_line(call, tmp_path):
    path = write(tmp_path / "study.yaml")
    code, _, err = call("run", path, "--engine", "local", "--address", "head:6379")
    assert (code, err.splitlines()[-1].endswith("the address 'head:6379' needs engine: ray.")) == (1, True)


def test_pairs_are_exported_with_their_split(call, tmp_path):
    path = write(tmp_path / "study.yaml")
    code, out, _ = call("export-pairs", path, "--out", "csvs", "--classes", "class_1, class_0")
    assert code == 0
    assert out.startswith("Wrote to csvs: train_updated.csv ")
    rows = sum(pl.read_csv(file).height for file in (tmp_path / "csvs").glob("*.csv"))
    assert sum(int(word) for word in out.replace(",", " ").split() if word.isdigit()) == rows == 120
    code, _, err = call("export-pairs", path, "--out", "other", "--resize", "cubic")
    assert (code, "Unknown --resize 'cubic'." in err) == (1, True)


@pytest.mark.parametrize("table", ["contenders", "encoders", "metrics", "checks", "sources"])
def test_a_table_is_listed_with_a_line_for_each_entry(call, table):
    code, out, _ = call(table)
    assert code == 0
    for line in out.splitlines():
        assert len(line.split(maxsplit=1)) == 2


def test_encoders_are_listed_with_their_licence_and_the_upstream_model(call):
    _, out, _ = call("encoders")
    assert "text to 384 values" in out
    assert "Apache-2.0; upstream: sentence-transformers/all-MiniLM-L6-v2" in out
    assert "columns:prefix_" in out


def test_checks_are_listed_with_what_each_depth_does_and_costs(call):
    _, out, _ = call("checks")
    lines = out.splitlines()
    assert "checks.depth" in lines[0]
    assert len(lines) == 1 + 3 * 25
    assert lines[1] == "CP001  The label is a function of the text"
    assert lines[2].startswith("       fast  Measure the accuracy of a rule")
    assert lines[3].startswith("       full  Also fit a linear model")


def test_new_writes_a_study_file_once(call, tmp_path):
    assert call("new", "mine.yaml")[0] == 0
    assert yaml.safe_load((tmp_path / "mine.yaml").read_text())["source"] == {"kind": "emoji"}
    code, _, err = call("new", "mine.yaml")
    assert (code, "already exists" in err) == (1, True)


def test_new_writes_a_published_study_for_the_pairs_that_are_there(call, tmp_path):
    source = table(tmp_path / "rows.csv", [("a.png", "a man", "x"), ("b.png", "a cat", "y")])
    assert call("new", "--preset", "study-2023", "--from", "rows.csv")[0] == 0
    written = yaml.safe_load((tmp_path / "study.yaml").read_text())
    assert written["source"] == source | {"path": "rows.csv"}
    assert written["label"] == {"preset": "study-2023"}
    code, _, err = call("new", "other.yaml", "--preset", "study-2032")
    assert (code, err) == (1, "counterpoint: Unknown study preset 'study-2032'. Did you mean 'study-2023'?\n")
    assert not (tmp_path / "other.yaml").exists()


def test_the_schema_of_a_study_file_is_json_schema(call):
    code, out, _ = call("schema")
    assert code == 0
    assert "contenders" in json.loads(out)["properties"]
