"""A study is opened by the path of its file, and not by its settings."""

import pytest

import counterpoint as cp
from counterpoint.errors import ConfigError


def test_settings_in_place_of_a_path_are_refused_in_one_line():
    with pytest.raises(ConfigError, match=r"^open_study takes the path of a study file, not a dict\. Study takes"):
        cp.open_study({"study": "a"})
