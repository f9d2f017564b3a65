"""Rates of right, open and wrong answers, and of false Yes, by truth and number of pairs, and their bars."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

from independent.claims import Claim, claim_of
from independent.studies import BALANCED, FAST_PART, FOLDED, METRICS_TRUTH, SLOW, outcomes
from independent.truths import SCORED, SIZES, TRUTHS
from injection.answers import clashes, contradictions
from injection.rates import MET, rate_text, share_of

FALSE_YES_BAR, WRONG_BAR = 0.02, 0.05
"""Maximum shares: of a false Yes in all draws, and of a wrong answer at every number of pairs."""
RIGHT_BARS = {600: 0.60, 2000: 0.80}
"""Minimum share of right answers by number of pairs."""
AGREE_BAR, N_AGREE = 0.95, 100
"""Minimum share of studies whose answers by four metrics do not contradict each other, and their number."""
N_EACH = 20
"""The number of studies of each truth and size.  Bars are judged from so many studies of each truth, over its sizes."""
RATES = ("false_yes", "wrong", "right", "open")
PARTS = {FAST_PART: "fast", SLOW: "slow", FOLDED: "folds"}
"""The parts by the strength of their items."""
Result = Mapping[str, Any]


def summary(results: Iterable[Result]) -> dict[str, Any]:
    """Return the rates of the stored draws of each part."""
    parts: dict[str, list[Result]] = {name: [] for name in PARTS.values()}
    for result in results:
        parts[PARTS[result["strength"]]].append(result)
    return {name: _of_part(part) for name, part in parts.items() if part}


def _of_part(results: Sequence[Result]) -> dict[str, Any]:
    made = [result for result in results if "error" not in result]
    errors = [f"{r['kind']} {r['n']} {r['seed']}: {r['error']}" for r in results if "error" in r]
    judged = [_row(result) for result in made]
    by_size = {n: [row for row in judged if row["n"] == n] for n in SIZES}
    found = {
        "n": len(results),
        "errors": errors,
        "core_s": round(sum(result["took_s"] for result in results)),
        "pooled": rates(judged),
        "by_size": {str(n): rates(rows) for n, rows in by_size.items() if rows},
        "by_truth": {
            truth: {
                "pooled": rates([row for row in judged if row["truth"] == truth]),
                **{str(n): rates([row for row in rows if row["truth"] == truth]) for n, rows in by_size.items()},
            }
            for truth in TRUTHS
            if any(row["truth"] == truth for row in judged)
        },
        "wrong": [row for row in judged if row["outcome"] == "wrong"],
        "metrics": of_metrics([result for result in made if result["kind"] == METRICS_TRUTH]),
    }
    return {**found, "meets": _bars(found)}


def _row(result: Result) -> dict[str, Any]:
    """Return the outcome of the answer of *result* by balanced accuracy, with its place and its claims."""
    outcome, refuted = outcomes(result)[BALANCED]
    answer = result["answers"][BALANCED]
    return {
        "truth": result["kind"], "n": result["n"], "seed": result["seed"], "pictures": result["pairs"],
        "verdict": answer["verdict"], "outcome": outcome, "refuted": refuted, "fresh": answer["fresh"],
        "headline": answer["headline"],
    }  # fmt: skip


def rates(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the share of each of `RATES` with Wilson's interval, and the verdicts, or None without rows.

    >>> found = rates([{"outcome": "wrong", "refuted": ["false_yes"], "verdict": "additive_gain"}])
    >>> found["false_yes"]["k"], found["right"]["k"], found["verdicts"]
    (1, 0, {'additive_gain': 1})
    """
    if not rows:
        return None
    counts = Counter(row["outcome"] for row in rows) | Counter(false_yes=sum("false_yes" in r["refuted"] for r in rows))
    return {
        **{name: share_of(counts[name], len(rows)) for name in RATES},
        "verdicts": dict(Counter(row["verdict"] for row in rows).most_common()),
    }


def of_metrics(results: Sequence[Result]) -> dict[str, Any] | None:
    """Return the rates by primary metric, and the studies whose answers do not contradict each other, or None.

    "claims" compares the claims of the answers, "verdicts" their codes, and "headlines" both and open headlines.
    """
    if not results:
        return None
    answers = [result["answers"] for result in results]
    judged = [outcomes(result) for result in results]
    by_metric = {
        metric: rates([
            {"outcome": found[metric][0], "refuted": found[metric][1], "verdict": answer[metric]["verdict"]}
            for found, answer in zip(judged, answers, strict=True)
        ])
        for metric in SCORED
    }  # fmt: skip
    against = {"claims": claims_contradict, "verdicts": contradictions, "headlines": clashes}
    found: dict[str, Any] = {"n": len(results), "by_metric": by_metric}
    for name, pairs_of in against.items():
        pairs = {str(r["seed"]) + f" {r['n']}": pairs_of(own) for r, own in zip(results, answers, strict=True)}
        listed = {seed: each for seed, each in pairs.items() if each}
        found[name] = {"without": share_of(len(results) - len(listed), len(results)), "seeds": listed}
    return found


