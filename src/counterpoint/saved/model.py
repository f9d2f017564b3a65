"""A saved model in memory: its predictions of new pairs, with a flag for each reason to doubt one of them."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors import numpy as safetensors

from counterpoint.config import Text
from counterpoint.contenders.images import images_of, pixels_of
from counterpoint.contenders.inputs import as_pairs, with_masks
from counterpoint.contenders.kept.files import load as load_fit
from counterpoint.contenders.vectors import Vectors
from counterpoint.encoders.pooling import unit
from counterpoint.errors import SavedModelError, first_line
from counterpoint.features.decode import Limits
from counterpoint.features.hashes import inspect_images
from counterpoint.features.pixels import Pixels
from counterpoint.files import read_bytes
from counterpoint.metrics import decide
from counterpoint.metrics.table import can_import
from counterpoint.rules import check_pattern, pattern
from counterpoint.saved.model_inputs import inputs_of
from counterpoint.saved.record import FIT, REFERENCE, read_record
from counterpoint.saved.training_reference import TrainingReference, restored, small_copies
from counterpoint.schema import Frame

MOST_REFERENCE_BYTES = 1 << 28
FLAGS: Mapping[str, Any] = {
    "image_status": pl.String,
    "is_text_missing": pl.Boolean,
    "is_image_missing": pl.Boolean,
    "is_text_unlike": pl.Boolean,
    "is_image_unlike": pl.Boolean,
}
"""The columns of a prediction that are no probabilities.

``image_status`` is "ok", "missing", the reason why the image cannot be read, or null where the model reads no image.  A
modality that is missing is predicted without.  *is_text_unlike* and *is_image_unlike* mark inputs that are unlike the
training rows, and are null where that is not known.
"""


class SavedModel:
    """A saved model.  `open_saved` reads one.

    Parameters
    ----------
    model
        *model* is the fitted contender: a scikit-learn classifier of frames with ``text`` and ``image``.
    record
        *record* is the content of its ``counterpoint.json``.
    reference
        *reference* has its training rows in small.
    encodings
        *encodings* is a folder of stored encodings, or None.
    """

    def __init__(
        self, model: Any, record: Mapping[str, Any], reference: TrainingReference, encodings: Path | None = None
    ) -> None:
        self.model, self.record, self.reference = model, record, reference
        self._encodings = str(encodings) if encodings else None
        self.classes: list[str] = list(record["classes"])
        self._text_rules = Text.model_validate(record["text"])
        self._inputs = inputs_of(model)

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities that the model reads."""
        return tuple(self.record["modalities"])

    def predict(self, X: Any) -> Frame:
        """Return the predictions of the pairs *X*, one row each in their order.

        The columns are ``id`` where *X* has it, ``label``, ``p_<class>`` and those of `FLAGS`.  A text or image column
        that *X* lacks counts as missing in every row.  So do a blank text and an image that cannot be read.  A text of
        masked words alone is empty, as in the study, and not missing.

        Parameters
        ----------
        X
            *X* is a polars, pandas or Arrow frame with ``text``, ``image`` or both.

        Raises
        ------
        SchemaError
            When *X* is no such frame.
        """
        pairs = as_pairs(X)
        lacking = [pl.lit(None, pl.String).alias(name) for name in ("text", "image") if name not in pairs.columns]
        pairs = with_masks(pairs.with_columns(lacking), self._text_rules)
        if self._inputs.reads_facts and "width_px" not in pairs.columns:
            pairs = inspect_images(pairs, Limits())
        with images_of(pairs, is_silent=True):
            proba = self.model.predict_proba(pairs)
            flags = self._flags(pairs)
        codes = decide(proba, metric=self.record["metric"], shares=self.model.class_shares_)
        label = pl.Series("label", np.asarray(self.model.classes_)[codes]).cast(pl.String)
        chances = [pl.Series(f"p_{name}", proba[:, column]) for column, name in enumerate(self.model.classes_)]
        return pairs.select(pl.col("^id$"), label, *chances, *flags)

    def _flags(self, pairs: Frame) -> list[pl.Series]:
        """Return the columns of `FLAGS`."""
        status = self._image_status(pairs)
        has_image = (
            (status == "ok").fill_null(value=False) if "image" in self.modalities else pairs["image"].is_not_null()
        )
        found = {
            "image_status": status,
            "is_text_missing": pairs["text"].is_null(),
            "is_image_missing": ~has_image,
            "is_text_unlike": self._unlike_text(pairs),
            "is_image_unlike": self._unlike_image(pairs, has_image),
        }
        return [found[name].cast(kind).alias(name) for name, kind in FLAGS.items()]

    def _image_status(self, pairs: Frame) -> pl.Series:
        if "image" not in self.modalities:
            return _unknown(pairs)
        refs, is_missing = pairs["image"].to_list(), self.lacks_image(pairs)
        unreadable = {ref for ref, missing in zip(refs, is_missing, strict=True) if missing and ref is not None}
        # In a child process with a time limit, because the bytes may come from a stranger.
        found = inspect_images(pl.DataFrame({"image": sorted(unreadable)}, schema={"image": pl.String}), Limits())
        why = {
            ref: "decode_error" if word == "ok" else word
            for ref, word in found.select("image", "image_status").iter_rows()
        }
        return pl.Series(["missing" if ref is None else why.get(ref, "ok") for ref in refs], dtype=pl.String)

    def lacks_image(self, pairs: Frame) -> NDArray[np.bool_]:
        """Return whether the image of each of *pairs* is missing or cannot be read, shape (n,)."""
        return self._images(pairs).is_missing

    def lacks_vector(self, pairs: Frame) -> NDArray[np.bool_]:
        """Return whether each of *pairs* lacks the vector of its text, shape (n,).  Without an encoder none does."""
        reading = self._inputs.reading_of("text")
        return reading.vectors(pairs, self._encodings).is_missing if reading else np.zeros(len(pairs), dtype=bool)

    def _images(self, pairs: Frame) -> Pixels | Vectors:
        """Return the images as the model reads them: the vectors of its encoder, or pixels."""
        reading = self._inputs.reading_of("image")
        return reading.vectors(pairs, self._encodings) if reading else pixels_of(self._inputs.pixels, pairs, cache=None)

    def image_vectors(self, pairs: Frame) -> NDArray[np.floating]:
        """Return the vectors by which the images of *pairs* are compared with training, shape (n, width)."""
        rows, reading = np.arange(len(pairs)), self._inputs.reading_of("image")
        if reading is not None:
            return unit(reading.vectors(pairs, self._encodings)[rows])
        return small_copies(pixels_of(self._inputs.pixels, pairs, cache=None)[rows])

    def text_vectors(self, pairs: Frame) -> NDArray[np.floating] | None:
        """Return the vectors of the texts of *pairs*, shape (n, width), or None where the model reads no encoder."""
        reading = self._inputs.reading_of("text")
        if reading is None:
            return None
        return unit(reading.vectors(pairs, self._encodings)[np.arange(len(pairs))])

    def _unlike_text(self, pairs: Frame) -> pl.Series:
        reference = self.reference
        if "text" not in self.modalities or reference.characters is None:
            return _unknown(pairs)
        unlike = reference.characters.are_unlike(pairs["text"].fill_null("").to_list())
        vectors = self.text_vectors(pairs) if reference.text is not None else None
        if reference.text is not None and vectors is not None:
            unlike |= reference.text.are_unlike(vectors)
        return pl.Series(unlike) & pairs["text"].is_not_null()

    def _unlike_image(self, pairs: Frame, has_image: pl.Series) -> pl.Series:
        reference = self.reference.image
        if "image" not in self.modalities or reference is None:
            return _unknown(pairs)
        return pl.Series(reference.are_unlike(self.image_vectors(pairs))) & has_image


