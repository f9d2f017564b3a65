"""Fitted contenders as ONNX graphs, with a reader that needs no Counterpoint.  Does not keep fits."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from counterpoint.artifacts import check_new_folder
from counterpoint.config import Text
from counterpoint.errors import ConfigError

NEEDED = ("onnx", "onnxruntime")
INSTALL = "pip install 'counterpoint[onnx]'"

__all__ = ["export_onnx"]


def export_onnx(model: Any, where: Path, *, text_rules: Text | None = None, metric: str = "accuracy") -> dict[str, Any]:
    """Export a fitted contender to the folder *where*, as a whole or not at all.

    The folder then holds ``model.onnx``, the graphs of its encoders, ``preprocessing.json``, and ``reader.py``, which
    predicts a text and an image without Counterpoint.  At the end, the export predicts a few pairs.

    Parameters
    ----------
    model
        *model* is a fitted contender.
    where
        *where* is the folder, which must be new or empty.
    text_rules
        *text_rules* are the words that the study takes out of every text.  None stands for no words.
    metric
        *metric* is the metric for which the reader predicts the best class.

    Returns
    -------
    The account: the contender, the size of each file in bytes, the inputs and operators of the graphs, the packages
    that the reader needs, and the largest difference of a probability from the contender on these few pairs.

    Raises
    ------
    ConfigError
        When the contender cannot be exported, the metric does not exist, or a package is missing.
    RunFolderError
        When *where* is a file, holds files, or cannot be written.

    Examples
    --------
    >>> import polars as pl, tempfile
    >>> from counterpoint.contenders.majority import Majority
    >>> model = Majority().fit(pl.DataFrame({"text": ["a", "b", "c"]}), ["cat", "dog", "dog"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     account = export_onnx(model, Path(folder))
    >>> sorted(account["files"])
    ['model.onnx', 'preprocessing.json', 'reader.py']
    """
    missing = [package for package in NEEDED if find_spec(package) is None]
    if missing:
        raise ConfigError(f"The export to ONNX needs {', '.join(missing)}, not installed here: {INSTALL}.")
    check_new_folder(where, "--onnx")
    from counterpoint.onnx_export.export import write  # noqa: PLC0415 - loads onnx and torch

    return write(model, where, text_rules=text_rules or Text(), metric=metric)
