"""Names of devices, the GPU of each worker, and mixed precision.  No GPU is needed."""

import sys

import pytest
import torch
from torch import nn

from counterpoint.devices import (
    available,
    device_kind,
    device_of,
    device_or_cpu,
    mixed_precision,
    on_device,
    own_draws,
)
from counterpoint.engines.caps import WORKER
from counterpoint.errors import ConfigError

CPU = torch.device("cpu")


@pytest.fixture
def three_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.delenv(WORKER, raising=False)


def test_auto_is_a_gpu_where_there_is_one(three_gpus):
    assert available() == ["cuda", "cuda:0", "cuda:1", "cuda:2", "cpu"]
    assert [str(device_of(name)) for name in ("auto", "cuda", "cuda:1", "cpu")] == ["cuda", "cuda", "cuda:1", "cpu"]
    assert device_kind("auto") == "cuda"


@pytest.mark.parametrize(("worker", "gpu"), [("0", 0), ("2", 2), ("4", 1)])
def test_each_worker_has_a_gpu_of_its_own_until_all_are_taken(worker, gpu, three_gpus, monkeypatch):
    monkeypatch.setenv(WORKER, worker)
    assert device_of("auto") == device_of("cuda") == torch.device("cuda", gpu)
    assert (device_of("cuda:1"), device_of("cpu")) == (torch.device("cuda", 1), CPU)


def test_without_a_gpu_auto_is_the_cpu_in_each_worker(no_gpu, monkeypatch):
    monkeypatch.setenv(WORKER, "1")
    assert (device_of("auto"), device_kind("auto")) == (CPU, "cpu")


def test_apple_silicon_is_found(no_gpu, monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert (device_of("auto").type, device_kind("auto")) == ("mps", "mps")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cuda:3", "The device 'cuda:3' is not available here. Available: auto, cuda, cuda:0, cuda:1, cuda:2, cpu."),
        ("cuda1", "Unknown device 'cuda1'. Did you mean 'cuda'?"),
        ("tpu", "Unknown device 'tpu'. Did you mean 'cpu'?"),
    ],
)
def test_a_device_that_is_not_there_is_one_line(name, message, three_gpus):
    with pytest.raises(ConfigError) as raised:
        device_of(name)
    assert str(raised.value) == message


def test_a_fit_of_another_machine_has_its_device_here_or_the_cpu(three_gpus):
    assert [str(device_or_cpu(name)) for name in ("auto", "cuda:2", "cuda:3", "mps")] == [
        "cuda",
        "cuda:2",
        "cpu",
        "cpu",
    ]


def test_the_kind_of_a_device_of_another_machine_is_known(no_gpu):
    assert [device_kind(name) for name in ("cuda:7", "mps", "cpu")] == ["cuda", "mps", "cpu"]


def test_a_network_stays_on_the_cpu_while_its_copy_is_on_another_device():
    network = nn.Linear(3, 2).eval()
    copy = on_device(network, torch.device("meta"))
    assert (copy.weight.device.type, copy.training, network.weight.device.type) == ("meta", False, "cpu")
    assert on_device(network, CPU) is network


def test_draws_of_a_fit_do_not_shift_those_outside():
    before = torch.get_rng_state()
    with own_draws(CPU):
        torch.manual_seed(5)
        torch.rand(3)
    assert torch.equal(torch.get_rng_state(), before)


# Mixed precision.


@pytest.fixture
def accelerate():
    """Give the test the package in a process where nothing has used it yet."""
    package = pytest.importorskip("accelerate", reason="accelerate is not installed: the extra counterpoint[mixed]")
    package.state.AcceleratorState._reset_state(reset_partial_state=True)
    yield package
    package.state.AcceleratorState._reset_state(reset_partial_state=True)


def test_mixed_precision_computes_layers_in_bfloat16_within_its_contexts_only(accelerate):
    context, layer, row = mixed_precision(CPU), nn.Linear(3, 2), torch.ones(1, 3)
    for _ in range(2):
        with context():
            assert layer(row).dtype == torch.bfloat16
        assert layer(row).dtype == torch.float32


def test_mixed_precision_without_its_package_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(ConfigError, match=r"precision: mixed needs accelerate.*pip install 'counterpoint\[mixed\]'"):
        mixed_precision(CPU)


def test_another_use_of_accelerate_in_the_process_is_one_line(accelerate):
    accelerate.Accelerator(cpu=True)
    with pytest.raises(ConfigError, match=r"^precision: mixed is not possible on cpu: AcceleratorState has already"):
        mixed_precision(CPU)


def test_mixed_precision_on_a_second_device_of_the_process_is_one_line(accelerate):
    mixed_precision(CPU)
    with pytest.raises(ConfigError, match=r"not possible on meta: in this process, accelerate works on cpu\."):
        mixed_precision(torch.device("meta"))
