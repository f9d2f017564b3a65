"""Neural contenders: what training promises, on tiny pairs."""

import pickle
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image
from sklearn.base import clone

from contender_contract import is_same, kept
from counterpoint.contenders import make
from counterpoint.contenders.batches import Batches, Material
from counterpoint.contenders.training import Loss, Patience, balanced_weights
from counterpoint.errors import ConfigError
from counterpoint.schema import HISTORY

pytestmark = pytest.mark.slow

TEXT = {"embed": 8, "hidden": 8, "epochs": 15, "batch": 8}
IMAGE = {"side_px": 8, "mode": "gray", "width": 4, "epochs": 6, "batch": 8}
JOINT = {"text": TEXT, "image": IMAGE, "hidden": 8, "epochs": 6, "batch": 8}
KINDS = {"text-lstm": TEXT, "image-cnn": IMAGE, "lstm-cnn": JOINT}
each_kind = pytest.mark.parametrize(("kind", "settings"), KINDS.items())


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Cats are dark pictures, dogs light ones; the texts say as much."""
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    rows = []
    for i in range(48):
        label, shade = ("cat", 60) if i % 2 else ("dog", 190)
        path = folder / f"{i}.png"
        Image.fromarray((shade + rng.integers(-40, 40, (8, 8))).astype(np.uint8)).save(path)
        rows.append({"text": f"a {label} number {i}", "image": str(path), "label": label, "group": str(i)})
    return pl.DataFrame(rows)


@pytest.fixture(scope="module")
def fitted(pairs):
    split = {"validation": (pairs[32:40], pairs["label"][32:40])}
    return {
        kind: make(kind, **settings).fit(pairs[:32], pairs["label"][:32], **split) for kind, settings in KINDS.items()
    }


@each_kind
def test_it_learns_what_is_there_to_learn(kind, settings, fitted, pairs):
    assert fitted[kind].score(pairs[40:], pairs["label"][40:]) == 1.0


@each_kind
def test_the_same_seed_gives_the_same_bytes_whatever_the_global_state(kind, settings, fitted, pairs):
    torch.manual_seed(99)
    np.random.seed(99)
    split = {"validation": (pairs[32:40], pairs["label"][32:40])}
    again = make(kind, **settings).fit(pairs[:32], pairs["label"][:32], **split)
    assert again.predict_proba(pairs).tobytes() == fitted[kind].predict_proba(pairs).tobytes()
    assert again.history_ == fitted[kind].history_


@each_kind
def test_fit_and_predict_leave_the_random_state_of_torch_alone(kind, settings, pairs):
    before = torch.get_rng_state()
    clone(make(kind, **settings)).fit(pairs, pairs["label"]).predict_proba(pairs)
    assert torch.equal(torch.get_rng_state(), before)


@each_kind
def test_another_seed_gives_another_fit(kind, settings, fitted, pairs):
    other = make(kind, **settings, seed=1).fit(pairs[:32], pairs["label"][:32])
    assert not np.array_equal(other.predict_proba(pairs), fitted[kind].predict_proba(pairs))


@each_kind
def test_history_has_a_row_an_epoch_of_finite_numbers(kind, settings, fitted):
    model = fitted[kind]
    assert [row["epoch"] for row in model.history_] == list(range(1, model.n_epochs_ + 1))
    assert all(set(row) == set(HISTORY) - {"contender", "seed", "fold"} for row in model.history_)
    assert [row["is_kept"] for row in model.history_].count(True) == 1
    assert np.isfinite([row[name] for row in model.history_ for name in row if name not in ("epoch", "branch")]).all()


@each_kind
def test_the_epoch_of_the_lowest_validation_loss_after_scaling_is_kept(kind, settings, fitted, pairs):
    model = fitted[kind]
    losses = [row["scaled_loss"] for row in model.history_]
    assert model.best_epoch_ == 1 + int(np.argmin(losses))
    assert model.history_[model.best_epoch_ - 1]["is_kept"]
    validation = pairs[32:40]
    column = np.searchsorted(model.classes_, validation["label"].to_numpy())
    chances = model.predict_proba(validation)[np.arange(8), column]
    assert -np.log(chances).mean() == pytest.approx(min(losses), rel=1e-4)


@pytest.mark.parametrize("class_weight", ["balanced", None])
def test_losses_of_the_history_are_those_of_the_class_shares_of_training(class_weight, pairs):
    train = pl.concat([pairs[:32], pairs[:32].filter(label="dog")])  # two dogs for each cat
    split = {"validation": (pairs[32:], pairs["label"][32:])}
    model = make("text-lstm", **{**TEXT, "epochs": 1, "lr": 1e-6}, class_weight=class_weight, label_smoothing=0.0)
    [epoch] = model.fit(train, train["label"], **split).history_
    guessing = np.array([1, 2]) / 3 if class_weight else np.array([1, 1]) / 2  # a network that has not learned
    assert epoch["train_loss"] == pytest.approx(-(np.array([1, 2]) / 3) @ np.log(guessing), abs=0.05)
    assert epoch["valid_loss"] == pytest.approx(-np.log(guessing).mean(), abs=0.05)


def test_patience_is_counted_from_the_end_of_the_warm_up():
    assert [epochs_until_a_stop(warm_up=n, patience=p) for n, p in ((0, 2), (4.5, 2), (4.5, 1), (9, 2))] == [
        3,
        6,
        5,
        11,
    ]


def epochs_until_a_stop(*, warm_up, patience):
    """Return the epochs that run where the first one has the lowest loss."""
    net = SimpleNamespace(history=Curve(), verbose=0, module_=torch.nn.Linear(1, 1))
    stop = Patience("loss", patience, warm_up)
    stop.on_train_begin(net)
    for epoch in range(1, 16):
        net.history.append({"epoch": epoch, "loss": 1.0 if epoch == 1 else 2.0})
        try:
            stop.on_epoch_end(net)
        except KeyboardInterrupt:
            return epoch
    return None


class Curve(list):
    """A history of epochs, read as skorch reads its own."""

    def __getitem__(self, key):
        return super().__getitem__(key[0])[key[1]]


@each_kind
def test_a_pickled_fit_predicts_the_same_and_holds_no_training_data(kind, settings, fitted, pairs):
    stored = pickle.dumps(fitted[kind])
    assert pickle.loads(stored).predict_proba(pairs).tobytes() == fitted[kind].predict_proba(pairs).tobytes()
    assert pairs["image"][0].encode() not in stored
    assert len(stored) < 6 * 4 * fitted[kind].n_parameters_ + 40_000


@each_kind
def test_a_prediction_does_not_depend_on_the_other_rows(kind, settings, fitted, pairs):
    together = fitted[kind].predict_proba(pairs)
    alone = np.concatenate([fitted[kind].predict_proba(pairs[i : i + 1]) for i in range(len(pairs))])
    assert np.allclose(together, alone, atol=1e-6)


@each_kind
def test_a_missing_modality_is_read_as_missing(kind, settings, fitted, pairs):
    bare = pairs[:2].with_columns(text=pl.lit(None, pl.String), image=pl.lit(None, pl.String))
    proba = fitted[kind].predict_proba(bare)
    assert np.isfinite(proba).all()
    assert np.allclose(proba[0], proba[1])


def test_the_joint_network_still_reads_the_modality_that_is_there(fitted, pairs):
    model, test = fitted["lstm-cnn"], pairs[40:]
    for column in ("text", "image"):
        assert model.score(test.with_columns(pl.lit(None, pl.String).alias(column)), test["label"]) == 1.0


def test_the_joint_network_starts_from_the_fits_it_gets_and_leaves_them_alone(fitted, pairs):
    fits = {kind: fitted[kind] for kind in ("text-lstm", "image-cnn")}
    before = {kind: fit.predict_proba(pairs) for kind, fit in fits.items()}
    model = make("lstm-cnn", **JOINT).fit(pairs[:32], pairs["label"][:32], fits=fits)
    assert model.branches_["text-lstm"].vocabulary_ == fits["text-lstm"].vocabulary_
    assert all(np.array_equal(fit.predict_proba(pairs), before[kind]) for kind, fit in fits.items())


def test_from_scratch_the_joint_network_needs_no_fits(pairs):
    model = make("lstm-cnn", **{**JOINT, "start": "scratch", "lr": 5e-3, "epochs": 8})
    assert model.needs == ()
    assert model.pixel_settings() == {"side_px": 8, "mode": "gray", "aspect": "keep"}
    assert model.fit(pairs, pairs["label"]).score(pairs, pairs["label"]) > 0.9
    assert is_same(kept(model), model, pairs)


def test_the_settings_of_a_branch_are_checked_with_its_name(pairs):
    with pytest.raises(ConfigError, match=r"text-lstm.hiden.*Did you mean 'hidden'"):
        make("lstm-cnn", text={"hiden": 8}).fit(pairs, pairs["label"])


def test_training_stops_after_patience_and_ctrl_c_is_not_taken_for_that(pairs, monkeypatch):
    noise = pairs["label"].sample(fraction=1.0, shuffle=True, seed=0)
    model = make("text-lstm", **{**TEXT, "epochs": 60, "patience": 2, "lr": 0.05})
    model.fit(pairs[:32], noise[:32], validation=(pairs[32:], noise[32:]))
    assert model.n_epochs_ == max(model.best_epoch_, 0.3 * 60) + 2 < 60  # not within the warm-up

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Material, "__getitem__", interrupt)
    with pytest.raises(KeyboardInterrupt):
        make("text-lstm", **TEXT).fit(pairs, pairs["label"])


def test_batches_hold_every_row_once_and_texts_of_about_one_length():
    lengths = np.random.default_rng(0).integers(0, 30, 200)
    material = Material(np.arange(200), tokens=[np.full(n, 2, dtype=np.int32) for n in lengths])
    batches = Batches(material, batch_size=16, seed=0)
    first, second = batches.orders(), batches.orders()
    assert sorted(np.concatenate(first)) == list(range(200))
    assert [rows.tolist() for rows in first] != [rows.tolist() for rows in second]
    padded = sum(len(rows) * lengths[rows].max() for rows in first)
    assert padded < 1.25 * lengths.sum()


def test_a_batch_is_padded_to_its_own_longest_text():
    texts = [np.full(n, 2, dtype=np.int32) for n in (3, 5, 90)]
    inputs, _ = Material(np.zeros(3, dtype=np.int64), tokens=texts)[np.array([0, 1])]
    assert inputs["tokens"].shape == (2, 5)


def test_auxiliary_losses_count_in_training_only():
    logits = torch.zeros(2, 3, 2)
    logits[:, 0, 0] = 5.0
    loss = Loss(auxiliary=1.0)
    codes = torch.zeros(2, dtype=torch.int64)
    alone, together = float(loss.eval()(logits, codes)), float(loss.train()(logits, codes))
    assert together == pytest.approx(alone + 2 * np.log(2), rel=1e-5)


def test_a_class_of_few_rows_weighs_as_much_as_one_of_many(pairs):
    codes = np.array([0] * 9 + [1])
    assert (np.bincount(codes) * balanced_weights(codes, 2).numpy()).tolist() == pytest.approx([5.0, 5.0])


def test_a_row_a_class_is_enough_to_fit(pairs):
    model = make("image-cnn", **IMAGE).fit(pairs[:2], pairs["label"][:2])
    assert model.predict_proba(pairs[:2]).shape == (2, 2)


def test_the_estimated_time_grows_with_rows_and_epochs_and_leaves_out_branches_that_it_gets():
    image = make("image-cnn", width=16, stride=4)
    text = make("text-lstm")
    assert image.estimate_s(2000, {}) > 1.9 * image.estimate_s(1000, {})
    assert make("image-cnn", width=16, stride=4, epochs=60).estimate_s(1000, {}) > 1.9 * image.estimate_s(1000, {})
    joint = make("lstm-cnn")
    with_fits = joint.estimate_s(1000, {"text-lstm": text, "image-cnn": image})
    assert joint.estimate_s(1000, {}) > with_fits + text.estimate_s(1000, {}) > with_fits > 0
