"""Trainings of small networks whose truth is known, as learning curves: epoch, loss and accuracy of both parts.

A network reads bags of words or vectors.  Training is recorded as Keras does: the mean over the batches of an epoch,
each before its step.  Validation is recorded after the epoch.  Some networks of one shape are trained together, each
on rows of its own, because that hardly takes longer than one.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

TOGETHER = 10
"""The number of networks of one shape."""
N_SHOWING, LENGTH, EMBED, WIDTH = 20, 10, 12, 48
VOCABULARIES = (400, 2_000)
"""Of many words, most occur once or twice, so that a network can memorise a row after few epochs."""
LAST_EPOCH, MEMORIZED = 80, 0.96
"""An over-fitted training goes on until the training accuracy of each network is this high, at most to this epoch."""


class Kind(NamedTuple):
    """A kind of training.

    Attributes
    ----------
    signal
        *signal* is the range of the share of rows whose inputs show the class.
    permuted
        *permuted* is the share of validation rows whose labels are permuted.
    is_rare
        *is_rare* makes two classes of 9 to 1.
    is_overfitted
        *is_overfitted* trains until training accuracy is nearly perfect.
    is_running
        *is_running* is False where the training rows are measured again after the epoch.
    n_train
        *n_train* is the range of the number of training rows.
    """

    signal: tuple[float, float]
    permuted: float = 0.0
    is_rare: bool = False
    is_overfitted: bool = True
    is_running: bool = True
    n_train: tuple[int, int] = (2000, 4000)


RULE = (0.95, 1.0)
"""The signal of a label that is a function of the input in nearly all rows."""
FEW = (600, 2000)
KINDS: Mapping[str, Kind] = {
    "permuted": Kind(RULE, permuted=1.0, is_overfitted=False),
    "half_permuted": Kind(RULE, permuted=0.5, is_overfitted=False),
    "noise": Kind((0.0, 0.0)),
    "weak": Kind((0.1, 0.5)),
    "rare": Kind((0.0, 1.0), is_rare=True),
    "sound": Kind(RULE, is_overfitted=False),
    "rare_permuted": Kind(RULE, permuted=1.0, is_rare=True, is_overfitted=False),
    "few": Kind(RULE, permuted=1.0, is_overfitted=False, n_train=FEW),
    "half_few": Kind(RULE, permuted=0.5, is_overfitted=False, n_train=FEW),
    "noise_few": Kind((0.0, 0.0), n_train=FEW),
    "weak_few": Kind((0.1, 0.5), n_train=FEW),
    "noise_after": Kind((0.0, 0.0), is_running=False),
    "weak_after": Kind((0.1, 0.5), is_running=False),
}
PLANTED = ("permuted", "half_permuted", "rare_permuted", "few", "half_few")


class Shape(NamedTuple):
    """The sizes and the training of networks that are trained together, drawn at random."""

    n_train: int
    n_valid: int
    n_classes: int
    n_words: int
    hidden: int
    batch: int
    lr: float
    dropout: float
    epochs: int


def shape_of(kind: Kind, rng: np.random.Generator) -> Shape:
    """Draw the shape of some trainings of *kind*."""
    is_text = bool(rng.random() < 0.5)
    return Shape(
        n_train=_between(*kind.n_train, rng),
        n_valid=_between(200, 2000, rng),
        n_classes=2 if kind.is_rare or rng.random() < 0.7 else int(rng.integers(3, 5)),
        n_words=int(rng.choice(VOCABULARIES)) if is_text else 0,
        hidden=int(rng.choice((64, 128))),
        batch=int(rng.choice((48, 80))),
        lr=float(np.exp(rng.uniform(*np.log((8e-3, 5e-2) if is_text else (2e-3, 2e-2))))),
        dropout=float(rng.choice((0.0, 0.2))),
        epochs=int(rng.integers(6, 10)),
    )


def _between(least: int, most: int, rng: np.random.Generator) -> int:
    return int(np.exp(rng.uniform(np.log(least), np.log(most))))


class Part(NamedTuple):
    """The rows of one part for all networks: inputs, and classes of shape (networks, rows)."""

    inputs: Tensor
    codes: Tensor


def histories(name: str, seed: int) -> list[dict[str, Any]]:
    """Return `TOGETHER` trainings of the kind *name*: the curves, the class shares and number of validation rows.

    A row of the curves has training loss, training accuracy, validation loss and validation accuracy of one epoch.
    """
    kind, rng = KINDS[name], np.random.default_rng(seed)
    shape = shape_of(kind, rng)
    shares = [_shares(kind, shape, rng) for _ in range(TOGETHER)]
    signals = rng.uniform(*kind.signal, size=TOGETHER)
    train, valid = (_part(shape, n, shares, signals, rng) for n in (shape.n_train, shape.n_valid))
    moved = np.stack([permuted(codes, kind.permuted, rng) for codes in valid.codes.numpy()])
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        curves = _trained(shape, kind, train, Part(valid.inputs, torch.from_numpy(moved)))
    counts = [np.bincount(codes, minlength=shape.n_classes).tolist() for codes in moved]
    return [
        {"kind": name, "seed": seed, "signal": float(signal), "counts": count, "shape": list(shape), "curves": curve}
        for signal, count, curve in zip(signals, counts, curves, strict=True)
    ]


def _shares(kind: Kind, shape: Shape, rng: np.random.Generator) -> NDArray[np.float64]:
    if kind.is_rare:
        return np.array([0.9, 0.1])
    even = np.ones(shape.n_classes) / shape.n_classes
    return even if rng.random() < 0.5 else 0.5 * even + 0.5 * rng.dirichlet(np.full(shape.n_classes, 4.0))


def permuted(codes: NDArray[np.int64], share: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return *codes* of which a *share* of the rows is permuted.

    >>> permuted(np.array([0, 1, 1]), 0.0, np.random.default_rng(0)).tolist()
    [0, 1, 1]
    """
    rows = rng.choice(len(codes), round(share * len(codes)), replace=False)
    moved = codes.copy()
    moved[rows] = codes[rng.permutation(rows)]
    return moved


