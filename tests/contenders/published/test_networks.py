"""The networks of the 2023 study, held against what its layers come to by hand."""

import math

import pytest
import torch
from torch import nn

from counterpoint.contenders.published.last_state import LastState, SoftmaxLSTM
from counterpoint.contenders.published.networks import Convolutions, Head, activation, initialised
from counterpoint.networks.layers import layer_table

TOKENS = torch.zeros(1, 100, dtype=torch.long)
PIXELS = torch.zeros(1, 1, 64, 64, dtype=torch.uint8)
HAS_IMAGE = torch.tensor([True])


def image_cnn(**settings) -> Head:
    return Head(image=Convolutions(1, 64, **settings), n_classes=2)


def fusion(*, hidden: str = "softmax") -> Head:
    image = Convolutions(1, 64, kernel=3, padding=0, dense=(128,), dropouts=(0.0,), hidden=hidden)
    return Head(LastState(2000), image, n_classes=2)


def steps(table) -> list[tuple]:
    """Return what has parameters or changes the shape: (kind, output shape, parameters)."""
    rows = table.select("kind", "output_shape", "parameters", "input_shape").rows()
    return [(kind, after, n) for kind, after, n, before in rows if n or after != before]


def test_the_image_network_has_the_published_layers():
    table = layer_table(image_cnn(), pixels=PIXELS, has_image=HAS_IMAGE)
    assert steps(table) == [
        ("Conv2d", [32, 64, 64], 5 * 5 * 1 * 32 + 32),
        ("MaxPool2d", [32, 32, 32], 0),
        ("Conv2d", [64, 32, 32], 5 * 5 * 32 * 64 + 64),
        ("MaxPool2d", [64, 16, 16], 0),
        ("Flatten", [16_384], 0),
        ("Linear", [1_024], 16_384 * 1_024 + 1_024),
        ("Linear", [2], 1_024 * 2 + 2),
    ]
    assert table["size"].drop_nulls().to_list() == [
        "⌊(64 + 2·2 − 5)/1⌋ + 1 = 64", "⌊(64 + 2·0 − 2)/2⌋ + 1 = 32",
        "⌊(32 + 2·2 − 5)/1⌋ + 1 = 32", "⌊(32 + 2·0 − 2)/2⌋ + 1 = 16",
    ]  # fmt: skip
    assert table["parameters"].sum() == 16_832_386


def test_its_four_dense_layers_have_the_published_widths_and_dropouts():
    network = image_cnn(dense=(1024, 256, 64), dropouts=(0.9, 0.7, 0.5))
    table = layer_table(network, pixels=PIXELS, has_image=HAS_IMAGE)
    of_linear = [(after[0], n) for kind, after, n in steps(table) if kind == "Linear"]
    assert of_linear == [(1_024, 16_778_240), (256, 262_400), (64, 16_448), (2, 130)]
    assert [layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)] == [0.9, 0.7, 0.5]


def test_the_fusion_has_the_published_layers():
    table = layer_table(fusion(), tokens=TOKENS, pixels=PIXELS, has_image=HAS_IMAGE)
    assert steps(table) == [
        ("Embedding", [100, 32], 2_000 * 32),
        ("LSTM", [100, 128], 4 * (32 * 128 + 128 * 128 + 128)),  # 82,432, as Keras counts
        ("Conv2d", [32, 62, 62], 3 * 3 * 1 * 32 + 32),
        ("MaxPool2d", [32, 31, 31], 0),
        ("Conv2d", [64, 29, 29], 3 * 3 * 32 * 64 + 64),
        ("MaxPool2d", [64, 14, 14], 0),
        ("Flatten", [12_544], 0),
        ("Linear", [128], 12_544 * 128 + 128),
        ("Linear", [2], (128 + 128) * 2 + 2),
    ]
    assert table.filter(kind="Softmax")["output_shape"].to_list() == [[32, 62, 62], [64, 29, 29], [128]]


def test_softmax_is_over_the_channels_of_a_place_and_over_the_units_of_a_vector():
    torch.manual_seed(0)
    image = Convolutions(1, 16, dense=(8,), dropouts=(0.0,), hidden="softmax").eval()
    maps = image.convolutions[:2](torch.rand(2, 1, 16, 16))  # (batch, 32, 16, 16)
    torch.testing.assert_close(maps.sum(1), torch.ones(2, 16, 16))
    vector = image(torch.zeros(2, 1, 16, 16, dtype=torch.uint8), torch.tensor([True, True]))
    torch.testing.assert_close(vector.sum(1), torch.ones(2))


def test_padding_that_a_whole_batch_begins_with_is_read_once_in_training_and_gives_the_same_state_and_gradient():
    torch.manual_seed(0)
    tokens = torch.tensor([[0, 0, 0, 3, 4], [0, 0, 5, 0, 6]])
    text = LastState(9, embed=2, hidden=3)
    states, gradients = [], []
    for mode in (text.train, text.eval):
        mode().zero_grad()
        states.append(text(tokens))
        states[-1].square().sum().backward()
        gradients.append([weights.grad.clone() for weights in text.parameters() if weights.requires_grad])
    torch.testing.assert_close(*states)
    torch.testing.assert_close(*gradients)
    assert text.train()(torch.zeros(2, 5, dtype=torch.long)).shape == (2, 3)  # no word at all


