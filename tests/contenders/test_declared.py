"""A contender from outside that declares what cannot be is refused in one line before any fit."""

import numpy as np
import polars as pl
import pytest

from counterpoint.contenders import MODELS, WITHOUT_ENCODERS, make
from counterpoint.contenders.base import Contender
from counterpoint.contenders.declared import check_declared
from counterpoint.contenders.fit import fit
from counterpoint.contenders.fit_task import FitTask
from counterpoint.errors import ConfigError, CounterpointError
from counterpoint.lookup import find


class Even(Contender):
    modalities = ("text",)

    def _fit(self, train, validation, fits):
        self.n_parameters_ = 1

    def _proba(self, pairs):
        return np.full((len(pairs), len(self.classes_)), 1 / len(self.classes_))


class Misread(Even):
    modalities = ("texts",)


class Worded(Even):
    modalities = "text"


class Needing(Even):
    needs = ("text-svn",)


class Positional(Even):
    def __init__(self, longest=3):
        self.longest = longest


class Plain:
    def fit(self, X, y):
        return self


class Unfinished(Contender):
    modalities = ("text",)


class Flat(Even):
    def _proba(self, pairs):
        return np.ones(len(pairs))


class Failing(Even):
    def _proba(self, pairs):
        return pairs["nothing"]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Misread, "reads the modality 'texts', which does not exist. Did you mean 'text'"),
        (Worded, "has the modalities 'text'. It must be a tuple"),
        (Needing, "needs the contender 'text-svn', which does not exist. Did you mean 'text-svm'"),
        (Positional, "The setting 'longest' of .*:Positional must be keyword-only"),
        (Plain, ":Plain' is no contender. It must be a subclass"),
    ],
)
def test_a_wrong_declaration_is_one_line(kind, message):
    with pytest.raises(ConfigError, match=message):
        check_declared({"odd": kind()})


def test_a_contender_may_need_another_of_its_study():
    Needing.needs = ("even",)
    check_declared({"odd": Needing(), "even": Even()})


def test_a_class_with_methods_to_write_is_refused():
    with pytest.raises(ConfigError, match=":Unfinished' lacks _fit, _proba"):
        make(f"{__name__}:Unfinished")


def test_a_setting_of_a_class_without_settings_names_the_decorator():
    with pytest.raises(ConfigError, match=r"longest': this contender has no settings.*@settings_as_fields"):
        make(f"{__name__}:Even", longest=3)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Flat", r"odd \(fold test\): predict_proba returned shape \(4,\)\. It must be .*: \(4, 2\)"),
        ("Failing", r"odd \(.*:Failing\) failed on fold test: ColumnNotFoundError"),
    ],
)
def test_wrong_predictions_are_one_line(name, message, tmp_path):
    rows = [{"id": str(i), "text": "a", "image": None, "group": str(i), "label": "xy"[i % 2]} for i in range(12)]
    folds = pl.Series("fold", ["train"] * 4 + ["validation"] * 4 + ["test"] * 4)
    pl.DataFrame(rows).with_columns(folds).write_parquet(tmp_path / "pairs.parquet")
    task = FitTask(
        contender="odd", kind=f"{__name__}:{name}", settings={}, seed=0, fold="test",
        pairs=tmp_path / "pairs.parquet", fits=tmp_path / "fits", cache=tmp_path / "cache", key="key",
    )  # fmt: skip
    with pytest.raises(CounterpointError, match=message):
        fit(task)


def test_the_contenders_without_encoders_are_those_that_read_none():
    reads_none = {name for name in MODELS if find(name, MODELS, what="").encodings_read is Contender.encodings_read}
    assert reads_none == WITHOUT_ENCODERS
