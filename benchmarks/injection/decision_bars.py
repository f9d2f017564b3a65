"""The bars of the benchmark of decisions: class shares, corrected networks, decision rules, and verdicts."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from counterpoint.metrics.intervals import t_interval
from counterpoint.metrics.rows import Floats
from injection.answers import all_open, clashes, contradictions
from injection.corrected import MAJORITY, PROPER
from injection.rates import MET, rate_text, share_of

N_EACH = 100
SHARE_BAR = 0.03
"""Maximum distance of a mean predicted probability from the share of its class, as a mean over studies."""
VERDICT_BAR = 0.95
"""Minimum share of studies without a contradiction between verdicts."""

Result = Mapping[str, Any]


def summary(results: Iterable[Result]) -> dict[str, Any]:
    """Return the figures and bars of each scenario of *results*."""
    by_scenario: dict[str, list[Result]] = {}
    for result in results:
        by_scenario.setdefault(result["kind"], []).append(result)
    return {scenario: _of_scenario(own) for scenario, own in by_scenario.items()}


def _of_scenario(results: Sequence[Result]) -> dict[str, Any]:
    made = [result for result in results if "error" not in result]
    errors = sorted({result["error"] for result in results if "error" in result})
    found = {"n": len(results), "errors": errors, "core_s": round(sum(result["took_s"] for result in results))}
    if not made:
        return found
    best = {name: round(float(np.mean([result["best"][name] for result in made])), 4) for name in made[0]["best"]}
    names = list(made[0]["contenders"])
    contenders = {name: _of_contender([_with_shares(result, name) for result in made]) for name in names}
    answers = _of_answers(made)
    is_enough = len(made) >= N_EACH and not errors
    return {**found, "best": best, "contenders": contenders, "answers": answers} | (
        {"meets": {bar: met if is_enough else None for bar, met in _bars(contenders, answers).items()}}
    )


def _with_shares(result: Result, name: str) -> dict[str, Any]:
    return {**result["contenders"][name], "shares": result["shares"]}


def _of_contender(records: Sequence[Result]) -> dict[str, Any]:
    """Return the means of one contender over studies, with their intervals."""
    means = np.array([record["mean"] for record in records])  # (studies, classes)
    found = {
        "from_shares": {
            part: _distance(means - np.array([record["shares"][part] for record in records]))
            for part in ("test", "train")
        },
        **{name: _mean([record[name] for record in records]) for name in ("accuracy", "balanced_accuracy", *PROPER)},
        **{name: _gain([record[name] for record in records]) for name in GAINS},
    }
    if records[0]["before"]:
        found["before"] = {name: _mean([record["before"][name] for record in records]) for name in PROPER}
        change = {name: [record[name] - record["before"][name] for record in records] for name in PROPER}
        found["change"] = {name: _mean(values) for name, values in change.items()}
    return found


GAINS = ("beyond_majority", "beyond_largest", "beyond_before")


def _distance(away: Floats) -> dict[str, float]:
    """Return the largest distance over classes, as a mean over studies and in one study.  *away* is signed."""
    return {
        "mean": round(float(np.abs(away.mean(0)).max()), 5),
        "largest": round(float(np.abs(away).max()), 5),
    }


def _mean(values: Sequence[float]) -> dict[str, float | None]:
    """Return the mean over studies with its interval by Student's t, which needs two studies.

    >>> _mean([0.25]), _mean([0.0, 1.0, 2.0])["low"]
    ({'value': 0.25, 'low': None, 'high': None}, -1.48414)
    """
    mean, low, high = t_interval(np.array(values)) if len(values) > 1 else (values[0], None, None)
    return {
        "value": round(mean, 5),
        "low": None if low is None else round(low, 5),
        "high": None if high is None else round(high, 5),
    }


def _gain(estimates: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Return the mean of a paired gain over studies, and the number of studies whose interval lies below 0."""
    n_below = sum(high < 0 for _, _, high in estimates)
    return {**_mean([value for value, _, _ in estimates]), "n_below": n_below}


def _of_answers(made: Sequence[Result]) -> dict[str, Any]:
    """Return the counts of verdicts by metric, and the studies without contradictions, clashes and positions."""
    answers = [result["answers"] for result in made]
    found = {"contradictions": map(contradictions, answers), "clashes": map(clashes, answers)}
    by_seed = {
        name: {str(result["seed"]): pairs for result, pairs in zip(made, listed, strict=True) if pairs}
        for name, listed in found.items()
    }
    return {
        "verdicts": {metric: dict(Counter(own[metric]["verdict"] for own in answers)) for metric in answers[0]},
        "without_contradiction": share_of(len(made) - len(by_seed["contradictions"]), len(made)),
        "without_clash": share_of(len(made) - len(by_seed["clashes"]), len(made)),
        "all_open": sum(all_open(own.values()) for own in answers),
        "same_contrast": sum(len({(one["primary"]["a"], one["primary"]["b"]) for one in own.values()}) == 1
                             for own in answers),
        **by_seed,
    }  # fmt: skip


