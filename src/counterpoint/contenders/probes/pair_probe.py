"""Logistic regression on the vectors of text and image, concatenated."""

from collections.abc import Collection

from counterpoint.contenders import settings_as_fields
from counterpoint.contenders.probes.embedding_probe import EmbeddingProbe
from counterpoint.contenders.readings import Reading


@settings_as_fields
class PairProbe(EmbeddingProbe):
    """Text and image → a frozen encoder each → concatenated → multinomial logistic regression.

    Both modalities are learned together, with one regularisation.  The logits are still a term of the text plus a term
    of the image.  A missing text or image has logits of its own.

    Examples
    --------
    >>> [reading.encoder for reading in PairProbe().encodings_read()]
    ['minilm', 'lite0']
    """

    modalities = ("text", "image")

    text_encoder: str = "minilm"
    """The encoder of the text: a name of the catalogue, a path, or ``module:Class``."""
    image_encoder: str = "lite0"
    """The encoder of the image: a name of the catalogue, a path, or ``module:Class``."""

    def encodings_read(self, given: Collection[str] = ()) -> tuple[Reading, ...]:
        """Return the encoders of text and image."""
        return Reading(self.text_encoder, "text", self.device), Reading(self.image_encoder, "image", self.device)
