"""Predictions of an exported model, without Counterpoint: a text, an image, or both become class probabilities.

This file stands beside ``preprocessing.json`` and the graphs.  It needs numpy, pillow and onnxruntime.  A model of
MiniLM's vectors also needs tokenizers, and a model of JPEG files also needs simplejpeg.

    python reader.py --text "a red fox" --image fox.jpg
"""

import argparse
import json
import re
import struct
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

PAD, UNKNOWN = 0, 1
_WORDS = ("vocabulary", "words", "characters")
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")
_SAME = 1 - 1e-9
_ERRORS_ONLY = 3
_ORIENTATION, _SHORT = 0x0112, 3
_MOST_BYTES = 1 << 28
_TURNS: Mapping[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels.swapaxes(0, 1)[:, ::-1],
    7: lambda pixels: pixels.swapaxes(0, 1)[::-1, ::-1],
    8: lambda pixels: pixels.swapaxes(0, 1)[::-1],
}


def predict(text: str | None = None, image: str | Path | None = None) -> dict[str, float]:
    """Return the probability of each class, by the model beside this file.  A missing text or image is None."""
    return _own_reader().predict(text, image)


class Reader:
    """The model in a folder.

    Parameters
    ----------
    folder
        *folder* is the folder of the export.

    Raises
    ------
    ValueError
        When a file has changed since the export.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = json.loads((folder / "preprocessing.json").read_bytes())
        self._sessions: dict[str, Any] = {}
        self._inputs = {name: _with_places(made) for name, made in self.settings["inputs"].items()}
        self._word = re.compile(self.settings["text"]["word"])
        self._small_letters = str.maketrans(self.settings["text"]["small_letters"])

    def predict(self, text: str | None = None, image: str | Path | None = None) -> dict[str, float]:
        """Return the probability of each class.  A missing text or image is None.  A blank text is missing too.

        Raises
        ------
        OSError, ValueError
            When the image cannot be read.
        ImportError
            When a package is missing.
        """
        pair = _Pair(self, self._as_in_study(text or ""), None if image is None else Path(image))
        inputs = {name: _MAKERS[made["kind"]](pair, made) for name, made in self._inputs.items()}
        (chances,) = self.run("model.onnx", inputs)
        return {name: float(chance) for name, chance in zip(self.settings["classes"], chances[0], strict=True)}

    def decide(self, chances: Mapping[str, float]) -> str:
        """Return the predicted class of *chances*, the result of `predict`: the best one for the metric."""
        rule = self.settings["decision"]
        worth = {name: chances[name] / divisor for name, divisor in rule["divisors"].items()}
        most = max(worth.values())
        best: str = max((name for name in worth if worth[name] >= _SAME * most), key=lambda name: chances[name])
        return best

    def run(self, name: str, inputs: Mapping[str, NDArray[Any]]) -> Sequence[NDArray[Any]]:
        """Return the outputs of the graph in the file *name*."""
        if name not in self._sessions:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            options.log_severity_level = _ERRORS_ONLY
            model, providers = self.read(name), ["CPUExecutionProvider"]
            self._sessions[name] = onnxruntime.InferenceSession(model, options, providers=providers)
        outputs: Sequence[NDArray[Any]] = self._sessions[name].run(None, dict(inputs))
        return outputs

    def read(self, name: str) -> bytes:
        """Return the content of a file of the export."""
        data = (self.folder / name).read_bytes()
        if sha256(data).hexdigest() != self.settings["files"][name]["sha256"]:
            raise ValueError(f"{self.folder / name} has changed since the export. Export the model again.")
        return data

    def words(self, text: str) -> list[str]:
        """Return the words of a text in small letters."""
        small = text.translate(self._small_letters)
        return self._word.findall(small.lower() if "Σ" in small else small)

    @cached_property
    def tokenizer(self) -> Any:
        """The tokenizer of the encoder of texts."""
        try:
            from tokenizers import Tokenizer  # noqa: PLC0415 - only MiniLM needs it
        except ImportError as error:
            raise ImportError("This model needs tokenizers, not installed here: pip install tokenizers.") from error
        settings = self.settings["encoders"]["minilm"]
        tokenizer = Tokenizer.from_str(self.read(settings["tokenizer"]).decode())
        tokenizer.enable_truncation(settings["max_tokens"])
        tokenizer.no_padding()
        return tokenizer

    def _as_in_study(self, text: str) -> str | None:
        """Return *text* without masked words, or None where it was blank before."""
        rules = self.settings["text"]
        is_blank = not re.sub(rules["space"], "", text)
        if is_blank or rules["mask"] is None:
            return None if is_blank else text
        return str(re.sub(rules["space"], " ", re.sub(rules["mask"], " ", text))).strip(" ")


class _Pair:
    """A text and an image, each of which is read once."""

    def __init__(self, reader: Reader, text: str | None, image: Path | None) -> None:
        self.reader, self.text, self.image = reader, text, image

    @cached_property
    def words(self) -> list[str]:
        return self.reader.words(self.text or "")

    def pixels(self, shape: Mapping[str, Any]) -> NDArray[np.uint8]:
        """Return the pixels of the image, shape (1, channels, side_px, side_px), zeros where it is missing."""
        side_px, n_channels = shape["side_px"], 1 if shape["mode"] == "gray" else 3
        if self.image is None:
            return np.zeros((1, n_channels, side_px, side_px), np.uint8)
        data = _regular_bytes(self.image)
        try:
            pixels = _decode(data, shape["mode"], 2 * side_px)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise ValueError(f"The image {self.image} cannot be read.") from error
        return np.ascontiguousarray(_square(pixels, side_px, shape["aspect"]).transpose(2, 0, 1)[None])


def _regular_bytes(path: Path) -> bytes:
    """Return the bytes of a file.  A pipe or a device may have no end."""
    if not path.is_file() or path.stat().st_size > _MOST_BYTES:
        raise OSError(f"The image {path} is no file of at most {_MOST_BYTES:,} bytes.")
    return path.read_bytes()


def _with_places(made: Mapping[str, Any]) -> dict[str, Any]:
    lists = {name: {word: i for i, word in enumerate(made[name])} for name in _WORDS if name in made}
    return {**made, **lists}


# The inputs, by kind


def _tokens(pair: _Pair, made: Mapping[str, Any]) -> NDArray[Any]:
    places = made["vocabulary"]
    ids = [places[word] + 2 if word in places else UNKNOWN for word in pair.words[: made["max_words"]]]
    return np.array([ids or [PAD]], dtype=np.int64)


def _counts(pair: _Pair, made: Mapping[str, Any]) -> NDArray[Any]:
    """Return the counts of the n-grams of words, then of characters within a word."""
    words = [*pair.words, made["end"]]
    counts = np.zeros((1, made["n_grams"]))
    first, last = made["word_span"]
    spans = [" ".join(words[i : i + n]) for n in range(first, last + 1) for i in range(len(words) - n + 1)]
    for gram, n in Counter(spans).items():
        if gram in made["words"]:
            counts[0, made["words"][gram]] = n
    if made["character_span"]:
        for gram, n in Counter(gram for word in words for gram in _character_grams(word, made)).items():
            if gram in made["characters"]:
                counts[0, len(made["words"]) + made["characters"][gram]] = n
    return counts


def _character_grams(word: str, made: Mapping[str, Any]) -> Iterator[str]:
    shortest, longest = made["character_span"]
    padded = f" {word.lower()} "
    for n in range(shortest, longest + 1):
        for i in range(max(1, len(padded) - n + 1)):
            yield padded[i : i + n]
        if n >= len(padded):  # a short word counts once
            return


def _first_word(pair: _Pair, made: Mapping[str, Any]) -> NDArray[Any]:
    """Return the place of the first word of a list that the text contains, or the length of the list."""
    found = [made["words"][word] for word in pair.words if word in made["words"]]
    return np.array([min(found, default=len(made["words"]))])


def _text_vector(pair: _Pair, made: Mapping[str, Any]) -> NDArray[Any]:
    """Return the mean of the vectors of the tokens, with length 1, or zeros where the text is missing."""
    if pair.text is None:
        return np.zeros((1, made["width"]), np.float32)
    settings = pair.reader.settings["encoders"][made["encoder"]]
    tokens = pair.reader.tokenizer.encode(pair.text).ids
    ids = np.zeros((1, -(-len(tokens) // settings["step"]) * settings["step"]), np.int64)
    ids[0, : len(tokens)] = tokens
    mask = (np.arange(ids.shape[1]) < len(tokens)).astype(np.int64)[None]
    inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    (hidden,) = pair.reader.run(settings["graph"], inputs)
    weights = mask[:, :, None].astype(np.float32)
    mean = (hidden * weights).sum(axis=1) / weights.sum(axis=1).clip(min=1)
    scaled: NDArray[Any] = mean / np.linalg.norm(mean, axis=1, keepdims=True).clip(min=1e-12)
    return scaled


def _image_vector(pair: _Pair, made: Mapping[str, Any]) -> NDArray[Any]:
    if pair.image is None:
        return np.zeros((1, made["width"]), np.float32)
    settings = pair.reader.settings["encoders"][made["encoder"]]
    return pair.reader.run(settings["graph"], {"pixels": pair.pixels(settings["shape"])})[0]


_MAKERS: Mapping[str, Callable[[_Pair, Mapping[str, Any]], NDArray[Any]]] = {
    "tokens": _tokens,
    "counts": _counts,
    "first_word": _first_word,
    "pixels": lambda pair, made: pair.pixels(made),
    "text_vector": _text_vector,
    "image_vector": _image_vector,
    "has_text": lambda pair, _: np.array([pair.text is not None]),
    "has_image": lambda pair, _: np.array([pair.image is not None]),
}


# Images


def _decode(data: bytes, mode: str, min_side_px: int) -> NDArray[np.uint8]:
    """Return the pixels of an image as shown, shape (height, width, channels).

    A JPEG may be decoded at an eighth, two eighths … of its size, with no side shorter than *min_side_px*.
    """
    with Image.open(BytesIO(data), formats=_FORMATS) as image:
        pixels = _scaled_jpeg(data, mode, min_side_px) if image.format in ("JPEG", "MPO") else None
        if pixels is None:
            flat = np.asarray(_on_white(image).convert("L" if mode == "gray" else "RGB"))
            pixels = flat.reshape(*flat.shape[:2], -1)
        turn = _orientation(image.info.get("exif") or b"")  # a PNG may have it behind its pixels
    return np.ascontiguousarray(_TURNS[turn](pixels)) if turn in _TURNS else pixels


def _scaled_jpeg(data: bytes, mode: str, min_side_px: int) -> NDArray[np.uint8] | None:
    """Return the pixels of a JPEG, or None where libjpeg-turbo does not decode it to gray and colours."""
    try:
        import simplejpeg  # noqa: PLC0415 - only JPEGs need it
    except ImportError as error:  # Pillow decodes other pixels: it lacks five and six eighths
        raise ImportError("A JPEG needs simplejpeg, not installed here: pip install simplejpeg.") from error
    try:
        is_plain = simplejpeg.decode_jpeg_header(data)[2] in ("YCbCr", "Gray", "RGB")
    except ValueError:
        return None
    size = {"min_height": min_side_px, "min_width": min_side_px, "min_factor": 1.25}
    return simplejpeg.decode_jpeg(data, mode.upper(), **size) if is_plain else None


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if not image.has_transparency_data:
        return image
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return white


def _orientation(exif: bytes) -> int:
    """Return the orientation that EXIF names, 1 to 8, or 1 where none can be read."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        start = struct.unpack_from(order + "I", tiff, 4)[0]
        n_entries = struct.unpack_from(order + "H", tiff, start)[0]
        for place in range(start + 2, start + 2 + 12 * n_entries, 12):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, place)
            if (tag, kind) == (_ORIENTATION, _SHORT):
                return int(value)
    except struct.error:
        pass
    return 1


