"""The joint space of the shipped encoders, with their real weights."""

import numpy as np
import pytest

from counterpoint.encoders import open_encoder
from counterpoint.encoders.catalogue import CATALOGUE
from counterpoint.errors import ConfigError
from joint_material import shown_class


@pytest.fixture(scope="module")
def joint():
    if missing := CATALOGUE["joint"].missing():
        pytest.skip(f"{', '.join(missing)} not installed: the extra counterpoint[encoders]")
    return open_encoder("joint", device="cpu")


def cosine(a, b):
    return float((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.parametrize(
    ("shown", "own", "other"),
    [
        ("Golden Retriever", "my dog in the garden", "a plane lands"),
        ("airliner", "a plane lands", "my dog in the garden"),
        ("pizza", "dinner at an Italian restaurant", "a bicycle race"),
    ],
)
def test_an_image_is_near_texts_about_the_class_that_it_shows(joint, shown, own, other):
    image = joint.of_features(shown_class(joint.images, shown))[0]
    texts = joint.encode_texts([own, other])
    assert cosine(image, texts[0]) > 0.2 > cosine(image, texts[1])


def test_images_and_their_features_have_the_same_vectors(joint):
    images = np.random.default_rng(0).integers(0, 256, (3, 3, 224, 224), dtype=np.uint8)
    features = joint.images.encode_images(images)
    np.testing.assert_array_equal(joint.encode_images(images), joint.of_features(features))
    alone = np.concatenate([joint.of_features(features[row : row + 1]) for row in range(3)])
    np.testing.assert_allclose(joint.of_features(features), alone, atol=1e-6)


def test_the_space_has_both_modalities_and_its_centre_is_the_mean_of_the_classes(joint):
    names = joint.images.class_names()
    assert joint.modalities == ("text", "image")
    assert joint.encode_texts([f"a photo of a {name}" for name in names]).mean(0) == pytest.approx(0, abs=1e-6)
    uniform = joint.of_features(np.zeros((1, 1280), dtype=np.float32))
    assert uniform.shape == (1, joint.width)
    assert np.linalg.norm(uniform) < 0.1


def test_its_fingerprint_is_that_of_both_encoders_and_its_own(joint, monkeypatch):
    assert joint.fingerprint not in (joint.texts.fingerprint, joint.images.fingerprint)
    before = joint.fingerprint
    monkeypatch.setattr("counterpoint.encoders.joint.TEMPERATURE", 1.0)
    assert joint.fingerprint != before


def test_without_a_package_one_line_names_it_and_the_command(monkeypatch):
    monkeypatch.setattr("counterpoint.encoders.catalogue.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"'joint' needs .*onnxruntime.*pip install 'counterpoint\[encoders\]'"):
        open_encoder("joint")
