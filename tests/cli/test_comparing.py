"""compare-runs prints what changed and what it did, writes it for programs and as a page, and a mistake is one line."""

import json
import sys

import pytest

from counterpoint import cli
from made_runs import real_run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    real_run(folder / "runs", "before")
    real_run(folder / "runs", "after", contenders=["majority", {"kind": "text-svm", "c": 0.01}])
    return folder


@pytest.fixture
def call(monkeypatch, capsys, runs):
    """Return a function that runs the command line next to the runs: (exit code, output, errors)."""
    monkeypatch.chdir(runs)

    def called(*words):
        monkeypatch.setattr(sys, "argv", ["counterpoint", "compare-runs", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return called


def test_the_comparison_is_printed_and_written_for_programs_and_as_a_page(call, runs, tmp_path):
    code, out, err = call("runs/before", "runs/after", "--json", tmp_path / "c.json", "--page", tmp_path / "c.html")
    assert (code, err) == (0, "")
    assert "A runs/before (the reference): There is nothing to compare" in out
    assert "contenders.text-svm.c" in out
    found = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))
    printed = " ".join(out.split())
    assert all(sentence in printed for sentence in found["comparisons"][0]["sentences"])
    assert f"The page: {tmp_path / 'c.html'}" in out
    assert str(runs) not in (tmp_path / "c.html").read_text(encoding="utf-8")


def test_metrics_that_are_named_are_the_only_ones(call):
    code, out, _ = call("runs/before", "runs/after", "--metric", "accuracy", "--metric", "log_loss")
    assert code == 0
    assert [line for line in out.splitlines() if "on test rows" in line and line[0] != "·"] == [
        line for line in out.splitlines() if line.startswith(("accuracy on", "log loss (less is better) on"))
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["runs/before", "runs/before/"], "the same run folder"),
        (["runs/before", "runs/beforee"], "Did you mean 'before'?"),
        (["runs/before", "runs"], "The run folders in it are after, before."),
        (["runs/before", "runs/after", "--metric", "f2"], "No run reports metric 'f2'"),
        (["runs/before", "runs/after", "--json", "runs"], "Cannot write runs"),
        (["runs/before", "runs/after", "--page", "runs"], "Cannot write runs"),
        (["runs/before", "runs/after", "--json", "."], "it is a folder"),
        (["runs/before", "runs/after", "--page", "runs/.."], "it is a folder"),
        (["runs/before", "runs/after", "--json", "runs/after/results.json"], "is in the run folder runs/after"),
        (["runs/before", "runs/after", "--page", "runs/after/../before/new.html"], "is in the run folder runs/before"),
        (["runs/before", "runs/after", "--json", "q.x", "--page", "runs/../q.x"], "--json and --page are the same"),
    ],
)
def test_a_mistake_is_one_line_with_exit_code_1(call, words, says):
    code, _, err = call(*words)
    assert code == 1
    assert says in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("option", ["--json", "--page"])
def test_an_earlier_comparison_is_replaced_and_no_other_file(call, runs, tmp_path, option):
    others = {
        "json": b'{"runs": []}',
        "page": (runs / "runs/before/report.html").read_bytes(),
        "none": b"",
        "raw": b"\xff",
    }
    for name, content in others.items():
        (tmp_path / name).write_bytes(content)
        code, out, err = call("runs/before", "runs/after", option, tmp_path / name)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert f"exists already, and is no earlier comparison of {option}" in err
        assert (tmp_path / name).read_bytes() == content
    for _ in range(2):
        assert call("runs/before", "runs/after", option, tmp_path / "c")[0] == 0


def test_a_link_to_the_other_file_is_the_same_file(call, tmp_path):
    (tmp_path / "link").symlink_to("q.x")
    code, _, err = call("runs/before", "runs/after", "--json", tmp_path / "q.x", "--page", tmp_path / "link")
    assert code == 1
    assert "are the same file" in err
    assert not (tmp_path / "q.x").exists()


def test_one_run_is_a_mistake_in_usage(call):
    code, out, err = call("runs/before")
    assert (code, out) == (2, "")
    assert "Name two or more run folders" in err


def test_a_folder_is_not_changed_by_a_comparison(call, runs):
    def state():
        return {path: path.stat().st_mtime_ns for path in sorted((runs / "runs").rglob("*"))}

    before = state()
    assert call("runs/before", "runs/after")[0] == 0
    assert state() == before
