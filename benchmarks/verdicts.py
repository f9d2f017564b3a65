"""Measure the rate of correct answers on studies with a known truth: `verdicts.py [--whole]`.

Without arguments the benchmark makes one small study of each verdict, from a development seed, as a test that it works.
`--whole` makes 40 studies of each verdict, half of 500 pairs and half of 2,000, from seeds that no threshold was chosen
on.  It keeps each in `results/draws/`, so a later run resumes there.  It prints the confusion table and writes
`results/verdicts.json`.  Each modality with a signal reaches .75 to .85 by itself.  Exceptions are a leaking label, and
a class that only both modalities together predict.

`--independent` makes studies of another make instead, and scores the claims of their headlines (`independent.command`).
"""

import argparse
import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from counterpoint.artifacts import read_json, write_json
from counterpoint.config import StudyConfig
from counterpoint.diagnose.verdict_list import VERDICTS
from counterpoint.measures.comparison_tables import scores_on_test_rows
from independent.command import main as independent
from injection import THREADS
from injection.draw import study_of, timed
from injection.rates import MET, rate_text, share_of
from injection.work import DEVELOPMENT, Item, kept, work_through

HERE = Path(__file__).parent
RESULTS, KEPT = HERE / "results" / "verdicts.json", HERE / "results" / "draws" / "verdicts.jsonl"
QUICK = HERE.parent / "runs" / "verdicts-quick.jsonl"
SIZES, N_EACH = (500, 2000), 20
REPORTED = 410_000
"""The first seed of reported studies. Answers from seeds 200,000, 300,000 and 400,000 on were already known."""
RIGHT_BARS, WRONG_BAR = {500: 0.70, 2000: 0.85}, 0.05
"""Minimum share of correct answers by number of pairs, and maximum share of wrong ones. The rest is cannot_tell."""
OUTCOMES = ("right", "wrong", "cannot_tell")
NOTHING_GAINED = ("leak", "redundant", "text_only", "image_only", "no_signal")
"""Truths in which the best reader of both is no better than the best reader of one modality."""
SIDE_PX = 16
SPLITS: Mapping[int, Mapping[str, Any]] = {
    500: {"kind": "kfold", "folds": 4},  # each row is a test row, because there are few
    2000: {"kind": "holdout", "test_share": 0.4, "validation_share": 0.15},
}
IMAGE, TEXT = {"side_px": SIDE_PX, "width": 8, "augment": 0.0}, {"embed": 16, "hidden": 8}
NETWORKS: Mapping[str, Mapping[str, Any]] = {
    "text-svm": {},
    "text-lstm": {**TEXT, "epochs": 4, "batch": 64, "lr": 0.02},
    "image-cnn": {**IMAGE, "epochs": 5, "batch": 64, "lr": 0.02},
    "lstm-cnn": {"hidden": 32, "encoder_rate": 0.5, "epochs": 2, "batch": 64, "lr": 0.01},
    "late-fusion": {},
}
SCRATCH = {
    "start": "scratch", "text": {**TEXT, "word_dropout": 0.0}, "image": IMAGE, "hide": 0.0, "auxiliary": 0.0,
    "dropout": 0.0, "patience": 30, "batch": 64, "lr": 0.01,
}  # fmt: skip
SOFTMAX = {
    "kind": "paper-lstm-cnn", "padding": "post", "side_px": SIDE_PX, "length": 20, "hidden": 16, "epochs": 3,
}  # fmt: skip
BOTH = {"text_signal": 0.6, "image_signal": 0.65}


