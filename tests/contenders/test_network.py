"""Networks on any device and in mixed precision: their passes, their fits, and what is kept of them."""

from copy import deepcopy
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from contender_contract import is_same, kept
from contender_material import make_pairs
from counterpoint.contenders import make
from counterpoint.contenders.published.last_state import LastState
from counterpoint.contenders.published.losses import BroadcastLoss
from counterpoint.contenders.published.networks import Convolutions, Head
from counterpoint.contenders.training import Loss, Trainer
from counterpoint.devices import available
from counterpoint.errors import ConfigError, CounterpointError
from counterpoint.networks.activity import activities, gradient_shares
from counterpoint.networks.augment import Augment
from counterpoint.networks.encoders import ImageEncoder, TextEncoder
from counterpoint.networks.fusions import Concatenation, Solo

# Dropout is off: its draws are other ones on each device.
TEXT = {"embed": 8, "hidden": 8, "epochs": 4, "batch": 8, "dropout": 0.0}
IMAGE = {"side_px": 8, "width": 4, "epochs": 3, "batch": 8, "dropout": 0.0}
PAPER = {"hidden": 8, "length": 6, "epochs": 3, "batch": 8}
KINDS = {
    "text-lstm": TEXT,
    "image-cnn": IMAGE,
    "lstm-cnn": {"text": TEXT, "image": IMAGE, "hidden": 8, "epochs": 3, "batch": 8, "dropout": 0.0},
    "paper-text-lstm": PAPER | {"is_masked": True, "loss": "broadcast", "class_weight": "balanced"},
    "paper-image-cnn": {"side_px": 16, "epochs": 2, "batch": 8, "dropout": 0.0},
    "paper-lstm-cnn": PAPER | {"side_px": 16},
}
each_kind = pytest.mark.parametrize("kind", KINDS)
no_gpu = pytest.param("cuda", marks=pytest.mark.skip(reason="torch finds no GPU on this machine"))
each_gpu = pytest.mark.parametrize("device", available()[:-1] or [no_gpu])


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return make_pairs(tmp_path_factory.mktemp("images"), n=32, n_classes=2)


def fit(kind, pairs, **settings):
    split = {"validation": (pairs[24:], pairs["label"][24:])}
    return make(kind, **KINDS[kind] | settings).fit(pairs[:24], pairs["label"][:24], **split)


@pytest.fixture(scope="module")
def on_cpu(pairs):
    return {kind: fit(kind, pairs, device="cpu") for kind in KINDS}


@pytest.fixture
def accelerate():
    """Let the test start where nothing in this process has used accelerate, which has one state for all."""
    package = pytest.importorskip("accelerate", reason="accelerate is not installed: the extra counterpoint[mixed]")
    package.state.AcceleratorState._reset_state(reset_partial_state=True)
    yield
    package.state.AcceleratorState._reset_state(reset_partial_state=True)


# Without a GPU.


@pytest.mark.parametrize("kind", ["text-lstm", "paper-image-cnn", "text-probe", "zero-shot", "boosted-embeddings"])
def test_an_unknown_device_is_one_line_before_anything_is_fitted(kind):
    with pytest.raises(ConfigError, match=rf"^{kind}\.device: unknown device 'gpu'\. Did you mean 'cpu'\? \(got 'gpu'"):
        make(kind, device="gpu")


def test_a_device_that_is_not_there_is_one_line(pairs):
    with pytest.raises(ConfigError, match=r"^The device 'cuda:999' is not available here\. Available: auto, "):
        fit("text-lstm", pairs, device="cuda:999")


def test_the_joint_network_gives_its_device_and_precision_to_the_branches_that_it_trains():
    model = make("lstm-cnn", device="cpu", precision="mixed", image={"precision": "full"})
    settings = [(branch.device, branch.precision) for branch in model._alone().values()]
    assert settings == [("cpu", "mixed"), ("cpu", "full")]


def test_a_fit_of_a_device_that_is_not_here_is_read_and_predicts_on_the_cpu(pairs, on_cpu):
    for model in on_cpu.values():
        moved = kept(model).set_params(device="cuda:999")
        assert kept(moved).get_params()["device"] == "cuda:999"
        assert is_same(kept(moved), model, pairs)


def test_the_layers_of_a_copy_on_another_device_are_watched_like_those_of_the_network(pairs, on_cpu, monkeypatch):
    model = on_cpu["lstm-cnn"]

    def watched():
        run = partial(model.predict_proba, pairs)
        return activities(model.network_, run), gradient_shares(model.network_, run, 0)

    before = watched()
    monkeypatch.setattr("counterpoint.contenders.network.on_device", lambda network, _: deepcopy(network))
    assert watched() == before


