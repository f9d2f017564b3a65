"""One draw of the independent benchmark: a study of a truth, its answer, and whether the answer is true."""

import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from counterpoint.artifacts import key_of
from counterpoint.config import StudyConfig
from counterpoint.contenders import WITHOUT_ENCODERS
from counterpoint.schema import ALARMS
from counterpoint.seeds import child_seed
from counterpoint.study import Study
from independent.claims import claim_of
from independent.fresh import FreshScores, fresh_scores
from independent.judging import Contrast, Known, contrast_of, judged
from independent.pictures import kinds, n_types
from independent.pools import FRESH, Place, encoders_are_installed, pool
from independent.source import fresh
from independent.truths import BITS, SCORED, SIZES, TRUTHS, Codes, best_scores
from injection.draw import Item, timed
from injection.sources import FLICKR8K, ROOT

REPORTED, DEVELOPMENT = 910_000, 0
"""The first seed of reported draws, and of draws for development.  Those from 900,000 on revealed a false verdict."""
WORK = Path(os.environ.get("COUNTERPOINT_INDEPENDENT", ROOT / "runs" / "independent"))
"""The folder of the pools and of their encodings."""
METRICS_TRUTH = "shares_60_30_10"
"""The truth whose studies are judged by every metric, on the same fits."""
BALANCED = "balanced_accuracy"
N_FRESH = 50_000
"""Fresh rows for contenders, in all fits of a study together."""
N_BEST = 100_000
"""Fresh rows for the best possible readers, which are cheap."""
FLICKR_LARGEST = 600
"""The largest study of photos: there are not enough without people for more."""
SPLITS: Mapping[int, Mapping[str, Any]] = {
    150: {"kind": "kfold", "folds": 4},
    600: {"kind": "kfold", "folds": 4},
    2000: {"kind": "holdout", "test_share": 0.4, "validation_share": 0.15},
}
IN_FOLDS: Mapping[str, Any] = {"kind": "kfold", "folds": 4}
"""The split of the part in folds, which tests every pair."""
FAST: Mapping[str, Mapping[str, Any]] = {
    "majority": {},
    "metadata": {},
    "text-svm": {},
    "text-ngrams": {},
    "text-probe": {},
    "image-hog": {"side_px": 32},
    "image-probe": {},
    "pair-probe": {},
    "late-fusion": {"text": ["text-svm", "text-ngrams"], "image": ["image-hog"]},
    "probe-average": {},
    "ensemble": {},
}
"""The contenders of the fast part.  Those that read encoders are left out where these are not installed."""
NETWORKS: Mapping[str, Mapping[str, Any]] = {
    "text-lstm": {"epochs": 6, "embed": 32, "hidden": 32},
    "image-cnn": {"side_px": 32, "epochs": 8, "width": 12},
    "lstm-cnn": {"epochs": 5},
}
"""The networks of the slow part, beside the fast contenders."""
FAST_PART, SLOW, FOLDED = 0.0, 1.0, 2.0
"""The strengths of the items of each part: fast contenders, networks too, and fast contenders `IN_FOLDS`."""


def contenders(*, has_networks: bool = False) -> list[dict[str, Any]]:
    """Return the entries of the contenders.

    >>> len(contenders(has_networks=True)) - len(contenders())
    3
    """
    chosen = {**FAST, **(NETWORKS if has_networks else {})}
    own = {*WITHOUT_ENCODERS, "late-fusion", "ensemble"}
    return [
        {"kind": name, "name": name, **settings}
        for name, settings in chosen.items()
        if name in own or encoders_are_installed()
    ]


def place_of(item: Item, *, folder: Path = WORK, scale: float = 1.0) -> Place:
    """Return the pool of *item*.  Reported draws have another one than those of development."""
    return Place(folder, item.pairs, int(item.seed >= REPORTED), scale)


