"""The columns of every table that passes from one stage to the next."""

from collections.abc import Mapping
from typing import Any, NewType

import polars as pl

Frame = pl.DataFrame
Dropped = NewType("Dropped", pl.DataFrame)
Columns = Mapping[str, Any]

RECORDS: Columns = {
    "id": pl.String,
    "row": pl.Int64,
    "text": pl.String,
    "image": pl.String,
    "source": pl.String,
}
"""The records of every source.  They may also have label, group, fold, url, host, text_id, image_id and metadata."""

DROPPED: Columns = {
    "row": pl.Int64,
    "id": pl.String,
    "source": pl.String,
    "stage": pl.String,
    "reason": pl.String,
    "label": pl.String,
    "host": pl.String,
}
"""Every row that left, once.  The column ``row`` of Pairs and of Dropped together has each input row exactly once."""

PAIRS: Columns = {
    "id": pl.String,
    "row": pl.Int64,
    "text": pl.String,
    "image": pl.String,
    "label": pl.String,
    "label_source": pl.String,
    "group": pl.String,
    "fold": pl.String,
}
"""``fold`` is "train", "validation", "test" of a hold-out, or "0", "1" … of a k-fold.  Missing data are null."""

PREDICTIONS: Columns = {
    "id": pl.String,
    "contender": pl.String,
    "seed": pl.Int64,
    "fold": pl.String,
    "part": pl.String,
    "group": pl.String,
    "label": pl.String,
}
"""The table from which all scores are computed.  It also has one ``p_<class>`` column a class, sorted by class name.

``fold`` is the test fold of the fit ("0" … of a k-fold, "test" of a hold-out).  ``part`` is the part of the row in that
fit: "train", "validation" or "test".
"""

PARTS = ("train", "validation", "test")
"""The parts of the rows of a fit, and the folds of a hold-out."""

HISTORY: Columns = {
    "contender": pl.String,
    "seed": pl.Int64,
    "fold": pl.String,
    "epoch": pl.Int64,
    "branch": pl.String,
    "train_loss": pl.Float64,
    "valid_loss": pl.Float64,
    "scaled_loss": pl.Float64,
    "train_score": pl.Float64,
    "valid_score": pl.Float64,
    "gradient_norm": pl.Float64,
    "is_kept": pl.Boolean,
}
"""One row for each epoch.  Scores are accuracies.  ``branch`` is "joint" if the whole network is trained at once.

Losses are log losses of rows without weights.  ``train_loss`` and ``valid_loss`` are of the class shares of training.
``scaled_loss`` is the validation loss after the scaling that the epoch would get.  Early stopping watches it, where a
contender scales.  ``is_kept`` marks the epoch whose weights the fit keeps.
"""

COSTS: Columns = {
    "contender": pl.String,
    "seed": pl.Int64,
    "fold": pl.String,
    "trials": pl.Int64,
    "epochs": pl.Int64,
    "parameters": pl.Int64,
    "fit_s": pl.Float64,
    "predict_s": pl.Float64,
    "encode_s": pl.Float64,  # of all predicted pairs by the encoders that are read, null where it is not known
}

SCORES: Columns = {
    "contender": pl.String,
    "part": pl.String,
    "metric": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "n": pl.Int64,
    "seeds": pl.Int64,
}
"""``part`` is "train", "validation", "test", or "oof": the test rows of all folds of a k-fold together."""
TEST_PARTS = ("test", "oof")
"""The parts whose scores are test scores: the test part, and the test rows of all folds together."""

DIFFERENCES: Columns = {
    "a": pl.String,
    "b": pl.String,
    "metric": pl.String,
    "difference": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "error": pl.Float64,
    "df": pl.Float64,
    "p": pl.Float64,
    "p_holm": pl.Float64,
    "minimum_detectable": pl.Float64,
    "is_primary": pl.Boolean,
}
"""``difference`` is the score of *a* minus that of *b* on the same test rows.  ``error`` is its standard error, with
``df`` degrees of freedom: the interval, ``p`` and ``minimum_detectable`` follow from them by Student's t.

``is_primary`` marks the primary contrast: in each fold and seed, of the two contenders that were chosen there.  *a* and
*b* are then the contenders that were chosen most often.  Where the choices differ, that pair has a row of its own too.
With repeats, the primary contrast is that of `REPEATED`.
"""