def claims_contradict(answers: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the pairs of metrics whose answers claim what cannot both be true.

    >>> claims_contradict({
    ...     "accuracy": {"verdict": "text_only", "headline": "No gain"},
    ...     "roc_auc": {"verdict": "cannot_tell", "headline": "Yes, reading both helps"},
    ... })
    [('accuracy', 'roc_auc')]
    """
    claims = {metric: claim_of(answer) for metric, answer in answers.items()}
    return [(a, b) for a, b in combinations(claims, 2) if _contradict(claims[a], claims[b])]


def _contradict(one: Claim, other: Claim) -> bool:
    gains = {one.gain, other.gain}
    if "yes" in gains and gains & {"no", "worse"}:
        return True
    asserted = ({getattr(one, name), getattr(other, name)} for name in ("text", "image", "both", "joint"))
    return any(both == {"yes", "no"} for both in asserted)


def _bars(found: Mapping[str, Any]) -> dict[str, bool | None]:
    """Return whether each bar is met, or None with too few draws."""
    sizes = found["by_size"]
    per_truth = [own["pooled"]["right"]["n"] for own in found["by_truth"].values()]
    is_enough = bool(per_truth) and len(found["by_truth"]) == len(TRUTHS) and min(per_truth) >= N_EACH
    met: dict[str, bool] = {
        "false_yes": bool(found["pooled"]) and found["pooled"]["false_yes"]["share"] <= FALSE_YES_BAR,
        "wrong": all(own["wrong"]["share"] <= WRONG_BAR for own in sizes.values()),
        **{
            f"right_{n}": str(n) in sizes and sizes[str(n)]["right"]["share"] >= bar for n, bar in RIGHT_BARS.items()
        },
    }  # fmt: skip
    bars: dict[str, bool | None] = {name: value if is_enough else None for name, value in met.items()}
    agreed = found["metrics"]
    is_counted = agreed is not None and agreed["n"] >= N_AGREE
    bars["agreement"] = agreed["claims"]["without"]["share"] >= AGREE_BAR if is_counted else None
    return bars


def lines(summed: Mapping[str, Any]) -> Iterable[str]:
    """Yield the rates as text: pooled, by number of pairs, by truth, by metric, and the wrong answers."""
    for part, found in summed.items():
        yield f"{part} part: {found['n']} studies, {found['core_s'] / 60:.1f} minutes of one core"
        yield from found["errors"]
        rows = {"all": found["pooled"], **{f"{n} pairs": own for n, own in found["by_size"].items()}}
        for truth, own in found["by_truth"].items():
            rows |= {f"{truth} {n}" if n != "pooled" else truth: each for n, each in own.items() if each}
        yield from (f"{name:<22}{_line(own)}" for name, own in rows.items() if own)
        yield from _lines_of_metrics(found["metrics"])
        for row in found["wrong"]:
            yield f"wrong: {row['truth']} {row['n']} {row['seed']} {row['verdict']}: {', '.join(row['refuted'])}"
            yield f"    {row['headline']}"
        yield "bars: " + ", ".join(f"{bar} {MET[met]}" for bar, met in found["meets"].items())


def _line(own: Mapping[str, Any]) -> str:
    counts = "  ".join(f"{name.replace('_', ' ')} {own[name]['k']:>3}" for name in RATES)
    wrong, right = (f"{name} {rate_text(own[name])}" for name in ("wrong", "right"))
    return f"{counts}   {wrong}   {right}"


def _lines_of_metrics(found: Mapping[str, Any] | None) -> Iterable[str]:
    if found is None:
        return
    for metric, own in found["by_metric"].items():
        yield f"by {metric:<19}{_line(own)}"
    for name in ("claims", "verdicts", "headlines"):
        yield f"without a contradiction of {name}: {rate_text(found[name]['without'])}"
        for seed, pairs in found[name]["seeds"].items():
            yield f"    {seed}: {', '.join(' and '.join(pair) for pair in pairs)}"
