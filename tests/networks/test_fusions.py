"""Fusions: the verdict is built from what is there, and from nothing else."""

import pytest
import torch

from counterpoint.networks.encoders import ImageEncoder, TextEncoder
from counterpoint.networks.fusions import Concatenation, Solo

TOKENS = torch.tensor([[2, 3, 4], [5, 0, 0], [0, 0, 0], [0, 0, 0]])
HAS_IMAGE = torch.tensor([True, False, True, False])


@pytest.fixture
def network():
    torch.manual_seed(0)
    text = Solo(TextEncoder(10, embed=4, hidden=3), n_classes=3)
    image = Solo(ImageEncoder(mean=[0.5], std=[0.25], widths=(4, 8)), n_classes=3)
    return Concatenation(text, image, n_classes=3, hidden=5)


@pytest.fixture
def pixels():
    return torch.randint(0, 256, (4, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def taught(network):
    """Give the joint part a say: it starts at zero."""
    torch.nn.init.normal_(network.joint[-1].weight)
    return network.eval()


def test_the_verdict_starts_as_the_product_of_the_branches(network, pixels):
    network.joint[-1].bias.data.zero_()
    verdict, text, image = network.eval()(TOKENS, pixels, HAS_IMAGE)[0]
    product = text.softmax(0) * image.softmax(0)
    assert torch.allclose(verdict.softmax(0), product / product.sum(), atol=1e-6)


def test_the_verdict_of_a_pair_without_picture_ignores_its_pixels(network, pixels):
    taught(network)
    before, after = (network(TOKENS, grid, HAS_IMAGE)[:, 0] for grid in (pixels, 255 - pixels))
    assert torch.equal(before[1], after[1])
    assert not torch.equal(before[0], after[0])


def test_a_pair_without_either_has_the_verdict_of_any_other_such_pair(network, pixels):
    taught(network)
    verdicts = network(torch.zeros(4, 2, dtype=torch.int64), pixels, torch.zeros(4, dtype=torch.bool))[:, 0]
    assert torch.allclose(verdicts, verdicts[:1].expand_as(verdicts))


def test_training_hides_one_modality_of_a_share_of_the_pairs_and_never_both(network):
    network.hide = 0.5
    hidden = network._hidden(4000)
    assert not hidden.all(1).any()
    assert hidden.float().mean(0).tolist() == pytest.approx([0.25, 0.25], abs=0.03)


def test_every_part_of_the_network_learns(network, pixels):
    network.hide = 0.0
    taught(network).train()
    for name, weights in network.named_parameters():
        if "body" in name:  # residual blocks start as the identity
            torch.nn.init.normal_(weights)
    network(TOKENS, pixels, HAS_IMAGE)[:, 0].pow(2).sum().backward()
    still = [name for name, weights in network.named_parameters() if weights.grad is None or not weights.grad.any()]
    assert still == []
