"""Checks from outside run after ours, have their title everywhere, and a wrong one is refused before any fit."""

import json
from typing import final

import polars as pl
import pytest
from typer.testing import CliRunner

import counterpoint as cp
from check_contract import CHECK_CONTRACT
from counterpoint.cli import app
from counterpoint.config import StudyConfig
from counterpoint.diagnose import CHECKS, Check, Finding, Inputs, all_checks, check_of, finding_of, title_of
from counterpoint.errors import ConfigError, CounterpointError
from counterpoint.schema import PAIRS, Frame, empty, finding

OURS = f"{__name__}:FewPairs"
GIVEN = {
    "study": "extra",
    "source": {"kind": "generated", "n": 60, "text_signal": 0.8, "side_px": 16, "seed": 3},
    "contenders": ["majority", "keyword-rule"],
    "fit": {"engine": "inline"},
}


@final
class FewPairs(Check):
    """Look at how many rows there are."""

    code, title, needs = "LAB001", "Few pairs", ("pairs",)

    def run(self, *, pairs: Frame) -> Finding:
        n = len(pairs)
        return self.finding("warn" if n < 200 else "info", "pairs", f"{n:,} pairs are compared.", n=n)


class Misnamed(FewPairs):
    """Look at the pairs."""

    needs = ("pairz",)


class Taking(FewPairs):
    """Look at the pairs."""

    needs = ("pairs", "predictions")


class Twin(FewPairs):
    """Look at the pairs."""

    code = "CP001"


class OfStage(FewPairs):
    """Look at the pairs."""

    code = "CP024"


class Coded(FewPairs):
    """Look at the pairs."""

    code = "few pairs"


class Silent(FewPairs):
    """Look at the pairs."""

    def run(self, *, pairs: Frame) -> None:
        return None


class Worded(FewPairs):
    """Look at the pairs."""

    needs = "pairs"


class Costly(FewPairs):
    """Look at the pairs."""

    cost = "1 s"


class Undocumented(FewPairs):
    pass


class Given(FewPairs):
    """Look at the pairs."""

    def __init__(self, n: int) -> None:
        self.n = n


class Eager(FewPairs):
    """Look at the pairs."""

    def run(self, *, pairs: Frame, depth: str = "fast") -> Finding:
        return self.not_applicable("pairs", "Nothing.")


class Failing(FewPairs):
    """Look at the pairs."""

    def run(self, *, pairs: Frame) -> Finding:
        return self.finding("info", "pairs", "Something.", n=pairs["nothing"].len())


class Misjudging(FewPairs):
    """Look at the pairs."""

    def run(self, *, pairs: Frame) -> Finding:
        return self.finding("warning", "pairs", "Something.")


class Foreign(FewPairs):
    """Look at the pairs."""

    def run(self, *, pairs: Frame) -> Finding:
        return finding("CP001", "info", "pairs", "Something.")


class Nameless(Check):
    def run(self) -> Finding:
        return self.not_applicable("nothing", "Nothing.")


@pytest.mark.parametrize("rule", CHECK_CONTRACT, ids=lambda rule: rule.__name__)
def test_a_check_from_outside_keeps_the_contract(rule):
    rule(FewPairs)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("my_lab.checks:MyCheck", "Cannot load check 'my_lab.checks:MyCheck'"),
        (f"{__name__}:Missing", "Cannot load check"),
        (f"{__name__}:GIVEN", "is no check. It must be a subclass of counterpoint.diagnose.Check"),
        (f"{__name__}:Misnamed", "needs 'pairz', which is no input. Did you mean 'pairs'?"),
        (f"{__name__}:Taking", "needs 'predictions', but run has no such parameter"),
        (f"{__name__}:Eager", "run has the parameter 'depth', which is not in needs"),
        (f"{__name__}:Worded", "has the needs 'pairs'. It must be a tuple"),
        (f"{__name__}:Costly", "has the cost '1 s'. It must be a counterpoint.diagnose.Cost"),
        (f"{__name__}:Undocumented", "lacks a docstring"),
        (f"{__name__}:Given", "has parameters of __init__. A check has none"),
        (f"{__name__}:FewPair", "has no 'FewPair'. Did you mean 'FewPairs'?"),
        (f"{__name__}.FewPairs", f"Did you mean '{__name__}:FewPairs'?"),
        (f"{__name__}:Twin", "Two checks have the code CP001"),
        (f"{__name__}:OfStage", "Two checks have the code CP024"),
        (f"{__name__}:Coded", "has the code 'few pairs'. A code is capital letters and three digits"),
        (f"{__name__}:Nameless", "lacks code, title, needs"),
        ("CP01", "Unknown check 'CP01'. Did you mean 'CP0"),
    ],
)
def test_a_wrong_check_is_refused_in_one_line_before_anything_is_read(tmp_path, path, message):
    with pytest.raises(ConfigError) as raised:
        cp.Study(StudyConfig.read(GIVEN | {"checks": {"extra": [path]}}), runs=tmp_path)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_the_same_check_twice_is_refused():
    with pytest.raises(ConfigError, match="Two checks have the code LAB001"):
        all_checks([OURS, OURS])


def test_its_finding_comes_after_ours_and_its_title_is_known(tmp_path):
    config = StudyConfig.read(GIVEN | {"checks": {"extra": [OURS]}})
    study = cp.Study(config, runs=tmp_path)
    found = study.findings()
    own = [code for code in found["code"] if code in CHECKS or code == "LAB001"]
    assert own == [*CHECKS, "LAB001"]
    page = study.report().read_text(encoding="utf-8")
    assert "Few pairs" in page
    assert "pairs are compared." in page
    assert json.loads((study.root / "results.json").read_text())["titles"]["LAB001"] == "Few pairs"
    without = cp.Study(StudyConfig.read(GIVEN), runs=tmp_path)
    assert without.key("findings") != study.key("findings")
    assert without.key("differences") == study.key("differences")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Silent", "Check LAB001 returned None. It must return self.finding"),
        ("Foreign", r"Check LAB001 returned \{'code': 'CP001'"),
        ("Misjudging", "Check LAB001 returned the severity 'warning'. Did you mean 'warn'"),
        ("Failing", r"Check LAB001 \(.*:Failing\) failed: ColumnNotFoundError: \"nothing\" not found"),
    ],
)
def test_a_check_that_fails_or_returns_no_finding_of_its_own_is_named(name, message):
    given = Inputs({"pairs": empty(PAIRS)})
    with pytest.raises(CounterpointError, match=message):
        finding_of(check_of(f"{__name__}:{name}"), given)


def test_titles_of_ours_and_from_outside():
    assert [title_of(code, [OURS]) for code in ("CP012", "CP024", "LAB001", "CP000")] == [
        check_of("CP012").title, check_of("CP024").title, "Few pairs", "",
    ]  # fmt: skip


def test_the_list_of_checks_has_those_that_are_named():
    listed = CliRunner().invoke(app, ["checks", OURS]).output
    assert "LAB001  Few pairs" in listed
    assert "Look at how many rows there are (under 0.1 s)." in listed


def test_pairs_of_a_study_are_an_input():
    assert FewPairs().run(pairs=pl.DataFrame({"id": ["a"]}))["severity"] == "warn"
