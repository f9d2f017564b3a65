"""Engines give each task once, in an order that respects what comes after what, and survive a dead process."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from counterpoint.engines import engine
from counterpoint.errors import ConfigError, CounterpointError


@dataclass(frozen=True)
class Errand:
    name: str
    after: tuple[str, ...] = ()
    folder: str = ""


def double_name(errand: Errand) -> str:
    return errand.name * 2


def die_once(errand: Errand) -> int:
    mark = Path(errand.folder) / errand.name
    if errand.name == "fragile" and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def die_always(errand: Errand) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def caps(errand: Errand) -> str:
    return os.environ["OMP_NUM_THREADS"]


def refuse(errand: Errand) -> None:
    raise CounterpointError(f"no {errand.name}")


@pytest.mark.parametrize("name", ["local", "inline"])
def test_a_task_is_done_after_those_it_names(name):
    tasks = [Errand("c", after=("a", "b")), Errand("a"), Errand("b", after=("a",))]
    results = list(engine(name)(tasks, double_name, workers=2))
    assert [task.name for task, _ in results] == ["a", "b", "c"]
    assert [result for _, result in results] == ["aa", "bb", "cc"]


@pytest.mark.parametrize("name", ["local", "inline"])
def test_a_task_does_not_wait_for_one_that_an_earlier_run_has_done(name):
    results = list(engine(name)([Errand("b", after=("a",)), Errand("c", after=("a", "b"))], double_name, workers=2))
    assert [task.name for task, _ in results] == ["b", "c"]


def test_a_task_whose_process_was_killed_is_done_again_and_none_is_lost(tmp_path):
    tasks = [Errand(name, folder=str(tmp_path)) for name in ("one", "fragile", "two", "three")]
    results = list(engine("local")(tasks, die_once, workers=2))
    assert sorted(task.name for task, _ in results) == ["fragile", "one", "three", "two"]
    assert (tmp_path / "fragile").exists()


def test_a_task_that_kills_its_process_three_times_is_given_up_with_its_name():
    with pytest.raises(CounterpointError, match="process of doomed died 3 times"):
        list(engine("local")([Errand("doomed")], die_always, workers=1))


def test_a_mistake_in_a_worker_reaches_the_caller_as_itself():
    with pytest.raises(CounterpointError, match="no such"):
        list(engine("local")([Errand("such")], refuse, workers=1))


def test_workers_are_capped_and_the_environment_is_left_as_it_was(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    (result,) = list(engine("local")([Errand("a")], caps, workers=1, threads=3))
    assert result[1] == "3"
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_an_unknown_engine_names_its_nearest():
    with pytest.raises(ConfigError, match="Did you mean 'local'"):
        engine("locale")
