"""A late module loads at its first use, and looks like the real one from then on."""

import subprocess
import sys

import pytest

from counterpoint.engines.late_modules import load_late

CODE = """
import sys
from counterpoint.engines.late_modules import UNNEEDED, load_late
load_late(*UNNEEDED)
import sklearn.base
import inspect; inspect.getmodule(sklearn.base.BaseEstimator)
late = [type(sys.modules[name]).__name__ for name in UNNEEDED]
from scipy.stats import rankdata
import pandas as pd
print(late, rankdata([3, 1]).tolist(), pd.DataFrame({"a": [1]}).shape, pd.__name__)
"""


@pytest.mark.slow
def test_scikit_learn_needs_neither_pandas_nor_scipy_stats_until_they_are_used():
    found = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "['_Late', '_Late'] [2.0, 1.0] (1, 1) pandas"


def test_a_loaded_module_stays_and_one_that_is_not_installed_is_left_out():
    before = sys.modules["subprocess"]
    load_late("subprocess", "no_such_module")
    assert sys.modules["subprocess"] is before
    assert "no_such_module" not in sys.modules
