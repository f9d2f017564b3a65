"""The settings that fit tar shards: the JSON field of the label, and of the text when there is no ``.txt``."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from time import monotonic

import polars as pl

from counterpoint.data.infer.columns import label_columns, text_columns, why_no_labels
from counterpoint.data.infer.inferred_source import InferredSource
from counterpoint.data.infer.tables import choose
from counterpoint.errors import SourceError
from counterpoint.formats.tables import json_text
from counterpoint.formats.tars import TarSample, read_tar

N_TARS, N_SAMPLES, LIMIT_S = 10, 20_000, 5.0


def infer_tars(files: Sequence[Path], path: Path) -> InferredSource:
    """Return the settings for tars *files*, which a study reads from *path*.

    Raises
    ------
    SourceError
        When they contain no image.
    """
    some = files[:: max(1, -(-len(files) // N_TARS))]
    samples = [sample for file in some for sample in _samples(file, N_SAMPLES // len(some), LIMIT_S / len(some))]
    if not any(sample.images for sample in samples):
        keys = ", ".join(sample.key for sample in samples[:3]) or "nothing"
        raise SourceError(f"{files[0]} holds no images. Found {keys}. A sample is x.jpg, x.txt and x.json.")
    fields = pl.DataFrame([_fields(sample) for sample in samples], infer_schema_length=None)
    found = InferredSource({"kind": "webdataset", "path": path})
    if not any("txt" in sample.parts for sample in samples):
        text = text_columns(fields)
        if text.first is None:
            found.warnings.append(f"{files[0]} holds no texts: no .txt, and no field of texts in its .json.")
        else:
            choose(found, "text", text)
            fields = fields.drop(text.first)
    label = label_columns(fields)
    if label.first is None:
        found.warnings += why_no_labels(fields)
        return found
    choose(found, "label", label)
    found.is_labelled = True
    counts = fields[label.first].drop_nulls().value_counts(sort=True)
    found.classes = dict(counts.iter_rows())
    found.notes["label"] = "; ".join(filter(None, (f"{len(found.classes)} values", label.others)))
    return found


def _samples(file: Path, n: int, limit_s: float) -> Iterator[TarSample]:
    until = monotonic() + limit_s
    for sample in islice(read_tar(file), n):
        if isinstance(sample, TarSample):
            yield sample
        if monotonic() > until:
            return


def _fields(sample: TarSample) -> dict[str, str | None]:
    """Return the fields of a sample's JSON as strings, without objects."""
    try:
        values = json.loads(sample.parts.get("json", b"{}"))
    except (ValueError, RecursionError):
        values = {}
    given = values if isinstance(values, dict) else {}
    fields = {name: json_text(value) for name, value in given.items() if isinstance(value, str | int | float | list)}
    return fields or {"key": None}
