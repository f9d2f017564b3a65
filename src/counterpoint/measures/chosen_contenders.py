"""How the two contenders of the primary contrast were chosen, in words.  Does not choose."""

from collections.abc import Mapping
from typing import Any

from counterpoint import number_formats as numbers
from counterpoint.compare.selected import SIDES, is_unanimous
from counterpoint.measures.comparison_tables import Modalities, scores_on_test_rows
from counterpoint.metrics import find_metric
from counterpoint.schema import Frame


def chosen_sentences(primary: Mapping[str, Any], scores: Frame, modalities: Modalities) -> list[str]:
    """Return sentences on the choice of the two contenders, and on others of one modality that are better on test rows.

    Parameters
    ----------
    primary
        *primary* is the primary contrast.
    scores
        *scores* is schema.SCORES.
    modalities
        *modalities* are the modalities that each contender reads.

    Examples
    --------
    >>> import polars as pl
    >>> row = {"part": "test", "metric": "accuracy", "value": 0.5}
    >>> scores = pl.DataFrame([row | {"contender": "svm"}, row | {"contender": "cnn", "value": 0.625}])
    >>> reads = {"svm": ("text",), "cnn": ("image",), "late-fusion": ("text", "image")}
    >>> for sentence in chosen_sentences({"a": "late-fusion", "b": "svm", "metric": "accuracy"}, scores, reads):
    ...     print(sentence)
    On validation rows, late-fusion is the best contender that reads both modalities, and svm the best that reads one.
    On test rows, cnn (0.625) is better than svm and reads one modality too. It was not the best on validation rows.
    """
    better = better_on_test_rows(primary, scores, modalities)
    return [*_choice(primary), *([_better(primary, better)] if better else [])]


def _choice(primary: Mapping[str, Any]) -> list[str]:
    a, b = primary["a"], primary["b"]
    if is_unanimous(primary):
        kinds = f"{a} is the best contender that reads both modalities, and {b} the best that reads one"
        return [f"On validation rows, {kinds}."]
    often = " and ".join(f"{primary[side]} {how_often(primary, side)}" for side in SIDES)
    return [
        f"The contrast is between two choices: the best contender on validation rows that reads both modalities, and "
        f"the best that reads one. These are most often {often}.",
        f"So the difference is not exactly that of the scores of {a} and {b}.",
    ]


def how_often(primary: Mapping[str, Any], side: str) -> str:
    """Return in how many folds and seeds the named contender of a side was chosen.

    Parameters
    ----------
    primary
        *primary* is the primary contrast.
    side
        *side* is "a", which reads two modalities, or "b", which reads one.

    Examples
    --------
    >>> choices = [{"fold": fold, "seed": 0, "a": "cnn", "b": b} for fold, b in [("0", "svm"), ("1", "lstm")]]
    >>> primary = {"a": "cnn", "b": "svm", "choices": choices}
    >>> how_often(primary, "a"), how_often(primary, "b"), how_often({"a": "cnn"}, "a")
    ('(in 2 of 2 folds)', '(in 1 of 2 folds)', '')
    """
    choices = primary.get("choices", [])
    n_folds, n_seeds = (len({choice[key] for choice in choices}) for key in ("fold", "seed"))
    if len(choices) < 2:
        return ""
    unit = "folds" if n_seeds == 1 else "seeds" if n_folds == 1 else f"fits, of {n_folds} folds and {n_seeds} seeds"
    n_chosen = sum(choice[side] == primary[side] for choice in choices)
    return f"(in {n_chosen} of {len(choices)} {unit})"


def better_on_test_rows(primary: Mapping[str, Any], scores: Frame, modalities: Modalities) -> dict[str, float]:
    """Return the test score of each contender of one modality that is better there than the named one, the best first.

    Parameters
    ----------
    primary
        *primary* is the primary contrast.
    scores
        *scores* is schema.SCORES.
    modalities
        *modalities* are the modalities that each contender reads.
    """
    sign = 1 if find_metric(primary["metric"]).higher_is_better else -1
    values = dict(scores_on_test_rows(scores, primary["metric"]).select("contender", "value").iter_rows())
    least = values.get(primary["b"])
    if least is None:
        return {}
    singles = {name: value for name, value in values.items() if len(modalities.get(name, ())) == 1}
    better = {name: value for name, value in singles.items() if value is not None and sign * (value - least) > 0}
    return dict(sorted(better.items(), key=lambda item: -sign * item[1]))


def _better(primary: Mapping[str, Any], better: Mapping[str, float]) -> str:
    names = " and ".join(f"{name} ({numbers.score(value)})" for name, value in better.items())
    are, it, were, read = ("is", "It", "was", "reads") if len(better) == 1 else ("are", "They", "were", "read")
    unlike = "the best" if is_unanimous(primary) else "most often the best"
    start = f"On test rows, {names} {are} better than {primary['b']} and {read} one modality too."
    return f"{start} {it} {were} not {unlike} on validation rows."
