"""Where the rows of a source went, in words."""

import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.safe_text import page_line
from counterpoint.schema import Frame

STAGES = {
    "source": "while they were read",
    "clean": "in cleaning",
    "label": "in labelling",
    "align": "where text and image were joined",
    "group": "in grouping",
    "split": "by the limits of the split",
}
"""The stages of a study, in their order, and the words for the place where a row was dropped."""
FOLDS = {"train": "to train", "validation": "to validate", "test": "to test"}
MOST_REASONS = 3


def rows_in_words(n_in: int, pairs: Frame, dropped: Frame) -> list[str]:
    """Return a sentence on all rows, one for each stage that dropped some, and one on the folds.

    Parameters
    ----------
    n_in
        *n_in* is the number of rows that the source has.
    pairs
        *pairs* are the rows that remained.
    dropped
        *dropped* are the other rows, each with its stage and reason.

    Examples
    --------
    >>> pairs = pl.DataFrame({"fold": ["train", "train", "test"]})
    >>> dropped = pl.DataFrame({"stage": ["clean", "clean"], "reason": ["too short", "too short"]})
    >>> for sentence in rows_in_words(5, pairs, dropped):
    ...     print(sentence)
    Of 5 rows, 3 became pairs and 2 were dropped (40%).
    2 were dropped in cleaning: too short 2.
    Of the pairs, 2 are to train, 1 to test.
    """
    if dropped.is_empty():
        first = f"All {numbers.count(len(pairs))} rows became pairs. No row was dropped."
    else:
        share = numbers.share(len(dropped) / max(1, n_in))
        counts = f"{numbers.count(len(pairs))} became pairs and {numbers.count(len(dropped))}"
        first = f"Of {numbers.count(n_in)} rows, {counts} were dropped ({share})."
    stages = [_stage(stage, dropped.filter(pl.col("stage") == stage)) for stage in STAGES]
    return [first, *filter(None, [*stages, _folds(pairs)])]


def _stage(stage: str, dropped: Frame) -> str:
    if dropped.is_empty():
        return ""
    counted = dropped["reason"].value_counts(name="n").sort("n", "reason", descending=[True, False])
    reasons = [f"{page_line(reason or 'no reason', most=80)} {numbers.count(n)}" for reason, n in counted.iter_rows()]
    others = len(reasons) - MOST_REASONS
    rest = f", and {numbers.count(others)} other reason{'s' if others > 1 else ''}" if others > 0 else ""
    verb = "was" if len(dropped) == 1 else "were"
    where = f"{numbers.count(len(dropped))} {verb} dropped {STAGES[stage]}"
    return f"{where}: {', '.join(reasons[:MOST_REASONS])}{rest}."


def _folds(pairs: Frame) -> str:
    counts = dict(pairs["fold"].drop_nulls().value_counts().iter_rows())
    if not counts:
        return ""
    if counts.keys() <= FOLDS.keys():
        parts = [f"{numbers.count(counts[fold])} {words}" for fold, words in FOLDS.items() if fold in counts]
        return f"Of the pairs, {parts[0].replace(' to ', ' are to ')}{''.join(f', {part}' for part in parts[1:])}."
    sizes = map(numbers.count, sorted({min(counts.values()), max(counts.values())}))
    return f"The pairs are in {len(counts)} folds of {' to '.join(sizes)} pairs. Each fold is the test once."
