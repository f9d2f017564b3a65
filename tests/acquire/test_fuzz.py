"""The small form of `benchmarks/fuzz.py`: hostile inputs raise nothing but a reason of the closed list."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostile_bytes import SEEDS, mended_png
from hostile_inputs import TARGETS, check_of_picture, check_of_url

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.data())
@settings(max_examples=600, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_hostile_inputs_raise_nothing_but_a_reason(name, data):
    target = TARGETS[name]
    target.check(data.draw(target.inputs))


def test_what_is_mutated_is_well_before():
    kinds = {name: check_of_picture(data) for name, data in SEEDS.items()}
    assert {kind for kind in kinds.values() if kind.startswith("decoded")} == {
        f"decoded: {kind}" for kind in ("jpeg", "png", "gif", "webp", "avif")
    }
    assert sum(kind.startswith("decoded") for kind in kinds.values()) >= 22


def test_a_mended_png_is_read_where_a_changed_one_is_not():
    changed = SEEDS["png"].replace(b"IHDR\0\0\0\x28", b"IHDR\0\0\0\x27")
    assert check_of_picture(changed) == "decode_error"
    assert mended_png(changed) != changed
    assert mended_png(SEEDS["png"]) == SEEDS["png"]


@pytest.mark.parametrize("url", ["http://example.com/a.jpg", "http://8.8.8.8/", "https://[2606:4700::1111]:8443/x"])
def test_what_is_public_is_accepted(url):
    assert check_of_url(url).startswith("accepted")