def _unknown(pairs: Frame) -> pl.Series:
    return pl.repeat(None, len(pairs), eager=True)


def open_saved(folder: Path | str, *, trusted: Collection[str] = ()) -> SavedModel:
    """Return the saved model in *folder*, which may come from a stranger.  Nothing is unpickled.

    Parameters
    ----------
    folder
        *folder* is what `counterpoint save` wrote.
    trusted
        *trusted* are classes, encoders and metrics from outside this package that may be imported.

    Raises
    ------
    SavedModelError
        When *folder* holds no saved model, a file in it was changed, or its metric is not trusted.
    UnreadableFitError
        When its fit cannot be read, or has a class or an encoder that is not trusted.
    ConfigError
        When an encoder is not installed.
    """
    place = Path(folder)
    record = read_record(place)
    model = load_fit(place / FIT, trusted=[path for path in trusted if path != record["metric"]])
    if not can_import(record["metric"], trusted):
        raise SavedModelError(
            f"{place} chooses classes by {record['metric']}, a metric from outside this package. If you trust it, name "
            "it with --trust."
        )
    if list(map(str, model.classes_)) != record["classes"] or set(model.modalities) != set(record["modalities"]):
        raise SavedModelError(f"{place} has a fit of other classes or inputs than its record. Save the model again.")
    try:
        rules = Text.model_validate(record["text"])
        check_pattern(pattern(rules.mask, match=rules.match, ignore_case=rules.ignore_case), where=str(place))
        data = read_bytes(place / REFERENCE, most_bytes=MOST_REFERENCE_BYTES)
        reference = restored(safetensors.load(data))
    except Exception as error:  # for bytes from strangers the libraries may raise any error
        raise SavedModelError(f"{place} cannot be read: {first_line(error)}. Save the model again.") from error
    return SavedModel(model, record, reference)


def load(folder: Path | str, *, trusted: Collection[str] = ()) -> Any:
    """Return the fitted scikit-learn classifier in *folder*, a saved model.

    It predicts frames with ``text`` and ``image`` as it did in its study, and takes each text as it is given.  Null is
    a missing text, and "" is an empty one.  The words that the study masks stay.  `SavedModel.predict`, the commands
    and an export take a blank text as missing, and take masked words out.

    Parameters
    ----------
    folder, trusted
        *folder* and *trusted* are as for `open_saved`.

    Raises
    ------
    SavedModelError
        When *folder* holds no saved model, or a file in it was changed.
    """
    return open_saved(folder, trusted=trusted).model
