"""From a LAION part to a study page: real photos and captions from a host on loopback, a few of them broken."""

import json
import os
import subprocess
import sys
from collections import Counter
from hashlib import sha256
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest
import yaml
from PIL import Image

import counterpoint as cp
from counterpoint.config import StudyConfig
from counterpoint.formats.images import ImageReader
from counterpoint.formats.tars import read_tar
from photo_server import FAULTS, PRIVATE, serving

FLICKR8K = Path(os.environ.get("COUNTERPOINT_DATA", Path(__file__).parents[3] / "shared" / "data")) / "flickr8k"
N = 300
WORDS = {"person": ["man", "men", "woman", "women", "boy", "girl", "child", "people"], "animal": ["dog", "dogs", "cat"]}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FLICKR8K.exists(), reason="the Flickr8k shards are not on this machine"),
]


class Photo(NamedTuple):
    name: str
    body: bytes
    caption: str
    fault: str | None


class Acquired(NamedTuple):
    photos: dict[str, Photo]  # by URL
    shards: pl.DataFrame
    plan: dict
    account: str
    folder: Path


def photos_of_flickr8k():
    with ImageReader() as reader:
        samples = islice(read_tar(sorted(FLICKR8K.glob("*.tar"))[0]), N)
        for number, sample in enumerate(samples):
            caption = sample.parts["txt"].decode()
            yield Photo(f"{number:04}.jpg", reader.read(sample.images["jpg"]), caption, fault_of(number))


def fault_of(number):
    return (list(FAULTS) + [None] * 95)[number % 100]


def write_laion_part(path, urls, photos):
    n = len(photos)
    pl.DataFrame({
        "SAMPLE_ID": range(10_000, 10_000 + n), "URL": urls, "TEXT": [photo.caption for photo in photos],
        "HEIGHT": [160] * n, "WIDTH": [160] * n, "LICENSE": ["?"] * n,
        "NSFW": ["NSFW" if number % 100 == 99 else "UNLIKELY" for number in range(n)], "similarity": [0.3] * n,
    }).write_parquet(path)  # fmt: skip


def counterpoint(*arguments):
    command = [sys.executable, "-m", "counterpoint", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=True).stdout


@pytest.fixture(scope="module")
def acquired(tmp_path_factory):
    folder = tmp_path_factory.mktemp("acquired")
    photos = list(photos_of_flickr8k())
    settings = {
        "acquisition": "flickr8k", "input": "part.parquet", "output": "out", "keep": "original", "shard_rows": 64,
        "select": {"keywords": {"classes": WORDS}, "min_words": 3},
    }  # fmt: skip
    (folder / "acquire.yaml").write_text(yaml.safe_dump(settings))
    bodies = {photo.name: photo.body for photo in photos}
    faults = {photo.name: photo.fault for photo in photos if photo.fault}
    with serving(bodies, faults) as address:
        urls = [
            f"{PRIVATE}?{photo.name}" if photo.fault == "private" else f"http://{address}/{photo.name}"
            for photo in photos
        ]
        write_laion_part(folder / "part.parquet", urls, photos)
        counterpoint("acquire", "run", folder / "acquire.yaml", "--allow-address", "127.0.0.1/32")
    account = counterpoint("acquire", "status", folder / "acquire.yaml")
    shards = pl.read_parquet(sorted((folder / "out" / "shards").glob("*.parquet")))
    plan = json.loads((folder / "out" / "plan.json").read_text())
    return Acquired(dict(zip(urls, photos, strict=True)), shards, plan, account, folder)


def test_each_slot_ends_as_its_photo_must(acquired):
    fault = pl.col("url").map_elements(lambda url: acquired.photos[url].fault or "", return_dtype=pl.String)
    wanted = acquired.shards.select("status", wanted=fault.replace_strict(FAULTS | {"": "ok"}))
    assert set(wanted["wanted"]) == {"ok", *FAULTS.values()}
    assert wanted["status"].to_list() == wanted["wanted"].to_list()


def test_image_n_belongs_to_caption_n(acquired):
    kept = acquired.shards.filter(pl.col("status") == "ok")
    sent = [acquired.photos[url] for url in kept["url"]]
    assert kept["text"].to_list() == [photo.caption for photo in sent]
    assert kept["sha256"].to_list() == [sha256(photo.body).hexdigest() for photo in sent]
    assert kept["image"].to_list() == [photo.body for photo in sent]


def test_the_account_is_the_plan_and_the_plan_is_the_list(acquired):
    statuses = Counter(acquired.shards["status"])
    assert sum(statuses.values()) == acquired.plan["n_rows"]
    assert acquired.plan["n_rows"] < N
    for status, n in statuses.items():
        assert status in acquired.account
        assert f"{n}" in acquired.account


def test_no_row_that_is_rated_unsafe_was_requested(acquired):
    assert set(acquired.shards["nsfw"]) == {"UNLIKELY"}


@pytest.fixture(scope="module")
def study(acquired):
    config = StudyConfig.read({
        "study": "acquired",
        "source": {"kind": "acquired", "path": str(acquired.folder / "out")},
        "split": {"kind": "holdout"},
        "contenders": ["majority", "metadata", "text-svm", {"kind": "image-cnn", "side_px": 16, "epochs": 1}],
        "fit": {"engine": "inline"},
        "page": {"example_images": False},
    })  # fmt: skip
    study = cp.Study(config, runs=acquired.folder / "runs")
    study.report()
    return study


def test_every_slot_is_a_pair_or_dropped(acquired, study):
    rows = [*study.pairs()["row"], *study.dropped()["row"]]
    assert sorted(rows) == list(range(acquired.plan["n_rows"]))


def test_failed_slots_are_dropped_with_their_status(acquired, study):
    failed = Counter(acquired.shards.filter(pl.col("status") != "ok")["status"])
    assert failed.items() <= Counter(study.dropped()["reason"]).items()
    page = study.report().read_text(encoding="utf-8")
    assert [status for status in failed if status not in page] == []


def test_the_study_reads_the_photo_that_the_caption_came_with(acquired, study):
    by_caption = {photo.caption.strip(): photo.body for photo in acquired.photos.values()}
    pairs = study.pairs().head(20)
    with ImageReader() as reader:
        for text, image in zip(pairs["text"], pairs["image"], strict=True):
            assert Image.open(BytesIO(reader.read(image))).size == (160, 160)
            assert reader.read(image) == by_caption[text]


def test_the_caption_predicts_the_label_that_its_words_made(study):
    svm = study.scores().filter(contender="text-svm", metric="balanced_accuracy", part="test")
    assert svm["value"].item() > 0.7
