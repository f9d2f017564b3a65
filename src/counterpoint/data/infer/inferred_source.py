"""The settings of a study file that fit an input, with a comment for each."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class InferredSource:
    """The section ``source`` with comments, and the facts that the other sections need."""

    source: dict[str, Any]
    notes: dict[str, str] = field(default_factory=dict)
    """A comment for a setting of the source, by its key."""
    split: str | None = None
    """The names of the source's folds, as text for a comment, or None without folds."""
    classes: dict[str, int] = field(default_factory=dict)
    """The number of rows of each class in the sample, or of images where these are fewer."""
    is_whole: bool = False
    """Whether the sample is the whole input, so that `classes` counts all rows."""
    texts: list[str] = field(default_factory=list)
    """Texts of the sample, when no label was found."""
    has_images: bool = True
    """Whether at least one image path leads to a file."""
    is_labelled: bool = False
    """Whether the source gives labels, from a column, from folders or from a plan."""
    warnings: list[str] = field(default_factory=list)
    """Problems that stop the study, and other important facts, one line each."""
