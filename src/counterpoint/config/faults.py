"""The faults of a study file, which are planted on purpose."""

from typing import Annotated, Literal

from pydantic import Field

from counterpoint.settings import Positive, Section, Seed


class Fault(Section):
    """A fault that is planted on purpose to see its effect.  The page of such a study reports it."""

    kind: Literal[
        "shuffle_texts", "shuffle_images", "shuffle_labels", "shuffle_pairs", "shift_texts", "shift_images",
        "shift_labels", "drop_labels", "sort_labels", "swap_labels", "flip_labels", "resplit",
    ]  # fmt: skip
    """``shuffle_texts``, ``shuffle_images`` and ``shuffle_labels`` permute one column, and ``shuffle_pairs`` permutes
    texts and images together.  ``shift_texts``, ``shift_images`` and ``shift_labels`` take the cell of a later row.
    ``drop_labels`` takes the label of an earlier row, as without a new index after a drop: as many rows earlier as rows
    were dropped before.  ``sort_labels`` sorts the labels, ``swap_labels`` gives each row the next class, and
    ``flip_labels`` gives it another class.  ``resplit`` draws texts, images and labels from all rows, each with its own
    seed."""
    part: Literal["train", "validation", "test", "all"] = "all"
    """Part of a hold-out whose rows get the fault, or all rows."""
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the rows in this part."""
    by: Positive = 1
    """Distance in rows of a shift, or the number of rows that ``drop_labels`` drops."""
    seed: Seed = 0
    """Seed of the fault."""
