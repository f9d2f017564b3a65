"""The contract of contenders, as functions that take a class alone: sizes and wrong settings come from the class.

`CONTRACT` lists the claims; each is a function whose name is the claim.  ``for claim in CONTRACT: claim(MyContender)``
holds a contender from outside this package to the same contract.
"""

import atexit
import pickle
import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from copy import deepcopy
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

from contender_material import NAMES, make_pairs
from counterpoint.contenders import MODELS, make, settings_of
from counterpoint.contenders.base import Contender
from counterpoint.contenders.encoded import Encoded
from counterpoint.contenders.kept.files import keep, load
from counterpoint.errors import ConfigError, ImageWarning, SchemaError
from counterpoint.lookup import path_of
from counterpoint.schema import HISTORY

Kind = type[Contender]
N_CLASSES = (2, 3)
ENCODERS = {
    "encoder": "tiny_encoders:Joint",
    "text_encoder": "tiny_encoders:Words",
    "image_encoder": "tiny_encoders:Colours",
}
"""An encoder of tiny_encoders for each setting that names an encoder."""


def small(kind: Kind, **settings: Any) -> Any:
    """Return an unfitted contender with the ``tiny`` settings of its class, and with encoders that need no package."""
    return make(path_of(kind), **{**tiny_settings(kind), **settings})


def tiny_settings(kind: Kind) -> dict[str, Any]:
    """Return the ``tiny`` settings of a class, and an encoder for each setting that names one."""
    encoders = {name: path for name, path in ENCODERS.items() if name in settings_of(kind).model_fields}
    return {**encoders, **kind.tiny}


