"""The user's own ONNX file as an encoder of texts or images."""

import json
import pickle
import re

import numpy as np
import pytest

from counterpoint import files
from counterpoint.contenders.readings import Reading
from counterpoint.encoders import open_encoder
from counterpoint.errors import ConfigError, SourceError
from onnx_bytes import FLOAT, INT64, UINT8, onnx_file

pytest.importorskip("onnxruntime", reason="needs the extra counterpoint[encoders]")
tokenizers = pytest.importorskip("tokenizers", reason="needs the extra counterpoint[encoders]")

WORDS = {"[PAD]": 0, "[UNK]": 1, "a": 2, "fox": 3, "dog": 4}
TABLE = np.array([[9, 9], [0, 1], [3, 4], [1, 0], [0, 2]], dtype=np.float32)
SIDE = 4


@pytest.fixture
def texts(tmp_path):
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(WORDS, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    inputs = {"input_ids": (INT64, ("batch", "time"))}
    (tmp_path / "m.onnx").write_bytes(onnx_file("Gather", inputs, (FLOAT, ("batch", "time", 2)), weights=TABLE))
    return tmp_path / "m.onnx"


def of_images(path, kind=FLOAT, shape=("batch", 3, SIDE, SIDE), operation="Identity", attributes=None):
    output = (FLOAT, shape)
    path.write_bytes(onnx_file(operation, {"pixels": (kind, shape)}, output, attributes=attributes))
    return str(path)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (3, 3, SIDE, SIDE), dtype=np.uint8)


def test_a_graph_with_a_tokenizer_in_its_folder_reads_texts(texts):
    encoder = open_encoder(str(texts))
    assert (encoder.modalities, encoder.width, encoder.shape) == (("text",), 2, None)
    found = encoder.encode_texts(["a fox", "dog", "fox unicorn", "a"])
    expected = np.array([[4, 4], [0, 2], [1, 1], [3, 4]]) / np.sqrt([[32], [4], [2], [25]])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_graph_of_one_image_reads_images_scaled_as_its_preprocessor_says(tmp_path, images):
    scaling = {"image_mean": [0.5, 0.25, 0.0], "image_std": [0.5, 1.0, 2.0], "rescale_factor": 0.01}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(scaling))
    encoder = open_encoder(of_images(tmp_path / "m.onnx"))
    assert (encoder.modalities, encoder.width) == (("image",), 3)
    assert encoder.shape[:3] == (SIDE, "rgb", "squash")
    expected = (images.mean((2, 3)) * 0.01 - [0.5, 0.25, 0.0]) / [0.5, 1.0, 2.0]
    np.testing.assert_allclose(encoder.encode_images(images), expected, rtol=1e-5, atol=1e-6)


def test_bytes_are_passed_as_they_are_and_the_batch_may_be_fixed_to_one(tmp_path, images):
    path = of_images(tmp_path / "m.onnx", UINT8, (1, 3, SIDE, SIDE), "Cast", {"to": FLOAT})
    encoder = open_encoder(path)
    np.testing.assert_allclose(encoder.encode_images(images), images.mean((2, 3)), rtol=1e-6)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(encoder)).encode_images(images), encoder.encode_images(images)
    )


def test_the_fingerprint_is_found_again_after_the_file_or_its_tokenizer_changed(texts, monkeypatch):
    monkeypatch.setattr(files, "SETTLED_NS", -(10**18))
    reading, tokenizer = Reading(str(texts), "text"), texts.with_name("tokenizer.json")
    first = reading.fingerprint()
    with monkeypatch.context() as patch:
        patch.setattr("counterpoint.contenders.readings.fingerprint_of", lambda _: pytest.fail("was found again"))
        assert reading.fingerprint() == first
    tokenizer.write_text(tokenizer.read_text() + " ")
    second = reading.fingerprint()
    inputs = {"input_ids": (INT64, ("batch", "time"))}
    texts.write_bytes(onnx_file("Gather", inputs, (FLOAT, ("batch", "time", 2)), weights=TABLE * 2))
    assert len({first, second, reading.fingerprint()}) == 3


def test_the_fingerprint_follows_every_file(tmp_path):
    scaling = tmp_path / "preprocessor_config.json"
    scaling.write_text(json.dumps({"image_mean": [0.5] * 3, "image_std": [0.5] * 3}))
    path = of_images(tmp_path / "m.onnx")
    first = open_encoder(path).fingerprint
    assert open_encoder(path).fingerprint == first
    scaling.write_text(json.dumps({"image_mean": [0.5] * 3, "image_std": [0.25] * 3}))
    second = open_encoder(path).fingerprint
    of_images(tmp_path / "m.onnx", shape=(1, 3, SIDE, SIDE))
    assert len({first, second, open_encoder(path).fingerprint}) == 3


@pytest.mark.parametrize(
    "scaling", [None, "{", "[]", '{"image_mean": [0, 0, 0]}', '{"image_mean": [0, 0, 0], "image_std": [1, 1, 0]}']
)
def test_a_graph_of_floats_without_its_scaling_is_one_line(tmp_path, scaling):
    if scaling is not None:
        (tmp_path / "preprocessor_config.json").write_text(scaling)
    with pytest.raises(ConfigError, match=r"m.onnx needs preprocessor_config.json with image_mean and image_std: "):
        open_encoder(of_images(tmp_path / "m.onnx"))


@pytest.mark.parametrize("shape", [("batch", 1, SIDE, SIDE), ("batch", 3, "h", "w"), ("batch", 3, SIDE, 5), (3, SIDE)])
def test_a_graph_of_other_inputs_is_one_line(tmp_path, shape):
    with pytest.raises(ConfigError, match=r"m.onnx needs one input of shape \(batch, 3, side, side\), or a tokenizer"):
        open_encoder(of_images(tmp_path / "m.onnx", shape=shape))


def test_a_text_graph_without_token_ids_or_a_width_is_one_line(texts):
    inputs = {"tokens": (INT64, ("batch", "time"))}
    texts.write_bytes(onnx_file("Gather", inputs, (FLOAT, ("batch", "time", 2)), weights=TABLE))
    with pytest.raises(ConfigError, match=r"m.onnx needs an input input_ids; found tokens\."):
        open_encoder(str(texts))
    inputs = {"input_ids": (INT64, ("batch", "time"))}
    texts.write_bytes(onnx_file("Cast", inputs, (FLOAT, ("batch", "time")), attributes={"to": FLOAT}))
    with pytest.raises(ConfigError, match=r"The output output of .*m.onnx needs a fixed width"):
        open_encoder(str(texts))


def test_a_file_that_is_missing_or_no_graph_is_one_line(tmp_path):
    with pytest.raises(SourceError, match=r"Cannot read .*m.onnx: No such file or directory\."):
        open_encoder(str(tmp_path / "m.onnx"))
    (tmp_path / "m.onnx").write_bytes(b"rubbish")
    with pytest.raises(ConfigError, match=f"Cannot load the encoder {re.escape(str(tmp_path / 'm.onnx'))}: "):
        open_encoder(str(tmp_path / "m.onnx"))
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"Cannot load the encoder .*m.onnx: "):
        open_encoder(str(tmp_path / "m.onnx"))
