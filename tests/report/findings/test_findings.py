"""Findings stand by severity, each with its advice and with the error rates that were measured."""

import polars as pl
import pytest

from counterpoint import schema
from counterpoint.diagnose import CHECKS, advice_of
from counterpoint.diagnose.error_rates import error_rates
from counterpoint.report.findings.section import NOT_MEASURED, findings_section, rates_in_short, rates_in_words

PAIRS = pl.DataFrame({"label": ["a"] * 800 + ["b"] * 200})


def section(*rows, pairs=PAIRS, **options):
    found = [schema.finding(*row, "Because.") for row in rows]
    return findings_section(pl.DataFrame(found, schema=dict(schema.FINDINGS)), pairs, **options)


def test_failures_come_before_warnings_and_what_does_not_apply_is_apart():
    found = section(("CP001", "info", "a"), ("CP009", "warn", "b"), ("CP003", "not_applicable", "c"),
                    ("CP016", "fail", "d"), ("CP010", "odd", "e"))  # fmt: skip
    codes = {name: [row["code"] for row in found[name]] for name in ("alarms", "notes", "others")}
    assert codes == {"alarms": ["CP016", "CP009"], "notes": ["CP001", "CP010"], "others": ["CP003"]}
    assert found["summary"] == "Of 5 findings, 1 fails, 1 warns, 1 is a note, 1 does not apply."


def test_a_study_without_findings_has_no_section():
    assert section() is None


def test_a_check_from_outside_has_its_own_title_and_advice_and_no_rates():
    row = section(("LAB001", "warn", "pairs"), titles={"LAB001": "Few pairs"}, advice={"LAB001": "Collect more."})
    found = row["alarms"][0]
    assert (found["title"], found["advice"], found["rate"]) == ("Few pairs", "Collect more.", NOT_MEASURED)
    assert section(("LAB001", "warn", "pairs"))["alarms"][0]["advice"] == advice_of("LAB001")


def test_a_note_of_the_source_has_no_error_rates():
    found = section(("CP000", "info", "source"))["notes"][0]
    assert (found["rate"], found["rates"], found["is_question"]) == ("", [], False)


def test_rates_are_those_of_the_nearest_size_and_class_ratio():
    found = section(("CP001", "warn", "label"))["alarms"][0]
    assert "1,000 pairs, with equal classes" in found["rates"][0]
    few = section(("CP001", "warn", "label"), pairs=PAIRS.gather_every(4))["alarms"][0]
    assert "300 pairs, with classes of 4 to 1" in few["rates"][0]


def test_without_pairs_no_size_is_claimed():
    found = section(("CP001", "warn", "label"), pairs=schema.empty(schema.PAIRS))["alarms"][0]
    assert found["rate"] == NOT_MEASURED


@pytest.mark.parametrize("code", CHECKS)
def test_a_rate_is_never_made_up(code):
    rates = error_rates(code, 1000)
    sentence = rates_in_short(rates)
    if rates is None:
        assert sentence == NOT_MEASURED
    else:
        assert ("not measured" in sentence) == (rates.detected is None or rates.alarms is None)
        assert all(sentence.endswith(".") for sentence in rates_in_words(rates))


def test_the_file_of_a_queue_is_named():
    evidence = '{"queue": {"a": 1}, "n_queue": 1}'
    row = {"code": "CP004", "severity": "info", "subject": "pairs", "explanation": "", "evidence": evidence}
    found = findings_section(pl.DataFrame([row], schema=dict(schema.FINDINGS)), PAIRS)["notes"][0]
    assert (found["n_queue"], found["queue_file"]) == (1, "queues/CP004.csv")
