"""A commented study file, inferred from a folder, a table or tar shards."""

from pathlib import Path

from counterpoint.data.infer.inferred_source import InferredSource
from counterpoint.data.infer.layouts import infer_source
from counterpoint.data.infer.probe import probe
from counterpoint.data.infer.writing import PRESETS, published_study, source_lines, study_text

__all__ = ["PRESETS", "InferredSource", "infer_source", "study_file"]


def study_file(file: Path, source: Path | None, *, preset: str | None = None) -> str:
    """Return the text of a study file at *file* for the input at *source*.

    Parameters
    ----------
    file
        *file* is the path that it will be written to.  The study has the name of the file.
    source
        *source* is a folder, a table or tar shards (default: OpenMoji, or the example source of *preset*).
    preset
        *preset* is the name of a published study, which gives all settings except the source.

    Raises
    ------
    ConfigError
        When the preset is unknown.
    SourceError
        When no source of Counterpoint can read *source*.

    Examples
    --------
    >>> print(study_file(Path("emoji.yaml"), None).splitlines()[7])
      kind: emoji
    >>> "preset: study-2023" in study_file(Path("theirs.yaml"), None, preset="study-2023")
    True
    """
    if preset is not None:
        return published_study(preset, file, source_lines(file, infer_source(source)) if source else None)
    return study_text(
        file, probe(infer_source(source)) if source else InferredSource({"kind": "emoji"}, is_labelled=True)
    )
