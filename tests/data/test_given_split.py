"""The split of a source on its way through a study: kept by default, and shown on the page and the terminal."""

import logging

import polars as pl
import pytest
from PIL import Image

import counterpoint as cp
from counterpoint.config import StudyConfig
from counterpoint.report import write_page
from counterpoint.report.terminal import study_summary
from counterpoint.schema import FINDINGS, finding

KEPT = (
    "The source's own split is kept: 12 training, 8 validation and 8 test rows. Its validation rows are the test part. "
    "The 8 validation rows are drawn from its training rows."
)


@pytest.fixture
def photos(tmp_path):
    """Two classes in the folds train and val, unzipped on a Mac, with a file that is no picture."""
    colours = iter(range(1, 99))
    for fold, n in (("train", 10), ("val", 4)):
        for label in ("cat", "dog"):
            folder = tmp_path / "photos" / fold / label
            folder.mkdir(parents=True)
            for number in range(n):
                factor = next(colours)
                pixels = bytes(factor * place * 7 % 256 for place in range(16 * 16))
                Image.frombytes("L", (16, 16), pixels).save(folder / f"{number}.jfif", "JPEG")
                (folder / f"{number}.txt").write_text(f"{fold} {label} {number}")
    (tmp_path / "photos/__MACOSX").mkdir()
    (tmp_path / "photos/__MACOSX/._0.jfif").write_bytes(b"\0\5\26\7")
    return tmp_path / "photos"


def study(photos, **split):
    own = {"source": {"kind": "folder", "path": str(photos)}, "split": {"validation_share": 0.32, **split}}
    off = {"group": {"exact": False, "near_images": False, "near_texts": False}, "fit": {"workers": 1}}
    config = StudyConfig.read({"study": "photos", "contenders": ["majority"], **own, **off})
    return cp.Study(config, runs=photos.parent / f"runs-{split.get('kind')}")


def test_a_study_keeps_the_split_of_its_source_and_says_so(photos, caplog):
    with caplog.at_level(logging.INFO):
        made = study(photos)
        pairs = made.pairs()
    assert set(pairs.filter(pl.col("id").str.starts_with("validation/"))["fold"]) == {"test"}
    found = made.made("pairs")["pairs_findings"].filter(code="CP000")
    assert found["explanation"].to_list() == ["Files that are no rows: 1 hidden (__MACOSX/._0.jfif).", KEPT]
    assert KEPT in caplog.text
    assert found["subject"].to_list() == ["source", "split"]


def test_another_split_is_drawn_where_the_study_file_wants_it(photos):
    made = study(photos, kind="kfold", folds=3)
    assert set(made.pairs()["fold"]) == {"0", "1", "2"}
    assert made.made("pairs")["pairs_findings"].filter(subject="split").is_empty()


def test_the_page_and_the_terminal_have_the_sentence(tmp_path):
    note = finding("CP000", "info", "split", KEPT)
    pairs = pl.DataFrame({"id": ["a"], "label": ["x"], "fold": ["test"], "text": ["t"], "image": [None]})
    tables = {"findings": pl.DataFrame([note], schema=dict(FINDINGS)), "pairs": pairs}
    page = write_page(tmp_path, {"study": "photos", "config": "page: {example_images: false}"}, tables)
    data = page.read_text(encoding="utf-8").partition('<section id="data">')[2].partition("</section>")[0]
    assert KEPT.replace("'", "&#39;") in data
    results = {
        "study": "photos",
        "rows": {"pairs": 1, "dropped": {}},
        "scores": [],
        "answer": {"headline": "Yes.", "reasons": [], "recommendation": None},
    }
    lines = list(study_summary(results | {"findings": [note]}, "accuracy"))
    assert str(lines[-1]) == f"CP000 info: {KEPT}"
