"""Of every layout that people hold, the study file that is written names the right columns, opens, and makes pairs."""

import json
import sys
from dataclasses import fields

import polars as pl
import pytest
import yaml

from counterpoint import cli
from counterpoint.acquire.export import LAYOUTS as EXPORTS
from counterpoint.acquire.export import export
from counterpoint.acquire.plan import Plan
from counterpoint.acquire.transcode import SlotOutcome
from counterpoint.data.infer import study_file
from counterpoint.data.sources import open_source
from counterpoint.errors import SourceError
from counterpoint.opening import open_study
from layout_material import FILES, LABELS, TERMS, TEXTS, N, hugging_face, picture, pictures, write_csv, write_json_lines
from source_material import write_acquisition

IN_FOLDS = ["train", "train", "train", "test", "valid"] * (N // 5)


def column_split(d):
    pictures(d / "im")
    files = [f"im/{name}" for name in FILES]
    return write_csv(d / "t.csv", file=files, caption=TEXTS, split=IN_FOLDS, sentiment=LABELS)


def column_split_by_another_name(d):
    pictures(d)
    return write_csv(d / "t.csv", file=FILES, caption=TEXTS, usage=IN_FOLDS, sentiment=LABELS)


def sorted_by_class(d):
    pictures(d)
    kinds = ["a" if n < 700 else "b" for n in range(1500)]
    shelves = [n % 7 for n in range(1500)]
    return write_csv(
        d / "t.csv", image=FILES * 25, caption=[f"{t} {n}" for n, t in enumerate(TEXTS * 25)], shelf=shelves, kind=kinds
    )


def many_classes(d):
    pictures(d, n=300)
    files, classes = [f"{n}.png" for n in range(300)], [f"class {n % 30}" for n in range(300)]
    return write_csv(d / "t.csv", image=files, caption=[f"{t} {n}" for n, t in enumerate(TEXTS * 5)], category=classes)


def long_license(d):
    pictures(d)
    return write_csv(d / "t.csv", image=FILES, license=[TERMS.replace(",", "")] * N, caption=TEXTS, label=LABELS)


def long_column_of_few_values(d):
    pictures(d)
    terms = [f"{TERMS} {n % 5}".replace(",", "") for n in range(N)]
    return write_csv(d / "t.csv", image=FILES, terms=terms, words=TEXTS, mood=LABELS)


def roles_that_are_no_labels(d):
    pictures(d)
    few = {"lang": ["de", "en"] * 30, "source": ["x", "y"] * 30, "width": [10, 20] * 30, "license": ["cc", "pd"] * 30}
    return write_csv(d / "t.csv", image=FILES, text=TEXTS, **few, mood=LABELS)


def german(d):
    pictures(d / "bilder")
    files, prices = [f"bilder/{name}" for name in FILES], [n + 0.5 for n in range(N)]
    return write_csv(d / "t.csv", ";", Dateiname=files, Preis=prices, Beschreibung=TEXTS, Kategorie=LABELS)


def french(d):
    pictures(d)
    return write_csv(d / "t.csv", Fichier=FILES, Légende=TEXTS, Catégorie=LABELS)


def addresses_and_paths(d):
    pictures(d)
    urls = [f"https://x.org/{name}" for name in FILES]
    return write_csv(d / "t.csv", url=urls, filename=FILES, alt=TEXTS, title=["a shop"] * N, **{"class": LABELS})


def workbook(d):
    pictures(d)
    pl.DataFrame({"Image": FILES, "Alt-Text": TEXTS, "Category": LABELS}).write_excel(d / "t.xlsx")
    return d / "t.xlsx"


def images_next_to_tables(d):
    pictures(d / "photos")
    return write_csv(d / "t.csv", image=FILES, text=TEXTS, label=LABELS)


def images_above(d):
    pictures(d / "img")
    return write_csv(d / "meta" / "t.csv", image=[f"img/{name}" for name in FILES], text=TEXTS, label=LABELS)


def bare_ids(d):
    pictures(d / "images")
    return write_csv(d / "t.csv", id=list(range(N)), caption=TEXTS, category=LABELS)


def no_suffix(d):
    pictures(d / "im")
    return write_csv(d / "t.csv", picture=[f"im/{n}" for n in range(N)], text=TEXTS, label=LABELS)


def windows_paths(d):
    pictures(d / "fotos")
    return write_csv(d / "t.csv", bild=[f"C:\\x\\Fotos\\{n}.PNG" for n in range(N)], text=TEXTS, label=LABELS)


def ids_that_repeat(d):
    pictures(d)
    twice = [n // 2 for n in range(N)]
    return write_csv(
        d / "t.csv", id=twice, image_id=twice, text_id=list(range(N)), image=FILES, text=TEXTS, label=LABELS
    )


def images_captions_labels(d):
    pictures(d / "images")
    write_csv(d / "captions.csv", image=FILES, caption=TEXTS)
    write_csv(d / "labels.csv", image=FILES[::-1], label=LABELS[::-1])
    return d


def captions_and_labels_by_id(d):
    pictures(d / "images")
    write_csv(d / "captions.csv", id=list(range(N)), file=FILES, caption=TEXTS)
    write_csv(d / "labels.csv", image_id=list(range(N)), category=LABELS)
    return d


def folders_of_classes_and_folds(d):
    for n in range(N):
        file = d / ("train" if n % 4 else "test") / "abc"[n % 3] / f"{n}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture(n))
        file.with_suffix(".txt").write_text(TEXTS[n])
    return d


def classes_of_vehicles(d):
    for n in range(N):
        file = d / ("train", "car", "bus")[n % 3] / f"{n}.png"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(picture(n))
        file.with_suffix(".txt").write_text(TEXTS[n])
    return d


def imagefolder(d):
    for fold, rows in (("train", range(40)), ("test", range(40, N))):
        write_json_lines(d / fold / "metadata.jsonl", [
            {"file_name": FILES[n], "license": TERMS, "caption": TEXTS[n], "sentiment": LABELS[n]} for n in rows
        ])  # fmt: skip
        for n in rows:
            (d / fold / FILES[n]).write_bytes(picture(n))
    return d


def parquet_of_the_hub(d):
    hugging_face(d / "data", train=range(40), validation=range(40, N))
    (d / "README.md").write_text("# A data set")
    return d


def parquet_parts(d):
    hugging_face(d, train=range(40), test=range(40, N))
    return d


LAYOUTS = {
    column_split: {"image": "file", "text": "caption", "label": "sentiment", "split": "split"},
    column_split_by_another_name: {"label": "sentiment", "split": "usage"},
    sorted_by_class: {"text": "caption", "label": "kind"},
    many_classes: {"label": "category"},
    long_license: {"text": "caption", "label": "label"},
    long_column_of_few_values: {"text": "words", "label": "mood"},
    roles_that_are_no_labels: {"text": "text", "label": "mood"},
    german: {"image": "Dateiname", "text": "Beschreibung", "label": "Kategorie"},
    french: {"image": "Fichier", "text": "Légende", "label": "Catégorie"},
    addresses_and_paths: {"image": "filename", "text": "alt", "label": "class"},
    workbook: {"image": "Image", "text": "Alt-Text", "label": "Category"},
    images_next_to_tables: {"root": "d/photos", "image": "image"},
    images_above: {"root": "d", "path": "d/meta/t.csv"},
    bare_ids: {"root": "d/images", "image": "id", "text": "caption", "label": "category"},
    no_suffix: {"image": "picture", "label": "label"},
    windows_paths: {"image": "bild"},
    ids_that_repeat: {"id": None, "text_id": None, "image_id": None},
    images_captions_labels: {
        "path": "d/captions.csv", "root": "d/images", "image": "image", "text": "caption", "label": "label",
        "join": {"path": "d/labels.csv", "key": "image", "matches": "image"},
    },
    captions_and_labels_by_id: {"image": "file", "label": "category"},
    folders_of_classes_and_folds: {"kind": "folder", "layout": "classes"},
    classes_of_vehicles: {"kind": "folder", "layout": "classes"},
    imagefolder: {"kind": "folder", "text": "caption", "label": "sentiment"},
    parquet_of_the_hub: {"path": "d/data", "image": "image", "text": "caption", "label": "label"},
    parquet_parts: {"path": "d", "label": "label"},
}  # fmt: skip


def written(tmp_path, layout):
    """Return the study file that is written for the input of *layout*, and its values."""
    (tmp_path / "d").mkdir()
    file = tmp_path / "study.yaml"
    file.write_text(study_file(file, layout(tmp_path / "d")), encoding="utf-8")
    return file, yaml.safe_load(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_file_names_what_is_there_and_makes_pairs_of_every_row(tmp_path, layout):
    file, values = written(tmp_path, layout)
    expected = LAYOUTS[layout]
    assert {key: values["source"].get(key, "not there") for key in expected} == expected
    study = open_study(file, runs=tmp_path / "runs")
    n_rows = {sorted_by_class: 1500, many_classes: 300}.get(layout, N)
    assert (len(study.pairs()), study.dropped().height) == (n_rows, 0)


@pytest.mark.parametrize(
    "layout",
    [column_split, column_split_by_another_name, imagefolder, folders_of_classes_and_folds, parquet_of_the_hub],
)
def test_the_split_of_a_source_is_kept(tmp_path, layout):
    file, values = written(tmp_path, layout)
    assert values["split"]["kind"] == "given"
    assert set(open_study(file, runs=tmp_path / "runs").pairs()["fold"]) == {"train", "validation", "test"}


def test_labels_of_a_second_table_go_to_their_own_images(tmp_path):
    file, _ = written(tmp_path, images_captions_labels)
    assert open_study(file, runs=tmp_path / "runs").pairs().sort("row")["label"].to_list() == LABELS


def test_the_runner_up_stands_in_a_comment(tmp_path):
    file, _ = written(tmp_path, sorted_by_class)
    assert "label: kind             # 2 values; could also be shelf" in file.read_text()


def test_without_labels_two_words_of_the_texts_make_a_file_that_runs(tmp_path):
    def unlabelled(d):
        pictures(d)
        return write_csv(d / "t.csv", image=FILES, text=TEXTS, lang=["de", "en"] * (N // 2))

    file, values = written(tmp_path, unlabelled)
    assert "label" not in values["source"]
    study = open_study(file, runs=tmp_path / "runs")
    assert study.pairs()["label"].value_counts()["count"].min() >= 5
    assert set(study.dropped()["reason"]) <= {"no_label_rule", "ambiguous_label"}


def test_classes_of_too_few_rows_for_folds_are_left_out_by_name(tmp_path):
    def rare(d):
        pictures(d)
        labels = ["rare" if n < 2 else "few" if n < 6 else LABELS[n] for n in range(N)]
        return write_csv(d / "t.csv", image=FILES, text=TEXTS, label=labels)

    file, values = written(tmp_path, rare)
    assert set(values["label"]["mapping"]) == set(LABELS)
    assert '"few" (4), "rare" (2)' in file.read_text()
    assert len(open_study(file, runs=tmp_path / "runs").pairs()) == N - 6


def test_of_few_rows_there_are_fewer_folds(tmp_path):
    def small(d):
        pictures(d, n=8)
        return write_csv(d / "t.csv", image=FILES[:8], text=TEXTS[:8], label=["a", "b"] * 4)

    file, values = written(tmp_path, small)
    assert values["split"]["folds"] == 4
    assert len(open_study(file, runs=tmp_path / "runs").pairs()) == 8


def test_labels_that_look_alike_are_named_with_their_mapping(tmp_path):
    def alike(d):
        pictures(d)
        return write_csv(d / "t.csv", image=FILES, text=TEXTS, label=["Cat", "cat", "dog"] * (N // 3))

    file, _ = written(tmp_path, alike)
    assert '# 3 classes may be 2: "Cat" (20 rows) and "cat" (20 rows).' in file.read_text()


def test_a_list_of_addresses_is_sent_to_the_command_that_fetches_them(tmp_path):
    table = write_csv(tmp_path / "t.csv", url=[f"https://x.org/{name}" for name in FILES], text=TEXTS)
    with pytest.raises(
        SourceError, match=r"list of addresses .* counterpoint acquire new acquire.yaml --from .*t.csv$"
    ):
        study_file(tmp_path / "s.yaml", table)


def test_images_without_texts_are_refused_with_what_to_add(tmp_path):
    pictures(tmp_path / "d", "{c}/{n}.png")
    with pytest.raises(SourceError, match=r"holds images in a, b, c, but no texts: put x.txt next to each x.jpg, or"):
        study_file(tmp_path / "s.yaml", tmp_path / "d")


def test_a_table_whose_images_are_nowhere_is_written_with_the_path_tried(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    gone = [f"gone-{file}" for file in FILES]  # other tests have images of the usual names in folders beside
    write_csv(tmp_path / "t.csv", file=gone, text=TEXTS, label=LABELS)
    monkeypatch.setattr(sys, "argv", ["counterpoint", "new", "s.yaml", "--from", "t.csv"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    assert f"image column 'file' names no file: 'gone-0.png' is not at {tmp_path}/gone-0.png" in capsys.readouterr().err
    assert yaml.safe_load((tmp_path / "s.yaml").read_text())["source"]["image"] == "file"


def test_the_pairs_of_a_study_are_a_source_again(tmp_path):
    file, _ = written(tmp_path, column_split)
    first = open_study(file, runs=tmp_path / "runs").pairs()
    again = tmp_path / "again.yaml"
    again.write_text(study_file(again, tmp_path / "runs" / "study"))
    second = open_study(again, runs=tmp_path / "runs").pairs()
    assert second.select("id", "text", "label", "fold").rows() == first.select("id", "text", "label", "fold").rows()


@pytest.fixture
def acquired(tmp_path):
    """An acquisition of photos in three classes, without one photo that could not be fetched."""
    ends = [SlotOutcome("ok", format="png", width_px=16, height_px=16, n_bytes=1, image=picture(n)) for n in range(N)]
    ends[7] = SlotOutcome("http_404")
    write_acquisition(tmp_path / "acquired", ends, shard_rows=20, label=LABELS, text=TEXTS)
    plan = json.loads((tmp_path / "acquired" / "plan.json").read_text())
    plan = dict.fromkeys(field.name for field in fields(Plan)) | plan | {"settings": {"keep": "original"}}
    (tmp_path / "acquired" / "plan.json").write_text(json.dumps(plan))
    return tmp_path / "acquired"


@pytest.mark.parametrize("layout", [None, *EXPORTS])
def test_what_was_acquired_is_a_source_in_every_layout_of_its_exports(tmp_path, acquired, layout):
    if layout is not None:
        export(acquired, layout, tmp_path / "d")
    file = tmp_path / "study.yaml"
    file.write_text(study_file(file, acquired if layout is None else tmp_path / "d"))
    pairs = open_study(file, runs=tmp_path / "runs").pairs()
    texts = dict(pairs.select("text", "label").iter_rows())
    assert len(pairs) == N - 1
    assert len({(texts[text], label) for text, label in zip(TEXTS, LABELS, strict=True) if text in texts}) == 3


@pytest.mark.parametrize("kind", ["holdout", "kfold"])
def test_exported_pairs_are_a_source_with_the_same_split_and_classes(tmp_path, kind):
    file, _ = written(tmp_path, images_next_to_tables)
    study = open_study(file, runs=tmp_path / "runs", overrides=(f"split.kind={kind}",))
    study.export_pairs(tmp_path / "out")
    again = tmp_path / "again.yaml"
    again.write_text(study_file(again, tmp_path / "out"))
    pairs = open_study(again, runs=tmp_path / "runs").pairs()
    columns = ("text", "label", "fold")
    assert set(pairs.select(columns).iter_rows()) == set(study.pairs().select(columns).iter_rows())


def test_a_folder_in_a_folder_is_looked_into(tmp_path):
    def wrapped(d):
        pictures(d / "set" / "images")
        write_csv(d / "set" / "captions.csv", image=FILES, caption=TEXTS, label=LABELS)
        return d

    file, values = written(tmp_path, wrapped)
    assert values["source"]["path"] == "d/set/captions.csv"
    assert len(open_study(file, runs=tmp_path / "runs").pairs()) == N


def test_an_image_elsewhere_is_reported_with_the_path_that_was_tried(tmp_path):
    file, _ = written(tmp_path, images_next_to_tables)
    tried, root = tmp_path / "d" / FILES[0], tmp_path / "d" / "photos"
    assert f"'0.png' is not at {tried}. Its files are below {root}, so root is set to it." in file.read_text()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([(n + 1) / 8 for n in range(N)], "to predict them is regression"),
        ([("a|b", "a", "b|c")[n % 3] for n in range(N)], "they are multi-label"),
    ],
)
def test_a_column_that_is_called_label_and_holds_no_classes_is_named_with_the_reason(tmp_path, values, says):
    def of_values(d):
        pictures(d)
        return write_csv(d / "t.csv", image=FILES, text=TEXTS, label=values)

    file, written_values = written(tmp_path, of_values)
    assert f"# NOTE: Column 'label' is not the label. Labels such as {str(values[0])!r}" in file.read_text()
    assert says in file.read_text()
    assert written_values["source"]["label"] is None
    assert len(open_study(file, runs=tmp_path / "runs").pairs()) >= 10


def test_a_class_that_no_split_can_hold_is_named(tmp_path):
    def two_rows(d):
        pictures(d, n=2)
        return write_csv(d / "t.csv", image=FILES[:2], text=TEXTS[:2], label=LABELS[:2])

    file, _ = written(tmp_path, two_rows)
    assert '# NOTE: class "negative" has 1 rows: 3 or more of each are needed' in file.read_text()


def test_a_given_split_keeps_classes_of_few_rows(tmp_path):
    def rare(d):
        pictures(d)
        labels = ["rare" if n < 2 else LABELS[n] for n in range(N)]
        return write_csv(d / "t.csv", image=FILES, text=TEXTS, label=labels, split=IN_FOLDS)

    file, values = written(tmp_path, rare)
    assert "label" not in values
    assert len(open_study(file, runs=tmp_path / "runs").pairs()) == N


def test_labels_without_texts_are_no_pairs(tmp_path):
    pictures(tmp_path / "d" / "images")
    write_csv(tmp_path / "d" / "labels.csv", image=FILES, label=LABELS)
    with pytest.raises(
        SourceError, match=r"labels.csv has images in image, but no column of texts. Found image, label"
    ):
        study_file(tmp_path / "s.yaml", tmp_path / "d")


def test_a_table_that_is_called_txt_is_named(tmp_path):
    pictures(tmp_path / "d" / "Images")
    write_csv(tmp_path / "d" / "captions.txt", image=FILES, caption=TEXTS)
    with pytest.raises(SourceError, match=r"If captions.txt is a table, call it captions.csv\.$"):
        study_file(tmp_path / "s.yaml", tmp_path / "d")


@pytest.mark.parametrize("where", ["", "photos"])
def test_folders_that_images_are_in_are_the_classes_of_a_table_without_labels(tmp_path, where):
    def captioned(d):
        pictures(d / where, "{c}/{n}.png")
        write_csv(d / "captions.csv", file=[f"{'abc'[n % 3]}/{n}.png" for n in range(N)], caption=TEXTS)
        return d

    file, values = written(tmp_path, captioned)
    assert (values["source"]["label_from"], "label" in values) == ("folder", False)
    pairs = open_study(file, runs=tmp_path / "runs").pairs().sort("row")
    assert pairs["label"].to_list() == ["abc"[n % 3] for n in range(N)]


def test_a_table_with_a_label_refuses_labels_from_folders(tmp_path):
    table = write_csv(tmp_path / "t.csv", image=["a/1.jpg"], text=["a cat"], label=["x"])
    source = open_source({"kind": "table", "path": table, "label_from": "folder"})
    with pytest.raises(SourceError, match=r"column 'label': set source\.label: label, or leave out label_from"):
        list(source.read(tmp_path))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_classes_are_mapped_by_the_names_that_the_source_gives_them(tmp_path, suffix):
    def numbered(d):
        pictures(d)
        frame = pl.DataFrame(
            {"image": FILES, "text": TEXTS, "label": [2.0 if n < 2 else float(n % 2) for n in range(N)]}
        )
        (frame.write_csv if suffix == "csv" else frame.write_parquet)(d / f"t.{suffix}")
        return d / f"t.{suffix}"

    file, values = written(tmp_path, numbered)
    assert values["label"]["mapping"] == {"0": "0", "1": "1"}
    assert len(open_study(file, runs=tmp_path / "runs").pairs()) == N - 2
