"""The table of layers is what the network really does: shapes that follow their own rule, and every parameter once."""

import math
import re

import pytest
import torch
from torch import nn

from counterpoint.networks.encoders import ImageEncoder, TextEncoder
from counterpoint.networks.fusions import Concatenation, Solo
from counterpoint.networks.layers import LAYERS, layer_table
from counterpoint.schema import check

TOKENS = torch.tensor([[2, 3, 4], [5, 0, 0]])
PIXELS = torch.zeros(2, 3, 64, 64, dtype=torch.uint8)
HAS_IMAGE = torch.tensor([True, False])


def image_cnn() -> Solo:
    return Solo(ImageEncoder(mean=[0.5] * 3, std=[0.25] * 3), n_classes=2)


def lstm_cnn() -> Concatenation:
    return Concatenation(Solo(TextEncoder(10), n_classes=2), image_cnn(), n_classes=2)


def table_of(name: str):
    if name == "image-cnn":
        network = image_cnn()
        return network, layer_table(network, pixels=PIXELS, has_image=HAS_IMAGE)
    network = lstm_cnn()
    return network, layer_table(network, TOKENS, PIXELS, HAS_IMAGE)


def result_of(rule: str) -> tuple[int, int]:
    """Return what a rule comes to when it is worked out, and what it says that it comes to."""
    found = re.fullmatch(r"([⌊⌈])\((\d+) \+ 2·(\d+) − (\d+)\)/(\d+)[⌋⌉] \+ 1 = (\d+)", rule)
    n, p, m, s, out = map(int, found.groups()[1:])
    return (math.ceil if found[1] == "⌈" else math.floor)((n + 2 * p - m) / s) + 1, out


@pytest.mark.parametrize("name", ["image-cnn", "lstm-cnn"])
def test_the_parameters_add_up_to_those_of_the_network(name):
    network, table = table_of(name)
    assert check(table, LAYERS, table="Layers")["parameters"].sum() == sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("name", ["image-cnn", "lstm-cnn"])
def test_the_size_of_each_feature_map_follows_from_its_rule(name):
    _, table = table_of(name)
    ruled = table.filter(table["size"].is_not_null())
    assert set(ruled["kind"]) == {"Conv2d", "AvgPool2d"}
    for row in ruled.iter_rows(named=True):
        worked_out, written = result_of(row["size"])
        assert worked_out == written == row["output_shape"][1]


def test_the_layers_of_both_branches_and_of_the_joint_part_are_in_it():
    _, table = table_of("lstm-cnn")
    shapes = dict(zip(table["layer"], table["output_shape"].to_list(), strict=True))
    assert shapes["text.encoder.embed"] == [3, 64]
    assert shapes["text.encoder.lstm"] == [3, 128]
    assert shapes["image.encoder.stem.0"] == [32, 32, 32]
    assert shapes["joint.3"] == [2]


def test_the_cnn_of_the_2023_study_has_its_published_sizes():
    network = nn.Sequential(
        nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16_384, 1_024), nn.ReLU(), nn.Dropout(0.9), nn.Linear(1_024, 2),
    )  # fmt: skip
    table = layer_table(network, torch.zeros(1, 1, 64, 64))
    assert table["output_shape"].to_list()[:7] == [
        [32, 64, 64], [32, 64, 64], [32, 32, 32], [64, 32, 32], [64, 32, 32], [64, 16, 16], [16_384],
    ]  # fmt: skip
    assert table["size"][3] == "⌊(32 + 2·2 − 5)/1⌋ + 1 = 32"
    assert table["kind"].to_list()[-2:] == ["Dropout 0.9", "Linear"]


def test_a_dropout_of_nothing_is_no_layer():
    network = nn.Sequential(nn.Linear(4, 2), nn.Dropout(0.0), nn.Dropout(0.5))
    assert layer_table(network, torch.zeros(1, 4))["kind"].to_list() == ["Linear", "Dropout 0.5"]


def test_height_and_width_that_differ_have_a_rule_each():
    table = layer_table(nn.Conv2d(1, 1, (3, 5), stride=(1, 2), dilation=(2, 1)), torch.zeros(1, 1, 9, 9))
    assert table["size"].item() == "⌊(9 + 2·0 − 5)/1⌋ + 1 = 5 × ⌊(9 + 2·0 − 5)/2⌋ + 1 = 3"


class Odd(nn.Module):
    """Passes one layer twice, one never, and has a parameter of its own."""

    def __init__(self):
        super().__init__()
        self.twice, self.never = nn.Linear(4, 4), nn.Linear(4, 3)
        self.own = nn.Parameter(torch.zeros(4))

    def forward(self, x):
        return self.twice(input=self.twice(x)) + self.own


def test_layers_passed_twice_or_never_have_their_parameters_once():
    table = layer_table(Odd(), torch.zeros(2, 4))
    assert table.select("layer", "output_shape", "parameters").rows() == [
        ("twice", [4], 20), ("twice", [4], 0), ("", [4], 4), ("never", None, 15),
    ]  # fmt: skip


def test_the_network_is_left_as_it_was():
    network = lstm_cnn().train()
    network.text.eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    layer_table(network, TOKENS, PIXELS, HAS_IMAGE)
    assert (network.training, network.text.training, network.image.encoder.training) == (True, False, True)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())
