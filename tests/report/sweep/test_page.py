"""The page of a sweep shows the values of its table, and its sentences do not go beyond the intervals."""

import re

import polars as pl
import pytest

from counterpoint import number_formats as numbers
from counterpoint.report.sweep import GAP, Swept, write_sweep_page
from counterpoint.report.sweep.scale import Scale
from counterpoint.report.terminal import sweep_summary
from html_reader import HOSTILE, Reader, check_whole
from report_sweeps import changed, curved

pytestmark = pytest.mark.slow

MADE = {"changed": changed, "curved": curved}


@pytest.fixture(scope="module", params=MADE)
def made(request, tmp_path_factory):
    swept = MADE[request.param]()
    return swept, write_sweep_page(tmp_path_factory.mktemp(request.param), swept)


def test_every_element_is_closed_and_every_link_leads_somewhere(made):
    check_whole(made[1])


def test_every_row_of_the_table_is_on_the_page(made):
    swept, page = made
    text = page.read_text(encoding="utf-8")
    body = text[text.index('id="table"') : text.index('id="record"')]
    assert body.count("<tr") == len(swept.table) + 1
    for row in swept.rows:
        assert f"{numbers.score(row['score'])} <small>{numbers.interval(row['low'], row['high'])}</small>" in body
        assert f'data-value="{row["train"]}">{numbers.score(row["train"])}</td>' in body
    assert body.count("▲ 0") == sum(row["train"] - row["validation"] >= GAP for row in swept.rows)


def test_figures_are_there_as_svg_png_and_csv(made):
    swept, page = made
    names = {path.stem for path in (page.parent / "figures").iterdir()}
    if swept.curves:
        assert names == {"curve", "curve-gray-image-cnn", "curve-rgb-image-cnn", "learning-gray-at-160-image-cnn",
                         "learning-rgb-at-160-image-cnn"}  # fmt: skip
    else:
        assert names == {f"{kind}-{variant}-paper-lstm-cnn" for kind in ("differences", "scores", "learning")
                         for variant in ("published", "repaired")}  # fmt: skip
    assert all(
        (page.parent / "figures" / f"{name}.{kind}").exists() for name in names for kind in ("svg", "png", "csv")
    )


def test_sentences_stand_first_and_carry_the_numbers_of_the_table(made):
    swept, page = made
    text = page.read_text(encoding="utf-8")
    sentences = swept.sentences
    assert len(sentences) == 2
    assert all(sentence in text[: text.index('class="contrast"') if swept.changes else text.index('id="curve"')]
               for sentence in sentences)  # fmt: skip
    written = {numbers.signed(row["difference"]) for row in swept.rows if row["difference"] is not None}
    assert set(re.findall(r"[+−]0\.\d+(?= \()", " ".join(sentences))) <= written


def test_only_a_change_whose_interval_excludes_0_gains_or_loses():
    swept = changed(effects={"published": {"a": 0.2, "b": -0.01}, "repaired": {"a": 0.01, "b": -0.01}})
    published, repaired = swept.sentences
    assert "1 of 2 changes" in published
    assert "“a” gains most, +0.200" in published
    assert "No change has a clear loss. The lowest is “b”, −0.010" in published
    assert "none of 2 changes" in repaired
    assert not re.search("gains|loses|rises|falls", repaired)


def test_the_largest_gain_is_one_whose_interval_excludes_0():
    swept = changed(effects={"published": {"narrow": 0.1, "wide": 0.12}, "repaired": {}})
    wide = pl.col("choice").eq_missing("wide")
    table = swept.table.with_columns(difference_low=pl.when(wide).then(-0.1).otherwise("difference_low"))
    assert "“narrow” gains most" in Swept(swept.config, table).sentences[0]


@pytest.mark.parametrize(("gain", "word"), [(0.2, "rises"), (-0.2, "falls"), (0.01, "includes 0")])
def test_a_curve_rises_or_falls_only_when_its_interval_says_so(gain, word):
    [sentence] = curved(variants=(("gray", 0.6, gain),)).sentences
    assert word in sentence
    assert {"rises", "falls"} & set(sentence.split()) <= {word}


def test_p_is_corrected_by_variant_and_contender():
    swept = changed(effects={"published": {"a": 0.2, "b": 0.2, "c": 0.01}, "repaired": {"a": 0.2}})
    found = {(row["variant"], row["choice"]): row["p_holm"] for row in swept.rows if row["choice"]}
    assert found["published", "a"] == pytest.approx(3 * 0.0005)
    assert found["repaired", "a"] == pytest.approx(0.0005)


def test_wide_ranges_stand_on_a_logarithmic_axis_and_words_in_their_order():
    assert Scale(["160", "16", "64"]).is_log
    assert not Scale(["16", "32", "96"]).is_log
    assert not Scale(["0", "8"]).is_log
    assert list(Scale(["160", "16", "64"]).places) == ["16", "64", "160"]
    assert Scale(["rgb", "gray"]).places == {"rgb": 0, "gray": 1}
    assert not Scale(["nan", "1"]).is_numeric


def test_a_sweep_without_scores_or_differences_still_has_a_page(tmp_path):
    swept = changed()
    nothing = ("difference", "difference_low", "difference_high", "p", "train", "score")
    gone = swept.table.with_columns(pl.lit(None, pl.Float64).alias(name) for name in nothing)
    for rows in (gone, gone.clear()):
        bare = Swept(swept.config, rows)
        assert "no scores yet" in write_sweep_page(tmp_path, bare).read_text() or len(bare.sentences) == 2
        assert list(sweep_summary(bare)) or rows.is_empty()


def test_hostile_names_are_shown_and_never_run(tmp_path):
    swept = changed(effects={HOSTILE[0]: dict.fromkeys(HOSTILE[:4], 0.1), HOSTILE[2]: {HOSTILE[1]: 0.0}})
    text = write_sweep_page(tmp_path, swept).read_text(encoding="utf-8")
    read = Reader(text)
    assert len(read.all("script")) == 1
    assert not [attrs for _, attrs in read.elements if any(name.startswith("on") for name in attrs)]
    assert not {"\x00", "\x1b", "\u202e"} & set(text)
