"""The files of a model of transformers: in a folder, or in the cache of the hub.  Does not load or download a model."""

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from counterpoint.artifacts import key_of
from counterpoint.encoders.catalogue import CATALOGUE
from counterpoint.errors import ConfigError
from counterpoint.files import digest_once

INSTALL = "pip install 'counterpoint[hub]'"
TOKENIZER, PREPROCESSOR = "tokenizer.json", "preprocessor_config.json"
SENTENCES = "modules.json"
"""The file in the folder of a model of sentence-transformers."""
_READ = (".json", ".txt", ".model", ".safetensors", ".bin")
"""The suffixes of the files of a model, which its fingerprint covers."""
_OWNER = "sentence-transformers/"
_VERSION = 2
"""Of `encoders.hub`: a change of the vectors needs another one."""


def folder_of(name: str) -> Path:
    """Return the folder *name*, or the folder of the model of this *name* in the cache of the hub on this machine.

    Raises
    ------
    ConfigError
        When it is not on this machine, or a package that reads it is not installed.
    """
    _require(name, "huggingface_hub", "transformers")
    folder = Path(name) if Path(name).is_dir() else _cached(name)
    if (folder / SENTENCES).exists():
        _require(name, "sentence_transformers")
    return folder


def fingerprint_of(name: str) -> str:
    """Return the fingerprint of the model *name*, a folder or a name on the hub.

    Raises
    ------
    ConfigError
        When it is not on this machine, or a package that reads it is not installed.
    """
    return fingerprint_of_folder(folder_of(name))


def fingerprint_of_folder(folder: Path) -> str:
    """Return a hash of all files of the model in *folder*, of the version of its library, and of that of `hub`.

    The library decides what the files leave open, such as the size of images.  The first number of its version counts.
    """
    files = sorted(path for path in folder.rglob("*") if path.suffix in _READ and path.is_file())
    digests = {str(path.relative_to(folder)): digest_once(path) for path in files}
    libraries = ["transformers", *(["sentence-transformers"] if (folder / SENTENCES).exists() else [])]
    return key_of("hub", digests, [version(library).partition(".")[0] for library in libraries], _VERSION)


def _cached(name: str) -> Path:
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - a folder does not need it
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError  # noqa: PLC0415

    for each in (name, _OWNER + name) if "/" not in name else (name,):
        try:
            return Path(snapshot_download(each, local_files_only=True))
        except (LocalEntryNotFoundError, HFValidationError):
            continue
    raise ConfigError(
        f"The encoder {name!r} is not shipped ({', '.join(CATALOGUE)}), no folder, and not in the cache of the hub on "
        f"this machine. Where there is a network, run: hf download {name}."
    )


def _require(name: str, *packages: str) -> None:
    if missing := [package for package in packages if find_spec(package) is None]:
        raise ConfigError(f"The encoder {name!r} needs {', '.join(missing)}, not installed here: {INSTALL}.")