REPEATS: Columns = {
    "repeat": pl.Int64,
    "fold": pl.String,
    "seed": pl.Int64,
    "a": pl.String,
    "b": pl.String,
    "difference": pl.Float64,
}
"""The primary contrast on the test rows of each fold of each repeat, by seed.  Repeat 0 is the study itself.  *a* and
*b* are the contenders that were chosen there."""

REPEATED: Columns = {
    "difference": pl.Float64,
    "error": pl.Float64,
    "df": pl.Float64,
    "error_from_rows": pl.Float64,
    "error_from_fits": pl.Float64,
}
"""The primary contrast over the test rows of all repeats.  ``error`` is its standard error, with ``df`` degrees
of freedom.  Its square is the sum of the last two squares.  More pairs make the first of them smaller, and more repeats
the second."""

SIZES: Columns = {
    "contender": pl.String,
    "share": pl.Float64,
    "draw": pl.Int64,
    "n_train": pl.Int64,
    "metric": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "n": pl.Int64,
    "seeds": pl.Int64,
}
"""The test scores of fits to a share of the training rows.  Parts of one ``draw`` contain each other."""

SIZE_CURVES: Columns = {
    "contender": pl.String,
    "minus": pl.String,
    "times": pl.Float64,
    "n_train": pl.Int64,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "reason": pl.String,
}
"""The expected score with ``times`` as many training rows, or its difference to that of ``minus``.  A row with a
``reason`` has no values: it is about a contender, or about all if ``contender`` is null."""

AGREEMENT: Columns = {
    "id": pl.String,
    "agreement": pl.Float64,
    "standing": pl.Float64,
}
"""One row for each pair whose text and image were encoded.  ``agreement`` is from -1 to 1.  ``standing`` is the share
of other texts that agree less with its image, and of other images that agree less with its text: the mean of both."""

SEGMENTS: Columns = {
    "segment": pl.String,
    "conditions": pl.String,
    "half": pl.String,
    "n_searched": pl.Int64,
    "gain_searched": pl.Float64,
    "n": pl.Int64,
    "groups": pl.Int64,
    "gain": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "rest": pl.Float64,
    "difference": pl.Float64,
    "error": pl.Float64,
    "df": pl.Float64,
    "p": pl.Float64,
    "p_holm": pl.Float64,
    "is_confirmed": pl.Boolean,
    "twin": pl.String,
}
"""One row for each segment that was tested.  ``segment`` is its description, and ``conditions`` the same as JSON.

``gain`` is the primary contrast on the test rows of the segment, with its interval ``low`` to ``high``.  ``rest`` is
that on all other test rows.  ``difference`` is *gain* minus *rest*, with its ``error`` and ``df``.  ``p`` is one-sided,
in the direction of the search, and ``p_holm`` is corrected for all segments that were tested.  ``n_searched`` and
``gain_searched`` belong to the validation rows that found it.  ``half`` is "all rows", or the half of the groups that
found it.  ``twin`` is a segment from the other half with nearly the same rows."""

CLUSTERS: Columns = {"id": pl.String, "text_cluster": pl.String, "image_cluster": pl.String}
"""The cluster of the text and of the image of each pair, by the words that name it.  Null where it has none."""
SEGMENT_SEARCHES: Columns = {
    "half": pl.String,
    "n_search": pl.Int64,
    "n_test": pl.Int64,
    "n_facts": pl.Int64,
    "n_words": pl.Int64,
    "n_segments": pl.Int64,
    "reason": pl.String,
}
"""One row for each search of segments.  ``reason`` is null, or the reason why nothing was searched."""
MAP: Columns = {
    "id": pl.String,
    "x": pl.Float64,
    "y": pl.Float64,
    "basis": pl.String,
}
"""The place of each test pair on the map, or of a sample of them.  *x* and *y* are from 0 to 1.  ``basis`` is the
method, and the vectors of which the places are made."""

FINDINGS: Columns = {
    "code": pl.String,
    "severity": pl.String,
    "subject": pl.String,
    "explanation": pl.String,
    "evidence": pl.String,
}
"""``severity`` is one of `SEVERITY_NAMES`.  ``evidence`` is a JSON object."""
SEVERITY_NAMES = ("info", "warn", "fail", "not_applicable")
ALARMS = ("warn", "fail")
"""The severities of a finding that calls a result into doubt."""
NOTE = "CP000"
"""The code of a note by a source or by its split. No check makes it."""
