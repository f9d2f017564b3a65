"""Models of transformers and sentence-transformers: tiny ones, drawn at random, saved, and loaded by the real code."""

import json
import pickle

import numpy as np
import pytest
import torch

from counterpoint import files
from counterpoint.contenders.readings import Reading
from counterpoint.encoders import hub_files, open_encoder
from counterpoint.encoders.catalogue import CATALOGUE
from counterpoint.errors import ConfigError

transformers = pytest.importorskip("transformers", reason="needs the extra counterpoint[hub]")

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "photo", "of", "fox", "dog", "##es"]
SIZES = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
TEXTS = ["a photo of a fox", "dog", "a " * 40, "", "a photo of foxes"]


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def save_tokenizer(folder, longest=32):
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    tokenizer = transformers.BertTokenizer(str(folder / "vocab.txt"), model_max_length=longest)
    tokenizer.save_pretrained(folder)
    return tokenizer


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny-bert")
    save_tokenizer(folder)
    config = transformers.BertConfig(vocab_size=len(WORDS), max_position_embeddings=32, **SIZES)
    transformers.BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny-clip")
    save_tokenizer(folder, 16)
    config = transformers.CLIPConfig(
        text_config={**SIZES, "vocab_size": len(WORDS), "max_position_embeddings": 16, "eos_token_id": 3},
        vision_config={**SIZES, "image_size": 16, "patch_size": 8}, projection_dim=6,
    )  # fmt: skip
    transformers.CLIPModel(config).save_pretrained(folder)
    sizes = {"size": {"shortest_edge": 16}, "crop_size": {"height": 16, "width": 16}}
    processor("CLIPImageProcessor", folder, **sizes)
    return folder


@pytest.fixture(scope="module")
def dinov2(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny-dinov2")
    config = transformers.Dinov2Config(**{**SIZES, "mlp_ratio": 2}, image_size=16, patch_size=8)
    transformers.Dinov2Model(config).save_pretrained(folder)
    sizes = {"size": {"shortest_edge": 20}, "crop_size": {"height": 16, "width": 16}}
    processor("BitImageProcessor", folder, **sizes)
    return folder


def processor(kind, folder, **sizes):
    settings = {
        "image_processor_type": kind, "image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.3, 0.4], "do_resize": True,
        "do_center_crop": True, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True, **sizes,
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))


def images(side_px, n=5):
    return np.random.default_rng(0).integers(0, 256, (n, 3, side_px, side_px), dtype=np.uint8)


def scaled(pixels):
    mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in ([0.5, 0.4, 0.3], [0.2, 0.3, 0.4]))
    return (torch.from_numpy(pixels).float() / 255 - mean) / std


def test_a_model_such_as_bert_is_averaged_over_its_tokens(bert):
    encoder = open_encoder(str(bert), device="cpu")
    assert (encoder.modalities, encoder.width, encoder.shape) == (("text",), 8, None)
    found = encoder.encode_texts(TEXTS)
    model, tokenizer = (
        transformers.AutoModel.from_pretrained(bert).eval(),
        transformers.AutoTokenizer.from_pretrained(bert),
    )
    for text, vector in zip(TEXTS, found, strict=True):
        inputs = tokenizer([text], truncation=True, max_length=32, return_tensors="pt")
        with torch.inference_mode():
            expected = model(**inputs).last_hidden_state[0].mean(0)
        np.testing.assert_allclose(vector, expected, atol=1e-5)


def test_a_model_such_as_clip_has_both_modalities_in_one_space(clip):
    encoder = open_encoder(str(clip), device="cpu")
    assert (encoder.modalities, encoder.width) == (("text", "image"), 6)
    assert encoder.shape == (16, "rgb", "crop", "area")
    model, tokenizer = (
        transformers.AutoModel.from_pretrained(clip).eval(),
        transformers.AutoTokenizer.from_pretrained(clip),
    )
    pixels = images(16)
    with torch.inference_mode():
        of_images = model.get_image_features(pixel_values=scaled(pixels)).pooler_output
        inputs = tokenizer(TEXTS, padding="max_length", max_length=16, truncation=True, return_tensors="pt")
        of_texts = model.get_text_features(**inputs).pooler_output
    np.testing.assert_allclose(encoder.encode_images(pixels), torch.nn.functional.normalize(of_images), atol=1e-5)
    np.testing.assert_allclose(encoder.encode_texts(TEXTS), torch.nn.functional.normalize(of_texts), atol=1e-5)


def test_a_model_such_as_dinov2_gives_its_class_token_of_the_cropped_image(dinov2):
    encoder = open_encoder(str(dinov2), device="cpu")
    assert (encoder.modalities, encoder.width) == (("image",), 8)
    assert encoder.shape == (20, "rgb", "crop", "area")
    pixels = images(20)
    with torch.inference_mode():
        model = transformers.AutoModel.from_pretrained(dinov2).eval()
        expected = model(pixel_values=scaled(pixels[:, :, 2:18, 2:18])).last_hidden_state[:, 0]
    np.testing.assert_allclose(encoder.encode_images(pixels), expected, atol=1e-5)


@pytest.mark.parametrize("model", ["bert", "clip", "dinov2"])
def test_a_row_has_the_same_vector_alone_and_among_others(model, request):
    encoder = open_encoder(str(request.getfixturevalue(model)), device="cpu")
    if "text" in encoder.modalities:
        texts = TEXTS * 5
        alone = np.concatenate([encoder.encode_texts([text]) for text in texts])
        np.testing.assert_array_equal(encoder.encode_texts(texts), alone)
    if "image" in encoder.modalities:
        pixels = images(encoder.shape.side_px, 20)
        alone = np.concatenate([encoder.encode_images(pixels[row : row + 1]) for row in range(20)])
        np.testing.assert_array_equal(encoder.encode_images(pixels), alone)


