"""Compare our contenders with those of pytorch-widedeep on the same rows: `widedeep.py [--install] [--whole]`.

The sets are Flickr8k, Flickr8k with masked words, and OpenMoji in three classes of unequal size.  Each of our
contenders is compared with a model of the same kind, with settings of the documentation of pytorch-widedeep.  Ours have
their default settings.  Of pytorch-widedeep, the better of two candidates is taken, by its log loss on the validation
rows of each fit.  One rule gives the predicted class of both.  The intervals are those of `counterpoint.compare`.

pytorch-widedeep needs an older numpy, so it runs in an environment of its own, which `--install` makes.  The rows, this
environment and the fits are in `--work`, a folder outside the project.  Without arguments few rows and epochs are used,
which measures nothing.  `--whole` makes all fits, resumes where it was stopped, and writes `results/widedeep.json`.
With `--only` and `--kinds` a part is made, whose figures are added to those in this file if the versions are the same.
With `--folds`, both sides are fitted to the first folds only, and their test rows are those of the comparison.
"""

import argparse
import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from counterpoint import Study, __version__
from counterpoint.artifacts import read_json, write_json
from counterpoint.compare import compare
from counterpoint.config import Evaluate, OutsidePredictions, StudyConfig
from counterpoint.config.files import read_keys
from counterpoint.contenders.fit import gather
from counterpoint.contenders.folds import folds_to_test
from counterpoint.data.sources.predictions import read_predictions
from counterpoint.encoders.catalogue import CATALOGUE, INSTALL
from counterpoint.fits import make_fits
from counterpoint.metrics.scores import scores
from counterpoint.schema import TEST_PARTS, Frame
from injection.rates import MET
from injection.sources import FLICKR8K, OPENMOJI, REAL, is_there
from outside.environment import install, python_of
from outside.exported_rows import ENCODERS
from outside.widedeep_predictions import REQUIREMENTS, fits_of, predictions_of

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")
HERE = Path(__file__).parent
RUNS, RESULTS = HERE.parent / "runs", HERE / "results" / "widedeep.json"
WORK = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "counterpoint" / "widedeep"
KINDS = ("text-lstm", "image-cnn", "lstm-cnn", "text-probe", "image-probe", "pair-probe")
"""Our contenders.  Those of the same kind of pytorch-widedeep have a prefix."""
PREFIX = "widedeep-"
METRICS = ("accuracy", "balanced_accuracy")
GROUPS = {
    "people": ("People & Body",),
    "nature": ("Animals & Nature", "Food & Drink"),
    "things": ("Activities", "Objects", "Smileys & Emotion", "Symbols", "Travel & Places"),
}
"""The Unicode groups of each class of OpenMoji."""
MASKED = f"{FLICKR8K}-masked"
SETS = (FLICKR8K, MASKED, OPENMOJI)
SPLIT = {"kind": "kfold", "folds": 5}
QUICK_ROWS, QUICK_EPOCHS = 200, 2
QUICK: Mapping[str, Mapping[str, Any]] = {name: {"epochs": QUICK_EPOCHS} for name in KINDS[:3]}


def configs(*, is_whole: bool, kinds: Sequence[str] = KINDS, workers: int = 2) -> dict[str, StudyConfig]:
    """Return the study of each set that is on this machine, with our contender of each of *kinds*."""
    files = {name: read_keys(HERE.parent / "studies" / f"{name}.yaml") for name in (FLICKR8K, MASKED)}
    files = {name: {**keys, "source": REAL[FLICKR8K]} for name, keys in files.items()} if is_there(FLICKR8K) else {}
    if is_there(OPENMOJI):
        files[OPENMOJI] = {"source": {"kind": "emoji", "groups": GROUPS}, "split": SPLIT}
    whole = {name: _config(name, keys, kinds, workers) for name, keys in files.items()}
    return whole if is_whole else {name: _quick(config) for name, config in whole.items()}


def _config(name: str, keys: Mapping[str, Any], kinds: Sequence[str], workers: int) -> StudyConfig:
    """Return a study of the same rows as the study file with these *keys*."""
    rows = {key: value for key, value in keys.items() if key not in ("evaluate", "page")}
    fit = {"seeds": (0,), "workers": workers}
    return StudyConfig.read({**rows, "study": f"widedeep-{name}", "contenders": list(kinds), "fit": fit})


def _quick(config: StudyConfig) -> StudyConfig:
    """Return a study of few rows and epochs."""
    small = config.model_dump() | {"study": f"{config.study}-quick"}
    small["contenders"] = [{"kind": entry.kind, **QUICK.get(entry.kind, {})} for entry in config.contenders]
    small["split"] |= {"kind": "holdout", "limit": QUICK_ROWS}
    return StudyConfig.read(small)


