"""A tab of a browser, for the tests of each page."""

import pytest

from browser import browser


@pytest.fixture(scope="module")
def tab():
    with browser() as tab:
        yield tab