def contenders(*names: str, **settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return small entries of the majority and *names* (default: all), with *settings* by name, _ for -."""
    above = {name.replace("_", "-"): values for name, values in settings.items()}
    chosen = names or tuple(NETWORKS)
    entries = [{"kind": name, "name": name, **NETWORKS.get(name, {}), **above.get(name, {})} for name in chosen]
    return [{"kind": "majority", "name": "majority"}, *entries]


def _leak(_: Item) -> dict[str, Any]:
    """Put a word of the class into each text, as if the word determined the label or the label the word."""
    named = contenders("keyword-rule", "text-svm", "text-lstm", "image-cnn", "late-fusion")
    return {"source": {"text_signal": 1.0, "image_signal": 0.65}, "contenders": named}


def _misaligned(item: Item) -> dict[str, Any]:
    """Shift the images by one row, or permute half of the texts."""
    if item.seed % 2:
        faults = [{"kind": "shuffle_texts", "share": 0.5, "seed": item.seed}]
        return {"source": {"text_signal": 1.0, "image_signal": 0.65}, "faults": faults, "contenders": contenders()}
    faults = [{"kind": "shift_images"}]
    return {"source": {"redundant_signal": 0.7}, "faults": faults, "contenders": contenders()}


def _training_failed(_: Item) -> dict[str, Any]:
    """Give both modalities a signal, and the one multimodal network softmax in every layer, as in the 2023 study."""
    failed = {"name": "paper-lstm-cnn", **SOFTMAX}
    return {"source": BOTH, "contenders": [*contenders("text-svm", "image-cnn"), failed]}


def _branch_ignored(_: Item) -> dict[str, Any]:
    """Give both modalities a signal, and keep the image branch of the one multimodal network at random weights."""
    frozen = {"kind": "injection.models:FrozenImage"}
    frozen |= {name: value for name, value in NETWORKS["lstm-cnn"].items() if name != "start"}
    named = contenders("text-svm", "text-lstm", "image-cnn")
    return {"source": BOTH, "contenders": [*named, {"name": "lstm-cnn", **frozen}]}


def _with_signals(**signals: float) -> Callable[[Item], dict[str, Any]]:
    return lambda _: {"source": signals, "contenders": contenders()}


def _interaction_gain(item: Item) -> dict[str, Any]:
    """Put the signal into the exclusive or of text and image, and start the joint network from scratch to learn it."""
    joint = {**SCRATCH, "epochs": 12 if item.n > 1000 else 16, "hidden": 64, "encoder_rate": 1.0}
    split = {"kind": "holdout", "test_share": 0.3, "validation_share": 0.2 if item.n < 1000 else 0.15}
    return {"source": {"joint_signal": 0.95}, "split": split, "contenders": contenders(lstm_cnn=joint)}


TRUTHS: Mapping[str, Callable[[Item], dict[str, Any]]] = {
    "leak": _leak,
    "misaligned": _misaligned,
    "training_failed": _training_failed,
    "branch_ignored": _branch_ignored,
    "redundant": _with_signals(redundant_signal=0.65),
    "text_only": _with_signals(text_signal=0.6),
    "image_only": _with_signals(image_signal=0.65),
    "additive_gain": _with_signals(**BOTH),
    "interaction_gain": _interaction_gain,
    "no_signal": _with_signals(text_signal=0.0),
}
"""The own settings of a study of each verdict, without the settings that all share."""


def config(item: Item) -> StudyConfig:
    """Return the study of *item*, whose ``kind`` is the true verdict.

    >>> config(Item("text_only", 500, 1, 0.0, 7)).source["text_signal"]
    0.6
    """
    own = TRUTHS[item.kind](item)
    source = {"kind": "generated", "n": item.n, "side_px": SIDE_PX, "seed": item.seed, **own.pop("source")}
    split = {**SPLITS[item.n], **own.pop("split", {})}
    if split["kind"] == "holdout":
        split.pop("folds", None)
    return StudyConfig.read({
        "study": "verdict",
        "source": source,
        "split": {**split, "seed": item.seed},
        "fit": {"engine": "inline", "workers": 1},
        "checks": {"encoders": False},
        "evaluate": {"metrics": ["accuracy", "balanced_accuracy"]},
        **own,
    })  # fmt: skip


def draw(item: Item, runs: Path) -> dict[str, Any]:
    """Return the answer of the study of *item*, and its scores."""
    return timed(item, runs, _answered)


def _answered(item: Item, runs: Path) -> dict[str, Any]:
    study = study_of(config(item), runs)
    answer = study.answer()._asdict()
    scores = scores_on_test_rows(study.scores(), "balanced_accuracy").select("contender", "value")
    return {**answer, "scores": dict(scores.iter_rows())}


def items(*, first_seed: int, each: int, sizes: Iterable[int] = SIZES) -> list[Item]:
    """Return the studies with alternating verdicts, so an early stop cuts evenly."""
    return [Item(verdict, n, 1, 0.0, first_seed + i) for i in range(each) for n in sizes for verdict in TRUTHS]


def outcome_of(result: Mapping[str, Any]) -> str:
    """Return whether the answer of a study is right, wrong or left open.  A false Yes is wrong whatever its verdict.

    >>> [outcome_of({"kind": "redundant", "verdict": name}) for name in ("redundant", "text_only", "cannot_tell")]
    ['right', 'wrong', 'cannot_tell']
    >>> outcome_of({"kind": "redundant", "verdict": "cannot_tell", "claim": "better"})
    'wrong'
    """
    verdict = result.get("verdict", "error")
    if is_false_yes(result) or verdict not in (result["kind"], "cannot_tell"):
        return "wrong"
    return "right" if verdict == result["kind"] else "cannot_tell"


def is_false_yes(result: Mapping[str, Any]) -> bool:
    """Return whether a headline claims that reading both helps in a study where nothing can be gained from it."""
    return result.get("claim") == "better" and result["kind"] in NOTHING_GAINED


def summary(results: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the confusion table and the shares of right and wrong answers, by number of pairs."""
    found: dict[str, Any] = {}
    results = list(results)
    for n in SIZES:
        of_size = [result for result in results if result["n"] == n]
        if not of_size:
            continue
        table = {truth: Counter(r.get("verdict", "error") for r in of_size if r["kind"] == truth) for truth in TRUTHS}
        counts = Counter(outcome_of(result) for result in of_size)
        shares = {name: share_of(counts[name], len(of_size)) for name in OUTCOMES}
        without = [result for result in of_size if result["kind"] in NOTHING_GAINED]
        if without:
            shares["false_yes"] = share_of(sum(is_false_yes(result) for result in without), len(without))
        met = shares["right"]["share"] >= RIGHT_BARS[n] and shares["wrong"]["share"] <= WRONG_BAR
        is_enough = min(row.total() for row in table.values()) >= N_EACH
        bars = {"right": RIGHT_BARS[n], "wrong": WRONG_BAR}
        found[str(n)] = {
            "n": len(of_size), **shares, "bars": bars, "meets": met if is_enough else None,
            "table": {truth: dict(row) for truth, row in table.items()},
        }  # fmt: skip
    return found


def lines(summed: Mapping[str, Any]) -> Iterable[str]:
    """Yield the confusion tables as text, with a row for each truth and a column for each verdict."""
    for n, found in summed.items():
        shares = ", ".join(
            f"{name.replace('_', ' ')} {rate_text(found[name])}" for name in (*OUTCOMES, "false_yes") if name in found
        )
        yield f"{n} pairs: {shares}: {MET[found['meets']]}"
        columns = [name for name in (*VERDICTS, "error") if any(name in counts for counts in found["table"].values())]
        yield f"{'truth':<18}" + "".join(f"{name[:14]:>16}" for name in columns)
        for truth, counts in found["table"].items():
            yield f"{truth:<18}" + "".join(f"{counts.get(name, 0):>16}" for name in columns)


def main() -> None:
    """Make the selected studies that are not stored yet, and print a summary of all studies."""
    if "--independent" in sys.argv[1:]:
        independent([argument for argument in sys.argv[1:] if argument != "--independent"])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--independent", action="store_true", help="the independent benchmark, with options of its own")
    parser.add_argument("--whole", action="store_true", help="make all studies, for the report")
    parser.add_argument("--each", type=int, help="number of studies of each verdict and size")
    parser.add_argument("--first", type=int, help="the first seed")
    parser.add_argument("--sizes", type=int, nargs="+", choices=SIZES, help="numbers of pairs")
    parser.add_argument("--only", nargs="+", choices=list(TRUTHS), help="only these verdicts")
    parser.add_argument(
        "--budget", type=float, default=float("inf"), metavar="MIN", help="stop after this number of minutes"
    )
    parser.add_argument("--workers", type=int, default=2, help="number of processes")
    parser.add_argument("--summary", action="store_true", help="summarise stored studies, and make none")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    first = args.first if args.first is not None else REPORTED if args.whole else DEVELOPMENT
    path = KEPT if args.whole else QUICK
    each = args.each or (N_EACH if args.whole else 1)
    listed = items(first_seed=first, each=each, sizes=args.sizes or (SIZES if args.whole else SIZES[:1]))
    listed = [item for item in listed if not args.only or item.kind in args.only]
    os.environ |= dict.fromkeys(THREADS, "1")  # one study per core, with one thread each
    if not args.summary:
        work_through(listed, path, draw, budget_s=60 * args.budget, workers=args.workers)
    summed = summary(kept(path))
    print("\n".join(lines(summed)))
    if args.whole:
        before = read_json(RESULTS) or {}
        more = {n: found for n, found in summed.items() if found["n"] >= before.get(n, {"n": 0})["n"]}
        write_json(RESULTS, before | more)  # a size with fewer studies here keeps its earlier result


if __name__ == "__main__":
    main()
