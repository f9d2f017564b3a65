"""The page as a whole shows the values of its tables, is complete in one file, and bears hostile and partial input."""

import base64
import io
import json
import re
from hashlib import sha256

import numpy as np
import polars as pl
import pytest
from PIL import Image

from counterpoint import number_formats as numbers
from counterpoint import schema
from counterpoint.report import write_page
from counterpoint.report.comparison import drawn_differences
from counterpoint.report.contenders import Contenders
from counterpoint.report.drawing.palette import modality_style
from counterpoint.report.drawing.thumbnails import SIDE_PX
from html_reader import HOSTILE, Reader
from report_studies import MODALITIES, Weights, Words, study

pytestmark = pytest.mark.slow

FEW = ("majority", "text-svm", "text-lstm", "late-fusion")


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    results, tables, models = study(folder / "images", contenders=FEW)
    return folder, results, tables, models


@pytest.fixture(scope="module")
def page(outcome):
    folder, results, tables, models = outcome
    return write_page(folder, results, tables, models=models).read_text(encoding="utf-8")


def test_every_element_is_closed_and_every_link_leads_somewhere(page):
    read = Reader(page)
    ids = [attrs["id"] for _, attrs in read.elements if "id" in attrs]
    links = [attrs["href"] for _, attrs in read.elements if "href" in attrs]
    assert read.open == []
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in links} <= set(ids)


def test_the_page_asks_nothing_of_any_network(page):
    read = Reader(page)
    sources = [attrs["src"] for _, attrs in read.elements if "src" in attrs]
    assert sources
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert "http" not in re.sub(r"http-equiv", "", page)
    assert not re.search(r"url\((?!#)", page)


def test_every_score_is_printed_as_the_table_has_it_with_its_interval(page, outcome):
    for row in outcome[2]["scores"].iter_rows(named=True):
        cell = (
            f'data-value="{row["value"]}"><strong>{numbers.score(row["value"])}</strong> '
            f"<small>{numbers.interval(row['low'], row['high'])}</small>"
        )
        assert cell in page


def test_every_difference_is_printed_as_the_table_has_it_with_its_interval_and_p(page, outcome):
    for row in outcome[2]["differences"].iter_rows(named=True):
        between = numbers.interval(row["low"], row["high"], is_signed=True)
        cell = f'data-value="{row["difference"]}"><strong>{numbers.signed(row["difference"])}</strong>'
        assert f"{cell} <small>{between}</small>" in page
        assert f'data-value="{row["p_holm"]}">{numbers.p_value(row["p_holm"])}<' in page


def test_the_least_agreeing_pairs_are_shown_the_least_first(page, outcome):
    shown = page[page.index("Least agreeing pairs") : page.index("</section>", page.index("Least agreeing pairs"))]
    least = outcome[2]["pairs"]["id"].reverse().to_list()[:8]
    assert re.findall(r"<bdi>(pair-\d+)</bdi>", shown) == least
    assert shown.count("<img") == 8


def test_a_page_without_agreement_has_no_such_pairs(outcome, tmp_path):
    _, results, tables, _ = outcome
    without = write_page(tmp_path, results, {**tables, "agreement": tables["agreement"].clear()})
    assert "Least agreeing" not in without.read_text(encoding="utf-8")


def test_the_answer_comes_first_with_its_doubt(page, outcome):
    results, primary = outcome[1], outcome[2]["differences"].filter("is_primary").row(0, named=True)
    main = page[page.index("<main>") : page.index('id="scores"')]
    assert results["answer"]["headline"] in main
    assert results["answer"]["untried"] in main
    doubts = [numbers.signed(primary["difference"]), numbers.interval(primary["low"], primary["high"], is_signed=True)]
    doubts += [numbers.p_value(primary["p_holm"]), numbers.score(primary["minimum_detectable"])]
    n = outcome[2]["scores"].filter(contender=primary["a"], part="test")["n"][0]
    assert all(doubt in main for doubt in [*doubts, f"<dd>{n}</dd>", "3 <a"])


