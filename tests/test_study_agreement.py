"""The agreement of the pairs of a whole study: its table, its queue as a file, and the encodings that studies share."""

import json

import polars as pl
import pytest

import counterpoint as cp
from counterpoint import check_inputs
from counterpoint.config import StudyConfig
from counterpoint.schema import AGREEMENT, check

pytestmark = pytest.mark.slow

N = 80


def config(**changes):
    source = {"kind": "generated", "n": N, "text_signal": 0.9, "image_signal": 0.9, "side_px": 16, "seed": 4}
    given = {
        "study": "agreeing", "source": source, "contenders": ["majority", "text-svm"], "fit": {"engine": "inline"},
    }  # fmt: skip
    return StudyConfig.read(given | changes)


def evidence(study, code):
    return json.loads(study.findings().filter(code=code)["evidence"][0])


def test_a_study_without_encoders_has_no_agreement_and_no_queue(tmp_path):
    study = cp.Study(config(), runs=tmp_path)
    study.report()
    assert study.agreement().is_empty()
    check(study.agreement(), AGREEMENT, table="agreement")
    assert not (study.root / "queues" / "CP004.csv").exists()
    assert not (tmp_path / ".encodings").exists()


def test_a_study_with_encoders_keeps_an_agreement_of_each_pair_and_the_queue_as_a_file(encoding, tmp_path, monkeypatch):
    study = cp.Study(config(), runs=tmp_path)
    page = study.report().read_text(encoding="utf-8")
    assert set(study.agreement()["id"]) == set(study.pairs()["id"])
    queue = pl.read_csv(study.root / "queues" / "CP004.csv", schema_overrides={"id": pl.String})
    assert queue["id"].to_list() == list(evidence(study, "CP004")["queue"])
    assert queue["standing"].is_sorted()
    assert "Least agreeing pairs" in page

    # Another study of the folder encodes nothing again, and its `exclude` reads the queue.
    monkeypatch.setattr("counterpoint.encoders.encodings.encode", lambda *_: pytest.fail("was encoded again"))
    second = cp.Study(config(study="second", exclude=study.root / "queues" / "CP004.csv"), runs=tmp_path)
    assert set(second.dropped().filter(reason="excluded")["id"]) == set(queue["id"])
    assert len(second.agreement()) == N - len(queue) == 64


def test_the_findings_are_made_again_once_the_encoders_are_installed(encoding, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("counterpoint.study.installed_files", lambda: None)
        patch.setattr(check_inputs, "installed_files", lambda: None)
        before = cp.Study(config(), runs=tmp_path)
        assert before.agreement().is_empty()
    after = cp.Study(config(), runs=tmp_path)
    assert after.key("fits") == before.key("fits")
    assert len(after.agreement()) == N


def test_a_study_may_encode_nothing_although_it_could(encoding, tmp_path):
    study = cp.Study(config(checks={"encoders": False}), runs=tmp_path)
    assert study.agreement().is_empty()
    assert not (tmp_path / ".encodings").exists()
