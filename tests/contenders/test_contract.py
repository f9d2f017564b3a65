"""What every entry of MODELS must do.  A new line in the table needs a line in TINY, and no test of its own."""

import pickle
from collections.abc import Callable
from contextlib import nullcontext
from copy import deepcopy
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

from contender_material import NAMES, make_pairs
from counterpoint.contenders import MODELS, make
from counterpoint.contenders.base import Contender
from counterpoint.contenders.encoded import Encoded
from counterpoint.contenders.kept.files import keep, load
from counterpoint.errors import ConfigError, ImageWarning, SchemaError
from counterpoint.schema import HISTORY

LSTM = {"embed": 8, "hidden": 8, "epochs": 2, "batch": 8}
CNN = {"side_px": 8, "width": 4, "epochs": 1, "batch": 8}
PAPER_LSTM = {"hidden": 8, "length": 6, "epochs": 2, "batch": 8}
TINY: dict[str, dict[str, Any]] = {
    "majority": {},
    "keyword-rule": {"n_words": 3, "min_count": 1},
    "metadata": {"rounds": 3},
    "text-svm": {},
    "text-lstm": LSTM,
    "image-cnn": CNN,
    "lstm-cnn": {"text": LSTM, "image": CNN, "hidden": 8, "epochs": 1, "batch": 8},
    "late-fusion": {"branches": {"text-lstm": LSTM, "image-cnn": CNN}},
    "paper-text-svm": {},
    "paper-text-lstm": PAPER_LSTM,
    "paper-image-cnn": {"side_px": 16, "layers": 4, "epochs": 1, "batch": 8},
    "paper-lstm-cnn": {**PAPER_LSTM, "side_px": 16},
}
GRID: dict[str, tuple[str, list[Any]]] = {
    "majority": ("smoothing", [1.0, 2.0]),
    "keyword-rule": ("n_words", [1, 2]),
    "metadata": ("leaves", np.arange(2, 4)),
    "text-svm": ("c", [0.1, 1.0]),
    "text-lstm": ("hidden", [4, 8]),
    "image-cnn": ("width", [2, 4]),
    "lstm-cnn": ("hidden", [4, 8]),
    "late-fusion": ("text", [("text-svm",), ("text-lstm",)]),
    "paper-text-svm": ("c", [0.1, 1.0]),
    "paper-text-lstm": ("hidden", [4, 8]),
    "paper-image-cnn": ("dropout", [0.3, 0.9]),
    "paper-lstm-cnn": ("activation", ["relu", "softmax"]),
}
Fitted = Callable[[str, int], Any]
every_contender = pytest.mark.parametrize("name", MODELS)


@pytest.fixture(scope="session")
def pairs(tmp_path_factory) -> dict[int, pl.DataFrame]:
    return {n: make_pairs(tmp_path_factory.mktemp("images"), n=24, n_classes=n) for n in (2, 3)}


@pytest.fixture(scope="session")
def fitted(pairs) -> Fitted:
    @cache
    def fit(name: str, n_classes: int) -> Any:
        rows = pairs[n_classes]
        return make(name, **TINY[name]).fit(rows.drop("label"), rows["label"])

    return fit


def same(a: Any, b: Any, rows: pl.DataFrame) -> bool:
    return a.predict_proba(rows).tobytes() == b.predict_proba(rows).tobytes()


def shown(value: Any) -> Any:
    """Return what a model shows as bytes or rows, to be compared."""
    if isinstance(value, Encoded):
        places = np.arange(len(value.text.vectors))
        return [array.tobytes() for array in (*value.text, *value.image, value.logits(places, places[::-1]))]
    return value.rows() if isinstance(value, pl.DataFrame) else value


def test_every_contender_has_a_tiny_form():
    assert set(TINY) == set(MODELS) == set(GRID)


@every_contender
def test_says_what_it_reads_and_whether_a_seed_matters(name):
    model = make(name, **TINY[name])
    assert isinstance(model, Contender)
    assert set(model.modalities) <= {"text", "image"}
    assert set(model.needs) <= set(MODELS)


@every_contender
def test_takes_a_seed_which_changes_nothing_where_it_says_so(name, pairs, fitted):
    model = make(name, **TINY[name], seed=7)
    assert model.get_params()["seed"] == 7
    assert clone(model).set_params(seed=8).seed == 8
    if not model.is_seeded:
        assert same(model.fit(pairs[2].drop("label"), pairs[2]["label"]), fitted(name, 2), pairs[2])


@every_contender
def test_clones_and_takes_its_own_params(name):
    key, values = GRID[name]
    model = make(name, **TINY[name])
    copy = clone(model).set_params(**{key: values[0]})
    assert copy.get_params() == model.get_params() | {key: values[0]}


