"""Modules that turn a text or an image into one vector.  Do not classify."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from counterpoint.networks.augment import Augment

PAD, UNKNOWN = 0, 1


class TextEncoder(nn.Module):
    """Words → embedding → bidirectional LSTM → mean and maximum over the words, without the padding.

    Padding changes nothing: a text has the same vector alone and in a batch with a longer text.  A text without words
    is the zero vector.

    Parameters
    ----------
    n_words
        *n_words* is the number of word ids.  Id 0 is padding, and 1 is the unknown word.
    embed, hidden
        *embed* is the width of a word, *hidden* of the LSTM in each direction.
    dropout, word_dropout
        *dropout* leaves out parts of the embedded words.  *word_dropout* is the share of words that become unknown in
        training, so that the vector of the unknown word is learned and no single word is decisive.

    Examples
    --------
    >>> encoder = TextEncoder(10, embed=4, hidden=3).eval()
    >>> encoder(torch.tensor([[2, 5, 0], [0, 0, 0]])).shape, encoder.width
    (torch.Size([2, 12]), 12)
    """

    def __init__(
        self, n_words: int, *, embed: int = 64, hidden: int = 64, dropout: float = 0.3, word_dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(n_words, embed, padding_idx=PAD)
        self.dropout = nn.Dropout(dropout)
        self.lstm = BiLSTM(embed, hidden)
        self.word_dropout = word_dropout
        self.width = 4 * hidden

    def forward(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch width"]:
        """Return one vector for each text."""
        with full_precision(tokens.device):
            return self._read(tokens, tokens != PAD)

    def _read(
        self, tokens: Int[Tensor, "batch time"], seen: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, "batch width"]:
        if self.training and self.word_dropout:
            is_dropped = (torch.rand(tokens.shape) < self.word_dropout).to(tokens.device)
            tokens = tokens.masked_fill(is_dropped & seen, UNKNOWN)
        hidden = self.lstm(self.dropout(self.embed(tokens)), seen.sum(1))  # (batch, time, 2 · hidden)
        mask = seen.unsqueeze(-1)  # (batch, time, 1)
        mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)
        largest = (hidden - 2.0 * ~mask).amax(1)  # an LSTM's output is between −1 and 1
        return torch.cat([mean, largest * seen.any(1, keepdim=True)], dim=1)


def full_precision(device: torch.device) -> AbstractContextManager[Any]:
    """Return a context without mixed precision on *device*, for an LSTM, which cuDNN would compute in float16."""
    kind = device.type
    is_mixed = torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)
    return torch.autocast(kind, enabled=False) if is_mixed else nullcontext()


class BiLSTM(nn.LSTM):
    """A bidirectional LSTM over padded texts, whose second direction begins at the last word of each text.

    On a CPU, torch reads padded texts with oneDNN, which is faster than its own code for packed texts.  On a GPU, cuDNN
    reads packed texts, with the weights of both directions in one block of memory.

    >>> lstm = BiLSTM(4, 3)
    >>> lstm(torch.zeros(2, 5, 4), torch.tensor([5, 1])).shape
    torch.Size([2, 5, 6])
    """

    def __init__(self, embed: int, hidden: int) -> None:
        super().__init__(embed, hidden, batch_first=True, bidirectional=True)

    def forward(  # type: ignore[override]
        self, words: Float[Tensor, "batch time embed"], lengths: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch time both"]:
        """Return the states of both directions, in some order of the words each, and any values in the padding."""
        if words.is_cuda:
            return self._packed(words, lengths)
        n_steps = words.shape[1]
        steps = torch.arange(n_steps, device=words.device)
        turned = (lengths.unsqueeze(1) - 1 - steps) % n_steps  # the last word first, the padding last
        backwards = words.gather(1, turned.unsqueeze(-1).expand_as(words))
        start = words.new_zeros(1, len(words), self.hidden_size)
        both = [
            self._states(texts, (start, start), weights)
            for texts, weights in zip((words, backwards), self.all_weights, strict=True)
        ]
        return torch.cat(both, dim=2)

    def _packed(
        self, words: Float[Tensor, "batch time embed"], lengths: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch time both"]:
        packed = pack_padded_sequence(words, lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
        states, _ = super().forward(packed)
        padded: Tensor = pad_packed_sequence(states, batch_first=True, total_length=words.shape[1])[0]
        return padded

    def _states(self, texts: Tensor, start: tuple[Tensor, Tensor], weights: Sequence[Tensor]) -> Tensor:
        return torch.lstm(
            texts, start, list(weights), has_biases=True, num_layers=1, dropout=0.0, train=self.training,
            bidirectional=False, batch_first=True,
        )[0]  # fmt: skip


class ImageEncoder(nn.Module):
    """Pixels → augmentation (in training) → a small residual network → mean over the places of the image.

    A missing image is the zero vector.

    Parameters
    ----------
    mean, std
        *mean* and *std* are the mean and standard deviation of each channel in the training images, in 0 … 1.
    widths
        *widths* are the channels of each stage.  Every stage after the first halves height and width.
    stride
        *stride* is the stride of the stem, which divides height and width by *stride*.
    augment
        *augment* changes an image a little each time, in training.

    Examples
    --------
    >>> encoder = ImageEncoder(mean=[0.5], std=[0.25], widths=(8, 16)).eval()
    >>> pixels = torch.zeros(2, 1, 16, 16, dtype=torch.uint8)
    >>> encoder(pixels, torch.tensor([True, False])).shape, encoder.width
    (torch.Size([2, 16]), 16)
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        *,
        mean: Sequence[float],
        std: Sequence[float],
        widths: Sequence[int] = (32, 64, 128),
        stride: int = 2,
        augment: Augment | None = None,
    ) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(255 * np.asarray(mean, dtype=np.float32)).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(255 * np.asarray(std, dtype=np.float32)).view(1, -1, 1, 1))
        self.augment = augment or nn.Identity()
        first, *rest = widths
        self.stem = nn.Sequential(*_convolution(len(mean), first, kernel=stride + 1, stride=stride), nn.ReLU())
        inputs = [first, first, *rest]
        stages = [Residual(inputs[i], width, stride=1 if i == 0 else 2) for i, width in enumerate(widths)]
        self.stages = nn.Sequential(*stages)
        self.width = widths[-1]
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # the faster layout on a CPU

    def forward(
        self, pixels: UInt8[Tensor, "batch channel height width"], has_image: Bool[Tensor, " batch"]
    ) -> Float[Tensor, "batch features"]:
        """Return one vector for each image."""
        x = self.augment((pixels.float() - self.mean) / self.std)
        x = self.stages(self.stem(x.contiguous(memory_format=torch.channels_last)))  # (batch, features, h, w)
        vector: Tensor = x.mean((2, 3)) * has_image.unsqueeze(-1)
        return vector


class Residual(nn.Module):
    """Two 3×3 convolutions with a shortcut for the input (He et al. 2016), at first the identity.

    >>> Residual(8, 16, stride=2)(torch.zeros(1, 8, 4, 4)).shape
    torch.Size([1, 16, 2, 2])
    """

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(inputs, outputs, stride=stride), nn.ReLU(), *_convolution(outputs, outputs)
        )
        nn.init.zeros_(self.body[-1].weight)  # type: ignore[arg-type]
        self.skip: nn.Module = nn.Identity()
        if stride > 1 or inputs != outputs:
            # Averaging before the 1×1 convolution uses the pixels that a stride would leave out.
            self.skip = nn.Sequential(nn.AvgPool2d(stride, ceil_mode=True), *_convolution(inputs, outputs, kernel=1))

    def forward(self, x: Float[Tensor, "batch inputs height width"]) -> Float[Tensor, "batch outputs h w"]:
        """Return the output of the block for feature maps *x*."""
        out: Tensor = torch.relu(self.body(x) + self.skip(x))
        return out


def _convolution(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    """Return a convolution and its normalisation."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(outputs)]