def _square(pixels: NDArray[np.uint8], side_px: int, aspect: str) -> NDArray[np.uint8]:
    """Return an image as a square: by area averages when it gets smaller, bilinear when it gets larger.

    The *aspect* is "keep" for white around the image, or "squash".
    """
    before = pixels.shape[:2]
    scale = side_px / max(before)
    height, width = (max(1, round(n * scale)) if aspect == "keep" else side_px for n in before)
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    image = image.resize((min(width, before[1]), min(height, before[0])), Image.Resampling.BOX)
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    white = np.full((side_px, side_px, pixels.shape[2]), 255, dtype=np.uint8)
    top, left = (side_px - height) // 2, (side_px - width) // 2
    white[top : top + height, left : left + width] = np.asarray(image).reshape(height, width, -1)
    return white


@cache
def _own_reader() -> Reader:
    return Reader(Path(__file__).parent)


def main() -> int:
    """Print the predicted class and the probabilities of one pair as JSON."""
    parser = argparse.ArgumentParser(description="Predict the class of a text and an image.")
    parser.add_argument("--text", help="The text.")
    parser.add_argument("--image", type=Path, help="The file of the image.")
    given = parser.parse_args()
    try:
        chances = predict(given.text, given.image)
        label = _own_reader().decide(chances)
    except (ImportError, OSError, ValueError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    print(json.dumps({"label": label, "probabilities": chances}, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
