"""Count how often the interval of a curve of size holds the score at full size: `sizes.py [--whole]`.

A study of vectors is cut to a third of its pairs (`growth.vectors`).  The cut study makes fits to an eighth, a quarter
and a half of its training rows, and expects a score with three times as many pairs.  The true score is that of the same
contender on 10,000 fresh rows, fitted to the training rows of the whole study.  The truths differ in classes, class
shares, values, signals, wrong labels and groups.  Models are linear, trees, or a network, in a hold-out or a k-fold.

Without arguments two small studies are made, from development seeds.  `--whole` makes 40 from reported seeds, and keeps
each in `results/draws/sizes.jsonl`, so a later run resumes there.  It writes `results/sizes.json`.
"""

import argparse
import os
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import growth  # first, because it limits the threads of numpy

import numpy as np  # isort: skip
import polars as pl

from counterpoint.artifacts import key_of, write_json
from counterpoint.config import StudyConfig
from counterpoint.study import Study
from growth.vectors import ReadsBoth, ReadsText
from injection import THREADS
from injection.draw import Item, timed
from injection.rates import share_of
from injection.work import DEVELOPMENT, kept, work_through

assert growth
HERE = Path(__file__).parent
RESULTS, KEPT = HERE / "results" / "sizes.json", HERE / "results" / "draws" / "sizes.jsonl"
QUICK = HERE.parent / "runs" / "sizes-quick.jsonl"
REPORTED, N_STUDIES, N_QUICK = 1_200_000, 40, 2
"""The first seed of reported studies, their number, and that of a quick run."""
BAR = 0.85
N_PAIRS, N_FRESH, TIMES, FOLDS = 900, 10_000, 3, 4
MODELS = ("linear", "trees", "network")
HOLDOUT, KFOLD = 0.0, 1.0
"""The splits, as the strength of an item."""
SHARES: Mapping[float, Mapping[str, float]] = {
    HOLDOUT: {"validation_share": 0.15, "test_share": 0.3},
    KFOLD: {"validation_share": 1 / FOLDS, "test_share": 1 / FOLDS},
}
METRIC = "balanced_accuracy"
READERS = {"text": ReadsText, "both": ReadsBoth}


def config(item: Item, *, is_whole: bool) -> StudyConfig:
    """Return the study of *item* that is cut to a third, or the whole one with fresh test rows.

    Parameters
    ----------
    item
        *item* has the kind of the models, the number of pairs of the cut study, the split and the seed.
    is_whole
        *is_whole* is True for the whole study.

    Examples
    --------
    >>> config(Item("linear", 900, 1, HOLDOUT, 7), is_whole=True).source["n"]
    2700
    """
    shares, n_whole = SHARES[item.strength], TIMES * item.n
    source = {"kind": "growth.vectors:Vectors", "n": item.n, "n_whole": n_whole, "seed": item.seed}
    split: dict[str, Any] = (
        {"kind": "kfold", "folds": FOLDS} if item.strength == KFOLD else {"kind": "holdout", **shares}
    )
    if is_whole:
        source |= {"n": n_whole, "n_fresh": N_FRESH, **shares}
        split = {"kind": "given"}
    return StudyConfig.read({
        "study": f"{'whole' if is_whole else 'cut'}-{key_of(item)}",
        "source": source,
        "split": {**split, "seed": item.seed},
        "contenders": [
            {"kind": f"growth.vectors:{reader.__name__}", "name": name, "model": item.kind}
            for name, reader in READERS.items()
        ],
        "clean": {"max_dropped_share": 0.9},
        "align": {"missing_image": "keep"},
        "group": {"exact": False, "near_images": False, "near_texts": False},
        "fit": {"engine": "inline", "workers": 1, "seeds": [item.seed]},
        "checks": {"encoders": False},
        "evaluate": {"metrics": [METRIC], "primary": METRIC, "sizes": "none" if is_whole else "auto"},
    })  # fmt: skip


def draw(item: Item, runs: Path) -> dict[str, Any]:
    """Return the expected scores and gain of the cut study of *item*, and the true ones."""
    return timed(item, runs, _extrapolated)


def _extrapolated(item: Item, runs: Path) -> dict[str, Any]:
    cut, whole = (Study(config(item, is_whole=is_whole), runs=runs) for is_whole in (False, True))
    scores = whole.scores().filter(part="test", metric=METRIC)
    truth = dict(scores.select("contender", "value").iter_rows())
    curves = cut.made("sizes")["size_curves"]
    reasons = curves.drop_nulls("reason").select("contender", "reason").rows()
    expected = curves.filter(times=float(TIMES)).select("contender", "minus", "value", "low", "high").rows()
    now = curves.filter(pl.col("minus").is_null(), times=1.0).select("contender", "value", "low", "high").rows()
    return {
        "truth": {name: round(value, 5) for name, value in truth.items()},
        "expected": [[*names, *(round(value, 5) for value in values)] for *names, values in _apart(expected)],
        "now": [[name, *(round(value, 5) for value in values)] for name, *values in now],
        "reasons": [list(reason) for reason in reasons],
    }


