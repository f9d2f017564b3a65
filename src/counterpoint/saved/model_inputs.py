"""The inputs that a fitted model reads: encoders and pixels, of itself and of the fits inside it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from counterpoint.contenders import MODELS
from counterpoint.contenders.readings import Reading
from counterpoint.lookup import path_of
from counterpoint.saved.training_reference import SIDE_PX

SMALL_COPY = {"side_px": SIDE_PX, "mode": "rgb"}
"""The pixels by which images are compared where the model reads none."""


class ModelInputs(NamedTuple):
    """The inputs of one model.

    Attributes
    ----------
    readings
        *readings* are the encoders whose vectors it reads, each once.
    pixels
        *pixels* are the settings of the pixels that it reads, or `SMALL_COPY`.
    reads_facts
        *reads_facts* is whether it reads sizes of images, which are measured then.
    """

    readings: tuple[Reading, ...]
    pixels: dict[str, Any]
    reads_facts: bool

    def reading_of(self, modality: str) -> Reading | None:
        """Return the first encoder of a *modality*, or None."""
        return next((each for each in self.readings if each.modality == modality), None)


def inputs_of(model: Any) -> ModelInputs:
    """Return the inputs of the fitted *model*.

    Examples
    --------
    >>> import polars as pl
    >>> from counterpoint.contenders.majority import Majority
    >>> inputs_of(Majority().fit(pl.DataFrame({"text": ["a", "b"]}), ["x", "y"])).readings
    ()
    """
    models = list(_with_inner(model))
    leaves = [each for each in models if not each.state().fits]
    readings = dict.fromkeys(reading for each in leaves for reading in each.encodings_read())
    pixels = next((settings for each in models if (settings := each.pixel_settings())), SMALL_COPY)
    # Paths are compared: the class itself would load the trees of scikit-learn.
    reads_facts = any(path_of(type(each)) == MODELS["metadata"] for each in models)
    return ModelInputs(tuple(readings), dict(pixels), reads_facts)


def _with_inner(model: Any) -> Iterator[Any]:
    yield model
    for inner in model.state().fits.values():
        yield from _with_inner(inner)
