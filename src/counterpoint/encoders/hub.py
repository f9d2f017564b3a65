"""Models of transformers and sentence-transformers, in a folder.  `encoders.hub_files` finds it, and does not download.

This package decodes, resizes and crops images.  The model's own image processor for Pillow scales them.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoConfig, AutoImageProcessor, AutoModel, AutoTokenizer
from transformers.utils import logging

from counterpoint.devices import device_of, exact
from counterpoint.encoders.base import Encoder, Floats
from counterpoint.encoders.batches import GPU_BATCH, Rows, length_batches, padded, row_batches
from counterpoint.encoders.hub_files import PREPROCESSOR, SENTENCES, TOKENIZER, fingerprint_of_folder, folder_of
from counterpoint.encoders.pooling import mean_of_tokens, unit
from counterpoint.errors import ConfigError, first_line
from counterpoint.features.decode import Pixels8
from counterpoint.features.shaped_images import ImageShape

BATCH = 8
"""The number of rows of a batch on a CPU."""
STEP = 16
"""Texts are padded to a multiple of this number of tokens."""
MAX_TOKENS = 512
_IMAGE_FILES = (PREPROCESSOR, "processor_config.json")
_TEXT_FILES = (TOKENIZER, "tokenizer_config.json", "vocab.txt", "spiece.model")


def open_hub(name: str, *, device: str = "auto") -> Encoder:
    """Return the encoder in a folder, or of this *name* in the cache of the hub on this machine.

    Raises
    ------
    ConfigError
        When it is not on this machine, or its configuration cannot be read.
    """
    folder = folder_of(name)
    has = {file.name for file in folder.iterdir()}
    if SENTENCES in has:
        return HubSentences(name, folder, device)
    reads_images, reads_texts = bool(has & {*_IMAGE_FILES}), bool(has & {*_TEXT_FILES})
    if "config.json" not in has or not (reads_images or reads_texts):
        raise ConfigError(
            f"The folder {folder} has no model of transformers: it needs config.json, and "
            f"{_TEXT_FILES[0]} or {_IMAGE_FILES[0]}."
        )
    kind = HubJoint if reads_images and reads_texts else HubImages if reads_images else HubTexts
    return kind(name, folder, device)


class _Hub(Encoder):
    """A model in a folder."""

    def __init__(self, name: str, folder: Path, device: str) -> None:
        self.name = name
        self._folder, self.device = folder, device

    @property
    def fingerprint(self) -> str:
        """A hash of all files of the model, of the version of its library, and of the version of this code."""
        return fingerprint_of_folder(self._folder)

    def _config(self) -> Any:
        with _loading(self.name):
            return AutoConfig.from_pretrained(self._folder, local_files_only=True)

    @cached_property
    def _model(self) -> Any:
        device = device_of(self.device)
        with _loading(self.name):
            model, info = AutoModel.from_pretrained(
                self._folder, local_files_only=True, output_loading_info=True, dtype=torch.float32
            )
        # Missing weights are drawn at random: other vectors in each process.  The pooler is not used.
        if missing := sorted(name for name in info["missing_keys"] if "pooler" not in name):
            raise ConfigError(f"The encoder {self.name!r} lacks {len(missing):,} weights; the first: {missing[0]}.")
        return model.eval().to(device)

    @cached_property
    def _tokenizer(self) -> Any:
        with _loading(self.name):
            return AutoTokenizer.from_pretrained(self._folder, local_files_only=True)

    @property
    def _batch(self) -> int:
        return BATCH if self._model.device.type == "cpu" else GPU_BATCH

    def _tensors(self, **arrays: Any) -> dict[str, torch.Tensor]:
        return {name: torch.from_numpy(np.asarray(array)).to(self._model.device) for name, array in arrays.items()}


class _ByLength(_Hub):
    """A model of texts in batches of similar length."""

    modalities = ("text",)

    def encode_texts(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of *texts*, shape (n, width)."""
        tokenizer, longest = self._text_tokenizer()
        tokens = tokenizer(list(texts), truncation=True, max_length=longest)["input_ids"] if len(texts) else []
        vectors = np.zeros((len(texts), self.width), dtype=np.float32)
        with exact():
            for rows, length in length_batches([len(ids) for ids in tokens], self._batch, step=STEP):
                ids, mask = padded([tokens[row] for row in rows], length, pad=tokenizer.pad_token_id or 0)
                vectors[rows] = self._vectors(ids, mask)
        return vectors

    @abstractmethod
    def _text_tokenizer(self) -> tuple[Any, int]:
        """Return the tokenizer, and the number of tokens at which a text is cut."""

    @abstractmethod
    def _vectors(self, ids: Any, mask: Any) -> Floats:
        """Return the vectors of token ids, shape (batch, time)."""


