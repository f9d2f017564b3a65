"""A score divided between two modalities: what each adds, averaged over which is heard first."""

from typing import NamedTuple


class Shares(NamedTuple):
    """What each modality contributes above the prior; the two sum to what both do."""

    text: float
    image: float


def shapley(*, prior: float, text: float, image: float, both: float) -> Shares:
    """Return the Shapley value of each modality from four scores (Shapley 1953; for modalities Hu et al. 2022).

    Parameters
    ----------
    prior
        *prior* is the score of the class frequencies alone.
    text, image, both
        *text*, *image* and *both* are the scores of models that read these.

    Examples
    --------
    >>> shapley(prior=0.5, text=0.9, image=0.7, both=0.9)
    Shares(text=0.3, image=0.1)
    """
    of_text = ((text - prior) + (both - image)) / 2
    of_image = ((image - prior) + (both - text)) / 2
    return Shares(round(of_text, 12), round(of_image, 12))