@cache
def pairs_of(n_classes: int) -> pl.DataFrame:
    """Return 24 pairs, images and all, made once a process."""
    folder = mkdtemp(prefix="contract-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return make_pairs(Path(folder), n=24, n_classes=n_classes)


@cache
def imbalanced(n: int, seed: int) -> pl.DataFrame:
    """Return pairs of three classes at 60, 30 and 10 %, drawn from *n* pairs of equal classes."""
    folder = mkdtemp(prefix="contract-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    rows = make_pairs(Path(folder), n=n, n_classes=3, seed=seed)
    return pl.concat([rows.filter(label=name).head(n // 3 // k) for name, k in zip(NAMES, (1, 2, 6), strict=True)])


@cache
def fitted(kind: Kind, n_classes: int) -> Any:
    """Return a small contender that is fitted on the pairs of *n_classes*, once a process."""
    rows = pairs_of(n_classes)
    return small(kind).fit(rows.drop("label"), rows["label"])


def kept(model: Any) -> Any:
    """Return the fitted *model* as its files give it back."""
    path = path_of(type(model))
    with TemporaryDirectory() as folder:
        keep(model, Path(folder))
        return load(Path(folder), trusted=(*ENCODERS.values(), *(() if path in MODELS.values() else (path,))))


def is_same(a: Any, b: Any, rows: pl.DataFrame) -> bool:
    """Report whether two contenders predict the same bytes."""
    return bool(a.predict_proba(rows).tobytes() == b.predict_proba(rows).tobytes())


def grid_of(kind: Kind) -> dict[str, list[Any]]:
    """Return two allowed values of one setting: the first whose annotation shows a second value, or else the seed."""
    section = settings_of(kind)
    properties, own = section.model_json_schema()["properties"], section(**tiny_settings(kind))
    names = sorted(properties, key=lambda name: name == "seed")
    found = {name: _two_values(properties[name], getattr(own, name)) for name in names}
    return next(({name: values} for name, values in found.items() if values), {})


def _two_values(schema: Mapping[str, Any], value: Any) -> list[Any]:
    match schema:
        case {"enum": [first, second, *_]}:
            return [first, second]
        case {"type": "boolean"}:
            return [False, True]
        case {"type": "integer"}:
            return [value, value + (1 if value < schema.get("maximum", np.inf) else -1)]
        case {"type": "number"}:
            return [value, value / 2 or 0.5]
    return []


# Settings.


def it_declares_modalities_and_needs_that_exist(kind: Kind) -> None:
    model = small(kind)
    assert isinstance(model, Contender)
    assert set(model.modalities) <= {"text", "image"}
    assert set(model.needs) <= set(MODELS)


def it_takes_a_seed_that_changes_nothing_where_it_is_not_seeded(kind: Kind) -> None:
    model, rows = small(kind, seed=7), pairs_of(2)
    if "seed" in model.get_params():
        assert model.seed == 7
        assert clone(model).set_params(seed=8).seed == 8
    if not model.is_seeded:
        assert is_same(model.fit(rows.drop("label"), rows["label"]), fitted(kind, 2), rows)


def it_clones_and_takes_its_own_params(kind: Kind) -> None:
    model, change = small(kind), {name: values[-1] for name, values in grid_of(kind).items()}
    assert clone(model).set_params(**change).get_params() == model.get_params() | change
    assert model.get_params().keys() == settings_of(kind).model_fields.keys()


def it_names_an_unknown_setting_and_the_nearest_known_one(kind: Kind) -> None:
    with pytest.raises(ConfigError, match=rf"Unknown key '{re.escape(path_of(kind))}\.strangex'"):
        make(path_of(kind), strangex=1)
    for name in grid_of(kind):
        with pytest.raises(ConfigError, match=rf"'{re.escape(path_of(kind))}\.{name}x'\. Did you mean '{name}'\?"):
            make(path_of(kind), **{f"{name}x": 1})


def it_refuses_a_setting_of_a_wrong_kind_in_one_line(kind: Kind) -> None:
    rows = pairs_of(2)
    for name in settings_of(kind).model_fields:
        with pytest.raises(ConfigError, match=rf"{re.escape(path_of(kind))}\.{name}: .*got "):
            make(path_of(kind), **{name: object()})
        with pytest.raises(ConfigError, match=rf"{name}: .*got "):
            make(path_of(kind)).set_params(**{name: object()}).fit(rows, rows["label"])


# Rows and labels.


def it_learns_labels_that_are_whole_numbers(kind: Kind) -> None:
    codes = np.where(np.arange(len(pairs_of(2))) % 2, 3, 7)
    model = small(kind).fit(pairs_of(2), codes)
    assert model.classes_.tolist() == [3, 7]
    assert set(model.predict(pairs_of(2)).tolist()) <= {3, 7}


def it_names_a_missing_column(kind: Kind) -> None:
    model, lacking = small(kind), pairs_of(2).drop("text", "image")
    if model.modalities:
        with pytest.raises(SchemaError, match=f"X lacks {', '.join(model.modalities)}; found id, group"):
            model.fit(lacking, lacking["label"])


def it_refuses_a_single_class(kind: Kind) -> None:
    with pytest.raises(SchemaError, match=r"at least two classes; y has \['x'\]"):
        small(kind).fit(pairs_of(2), ["x"] * len(pairs_of(2)))


def it_takes_validation_rows_and_changes_no_input(kind: Kind) -> None:
    train, validation = pairs_of(3)[:16], pairs_of(3)[16:]
    copies = train.clone(), validation.clone()
    model = small(kind).fit(train, train["label"], validation=(validation, validation["label"]))
    assert model.predict_proba(validation).shape == (8, 3)
    assert train.equals(copies[0])
    assert validation.equals(copies[1])


def it_leaves_out_validation_rows_of_a_class_that_training_lacks(kind: Kind) -> None:
    rows = pairs_of(3)
    known = rows.filter(pl.col("label") != "plant")
    model = small(kind).fit(known, known["label"], validation=(rows, rows["label"]))
    assert model.classes_.tolist() == ["animal", "machine"]


def it_learns_where_every_text_and_image_is_missing(kind: Kind) -> None:
    rows = pairs_of(2).with_columns(pl.lit(None, pl.String).alias(name) for name in ("text", "image"))
    model = small(kind)
    with pytest.warns(ImageWarning) if model.modalities == ("image",) else nullcontext():
        model.fit(rows, rows["label"])
    proba = model.predict_proba(rows)
    np.testing.assert_array_equal(proba, np.tile(proba[:1], (len(rows), 1)))


# Predictions.


def its_mean_probabilities_are_near_the_class_shares_of_its_training_rows(kind: Kind) -> None:
    train, validation, test = imbalanced(180, 0), imbalanced(90, 1), imbalanced(180, 2)
    model = small(kind).fit(train, train["label"], validation=(validation, validation["label"]))
    mean = model.predict_proba(test).mean(axis=0)
    # With balanced class weights and no correction, tiny networks are .2 to .3 apart from these shares.
    assert not model.is_calibrated or mean == pytest.approx([0.6, 0.3, 0.1], abs=0.15)


def it_predicts_probabilities_that_sum_to_one(kind: Kind) -> None:
    for n_classes in N_CLASSES:
        model, rows = fitted(kind, n_classes), pairs_of(n_classes)
        proba = model.predict_proba(rows)
        assert proba.dtype == np.float64
        assert proba.shape == (len(rows), n_classes)
        assert (proba >= 0).all()
        np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-9)
        assert model.classes_.tolist() == list(NAMES[:n_classes])
        assert model.predict(rows).tolist() == model.classes_[proba.argmax(axis=1)].tolist()


def it_predicts_rows_that_lack_a_modality(kind: Kind) -> None:
    for missing in (("text",), ("image",), ("text", "image")):
        rows = pairs_of(2).with_columns(pl.lit(None, pl.String).alias(name) for name in missing)
        np.testing.assert_allclose(fitted(kind, 2).predict_proba(rows).sum(axis=1), 1, atol=1e-9)


def it_predicts_a_row_alone_as_among_others(kind: Kind) -> None:
    model, rows = fitted(kind, 3), pairs_of(3)
    alone = np.concatenate([model.predict_proba(rows[i : i + 1]) for i in (0, 3, 5, 7)])
    np.testing.assert_allclose(alone, model.predict_proba(rows)[[0, 3, 5, 7]], atol=1e-5)


def it_predicts_nothing_for_no_rows(kind: Kind) -> None:
    assert fitted(kind, 3).predict_proba(pairs_of(3)[:0]).shape == (0, 3)
    assert len(fitted(kind, 3).predict(pairs_of(3)[:0])) == 0


def it_ignores_the_order_of_columns_and_columns_that_it_does_not_read(kind: Kind) -> None:
    rows = pairs_of(2)
    turned = rows.select("image", pl.lit(1).alias("extra"), "text")
    assert fitted(kind, 2).predict_proba(turned).tobytes() == fitted(kind, 2).predict_proba(rows).tobytes()


def it_counts_parameters_trials_and_epochs(kind: Kind) -> None:
    model = fitted(kind, 2)
    assert model.n_parameters_ > 0, "set n_parameters_ in _fit: the number of values that were learned"
    assert model.n_trials_ >= 1
    assert model.n_epochs_ >= len(model.history_) >= 0
    assert all(set(epoch) <= set(HISTORY) for epoch in model.history_)


def it_gives_the_same_bytes_for_the_same_seed_and_leaves_global_draws_alone(kind: Kind) -> None:
    rows = pairs_of(2)
    before = _global_draws()
    again = small(kind).fit(rows.drop("label"), rows["label"])
    assert is_same(again, fitted(kind, 2), rows)
    assert before == _global_draws()


def _global_draws() -> tuple[bytes, int, bytes]:
    _, words, place, *_ = np.random.get_state()
    return words.tobytes(), place, torch.get_rng_state().numpy().tobytes()


# Kept fits.


def it_predicts_the_same_bytes_after_pickling(kind: Kind) -> None:
    model = fitted(kind, 2)
    assert is_same(pickle.loads(pickle.dumps(model)), model, pairs_of(2))


def it_predicts_the_same_bytes_after_it_was_kept(kind: Kind) -> None:
    for n_classes in N_CLASSES:
        model = fitted(kind, n_classes)
        before = torch.get_rng_state().numpy().tobytes()
        again = kept(model)
        assert before == torch.get_rng_state().numpy().tobytes()
        assert is_same(again, model, pairs_of(n_classes))
        assert vars(again).keys() == vars(model).keys()
        assert again.get_params() == model.get_params()
        assert (again.classes_.dtype, again.history_) == (model.classes_.dtype, model.history_)
        counts = ("n_epochs_", "n_parameters_", "n_trials_")
        assert [getattr(again, count) for count in counts] == [getattr(model, count) for count in counts]


def it_shows_the_same_after_it_was_kept(kind: Kind) -> None:
    model = fitted(kind, 2)
    again = kept(model)
    assert again.pixel_settings() == model.pixel_settings()
    assert again.needs == model.needs
    for method in {"encoded", "layer_table", "top_words"} & set(dir(model)):
        inputs = () if method == "top_words" else (pairs_of(2),)
        one, other = (_comparable(getattr(each, method)(*inputs)) for each in (model, again))
        assert one == other
    assert getattr(again, "rule_", None) == getattr(model, "rule_", None)


def _comparable(value: Any) -> Any:
    """Return the output of a method as bytes or rows, which can be compared."""
    if isinstance(value, Encoded):
        places = np.arange(len(value.text.vectors))
        return [array.tobytes() for array in (*value.text, *value.image, value.logits(places, places[::-1]))]
    return value.rows() if isinstance(value, pl.DataFrame) else value


def it_keeps_the_type_of_its_classes(kind: Kind) -> None:
    rows = pairs_of(2)
    for numbers in ((3, 7), (0.5, 2.5), (False, True)):
        model = small(kind).fit(rows, np.array(numbers)[np.arange(len(rows)) % 2])
        again = kept(model)
        assert (again.classes_.dtype, again.classes_.tolist()) == (model.classes_.dtype, list(numbers))
        assert is_same(again, model, rows)


def it_can_be_copied_pickled_and_kept_again_after_it_was_kept(kind: Kind) -> None:
    again = kept(fitted(kind, 3))
    for copy in (deepcopy(again), pickle.loads(pickle.dumps(again)), kept(again)):
        assert is_same(copy, fitted(kind, 3), pairs_of(3))
    assert clone(again).get_params() == again.get_params()


# scikit-learn.


def it_is_cross_validated_by_scikit_learn_on_frames_of_polars_pandas_and_arrow(kind: Kind) -> None:
    frame, labels = pairs_of(2).select("text", "image", "group"), pairs_of(2)["label"]
    for X, y in ((frame, labels), (frame.to_pandas(), labels.to_pandas())):
        scores = cross_val_score(small(kind), X, y, cv=2, error_score="raise")
        assert ((scores >= 0) & (scores <= 1)).all()
    assert len(small(kind).fit(frame.to_arrow(), labels.to_arrow()).predict(frame.to_arrow())) == len(frame)


def its_settings_are_searched_by_scikit_learn(kind: Kind) -> None:
    grid, rows = grid_of(kind), pairs_of(2)
    search = GridSearchCV(small(kind), grid, cv=2, error_score="raise", scoring="accuracy")
    search.fit(rows.drop("label"), rows["label"])
    assert all(search.best_params_[name] in values for name, values in grid.items())


CONTRACT: tuple[Callable[[Kind], None], ...] = (
    it_declares_modalities_and_needs_that_exist,
    it_takes_a_seed_that_changes_nothing_where_it_is_not_seeded,
    it_clones_and_takes_its_own_params,
    it_names_an_unknown_setting_and_the_nearest_known_one,
    it_refuses_a_setting_of_a_wrong_kind_in_one_line,
    it_learns_labels_that_are_whole_numbers,
    it_names_a_missing_column,
    it_refuses_a_single_class,
    it_takes_validation_rows_and_changes_no_input,
    it_leaves_out_validation_rows_of_a_class_that_training_lacks,
    it_learns_where_every_text_and_image_is_missing,
    its_mean_probabilities_are_near_the_class_shares_of_its_training_rows,
    it_predicts_probabilities_that_sum_to_one,
    it_predicts_rows_that_lack_a_modality,
    it_predicts_a_row_alone_as_among_others,
    it_predicts_nothing_for_no_rows,
    it_ignores_the_order_of_columns_and_columns_that_it_does_not_read,
    it_counts_parameters_trials_and_epochs,
    it_gives_the_same_bytes_for_the_same_seed_and_leaves_global_draws_alone,
    it_predicts_the_same_bytes_after_pickling,
    it_predicts_the_same_bytes_after_it_was_kept,
    it_shows_the_same_after_it_was_kept,
    it_keeps_the_type_of_its_classes,
    it_can_be_copied_pickled_and_kept_again_after_it_was_kept,
    it_is_cross_validated_by_scikit_learn_on_frames_of_polars_pandas_and_arrow,
    its_settings_are_searched_by_scikit_learn,
)
