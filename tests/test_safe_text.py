"""Text of strangers is harmless in each place where it appears."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoint.safe_text import error_value, log_line, page_line, terminal_text


@given(st.text(max_size=60), st.integers(2, 80))
def test_a_line_of_the_page_has_no_controls_and_a_bounded_length(text, most):
    line = page_line(text, most=most)
    assert len(line) <= most
    assert not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in line)


def test_a_line_of_the_page_keeps_joined_emoji_and_drops_letters_that_turn_the_line():
    assert page_line("👩‍🚀") == "👩‍🚀"
    assert page_line("invoice\u202efdp.exe") == "invoicefdp.exe"


@given(st.text(max_size=60))
def test_text_for_a_terminal_or_a_log_is_printable(text):
    assert log_line(text).isprintable()
    assert log_line(text).isascii()
    assert all(each.isprintable() or unicodedata.category(each) == "Zs" for each in terminal_text(text))


@given(st.text(max_size=200))
def test_a_value_in_an_error_is_printable_and_bounded(text):
    assert len(error_value(text)) <= 80
    assert error_value(text).isprintable()


@pytest.mark.parametrize("write", [page_line, log_line, error_value])
def test_a_cut_is_seen(write):
    assert write("a" * 500, most=20).rstrip("\"'")[-1] in "….'"