def _bars(contenders: Mapping[str, Result], answers: Result) -> dict[str, bool]:
    """Return whether each bar is met.  "No worse" is a mean change of at most 0, "not below" an interval above it."""
    networks = [found["change"] for found in contenders.values() if "change" in found]
    trained = [found for name, found in contenders.items() if name != MAJORITY]
    distances = [part["mean"] for found in contenders.values() for part in found["from_shares"].values()]
    return {
        "shares": max(distances) <= SHARE_BAR,
        **{name: all(change[name]["value"] <= 0 for change in networks) for name in PROPER},
        **{gain: all(_is_not_below(found[gain]) for found in trained) for gain in GAINS},
        "verdicts": answers["without_contradiction"]["share"] >= VERDICT_BAR,
    }


def _is_not_below(gain: Result) -> bool:
    return gain["high"] is None or bool(gain["high"] >= 0)


def lines(summed: Mapping[str, Any]) -> Iterable[str]:
    """Yield the figures of each scenario as text: one line for each contender, then the verdicts, then the bars."""
    for scenario, found in summed.items():
        yield f"{scenario}: {found['n']} studies, {found['core_s'] / 60:.1f} minutes of one core"
        yield from found["errors"]
        if "contenders" not in found:
            continue
        yield "best possible: " + ", ".join(f"{name} {value:.3f}" for name, value in found["best"].items())
        yield HEAD
        yield from (_line(name, own) for name, own in found["contenders"].items())
        yield from _lines_of_answers(found["answers"])
        yield "bars: " + ", ".join(f"{bar} {MET[met]}" for bar, met in found["meets"].items())


HEAD = (
    f"{'contender':<13}{'from share':>11}{'largest':>8}{'log loss':>9}{'before':>8}{'ece':>7}{'before':>8}"
    f"{'acc.':>7}{'beyond majority':>25}{'bal.':>7}{'beyond largest p':>25}{'beyond before':>25}"
)


def _line(name: str, found: Result) -> str:
    parts = found["from_shares"].values()
    nearest = (max(part[column] for part in parts) for column in ("mean", "largest"))
    before = {metric: found["before"][metric]["value"] if "before" in found else None for metric in PROPER}
    losses = [value for metric in PROPER for value in (found[metric]["value"], before[metric])]
    widths = (11, 8, 9, 8, 7, 8)
    numbers = "".join(f"{_short(value):>{width}}" for value, width in zip([*nearest, *losses], widths, strict=True))
    gained = [_gain_text(found[gain]) for gain in GAINS]
    accuracy, balanced = (_short(found[metric]["value"]) for metric in ("accuracy", "balanced_accuracy"))
    return f"{name:<13}{numbers}{accuracy:>7}{gained[0]:>25}{balanced:>7}{gained[1]:>25}{gained[2]:>25}"


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _gain_text(gain: Result) -> str:
    """Return a gain with its interval, and in brackets the number of studies clearly below 0.

    >>> _gain_text({"value": 0.01, "low": -0.02, "high": 0.04, "n_below": 1})
    '+.010 (-.020 +.040) [1]'
    """
    value, *ends = (None if gain[end] is None else f"{gain[end]:+.3f}".replace("0.", ".", 1)
                    for end in ("value", "low", "high"))  # fmt: skip
    interval = "" if None in ends else f" ({' '.join(map(str, ends))})"
    return f"{value}{interval} [{gain['n_below']}]"


def _lines_of_answers(found: Result) -> Iterable[str]:
    for metric, counts in found["verdicts"].items():
        yield f"{metric:<18}" + ", ".join(f"{verdict} {n}" for verdict, n in sorted(counts.items()))
    for name in ("without_contradiction", "without_clash"):
        yield f"{name.replace('_', ' ')}: {rate_text(found[name])}"
    yield f"all verdicts open in {found['all_open']}, one contrast under all metrics in {found['same_contrast']}"
    for seed, pairs in found["clashes"].items():
        kind = "contradiction" if seed in found["contradictions"] else "clash"
        yield f"{seed}: {kind} of {', '.join(' and '.join(pair) for pair in pairs)}"
