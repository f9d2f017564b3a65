"""Exports of what was acquired: each row is in them or counted, and each image beside its own text."""

import io
import json
import re
from collections import Counter
from dataclasses import fields
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from PIL import Image

from counterpoint.acquire.export import LAYOUTS, ExportRules, export
from counterpoint.acquire.plan import Plan
from counterpoint.acquire.statuses import STATUSES
from counterpoint.data.sources import open_source
from counterpoint.errors import CounterpointError, RunFolderError
from counterpoint.features.bilinear import gray_square
from counterpoint.formats.images import ImageReader
from counterpoint.formats.shard_markers import Marker, shard_name
from counterpoint.formats.shards import LISTED, SHARD, write_shard
from counterpoint.formats.tars import read_tar
from counterpoint.store import Store

LABELS = ("person", "animal")


def picture(slot: int, kind: str = "JPEG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (80, 60), (slot * 20 % 256, 90, 200)).save(file, kind)
    return file.getvalue()


def listed(slot: int) -> dict:
    text = f'photo "{slot}",\nof something'
    url = f"https://a.org/../{slot}.php?x=/etc"
    return dict.fromkeys(LISTED) | {
        "slot": slot,
        "id": f"../{slot}",
        "url": url,
        "text": text,
        "label": LABELS[slot % 2],
    }


def ended(slot: int, status: str, image: bytes | None = None) -> dict:
    found = {"width_px": 800, "height_px": 600, "sha256": "ab", "phash": 2**64 - 1} if status == "ok" else {}
    return dict.fromkeys(SHARD) | listed(slot) | {"status": status, "image": image if status == "ok" else None} | found


def readme(folder: Path) -> str:
    return (folder / "README.txt").read_text()


class Acquired:
    """An acquisition's output, made by hand: shards of three slots."""

    def __init__(self, folder: Path | str, n_rows: int, keep: str = "jpeg-256") -> None:
        self.folder, self.keep, self.store = folder, keep, Store(folder)
        for shard in range(0, n_rows, 3):
            rows = [listed(slot) for slot in range(shard, min(n_rows, shard + 3))]
            with self.store.writing(f"plan/{shard // 3:05d}.parquet") as file:
                pl.DataFrame(rows, schema=dict(LISTED)).write_parquet(file)
        labels = dict.fromkeys(LABELS[: min(n_rows, 2)], n_rows // 2)
        others = dict.fromkeys(field.name for field in fields(Plan))
        plan = others | {"n_rows": n_rows, "n_shards": -(-n_rows // 3), "labels": labels, "settings": {"keep": keep}}
        self.store.write_json("plan.json", plan)

    def shard(self, shard: int, *rows: dict, generation: int = 0) -> None:
        frame = pl.DataFrame(rows, schema=dict(SHARD))
        name = f"shards/{shard_name(shard, generation)}.parquet"
        with self.store.writing(name) as file:
            write_shard(file, frame.drop("image"), frame["image"], kept=self.keep)
        written = self.store.read(name)
        Marker(shard, generation, sha256(written).hexdigest(), len(written), {}).write(self.store)


@pytest.fixture
def acquired(tmp_path):
    """Eight rows: one 404, one that a retry mended, one that it did not, the last shard not there yet."""
    made = Acquired(tmp_path / "acquired", 8)
    made.shard(0, ended(0, "ok", picture(0)), ended(1, "http_404"), ended(2, "timeout_total"))
    made.shard(1, ended(3, "ok", picture(3, "PNG")), ended(4, "http_5xx"), ended(5, "ok", picture(5)))
    made.shard(0, ended(2, "http_5xx"), generation=1)
    made.shard(0, ended(2, "ok", picture(2)), generation=2)
    made.shard(1, ended(4, "http_404"), generation=1)
    return made


LEFT_OUT = {"http_404": 2, "waiting": 2}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_row_is_exported_or_counted_by_its_status(acquired, tmp_path, layout):
    account = export(acquired.folder, layout, tmp_path / "out")
    assert (account["n_rows"], account["n_exported"], account["left_out"]) == (8, 4, LEFT_OUT)
    assert json.loads((tmp_path / "out" / "export.json").read_text()) == account


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_name_of_a_file_comes_from_afar(acquired, tmp_path, layout):
    export(acquired.folder, layout, tmp_path / "out")
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert all(name.startswith(("out/", "acquired/")) for name in names)
    assert not any("php" in name or "etc" in name for name in names)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_export_is_kept_and_that_of_another_state_refused(acquired, tmp_path, layout):
    first = export(acquired.folder, layout, tmp_path / "out")
    assert export(acquired.folder, layout, tmp_path / "out") == first
    acquired.shard(1, ended(4, "ok", picture(4)), generation=2)
    with pytest.raises(RunFolderError, match="holds another export"):
        export(acquired.folder, layout, tmp_path / "out")
    assert export(acquired.folder, layout, tmp_path / "new")["n_exported"] == 5


def records_of(source: dict, work: Path) -> dict[str, tuple]:
    """Return the colour of each image that our own source reads, by its text."""
    ((records, dropped),) = open_source(source).read(work)
    assert dropped.is_empty()
    with ImageReader() as reader:
        return {
            text: (label, image and Image.open(io.BytesIO(reader.read(image))).getpixel((40, 30)))
            for text, label, image in records.select("text", "label", "image").iter_rows()
        }


def is_of_slot(found: tuple, slot: int) -> bool:
    label, colour = found
    return label == LABELS[slot % 2] and np.abs(np.subtract(colour, (slot * 20, 90, 200))).max() <= 3


@pytest.mark.parametrize(
    ("layout", "source"),
    [("webdataset", {"kind": "webdataset", "label": "label"}), ("imagefolder", {"kind": "folder"})],
)
def test_each_image_stands_with_its_own_text_and_label(acquired, tmp_path, layout, source):
    export(acquired.folder, layout, tmp_path / "out", rules=ExportRules(samples_per_tar=3))
    found = records_of({**source, "path": tmp_path / "out"}, tmp_path)
    assert found.keys() == {listed(slot)["text"] for slot in (0, 2, 3, 5)}
    assert all(is_of_slot(found[listed(slot)["text"]], slot) for slot in (0, 2, 3, 5))


def test_a_tar_says_of_a_sample_what_is_known_of_it(acquired, tmp_path):
    export(acquired.folder, "webdataset", tmp_path / "out")
    first, _, png, _ = read_tar(tmp_path / "out" / "00000.tar")
    fields = json.loads(first.parts["json"])
    assert (first.key, fields["key"], fields["caption"]) == ("000000000", "000000000", listed(0)["text"])
    assert (fields["url"], fields["id"], fields["phash"]) == (listed(0)["url"], "../0", "f" * 16)
    assert [fields[name] for name in ("width", "height", "original_width", "original_height")] == [80, 60, 800, 600]
    assert list(png.images) == ["png"]


def test_a_row_of_the_study_keeps_its_number_whether_its_image_came_or_not(acquired, tmp_path):
    account = export(acquired.folder, "study-2023", tmp_path / "out")
    assert account["classes"] == {"0": "animal", "1": "person"}
    images = {path.name: np.asarray(Image.open(path))[30, 40, 0] for path in (tmp_path / "out" / "images").rglob("*")
              if path.is_file()}  # fmt: skip
    for number, label, folder in ((1, "person", "pos"), (0, "animal", "neg")):
        slots = [slot for slot in range(8) if LABELS[slot % 2] == label]
        descriptions = pd.read_csv(tmp_path / "out" / f"{folder}Data.csv")["desc"].tolist()
        assert descriptions == [listed(slot)["text"] for slot in slots]
        for n, slot in enumerate(slots):
            assert (f"{number}_{n}.jpg" in images) == (slot in (0, 2, 3, 5))
            assert abs(int(images.get(f"{number}_{n}.jpg", slot * 20)) - slot * 20) <= 3
    missing = pd.read_csv(tmp_path / "out" / "missing.csv")
    assert Counter(missing["status"]) == LEFT_OUT


def test_the_pixels_of_the_study_are_those_of_the_images_as_published(acquired, tmp_path):
    export(acquired.folder, "study-2023", tmp_path / "out")
    export(acquired.folder, "study-2023", tmp_path / "area", rules=ExportRules(resize="area", classes=LABELS))
    pairs = pd.read_csv(tmp_path / "out" / "pairs.csv")
    of_slot_3 = pairs[pairs["Image_desc"] == listed(3)["text"]].iloc[0]
    pixels = of_slot_3.iloc[3:].to_numpy(dtype=np.uint8).reshape(64, 64)
    assert of_slot_3["label"] == 0
    assert (pixels == gray_square(picture(3, "PNG"))).all()
    assert pd.read_csv(tmp_path / "area" / "pairs.csv")["label"].tolist() == (1 - pairs["label"]).tolist()
    assert {"'animal'", '"bilinear"', '"jpeg-256"'} <= set(re.findall(r"[\"'][\w-]+[\"']", readme(tmp_path / "out")))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_bare_gray_pixels_are_exported_as_pictures_of_them(tmp_path, layout):
    made = Acquired(tmp_path / "acquired", 2, keep="gray-64")
    gray = [(np.arange(4096) // 64 * 3 + slot * 60).astype(np.uint8) for slot in range(2)]
    made.shard(0, *(ended(slot, "ok", gray[slot].tobytes()) for slot in range(2)))
    assert export(made.folder, layout, tmp_path / "out")["n_exported"] == 2
    if layout == "imagefolder":
        images = sorted((tmp_path / "out" / "train").rglob("*.png"), key=lambda path: path.name)
        assert all((np.asarray(Image.open(path)).ravel() == gray[slot]).all() for slot, path in enumerate(images))
    if layout == "study-2023":
        pixels = pd.read_csv(tmp_path / "out" / "pixels.csv").iloc[:, 1:].to_numpy()
        assert (pixels == gray).all()
        assert len(list((tmp_path / "out" / "images").rglob("*.jpg"))) == 2


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_image_that_cannot_be_read_is_counted(tmp_path, layout):
    made = Acquired(tmp_path / "acquired", 3)
    made.shard(0, ended(0, "ok", picture(0)), ended(1, "ok", b"<html>"), ended(2, "ok", None))
    account = export(made.folder, layout, tmp_path / "out")
    assert (account["n_exported"], account["left_out"]) == (1, {"missing_file": 1, "not_image": 1})


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_object_store_gives_what_a_folder_gives(acquired, tmp_path, layout):
    remote = Store(f"memory://{tmp_path.name}")
    files = [path.relative_to(acquired.folder).as_posix() for path in acquired.folder.rglob("*.*")]
    for name in files:
        remote.write(name, acquired.store.read(name))
    accounts = [export(store, layout, tmp_path / name) for name, store in (("a", acquired.folder), ("b", remote))]
    files = [sorted(path for path in (tmp_path / name).rglob("*") if path.is_file()) for name in "ab"]
    assert accounts[0] == accounts[1]
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]


def test_a_row_without_a_label_has_no_place_in_the_study(tmp_path):
    made = Acquired(tmp_path / "acquired", 3)
    made.shard(0, *(ended(slot, "ok", picture(slot)) | ({"label": None} if slot == 1 else {}) for slot in range(3)))
    account = export(made.folder, "study-2023", tmp_path / "out")
    assert account["left_out"] == {"no_label": 1}


@pytest.mark.parametrize(
    ("layout", "rules", "says"),
    [
        ("webdatset", None, "Unknown layout 'webdatset'. Did you mean 'webdataset'?"),
        ("study-2023", ExportRules(classes=("person", "animals")), "No row is of class 'animals'"),
    ],
)
def test_a_wrong_choice_is_one_line(acquired, tmp_path, layout, rules, says):
    with pytest.raises(CounterpointError) as error:
        export(acquired.folder, layout, tmp_path / "out", rules=rules)
    assert says in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_folder_without_a_plan_is_one_line(tmp_path):
    with pytest.raises(RunFolderError, match="holds no plan"):
        export(tmp_path, "webdataset", tmp_path / "out")


def test_why_a_row_is_left_out_is_no_status_of_another_kind():
    assert {"waiting", "no_label"}.isdisjoint(STATUSES)
