"""The figure of contributions shows the evidence of the findings, and its parts sum to the whole."""

import json

import numpy as np
import polars as pl
import pytest

from counterpoint.measures import pid_of
from counterpoint.report.contenders import Contenders
from counterpoint.report.curves.contribution import (
    BITS,
    contribution_data,
    contribution_section,
    information_parts,
    perceptual_parts,
)
from counterpoint.report.drawing.svg import Gallery, drawing
from counterpoint.schema import FINDINGS, empty, finding
from html_reader import HOSTILE

TITLED = Contenders((), {}, {"lstm-cnn": "text and image, small network"})


def decomposition():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 400)
    text, image = (np.where(rng.random(400) < share, labels, 1 - labels) for share in (0.9, 0.7))
    return pid_of(text, image, labels, draws=20, permutations=20)


def findings(*contenders, table=None):
    parts = decomposition()
    rows = [
        {"information": name, "bits": value, "low": low, "high": high, "by chance": chance}
        for name, value, low, high, chance in zip(
            parts.value._fields, parts.value, parts.low, parts.high, parts.null, strict=True
        )
    ]
    scored = [
        {"contender": name, "modality": modality, "perceptual": 0.2, "low": 0.1, "high": 0.3}
        for name in contenders
        for modality in ("text", "image")
    ]
    return pl.DataFrame(
        [
            finding("CP008", "info", "branches", "Read.", table=scored),
            finding("CP010", "info", "headroom", "Gain.", single="svm", table=rows if table is None else table),
        ],
        dict(FINDINGS),
    )


def test_the_bits_are_those_of_the_evidence_and_sum_to_the_whole():
    table = contribution_data(information_parts(findings())[0])
    assert table["value"].to_list() == list(decomposition().value)
    assert table["share"].sum() == pytest.approx(1)
    assert table.filter(pl.col("low") > pl.col("high")).is_empty()


def test_the_perceptual_score_is_that_of_the_multimodal_side():
    parts, name = perceptual_parts(findings("late-fusion", "lstm-cnn"), "lstm-cnn")
    assert name == "lstm-cnn"
    assert [(part.name, part.value) for part in parts] == [("the text", 0.2), ("the image", 0.2)]
    assert perceptual_parts(findings("late-fusion"), "an-outside-model")[1] == "late-fusion"


def test_the_section_says_the_shares_in_words(tmp_path):
    with drawing():
        found = contribution_section(findings("lstm-cnn"), "lstm-cnn", TITLED, Gallery(tmp_path))
    shares = [part.share for part in found["rows"] if part.kind == BITS]
    assert f"{round(100 * shares[0])}% in both" in found["words"][0]
    assert found["words"][1] == (
        "With other inputs, “text and image, small network” loses a share of its score on a pair: 20% with the text of "
        "another, and 20% with the image of another."
    )
    assert found["figure"].count("<svg") == 2


def test_a_study_without_the_evidence_has_no_such_section(tmp_path):
    gallery = Gallery(tmp_path)
    assert contribution_section(empty(FINDINGS), "lstm-cnn", TITLED, gallery) is None
    for table in ([], ["x"], [{"information": "redundant", "bits": None}], "x", [{"information": ["redundant"]}]):
        assert contribution_section(findings(table=table), None, TITLED, gallery) is None
    broken = findings().with_columns(evidence=pl.lit("{"))
    assert contribution_section(broken, None, TITLED, gallery) is None


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_becomes_text(tmp_path, name):
    with drawing():
        found = contribution_section(findings(name), name, TITLED, Gallery(tmp_path))
    assert "<script>" not in found["figure"]
    assert json.dumps(found["words"])
