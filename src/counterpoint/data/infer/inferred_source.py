"""What was found at a place: settings of a study file, and what is worth saying of each."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class InferredSource:
    """Settings of the section ``source``, a comment for some of them, and what the other sections need for them."""

    source: dict[str, Any]
    notes: dict[str, str] = field(default_factory=dict)
    """A comment for a setting of the source, by its key."""
    split: str | None = None
    """The folds that the source gives, as a comment has them; None: it gives none."""
    classes: dict[str, int] = field(default_factory=dict)
    """How many rows of the sample each class has, or how many images where these are fewer."""
    is_whole: bool = False
    """Whether the sample is all there is, so that `classes` are whole too."""
    texts: list[str] = field(default_factory=list)
    """Texts of the sample, where no label was found."""
    has_images: bool = True
    """Whether some image path leads to a file."""
    is_labelled: bool = False
    """Whether the source gives labels, from whichever place."""
    warnings: list[str] = field(default_factory=list)
    """What keeps the study from running, or is not to be missed; a line each."""
