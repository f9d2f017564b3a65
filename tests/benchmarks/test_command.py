"""The command line of benchmarks of draws: which draws are made, which are summarised, and what is written."""

import json

import pytest

from injection import command
from injection.command import Draws, parser_of
from injection.draw import Item


@pytest.fixture
def draws(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "BENCHMARKS", tmp_path)
    monkeypatch.setattr(command, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(command, "work_through", work_through)
    return Draws("made-up", dict, lambda results: {"n": len(results)}, lambda found: [f"n {found['n']}"])


def work_through(listed, path, make, *, workers):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({**item._asdict(), "workers": workers}) + "\n" for item in listed))


LISTED = [Item("CP004", 50, 1, 0.0, seed) for seed in range(3)]


def test_a_few_draws_are_made_and_no_result_is_written(draws, capsys):
    draws.report(parser_of("").parse_args(["--workers", "5"]), LISTED)
    assert capsys.readouterr().out == "n 3\n"
    assert '"workers": 5' in (command.RUNS / "made-up-quick.jsonl").read_text()
    assert not draws.results.exists()


def test_all_draws_are_kept_apart_and_their_figures_written(draws, capsys):
    draws.report(parser_of("").parse_args(["--whole"]), LISTED)
    assert json.loads(draws.results.read_text()) == {"n": 3}
    assert not command.RUNS.exists()
    draws.report(parser_of("").parse_args(["--whole", "--summary"]), [])  # the stored draws, none made
    assert capsys.readouterr().out == "n 3\nn 3\n"
