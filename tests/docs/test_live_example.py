"""The live example on the first page of the documentation is a small study of drawings that may be shown."""

from pathlib import Path

import live_example
from counterpoint.config import read_study
from counterpoint.data.sources import open_source

DOCS = Path(__file__).parents[2] / "docs"
NETWORKS = {"text-lstm", "image-cnn", "lstm-cnn"}


def test_the_example_shows_openmoji_and_trains_no_network():
    study = read_study(live_example.STUDY)
    assert open_source(study.source).attribution == "Emojis by OpenMoji (openmoji.org), CC BY-SA 4.0"
    assert not {each.kind for each in study.contenders} & NETWORKS
    assert not study.checks.encoders


def test_the_first_page_frames_the_page_that_the_build_writes():
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    assert '<iframe src="example.html" title="' in text
    assert "OpenMoji](https://openmoji.org), CC BY-SA 4.0" in text


def test_the_page_is_written_again_with_each_build(tmp_path, monkeypatch):
    page = tmp_path / "runs" / "report.html"

    class Study:
        root = page.parent

        def report(self):
            assert not page.exists()
            page.parent.mkdir(exist_ok=True)
            page.write_text("new")
            return page

    monkeypatch.setattr(live_example, "open_study", lambda *_, **__: Study())
    for _ in range(2):
        assert live_example.write_example(tmp_path / "html", runs=page.parent).read_text() == "new"
