"""What is selected is what a loop over rows in plain Python selects, however the list is stored and cut."""

import json
import re
from collections import Counter
from pathlib import Path

import fsspec
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoint.acquire.lists.deduplication import Deduplicator
from counterpoint.acquire.lists.inputs import find_inputs
from counterpoint.acquire.lists.row_rules import RULES, hosts
from counterpoint.acquire.lists.select import Selection
from counterpoint.acquire.lists.url_list import UrlList
from counterpoint.config.acquire import Input, Select
from counterpoint.errors import ConfigError, SourceError
from counterpoint.formats.shards import LISTED
from counterpoint.formats.urls import host_of
from counterpoint.rules import KeywordRules

SOME = settings(max_examples=60, deadline=None)

URLS = st.none() | st.sampled_from(
    ["", *(f"http://{host}/{n}.jpg" for host in ("a.org", "B.org:80") for n in range(3))]
)
WORDS = st.sampled_from(["man", "woman", "cat", "dog", "Dog", "mango", "red", "é", "1", "a."])
TEXTS = st.none() | st.sampled_from(["", " ", "\n"]) | st.lists(WORDS, max_size=5).map(" ".join)
SIDES_PX = st.none() | st.integers(1, 40)
ROW = st.fixed_dictionaries({
    "URL": URLS,
    "TEXT": TEXTS,
    "WIDTH": SIDES_PX,
    "HEIGHT": SIDES_PX,
    "NSFW": st.none() | st.sampled_from(["UNLIKELY", "UNSURE", "NSFW"]),
    "similarity": st.none() | st.sampled_from([0.25, 0.3, 0.35]),
    "punsafe": st.none() | st.sampled_from([0.0, 0.5, 0.75]),
    "pwatermark": st.none() | st.sampled_from([0.0, 0.5, 0.75]),
})  # fmt: skip
TYPES = {"URL": pl.String, "TEXT": pl.String, "WIDTH": pl.Int64, "HEIGHT": pl.Int64, "NSFW": pl.String,
         "similarity": pl.Float64, "punsafe": pl.Float64, "pwatermark": pl.Float64}  # fmt: skip
KEYWORDS = KeywordRules(classes={"person": ["man", "woman"], "animal": ["cat", "dog"]})
SELECT = st.builds(
    Select,
    keywords=st.none() | st.just(KEYWORDS),
    allowed_characters=st.none() | st.just("[a-zA-Z .]+"),
    min_words=st.integers(0, 2),
    max_words=st.none() | st.integers(2, 4),
    nsfw=st.none() | st.just(("UNLIKELY", "UNSURE")),
    max_punsafe=st.none() | st.just(0.5),
    max_pwatermark=st.none() | st.just(0.5),
    min_similarity=st.none() | st.just(0.3),
    min_side_px=st.none() | st.just(3),
    max_side_px=st.none() | st.just(35),
    max_aspect=st.none() | st.just(4.0),
    unique_urls=st.booleans(),
    caps=st.none() | st.integers(1, 3) | st.just({"person": 2}),
)


def selection(path, rules, **options):
    listed = Selection(UrlList(Input(path=str(path), **options.pop("input", {}))), rules, **options)
    return pl.concat(listed.frames()), listed


def fails_alone(row, rules):
    """Return the first rule that a row fails, and its label, in plain Python."""
    text, sides_px = row["TEXT"] or "", (row["WIDTH"], row["HEIGHT"])
    short, long = (min(sides_px), max(sides_px)) if None not in sides_px else (None, None)
    n_words = len(re.findall(r"\w+", text))
    found = {"person": re.search(r"\b(man|woman)\b", text, re.I), "animal": re.search(r"\b(cat|dog)\b", text, re.I)}
    labels = [name for name, match in found.items() if match] if rules.keywords else [None]
    fails = {
        "null_url": not row["URL"],
        "null_text": not text.strip(),
        "nsfw": rules.nsfw is not None and row["NSFW"] not in rules.nsfw,
        "punsafe": rules.max_punsafe is not None and not (row["punsafe"] is not None and row["punsafe"] <= 0.5),
        "pwatermark": rules.max_pwatermark is not None and (row["pwatermark"] or 0) > rules.max_pwatermark,
        "similarity": None not in (rules.min_similarity, row["similarity"]) and row["similarity"] < 0.3,
        "size": short is not None and (short < (rules.min_side_px or 0) or long > (rules.max_side_px or 99)),
        "aspect": None not in (short, rules.max_aspect) and long / short > 4,
        "no_label_rule": not labels,
        "ambiguous_label": len(labels) > 1,
        "disallowed_characters": rules.allowed_characters and not re.fullmatch("[a-zA-Z .]+", text),
        "too_few_words": n_words < rules.min_words,
        "too_many_words": rules.max_words is not None and n_words > rules.max_words,
    }
    return next((rule for rule, is_true in fails.items() if is_true), None), labels[0] if labels else None