def _apart(rows: Iterable[tuple[Any, ...]]) -> Iterable[tuple[str, str | None, tuple[float, ...]]]:
    return ((contender, minus, tuple(values)) for contender, minus, *values in rows)


def items(first_seed: int, n: int, *, n_pairs: int = N_PAIRS) -> list[Item]:
    """Return *n* studies, whose models and splits alternate.

    Parameters
    ----------
    first_seed
        *first_seed* is the seed of the first one.
    n, n_pairs
        *n* is the number of studies, and *n_pairs* the number of pairs of a cut study.

    Examples
    --------
    >>> [(item.kind, item.strength) for item in items(0, 4)]
    [('linear', 0.0), ('trees', 0.0), ('network', 0.0), ('linear', 1.0)]
    """
    splits = (HOLDOUT, KFOLD)
    return [Item(MODELS[i % 3], n_pairs, 1, splits[i // 3 % 2], first_seed + i) for i in range(n)]


def summary(results: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the share of intervals that hold the true score, their mean width and error, for scores and for gains."""
    made = [result for result in results if "error" not in result]
    failed = [result["error"] for result in results if "error" in result]
    rows = [row | {"kind": result["kind"]} for result in made for row in outcomes(result)]
    found: dict[str, Any] = {"studies": len(made), "failed": failed}
    groups = {name: [row for row in rows if row["name"] == name] for name in (*READERS, "gain")}
    groups["all scores"] = groups["text"] + groups["both"]
    groups |= {f"{model}, scores": [r for r in groups["all scores"] if r["kind"] == model] for model in MODELS}
    for name, own in groups.items():
        known = [row for row in own if row["expected"] is not None]
        found[name] = _rates(known) | {"without_curve": len(own) - len(known)} if known else {"n": 0}
    return found | {"bar": BAR, "meets": found["all scores"].get("held", {}).get("share", 0.0) >= BAR}


def outcomes(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the true and expected value of both scores and of the gain of a stored *result*."""
    truth, now = result["truth"], {name: values for name, *values in result["now"]}
    expected = {(name, minus): values for name, minus, *values in result["expected"]}
    rows = [
        {"name": name, "truth": truth[name], "expected": expected.get((name, None)), "now": now.get(name)}
        for name in READERS
    ]
    gain = truth["both"] - truth["text"]
    return [*rows, {"name": "gain", "truth": gain, "expected": expected.get(("both", "text")), "now": None}]


def _rates(rows: list[dict[str, Any]]) -> dict[str, Any]:
    truth = np.array([row["truth"] for row in rows])
    value, low, high = np.array([row["expected"] for row in rows]).T
    found = {
        "n": len(rows),
        "held": share_of(int(((low <= truth) & (truth <= high)).sum()), len(rows)),
        "mean_width": round(float((high - low).mean()), 4),
        "bias": round(float((value - truth).mean()), 4),
        "mean_absolute_error": round(float(np.abs(value - truth).mean()), 4),
    }
    if rows[0]["now"] is None:
        return found
    now, now_low, now_high = np.array([row["now"] for row in rows]).T
    as_now = np.abs(now - truth).mean()
    return found | {
        "mean_width_now": round(float((now_high - now_low).mean()), 4),
        "held_by_interval_now": round(float(((now_low <= truth) & (truth <= now_high)).mean()), 4),
        "mean_absolute_error_of_score_now": round(float(as_now), 4),
    }


def lines(found: Mapping[str, Any]) -> Iterable[str]:
    """Yield the rates as lines for a terminal."""
    yield f"{found['studies']} studies, {len(found['failed'])} failed {found['failed'][:1] or ''}"
    for name, own in found.items():
        if isinstance(own, dict) and own.get("n"):
            share = own["held"]
            now = (
                f", now {own['mean_width_now']:.3f}, which holds {own['held_by_interval_now']:.2f}"
                if "mean_width_now" in own
                else ""
            )
            yield (
                f"{name:<16} held {share['share']:.3f} of {own['n']}, mean width {own['mean_width']:.3f}{now}, "
                f"bias {own['bias']:+.4f}, without a curve {own['without_curve']}"
            )
    yield f"all scores ≥ {found['bar']}: {'met' if found['meets'] else 'MISSED'}"


def main() -> None:
    """Make the studies that are not kept yet, and print the rates of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--whole", action="store_true", help="make all studies, for the report")
    parser.add_argument("--first", type=int, help="the first seed")
    parser.add_argument("--n", type=int, help="number of studies")
    parser.add_argument("--workers", type=int, default=2, help="number of processes")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    os.environ |= dict.fromkeys(THREADS, "1")  # one study per core, with one thread each
    first = args.first if args.first is not None else REPORTED if args.whole else DEVELOPMENT
    path = KEPT if args.whole else QUICK
    listed = items(first, args.n or (N_STUDIES if args.whole else N_QUICK))
    work_through(listed, path, draw, workers=args.workers)
    wanted = {item.seed for item in listed}
    found = summary([result for result in kept(path) if result["seed"] in wanted])
    print("\n".join(lines(found)))
    if args.whole:
        write_json(RESULTS, found)


if __name__ == "__main__":
    main()
