"""The published models train as published: Adam, a fixed number of epochs, the last weights; or stop when told to."""

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC
from torch import nn

from counterpoint.contenders import make
from counterpoint.contenders.base import Rows
from counterpoint.contenders.published.image_cnn import PaperImageCNN
from counterpoint.contenders.published.last_state import LastState
from counterpoint.contenders.published.losses import BroadcastLoss, row_losses, row_scores
from counterpoint.contenders.published.lstm_cnn import PaperLSTMCNN
from counterpoint.contenders.published.reading import TextReading
from counterpoint.contenders.published.text_lstm import PaperTextLSTM
from counterpoint.errors import ConfigError

PAIRS = pl.DataFrame({"text": ["a red fox", "the old fox", "a blue car", "the old car"] * 8})
LABELS = np.array(["animal", "animal", "thing", "thing"] * 8)
WRONG = np.roll(LABELS, 2)
"""Validation labels that get worse to predict with every epoch."""
SMALL = {"hidden": 4, "length": 4, "batch": 8, "epochs": 4, "lr": 0.01}


def fitted(**settings) -> PaperTextLSTM:
    return PaperTextLSTM(**SMALL, **settings).fit(PAIRS, LABELS, validation=(PAIRS[:8], WRONG[:8]))


def loss(model: PaperTextLSTM) -> float:
    proba = model.predict_proba(PAIRS[:8])
    return float(-np.log(proba[np.arange(8), np.searchsorted(model.classes_, WRONG[:8])]).mean())


def test_without_patience_all_epochs_are_used_and_the_last_weights_kept():
    model = fitted()
    assert (model.n_epochs_, model.best_epoch_, len(model.history_)) == (4, 4, 4)
    losses = [epoch["valid_loss"] for epoch in model.history_]
    assert losses == sorted(losses)  # the first epoch was the best on validation
    assert loss(model) == pytest.approx(losses[-1], abs=1e-5)


def test_with_patience_it_stops_and_the_best_epoch_is_kept():
    model = fitted(patience=2)
    assert (model.n_epochs_, model.best_epoch_) == (3, 1)
    assert loss(model) == pytest.approx(model.history_[0]["valid_loss"], abs=1e-5)


@pytest.mark.parametrize(("name", "batch", "epochs"), [("paper-image-cnn", 64, 50), ("paper-lstm-cnn", 32, 15)])
def test_the_published_recipe_is_the_default(name, batch, epochs):
    model = make(name)
    assert (model.batch, model.epochs, model.lr, model.patience, model.class_weight) == (
        batch,
        epochs,
        1e-3,
        None,
        None,
    )
    assert (model.side_px, model.mode, model.aspect, model.resampling) == (64, "gray", "squash", "bilinear")


def test_the_optimiser_is_adam_at_one_thousandth_with_no_schedule_and_no_clipping():
    model = PaperTextLSTM(hidden=4, length=4)
    model.classes_ = np.array(["animal", "thing"])
    rows = Rows(PAIRS, np.zeros(len(PAIRS), dtype=np.int64))
    model._learn(rows, rows, {})
    net = model._trainer(model._network(), model._material(rows), model._material(rows)).initialize()
    [group] = net.optimizer_.param_groups
    assert type(net.optimizer_) is torch.optim.Adam
    assert (group["lr"], group["weight_decay"], group["betas"]) == (1e-3, 0, (0.9, 0.999))
    callbacks = dict(net.callbacks_)
    assert callbacks["watch"].clip == np.inf
    assert {"cycle", "stop"}.isdisjoint(callbacks)
    assert (net.criterion_.smoothing, net.criterion_.weight) == (0, None)


def test_what_was_not_published_is_off_by_default():
    model = make("paper-lstm-cnn")
    assert (model.padding, model.loss, model.order, model.divide_by) == ("pre", "categorical", "shuffled", 255)