def test_a_lack_of_memory_is_one_line(pairs, monkeypatch):
    def lack(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(Trainer, "infer", lack)
    with pytest.raises(
        CounterpointError, match=r"^The GPU lacks memory\. Try a smaller batch, or fewer fit\.workers\.$"
    ):
        fit("text-lstm", pairs)


TOKENS = {"tokens": torch.tensor([[2, 3, 4], [5, 0, 0]])}
PIXELS = {"pixels": torch.zeros(2, 3, 16, 16, dtype=torch.uint8), "has_image": torch.tensor([True, False])}


def text_network():
    return Solo(TextEncoder(9, embed=4, hidden=3, word_dropout=0.5), n_classes=2)


def image_network():
    encoder = ImageEncoder(mean=[0.5] * 3, std=[0.2] * 3, widths=(4, 8), augment=Augment())
    return Solo(encoder, n_classes=2)


NETWORKS = {
    "text": (text_network, TOKENS),
    "image": (image_network, PIXELS),
    "joint": (lambda: Concatenation(text_network(), image_network(), n_classes=2), TOKENS | PIXELS),
    "published text": (lambda: Head(LastState(9, hidden=3, softmax=True), n_classes=2), TOKENS),
    "published image": (lambda: Head(image=Convolutions(3, 16, dense=(8,)), n_classes=2), PIXELS),
}


@pytest.mark.parametrize("is_training", [True, False])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_tensor_of_a_pass_is_on_the_device_of_the_inputs(name, is_training):
    build, inputs = NETWORKS[name]
    network = build().to("meta").train(is_training)  # torch refuses to mix this device with another one
    logits = network(**{key: value.to("meta") for key, value in inputs.items()})
    assert (logits.device.type, logits.shape[0], logits.shape[2]) == ("meta", 2, 2)
    logits.sum().backward()


@pytest.mark.parametrize("kind", [Loss, BroadcastLoss])
@pytest.mark.parametrize("weight", [None, torch.ones(2)])
def test_a_loss_is_on_the_device_of_its_logits(kind, weight):
    loss = kind(weight=weight).to("meta")
    assert loss(torch.zeros(3, 1, 2, device="meta"), torch.zeros(3, dtype=torch.int64, device="meta")).is_meta


# Mixed precision, on the CPU.


def types_in_training(kind, pairs, **settings):
    """Return the types of the outputs of each kind of layer in training, and the fit."""
    found = {}

    def note(module, _, output):
        if module.training:
            tensor = output[0] if isinstance(output, tuple) else output
            found.setdefault(type(module).__name__, set()).add(getattr(tensor, "dtype", None))

    hook = nn.modules.module.register_module_forward_hook(note)
    try:
        return found, fit(kind, pairs, device="cpu", **settings)
    finally:
        hook.remove()


@pytest.mark.parametrize("kind", ["image-cnn", "paper-image-cnn", "text-lstm", "lstm-cnn"])
def test_mixed_precision_trains_layers_in_bfloat16_and_an_lstm_and_the_weights_in_32_bits(kind, pairs, accelerate):
    types, model = types_in_training(kind, pairs, precision="mixed")
    assert types["Linear"] == {torch.bfloat16}
    assert types.get("Conv2d", {torch.bfloat16}) == {torch.bfloat16}
    assert types.get("BiLSTM", {torch.float32}) == {torch.float32}
    assert {weights.dtype for weights in model.network_.parameters()} == {torch.float32}
    assert set.union(*types_in_training(kind, pairs)[0].values()) == {torch.float32}


@each_kind
def test_a_fit_in_mixed_precision_is_nearly_that_in_full_and_always_the_same(kind, pairs, on_cpu, accelerate):
    model = fit(kind, pairs, device="cpu", precision="mixed")
    full, mixed = (np.array([row["train_loss"] for row in each.history_]) for each in (on_cpu[kind], model))
    assert np.any(full != mixed)
    np.testing.assert_allclose(mixed, full, atol=0.05)
    assert is_same(fit(kind, pairs, device="cpu", precision="mixed"), model, pairs)
    assert is_same(kept(model), model, pairs)


# On each GPU.


@each_gpu
@each_kind
def test_a_network_learns_on_a_gpu_as_on_the_cpu(kind, device, pairs, on_cpu):
    model = fit(kind, pairs, device=device)
    here, there = (np.array([row["train_loss"] for row in each.history_]) for each in (on_cpu[kind], model))
    np.testing.assert_allclose(there, here, atol=0.05)
    assert {weights.device.type for weights in model.network_.parameters()} == {"cpu"}
    assert is_same(kept(model).set_params(device="cpu"), model.set_params(device="cpu"), pairs)


@each_gpu
@each_kind
def test_a_fit_predicts_on_a_gpu_as_on_the_cpu(kind, device, pairs, on_cpu):
    model = kept(on_cpu[kind]).set_params(device=device)
    np.testing.assert_allclose(model.predict_proba(pairs), on_cpu[kind].predict_proba(pairs), atol=1e-4)
    places = np.arange(8)
    encoded = [each.encoded(pairs) for each in (model, on_cpu[kind])]
    if encoded[0] is not None:
        there, here = (each.logits(places, places[::-1]) for each in encoded)
        np.testing.assert_allclose(there, here, atol=1e-3)


@each_gpu
@each_kind
def test_a_fit_on_a_gpu_leaves_its_draws_alone(kind, device, pairs):
    draws = torch.get_device_module(device)
    before = draws.get_rng_state(device)
    fit(kind, pairs, device=device)
    assert torch.equal(draws.get_rng_state(device), before)


@each_gpu
@each_kind
def test_a_network_learns_in_mixed_precision_on_a_gpu(kind, device, pairs, on_cpu, accelerate):
    model = fit(kind, pairs, device=device, precision="mixed")
    here, there = (np.array([row["train_loss"] for row in each.history_]) for each in (on_cpu[kind], model))
    np.testing.assert_allclose(there, here, atol=0.1)


@each_gpu
@pytest.mark.parametrize("kind", ["text-lstm", "lstm-cnn", "paper-lstm-cnn"])
def test_the_activity_of_layers_is_measured_on_a_gpu_as_on_the_cpu(kind, device, pairs, on_cpu):
    model = kept(on_cpu[kind]).set_params(device=device)
    for_there, for_here = (partial(each.predict_proba, pairs) for each in (model, on_cpu[kind]))
    there, here = activities(model.network_, for_there), activities(on_cpu[kind].network_, for_here)
    assert [layer.layer for layer in there] == [layer.layer for layer in here]
    np.testing.assert_allclose([layer.spread for layer in there], [layer.spread for layer in here], atol=1e-2)
    shares = gradient_shares(model.network_, for_there, 0)
    assert shares == pytest.approx(gradient_shares(on_cpu[kind].network_, for_here, 0), rel=1e-2)
