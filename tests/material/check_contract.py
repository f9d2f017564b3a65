"""The contract of checks: each rule takes the class of a check alone, and fails where the rule is broken.

The study that a check runs on is made here.  Hold a check of another package to the rules with
``@pytest.mark.parametrize("rule", CHECK_CONTRACT)``.
"""

import json
import re
from collections.abc import Callable, Iterable
from functools import cache
from inspect import Parameter, signature
from typing import Any, get_type_hints

import polars as pl

from check_material import inputs_of
from counterpoint.diagnose import CODE, INPUTS, Check, Cost, Finding, Inputs, check_of
from counterpoint.schema import FINDINGS, PAIRS, SEVERITY_NAMES, empty
from fusion_material import Signals, inputs_of_models, made_rows, usual

MOST_NEEDS = 8


@cache
def tiny_study() -> Inputs:
    """Return the inputs of a comparison of four models on 240 pairs whose text and image predict the label."""
    return inputs_of_models(made_rows(Signals(text=0.6, image=0.6), 240), usual())


def empty_study() -> Inputs:
    """Return the inputs of a study without pairs, contenders and contrast."""
    return inputs_of(empty(PAIRS), modalities={}, n_fits=1)


def finding_of(check: type[Check], inputs: Inputs) -> Finding:
    return check().run(**inputs.select(check.needs))


def is_a_final_class(check: type[Check]) -> None:
    assert issubclass(check, Check)
    assert getattr(check, "__final__", False), f"{check.__name__} lacks @final"


def has_a_code_a_title_and_a_cost(check: type[Check]) -> None:
    assert re.fullmatch(CODE, check.code)
    assert check.title
    assert not check.title.endswith(".")
    assert isinstance(check.cost, Cost)
    assert re.search(r"\d ?m?s", check.cost.fast)


def has_a_first_line_on_its_subject(check: type[Check]) -> None:
    first = (check.__doc__ or "").splitlines()[0]
    assert re.match(r"[A-Z][a-z]*[a-rt-z] ", first), "begin with an imperative: Count, Compare, Look"
    assert first.endswith(".")


def takes_the_inputs_that_it_needs_with_their_types(check: type[Check]) -> None:
    assert len(check.needs) <= MOST_NEEDS, "share an input in place of several"
    takes = {name: each for name, each in signature(check.run).parameters.items() if name != "self"}
    assert set(takes) == set(check.needs) <= set(INPUTS)
    assert {each.kind for each in takes.values()} == {Parameter.KEYWORD_ONLY}
    hints = get_type_hints(check.run)
    assert hints.pop("return") == Finding
    assert hints == {name: INPUTS[name].kind for name in check.needs}


def names_the_cost_of_full_depth_where_it_needs_the_depth(check: type[Check]) -> None:
    assert ("depth" in all_needs(check.needs)) == (check.cost.full != Cost().full)


def all_needs(names: Iterable[str]) -> set[str]:
    """Return the inputs *names*, and all inputs that these are made from."""
    made_from = [signature(make).parameters for name in names if (make := INPUTS[name].make) is not None]
    return {*names}.union(*map(all_needs, made_from))


def loads_by_its_path(check: type[Check]) -> None:
    assert type(check_of(f"{check.__module__}:{check.__name__}")) is check


def returns_a_finding_of_its_own_code(check: type[Check]) -> None:
    is_finding(check, finding_of(check, tiny_study()))


def returns_a_finding_on_an_empty_study(check: type[Check]) -> None:
    found = finding_of(check, empty_study())
    is_finding(check, found)
    assert found["severity"] != "fail"


def returns_the_same_finding_again_and_changes_no_input(check: type[Check]) -> None:
    inputs = tiny_study()
    before = {name: inputs[name].clone() for name in check.needs if isinstance(inputs[name], pl.DataFrame)}
    assert finding_of(check, inputs) == finding_of(check, inputs)
    assert all(inputs[name].equals(table) for name, table in before.items())


def is_finding(check: type[Check], found: Finding) -> None:
    """Require a row of schema.FINDINGS with the code of *check*, a reason in sentences, and evidence of JSON."""
    assert list(found) == list(FINDINGS)
    assert found["code"] == check.code
    assert found["severity"] in SEVERITY_NAMES
    assert found["subject"]
    assert found["explanation"].endswith(".")
    evidence: dict[str, Any] = json.loads(found["evidence"])
    table = evidence.get("table", [])
    assert all(isinstance(row, dict) for row in table)
    assert len(table) <= 20


CHECK_CONTRACT: tuple[Callable[[type[Check]], None], ...] = (
    is_a_final_class,
    has_a_code_a_title_and_a_cost,
    has_a_first_line_on_its_subject,
    takes_the_inputs_that_it_needs_with_their_types,
    names_the_cost_of_full_depth_where_it_needs_the_depth,
    loads_by_its_path,
    returns_a_finding_of_its_own_code,
    returns_a_finding_on_an_empty_study,
    returns_the_same_finding_again_and_changes_no_input,
)
