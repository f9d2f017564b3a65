"""check-history answers from a log alone, in words or as JSON, and a mistake is one line."""

import json
import sys

import polars as pl
import pytest

from counterpoint import cli
from counterpoint.schema import HISTORY

LOG = "epoch,accuracy,loss,val_accuracy,val_loss\n0,.968,.12,.495,3.27\n1,1,.02,.489,3.96\n2,1,.01,.489,4.57\n"


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """Return a function that judges a file: (exit code, output, errors)."""

    def called(path, *options):
        monkeypatch.setattr(sys, "argv", ["counterpoint", "check-history", str(path), *options])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return called


def test_a_log_of_keras_is_judged_in_one_line(call, tmp_path):
    (tmp_path / "log.csv").write_text(LOG, encoding="utf-8")
    code, out, err = call(tmp_path / "log.csv", "--shares", "0.58,0.42", "--rows", "2000")
    assert (code, err) == (0, "")
    assert out.startswith("evaluated_on_other_rows: In the first epoch")
    assert out.count("\n") == 1


def test_shares_that_are_not_given_are_named(call, tmp_path):
    (tmp_path / "log.csv").write_text(LOG, encoding="utf-8")
    code, _, err = call(tmp_path / "log.csv")
    assert code == 0
    assert "The classes are taken to be even" in err


def test_each_training_of_a_study_is_judged(call, tmp_path):
    rows = [
        {"contender": name, "seed": 0, "fold": "test", "branch": "joint", "epoch": epoch, "train_loss": 0.69,
         "valid_loss": 0.7, "train_score": 0.5, "valid_score": 0.5}
        for name in ("text-lstm", "image-cnn") for epoch in (1, 2, 3)
    ]  # fmt: skip
    pl.DataFrame(rows, schema=dict(HISTORY)).write_parquet(tmp_path / "history.parquet")
    code, out, _ = call(tmp_path / "history.parquet", "--shares", ".5,.5", "--json")
    found = json.loads(out)
    assert code == 0
    assert {each["training"].split(",")[0]: each["answer"] for each in found} == {
        "text-lstm": "not_trained",
        "image-cnn": "not_trained",
    }


@pytest.mark.parametrize("shares", ["58,42", "much", ""])
def test_a_mistake_is_one_line_with_exit_code_1(call, tmp_path, shares):
    (tmp_path / "log.csv").write_text(LOG, encoding="utf-8")
    code, out, err = call(tmp_path / "log.csv", "--shares", shares)
    assert (code, out) == (1, "")
    assert err.startswith("counterpoint: --shares")
    assert err.count("\n") == 1