def our_fits(study: Study, n_folds: int | None) -> Mapping[str, Frame]:
    """Return the predictions and costs of our fits to the first *n_folds* folds (default: all), after making them."""
    if n_folds is None:
        return {"predictions": study.predictions(), "costs": study.costs()}
    folds = folds_to_test(study.pairs())[:n_folds]
    make_fits([task for task in study.fits.missing() if task.fold in folds], study.config.fit)
    return gather([task for task in study.fits.tasks if task.fold in folds])


def compared(study: Study, ours: Mapping[str, Frame], rows: Path, out: Path, where: Path) -> dict[str, Any]:
    """Return the scores of both sides of each kind, their differences, and the costs of their fits.

    Parameters
    ----------
    study, ours
        *study* has our contenders, and *ours* is the result of `our_fits`.
    rows, out
        *rows* and *out* are the folders of `fits_of`.
    where
        *where* is the folder for the tables of pytorch-widedeep.
    """
    kinds = [entry.kind for entry in study.config.contenders]
    theirs = {kind: predictions_of(kind, PREFIX + kind, rows, out, where) for kind in kinds}
    outside = [read_predictions(model, _of_folds(model, study.pairs())) for model, _ in theirs.values()]
    predictions = pl.concat([ours["predictions"], *outside])
    tested = study.pairs().filter(pl.col("fold").is_in(folds_to_test(study.pairs())))
    return {
        "n": len(study.pairs()),
        "n_test": len(tested),
        "n_groups": tested["group"].n_unique(),
        "shares": {label: round(n / len(tested), 4) for label, n in sorted(Counter(tested["label"]).items())},
        "kinds": {
            kind: _of_kind(kind, predictions) | _costs(ours["costs"].filter(contender=kind), chosen)
            for kind, (_, chosen) in theirs.items()
        },
    }


def _of_folds(model: OutsidePredictions, pairs: Frame) -> Frame:
    """Return the pairs of the folds that the table of *model* has."""
    return pairs.filter(pl.col("fold").is_in(pl.read_parquet(model.path)["fold"].unique().implode()))


def _of_kind(kind: str, predictions: Frame) -> dict[str, Any]:
    """Return the scores and the difference in each metric, with the predicted classes that are the best for it.

    They are those of the folds that pytorch-widedeep was fitted to.
    """
    own = predictions.filter(pl.col("contender").is_in([kind, PREFIX + kind]))
    theirs = own.filter(pl.col("contender") == PREFIX + kind)
    own = own.filter(pl.col("fold").is_in(theirs["fold"].unique().implode()))
    return {
        "n_test": theirs["id"].n_unique(),
        "metrics": {metric: _in_metric(kind, own, metric) for metric in METRICS},
    }


def _in_metric(kind: str, predictions: Frame, metric: str) -> dict[str, Any]:
    rules = Evaluate(metrics=(metric,), primary=metric)
    found = scores(predictions, rules).filter(pl.col("part").is_in(TEST_PARTS))
    sides = {"ours": kind, "theirs": PREFIX + kind}
    values = {
        side: _rounded(found.row(by_predicate=pl.col("contender") == name, named=True)) for side, name in sides.items()
    }
    difference = compare(predictions, *sides.values(), metric=metric).row(0, named=True)
    return values | {"difference": _rounded({**difference, "value": difference["difference"]})}


def _rounded(row: Mapping[str, Any]) -> dict[str, float]:
    return {name: round(row[name], 5) for name in ("value", "low", "high")}


