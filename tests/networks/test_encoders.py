"""Encoders: padding and missing modalities change nothing that they should not."""

import pytest
import torch
from beartype.roar import BeartypeException
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from counterpoint.networks.augment import Augment
from counterpoint.networks.encoders import BiLSTM, ImageEncoder, Residual, TextEncoder

words = st.lists(st.integers(1, 9), min_size=1, max_size=7)


def text_encoder(**settings):
    torch.manual_seed(0)
    return TextEncoder(10, embed=4, hidden=3, **settings)


def image_encoder(channels=1, **settings):
    torch.manual_seed(0)
    return ImageEncoder(mean=[0.5] * channels, std=[0.25] * channels, widths=(4, 8), **settings)


@pytest.mark.parametrize("mode", ["train", "eval", "inference"])
@pytest.mark.parametrize("length", [0, 1, 2, 12, 30])
def test_a_text_has_the_same_vector_alone_and_with_longer_ones(length, mode):
    torch.manual_seed(0)
    encoder = TextEncoder(50, dropout=0.0, word_dropout=0.0).train(mode == "train")
    batch = torch.randint(2, 50, (8, 40))
    batch[3, length:] = 0
    with torch.inference_mode(mode == "inference"):
        alone, together = encoder(batch[3:4, : max(1, length)])[0], encoder(batch)[3]
    assert torch.allclose(alone, together, rtol=0, atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(words, words)
def test_a_text_has_the_same_gradient_alone_and_with_a_longer_one(text, other):
    longest = max(len(text), len(other)) + 1
    batch = torch.tensor([ids + [0] * (longest - len(ids)) for ids in (text, other)])
    encoder = text_encoder().eval()
    slopes = [
        torch.autograd.grad(encoder(ids)[0].square().sum(), list(encoder.parameters()))
        for ids in (batch, torch.tensor([text]))
    ]
    for padded, alone in zip(*slopes, strict=True):
        assert torch.allclose(padded, alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize("is_training", [True, False])
def test_packed_texts_as_a_gpu_reads_them_have_the_vectors_of_padded_ones(is_training, monkeypatch):
    encoder = text_encoder(dropout=0.0, word_dropout=0.0).train(is_training)
    batch = torch.randint(2, 10, (5, 7))
    for row, length in enumerate((7, 3, 0, 1, 5)):
        batch[row, length:] = 0
    padded = encoder(batch)
    monkeypatch.setattr(BiLSTM, "forward", BiLSTM._packed)
    packed = encoder(batch)
    torch.testing.assert_close(packed, padded)
    slopes = [torch.autograd.grad(each.square().sum(), list(encoder.parameters())) for each in (packed, padded)]
    torch.testing.assert_close(*slopes)


def packed_vectors(encoder, batch):
    """Return the text vectors by torch's own LSTM over packed texts, with the weights of the encoder."""
    lstm = torch.nn.LSTM(4, 3, batch_first=True, bidirectional=True)
    lstm.load_state_dict(encoder.lstm.state_dict())
    lengths, mask = (batch != 0).sum(1), (batch != 0).unsqueeze(-1)
    packed = pack_padded_sequence(encoder.embed(batch), lengths, batch_first=True, enforce_sorted=False)
    hidden, _ = pad_packed_sequence(lstm(packed)[0], batch_first=True)
    return torch.cat([(hidden * mask).sum(1) / mask.sum(1), hidden.masked_fill(~mask, -1).amax(1)], dim=1)


@settings(max_examples=25, deadline=None)
@given(st.lists(words, min_size=1, max_size=5))
def test_the_vectors_are_those_of_a_bidirectional_lstm_over_packed_texts(texts):
    encoder = text_encoder().eval()
    longest = max(map(len, texts))
    batch = torch.tensor([text + [0] * (longest - len(text)) for text in texts])
    assert torch.allclose(encoder(batch), packed_vectors(encoder, batch), rtol=0, atol=1e-6)


def backward_steps(step):
    return {step.name()}.union(*(backward_steps(earlier) for earlier, _ in step.next_functions if earlier))


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this build of torch has no oneDNN")
def test_onednn_reads_both_directions_in_training():
    states = text_encoder().train().lstm(torch.randn(2, 3, 4), torch.tensor([3, 1]))
    directions = [backward_steps(step) for step, _ in states.grad_fn.next_functions]
    assert ["MkldnnRnnLayerBackward0" in steps for steps in directions] == [True, True]


def test_the_order_of_words_matters():
    encoder = text_encoder().eval()
    assert not torch.allclose(encoder(torch.tensor([[2, 3, 4]])), encoder(torch.tensor([[4, 3, 2]])), atol=1e-4)


def test_a_text_of_no_words_is_the_zero_vector_and_passes_no_gradient():
    encoder = text_encoder()
    vectors = encoder(torch.tensor([[0, 0]]))
    vectors.sum().backward()
    assert not vectors.any()
    assert not encoder.embed.weight.grad.any()


def test_word_dropout_reads_unknown_in_training_only():
    encoder = text_encoder(dropout=0.0, word_dropout=0.999)
    text, unknown = torch.tensor([[5, 6, 7]]), torch.tensor([[1, 1, 1]])
    assert torch.equal(encoder.train()(text), encoder.train()(unknown))
    assert not torch.equal(encoder.eval()(text), encoder.eval()(unknown))


@pytest.mark.parametrize("side_px", [8, 13, 32])
@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_and_colour_of_picture_has_a_vector(side_px, stride, channels):
    pixels = torch.randint(0, 256, (2, channels, side_px, side_px), dtype=torch.uint8)
    vectors = image_encoder(channels, stride=stride)(pixels, torch.tensor([True, True]))
    assert vectors.shape == (2, 8)
    assert vectors.isfinite().all()


def test_a_missing_picture_is_the_zero_vector_whatever_its_pixels():
    pixels = torch.full((2, 1, 8, 8), 200, dtype=torch.uint8)
    vectors = image_encoder().eval()(pixels, torch.tensor([True, False]))
    assert vectors[0].any()
    assert not vectors[1].any()


def test_a_residual_block_starts_as_the_identity():
    x = torch.rand(2, 4, 6, 6)
    assert torch.equal(Residual(4, 4).eval()(x), x)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_augmentation_without_light_only_moves_pixels_about(seed):
    torch.manual_seed(seed)
    pictures = torch.rand(3, 1, 16, 16)
    changed = Augment(shift=0.25, light=0.0)(pictures)
    assert torch.isin((changed * 1000).round(), (pictures * 1000).round()).all()
    assert not torch.equal(changed, pictures)


def test_augmentation_changes_each_picture_by_itself():
    torch.manual_seed(0)
    one = torch.rand(1, 1, 16, 16)
    changed = Augment()(one.expand(8, -1, -1, -1))
    assert all(not torch.equal(changed[0], other) for other in changed[1:])


def test_a_batch_of_the_wrong_shape_is_refused():
    with pytest.raises((TypeCheckError, BeartypeException)):
        text_encoder()(torch.tensor([1, 2, 3]))
