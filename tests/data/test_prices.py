"""Prices are measurements in whatever country they are written."""

import polars as pl
import pytest

from counterpoint.data.targets import check_classes
from counterpoint.errors import SchemaError


@pytest.mark.parametrize("form", ["{}.{:02}", "{},{:02}", "{},{:02} €", "€ {}.{:02}", "${}.{:02}", "-{},{:02} EUR"])
def test_prices_are_refused_as_measurements(form):
    prices = pl.Series([form.format(4 + number // 8, 12 * number % 100) for number in range(90)])
    with pytest.raises(SchemaError, match="are measurements, 90 different ones in 90 rows: to predict"):
        check_classes(prices)


@pytest.mark.parametrize("labels", [["4,5", "3,5"], ["1.5 GB", "2.5 GB"], ["A,1", "A,2"]])
def test_a_few_values_with_decimals_may_be_classes(labels):
    check_classes(pl.Series(labels * 20))
