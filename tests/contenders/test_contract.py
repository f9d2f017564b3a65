"""Every entry of MODELS keeps the contract of `contender_contract`: a new entry needs no test of its own."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from contender_contract import CONTRACT, grid_of, pairs_of, small
from counterpoint.contenders import MODELS
from counterpoint.contenders.late_fusion import LateFusion
from counterpoint.contenders.metadata import Metadata
from counterpoint.errors import ConfigError
from counterpoint.lookup import find


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("claim", CONTRACT, ids=lambda claim: claim.__name__)
def test_every_contender_keeps_the_contract(name, claim):
    kind = find(name, MODELS, what="contender")
    try:
        small(kind).check_installed()
    except ConfigError as error:
        pytest.skip(str(error))
    claim(kind)


@pytest.mark.parametrize("name", MODELS)
def test_a_setting_to_vary_is_found_in_the_class(name):
    [(setting, values)] = grid_of(find(name, MODELS, what="contender")).items()
    assert len(set(values)) == 2, setting


@pytest.mark.parametrize(
    ("kind", "grid"),
    [(Metadata, {"leaves": np.arange(2, 4)}), (LateFusion, {"text": [("text-svm",), ("text-lstm",)]})],
)
def test_a_search_takes_numbers_of_numpy_and_names_of_contenders(kind, grid):
    [(setting, values)] = grid.items()
    search = GridSearchCV(small(kind), grid, cv=2, error_score="raise", scoring="accuracy")
    search.fit(pairs_of(2).drop("label"), pairs_of(2)["label"])
    assert search.best_params_[setting] in list(values)
