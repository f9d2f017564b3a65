"""The best accuracy that is possible on generated pairs."""

from itertools import product

import numpy as np

from counterpoint.data.recipe import Recipe


def ceilings(recipe: Recipe) -> dict[str, float]:
    """Return the Bayes accuracy of the text, of the image, and of both: the best that any model can reach.

    It is over all rows.  A missing modality carries no signal.
    """
    flips = np.full((recipe.classes, recipe.classes), recipe.label_noise / (recipe.classes - 1))
    np.fill_diagonal(flips, 1 - recipe.label_noise)
    informed, guessed = float(recipe.prior @ flips.max(axis=1)), float((recipe.prior @ flips).max())

    def accuracy(has_text: float, has_image: float) -> float:
        without = _without_signal(recipe, has_text, has_image)
        return without * guessed + (1 - without) * informed

    has_text, has_image = 1 - recipe.missing_text, (1 - recipe.missing_image) * (1 - recipe.bad_images)
    return {"text": accuracy(has_text, 0), "image": accuracy(0, has_image), "both": accuracy(has_text, has_image)}


def _without_signal(recipe: Recipe, has_text: float, has_image: float) -> float:
    """Return the chance that a row has no signal, given the chances that its text and its image are present."""
    without = 0.0
    for text, image in product((0, 1), repeat=2):
        chance = (has_text if text else 1 - has_text) * (has_image if image else 1 - has_image)
        alone = (1 - recipe.text_signal * text) * (1 - recipe.image_signal * image)
        shared = (1 - recipe.redundant_signal * max(text, image)) * (1 - recipe.joint_signal * text * image)
        without += chance * alone * shared
    return without
