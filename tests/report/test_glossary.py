"""Every verdict has its words on the page."""

from counterpoint.diagnose.verdict_list import VERDICTS
from counterpoint.report import glossary


def test_every_verdict_has_its_words():
    assert set(VERDICTS) <= set(glossary.VERDICTS)