def loop(rows, rules):
    """Return the numbers of the rows that are selected, and how many failed each rule, row by row."""
    kept, removed, seen, taken = [], Counter(), set(), Counter()
    for number, row in enumerate(rows):
        reason, label = fails_alone(row, rules)
        cap = rules.caps if isinstance(rules.caps, int) or rules.caps is None else rules.caps.get(label)
        if reason is None and rules.unique_urls and row["URL"] in seen:
            reason = "duplicate_url"
        elif reason is None:
            seen.add(row["URL"])
            reason = "over_cap" if cap is not None and taken[label] >= cap else None
        if reason is None:
            taken[label] += 1
            kept.append(str(number))
        else:
            removed[reason] += 1
    return kept, dict(removed)


@SOME
@given(st.lists(ROW, min_size=1, max_size=25), SELECT, st.integers(1, 30), st.integers(1, 12))
def test_a_selection_is_what_a_loop_over_the_rows_selects_however_it_is_cut(tmp_path_factory, rows, rules, cut, group):
    path = tmp_path_factory.mktemp("list") / "part.parquet"
    pl.DataFrame(rows, schema=TYPES).write_parquet(path, row_group_size=group)
    found, listed = selection(path, rules, part_rows=cut)
    kept, removed = loop(rows, rules)
    assert found["id"].to_list() == kept
    assert listed.removed == removed
    assert listed.n_read == len(rows) == listed.n_selected + sum(listed.removed.values())


def study_loop(texts):
    """Select as the authors of the 2023 study did, text by text."""
    persons, animals = [], []
    person_words = (" man ", " men ", " women ", " woman ", " boy ", " girl ")
    for number, text in enumerate(texts):
        if not text or not re.match("^[a-zA-Z .,]+$", text):
            continue
        is_person, has_cat, has_dog = any(word in text for word in person_words), " cat " in text, " dog " in text
        if is_person and not (has_cat and has_dog) and len(persons) < 8000:
            persons.append(str(number))
        if not is_person and (has_cat or has_dog) and len(animals) < 6000:
            animals.append(str(number))
    return persons, animals


STUDY_WORDS = st.sampled_from(["man", "men", "woman", "girl", "cat", "dog", "Cat", "mango", "a", ",", ".", "é", "\n"])
STUDY_TEXTS = st.none() | st.lists(STUDY_WORDS, max_size=7).map(" ".join) | st.text(" ,.manmencatdog\n", max_size=12)


@SOME
@given(st.lists(STUDY_TEXTS, min_size=1, max_size=30), st.integers(1, 30))
def test_the_preset_selects_what_the_2023_study_selected(tmp_path_factory, texts, cut):
    path = tmp_path_factory.mktemp("list") / "part.parquet"
    pl.DataFrame({"URL": ["http://a.org/1.jpg"] * len(texts), "TEXT": pl.Series(texts, dtype=pl.String)}).write_parquet(
        path
    )
    found, _ = selection(path, Select(preset="study-2023"), part_rows=cut)
    by_label = found.group_by("label").agg("id").rows_by_key("label")
    persons, animals = study_loop(texts)
    assert [sorted(by_label.get(name, [([],)])[0][0]) for name in ("person", "animal")] == [
        sorted(persons),
        sorted(animals),
    ]


