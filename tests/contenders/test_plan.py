"""The key of a fit has the device only where another device gives another fit."""

import sys
from pathlib import Path

import polars as pl
import pytest
import torch

from counterpoint.config import ContenderEntry, Fit
from counterpoint.contenders.plan import accelerators, plan
from counterpoint.errors import ConfigError

PAIRS = pl.DataFrame({"id": ["a", "b", "c"], "label": ["x", "y", "x"], "fold": ["train", "validation", "test"]})
HERE = Path("runs")


def tasks_of(*entries):
    """Return the fits of a study by kind.  An entry is a kind, and settings."""
    named = tuple(
        ContenderEntry(name=kind.replace(":", "-"), kind=kind, settings=settings) for kind, settings in entries
    )
    planned = plan(named, Fit(), PAIRS, folder=HERE, cache=HERE, encodings=HERE, key="pairs")
    return {task.kind: task for task in planned}


def key_of(kind, **settings):
    return tasks_of((kind, settings))[kind].key


@pytest.fixture
def gpu(no_gpu, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr("counterpoint.contenders.plan.may_have_gpu", lambda: True)


@pytest.mark.parametrize("kind", ["text-lstm", "image-cnn", "lstm-cnn", "paper-lstm-cnn"])
def test_a_device_setting_that_means_the_cpu_fits_nothing_again(kind, no_gpu):
    assert key_of(kind) == key_of(kind, device="auto") == key_of(kind, device="cpu")


@pytest.mark.parametrize("kind", ["text-lstm", "lstm-cnn", "late-fusion", "paper-image-cnn"])
def test_a_fit_on_a_gpu_is_another_fit_than_on_the_cpu(kind, gpu, monkeypatch):
    task = tasks_of((kind, {}))[kind]
    assert task.n_gpus == 1
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert tasks_of((kind, {}))[kind].n_gpus == 0
    assert key_of(kind) != task.key


def test_all_gpus_of_a_kind_give_one_key_on_a_machine_with_and_without_them(gpu, monkeypatch):
    named = {key_of("text-lstm", device=device) for device in ("auto", "cuda", "cuda:1")}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)  # as where a study of a cluster is planned
    named |= {key_of("text-lstm", device=device) for device in ("cuda", "cuda:7")}
    assert len(named) == 1
    assert key_of("text-lstm", device="mps") not in named


def test_a_study_has_the_kinds_of_all_devices_but_the_cpu(no_gpu):
    kinds = {"text-svm": {}, "text-lstm": {}, "image-cnn": {"device": "mps"}, "paper-text-lstm": {"device": "cuda:1"}}
    entries = tuple(ContenderEntry(name=kind, kind=kind, settings=settings) for kind, settings in kinds.items())
    assert accelerators(entries[:2]) == []
    assert accelerators(entries) == ["cuda", "mps"]


def test_a_contender_that_trains_no_network_has_one_key_on_every_device(gpu, monkeypatch):
    kinds = ("majority", "text-svm", "text-probe")
    before = {kind: (key_of(kind), tasks_of((kind, {}))[kind].n_gpus) for kind in kinds}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert {kind: (key_of(kind), 0) for kind in kinds} == before
    assert key_of("text-probe") == key_of("text-probe", device="cuda")


def test_members_that_a_study_fits_are_on_a_device_of_their_own(gpu):
    alone = tasks_of(("late-fusion", {}))["late-fusion"]
    branches = {"text-lstm": {"device": "cpu"}, "image-cnn": {"device": "cpu"}}
    assert tasks_of(("late-fusion", {"branches": branches}))["late-fusion"].n_gpus == 0
    tasks = tasks_of(("text-svm", {}), ("text-lstm", {}), ("image-cnn", {}), ("late-fusion", {}))
    assert {name: task.n_gpus for name, task in tasks.items()} == {
        "text-svm": 0, "text-lstm": 1, "image-cnn": 1, "late-fusion": 0,
    }  # fmt: skip
    assert tasks["late-fusion"].key != alone.key


def test_the_device_of_a_class_from_outside_may_mean_anything():
    assert key_of("outside_contenders:Worn", device="phone") != key_of("outside_contenders:Worn", device="watch")


def test_mixed_precision_is_another_fit():
    pytest.importorskip("accelerate", reason="accelerate is not installed: the extra counterpoint[mixed]")
    assert key_of("text-lstm", precision="mixed") != key_of("text-lstm")


def test_mixed_precision_without_its_package_is_one_line_before_anything_is_fitted(monkeypatch):
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(ConfigError, match=r"^text-lstm: precision: mixed needs accelerate, .*pip install"):
        tasks_of(("text-lstm", {"precision": "mixed"}))
