"""Every check of the table keeps the contract that a check from outside keeps."""

import pytest

from check_contract import CHECK_CONTRACT
from counterpoint.diagnose import CHECKS, check_of


@pytest.mark.parametrize("code", CHECKS)
@pytest.mark.parametrize("rule", CHECK_CONTRACT, ids=lambda rule: rule.__name__)
def test_every_check_keeps_the_contract(rule, code):
    rule(type(check_of(code)))


def test_codes_are_in_order_and_are_those_of_the_classes():
    assert list(CHECKS) == sorted(CHECKS) == [check_of(code).code for code in CHECKS]
