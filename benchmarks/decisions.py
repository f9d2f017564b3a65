"""Measure whether one decision rule serves all contenders and all metrics: `decisions.py [--whole]`.

Without arguments the benchmark makes one small study of the main scenario, from a development seed, as a test that it
works.  `--whole` makes 100 studies of it, from seeds that no rule was chosen on, and `--only` those of other scenarios.
It keeps each in `results/draws/`, so a later run resumes there.  Then it prints the bars, and writes them into
`results/decisions.json`.

A study has 1,800 pairs of three classes at 60, 30 and 10 %, with soft evidence in text and image: no class is certain.
Contenders of every kind are fitted once.  Their test rows show whether probabilities fit the class shares.  They also
show whether the correction of a network costs log loss, calibration or accuracy.  Then the same fits are judged with
four primary metrics.  No two of these verdicts should contradict each other.
"""

import argparse
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from counterpoint.artifacts import write_json
from counterpoint.config import StudyConfig
from counterpoint.contenders.network import Network
from counterpoint.measures.prediction_arrays import prediction_arrays
from counterpoint.metrics.class_means import balanced_mean
from counterpoint.study import Study
from injection import THREADS
from injection.corrected import contender_records, losses, uncorrected
from injection.decision_bars import N_EACH, lines, summary
from injection.draw import Item, study_of, timed
from injection.work import DEVELOPMENT, kept, work_through

HERE = Path(__file__).parent
RESULTS, KEPT = HERE / "results" / "decisions.json", HERE / "results" / "draws" / "decisions.jsonl"
QUICK = HERE.parent / "runs" / "decisions-quick.jsonl"
REPORTED = 510_000
"""The first seed of reported studies."""
MAIN = "both"
SCENARIOS: Mapping[str, Mapping[str, float]] = {
    MAIN: {"text_strength": 0.35, "image_clarity": 0.4},
    "weak_image": {"text_strength": 0.35, "image_clarity": 0.2},
    "text_only": {"text_strength": 0.35, "image_clarity": 0.0},
}
"""The evidence in text and image.  The bars apply to the first scenario, which was fixed before the reported seeds."""
METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "roc_auc")
N, N_QUICK = 1800, 400
SIDE_PX = 16
CONTENDERS: Mapping[str, Mapping[str, Any]] = {
    "majority": {},
    "keyword-rule": {},
    "metadata": {},
    "text-svm": {},
    "text-lstm": {"embed": 16, "hidden": 8, "epochs": 6, "batch": 64, "lr": 0.02},
    "image-cnn": {"side_px": SIDE_PX, "width": 8, "augment": 0.0, "epochs": 10, "batch": 64, "lr": 0.01},
    "lstm-cnn": {"hidden": 32, "encoder_rate": 0.5, "epochs": 3, "batch": 64, "lr": 0.01},
    "late-fusion": {},
}


def config(item: Item, primary: str) -> StudyConfig:
    """Return the study of *item*, whose ``kind`` is the scenario, with the primary metric *primary*.

    >>> config(Item("both", 1800, 1, 0.0, 7), "roc_auc").evaluate.primary
    'roc_auc'
    """
    return StudyConfig.read({
        "study": "decision",
        "source": {
            "kind": "injection.soft:Soft", "n": item.n, "side_px": SIDE_PX, "seed": item.seed, **SCENARIOS[item.kind],
        },
        "split": {"kind": "holdout", "test_share": 0.3, "validation_share": 0.16, "seed": item.seed},
        "contenders": [{"kind": name, "name": name, **settings} for name, settings in CONTENDERS.items()],
        "fit": {"engine": "inline", "workers": 1, "seeds": [item.seed]},
        "checks": {"encoders": False},
        "evaluate": {"metrics": list(METRICS), "primary": primary},
    })  # fmt: skip


def draw(item: Item, runs: Path) -> dict[str, Any]:
    """Return the figures of each contender of the study of *item*, and its answer under each metric."""
    return timed(item, runs, _measured)


def _measured(item: Item, runs: Path) -> dict[str, Any]:
    studies = {metric: study_of(config(item, metric), runs) for metric in METRICS}
    found = _of_contenders(next(iter(studies.values())))
    for metric, study in studies.items():
        if study.fits.missing():
            raise AssertionError(f"The study of {metric} does not share the fits of the first one.")
    return found | {"answers": {metric: _answer(study) for metric, study in studies.items()}}


def _answer(study: Study) -> dict[str, Any]:
    return {**study.answer()._asdict(), "primary": study.primary()}


def _of_contenders(study: Study) -> dict[str, Any]:
    """Return the class shares, the best possible figures, and the figures of each contender on test rows."""
    rows = prediction_arrays(study.predictions(), list(CONTENDERS))
    pairs, shares = study.pairs().filter(fold="test").sort("id"), rows.shares[0]
    networks = {
        name: model for name, model in study.fits.first_models(list(CONTENDERS)).items() if isinstance(model, Network)
    }
    raw = {name: uncorrected(model, pairs) for name, model in networks.items()}
    ideal = pairs.select("^chance_.*$").to_numpy()
    best = {
        "accuracy": float((ideal.argmax(1) == rows.codes).mean()),
        "balanced_accuracy": balanced_mean((ideal / shares).argmax(1) == rows.codes, rows.codes),
    }
    of_test = np.bincount(rows.codes, minlength=len(shares)) / len(rows.codes)
    return {
        "shares": {"train": shares.round(5).tolist(), "test": of_test.round(5).tolist()},
        "best": best | losses(rows.codes.tolist(), ideal),
        "contenders": contender_records(rows, raw),
    }


def items(*, first_seed: int, each: int, scenarios: tuple[str, ...] = tuple(SCENARIOS), n: int = N) -> list[Item]:
    """Return *each* studies of each scenario, one scenario after another."""
    return [Item(scenario, n, 1, 0.0, first_seed + i) for scenario in scenarios for i in range(each)]


def main() -> None:
    """Make the selected studies that are not stored yet, and print a summary of all studies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--whole", action="store_true", help="make all studies, for the report")
    parser.add_argument("--each", type=int, help="number of studies of each scenario")
    parser.add_argument("--first", type=int, help="the first seed")
    parser.add_argument("--n", type=int, help="number of pairs")
    parser.add_argument("--only", nargs="+", choices=list(SCENARIOS), help="these scenarios, not the main one")
    parser.add_argument("--kept", type=Path, help="the file of stored studies")
    parser.add_argument("--workers", type=int, default=2, help="number of processes")
    parser.add_argument("--summary", action="store_true", help="summarise stored studies, and make none")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    first = args.first if args.first is not None else REPORTED if args.whole else DEVELOPMENT
    path = args.kept or (KEPT if args.whole else QUICK)
    scenarios = tuple(args.only or [MAIN])
    n = args.n or (N if args.whole else N_QUICK)
    listed = items(first_seed=first, each=args.each or (N_EACH if args.whole else 1), scenarios=scenarios, n=n)
    os.environ |= dict.fromkeys(THREADS, "1")  # one study per core, with one thread each
    if not args.summary:
        work_through(listed, path, draw, workers=args.workers)
    summed = summary(kept(path))
    print("\n".join(lines(summed)))
    if path == KEPT:
        write_json(RESULTS, summed)


if __name__ == "__main__":
    main()
