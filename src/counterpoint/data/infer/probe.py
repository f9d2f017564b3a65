"""The source with the settings that were found, opened once: what it really gives decides."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from counterpoint.data.infer.found import Found
from counterpoint.data.sources import open_source


def probed(found: Found) -> Found:
    """Return *found* after a look at the first rows that its source reads.

    Raises
    ------
    SourceError
        When the source cannot be read with these settings.
    """
    if not found.has_images:
        return found
    with TemporaryDirectory() as work:
        records, dropped = next(open_source(_plain(found.source)).read(Path(work)))
    if "fold" not in records.columns or records["fold"].null_count() == len(records):
        found.split = None
    if not found.is_labelled:
        found.texts = records["text"].drop_nulls().to_list()
    if len(records) and records["text"].null_count() == len(records):
        found.warnings.append("No row that was looked at has a text.")
    if len(dropped) > len(records):
        worst = dropped["reason"].value_counts(sort=True).row(0)
        found.warnings.append(f"{worst[1]:,} of {len(records) + len(dropped):,} rows cannot be read: {worst[0]}.")
    return found


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _plain(value) if isinstance(value, Mapping) else value for key, value in settings.items()}
