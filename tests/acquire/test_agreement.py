"""Rows whose image agrees too little with its text: left out, counted, and only with the encoders."""

import json
from dataclasses import replace
from io import BytesIO

import numpy as np
import polars as pl
import pytest
from PIL import Image

from acquire_material import config, host
from counterpoint.acquire import agreement
from counterpoint.acquire.acquisition import Acquisition
from counterpoint.acquire.agreement import LOW, AgreementRule
from counterpoint.acquire.export import export
from counterpoint.acquire.pipeline import ShardsTask, acquire_shards
from counterpoint.acquire.statuses import RETRYABLE, STATUSES
from counterpoint.data.clean import ON_PURPOSE
from counterpoint.data.sources.acquired import AcquiredSource
from counterpoint.encoders.base import Encoder
from counterpoint.encoders.catalogue import CATALOGUE
from counterpoint.errors import ConfigError
from counterpoint.features.shaped_images import ImageShape
from counterpoint.formats.shard_markers import Marker
from counterpoint.formats.shards import read_shard, read_slots
from counterpoint.store import Store

pytestmark = pytest.mark.slow


def drawn_sky():
    """Return the PNG of a blue sky above a darker sea."""
    pixels = np.full((224, 224, 3), (120, 180, 240), dtype=np.uint8)
    pixels[130:] = 20, 60, 120
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


class Lengths(Encoder):
    """Texts agree with any image by their length: from -1 for one word to 1 for ten."""

    name, modalities, width, shape = "lengths", ("text", "image"), 2, ImageShape(8, "rgb", "squash")
    fingerprint = "lengths"

    def encode_texts(self, texts):
        angles = np.array([np.pi * (1 - (len(text.split()) - 1) / 9) for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    def encode_images(self, images):
        assert images.shape[1:] == (3, 8, 8)
        return np.tile(np.array([[1, 0]], dtype=np.float32), (len(images), 1))


@pytest.fixture
def lengths(monkeypatch):
    monkeypatch.setattr(agreement, "shared_encoder", lambda _: Lengths())
    monkeypatch.setattr(agreement, "entry_of", lambda _: None)


def planned(folder, server, least, texts):
    folder.mkdir(parents=True, exist_ok=True)
    urls = [server.url(f"{'404' if text == 'gone' else 'ok'}/{number}.jpg") for number, text in enumerate(texts)]
    pl.DataFrame({"URL": urls, "TEXT": texts}).write_parquet(folder / "list.parquet")
    return config(folder, urls, select={"agreement": least, "unique_urls": False})


def acquired(folder, server, least, texts):
    rules = planned(folder, server, least, texts)
    n_shards = Acquisition(rules).plan().n_shards
    acquire_shards(ShardsTask("all", rules, tuple(range(n_shards))))
    return pl.concat([pl.read_parquet(path) for path in sorted((folder / "out" / "shards").glob("*.parquet"))])


TEXTS = [
    "one",
    "one two",
    "a text of ten words is far from this one",
    "gone",
    "a text of nine words is near &amp; &amp;",
]


def test_rows_that_agree_too_little_end_without_an_image_and_are_counted(lengths, tmp_path):
    with host() as server:
        rows = acquired(tmp_path, server, 0.5, TEXTS)
    assert rows["status"].to_list() == [LOW, LOW, "ok", "http_404", "ok"]
    assert rows["image"].is_null().to_list() == [True, True, False, True, False]
    assert rows["sha256"].null_count() == 1
    assert rows["agreement"].to_list() == [-1.0, -0.9397, 1.0, None, 0.9397]
    marker = Marker.read(Store(tmp_path / "out"), 0)
    assert marker.statuses == {LOW: 2, "ok": 2, "http_404": 1}
    assert sum(marker.failing_hosts.values()) == 1


def test_without_the_setting_no_encoder_is_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(agreement, "shared_encoder", lambda _: pytest.fail("an encoder was loaded"))
    with host() as server:
        rows = acquired(tmp_path, server, None, TEXTS)
    assert rows["status"].to_list() == ["ok", "ok", "ok", "http_404", "ok"]
    assert rows["agreement"].null_count() == len(rows)


def test_the_agreement_of_each_kept_row_is_exported_and_read_by_a_study(lengths, tmp_path):
    with host() as server:
        acquired(tmp_path, server, -1, TEXTS[:3])
    [records] = AcquiredSource(path=str(tmp_path / "out")).rows(tmp_path)
    assert records["agreement"].to_list() == [-1.0, -0.9397, 1.0]
    export(tmp_path / "out", "imagefolder", tmp_path / "pictures")
    exported = [
        json.loads(line) for line in (tmp_path / "pictures" / "train" / "metadata.jsonl").read_text().splitlines()
    ]
    assert [row["agreement"] for row in exported] == [-1.0, -0.9397, 1.0]


def test_a_shard_that_was_written_without_agreement_is_still_read(tmp_path):
    with host() as server:
        rows = acquired(tmp_path, server, None, TEXTS)
    store = Store(tmp_path / "out")
    marker, path = Marker.read(store, 0), tmp_path / "out" / "shards" / "00000.parquet"
    rows.drop("agreement").write_parquet(path)
    older = replace(marker, n_bytes=path.stat().st_size)
    found = read_shard(store, [older])
    assert found["agreement"].null_count() == len(rows)
    assert found.columns == read_slots(store, 0, [], waiting="waiting").columns


def test_a_row_without_a_text_has_nothing_to_agree_with(lengths):
    rule = AgreementRule(-1.0)
    pixels = np.zeros((1, 3, 8, 8), dtype=np.uint8)
    found = [rule.agreement(text, pixels) for text in (None, "", "one")]
    assert found == [None, None, -1.0]
    assert [rule.is_low(agreement) for agreement in found] == [True, True, False]


def test_a_row_of_low_agreement_is_left_out_on_purpose_and_not_tried_again():
    assert LOW in STATUSES
    assert LOW not in RETRYABLE
    assert LOW in ON_PURPOSE


def test_without_the_encoders_one_line_names_the_command_before_anything_is_fetched(tmp_path, monkeypatch):
    monkeypatch.setattr("counterpoint.encoders.catalogue.find_spec", lambda _: None)
    with host() as server:
        rules = planned(tmp_path, server, 0.1, TEXTS)
        with pytest.raises(
            ConfigError, match=r"^The encoder 'joint' needs .*: pip install 'counterpoint\[encoders\]'\.$"
        ):
            Acquisition(rules).run()
    assert not (tmp_path / "out").exists()


def test_a_photo_and_its_text_agree_in_the_real_space(tmp_path):
    if missing := CATALOGUE["joint"].missing():
        pytest.skip(f"{', '.join(missing)} not installed: the extra counterpoint[encoders]")
    rule, body = AgreementRule(0.0), drawn_sky()
    cosines = [rule._cosine(text, rule.pixels(body)) for text in ("the sky over the sea", "minutes of a board meeting")]
    assert cosines[0] > cosines[1]
