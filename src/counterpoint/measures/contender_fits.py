"""One fit of a contender, with the pairs of each part."""

from collections.abc import Callable
from typing import Any, NamedTuple

from counterpoint.schema import Frame


class ContenderFit(NamedTuple):
    """One fit of a contender, and the pairs that it was trained, stopped and tested on."""

    model: Any
    train: Frame
    validation: Frame
    test: Frame


FitOf = Callable[[str], ContenderFit | None]
"""Returns the first fit of a contender by its name.  None where there is no fit, as of an outside model."""