def _part(
    shape: Shape, n: int, shares: list[NDArray[np.float64]], signals: NDArray[np.float64], rng: np.random.Generator
) -> Part:
    codes = np.stack([rng.choice(shape.n_classes, n, p=own) for own in shares])
    shown = rng.random(codes.shape) < signals[:, None]
    if not shape.n_words:
        vectors = rng.normal(size=(*codes.shape, WIDTH)).astype(np.float32)
        vectors[(*np.nonzero(shown), codes[shown])] += 5
        return Part(torch.from_numpy(vectors), torch.from_numpy(codes))
    words = N_SHOWING + _words(shape.n_words, (*codes.shape, LENGTH), rng)
    words[(*np.nonzero(shown), rng.integers(0, LENGTH, shown.sum()))] = codes[shown]
    words += np.arange(TOGETHER)[:, None, None] * (shape.n_words + N_SHOWING)
    return Part(torch.from_numpy(words), torch.from_numpy(codes))


def _words(n_words: int, size: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.int64]:
    if n_words == max(VOCABULARIES):
        return rng.integers(0, n_words, size)
    return rng.zipf(1.3, size).clip(max=n_words) - 1


class Networks(nn.Module):
    """Some networks with one hidden layer, each with weights of its own."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        n_words, width = TOGETHER * (shape.n_words + N_SHOWING), EMBED if shape.n_words else WIDTH
        self.embed = nn.EmbeddingBag(n_words, EMBED, mode="mean") if shape.n_words else None
        self.weights = nn.ParameterList(
            _uniform(TOGETHER, before, after)
            for before, after in ((width, shape.hidden), (shape.hidden, shape.n_classes))
        )
        self.biases = nn.ParameterList(
            nn.Parameter(torch.zeros(TOGETHER, 1, after)) for after in (shape.hidden, shape.n_classes)
        )
        self.dropout = shape.dropout

    def _read(self, words: Tensor) -> Tensor:
        """Return the mean embedding of the words of each row, shape (networks, rows, EMBED)."""
        bags: Tensor = self.embed(words.flatten(0, 1))
        return bags.unflatten(0, words.shape[:2])

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits, shape (networks, rows, classes)."""
        vectors = inputs if self.embed is None else self._read(inputs)  # (networks, rows, width)
        hidden = functional.relu(torch.baddbmm(self.biases[0], vectors, self.weights[0]))
        hidden = functional.dropout(hidden, self.dropout, self.training)
        return torch.baddbmm(self.biases[1], hidden, self.weights[1])


def _uniform(n: int, before: int, after: int) -> nn.Parameter:
    return nn.Parameter((2 * torch.rand(n, before, after) - 1) / before**0.5)


def _trained(shape: Shape, kind: Kind, train: Part, valid: Part) -> list[list[list[float]]]:
    """Return the curves of each network, each of shape (epochs, 4)."""
    networks = Networks(shape)
    optimiser = torch.optim.Adam(networks.parameters(), lr=shape.lr, fused=True)
    epochs: list[Tensor] = []
    while len(epochs) < LAST_EPOCH:
        running = _epoch(networks, optimiser, train, shape.batch)
        seen = running if kind.is_running else _measured(networks, train)
        epochs.append(torch.cat([seen, _measured(networks, valid)]))
        if len(epochs) >= shape.epochs and (not kind.is_overfitted or float(seen[1].min()) >= MEMORIZED):
            break
    curves: list[list[list[float]]] = torch.stack(epochs).permute(2, 0, 1).tolist()
    return [[[round(value, 4) for value in epoch] for epoch in own] for own in curves]


def _epoch(networks: Networks, optimiser: torch.optim.Optimizer, train: Part, batch: int) -> Tensor:
    """Train one epoch, and return the mean loss and accuracy of the batches, each before its step: (2, networks)."""
    networks.train()
    n_rows, total = train.codes.shape[1], torch.zeros(2, TOGETHER)
    for rows in torch.randperm(n_rows).split(batch):
        logits, codes = networks(train.inputs[:, rows]), train.codes[:, rows]
        losses = functional.cross_entropy(logits.transpose(1, 2), codes, reduction="none").mean(1)
        optimiser.zero_grad()
        losses.sum().backward()
        optimiser.step()
        right = (logits.detach().argmax(2) == codes).float().mean(1)
        total += len(rows) * torch.stack([losses.detach(), right])
    return total / n_rows


def _measured(networks: Networks, part: Part) -> Tensor:
    """Return loss and accuracy of a part without training: (2, networks)."""
    networks.eval()
    with torch.no_grad():
        logits = networks(part.inputs)
    losses = functional.cross_entropy(logits.transpose(1, 2), part.codes, reduction="none").mean(1)
    return torch.stack([losses, (logits.argmax(2) == part.codes).float().mean(1)])
