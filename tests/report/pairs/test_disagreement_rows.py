"""The rows of the disagreement browser: which are drawn, and what a page may contain of them."""

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from counterpoint import schema
from counterpoint.formats.images import ImageReader
from counterpoint.measures.disagreements import OUTCOMES
from counterpoint.report.pairs import disagreement_rows
from counterpoint.report.pairs.disagreement_rows import RowFacts, queue_files, rows_data, sampled_rows
from counterpoint.report.pairs.page_data import script_data
from html_reader import HOSTILE

CELL_OF = {"kept": "both", "lost": "both", "rescued": "text_only", "missed": "neither"}
NO_TAGS = pl.DataFrame(schema={"id": pl.String, "findings": pl.List(pl.String), "segments": pl.List(pl.String)})


def rows(**numbers):
    """Return this number of rows of each outcome; each tenth is of class b."""
    outcomes = [outcome for outcome, n in numbers.items() for _ in range(n)]
    n = len(outcomes)
    columns = {"id": [f"r{i:05d}" for i in range(n)], "label": ["b" if i % 10 == 0 else "a" for i in range(n)]}
    columns |= {"outcome": outcomes, "cell": [CELL_OF[outcome] for outcome in outcomes]}
    for reader in ("text", "image", "multimodal"):
        columns |= {f"{reader}_predicted": ["a"] * n, f"{reader}_confidence": [i % 97 / 97 for i in range(n)]}
    return pl.DataFrame(columns)


def facts(texts, *, images=None, findings=(), ids=None, segments=()):
    ids = ids or [f"r{i:05d}" for i in range(len(texts))]
    pairs = pl.DataFrame({"id": ids, "text": texts, "image": images or [None] * len(texts)})
    pairs = pairs.cast({"text": pl.String, "image": pl.String})
    found = pl.DataFrame(list(findings), schema=dict(schema.FINDINGS))
    return RowFacts(
        pairs, found, pl.DataFrame(list(segments), schema={"id": pl.String, "segment": pl.String}, orient="row")
    )


def data_of(sample, known):
    with ImageReader() as reader:
        return rows_data(sample, known, ["a", "b"], reader)


def tagged(n=0, **numbers):
    return sampled_rows(rows(**numbers), NO_TAGS, **({"most": n} if n else {}))


def test_all_rows_on_which_a_reader_is_wrong_are_drawn_before_the_others():
    drawn = tagged(n=100, kept=5000, lost=20, rescued=30, missed=10)
    assert dict(drawn["outcome"].value_counts().iter_rows()) == {"kept": 40, "lost": 20, "rescued": 30, "missed": 10}
    assert drawn["outcome"].unique(maintain_order=True).to_list() == list(OUTCOMES)


def test_of_too_many_disagreements_rare_ones_are_drawn_whole():
    drawn = tagged(n=100, kept=5000, lost=20, rescued=3000, missed=2000)
    counts = dict(drawn["outcome"].value_counts().iter_rows())
    assert counts["lost"] == 20
    assert "kept" not in counts
    assert drawn.filter(outcome="rescued")["label"].n_unique() == 2
    assert len(drawn) == 100


def test_a_study_of_a_million_rows_gives_as_many_as_one_of_a_few_thousand():
    assert len(tagged(kept=900_000, lost=50_000, rescued=50_000)) == disagreement_rows.MOST_ROWS


