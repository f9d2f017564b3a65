"""Count how often 95 % intervals of the primary contrast hold the mean over fresh training sets.

Text and image are vectors of normal values, half of which carry the class, or whose product does (an exclusive or).
Contenders read the text, the image, or both.  A further one is the mean of the two that read one.  They are linear,
boosted trees, or small networks.  The true contrast is the mean over fresh training and validation sets
of the size that a study has, each with its own choice of the two contenders, on many fresh rows.  A draw is a study
with repeats.  Its interval comes from the functions that studies use (`counterpoint.compare`).  The interval of its
first repeat alone stands next to it.

A draw keeps the rows of its table of differences, not the predictions.  So another formula needs other draws.

Finished draws are kept in `results/training_variance.json`, and `--whole` makes those that are missing.  `--only` makes
the cells whose name has all these words.
"""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from injection import THREADS  # first, because it limits the threads of numpy

import numpy as np  # isort: skip
import polars as pl
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from counterpoint.artifacts import write_json
from counterpoint.compare import by_fold, choose_primary, contrast, over_repeats, rows_of_repeat
from counterpoint.compare.differences import repeated
from counterpoint.config import Evaluate
from counterpoint.diagnose.cp011_noise import spread_over_fits
from counterpoint.schema import REPEATS, Frame, empty
from injection.cells import named_cells, parser_of_cells
from injection.work import DEVELOPMENT

assert THREADS
Floats = NDArray[np.float64]
RESULTS = Path(__file__).parent / "results" / "training_variance.json"
REPORTED = 1_000_000
"""The first seed of reported draws."""
N, WIDTH, WIDTH_EXCLUSIVE, SHIFT, FOLDS = 500, 8, 2, 0.35, 5
"""The rows of a study, the values of a text or an image, the shift of half of them in sd, and the folds."""
NOISE = 0.1
"""The share of labels of the exclusive or that are turned."""
N_TRUTHS, N_FRESH = 200, 20_000
"""Fresh training sets of the true contrast, and fresh test rows of each."""
N_DRAWS, N_DRAWS_QUICK, N_TRUTHS_QUICK = 200, 2, 5
RULES = Evaluate(metrics=("accuracy",), primary="accuracy")
READS = {"text": ("text",), "image": ("image",), "both": ("text", "image"), "average": ("text", "image")}
STABLE, UNSTABLE = (0.93, 0.98), (0.85, 1.0)


def linear(seed: int) -> LogisticRegression:
    """Return an unfitted linear model."""
    return LogisticRegression(C=0.1, random_state=seed)


def trees(seed: int) -> HistGradientBoostingClassifier:
    """Return unfitted boosted trees."""
    return HistGradientBoostingClassifier(
        max_iter=20, max_leaf_nodes=6, early_stopping=False, max_bins=31, max_features=0.5, random_state=seed
    )


def network(seed: int) -> MLPClassifier:
    """Return an unfitted network of one small hidden layer."""
    return MLPClassifier(
        (6,), alpha=0.01, learning_rate_init=0.02, batch_size=32, max_iter=25, tol=0, random_state=seed
    )


def deep_network(seed: int) -> MLPClassifier:
    """Return an unfitted network of two tiny hidden layers, which learns an exclusive or in some fits only."""
    return MLPClassifier(
        (4, 2), alpha=0.001, learning_rate_init=0.02, batch_size=32, max_iter=40, tol=0, random_state=seed
    )


class Cell(NamedTuple):
    """The models of one kind of study, its truth, its split and its repeats."""

    models: str
    is_exclusive: bool
    folds: int
    repeats: int

    @property
    def name(self) -> str:
        """The name of the cell."""
        split = f"{self.folds} folds" if self.folds > 1 else "hold-out"
        return f"{self.models}{' exclusive-or' if self.is_exclusive else ''} {split} {self.repeats} repeats"

    @property
    def bar(self) -> tuple[float, float]:
        """The least and the largest allowed coverage."""
        return UNSTABLE if self.is_exclusive else STABLE


MODELS: Mapping[str, Callable[[int], Any]] = {
    "linear": linear,
    "trees": trees,
    "network": network,
    "deep-network": deep_network,
}
CELLS = [
    Cell(models, is_exclusive, *design)
    for models, is_exclusive in (("linear", False), ("network", False), ("deep-network", True), ("trees", False))
    for design in ((5, 3), (1, 10))
]


class Rows(NamedTuple):
    """Text and image of each row, shape (n, width), and its class."""

    text: Floats
    image: Floats
    codes: NDArray[np.intp]

    def at(self, places: NDArray[np.intp]) -> "Rows":
        """Return the rows at some places."""
        return Rows(self.text[places], self.image[places], self.codes[places])


