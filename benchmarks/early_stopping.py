"""Measure the epoch that the text LSTM keeps on small noisy texts, and its AUC: `early_stopping.py [--whole]`.

Each set has 1,000 texts of ten words for training and 2,000 for the test, in three classes, in equal shares or at 60 to
30 to 11.  The words follow the law of Zipf, and each class has a mild preference for some of the rarer ones.  Without
arguments one set of each kind is made, from a development seed.  `--whole` makes 20 of each, from other seeds.
"""

import argparse
import os
from collections.abc import Sequence
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from counterpoint import make
from counterpoint.contenders.one_cycle import WARM_UP
from counterpoint.metrics import PredictedRows, find_metric
from counterpoint.schema import Frame

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")
DEVELOPMENT, REPORTED = 0, 600_000
"""The first seed of development, in which every choice was made, and of the report."""
N_FITS = 20
N_TRAIN, N_TEST, N_WORDS = 1000, 2000, 10
VOCABULARY, COMMON = 4000, 100
"""The number of words, and of the most frequent ones, which all classes use alike."""
KINDS = {"60/30/11": ((60, 30, 11), 0.73), "balanced": ((1, 1, 1), 0.70)}
"""Class shares and the strength of the preferences, at which the AUC of the SVM is about .72 on development seeds."""
GAP = 0.08
"""The largest allowed gap between the median AUC of the SVM and of the LSTM."""


class Fit(NamedTuple):
    """The kept epoch of the LSTM, the number of epochs that ran, whether the warm-up was over, and both AUCs."""

    kept: int
    epochs: int
    is_behind: bool
    lstm: float
    svm: float


def texts(n: int, shares: Sequence[float], tilt: float, rng: np.random.Generator) -> tuple[Frame, np.ndarray[Any, Any]]:
    """Return *n* noisy texts and their classes.

    Parameters
    ----------
    n
        *n* is the number of texts.
    shares
        *shares* are the frequencies of the classes, in any unit.
    tilt
        *tilt* is the standard deviation of the log preference of a class for a word.
    rng
        *rng* draws preferences, classes and words.

    Examples
    --------
    >>> pairs, labels = texts(5, (1, 1), 0.5, np.random.default_rng(0))
    >>> len(pairs["text"][0].split()), labels.shape
    (10, (5,))
    """
    preference = tilt * rng.normal(size=(len(shares), VOCABULARY))
    preference[:, :COMMON] = 0
    frequency = np.exp(preference) / np.arange(1, VOCABULARY + 1)  # the law of Zipf
    ends = np.cumsum(frequency / frequency.sum(axis=1, keepdims=True), axis=1)
    codes = rng.choice(len(shares), n, p=np.divide(shares, np.sum(shares)))
    words = [np.searchsorted(ends[code], rng.random(N_WORDS)).clip(max=VOCABULARY - 1) for code in codes]
    lines = [" ".join(f"w{word}" for word in row) for row in words]
    return pl.DataFrame({"text": lines}), np.array([f"class_{code}" for code in codes])


def fitted(kind: str, seed: int) -> Fit:
    """Return the fit of the LSTM and the SVM to one set of texts."""
    shares, tilt = KINDS[kind]
    pairs, labels = texts(N_TRAIN + N_TEST, shares, tilt, np.random.default_rng(seed))
    lstm, svm = (make(name, seed=seed).fit(pairs[:N_TRAIN], labels[:N_TRAIN]) for name in ("text-lstm", "text-svm"))
    aucs = [_auc(model, pairs[N_TRAIN:], labels[N_TRAIN:]) for model in (lstm, svm)]
    is_behind = lstm.best_epoch_ > WARM_UP * lstm.epochs
    return Fit(lstm.best_epoch_, lstm.n_epochs_, is_behind, *aucs)


def _auc(model: Any, pairs: Frame, labels: np.ndarray[Any, Any]) -> float:
    rows = PredictedRows(np.searchsorted(model.classes_, labels), model.predict_proba(pairs))
    return float(find_metric("roc_auc")(rows.weigh(np.ones((1, len(labels)))))[0])


def line(kind: str, fits: Sequence[Fit]) -> str:
    """Return the summary of the *fits* of one kind of texts.

    >>> line("balanced", [Fit(9, 14, True, 0.7, 0.72), Fit(2, 10, False, 0.6, 0.7)])
    'balanced: 1 of 2 fits keep an epoch behind the warm-up (2 to 9 of 12.0); AUC .650 (.600 to .700), SVM .710'
    """
    kept, lstm = [fit.kept for fit in fits], [fit.lstm for fit in fits]
    n_behind, svm = sum(fit.is_behind for fit in fits), median(fit.svm for fit in fits)
    aucs = [f"{value:.3f}".removeprefix("0") for value in (median(lstm), min(lstm), max(lstm), svm)]
    return (
        f"{kind}: {n_behind} of {len(fits)} fits keep an epoch behind the warm-up ({min(kept)} to {max(kept)} "
        f"of {np.mean([fit.epochs for fit in fits]):.1f}); AUC {aucs[0]} ({aucs[1]} to {aucs[2]}), SVM {aucs[3]}"
    )


def is_met(fits: Sequence[Fit]) -> bool:
    """Return whether every fit kept an epoch behind the warm-up, and the LSTM is at most `GAP` below the SVM."""
    gap = median(fit.svm for fit in fits) - median(fit.lstm for fit in fits)
    return all(fit.is_behind for fit in fits) and gap <= GAP


def main() -> None:
    """Fit the models to the sets of each kind, and print a line for each kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--whole", action="store_true", help=f"make {N_FITS} fits of each kind, for the report")
    parser.add_argument("--fits", type=int, help="number of fits of each kind")
    parser.add_argument("--first", type=int, help="the first seed")
    args = parser.parse_args()
    os.environ |= dict.fromkeys(THREADS, "1")
    first = args.first if args.first is not None else REPORTED if args.whole else DEVELOPMENT
    n_fits = args.fits or (N_FITS if args.whole else 1)
    for kind in KINDS:
        fits = [fitted(kind, first + i) for i in range(n_fits)]
        print(line(kind, fits), "(met)" if is_met(fits) else "(not met)", flush=True)


if __name__ == "__main__":
    main()
