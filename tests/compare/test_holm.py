from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from counterpoint.compare.holm import holm


@settings(max_examples=25)  # statsmodels collects garbage in each call
@given(p_values=st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holms_correction_is_that_of_statsmodels(p_values):
    assert holm(p_values) == multipletests(p_values, method="holm")[1].tolist()


def test_no_p_value_needs_no_correction():
    assert holm([]) == []
