"""One training of the inquest, with all its validation faults scored at the weights of each epoch.

The network adds a term of the text and a term of the image, so each text and each image is encoded once in an epoch,
and every fault recombines the terms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.callbacks import Callback
from torch import Tensor

from candidates.config import Candidate, Texts
from counterpoint.contenders.base import Rows
from counterpoint.contenders.batches import PREDICTED_AT_ONCE
from counterpoint.contenders.published.keras_tokens import Ids, KerasTokenizer
from counterpoint.contenders.published.losses import row_losses, row_scores
from counterpoint.contenders.published.lstm_cnn import PaperLSTMCNN
from counterpoint.contenders.published.network import Published
from counterpoint.contenders.published.reading import TextReading
from counterpoint.contenders.published.text_lstm import PaperTextLSTM
from counterpoint.data.plant import plant
from counterpoint.measures.curve_signs import chance_agreement
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed

Places = NDArray[np.int64]
TRAIN, VALIDATION = "train", "validation"


@dataclass(frozen=True)
class Training:
    """A fit of a network, and the candidates that are scored on its held-out rows."""

    name: str
    data: str
    contender: str
    settings: Mapping[str, Any]
    pairs: Frame
    candidates: Mapping[str, Candidate]
    draws: int
    after: tuple[str, ...] = ()


class Recorded(Published):
    """A network that lets a recorder see every batch and every epoch."""

    recorder: "Recorder"

    def _trainer(self, network: Any, train: Any, validation: Any) -> NeuralNet:
        net = super()._trainer(network, train, validation)
        net.callbacks.append(("recorder", self.recorder))
        return net


class RecordedFusion(Recorded, PaperLSTMCNN):
    """The fusion."""


class RecordedText(Recorded, PaperTextLSTM):
    """Its text branch alone."""


KINDS: Mapping[str, type[Recorded]] = {"paper-lstm-cnn": RecordedFusion, "paper-text-lstm": RecordedText}


class View(NamedTuple):
    """The validation rows of a candidate in one draw, as places of encoded texts and images."""

    title: str
    draw: int
    texts: Places
    images: Places
    codes: Tensor
    chance: float


def curves(training: Training) -> list[dict[str, Any]]:
    """Return the curves of every candidate and draw of one training, one row each."""
    model = KINDS[training.contender](**{**training.settings, "device": "cpu"})  # where the recorder reads the network
    model.recorder = recorder = Recorder(model, training)
    parts = {part: training.pairs.filter(fold=part) for part in (TRAIN, VALIDATION)}
    model.fit(parts[TRAIN], parts[TRAIN]["label"], validation=(parts[VALIDATION], parts[VALIDATION]["label"]))
    learned = {"train_accuracy": recorder.train_accuracy, "train_loss": recorder.train_loss}
    return [row | learned for row in recorder.rows()]


def timed_curves(training: Training) -> tuple[list[dict[str, Any]], float]:
    """Return the rows of `curves`, and the seconds that they took."""
    started = perf_counter()
    return curves(training), perf_counter() - started


class Recorder(Callback):  # type: ignore[misc]
    """Keeps loss and accuracy of the training batches, and of all views at the end of each epoch."""

    def __init__(self, model: Recorded, training: Training) -> None:
        self.model, self.training = model, training
        self.train_accuracy: list[float] = []
        self.train_loss: list[float] = []
        self._curves: list[list[tuple[float, float]]] = []

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Forget the batches of the last epoch."""
        self._batches: list[tuple[Tensor, Tensor]] = []

    def on_batch_end(self, net: NeuralNet, batch: Any, training: bool, y_pred: Tensor, **kwargs: Any) -> None:
        """Keep the logits of a training batch.

        Parameters
        ----------
        net, batch
            *net* is the trainer, and *batch* the inputs of the network and their classes.
        training
            *training* is False for a batch of validation rows.
        y_pred
            *y_pred* are the logits, shape (batch, outputs, classes).
        kwargs
            *kwargs* are further arguments of skorch, which are not used.
        """
        if training:
            self._batches.append((y_pred[:, 0].detach(), batch[1]))

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Score the training batches and all views at the weights of this epoch."""
        logits, codes = (torch.cat(parts) for parts in zip(*self._batches, strict=True))
        loss, accuracy = self._scored(logits, codes)
        self.train_loss.append(loss)
        self.train_accuracy.append(accuracy)
        if not self._curves:
            self.encoded = Encoded(self.model)
            self.views = views(self.model, self.training, self.encoded)
        with torch.inference_mode():
            text, image = self.encoded.terms(net.module_.eval())
            bias = net.module_.out.bias
            self._curves.append([
                self._scored(text[view.texts] + image[view.images] + bias, view.codes) for view in self.views
            ])  # fmt: skip

    def rows(self) -> list[dict[str, Any]]:
        """Return the validation curves of every view."""
        return [
            {
                "candidate": view.title, "draw": view.draw, "chance": round(view.chance, 5), "n": len(view.codes),
                "loss": [epoch[place][0] for epoch in self._curves],
                "accuracy": [epoch[place][1] for epoch in self._curves],
            }
            for place, view in enumerate(self.views)
        ]  # fmt: skip

    def _scored(self, logits: Tensor, codes: Tensor) -> tuple[float, float]:
        """Return loss and accuracy as Keras computes them for the loss of this network."""
        found = (measure(self.model.loss, logits, codes) for measure in (row_losses, row_scores))
        loss, accuracy = (round(float(values.mean()), 5) for values in found)
        return loss, accuracy


@dataclass
class Encoded:
    """The texts and images of all views, each once."""

    model: Recorded
    texts: dict[bytes, int] = field(default_factory=dict)
    images: dict[tuple[int, int], int] = field(default_factory=dict)

    def places_of_texts(self, tokens: Ids) -> Places:
        """Return the place of each text, shape (n_texts,), of word ids of shape (n_texts, length)."""
        return np.array([self.texts.setdefault(row.tobytes(), len(self.texts)) for row in tokens])

    def places_of_images(self, rows: Places, divide_by: int) -> Places:
        """Return the place of the image of each of *rows* of the pairs, shape (n_rows,)."""
        return np.array([self.images.setdefault((int(row), divide_by), len(self.images)) for row in rows])

    def terms(self, network: Any) -> tuple[Tensor, Tensor]:
        """Return the part of each text and of each image in the logits, each of shape (n_places, n_classes)."""
        width = network.text.width
        ids = np.frombuffer(b"".join(self.texts), dtype=np.int32).reshape(len(self.texts), -1)
        vectors = [network.text(torch.from_numpy(part.astype(np.int64))) for part in _parts(ids)]
        text = torch.cat(vectors) @ network.out.weight[:, :width].T
        if network.image is None:
            return text, torch.zeros(len(self.images), text.shape[1])
        return text, torch.cat(list(self._image_vectors(network))) @ network.out.weight[:, width:].T

    def _image_vectors(self, network: Any) -> list[Tensor]:
        divide_by, vectors = network.image.divide_by, []
        keys = np.array(list(self.images))
        for divisor in np.unique(keys[:, 1]):
            network.image.divide_by = int(divisor)
            places = np.flatnonzero(keys[:, 1] == divisor)
            found = [network.image(*self._pixels(part)) for part in _parts(keys[places, 0])]
            vectors.append((places, torch.cat(found)))
        network.image.divide_by = divide_by
        order = np.argsort(np.concatenate([places for places, _ in vectors]))
        return [torch.cat([found for _, found in vectors])[order]]

    def _pixels(self, rows: Places) -> tuple[Tensor, Tensor]:
        inputs, _ = self.material[rows]
        return inputs["pixels"], inputs["has_image"]

    def __post_init__(self) -> None:
        pairs = self.model.recorder.training.pairs
        self.material = self.model._material(Rows(pairs, np.zeros(len(pairs), dtype=np.int64)))


def _parts(rows: NDArray[Any]) -> list[NDArray[Any]]:
    return np.array_split(rows, max(1, -(-len(rows) // PREDICTED_AT_ONCE)))


def views(model: Recorded, training: Training, encoded: Encoded) -> list[View]:
    """Return the validation rows of every candidate in every draw.

    Parameters
    ----------
    model
        *model* has learned its tokenizer.
    training
        *training* has the pairs, the candidates and the number of draws.
    encoded
        *encoded* receives the texts and images of the views.
    """
    return [
        view(model, training.pairs, encoded, title=title, candidate=candidate, draw=draw)
        for title, candidate in training.candidates.items()
        for draw in range(training.draws)
    ]


def view(model: Recorded, pairs: Frame, encoded: Encoded, *, title: str, candidate: Candidate, draw: int) -> View:
    """Return the validation rows of one candidate in one draw, with its fault.

    Parameters
    ----------
    model, pairs
        *model* has learned its tokenizer, and *pairs* are all rows.
    encoded
        *encoded* receives the texts and images.
    title, candidate, draw
        *candidate* has the name *title*, and *draw* seeds its rows and its fault.
    """
    drawn = drawn_rows(pairs, candidate, draw)
    labels = drawn["label"].to_numpy()
    codes = np.searchsorted(model.classes_, labels).astype(np.int64)
    texts = pairs["text"].gather(drawn["text"].to_list())
    divide_by: int = getattr(model, "divide_by", 255) if candidate.divide_by is None else candidate.divide_by
    shares = np.bincount(codes) / len(codes)
    return View(
        title, draw,
        encoded.places_of_texts(tokens(model, texts, candidate.texts)),
        encoded.places_of_images(drawn["image"].to_numpy(), divide_by),
        torch.from_numpy(codes),
        chance_agreement(shares, shares),
    )  # fmt: skip


def drawn_rows(pairs: Frame, candidate: Candidate, draw: int) -> Frame:
    """Return the validation rows of a draw: the rows of text and image among *pairs*, and the label.

    Parameters
    ----------
    pairs
        *pairs* are all rows with their folds.
    candidate
        *candidate* has the faults to plant.
    draw
        *draw* is the seed of the rows and of the faults.
    """
    rng = np.random.default_rng(child_seed(draw, "validation rows"))
    rows = pairs.select("id", "label", "fold", text=pl.int_range(pl.len()), image=pl.int_range(pl.len()))
    held_out = rows.filter(pl.col("fold") != TRAIN)
    n_rows = len(rows.filter(fold=VALIDATION))
    order = rng.permutation(len(held_out))
    chosen = held_out[order][:n_rows] if not candidate.is_even else _even(held_out[order], n_rows)
    faults = [fault.model_copy(update={"seed": draw}) for fault in candidate.faults]
    both = pl.concat([rows.filter(fold=TRAIN), chosen.with_columns(fold=pl.lit(VALIDATION))])
    return plant(both, faults).filter(fold=VALIDATION)


def _even(rows: Frame, n_rows: int) -> Frame:
    """Return the first of *rows*, as many of each class, at most *n_rows*."""
    sizes = rows["label"].value_counts()["count"].to_list()
    most = min(n_rows // len(sizes), *sizes)
    return rows.filter(pl.int_range(pl.len()).over("label") < most)


def tokens(model: Recorded, texts: pl.Series, read: Texts) -> Ids:
    """Return the word ids of validation *texts*, shape (n_texts, length), with the faults of *read*.

    Parameters
    ----------
    model
        *model* has learned its tokenizer.
    texts
        *texts* are the validation texts.
    read
        *read* is how they are read.
    """
    own = TextReading.of(model)
    n_words, padding = read.n_words or own.n_words, read.padding or own.padding
    assert n_words <= own.n_words, "a word number without a place in the embedding"
    reading = replace(own, n_words=n_words, padding=padding, fitted_on=read.tokenizer)
    tokenizer = KerasTokenizer(() if read.is_lost else model.tokenizer_.words[: n_words - 1])
    return reading.tokens(tokenizer, pl.DataFrame({"text": texts}))


def shared_settings(candidates: Mapping[str, Candidate]) -> list[tuple[Mapping[str, Any], list[str]]]:
    """Return the different settings of training, each with the titles of its candidates.

    >>> both = {"a": Candidate(), "b": Candidate(train={"loss": "broadcast"}), "c": Candidate(divide_by=1)}
    >>> shared_settings(both)
    [({}, ['a', 'c']), ({'loss': 'broadcast'}, ['b'])]
    """
    found: list[tuple[Mapping[str, Any], list[str]]] = []
    for title, candidate in candidates.items():
        titles: Sequence[list[str]] = [names for settings, names in found if settings == candidate.train]
        if titles:
            titles[0].append(title)
        else:
            found.append((candidate.train, [title]))
    return found