def test_the_same_rows_are_drawn_again_and_others_by_another_seed():
    table = rows(kept=500, rescued=300)
    first, again, other = (sampled_rows(table, NO_TAGS, most=50, seed=seed)["id"].to_list() for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_rows_that_a_finding_names_have_a_place_although_readers_agree_on_them():
    queue = {f"r{i:05d}": 0.1 for i in range(4000, 4030)}
    known = facts(["x"] * 5000, findings=[schema.finding("CP004", "warn", "pairs", "Look.", queue=queue)])
    drawn = sampled_rows(rows(rescued=2000, kept=3000), known.tags(), most=100)
    assert drawn.filter(pl.col("findings").list.contains("CP004"))["id"].sort().to_list() == sorted(queue)
    assert len(drawn) == 100


def test_a_row_has_its_findings_and_its_segments():
    found = [schema.finding(code, "info", "x", "y", table=[{"id": "r00001"}]) for code in ("CP024", "CP020")]
    known = facts(["x"] * 3, findings=found, segments=[("r00000", "short"), ("r00001", "dark"), ("r00001", "short")])
    data = data_of(sampled_rows(rows(kept=3), known.tags()).sort("id"), known)
    assert (data["finding_names"], data["findings"]) == (["CP020", "CP024"], [[], [0, 1], []])
    assert (data["segment_names"], data["segments"]) == (["dark", "short"], [[1], [0, 1], []])


def test_long_texts_are_cut_and_counted():
    known = facts(["a" * 100_000, "short", None])
    data = data_of(tagged(kept=3).sort("id"), known)
    assert [len(text or "") for text in data["text"]] == [disagreement_rows.MOST_CHARACTERS, 5, 0]
    assert data["length"] == [100_000, 0, 0]
    assert disagreement_rows.page_counts(data)["cut"] == 1


def test_a_text_of_spaces_is_not_cut():
    data = data_of(tagged(kept=1), facts(["one" + " " * 500 + "word"]))
    assert (data["text"], data["length"]) == (["one word"], [0])


def test_pictures_end_where_the_room_ends(tmp_path, monkeypatch):
    images = []
    for i in range(6):
        images.append(str(tmp_path / f"{i}.png"))
        Image.effect_noise((100, 100), 60 + i).save(images[-1])
    known = facts(["x"] * 6, images=images)
    sample = tagged(kept=6)
    whole = data_of(sample, known)
    assert disagreement_rows.page_counts(whole)["unpictured"] == 0
    monkeypatch.setattr(disagreement_rows, "BUDGET", len(json.dumps(whole)) - sum(map(len, whole["pictures"][3:])))
    cut = data_of(sample, known)
    assert 0 < disagreement_rows.page_counts(cut)["unpictured"] < 6
    assert len(json.dumps(cut)) <= disagreement_rows.BUDGET + 100


def test_rows_of_one_image_share_its_picture(tmp_path):
    Image.new("RGB", (50, 50), "red").save(tmp_path / "one.png")
    data = data_of(tagged(kept=3), facts(["x"] * 3, images=[str(tmp_path / "one.png")] * 3))
    assert (data["picture"], len(data["pictures"])) == ([0, 0, 0], 1)


def test_an_id_that_no_file_can_hold_is_not_given():
    ids = ["a,\"b'", "line\rend", "x" * 501, "nan", " \n"]
    sample = tagged(kept=5).sort("id").with_columns(id=pl.Series(ids))
    data = data_of(sample, facts(["x"] * 5, ids=ids))
    assert data["id"] == [ids[0], None, None, None, None]
    assert all(data["name"][:3])


def test_queues_hold_the_ids_of_pairs_alone_and_not_too_many(monkeypatch):
    queue = {"r00002": 0.1, "gone": 0.2, "r00001": 0.3}
    found = [
        schema.finding("CP004", "warn", "pairs", "Look.", queue=queue),
        schema.finding("CP020", "warn", "labels", "Look.", queue={"r00001": "b"}),
        schema.finding("CP024", "info", "labels", "None.", queue={}),
    ]
    mismatch, relabel = queue_files(facts(["x"] * 3, findings=found))
    assert (mismatch["setting"], mismatch["ids"], mismatch["n"]) == ("exclude", ["r00002", "r00001"], 3)
    assert (relabel["setting"], relabel["ids"], relabel["labels"]) == ("relabel", ["r00001"], ["b"])
    monkeypatch.setattr(disagreement_rows, "MOST_IN_QUEUE", 7)
    assert queue_files(facts(["x"] * 3, findings=found))[0]["ids"] == ["r00002"]


@pytest.mark.parametrize("evidence", ["no JSON", "[]", '{"queue": [1], "table": [1, {"id": 3}]}', None])
def test_evidence_of_any_shape_names_no_row(evidence):
    finding = ("CP999", "info", "x", "y", evidence)
    assert disagreement_rows.named_rows(pl.DataFrame([finding], schema=dict(schema.FINDINGS), orient="row")) == {}


@given(st.lists(st.text(), max_size=5))
def test_data_for_the_script_are_read_back_as_they_were(texts):
    made = str(script_data(texts))
    assert json.loads(made) == texts
    assert not {"<", ">", "&", "\u2028", "\u2029", "\u202e", "\ufeff"} & set(made)


def test_hostile_texts_cannot_end_the_element_of_the_data():
    made = str(script_data([*HOSTILE, "<!--<script>", "]]>"]))
    assert "<" not in made
    assert "\u202e" not in made