def test_pixels_are_divided_by_255_and_a_missing_picture_is_the_zero_vector():
    image = Convolutions(1, 16, dense=(8,), dropouts=(0.0,)).eval()
    pixels = torch.randint(0, 256, (2, 1, 16, 16), dtype=torch.uint8)
    seen, missing = image(pixels, torch.tensor([True, False]))
    torch.testing.assert_close(seen, image.dense(image.convolutions(pixels[:1] / 255))[0])
    assert not missing.any()
    whole = Convolutions(1, 16, dense=(8,), dropouts=(0.0,), divide_by=1).eval()
    whole.load_state_dict(image.state_dict())
    torch.testing.assert_close(whole(pixels[:1] // 255, HAS_IMAGE), image(pixels[:1] // 255 * 255, HAS_IMAGE))


def unlearned(lstm: nn.Module, candidate: torch.Tensor) -> None:
    """Set all weights to zero but the candidate's bias: every gate is then one half, whatever is read."""
    for name, weights in lstm.named_parameters():
        nn.init.zeros_(weights)
        if "bias_ih" in name:
            weights.detach().chunk(4)[2].copy_(candidate)


@pytest.mark.parametrize("tokens", [[3, 4, 0, 0, 0], [0, 0, 0, 3, 4]])
@pytest.mark.parametrize(("is_masked", "n_read"), [(False, 5), (True, 2)])
def test_the_last_state_is_read_through_the_padding_unless_it_is_masked(tokens, is_masked, n_read):
    text = LastState(9, embed=2, hidden=3, is_masked=is_masked)
    unlearned(text.lstm, torch.full((3,), 0.8))
    # memory ← memory/2 + tanh(.8)/2, n times; the state is half its tanh
    memory = math.tanh(0.8) * (1 - 0.5**n_read)
    torch.testing.assert_close(text(torch.tensor([tokens])), torch.full((1, 3), math.tanh(memory) / 2))


@pytest.mark.parametrize("softmax", [False, True])
def test_masked_padding_changes_nothing_and_no_words_are_the_zero_vector(softmax):
    torch.manual_seed(0)
    text = LastState(9, embed=2, hidden=3, is_masked=True, softmax=softmax)
    alone, padded = text(torch.tensor([[3, 4]])), text(torch.tensor([[3, 4, 0, 0], [0, 0, 0, 0]]))
    torch.testing.assert_close(padded[:1], alone)
    assert not padded[1].any()
    unmasked = LastState(9, embed=2, hidden=3, softmax=softmax)
    unmasked.load_state_dict(text.state_dict())
    assert (unmasked(torch.tensor([[3, 4, 0, 0]])) - alone).abs().max() > 1e-3


def test_softmax_takes_the_place_of_both_tanh_of_the_lstm():
    lstm = SoftmaxLSTM(2, 2)
    unlearned(lstm, torch.tensor([0.0, math.log(3)]))  # softmax: 1/4, 3/4
    once = lstm(torch.zeros(1, 1, 2), torch.tensor([1]))
    torch.testing.assert_close(once, torch.tensor([[1 / 8, 3 / 8]]).softmax(1) / 2)
    twice = lstm(torch.zeros(1, 2, 2), torch.tensor([2]))
    torch.testing.assert_close(twice, torch.tensor([[3 / 16, 9 / 16]]).softmax(1) / 2)


@pytest.fixture(scope="module")
def as_keras_begins() -> Head:
    torch.manual_seed(0)
    return initialised(fusion())


@pytest.mark.parametrize(
    ("name", "fan_in", "fan_out"),
    [
        ("text.lstm.weight_ih_l0", 32, 4 * 128),
        ("image.convolutions.0.weight", 3 * 3 * 1, 3 * 3 * 32),
        ("image.convolutions.3.weight", 3 * 3 * 32, 3 * 3 * 64),
        ("image.dense.0.weight", 12_544, 128),
        ("out.weight", 256, 2),
    ],
)
def test_kernels_begin_glorot_uniform(as_keras_begins, name, fan_in, fan_out):
    limit = math.sqrt(6 / (fan_in + fan_out))
    weights = as_keras_begins.get_parameter(name)
    assert 0.95 * limit < weights.abs().max() <= limit
    assert weights.std().item() == pytest.approx(limit / math.sqrt(3), rel=0.1)


def test_the_recurrent_kernel_of_all_gates_begins_as_one_orthogonal_matrix(as_keras_begins):
    recurrent = as_keras_begins.text.lstm.weight_hh_l0  # (4 · 128, 128): Keras' kernel, turned
    torch.testing.assert_close(recurrent.T @ recurrent, torch.eye(128), atol=1e-5, rtol=0)


def test_biases_begin_at_zero_but_for_the_forget_gate_and_words_within_a_twentieth(as_keras_begins):
    entry, forget, candidate, out = as_keras_begins.text.lstm.bias_ih_l0.chunk(4)
    assert bool((forget == 1).all())
    others = [entry, candidate, out, as_keras_begins.text.lstm.bias_hh_l0, as_keras_begins.out.bias]
    others += [as_keras_begins.image.convolutions[place].bias for place in (0, 3)]
    assert not any(bias.any() for bias in others)
    words = as_keras_begins.text.embed.weight
    assert 0.049 < words.abs().max() <= 0.05


def test_an_activation_has_a_name():
    assert isinstance(activation("relu"), nn.ReLU)
    assert activation("softmax").dim == 1
