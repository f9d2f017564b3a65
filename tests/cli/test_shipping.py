"""The commands that take a winner along, as a user types them: save, predict, export-model."""

import json
import subprocess
import sys

import polars as pl
import pytest
from typer.testing import CliRunner

import counterpoint as cp
from counterpoint.cli import app
from counterpoint.errors import CounterpointError
from saved_material import finished_study

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shipping")
    finished_study(folder, names=("majority", "text-svm", "image-hog", "late-fusion"))
    return folder


def call(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_a_winner_is_saved_predicts_and_is_exported(runs, tmp_path):
    saved = call("save", runs / "winner", "--to", tmp_path / "m", "--contender", "text-svm")
    assert saved.exit_code == 0
    assert "Saved text-svm" in saved.output
    assert f"counterpoint predict {tmp_path / 'm'}" in saved.output
    predicted = call("predict", tmp_path / "m", "--text", "w001 w002")
    lines = [line.split("  ") for line in predicted.output.splitlines() if line[:1].isdigit()]
    chances = {name: float(chance) for chance, name in lines}
    pytest.importorskip("onnx", reason="the extra counterpoint[onnx] is not installed")
    exported = call("export-model", tmp_path / "m", "--onnx", tmp_path / "onnx")
    assert exported.exit_code == 0
    assert "reader.py" in exported.output
    command = [sys.executable, tmp_path / "onnx" / "reader.py", "--text", "w001 w002"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env={}).stdout)
    assert found["probabilities"] == pytest.approx(chances, abs=1e-3)


def first_words(found):
    assert found.exit_code == 0, found.exception
    lines = found.output.splitlines()
    chances = {name: float(chance) for chance, name in (line.split("  ") for line in lines if line[:1].isdigit())}
    return lines[0], chances, [line for line in lines if "not the most probable" in line]


@pytest.fixture(scope="module")
def rare(tmp_path_factory):
    """The folder of a study with a rare class, whose predicted class is often not the most probable one."""
    folder = tmp_path_factory.mktemp("rare")
    source = {
        "kind": "generated",
        "n": 200,
        "text_signal": 0.2,
        "side_px": 16,
        "seed": 1,
        "balance": [9, 1],
    }
    finished_study(folder, names=("majority", "text-svm", "image-hog"), source=source)
    return folder


def test_a_pair_has_the_predicted_class_first_and_a_reason_where_another_is_more_probable(rare, tmp_path):
    cp.save(rare / "winner", tmp_path / "m", contender="text-svm")
    reasons = []
    for word in ("w001", "w002 w003", "w010 w020", "w030"):
        first, chances, why = first_words(call("predict", tmp_path / "m", "--text", word))
        label = cp.open_saved(tmp_path / "m").predict(pl.DataFrame({"text": [word]}))["label"].item()
        assert first == f"The predicted class is {label}."
        assert bool(why) == (chances[label] < max(chances.values()))
        reasons += why
    assert reasons


def test_a_contender_of_a_run_folder_predicts_by_the_rule_of_the_study(rare):
    first, chances, why = first_words(call("predict", rare / "winner", "majority", "--text", "w001"))
    assert max(chances, key=chances.get) == "class_0"
    assert first == "The predicted class is class_0."  # equal quotients: the more probable one
    assert not why
    found = [first_words(call("predict", rare / "winner", "text-svm", "--text", f"w{i:03d}")) for i in range(0, 50, 10)]
    assert any(
        first == "The predicted class is class_1." and chances["class_0"] > chances["class_1"] and why
        for first, chances, why in found
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("save", "{runs}/winner", "--to", "{runs}"),
        ("save", "{runs}/nowhere", "--to", "{out}"),
        ("save", "{runs}/winner", "--to", "{out}", "--contender", "text-swm"),
        ("export-model", "{runs}/winner", "--onnx", "{out}"),
        ("predict", "{runs}/winner", "--text", "a"),
        ("predict", "{runs}/winner", "text-svm", "--table", "a.csv"),
        ("predict", "{runs}/winner", "text-svm", "--text", "a", "--out", "{out}.csv"),
        ("predict", "{runs}/winner", "text-svm", "--text", "a", "--workers", "2"),
    ],
)
def test_a_mistake_is_one_line(runs, tmp_path, arguments):
    found = call(*(each.format(runs=runs, out=tmp_path / "out") for each in arguments))
    assert found.exit_code == 1
    assert isinstance(found.exception, CounterpointError)
    assert "\n" not in str(found.exception)