def test_the_answer_names_how_its_contenders_were_chosen(page):
    main = page[page.index("<main>") : page.index('id="scores"')]
    assert "is the best contender that reads both modalities" in main
    assert "as chosen" not in page


def test_a_contrast_of_differing_choices_stands_with_that_of_the_pair(outcome, tmp_path):
    _, results, tables, _ = outcome
    primary, table = results["primary"], tables["differences"]
    names = [(primary["a"], primary["b"]), (primary["a"], primary["b"]), ("lstm-cnn", primary["b"])]
    choices = [{"fold": str(place), "seed": 0, "a": a, "b": b} for place, (a, b) in enumerate(names)]
    own = table.filter("is_primary").with_columns(is_primary=False)
    more = {**tables, "differences": pl.concat([table, own])}
    page = write_page(tmp_path, results | {"primary": primary | {"choices": choices}}, more).read_text(encoding="utf-8")
    main = page[page.index("<main>") : page.index('id="scores"')]
    assert f"{primary['a']} (in 2 of 3 folds) and {primary['b']} (in 3 of 3 folds)" in main
    assert page.count("primary, as chosen in each fit</small>") == 1
    assert "text and image, two small models added minus text, word counts, as chosen" in page


def test_the_start_of_a_class_name_is_shown_in_any_direction_of_writing(page):
    assert '<b dir="auto">animal</b>' in page


def test_figures_have_the_titles_of_contenders(outcome, page):
    for stem in ("scores-balanced-accuracy", "answer", "differences", "roc-and-pr", "confusion-text-svm"):
        drawn = (outcome[0] / "figures" / f"{stem}.svg").read_text(encoding="utf-8")
        assert "text, word counts" in drawn, stem
        assert "text-svm" not in drawn, stem
    assert 'aria-label="Balanced accuracy on test pairs, 95% interval: text and image, two small models added' in page


def test_the_drawn_differences_are_those_to_the_best_of_each_modality_whatever_their_sign():
    rows = [
        {"a": a, "b": b, "difference": value, "is_primary": False}
        for a, b, value in (("late-fusion", "text-svm", -0.1), ("late-fusion", "text-lstm", 0.3))
    ]
    contenders = Contenders(FEW, {name: modality_style(MODALITIES[name]) for name in FEW})
    drawn, words = drawn_differences(pl.DataFrame(rows), contenders)
    assert drawn["b"].to_list() == ["text-svm"]
    assert words.startswith("those between a contender of both and the best one")


def test_dropped_rows_add_up_on_the_page(page, outcome):
    results, tables = outcome[1], outcome[2]
    assert f"Of {results['rows']['in']} rows, {len(tables['pairs'])} became pairs" in page
    assert f"and {len(tables['dropped'])} were dropped" in page
    assert "do not add up" not in page


def test_the_page_warns_of_rows_that_do_not_add_up(outcome, tmp_path):
    wrong = outcome[1] | {"rows": {"in": 1000}}
    tables = {name: outcome[2][name] for name in ("pairs", "dropped")}
    assert "do not add up" in write_page(tmp_path, wrong, tables).read_text(encoding="utf-8")


def test_every_figure_is_saved_as_svg_and_png_that_open_and_as_csv(page, outcome):
    folder = outcome[0] / "figures"
    stems = {path.stem for path in folder.glob("*.svg")}
    assert {"answer", "scores-balanced-accuracy", "differences", "rows", "classes", "confusion-text-svm"} <= stems
    assert {path.stem for path in folder.glob("*.png")} == {path.stem for path in folder.glob("*.csv")} == stems
    assert all(len(pl.read_csv(path)) for path in folder.glob("*.csv"))
    for path in folder.glob("*.png"):
        with Image.open(path) as picture:
            assert np.asarray(picture.convert("L")).std() > 0
    assert b"<text" in (folder / "answer.svg").read_bytes()