def test_the_preset_takes_the_first_8000_persons_and_6000_animals(tmp_path):
    texts = ["a man walks", "my dog barks"] * 9000
    pl.DataFrame({"URL": "u", "TEXT": texts}).write_parquet(tmp_path / "a.parquet")
    found, listed = selection(tmp_path, Select(preset="study-2023"), part_rows=500)
    assert dict(found["label"].value_counts().iter_rows()) == {"person": 8000, "animal": 6000}
    assert found["id"].to_list() == [str(n) for n in range(18000) if n < 12000 or (n < 16000 and n % 2 == 0)]
    assert listed.removed == {"over_cap": 4000}


def numbered(folder, n=2000, **columns):
    urls = [f"http://host{n % 7}.org/{n}.jpg" for n in range(n)]
    path = Path(folder, "part.parquet")
    pl.DataFrame({"URL": urls, "TEXT": "a cat", "kind": ["x", "y", "y", "y"] * (n // 4), **columns}).write_parquet(path)
    return path


def seeded(path, cut, **rules):
    rules = Select(caps={"x": 40, "y": 90}, sample="seeded", **rules)
    found, listed = selection(path, rules, part_rows=cut, input={"columns": {"label": "kind"}})
    assert listed.n_read == 2000 == found.height + sum(listed.removed.values())
    return found


def test_a_seeded_sample_is_the_same_however_it_is_cut_and_another_with_another_seed(tmp_path):
    path = numbered(tmp_path)
    samples = [seeded(path, cut)["id"].to_list() for cut in (90, 500, 5000)]
    assert samples[0] == samples[1] == samples[2]
    assert len(set(samples[0]) & set(seeded(path, 500, seed=1)["id"])) < 40  # 13 by chance


def test_a_seeded_sample_fills_each_cap_and_comes_from_the_whole_list(tmp_path):
    found = seeded(numbered(tmp_path), 500)
    assert dict(found["label"].value_counts().iter_rows()) == {"x": 40, "y": 90}
    rows = found["id"].cast(pl.Int64)
    assert rows.is_sorted()
    assert 850 < rows.mean() < 1150  # 1,000 ± 51


def test_a_label_comes_from_the_list_when_no_keywords_make_it_and_no_cap_means_all(tmp_path):
    found, _ = selection(numbered(tmp_path, 8), Select(caps={"x": 1}), input={"columns": {"label": "kind"}})
    assert found["label"].to_list() == ["x", "y", "y", "y", "y", "y", "y"]


@SOME
@given(
    st.lists(st.text("ab dog.,éX", max_size=8), min_size=1),
    st.sampled_from(["word", "space", "substring", "regex"]),
    st.booleans(),
)
def test_looking_for_any_word_first_changes_no_label(tmp_path_factory, texts, match, ignore_case):
    classes = {"one": {"any": ["(?i)do", "a.b"]}, "two": {"any": ["b", "x"], "none": ["d"]}}
    rules = KeywordRules(classes=classes, match=match, ignore_case=ignore_case)
    path = tmp_path_factory.mktemp("list") / "part.parquet"
    frame = pl.DataFrame({"URL": "u", "TEXT": [f"{text} a" for text in texts]})
    frame.write_parquet(path)
    found, listed = selection(path, Select(keywords=rules, unique_urls=False))
    labels = frame.select(rules.label(pl.col("TEXT")).alias("label"))["label"]
    assert found["label"].to_list() == labels.filter(labels.is_in(["one", "two"])).to_list()
    assert listed.removed.get("ambiguous_label", 0) == (labels == "ambiguous").sum()


URLISH = st.text("htp:/@?#.aB80 ", max_size=25) | st.from_regex(r"https?://[a-z@:?#/.]{1,9}", fullmatch=True)


@SOME
@given(st.lists(st.none() | URLISH, max_size=10))
def test_the_quick_way_finds_the_same_hosts(urls):
    column = pl.Series("url", urls, dtype=pl.String)
    assert hosts(column).to_list() == column.to_frame().select(host_of(pl.col("url")))["url"].to_list()


@SOME
@given(st.lists(st.lists(st.integers(0, 50).map(str), max_size=20), max_size=6))
def test_a_string_is_new_exactly_once(parts):
    seen, before = Deduplicator(), set()
    for part in parts:
        is_new = []
        for value in part:
            is_new.append(value not in before)
            before.add(value)
        assert seen.first(pl.Series(part, dtype=pl.String)).tolist() == is_new


def test_a_string_is_still_known_when_the_table_has_grown():
    seen = Deduplicator()
    many = pl.Series(np.arange(200_000)).cast(pl.String)
    assert all(seen.first(part).all() for part in (many[:30_000], many[30_000:]))
    assert not seen.first(many).any()


# How the list is stored.

MIXED = [
    {"key": 1, "url": "http://a.org/1.jpg", "caption": "a cat", "width": 640, "similarity": 0.5, "punsafe": 0.1},
    {"key": None, "url": None, "caption": "a dog", "width": None, "similarity": None, "punsafe": 0.1},
    {"key": None, "url": "http://A.org:8/2.jpg", "caption": 'é, "it"', "width": None, "similarity": None, "punsafe": 0},
    {"key": 12345678901, "url": "http://a.org/4.jpg", "caption": "x", "width": 1, "similarity": 0.25, "punsafe": 0.9},
]  # fmt: skip


def stored(folder, suffix):
    path, frame = Path(folder, f"list{suffix}"), pl.DataFrame(MIXED)
    if suffix == ".parquet":
        frame.with_columns(pl.col("key").cast(pl.Float64)).write_parquet(path)
    elif suffix in (".csv", ".tsv"):
        frame.with_columns(pl.col("key").cast(pl.Float64)).write_csv(path, separator="," if suffix == ".csv" else "\t")
    else:
        frame.write_ndjson(path)
    return path


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".tsv", ".jsonl", ".ndjson"])
@pytest.mark.parametrize("is_remote", [False, True])
def test_a_list_is_selected_alike_in_every_format_here_and_far_away(tmp_path, suffix, is_remote):
    path = stored(tmp_path, suffix)
    if is_remote:
        fsspec.filesystem("memory").pipe(f"/{tmp_path.name}/list{suffix}", path.read_bytes())
    found, listed = selection(f"memory://{tmp_path.name}/*" if is_remote else path, Select())
    assert dict(found.schema) == {name: kind for name, kind in LISTED.items() if name != "slot"}
    columns = ("id", "text", "host", "width_listed", "similarity", "punsafe", "label")
    assert found.select(columns).rows() == [
        ("1", "a cat", "a.org", 640, 0.5, 0.1, None),
        ("2", 'é, "it"', "a.org", None, None, 0.0, None),
    ]
    assert listed.removed == {"null_url": 1, "punsafe": 1}
    assert listed.not_applied == ["nsfw"]


@pytest.mark.parametrize("kind", [pl.Float64, pl.Int32, pl.String])
def test_an_id_is_a_string_without_decimals_and_a_row_without_one_has_its_number(tmp_path, kind):
    numbers = pl.Series([7, None, 9]).cast(kind)
    pl.DataFrame({"SAMPLE_ID": numbers, "URL": ["a", "b", "c"], "TEXT": "t"}).write_parquet(tmp_path / "a.parquet")
    assert selection(tmp_path, Select())[0]["id"].to_list() == ["7", "1", "9"]


def test_rows_are_numbered_over_all_files_in_their_order(tmp_path):
    for name in ("b.csv", "a.csv", "sub/c.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"URL,TEXT\nhttp://{name[0]}.org,x\n,x\n")
    found, _ = selection(tmp_path, Select())
    assert found.select("id", "host").rows() == [("0", "a.org"), ("2", "b.org"), ("4", "s.org")]


def test_rows_that_cannot_be_read_are_counted(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"URL,TEXT\nhttp://a.org,ok\nshort\nhttp://b.org,\xff\nhttp://c.org,too,long\n")
    lines = [json.dumps({"URL": "http://d.org", "TEXT": "ok"}), "{", "[]", '{"URL": null, "TEXT": "x"}']
    (tmp_path / "b.jsonl").write_text("\n".join(lines))
    found, listed = selection(tmp_path, Select())
    assert found["host"].to_list() == ["a.org", "d.org"]
    assert listed.removed == {"bad_row": 2, "bad_json": 2, "bad_text": 1, "null_url": 1}
    assert listed.n_read == 8


@pytest.mark.parametrize("kind", [pa.binary(), pa.string(), pa.large_string()])
def test_bytes_of_a_parquet_file_that_are_not_text_are_replaced_and_lose_no_row(tmp_path, kind):
    raw = pa.large_binary() if kind == pa.large_string() else pa.binary()
    texts = pa.array([b"a cat", b"caf\xe9", None, b"a dog"], raw)
    texts = pa.Array.from_buffers(kind, 4, texts.buffers())
    rows = pa.table({"URL": ["http://a.org/1", "http://a.org/2", "http://a.org/3", "http://a.org/4"], "TEXT": texts})
    pq.write_table(rows, tmp_path / "a.parquet", row_group_size=2)
    for cut in (1, 3, 9):
        found, listed = selection(tmp_path, Select(), part_rows=cut)
        assert found["text"].to_list() == ["a cat", "caf\ufffd", "a dog"]
        assert listed.removed == {"null_text": 1}


def test_a_rule_without_its_column_does_nothing_and_is_named(tmp_path):
    rules = Select(min_similarity=0.3, max_aspect=2, min_side_px=9, max_pwatermark=0.5)
    found, listed = selection(numbered(tmp_path, 4, WIDTH=5), rules)
    assert found.height == 4
    assert listed.not_applied == ["nsfw", "punsafe", "pwatermark", "similarity", "size", "aspect"]
    assert set(listed.not_applied) <= set(RULES)


def test_an_unsafe_row_leaves_a_list_that_mixes_the_names_of_two_releases(tmp_path):
    found, _ = selection(numbered(tmp_path, 4, punsafe=[0.1, 0.9, 0.1, None]), Select())
    assert found["id"].to_list() == ["0", "2"]


# Bad input.


def write(folder, name, **columns):
    pl.DataFrame(columns).write_parquet(Path(folder, name))


GOOD = {"URL": ["http://a.org/1", "http://a.org/2"], "TEXT": ["a", "b"]}


def test_a_file_that_cannot_be_read_does_not_lose_the_others(tmp_path):
    write(tmp_path, "a.parquet", **GOOD)
    (tmp_path / "b.parquet").write_bytes(b"PAR1 cut short")
    (tmp_path / "c.csv").write_bytes(b"")
    write(tmp_path, "d.parquet", URL=["http://d.org/"], TEXT=["d"])
    found, _ = selection(tmp_path, Select())
    assert found["id"].to_list() == ["0", "1", "2"]
    listed = UrlList(Input(path=str(tmp_path)))
    assert [Path(path).name for path in listed.unreadable] == ["b.parquet", "c.csv"]


def test_rows_of_a_damaged_page_are_counted_and_their_file_is_named(tmp_path):
    write(tmp_path, "a.parquet", **GOOD)
    urls = [f"http://b.org/{n}" for n in range(2000)]
    pl.DataFrame({"URL": urls, "TEXT": urls}).write_parquet(tmp_path / "b.parquet", row_group_size=1000)
    damaged = bytearray((tmp_path / "b.parquet").read_bytes())
    damaged[4:200] = bytes(196)
    (tmp_path / "b.parquet").write_bytes(damaged)
    listed = UrlList(Input(path=str(tmp_path)))
    chosen = Selection(listed, Select(), part_rows=1000)
    assert sum(frame.height for frame in chosen.frames()) == 1002
    assert (chosen.removed, chosen.n_read) == ({"unreadable": 1000}, 2002)
    assert [Path(path).name for path in listed.unreadable] == ["b.parquet"]


def test_the_only_file_that_breaks_off_is_an_error(tmp_path):
    pl.DataFrame({"URL": ["u"] * 1000, "TEXT": [f"text {n}" for n in range(1000)]}).write_parquet(
        tmp_path / "b.parquet"
    )
    damaged = bytearray((tmp_path / "b.parquet").read_bytes())
    damaged[4 : len(damaged) // 2] = bytes(len(damaged) // 2 - 4)
    (tmp_path / "b.parquet").write_bytes(damaged)
    with pytest.raises(SourceError, match=r"b\.parquet is a damaged Parquet file: [^\n]+$"):
        selection(tmp_path, Select())


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.parquet": {"URL": ["u"], "text": ["t"]}}, r"'TEXT' or 'caption' for .*text\. Did you mean 'text'"),
        ({"a.parquet": {"link": ["u"], "TEXT": ["t"]}}, r"no column 'URL' or 'url' for input\.columns\.url"),
        ({"a.parquet": {"URL": ["u"], "TEXT": [1]}}, "'TEXT' is int64. Allowed for input.columns.text: strings"),
        ({"a.parquet": {**GOOD, "similarity": ["x", "y"]}}, "'similarity' is .*string.*Allowed .*: numbers"),
        ({"a.parquet": {**GOOD, "NSFW": [[1], [2]]}}, "'NSFW' is .*list.*Allowed .*: strings"),
        ({"a.parquet": GOOD, "b.parquet": {**GOOD, "NSFW": ["x", "y"]}}, "a.* no column 'NSFW', unlike .*b"),
        ({"a.parquet": {**GOOD, "NSFW": ["x", "y"]}, "b.parquet": GOOD}, "b.* no column 'NSFW', unlike .*a"),
        ({"a.parquet": GOOD, "b.parquet": {"URL": [1], "TEXT": ["t"]}}, r"b\.parquet: column 'URL' is int64"),
        ({"a.parquet": {"URL": [], "TEXT": []}}, "The list has no rows"),
        ({}, "holds no list of URLs. Allowed: .parquet, .csv"),
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_used_is_one_line(tmp_path, files, message):
    for name, columns in files.items():
        write(tmp_path, name, **columns)
    with pytest.raises(SourceError, match=message) as caught:
        selection(tmp_path, Select())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("part-0.parquet", r"There is no .*\. Did you mean 'part-00\.parquet'\?"),
        ("none-*.csv", "No list of URLs matches"),
        ("part-00.xlsx", "There is no"),
        ("notes.txt", r"notes\.txt is not a list of URLs. Allowed: \.parquet"),
        ("cut.parquet", r"Cannot read .*cut\.parquet: [^\n]+$"),
    ],
)
def test_a_path_that_leads_nowhere_is_one_line(tmp_path, path, message):
    write(tmp_path, "part-00.parquet", **GOOD)
    (tmp_path / "notes.txt").touch()
    (tmp_path / "cut.parquet").write_bytes(b"PAR1")
    with pytest.raises(SourceError, match=message):
        selection(tmp_path / path, Select())


def test_a_url_of_an_unknown_kind_is_one_line():
    with pytest.raises(ConfigError, match="Cannot reach nowhere://list: "):
        find_inputs(["nowhere://list"], {})
    with pytest.raises(SourceError, match="No list of URLs is at memory://nothing/here"):
        find_inputs(["memory://nothing/here"], {})


def test_a_column_that_is_named_must_be_there(tmp_path):
    write(tmp_path, "a.parquet", **GOOD)
    with pytest.raises(SourceError, match=r"no column 'kinds' for input\.columns\.label"):
        selection(tmp_path, Select(), input={"columns": {"label": "kinds"}})
    with pytest.raises(SourceError, match=r"no column 'url' for input\.columns\.url\. Did you mean 'URL'\?"):
        selection(tmp_path, Select(), input={"preset": "laion-5b"})


def test_a_file_that_is_named_twice_is_read_once(tmp_path):
    write(tmp_path, "a.parquet", **GOOD)
    listed = UrlList(Input(path=[str(tmp_path / "*.parquet"), str(tmp_path)]))
    assert [Path(file.path).name for file in listed.inputs] == ["a.parquet"]


@pytest.mark.parametrize(
    "rules",
    [{"allowed_characters": "[a-z"}, {"keywords": {"classes": {"a": ["("], "b": ["b"]}, "match": "regex"}}],
)
def test_an_expression_that_cannot_be_read_is_one_line(tmp_path, rules):
    write(tmp_path, "a.parquet", **GOOD)
    with pytest.raises(ConfigError, match="is not a regular expression"):
        selection(tmp_path, Select.read(rules))
