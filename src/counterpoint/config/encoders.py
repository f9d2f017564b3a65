"""The settings of contenders that name an encoder, and those of them that name a file."""

from collections.abc import Iterator
from typing import Any

ENCODER_SETTINGS = ("encoder", "text_encoder", "image_encoder")
"""Settings of contenders that name an encoder."""
FILES = (".npy", ".onnx", ".parquet")
"""The ends of the names of encoders that are files."""


def named_files(settings: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield each place in the *settings* of contenders that names an encoder by the path of a file.

    >>> [key for _, key in named_files([{"kind": "text-probe", "encoder": "vectors.npy"}, {"encoder": "minilm"}])]
    ['encoder']
    """
    for value in settings if isinstance(settings, list) else ():
        yield from named_files(value)
    for key, value in settings.items() if isinstance(settings, dict) else ():
        if key in ENCODER_SETTINGS and isinstance(value, str) and value.endswith(FILES):
            yield settings, key
        yield from named_files(value)
