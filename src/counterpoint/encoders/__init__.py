"""Frozen models from texts and images to vectors: from packages, a hub, a file, or made by the user."""

from collections.abc import Callable
from functools import cache
from inspect import isabstract, signature
from pathlib import Path
from re import fullmatch
from typing import Any

from counterpoint.encoders import hub_files
from counterpoint.encoders.base import Encoder
from counterpoint.encoders.catalogue import CATALOGUE, INSTALL, entry_of
from counterpoint.errors import ConfigError, did_you_mean
from counterpoint.lookup import find

FILES = {
    ".onnx": "counterpoint.encoders.onnx_file:open_onnx",
    ".parquet": "counterpoint.encoders.given:GivenTable",
    ".npy": "counterpoint.encoders.given:GivenArray",
}
"""The functions that open a file as an encoder, by its suffix."""
COMPANIONS = {".onnx": (hub_files.TOKENIZER, hub_files.PREPROCESSOR)}
"""The names of further files that such a file reads, where its folder has them."""
COLUMNS = "columns:"
"""The start of the name of an encoder whose vectors are columns of the pairs."""
_GIVEN = "counterpoint.encoders.given:GivenColumns"
_HUB = "counterpoint.encoders.hub:open_hub"
_PATH = r"[A-Za-z_][\w.]*:[A-Za-z_]\w*"


def open_encoder(name: str, *, device: str = "auto") -> Encoder:
    """Return the encoder of this *name*.  Its weights are loaded, and checked, at the first use.

    Parameters
    ----------
    name
        *name* is a name of the catalogue ("minilm", "lite0"), a path such as ``my_lab.encoders:Mine``, an ONNX file
        ("model.onnx"), own vectors ("vectors.parquet", "vectors.npy", "columns:prefix_"), or a model of
        transformers or sentence-transformers: a folder, or its name on the hub.
    device
        *device* is "auto", "cpu", "cuda", "cuda:1" or "mps".  Encoders in onnxruntime always run on the CPU.

    Raises
    ------
    ConfigError
        When there is no such encoder, or a package or file that it needs is missing.

    Examples
    --------
    >>> open_encoder("columns:mood_").modalities
    ('text', 'image')
    >>> open_encoder("minlm")
    Traceback (most recent call last):
    counterpoint.errors.ConfigError: Unknown encoder 'minlm'. Did you mean 'minilm'?
    """
    opens, path = _opener_of(name)
    if opens == path:
        return _of_class(find(path, {}, what="encoder"), name, device)
    return _made(opens, path, device)


def fingerprint_of(name: str) -> str:
    """Return the fingerprint of the encoder of this *name*.  A model of the hub is not opened: that would load torch.

    Raises
    ------
    ConfigError
        When there is no such encoder, or a package or file that it needs is missing.

    Examples
    --------
    >>> fingerprint_of("columns:mood_") == open_encoder("columns:mood_").fingerprint
    True
    """
    opens, path = _opener_of(name)
    return hub_files.fingerprint_of(path) if opens == _HUB else open_encoder(name).fingerprint


def files_of(name: str) -> tuple[Path, ...]:
    """Return the files that decide the vectors of an encoder that is a file, or none.

    >>> files_of("minilm")
    ()
    """
    path = Path(name)
    files = (path, *(path.with_name(other) for other in COMPANIONS.get(path.suffix.lower(), ())))
    return tuple(file for file in files if file.is_file()) if path.is_file() else ()


@cache
def shared_encoder(name: str) -> Encoder:
    """Return the encoder of this *name*, whose weights are loaded once for a process.

    Raises
    ------
    ConfigError
        When there is no such encoder, or a package or file that it needs is missing.
    """
    return open_encoder(name)


def _opener_of(name: str) -> tuple[str, str]:
    """Return the path of the class or function that opens the encoder *name*, and the name that it opens."""
    path = entry_of(name).opens if name in CATALOGUE else name
    if path.startswith(COLUMNS):
        return _GIVEN, path
    if fullmatch(_PATH, path):
        return path, path
    if (hint := did_you_mean(name, CATALOGUE)).startswith(" Did") and not Path(name).exists():
        raise ConfigError(f"Unknown encoder {name!r}.{hint}")
    opens = FILES.get(Path(path).suffix.lower(), _HUB)
    if opens == _HUB and Path(path).is_file():
        raise ConfigError(f"The file {name!r} is no encoder. Allowed: a folder, or a file {', '.join(FILES)}.")
    return opens, path


def _made(opens: str, name: str, device: str) -> Encoder:
    if opens == _HUB:
        hub_files.folder_of(name)  # raises where the model, or a package that `hub` imports, is missing
    try:
        make: Callable[..., Encoder] = find(opens, {}, what="encoder")
    except ConfigError as error:
        if not isinstance(error.__cause__, ModuleNotFoundError):
            raise
        missing = error.__cause__.name
        raise ConfigError(f"The encoder {name!r} needs {missing}, not installed here: {INSTALL}.") from error
    return make(name, **_device_for(make, device))


def _of_class(kind: Any, name: str, device: str) -> Encoder:
    if not (isinstance(kind, type) and issubclass(kind, Encoder)):
        raise ConfigError(f"{name!r} is no encoder. It must be a subclass of counterpoint.encoders.base:Encoder.")
    if isabstract(kind):
        missing = ", ".join(sorted(kind.__abstractmethods__))
        raise ConfigError(f"The encoder {name!r} lacks {missing}.")
    return kind(**_device_for(kind, device))


def _device_for(make: Callable[..., Encoder], device: str) -> dict[str, str]:
    return {"device": device} if "device" in signature(make).parameters else {}