def config(item: Item, place: Place, *, primary: str = BALANCED) -> StudyConfig:
    """Return the study of *item*, whose ``kind`` is the truth, with pairs from the pool at *place*.

    >>> config(Item("averaging", 600, 1, 0.0, 7, "openmoji"), Place(Path("pool"), "openmoji")).source["truth"]
    'averaging'
    """
    source = {
        "kind": "independent.source:Independent", "truth": item.kind, "n": item.n, "seed": item.seed,
        "folder": str(place.folder.absolute()), "pictures": place.kind, "pool_seed": place.seed, "scale": place.scale,
    }  # fmt: skip
    split = IN_FOLDS if item.strength == FOLDED else SPLITS[min(SPLITS, key=lambda n: abs(n - item.n))]
    return StudyConfig.read({
        "study": "independent",
        "source": source,
        "split": {**split, "seed": item.seed},
        "contenders": contenders(has_networks=item.strength == SLOW),
        "fit": {"engine": "inline", "workers": 1, "seeds": [item.seed]},
        "checks": {"encoders": encoders_are_installed()},
        "evaluate": {"metrics": list(SCORED), "primary": primary},
    })  # fmt: skip


def draw(item: Item, runs: Path) -> dict[str, Any]:
    """Return the answers of the study of *item* by metric, the truth, and the outcomes."""
    return timed(item, runs, answered)


def answered(item: Item, runs: Path, *, place: Place | None = None, n_fresh: int = N_FRESH) -> dict[str, Any]:
    """Return the answers and outcomes of the study of *item*.

    Parameters
    ----------
    item
        *item* names the truth, the number of pairs, the seed and the pictures.
    runs
        *runs* is the folder of the study.
    place
        *place* is the pool (default: that of the benchmark).
    n_fresh
        *n_fresh* is the number of fresh rows for contenders.
    """
    own = place or place_of(item)
    metrics = SCORED if item.kind == METRICS_TRUTH else (BALANCED,)
    studies = {metric: study_of(config(item, own, primary=metric), runs, own) for metric in metrics}
    first = studies[BALANCED]
    first.predictions()  # the other studies share its fits
    answers = {metric: _answer(study) for metric, study in studies.items()}
    found = fresh_of(item, first, own, n_fresh=n_fresh)
    for answer in answers.values():
        contrast = contrast_of(answer["primary"], found)
        answer["primary"] = _without_choices(answer["primary"])
        answer["fresh"] = None if contrast is None else [round(contrast.gain, 5), round(contrast.error, 5)]
    reads = first.modalities()
    return {
        "answers": answers,
        "contenders": {name: [list(reads[name]), *_in_order(own)] for name, own in found.scores.items()},
        "best": {name: [*_in_order(best), round(best[BITS], 5)] for name, best in best_of(item.kind, own).items()},
        "alarms": _alarms(first),
    }


