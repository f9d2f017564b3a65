"""Finished runs made of made-up predictions, and small real ones, for the tests of their comparison."""

from pathlib import Path

import numpy as np
import polars as pl

from counterpoint.compare import choose_primary, differences
from counterpoint.compared_runs.lettered_run import LetteredRun
from counterpoint.compared_runs.results_form import Results
from counterpoint.config import Evaluate, StudyConfig
from counterpoint.metrics import scores
from counterpoint.metrics.decision import class_shares
from counterpoint.schema import class_names
from counterpoint.study import Study
from made_predictions import READS, frame_of, predictions, some_proba

SKILLS = {"majority": 0.0, "text-svm": 1.2, "image-cnn": 0.8, "lstm-cnn": 2.0}
REAL = {
    "study": "before",
    "source": {"kind": "generated", "n": 200, "text_signal": 0.8, "image_signal": 0.5, "side_px": 16},
    "contenders": ["majority", "text-svm", "metadata"],
    "fit": {"engine": "inline"},
}


def made_run(
    letter="A", table=None, *, evaluate=None, findings=(), verdict="additive_gain", rows=None, fits=None, config=None,
    trusted=(), classes=None, encoders=(),
):  # fmt: skip
    """Return a run of the predictions in *table*; its results are what a study makes of them."""
    table = predictions(SKILLS) if table is None else table
    rules = Evaluate.read(evaluate or {})
    reads = {name: READS[name] for name in table["contender"].unique(maintain_order=True)}
    primary = choose_primary(table, reads, rules.primary)
    test = table.filter(part="test")
    rows = rows_of(test) if rows is None else rows
    results = {
        "study": "made", "version": "0", "rows": {"in": len(rows), "pairs": len(rows)},
        "classes": classes or class_names(table), "modalities": reads, "primary": primary,
        "scores": scores(test, rules).to_dicts(), "differences": differences(table, rules, primary, reads).to_dicts(),
        "findings": list(findings), "config": "", "encoders": list(encoders),
        "answer": {"verdict": verdict, "headline": f"A headline of {letter}."},
    }  # fmt: skip
    settings = {"study": letter, "evaluate": rules.model_dump(mode="json")} | (config or {})
    return LetteredRun(
        letter, Path("runs") / letter, Results.model_validate(results), settings, fits or {}, rows, test,
        class_shares(table), trusted,
    )  # fmt: skip


def other_fits(seed=1, *, n=60, skills=SKILLS, seeds=(0,), folds=0):
    """Return predictions of other fits for the rows of `predictions`."""
    rng = np.random.default_rng(seed)
    codes = np.resize(np.arange(2), n)
    fold = [str(place * folds // n) for place in range(n)] if folds else "test"
    return pl.concat(
        frame_of(codes, some_proba(rng, codes, 2, skill=skill), contender=name, seed=each, part=part, fold=fold)
        for part in ("validation", "test") for name, skill in skills.items() for each in seeds
    )  # fmt: skip


def rows_of(test):
    """Return the pairs of test rows, each with a text and an image of its own."""
    first = test.unique("id", maintain_order=True)
    same = {"text": pl.format("text of {}", "id"), "sha256": pl.format("image of {}", "id")}
    return first.select("id", "label", "group", "fold", **same)


def finding(code, severity, subject="pairs"):
    return {"code": code, "severity": severity, "subject": subject, "explanation": f"{code} is {severity}."}


def real_run(runs, name, **changes):
    """Return the run folder of a small study, which is run here."""
    study = Study(StudyConfig.read(REAL | {"study": name} | changes), runs=runs)
    study.report()
    return study.root
