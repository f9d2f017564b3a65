"""The section ``evaluate`` of a study file: the metrics, the one that decides, and the intervals."""

import logging
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from counterpoint.errors import did_you_mean
from counterpoint.settings import Section

log = logging.getLogger(__name__)
Share = Annotated[float, Field(gt=0, lt=1)]
MOST_SIZES = 12
DEFAULT_METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "pr_auc", "log_loss", "ece")


class Evaluate(Section):
    """The metrics, the one that decides, and the intervals."""

    metrics: Annotated[tuple[str, ...], Field(min_length=1)] = DEFAULT_METRICS
    """Names that ``counterpoint metrics`` lists."""
    primary: str = "balanced_accuracy"
    """The metric that decides.  It is one of ``metrics``, and more is better."""
    confidence: Share = 0.95
    """Level of the intervals."""
    margin: Annotated[float, Field(gt=0, lt=1)] | None = None
    """The largest difference in ``primary`` that does not matter to you, fixed before a test row is scored.  Without it
    the page has the smallest margin for which "no difference that matters" could be said."""
    repeats: Annotated[int, Field(ge=1, le=1000)] = 1
    """How often the comparison is made, each time with another split and other fits.  The interval of the primary
    contrast then includes the variation from training."""

    sizes: Literal["auto", "none"] | Annotated[tuple[Share, ...], Field(min_length=1, max_length=MOST_SIZES)] = "auto"
    """Shares of the training rows, such as ``[0.125, 0.25, 0.5]``, to which both contenders of the primary contrast are
    fitted too.  The page then shows their scores with more pairs.  ``auto`` does it where it takes little time."""

    @field_validator("sizes", mode="before")
    @classmethod
    def _sizes(cls, given: Any) -> Any:
        """Raise one clear line for a value that is neither a word nor a list of different shares."""
        if isinstance(given, str) and given in ("auto", "none"):
            return given
        is_list = isinstance(given, list | tuple) and 1 <= len(given) <= MOST_SIZES
        if not is_list or not all(isinstance(share, int | float) and 0 < share < 1 for share in given):
            near = did_you_mean(given, ("auto", "none")) if isinstance(given, str) else ""
            rule = (
                f"must be auto, none, or a list of 1 to {MOST_SIZES} shares between 0 and 1, as in [0.125, 0.25, 0.5]"
            )
            raise ValueError(rule + (f".{near}" if "?" in near else ""))
        if len(set(given)) < len(given):
            raise ValueError("has a share twice")
        return tuple(sorted(given))

    @model_validator(mode="before")
    @classmethod
    def _without_draws(cls, given: Any) -> Any:
        """Leave out the draws of earlier versions: intervals need none."""
        unused = sorted({"bootstrap", "seed"} & given.keys()) if isinstance(given, Mapping) else []
        if unused:
            log.warning("evaluate.%s has no effect: intervals are computed without draws", " and ".join(unused))
            return {key: value for key, value in given.items() if key not in unused}
        return given

    @model_validator(mode="after")
    def _primary(self) -> Self:
        if self.primary not in self.metrics:
            raise ValueError(f"primary is {self.primary!r}, which is not in metrics: {', '.join(self.metrics)}")
        return self