def _without_choices(primary: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the *primary* contrast without the choices of each fit, which a stored draw need not have."""
    return None if primary is None else {name: value for name, value in primary.items() if name != "choices"}


def _in_order(scores: Mapping[str, float]) -> list[float]:
    return [round(scores[metric], 4) for metric in SCORED]


def known_of(result: Mapping[str, Any]) -> Known:
    """Return the truth about the study of a stored *result*."""
    fresh = {name: dict(zip(SCORED, own[1:], strict=True)) for name, own in result["contenders"].items()}
    best = {reader: dict(zip((*SCORED, BITS), own, strict=True)) for reader, own in result["best"].items()}
    reads = {name: tuple(own[0]) for name, own in result["contenders"].items()}
    return Known(TRUTHS[result["kind"]], best, fresh, reads)


def outcomes(result: Mapping[str, Any]) -> dict[str, tuple[str, list[str]]]:
    """Return the outcome and the refuted claims of each answer of a stored *result*, by primary metric.

    They are found anew from the stored answers, so that a change of `claims` needs no study again.
    """
    known = known_of(result)
    return {
        metric: judged(claim_of(answer), known, _stored_contrast(answer, metric, known))
        for metric, answer in result["answers"].items()
    }


def _stored_contrast(answer: Mapping[str, Any], metric: str, known: Known) -> Contrast | None:
    if answer["fresh"] is None:
        return None
    return Contrast(metric, *answer["fresh"], known.fresh[answer["primary"]["a"]][metric])


def encodings_in(folder: Path) -> Path:
    """Return the folder of encodings that all draws with pools in *folder* share."""
    return folder.absolute() / "encodings"


def fresh_of(item: Item, study: Study, place: Place, *, n_fresh: int = N_FRESH) -> FreshScores:
    """Return the scores of the contenders of a *study* of *item* on fresh rows, which its fits share among them."""
    truth = TRUTHS[item.kind]

    def rows_of(number: int, n_fits: int) -> tuple[pl.DataFrame, Codes]:
        rng = np.random.default_rng(child_seed(item.seed, f"fresh {number}"))
        pairs, latents, _ = fresh(truth, n_fresh // n_fits, pool(place, FRESH).part(number, n_fits), rng)
        return _with_sizes(pairs, study.pairs()), latents.codes

    return fresh_scores(study, rows_of)


@cache
def best_of(name: str, place: Place) -> dict[str, dict[str, float]]:
    """Return the scores of the best possible readers of the truth *name*, the same for all draws of a pool."""
    rng = np.random.default_rng(child_seed(place.seed, name))
    _, latents, evidence = fresh(TRUTHS[name], N_BEST, pool(place, FRESH), rng)
    return best_scores(TRUTHS[name], evidence, latents.codes)


def _with_sizes(pairs: pl.DataFrame, like: pl.DataFrame) -> pl.DataFrame:
    """Return fresh *pairs* with the columns of sizes that all pictures of a study share."""
    sizes = [pl.lit(like[name][0]).alias(name) for name in ("width_px", "height_px") if name in like.columns]
    return pairs.with_columns(sizes)


def study_of(settings: StudyConfig, runs: Path, place: Place) -> Study:
    """Return the study of *settings*, which reuses equal fits of earlier studies in *runs*."""
    name = f"independent-{key_of(settings.source)}"  # a run folder belongs to one source
    return Study(settings.model_copy(update={"study": name}), runs=runs, encodings=encodings_in(place.folder))


def _answer(study: Study) -> dict[str, Any]:
    if study.fits.missing():
        raise AssertionError("The studies of the metrics do not share their fits.")
    answer = study.answer()
    kept = {name: value for name, value in answer._asdict().items() if name != "untried"}
    return {**kept, "reasons": list(answer.reasons), "evidence": list(answer.evidence), "primary": study.primary()}


def _alarms(study: Study) -> list[str]:
    found = study.findings().filter(pl.col("severity").is_in(ALARMS))
    return sorted(found["code"].unique())


def pictures_of(truth: str, n: int, number: int) -> str:
    """Return the kind of pictures of the draw with this *number*, in turns of those that fit and are here."""
    wanted = TRUTHS[truth].n_types
    fitting = [kind for kind in kinds() if n_types(kind) >= wanted and (kind != FLICKR8K or n <= FLICKR_LARGEST)]
    return fitting[number % len(fitting)] if fitting else kinds()[0]


def items(
    *,
    first_seed: int,
    each: int,
    sizes: Iterable[int] = SIZES,
    names: Iterable[str] = tuple(TRUTHS),
    strength: float = FAST_PART,
) -> list[Item]:
    """Return *each* draws of each truth and size, with alternating truths, so an early stop cuts evenly.

    Parameters
    ----------
    first_seed, each
        *first_seed* is the seed of the first of *each* draws.
    sizes, names
        *sizes* are the numbers of pairs, and *names* the truths.
    strength
        *strength* is that of the part: `FAST_PART`, `SLOW` or `FOLDED`.
    """
    return [
        Item(name, n, 1, strength, first_seed + number, pictures_of(name, n, number))
        for number in range(each)
        for n in sizes
        for name in names
        if n in TRUTHS[name].sizes
    ]