def drawn(cell: Cell, n: int, rng: np.random.Generator) -> Rows:
    """Return *n* fresh rows of a cell."""
    codes = rng.integers(0, 2, n)
    text, image = rng.normal(size=(2, n, WIDTH_EXCLUSIVE if cell.is_exclusive else WIDTH))
    if cell.is_exclusive:
        is_turned = rng.random(n) < NOISE
        image[:, 0] = np.abs(image[:, 0]) * np.sign(text[:, 0]) * np.where((codes == 1) ^ is_turned, 1, -1)
        return Rows(2 * text, 2 * image, codes)
    shift = SHIFT * (2 * codes[:, None] - 1)
    text[:, : WIDTH // 2] += shift
    image[:, : WIDTH // 2] += shift
    return Rows(text, image, codes)


def predicted(cell: Cell, train: Rows, others: Sequence[Rows], seed: int) -> list[dict[str, Floats]]:
    """Return the probability of class 1 by each contender, fitted on *train*, for the rows of each of *others*.

    Parameters
    ----------
    cell, seed
        *cell* has the models, and *seed* is the seed of the fits.
    train, others
        *train* are the training rows, and *others* the rows to predict.
    """
    fits = {
        name: MODELS[cell.models](seed + place).fit(_read(train, name), train.codes)
        for place, name in enumerate(("text", "image", "both"))
    }
    found = [{name: fit.predict_proba(_read(rows, name))[:, 1] for name, fit in fits.items()} for rows in others]
    return [own | {"average": (own["text"] + own["image"]) / 2} for own in found]


def _read(rows: Rows, name: str) -> Floats:
    return np.hstack([getattr(rows, modality) for modality in READS[name]])


def folds_of(cell: Cell, rng: np.random.Generator) -> Iterator[tuple[str, dict[str, NDArray[np.intp]]]]:
    """Yield the name of each fold to test, with the places of its training, validation and test rows."""
    fold_of = rng.permutation(np.arange(N) % FOLDS)
    for fold in range(cell.folds):
        validation = (fold + 1) % FOLDS
        parts = {
            "train": np.flatnonzero(~np.isin(fold_of, [fold, validation])),
            "validation": np.flatnonzero(fold_of == validation),
            "test": np.flatnonzero(fold_of == fold),
        }
        yield str(fold) if cell.folds > 1 else "test", parts


def predictions_of(cell: Cell, rows: Rows, rng: np.random.Generator) -> Frame:
    """Return schema.PREDICTIONS of one repeat."""
    tables = []
    for fold, places in folds_of(cell, rng):
        own = {part: rows.at(place) for part, place in places.items()}
        found = predicted(cell, own["train"], list(own.values()), int(rng.integers(2**30)))
        tables += [
            _table(places[part], own[part].codes, chance, contender=name, fold=fold, part=part)
            for part, by_contender in zip(own, found, strict=True)
            for name, chance in by_contender.items()
        ]
    return pl.concat(tables)


def _table(places: NDArray[np.intp], codes: NDArray[np.intp], chance: Floats, **columns: str) -> Frame:
    ids, zeros = [f"{place:05}" for place in places], np.zeros(len(places), dtype=np.int64)
    return pl.DataFrame({
        "id": ids, "contender": columns["contender"], "seed": zeros, "fold": columns["fold"], "part": columns["part"],
        "group": ids, "label": np.where(codes == 1, "y", "x"), "p_x": 1 - chance, "p_y": chance,
    })  # fmt: skip


def study(cell: Cell, seed: int) -> dict[str, Any]:
    """Return the primary contrast of one fresh study: over all repeats, of the first one, and in each of its folds."""
    rng = np.random.default_rng(seed)
    rows = drawn(cell, N, rng)
    compared = []
    once: Mapping[str, Any] = {}
    by_fold_once = empty(REPEATS)
    for repeat in range(cell.repeats):
        predictions = predictions_of(cell, rows, rng)
        primary = choose_primary(predictions, READS, RULES.primary)
        assert primary is not None, "every fit predicts validation rows"
        if repeat == 0:
            once, by_fold_once = contrast(predictions, RULES, primary), by_fold(predictions, RULES, primary)
        compared.append(rows_of_repeat(predictions, primary, repeat=repeat))
    table = over_repeats(compared, RULES)
    often = repeated(once, table, RULES.confidence)
    parts = {name: round(table[name].item(), 5) for name in ("error_from_rows", "error_from_fits")}
    return {"repeats": _kept(often) | parts, "once": _kept(once), "by_fold": by_fold_once["difference"].to_list()}


def _kept(row: Mapping[str, Any]) -> dict[str, float]:
    return {name: round(row[name], 5) for name in ("difference", "low", "high", "error", "df")}


def true_contrast(cell: Cell, seed: int) -> float:
    """Return the contrast of one fresh training set, on many fresh test rows."""
    rng = np.random.default_rng(seed)
    n_part = N // FOLDS
    train, validation, test = (drawn(cell, n, rng) for n in (N - 2 * n_part, n_part, N_FRESH))
    validated, tested = predicted(cell, train, [validation, test], int(rng.integers(2**30)))

    def right(chance: Floats, rows: Rows) -> float:
        return float(((chance > 0.5) == rows.codes).mean())

    a, b = (
        max((name for name in READS if len(READS[name]) == n_read), key=lambda name: right(validated[name], validation))
        for n_read in (2, 1)
    )
    return right(tested[a], test) - right(tested[b], test)


def measured(cell: Cell, found: dict[str, Any], first: int, n: int, n_truths: int) -> Iterator[None]:
    """Make the truths and draws of a cell that *found* lacks, and yield after each ten.

    Parameters
    ----------
    cell, found
        *cell* is the cell, and *found* its truths and draws, by seed.
    first, n, n_truths
        *first* is the first seed, *n* the number of draws, and *n_truths* that of fresh training sets.
    """
    jobs: tuple[tuple[str, int, Callable[[int], Any]], ...] = (
        ("truths", n_truths, partial(true_contrast, cell)),
        ("draws", n, partial(study, cell)),
    )
    for kind, wanted, make in jobs:
        own = found.setdefault(kind, {})
        # The seeds of truths are far from those of draws.
        start = first if kind == "draws" else first + 500_000
        for place in range(wanted):
            if str(place) not in own:
                made = make(start + place)
                own[str(place)] = round(made, 5) if isinstance(made, float) else made
                if place % 10 == 9:
                    yield
    yield


def rates(cell: Cell, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the true contrast of one cell, and how often intervals held it: with repeats, and of the first repeat.

    Parameters
    ----------
    cell
        *cell* is the cell.
    found
        *found* has its truths and draws.
    """
    truths, draws = np.array(list(found["truths"].values())), list(found["draws"].values())
    true = float(truths.mean())
    held, width = {}, {}
    for kind in ("repeats", "once"):
        ends = np.array([(draw[kind]["low"], draw[kind]["high"]) for draw in draws])
        held[kind] = float(((ends[:, 0] <= true) & (true <= ends[:, 1])).mean())
        width[kind] = float((ends[:, 1] - ends[:, 0]).mean())
    n = len(draws)
    return {
        "true": true,
        "true_error": float(truths.std() / len(truths) ** 0.5),
        "deviation": float(truths.std()),
        "n": n,
        "held": held,
        "error": (max(held["repeats"] * (1 - held["repeats"]), 1 / n) / n) ** 0.5,
        "width": width,
        "alarms": sum(map(has_alarm, draws)) / n,
        "is_met": cell.bar[0] <= held["repeats"] <= cell.bar[1],
    }


def has_alarm(drawn_study: Mapping[str, Any]) -> bool:
    """Return whether CP011 would find in the first repeat alone that its fits differ by more than the stated error."""
    differences = drawn_study["by_fold"]
    folds = [str(fold) for fold in range(len(differences))]
    first = pl.DataFrame({"repeat": 0, "fold": folds, "seed": 0, "difference": differences})
    return spread_over_fits(first, drawn_study["once"]["error"]) is not None


def line(cell: Cell, found: Mapping[str, Any]) -> str:
    """Return the rates of one cell as a line for a terminal."""
    own = rates(cell, found)
    held, width = own["held"], own["width"]
    return (
        f"{cell.name:<38} true {own['true']:+.4f} ±{own['true_error']:.4f} (sd {own['deviation']:.3f})  held "
        f"{held['repeats']:.3f} ±{own['error']:.3f} of {own['n']} (mean width {width['repeats']:.3f}), first repeat "
        f"alone {held['once']:.3f} ({width['once']:.3f}), CP011 warns of it in {own['alarms']:.1%}  "
        f"{'met' if own['is_met'] else 'MISSED'}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the draws that are missing, or a few of each cell."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # networks stop after a fixed number of epochs
    parser = parser_of_cells(__doc__)
    parser.add_argument("--draws", type=int, help="draws of each cell")
    args = parser.parse_args(arguments)
    n = args.draws or (N_DRAWS if args.whole else N_DRAWS_QUICK)
    n_truths = N_TRUTHS if args.whole else N_TRUTHS_QUICK
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if args.whole and RESULTS.exists() else {}
    for place, cell in named_cells(CELLS, args.only):
        first = (REPORTED if args.whole else DEVELOPMENT) + place * 1000
        own = kept.setdefault(cell.name, {})
        for _ in measured(cell, own, first, n, n_truths):
            if args.whole:
                write_json(RESULTS, kept)
        print(line(cell, own), flush=True)


if __name__ == "__main__":
    main()