def test_a_model_of_sentence_transformers_keeps_its_pooling_and_scaling(bert, tmp_path):
    sentence_transformers = pytest.importorskip("sentence_transformers", reason="needs the extra counterpoint[hub]")
    from sentence_transformers.sentence_transformer import modules  # noqa: PLC0415

    words = modules.Transformer(str(bert), max_seq_length=16)
    pooling = modules.Pooling(8, pooling_mode="max")
    sentence_transformers.SentenceTransformer(modules=[words, pooling, modules.Normalize()]).save(str(tmp_path))
    encoder = open_encoder(str(tmp_path), device="cpu")
    assert (encoder.modalities, encoder.width) == (("text",), 8)
    expected = sentence_transformers.SentenceTransformer(str(tmp_path), device="cpu").encode(TEXTS)
    found = encoder.encode_texts(TEXTS)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_array_equal(found, np.concatenate([encoder.encode_texts([text]) for text in TEXTS]))


def test_an_encoder_is_sent_to_another_process_without_its_weights(clip):
    encoder = open_encoder(str(clip), device="cpu")
    before = encoder.encode_texts(TEXTS)
    sent = pickle.dumps(encoder)
    assert len(sent) < 2_000
    np.testing.assert_array_equal(pickle.loads(sent).encode_texts(TEXTS), before)


def test_the_fingerprint_follows_every_file(bert, tmp_path):
    import shutil  # noqa: PLC0415

    folder = tmp_path / "copy"
    shutil.copytree(bert, folder)
    first = open_encoder(str(folder)).fingerprint
    assert first == open_encoder(str(bert)).fingerprint
    with (folder / "tokenizer_config.json").open("a") as file:
        file.write("\n")
    assert open_encoder(str(folder)).fingerprint != first


def test_the_files_of_a_model_are_read_once_for_all_its_fits(bert, tmp_path, monkeypatch):
    for path in bert.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    read, digest_of = [], files.digest_of
    monkeypatch.setattr(files, "SETTLED_NS", -(10**18))
    monkeypatch.setattr(files, "digest_of", lambda path: (read.append(path), digest_of(path))[1])
    first = Reading(str(tmp_path), "text").fingerprint()
    assert first == Reading(str(tmp_path), "text").fingerprint() == open_encoder(str(tmp_path)).fingerprint
    assert len(read) == len(set(read)) > 2


def test_a_model_that_lacks_weights_is_one_line(bert, tmp_path):
    from safetensors.torch import load_file, save_file  # noqa: PLC0415

    for path in bert.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    del weights["encoder.layer.0.attention.self.key.bias"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ConfigError, match=r"lacks 1 weights; the first: encoder.layer.0.attention.self.key.bias\."):
        open_encoder(str(tmp_path), device="cpu").encode_texts(["a"])


def test_damaged_weights_are_one_line(bert, tmp_path):
    for path in bert.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"rubbish")
    with pytest.raises(ConfigError, match=r"Cannot load the encoder '.*': "):
        open_encoder(str(tmp_path), device="cpu").encode_texts(["a"])


def test_a_name_that_is_not_on_this_machine_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ConfigError) as error:
        open_encoder("openai/clip-vit-base-patch32")
    assert str(error.value) == (
        f"The encoder 'openai/clip-vit-base-patch32' is not shipped ({', '.join(CATALOGUE)}), no folder, and not in "
        "the cache of the hub on this machine. Where there is a network, run: hf download openai/clip-vit-base-patch32."
    )


def test_a_folder_without_a_model_and_a_size_that_is_no_square_are_one_line(tmp_path, dinov2):
    with pytest.raises(ConfigError, match=r"has no model of transformers: it needs config.json, and tokenizer.json or"):
        open_encoder(str(tmp_path))
    for path in dinov2.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    processor("BitImageProcessor", tmp_path, size={"height": 16, "width": 20})
    with pytest.raises(ConfigError, match=r"reads images of the size .*Allowed: squares\."):
        open_encoder(str(tmp_path))


def test_a_model_of_sentence_transformers_without_the_package_is_one_line(tmp_path, monkeypatch):
    real = hub_files.find_spec
    (tmp_path / "modules.json").write_text("[]")
    monkeypatch.setattr(hub_files, "find_spec", lambda name: None if name == "sentence_transformers" else real(name))
    with pytest.raises(ConfigError, match=r"needs sentence_transformers, not installed here: pip install"):
        open_encoder(str(tmp_path))


def test_an_unknown_device_is_one_line(bert):
    with pytest.raises(ConfigError, match=r"Unknown device 'gpu'\. Did you mean 'cpu'\?"):
        open_encoder(str(bert), device="gpu").encode_texts(["a"])
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match=r"The device 'cuda' is not available here\. Available: auto, cpu\."):
            open_encoder(str(bert), device="cuda").encode_texts(["a"])


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_every_device_gives_nearly_the_same_vectors(device, clip):
    try:
        found = open_encoder(str(clip), device=device).encode_images(images(16))
    except ConfigError as error:
        pytest.skip(str(error))
    np.testing.assert_allclose(found, open_encoder(str(clip), device="cpu").encode_images(images(16)), atol=1e-3)
