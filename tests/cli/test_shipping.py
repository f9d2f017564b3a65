"""The commands that take a winner along, as a user types them: save, predict, export-model."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

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


@pytest.mark.parametrize(
    "arguments",
    [
        ("save", "{runs}/winner", "--to", "{runs}"),
        ("save", "{runs}/nowhere", "--to", "{out}"),
        ("save", "{runs}/winner", "--to", "{out}", "--contender", "text-swm"),
        ("export-model", "{runs}/winner", "--onnx", "{out}"),
        ("predict", "{runs}/winner", "--text", "a"),
        ("predict", "{runs}/winner", "text-svm", "--table", "a.csv"),
    ],
)
def test_a_mistake_is_one_line(runs, tmp_path, arguments):
    found = call(*(each.format(runs=runs, out=tmp_path / "out") for each in arguments))
    assert found.exit_code == 1
    assert isinstance(found.exception, CounterpointError)
    assert "\n" not in str(found.exception)
