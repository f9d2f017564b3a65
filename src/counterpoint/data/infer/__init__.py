"""A commented study file, inferred from what a folder, a table or tar shards hold."""

from pathlib import Path

from counterpoint.data.infer.found import Found
from counterpoint.data.infer.layouts import looked_at
from counterpoint.data.infer.probe import probed
from counterpoint.data.infer.writing import PRESETS, published, source_lines, written

__all__ = ["PRESETS", "Found", "looked_at", "study_file"]


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
        return published(preset, file, source_lines(file, looked_at(source)) if source else None)
    return written(file, probed(looked_at(source)) if source else Found({"kind": "emoji"}, is_labelled=True))