def _costs(ours: Frame, chosen: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    seconds = [sum(fit["fit_s"]) for fit in chosen]
    return {
        "chosen": dict(sorted(Counter(fit["candidate"] for fit in chosen).items())),
        "fit_s": {"ours": round(ours["fit_s"].sum(), 1), "theirs": round(sum(seconds), 1)},
        "n_fits": {"ours": len(ours), "theirs": sum(len(fit["fit_s"]) for fit in chosen)},
    }


def is_behind(found: Mapping[str, Any]) -> bool:
    """Return whether the interval of our difference lies below 0 in a metric.

    >>> is_behind({"metrics": {"accuracy": {"difference": {"value": -0.01, "low": -0.02, "high": 0.0}}}})
    False
    """
    return any(metric["difference"]["high"] < 0 for metric in found["metrics"].values())


def summary(sets: Mapping[str, Any], versions: Mapping[str, str], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of the results file: the figures of *sets*, and those *before* that they do not replace.

    Figures of other versions are left out.
    """
    if before and before["versions"] == versions:
        sets = {name: _joined(before["sets"].get(name, {}), sets.get(name, {})) for name in SETS}
        sets = {name: own for name, own in sets.items() if own}
    behind = [
        f"{name}: {kind}" for name, own in sets.items() for kind, found in own["kinds"].items() if is_behind(found)
    ]
    absent = [f"{name}: {kind}" for name in SETS for kind in KINDS if kind not in sets.get(name, {}).get("kinds", {})]
    return {"versions": versions, "sets": sets, "behind": behind, "absent": absent}


def _joined(before: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of one set, in the order of `KINDS`."""
    of_kinds = {**before.get("kinds", {}), **own.get("kinds", {})}
    joined = {**before, **own}
    return joined | {"kinds": {kind: of_kinds[kind] for kind in KINDS if kind in of_kinds}} if joined else {}


def lines(found: Mapping[str, Any]) -> Iterable[str]:
    """Yield the lines for a terminal."""
    for name, own in found["sets"].items():
        shares = ", ".join(f"{label} {share:.0%}" for label, share in own["shares"].items())
        yield f"{name}: {own['n']:,} rows, {own['n_test']:,} of them tested, in {own['n_groups']:,} groups ({shares})"
        for kind, each in own["kinds"].items():
            for metric, values in each["metrics"].items():
                ours, theirs, difference = (values[side] for side in ("ours", "theirs", "difference"))
                interval = f"{difference['value']:+.3f} ({difference['low']:+.3f} to {difference['high']:+.3f})"
                yield f"  {kind:<12}{metric:<18}{ours['value']:.3f}  widedeep {theirs['value']:.3f}  {interval}"
            yield f"  {'':<12}{each['n_test']:,} test rows, seconds of fits {each['fit_s']}, chosen {each['chosen']}"
    if found["absent"]:
        yield f"not measured: {', '.join(found['absent'])}"
    yield f"no contender of ours behind by its interval: {MET[not found['behind']]} {', '.join(found['behind'])}"


def versions_of(python: Path) -> dict[str, str]:
    """Return the versions of the packages that decide the fits of pytorch-widedeep, and our own."""
    names = ["pytorch-widedeep", "torch", "torchvision", "numpy", "pandas", "scikit-learn"]
    ask = f"import importlib.metadata as m, json; print(json.dumps({{name: m.version(name) for name in {names}}}))"
    found: dict[str, str] = json.loads(subprocess.run([python, "-c", ask], check=True, capture_output=True).stdout)
    return {"counterpoint": __version__, **found}


def main() -> None:
    """Make the fits that are missing on both sides, and print their comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--install", action="store_true", help="make the environment of pytorch-widedeep first")
    parser.add_argument("--whole", action="store_true", help="use all rows, for the report")
    parser.add_argument("--only", choices=SETS, help="only this set")
    parser.add_argument("--kinds", choices=KINDS, nargs="+", default=KINDS, help="only these kinds")
    parser.add_argument("--folds", type=int, help="fit both sides to this number of folds (default: all)")
    parser.add_argument("--work", type=Path, default=WORK, help="folder of environment, rows and fits")
    parser.add_argument("--workers", type=int, default=2, help="processes at a time")
    args = parser.parse_args()
    os.environ |= dict.fromkeys(THREADS, "1")
    environment = args.work / "environment"
    if args.install:
        install(environment, REQUIREMENTS)
    python = python_of(environment, REQUIREMENTS)
    missing = [package for name in ENCODERS.values() for package in CATALOGUE[name].missing()]
    if missing:
        print(f"This benchmark needs {', '.join(missing)}: {INSTALL}")
        return
    if python is None:
        print("This benchmark needs pytorch-widedeep in an environment of its own, which --install makes.")
        return
    epochs, sets = None if args.whole else QUICK_EPOCHS, {}
    for name, config in configs(is_whole=args.whole, kinds=args.kinds, workers=args.workers).items():
        if args.only in (None, name):
            print(f"{name}: our fits, then theirs", flush=True)
            study = Study(config, runs=RUNS)
            ours = our_fits(study, args.folds)  # which also encodes the rows
            limits = {"epochs": epochs, "n_folds": args.folds, "workers": args.workers}
            rows, out = fits_of(study, python, args.work, **limits)
            sets[name] = compared(study, ours, rows, out, args.work / "predictions" / out.name)
    found = summary(sets, versions_of(python), read_json(RESULTS) if args.whole and RESULTS.exists() else {})
    print(*lines(found), sep="\n")
    if args.whole:
        write_json(RESULTS, found)


if __name__ == "__main__":
    main()
