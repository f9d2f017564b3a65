"""A commented study file, inferred from what a folder, a table or tar shards hold."""

from pathlib import Path

from counterpoint.data.infer.inferred_source import InferredSource
from counterpoint.data.infer.layouts import infer_source
from counterpoint.data.infer.probe import probe
from counterpoint.data.infer.writing import PRESETS, published_study, source_lines, study_text

__all__ = ["PRESETS", "InferredSource", "infer_source", "study_file"]


def study_file(file: Path, source: Path | None, *, preset: str | None = None) -> str:
    """Return the text of a study file at *file* for what is found at *source*.

    Parameters
    ----------
    file
        *file* is where it will stand; its name is also the study's.
    source
        *source* is a folder, a table or tar shards; None: OpenMoji, or the example source of *preset*.
    preset
        *preset* is the name of a published study, of which everything but the source is taken.

    Raises
    ------
    ConfigError
        When there is no such preset.
    SourceError
        When there is nothing at *source* that a source of Counterpoint reads.

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