def test_a_figure_that_an_earlier_page_had_is_swept_away_and_other_files_are_not(outcome, tmp_path):
    (tmp_path / "figures").mkdir()
    for name in ("old.svg", "old.png", "old.csv", "notes.txt"):
        (tmp_path / "figures" / name).write_text("x")
    write_page(tmp_path, outcome[1], {"pairs": outcome[2]["pairs"]})
    left = {path.name for path in (tmp_path / "figures").iterdir()}
    assert not {"old.svg", "old.png", "old.csv"} & left
    assert {"notes.txt", "rows.svg"} <= left


def test_the_same_results_give_the_same_bytes(page, outcome, tmp_path):
    _, results, tables, models = outcome
    again = write_page(tmp_path, results, tables, models=models)
    assert again.read_text(encoding="utf-8") == page
    for path in (tmp_path / "figures").iterdir():
        assert path.read_bytes() == (outcome[0] / "figures" / path.name).read_bytes()


def test_thumbnails_are_small(page):
    for found in re.findall(r"data:image/jpeg;base64,([^\"]+)", page)[:4]:
        with Image.open(io.BytesIO(base64.b64decode(found))) as picture:
            assert max(picture.size) == SIDE_PX


def test_photos_and_captions_stay_off_the_page_when_they_must(outcome, tmp_path):
    _, results, tables, models = outcome
    config = json.loads(results["config"]) | {"page": {"example_images": False}}
    page = write_page(tmp_path, results | {"config": json.dumps(config)}, tables, models=models).read_text("utf-8")
    assert "data:image" not in page
    assert not any(text in page for text in tables["pairs"]["text"])
    assert "labelled" in page


@pytest.mark.parametrize("gone", ["pairs", "dropped", "predictions", "history", "costs", "scores", "differences"])
def test_a_page_without_one_of_its_tables_is_a_page(tmp_path, gone):
    results, tables, models = study(tmp_path / "images", contenders=("text-lstm", "lstm-cnn"), n=60)
    some = {name: table for name, table in tables.items() if name != gone}
    Reader(write_page(tmp_path, results, some, models=models).read_text(encoding="utf-8"))


def test_a_page_of_nothing_but_a_name_is_a_page(tmp_path):
    read = Reader(write_page(tmp_path, {"study": "bare"}, {}).read_text(encoding="utf-8"))
    assert "no answer yet" in " ".join(read.text)


@pytest.mark.parametrize(
    "shape",
    [
        {"folds": 5, "seeds": (0,)},
        {"classes": ("a", "b", "c"), "contenders": ("majority", "text-svm")},
        {"contenders": ("text-svm",), "pictures": 0},
        {"classes": tuple(f"class {i:02d}" for i in range(14)), "contenders": ("text-lstm",), "n": 400},
    ],
    ids=["five folds", "three classes without a primary contrast", "one contender without images", "many classes"],
)
def test_studies_of_other_shapes_have_their_page(tmp_path, shape):
    results, tables, models = study(tmp_path / "images", **{"contenders": ("text-svm", "lstm-cnn")} | shape)
    read = Reader(write_page(tmp_path, results, tables, models=models).read_text(encoding="utf-8"))
    assert read.open == []
    assert ("#term-primary" in [attrs["href"] for attrs in read.all("a")]) == (results["primary"] is not None)


def test_numbers_that_are_not_there_are_dashes(outcome, tmp_path):
    tables = {name: outcome[2][name] for name in ("scores", "differences")}
    tables["scores"] = tables["scores"].with_columns(value=pl.lit(None, pl.Float64), low=None, high=None)
    tables["differences"] = tables["differences"].with_columns(
        pl.lit(float("nan")).alias(name) for name in ("difference", "low", "high", "p", "p_holm", "minimum_detectable")
    )
    text = write_page(tmp_path, outcome[1], tables).read_text(encoding="utf-8")
    assert "nan" not in Reader(text).text
    assert ">None<" not in text


