"""Numbers as text: with sign, interval and unit, and a dash where there is none."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoint import number_formats as numbers

OF_ONE_VALUE = (
    numbers.score, numbers.signed, numbers.share, numbers.p_value, numbers.count, numbers.number, numbers.duration,
)  # fmt: skip
OF_A_VALUE_AND_ITS_INTERVAL = (numbers.narrow_score, numbers.narrow_signed)


@given(st.floats(-1, 1))
def test_a_signed_number_has_its_sign_unless_it_rounds_to_nothing(value):
    text = numbers.signed(value)
    assert "-" not in text
    assert float(text.replace("−", "-")) == pytest.approx(value, abs=5.1e-4)


@pytest.mark.parametrize("write", OF_ONE_VALUE)
@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_a_number_that_is_not_known_is_a_dash(write, value):
    assert write(value) == "–"


@pytest.mark.parametrize("write", OF_A_VALUE_AND_ITS_INTERVAL)
def test_an_interval_that_is_not_known_is_left_out_where_room_is_short(write):
    assert write(None, None, None) == "–"
    assert "(" not in write(0.5, None, None)


def test_a_p_value_is_never_nought():
    assert numbers.p_value(1e-30) == "< 0.001"
    assert numbers.p_value(0.001) == "0.001"


def test_an_interval_that_is_not_known_is_no_interval():
    assert numbers.interval(None, None) == "no interval"


def test_a_value_and_its_interval_are_written_as_each_alone():
    assert numbers.score_with_interval(0.5, 0.4, 0.6) == f"{numbers.score(0.5)} ({numbers.interval(0.4, 0.6)})"
    assert numbers.signed_with_interval(0.1, -0.1, 0.3) == "+0.100 (−0.100 to +0.300)"