def test_labels_broadcast_over_both_outputs_pull_them_together_and_are_half_right():
    logits, codes = torch.tensor([[2.0, -1.0], [0.5, 0.5]]), torch.tensor([1, 0])
    proba = logits.softmax(1)
    by_hand = -torch.stack([proba[0].log().mean(), (1 - proba[1]).log().mean()])
    torch.testing.assert_close(row_losses("broadcast", logits, codes), by_hand)
    torch.testing.assert_close(BroadcastLoss()(logits[:, None], codes), by_hand.mean())
    weighted = BroadcastLoss(weight=torch.tensor([3.0, 1.0]))(logits[:, None], codes)
    torch.testing.assert_close(weighted, (by_hand[0] + 3 * by_hand[1]) / 4)
    assert row_scores("broadcast", logits[:1], codes[:1]).item() == 0.5
    proba = fitted(loss="broadcast").predict_proba(PAIRS)
    assert np.abs(proba - 0.5).max() < np.abs(fitted().predict_proba(PAIRS) - 0.5).max()


def test_labels_of_three_classes_are_not_broadcast():
    with pytest.raises(ConfigError, match=r"loss: broadcast needs two classes\. These rows have 3"):
        PaperTextLSTM(**SMALL, loss="broadcast").fit(PAIRS, np.resize(["a", "b", "c"], len(PAIRS)))


@pytest.mark.parametrize("order", ["by_class", "shuffled"])
def test_only_in_class_order_every_epoch_ends_on_the_last_class(order):
    model = PaperTextLSTM(**SMALL, order=order)
    model.classes_ = np.array(["animal", "thing"])
    rows = Rows(PAIRS, np.searchsorted(model.classes_, LABELS))
    model._learn(rows, rows, {})
    material = model._material(rows)
    net = model._trainer(model._network(), material, material).initialize()
    batches = net.get_iterator(material, training=True)
    epochs = [torch.cat([codes for _, codes in batches]).tolist() for _ in range(2)]
    assert all((codes == sorted(codes)) == (order == "by_class") for codes in epochs)


def with_classes(model):
    model.classes_ = np.array(["animal", "thing"])
    model.tokenizer_ = None
    return model


def test_the_four_layer_variant_has_the_published_dropouts():
    network = with_classes(PaperImageCNN(layers=4))._network()
    assert [layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)] == pytest.approx([0.9, 0.7, 0.5])


@pytest.mark.parametrize(("setting", "softmaxes"), [({}, 3), ({"activation": "relu"}, 0)])
def test_every_activation_of_the_fusion_is_softmax_by_default(setting, softmaxes):
    network = with_classes(PaperLSTMCNN(**setting))._network()
    assert sum(isinstance(layer, nn.Softmax) for layer in network.modules()) == softmaxes
    assert isinstance(network.text.lstm, nn.LSTM)


def test_the_second_reading_has_softmax_in_the_lstm_too():
    network = with_classes(PaperLSTMCNN(lstm_activation="softmax"))._network()
    assert isinstance(network.text, LastState)
    assert not isinstance(network.text.lstm, nn.LSTM)


TRAIN = Rows(pl.DataFrame({"text": ["fox fox car"]}), np.array([0]))
VALIDATION = Rows(pl.DataFrame({"text": ["car car car bus"]}), np.array([0]))


@pytest.mark.parametrize(
    ("on", "words", "read"),
    [
        ("train", ("fox", "car"), [2, 2, 2]),
        ("train_and_validation", ("car", "fox", "bus"), [1, 1, 1]),
        ("again", ("fox", "car"), [1, 1, 1]),
    ],
)
def test_word_numbers_are_of_the_texts_that_the_tokenizer_was_fitted_on(on, words, read):
    reading = TextReading(2000, 4, "post", on)
    tokenizer = reading.learn(TRAIN, VALIDATION)
    assert tokenizer.words == words
    assert reading.tokens(tokenizer, VALIDATION.pairs)[0, :3].tolist() == read


def test_the_text_svm_calls_what_scikit_learns_own_calls():
    texts = PAIRS["text"].to_list()
    words = TfidfVectorizer(stop_words="english")
    svm = LinearSVC(dual=True, random_state=0).fit(words.fit_transform(texts), LABELS)
    unseen = ["an old fox", "a car", "nothing known"]
    model = make("paper-text-svm").fit(PAIRS, LABELS)
    assert model.predict(pl.DataFrame({"text": unseen})).tolist() == svm.predict(words.transform(unseen)).tolist()
