"""An acquire file that is inferred from a list names its columns, and plans at once."""

import sys

import polars as pl
import pytest
import yaml

from counterpoint import cli
from counterpoint.acquire.acquisition import open_acquisition
from counterpoint.acquire.lists.infer import acquire_file
from counterpoint.errors import SourceError
from layout_material import LABELS, TEXTS, N

URLS = [f"https://x.org/{n}.jpg" for n in range(N)]
PAGES = [f"https://x.org/pages/{n}" for n in range(N)]
LAION = {
    "SAMPLE_ID": list(range(N)), "URL": URLS, "TEXT": TEXTS, "HEIGHT": [200] * N, "WIDTH": [300] * N,
    "LICENSE": ["?"] * N, "NSFW": ["UNLIKELY", "UNSURE"] * (N // 2), "similarity": [0.3 + n / 1000 for n in range(N)],
}  # fmt: skip
HALF = N // 2
CHANCES, YES_NO = [0.1, 0.9] * HALF, ["false", "true"] * HALF
LISTS = {
    "LAION-400M": (LAION, {"url": "URL", "text": "TEXT", "id": "SAMPLE_ID", "nsfw": "NSFW", "width": "WIDTH"}, HALF),
    "Re-LAION": (
        {"url": URLS, "caption": TEXTS, "key": list(range(N)), "punsafe": CHANCES, "pwatermark": [0.2] * N},
        {"url": "url", "text": "caption", "id": "key", "punsafe": "punsafe", "pwatermark": "pwatermark"},
        HALF,
    ),
    "a shop": (
        {"Seite": PAGES, "Bild-URL": URLS, "Beschreibung": TEXTS, "Kategorie": LABELS, "is_nsfw": YES_NO},
        {"url": "Bild-URL", "text": "Beschreibung", "label": "Kategorie", "nsfw": "is_nsfw"},
        HALF,
    ),
    "a judgement as a chance": (
        {"link": URLS, "alt": TEXTS, "NSFW": CHANCES}, {"url": "link", "punsafe": "NSFW", "nsfw": None}, HALF,
    ),
    "a judgement in words of its own": ({"src": URLS, "title": TEXTS, "nsfw": ["A", "B"] * HALF}, {"nsfw": None}, N),
    "a width that is no number": ({"url": URLS, "text": TEXTS, "width": ["wide"] * N}, {"width": None}, N),
}  # fmt: skip


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
@pytest.mark.parametrize("kind", LISTS)
def test_the_file_names_the_columns_of_a_list_and_plans(tmp_path, kind, suffix):
    columns, expected, n_selected = LISTS[kind]
    frame = pl.DataFrame(columns)
    write = {"csv": frame.write_csv, "parquet": frame.write_parquet, "jsonl": frame.write_ndjson}[suffix]
    write(tmp_path / f"list.{suffix}")
    file = tmp_path / "acquire.yaml"
    file.write_text(acquire_file(file, f"{tmp_path}/list.{suffix}"), encoding="utf-8")
    found = yaml.safe_load(file.read_text(encoding="utf-8"))["input"]["columns"]
    if suffix == "parquet" or expected != {"width": None}:  # a table of text has no types
        assert {role: found.get(role, "not there") for role in expected} == expected
    assert open_acquisition(file).plan().n_rows == n_selected


def test_a_folder_of_lists_is_one_list(tmp_path):
    (tmp_path / "lists").mkdir()
    for part in range(3):
        pl.DataFrame(LAION)[part * 20 : part * 20 + 20].write_parquet(tmp_path / "lists" / f"part-{part}.parquet")
    file = tmp_path / "acquire.yaml"
    file.write_text(acquire_file(file, f"{tmp_path}/lists"))
    assert open_acquisition(file).plan().n_rows == N // 2


def test_a_runner_up_and_what_is_not_used_stand_in_comments(tmp_path):
    pl.DataFrame({"page": PAGES, "photo": URLS, "alt": TEXTS, "more": LABELS}).write_csv(tmp_path / "l.csv")
    text = acquire_file(tmp_path / "acquire.yaml", f"{tmp_path}/l.csv")
    assert "    url: photo            # could also be page\n" in text
    assert "# Not used: page, more." in text


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        (
            {"file": ["1.jpg"] * N, "text": TEXTS},
            "no column of URLs such as https://example.org/a.jpg. Found file, text",
        ),
        ({"url": URLS, "n": [str(n) for n in range(N)]}, "no column of texts in addition to 'url'. Found url, n"),
    ],
)
def test_what_is_no_list_is_refused_with_what_was_found(tmp_path, columns, says):
    pl.DataFrame(columns).write_csv(tmp_path / "l.csv")
    with pytest.raises(SourceError, match=says):
        acquire_file(tmp_path / "acquire.yaml", f"{tmp_path}/l.csv")


def test_the_command_writes_the_file_and_says_how_to_go_on(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    pl.DataFrame(LAION).write_csv("list.csv")
    monkeypatch.setattr(sys, "argv", ["counterpoint", "acquire", "new", "--from", "list.csv"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    assert "counterpoint acquire plan acquire.yaml" in capsys.readouterr().out
    assert yaml.safe_load((tmp_path / "acquire.yaml").read_text())["input"]["path"] == "list.csv"