@every_contender
@pytest.mark.parametrize("n_classes", [2, 3])
def test_chances_of_each_row_sum_to_one(name, n_classes, pairs, fitted):
    model, rows = fitted(name, n_classes), pairs[n_classes]
    proba = model.predict_proba(rows)
    assert proba.dtype == np.float64
    assert proba.shape == (len(rows), n_classes)
    assert (proba >= 0).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-9)
    assert model.classes_.tolist() == list(NAMES[:n_classes])
    assert model.predict(rows).tolist() == model.classes_[proba.argmax(axis=1)].tolist()


@every_contender
def test_says_what_the_fit_took(name, fitted):
    model = fitted(name, 2)
    assert model.n_parameters_ > 0
    assert model.n_trials_ >= 1
    assert model.n_epochs_ >= len(model.history_) >= 0
    assert all(set(epoch) <= set(HISTORY) for epoch in model.history_)


@every_contender
def test_labels_may_be_whole_numbers(name, pairs):
    codes = np.where(pairs[2]["label"].to_numpy() == "plant", 7, 3)
    codes[::2] = 7
    model = make(name, **TINY[name]).fit(pairs[2], codes)
    assert model.classes_.tolist() == [3, 7]
    assert set(model.predict(pairs[2]).tolist()) <= {3, 7}


@every_contender
@pytest.mark.parametrize("missing", [("text",), ("image",), ("text", "image")])
def test_a_missing_side_has_a_prediction(name, missing, pairs, fitted):
    rows = pairs[2].with_columns(pl.lit(None, pl.String).alias(side) for side in missing)
    proba = fitted(name, 2).predict_proba(rows)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-9)


@every_contender
def test_learns_where_every_text_and_image_is_missing(name, pairs):
    rows = pairs[2].with_columns(pl.lit(None, pl.String).alias(side) for side in ("text", "image"))
    model = make(name, **TINY[name])
    with pytest.warns(ImageWarning) if model.modalities == ("image",) else nullcontext():
        model.fit(rows, rows["label"])
    proba = model.predict_proba(rows)
    np.testing.assert_array_equal(proba, np.tile(proba[:1], (len(rows), 1)))


@every_contender
def test_a_row_alone_is_predicted_as_among_others(name, pairs, fitted):
    model, rows = fitted(name, 3), pairs[3]
    alone = np.concatenate([model.predict_proba(rows[i : i + 1]) for i in (0, 3, 5, 7)])
    np.testing.assert_allclose(alone, model.predict_proba(rows)[[0, 3, 5, 7]], atol=1e-5)


@every_contender
def test_no_rows_have_no_predictions(name, pairs, fitted):
    assert fitted(name, 3).predict_proba(pairs[3][:0]).shape == (0, 3)
    assert len(fitted(name, 3).predict(pairs[3][:0])) == 0


@every_contender
def test_predicts_the_same_bytes_after_pickling(name, pairs, fitted):
    model = fitted(name, 2)
    assert same(pickle.loads(pickle.dumps(model)), model, pairs[2])


@every_contender
@pytest.mark.parametrize("n_classes", [2, 3])
def test_predicts_the_same_bytes_after_it_was_kept(name, n_classes, pairs, fitted, tmp_path):
    model, rows = fitted(name, n_classes), pairs[n_classes]
    before = torch.get_rng_state().numpy().tobytes()
    keep(model, tmp_path)
    again = load(tmp_path)
    assert before == torch.get_rng_state().numpy().tobytes()
    assert same(again, model, rows)
    assert vars(again).keys() == vars(model).keys()
    assert again.get_params() == model.get_params()
    assert (again.classes_.dtype, again.history_) == (model.classes_.dtype, model.history_)
    counts = ("n_epochs_", "n_parameters_", "n_trials_")
    assert [getattr(again, count) for count in counts] == [getattr(model, count) for count in counts]


@every_contender
def test_shows_the_same_after_it_was_kept(name, pairs, fitted, tmp_path):
    model, rows = fitted(name, 2), pairs[2]
    keep(model, tmp_path)
    again = load(tmp_path)
    assert again.pixel_settings() == model.pixel_settings()
    assert again.needs == model.needs
    for method in {"encoded", "layer_table", "top_words"} & set(dir(model)):
        given = () if method == "top_words" else (rows,)
        one, other = (shown(getattr(each, method)(*given)) for each in (model, again))
        assert one == other
    assert getattr(again, "rule_", None) == getattr(model, "rule_", None)


@every_contender
@pytest.mark.parametrize("numbers", [(3, 7), (0.5, 2.5), (False, True)])
def test_the_type_of_its_classes_is_kept(name, numbers, pairs, tmp_path):
    labels = np.array(numbers)[np.arange(len(pairs[2])) % 2]
    model = make(name, **TINY[name]).fit(pairs[2], labels)
    keep(model, tmp_path)
    again = load(tmp_path)
    assert (again.classes_.dtype, again.classes_.tolist()) == (model.classes_.dtype, list(numbers))
    assert same(again, model, pairs[2])


