"""The text branch of the 2023 study: embedding, LSTM, last state."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from counterpoint.networks.encoders import PAD, full_precision


class LastState(nn.Module):
    """Words → embedding → LSTM → its last state: the text branch of the 2023 study.

    An LSTM of torch has two biases and one of Keras has one.  So one of the two stays at 0 and does not learn.

    Parameters
    ----------
    n_words
        *n_words* is the number of word ids.  Id 0 is padding, and has an embedding like any word.
    embed, hidden
        *embed* is the width of a word, *hidden* of the LSTM.
    is_masked
        *is_masked* skips the padding.  Otherwise the LSTM reads it like words, as published.
    softmax
        *softmax* replaces both tanh of the LSTM: the second reading of "every activation softmax".

    Examples
    --------
    >>> encoder = LastState(9, embed=4, hidden=3, is_masked=True).eval()
    >>> tokens = torch.tensor([[2, 5, 0, 0], [0, 0, 2, 5]])
    >>> one, other = encoder(tokens)
    >>> bool(torch.allclose(one, other)), encoder.width
    (True, 3)
    """

    def __init__(
        self, n_words: int, *, embed: int = 32, hidden: int = 128, is_masked: bool = False, softmax: bool = False
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(n_words, embed)
        self.lstm: nn.Module = SoftmaxLSTM(embed, hidden) if softmax else nn.LSTM(embed, hidden, batch_first=True)
        for name, bias in self.lstm.named_parameters():
            if "bias_hh" in name:
                nn.init.zeros_(bias).requires_grad_(False)
        self.is_masked = is_masked
        self.width = hidden

    def forward(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch width"]:
        """Return the last state of each text."""
        with full_precision(tokens.device):
            return self._read(tokens, tokens != PAD)

    def _read(
        self, tokens: Int[Tensor, "batch time"], seen: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, "batch width"]:
        if not self.is_masked:
            return self._through_padding(self.embed(tokens), seen)
        # Words first, padding last, both in their order: the place of the padding then makes no difference.
        order = (~seen).long().argsort(dim=1, stable=True)
        return self._last(self.embed(tokens.gather(1, order)), seen.sum(1)) * seen.any(1, keepdim=True)

    def _through_padding(
        self, words: Float[Tensor, "batch time embed"], seen: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, "batch width"]:
        """Return the state after the last place, padding or not.

        In training, the padding before the first word of a batch is read once, since it is the same in all its rows.
        """
        if isinstance(self.lstm, SoftmaxLSTM):
            state: Tensor = self.lstm(words, torch.full((len(words),), words.shape[1], device=words.device))
            return state
        n_shared = int(seen.any(0).long().argmax()) if self.training else 0
        start = None
        if n_shared:
            shared = self.lstm(words[:1, :n_shared])[1]  # twice (1, 1, width)
            start = tuple(part.expand(-1, len(words), -1).contiguous() for part in shared)
        last: Tensor = self.lstm(words[:, n_shared:].contiguous(), start)[1][0]  # (1, batch, width)
        return last[0]

    def _last(
        self, words: Float[Tensor, "batch time embed"], lengths: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch width"]:
        if isinstance(self.lstm, SoftmaxLSTM):
            state: Tensor = self.lstm(words, lengths)
            return state
        packed = pack_padded_sequence(words, lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
        last: Tensor = self.lstm(packed)[1][0]  # (1, batch, width)
        return last[0]


class SoftmaxLSTM(nn.Module):
    """An LSTM with softmax over its units in place of both tanh, as ``LSTM(activation="softmax")`` in Keras.

    >>> SoftmaxLSTM(4, 3)(torch.zeros(2, 5, 4), torch.tensor([5, 1])).shape
    torch.Size([2, 3])
    """

    def __init__(self, embed: int, hidden: int) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(embed, hidden)  # holds and initialises the weights
        self.hidden = hidden

    def forward(
        self, words: Float[Tensor, "batch time embed"], lengths: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch width"]:
        """Return the state of each text after its last word."""
        state = memory = words.new_zeros(len(words), self.hidden)
        inputs = nn.functional.linear(words, self.cell.weight_ih, self.cell.bias_ih)  # (batch, time, 4 · width)
        for step in range(words.shape[1]):
            gates = inputs[:, step] + nn.functional.linear(state, self.cell.weight_hh, self.cell.bias_hh)
            entry, forget, candidate, out = gates.chunk(4, dim=1)
            new = forget.sigmoid() * memory + entry.sigmoid() * candidate.softmax(1)
            goes_on = (step < lengths).unsqueeze(1)
            state = torch.where(goes_on, out.sigmoid() * new.softmax(1), state)
            memory = torch.where(goes_on, new, memory)
        return state
