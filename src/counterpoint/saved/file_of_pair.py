"""The prediction of one pair as a file with one row, the same as that of a table with one row."""

from pathlib import Path
from typing import Any

import polars as pl

from counterpoint.saved.model import SavedModel
from counterpoint.saved.new_rows import batch_of
from counterpoint.saved.predicted_batch import predicted
from counterpoint.saved.prediction_file import PredictionFile


def predict_to_row(saved: SavedModel, text: str | None, image: Path | None, out: Path | None = None) -> dict[str, Any]:
    """Return the prediction of one pair by its columns, and write it to *out*.

    Parameters
    ----------
    saved
        *saved* is the model.
    text, image
        *text* and *image* are the pair.  One of them may be None.
    out
        *out* is the file to write, Parquet, CSV or JSON lines, or None.

    Raises
    ------
    ConfigError
        When the ending of *out* is not allowed.
    RunFolderError
        When *out* exists, cannot be written, or is being written by another command.
    """
    values = {"row": [0], "id": ["0"], "text": [text], "image": [image and str(image.absolute())]}
    rows = pl.DataFrame(values, schema={"row": pl.Int64, "id": pl.String, "text": pl.String, "image": pl.String})
    found = predicted(saved, rows)
    if out is not None:
        batch = batch_of(0, rows)
        with PredictionFile.opened(out, batch.stamp) as file:
            file.write(batch, found)
            file.finish([batch.stamp])
    return found.row(0, named=True)
