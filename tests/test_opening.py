"""A study is opened by the path of its file, and a mistake is one line."""

import pytest

import counterpoint as cp
from counterpoint.config.acquire import AcquireConfig
from counterpoint.errors import ConfigError


def test_settings_in_place_of_a_path_are_refused_in_one_line():
    with pytest.raises(ConfigError, match=r"^open_study takes the path of a study file, not a dict\. Study takes"):
        cp.open_study({"study": "a"})


def test_a_missing_key_is_named_with_its_section():
    with pytest.raises(ConfigError, match=r"^Missing key '\w+': the file needs it\.$"):
        AcquireConfig.read({})