@every_contender
def test_a_kept_fit_can_be_copied_pickled_and_kept_again(name, pairs, fitted, tmp_path):
    keep(fitted(name, 3), tmp_path)
    again = load(tmp_path)
    keep(again, tmp_path)
    for copy in (deepcopy(again), pickle.loads(pickle.dumps(again)), load(tmp_path)):
        assert same(copy, fitted(name, 3), pairs[3])
    assert clone(again).get_params() == again.get_params()


@every_contender
def test_the_same_seed_gives_the_same_bytes_and_no_seed_of_ours_leaks(name, pairs, fitted):
    rows = pairs[2]
    before = np.random.get_state()[1].tobytes(), torch.get_rng_state().numpy().tobytes()
    again = make(name, **TINY[name]).fit(rows.drop("label"), rows["label"])
    assert same(again, fitted(name, 2), rows)
    assert before == (np.random.get_state()[1].tobytes(), torch.get_rng_state().numpy().tobytes())


@every_contender
def test_the_order_of_columns_and_what_it_does_not_read_change_nothing(name, pairs, fitted):
    rows = pairs[2]
    turned = rows.select("image", pl.lit(1).alias("extra"), "text")
    assert fitted(name, 2).predict_proba(turned).tobytes() == fitted(name, 2).predict_proba(rows).tobytes()


@every_contender
def test_an_unknown_setting_is_one_clear_line(name):
    key, _ = GRID[name]
    with pytest.raises(ConfigError, match=rf"Unknown key '{name}\.{key}x'\. Did you mean '{key}'\?"):
        make(name, **{f"{key}x": 1})


@every_contender
def test_a_setting_of_a_wrong_kind_is_one_clear_line(name, pairs):
    key, _ = GRID[name]
    with pytest.raises(ConfigError, match=rf"{name}\.{key}: .*got "):
        make(name, **{key: object()})
    with pytest.raises(ConfigError, match=rf"{key}: .*got "):
        make(name).set_params(**{key: object()}).fit(pairs[2], pairs[2]["label"])


@every_contender
def test_a_missing_column_is_named(name, pairs):
    model = make(name, **TINY[name])
    lacking = pairs[2].drop("text", "image")
    if model.modalities:
        with pytest.raises(SchemaError, match=f"X lacks {', '.join(model.modalities)}; found id, group"):
            model.fit(lacking, lacking["label"])
    else:
        assert "text" not in model.modalities


@every_contender
def test_one_class_is_refused(name, pairs):
    with pytest.raises(SchemaError, match=r"at least two classes; y has \['x'\]"):
        make(name, **TINY[name]).fit(pairs[2], ["x"] * len(pairs[2]))


@every_contender
@pytest.mark.parametrize("kind", ["polars", "pandas", "arrow"])
def test_scikit_learn_can_cross_validate_it(name, kind, pairs):
    frame = pairs[2].select("text", "image", "group")
    X = {"polars": frame, "pandas": frame.to_pandas(), "arrow": frame.to_arrow()}[kind]
    if kind == "arrow":
        model = make(name, **TINY[name]).fit(X, pairs[2]["label"].to_arrow())
        assert len(model.predict(X)) == len(frame)
        return
    y = pairs[2]["label"] if kind == "polars" else pairs[2]["label"].to_pandas()
    scores = cross_val_score(make(name, **TINY[name]), X, y, cv=2, error_score="raise")
    assert ((scores >= 0) & (scores <= 1)).all()


@every_contender
def test_scikit_learn_can_search_its_settings(name, pairs):
    key, values = GRID[name]
    search = GridSearchCV(make(name, **TINY[name]), {key: values}, cv=2, error_score="raise", scoring="accuracy")
    search.fit(pairs[2].drop("label"), pairs[2]["label"])
    assert search.best_params_[key] in list(values)


@every_contender
def test_takes_validation_rows_and_never_changes_what_it_is_given(name, pairs):
    rows = pairs[3]
    train, validation = rows[:16], rows[16:]
    copies = train.clone(), validation.clone()
    model = make(name, **TINY[name]).fit(train, train["label"], validation=(validation, validation["label"]))
    assert model.predict_proba(validation).shape == (8, 3)
    assert train.equals(copies[0])
    assert validation.equals(copies[1])


@every_contender
def test_validation_rows_of_a_class_that_training_lacks_are_left_out(name, pairs):
    rows = pairs[3]
    known = rows.filter(pl.col("label") != "plant")
    model = make(name, **TINY[name]).fit(known, known["label"], validation=(rows, rows["label"]))
    assert model.classes_.tolist() == ["animal", "machine"]