def test_a_finding_has_its_title_its_table_and_its_advice_and_its_code_is_folded(tmp_path, outcome):
    rows = [{"contender": "text-svm", "score": 0.81234, "n": 1200}, {"contender": "lstm-cnn", "score": None}]
    found = schema.finding("CP002", "warn", "folds", "Some rows stand twice.", share=0.05, table=rows)
    findings = pl.DataFrame([found, schema.finding("CP000", "info", "all", "Planted.")], schema=dict(schema.FINDINGS))
    text = write_page(tmp_path, outcome[1], outcome[2] | {"findings": findings}).read_text(encoding="utf-8")
    shown = " ".join("".join(Reader(text).text).split())
    assert "Warning Duplicates across folds (folds)" in shown
    assert "To do: Group the copies with group:" in shown
    for cell in ("text-svm", "0.812", "1,200", "0.050"):
        assert f"<bdi>{cell}</bdi>" in text
    section = text[text.index('<section id="findings">') :]
    open_part = re.sub(r"<details>.*?</details>", "", section[: section.index("</section>")], flags=re.DOTALL)
    assert "CP002" not in re.sub(r'id="[^"]*"', "", open_part)
    assert "<code>CP002</code>" in section


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Return a page where everything that comes from outside is out to run a script."""
    folder = tmp_path_factory.mktemp("hostile")
    classes = tuple(sorted(HOSTILE[:3]))
    results, tables, _ = study(folder / "images", classes=classes, contenders=FEW, n=120)
    names = dict(zip(FEW, HOSTILE[3:7], strict=True))
    for name in ("predictions", "history", "costs", "scores"):
        tables[name] = tables[name].with_columns(pl.col("contender").replace(names))
    tables["differences"] = tables["differences"].with_columns(pl.col("a", "b").replace(names))
    evil = pl.Series([HOSTILE[i % len(HOSTILE)] for i in range(120)])
    tables["pairs"] = tables["pairs"].with_columns(text=evil)
    tables["dropped"] = tables["dropped"].with_columns(reason=pl.lit(HOSTILE[0]), stage=pl.lit(HOSTILE[1]))
    tables["findings"] = tables["findings"].with_columns(
        code=pl.lit("CP001"),
        subject=pl.lit(HOSTILE[0]),
        explanation=pl.lit(HOSTILE[2]),
        evidence=pl.Series([HOSTILE[1], json.dumps({HOSTILE[0]: HOSTILE[2], "table": [{HOSTILE[1]: HOSTILE[0]}]})] * 2),
    )
    results |= {
        "modalities": {names.get(name, name): modalities for name, modalities in MODALITIES.items()},
        "answer": {
            "verdict": HOSTILE[0],
            "headline": HOSTILE[1],
            "reasons": [HOSTILE[2]],
            "recommendation": HOSTILE[0],
            "evidence": [HOSTILE[3]],
            "untried": HOSTILE[1],
        },
        "attribution": HOSTILE[2],
        "environment": {HOSTILE[0]: HOSTILE[1]},
        "study": HOSTILE[2],
        "config": json.dumps({"study": HOSTILE[2]}),
    }
    models = {names["text-svm"]: Weights(sorted(classes)), names["text-lstm"]: Words(sorted(classes))}
    return write_page(folder, results, tables, models=models)


def test_hostile_input_is_shown_and_never_run(hostile):
    text = hostile.read_text(encoding="utf-8")
    read = Reader(text)
    assert len([attrs for attrs in read.all("script") if attrs.get("type") != "application/json"]) == 1
    assert not [attrs for _, attrs in read.elements if any(name.startswith("on") for name in attrs)]
    assert all(attrs["src"].startswith("data:image/jpeg") for attrs in read.all("img"))
    assert not {"\x00", "\x1b", "\u202e"} & set(text)
    assert HOSTILE[0] in "".join(read.text)
    assert "49" not in re.findall(r"<bdi[^>]*>([^<]*)</bdi>", text)


def test_only_the_script_of_the_page_may_run(hostile):
    text = hostile.read_text(encoding="utf-8")
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL)[1]
    allowed = base64.b64encode(sha256(script.encode()).digest()).decode()
    [policy] = [attrs["content"] for attrs in Reader(text).all("meta") if "http-equiv" in attrs]
    assert f"script-src 'sha256-{allowed}'" in policy
    assert "default-src 'none'" in policy
