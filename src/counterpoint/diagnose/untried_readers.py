"""The modalities that no pretrained model has read in a comparison, and the command to try one."""

from collections.abc import Collection

from counterpoint.encoders.catalogue import INSTALL
from counterpoint.measures.comparison_tables import Modalities

PROBES = {"text": "text-probe", "image": "image-probe"}
"""The contender to try, by modality."""


def untried_readers(modalities: Modalities, pretrained: Collection[str]) -> str | None:
    """Return one sentence: the modalities that only models trained from scratch have read, and how to try another.

    Parameters
    ----------
    modalities
        *modalities* are the modalities that each contender reads.
    pretrained
        *pretrained* are the modalities that a pretrained model has read.

    Returns
    -------
    str | None
        None where a pretrained model has read each modality that any contender reads.

    Examples
    --------
    >>> untried_readers({"text-probe": ("text",), "image-cnn": ("image",)}, ["text"])
    "The image was read only by small models trained from scratch: to try a pretrained reader,
    add image-probe to the contenders (it needs pip install 'counterpoint[encoders]')."
    >>> untried_readers({"pair-probe": ("text", "image")}, ["text", "image"]) is None
    True
    """
    read = {modality for reads in modalities.values() for modality in reads}
    untried = [modality for modality in PROBES if modality in read and modality not in pretrained]
    if not untried:
        return None
    verb = "was" if len(untried) == 1 else "were"
    return (
        f"The {' and the '.join(untried)} {verb} read only by small models trained from scratch: to try a pretrained "
        f"reader, add {' and '.join(PROBES[each] for each in untried)} to the contenders (it needs {INSTALL})."
    )