class HubTexts(_ByLength):
    """A model such as BERT: the mean of its last hidden states over the tokens.

    Parameters
    ----------
    name
        *name* is the name in the study file.
    folder
        *folder* is the folder of the model.
    device
        *device* is "auto", "cpu", "cuda", "cuda:1" or "mps".
    """

    def __init__(self, name: str, folder: Path, device: str) -> None:
        super().__init__(name, folder, device)
        self.width = self._config().hidden_size

    def _text_tokenizer(self) -> tuple[Any, int]:
        return self._tokenizer, min(self._tokenizer.model_max_length, MAX_TOKENS)

    def _vectors(self, ids: Any, mask: Any) -> Floats:
        states = self._model(**self._tensors(input_ids=ids, attention_mask=mask)).last_hidden_state
        return mean_of_tokens(states.cpu().numpy(), mask)


class HubSentences(_ByLength):
    """A model of sentence-transformers, with its own pooling, scaling and default prompt.

    Parameters
    ----------
    name
        *name* is the name in the study file.
    folder
        *folder* is the folder of the model.
    device
        *device* is "auto", "cpu", "cuda", "cuda:1" or "mps".
    """

    @cached_property
    def width(self) -> int:  # type: ignore[override]
        """The number of values of a vector."""
        return int(self._model.get_embedding_dimension())

    def encode_texts(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of *texts*, shape (n, width)."""
        prompt = self._model.prompts.get(self._model.default_prompt_name or "", "")
        return super().encode_texts([prompt + text for text in texts])

    @cached_property
    def _model(self) -> Any:
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - other models do not need it

        device = device_of(self.device)
        with _loading(self.name):
            return SentenceTransformer(str(self._folder), device=str(device), local_files_only=True).eval()

    def _text_tokenizer(self) -> tuple[Any, int]:
        return self._model.tokenizer, min(self._model.max_seq_length or MAX_TOKENS, MAX_TOKENS)

    def _vectors(self, ids: Any, mask: Any) -> Floats:
        features = self._tensors(input_ids=ids, attention_mask=mask, token_type_ids=np.zeros_like(ids))
        vectors: Floats = self._model(features)["sentence_embedding"].float().cpu().numpy()
        return vectors


class _ReadsImages(_Hub):
    """A model with an image processor."""

    def __init__(self, name: str, folder: Path, device: str) -> None:
        super().__init__(name, folder, device)
        self.shape = _shape_of(self._processor.to_dict(), name)

    def encode_images(self, images: Pixels8) -> Floats:
        """Return the vectors of *images*, shape (n, width), from pixels of shape (n, 3, side_px, side_px)."""
        vectors = np.zeros((len(images), self.width), dtype=np.float32)
        with exact():
            for rows in row_batches(np.arange(len(images)), self._batch):
                vectors[rows] = self._of_pixels(self._tensors(pixel_values=self._scaled(images[rows])))
        return vectors

    def _scaled(self, images: Pixels8) -> Any:
        return self._processor(
            list(images), do_resize=False, return_tensors="np", input_data_format="channels_first"
        )["pixel_values"]  # fmt: skip

    @cached_property
    def _processor(self) -> Any:
        with _loading(self.name):
            return AutoImageProcessor.from_pretrained(self._folder, local_files_only=True, backend="pil")

    @abstractmethod
    def _of_pixels(self, inputs: dict[str, torch.Tensor]) -> Floats:
        """Return the vectors of one batch."""


class HubImages(_ReadsImages):
    """A model such as DINOv2: its class token, or else the mean over the places of the image.

    Parameters
    ----------
    name
        *name* is the name in the study file.
    folder
        *folder* is the folder of the model.
    device
        *device* is "auto", "cpu", "cuda", "cuda:1" or "mps".
    """

    modalities = ("image",)

    def __init__(self, name: str, folder: Path, device: str) -> None:
        super().__init__(name, folder, device)
        config = self._config()
        self.width = config.hidden_sizes[-1] if hasattr(config, "hidden_sizes") else config.hidden_size

    def _of_pixels(self, inputs: dict[str, torch.Tensor]) -> Floats:
        states = self._model(**inputs).last_hidden_state  # (batch, time, width), or (batch, width, h, w)
        if states.ndim == 3 and self._has_class_token:
            return np.asarray(states[:, 0].cpu())
        return np.asarray(states.mean((2, 3) if states.ndim == 4 else 1).cpu())

    @cached_property
    def _has_class_token(self) -> bool:
        return any(name.endswith(("cls_token", "class_embedding")) for name, _ in self._model.named_parameters())


class HubJoint(_ReadsImages):
    """A model such as CLIP or SigLIP: texts and images in one space, with length 1.

    Parameters
    ----------
    name
        *name* is the name in the study file.
    folder
        *folder* is the folder of the model.
    device
        *device* is "auto", "cpu", "cuda", "cuda:1" or "mps".
    """

    modalities = ("text", "image")

    def __init__(self, name: str, folder: Path, device: str) -> None:
        super().__init__(name, folder, device)
        config = self._config()
        self.width = getattr(config, "projection_dim", None) or config.vision_config.hidden_size
        self._longest = config.text_config.max_position_embeddings

    def encode_texts(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of *texts*, shape (n, width)."""
        vectors = np.zeros((len(texts), self.width), dtype=np.float32)
        with exact():
            for rows in row_batches(np.arange(len(texts)), self._batch):
                features = self._model.get_text_features(**self._tensors(**self._tokens(texts, rows)))
                vectors[rows] = unit(features.pooler_output.cpu().numpy())
        return vectors

    def _tokens(self, texts: Sequence[str], rows: Rows) -> Any:
        # SigLIP was trained on padded texts without a mask.
        longest = min(self._tokenizer.model_max_length, self._longest)
        return self._tokenizer(
            [texts[row] for row in rows], padding="max_length", truncation=True, max_length=longest, return_tensors="np"
        )

    def _of_pixels(self, inputs: dict[str, torch.Tensor]) -> Floats:
        return unit(self._model.get_image_features(**inputs).pooler_output.cpu().numpy())


def _shape_of(processor: dict[str, Any], name: str) -> ImageShape:
    size = processor.get("size") or {}
    if shortest := size.get("shortest_edge"):
        return ImageShape(shortest, "rgb", "crop", "area")
    if size.get("height") and size.get("height") == size.get("width"):
        return ImageShape(size["height"], "rgb", "squash", "area")
    raise ConfigError(f"The encoder {name!r} reads images of the size {size}. Allowed: squares.")


@contextmanager
def _loading(name: str) -> Iterator[None]:
    """Load without output, and turn any error into one line."""
    level, has_bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    except Exception as error:  # these libraries raise types of many others
        raise ConfigError(f"Cannot load the encoder {name!r}: {first_line(error)}.") from error
    finally:
        logging.set_verbosity(level)
        if has_bar:
            logging.enable_progress_bar()
