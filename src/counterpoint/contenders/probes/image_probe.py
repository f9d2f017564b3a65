"""Logistic regression on the vector of the image by a frozen encoder."""

from collections.abc import Collection

from counterpoint.contenders import settings_as_fields
from counterpoint.contenders.probes.embedding_probe import EmbeddingProbe
from counterpoint.contenders.readings import Reading


@settings_as_fields
class ImageProbe(EmbeddingProbe):
    """The image → a frozen encoder → multinomial logistic regression.

    It shows the information that a pretrained model finds in the image (Alain and Bengio 2016).  A missing image has
    logits of its own.

    Examples
    --------
    >>> ImageProbe(encoder="lite0").encodings_read()
    (Reading(encoder='lite0', modality='image', device='auto'),)
    """

    modalities = ("image",)

    encoder: str = "lite0"
    """The encoder of the image: a name of the catalogue, a path, or ``module:Class``."""

    def encodings_read(self, given: Collection[str] = ()) -> tuple[Reading, ...]:
        """Return the encoder of the image."""
        return (Reading(self.encoder, "image", self.device),)
