"""Logistic regression on the vector of the text by a frozen encoder."""

from collections.abc import Collection

from counterpoint.contenders import settings_as_fields
from counterpoint.contenders.probes.embedding_probe import EmbeddingProbe
from counterpoint.contenders.readings import Reading


@settings_as_fields
class TextProbe(EmbeddingProbe):
    """The text → a frozen encoder → multinomial logistic regression.

    It shows the information that a pretrained model finds in the text (Alain and Bengio 2016).  A missing text has
    logits of its own.

    Examples
    --------
    >>> TextProbe(encoder="minilm").encodings_read()
    (Reading(encoder='minilm', modality='text', device='auto'),)
    """

    modalities = ("text",)

    encoder: str = "minilm"
    """The encoder of the text: a name of the catalogue, a path, or ``module:Class``."""

    def encodings_read(self, given: Collection[str] = ()) -> tuple[Reading, ...]:
        """Return the encoder of the text."""
        return (Reading(self.encoder, "text", self.device),)
