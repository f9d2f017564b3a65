"""Measure the primary contrast of equally good contenders: `contrasts.py [--whole] [--only WORDS]`.

Predictions are drawn from latent normal values that rows, groups and fits share.  All contenders
are equally good, so the true contrast is 0.  Each cell has a number of test rows, a split, rows alone or in groups of 1
to 10, a number of seeds, an effect of each fit, and a number of multimodal and single-entity contenders.  For each cell
the benchmark prints the bias of the contrast with its Monte-Carlo error, the rate of p ≤ .05, and the rate of a false
"Yes": an interval above 0.  The bias of a choice on all validation rows together stands next to it.  The last line is
about small linear contenders that are trained, in five folds.

Without arguments a few cells are drawn rarely, from development seeds.  `--whole` draws all, from reported seeds, and
keeps each finished cell in `results/contrasts.json`, so a later run resumes there.  `--only` draws the cells whose name
has all these words, and keeps none.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from injection import THREADS  # first, because it limits the threads of numpy

import numpy as np  # isort: skip
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr

from counterpoint.artifacts import read_json, write_json
from counterpoint.compare import compare
from injection.cells import named_cells, parser_of_cells
from injection.trained_contrasts import WAYS, trained_contrasts
from injection.work import DEVELOPMENT

assert THREADS
Floats = NDArray[np.float64]
RESULTS = Path(__file__).parent / "results" / "contrasts.json"
REPORTED = 1_300_000
"""The first seed of reported draws.  Rates of those from 900,000 on were known before the degrees of freedom of seeds
changed."""
SKILL = 0.674
"""The latent mean of a correct row: an accuracy of .75."""
SHARED, OWN, OF_FIT = 0.5**0.5, 0.5, 0.5
"""The latent sd that all contenders share in a group, that a contender has in a group, and that a fit has in a row."""
FOLDS = 5
TARGET, TARGET_QUICK = 0.00035, 0.004
"""The Monte-Carlo error of the bias."""
N_TESTS, N_TESTS_QUICK = 2000, 20
"""The number of contrasts with an interval and p, for each cell."""
BATCH = 25
N_TRAINED, N_TRAINED_ROWS, N_TRAINED_QUICK = 40_000, 200, 200
"""The number of k-folds of trained contenders, and their rows."""
TRAINED = "trained"
"""The name of the figures of trained contenders among those of cells."""
MOST_BIAS, MOST_REJECTED, MOST_YES = 0.001, 0.065, 0.03


class Cell(NamedTuple):
    """The design of one kind of study.  ``fit_effect`` is the sd of a fit's accuracy in sds from its test rows."""

    n: int
    folds: int
    is_grouped: bool
    n_seeds: int
    fit_effect: float
    n_multimodal: int
    n_single: int

    @property
    def name(self) -> str:
        """The name of the cell."""
        split, rows = "k-fold" if self.folds > 1 else "hold-out", "groups" if self.is_grouped else "rows"
        effect = "fit-effect" if self.fit_effect else "no-fit-effect"
        kinds = f"{self.n_multimodal}+{self.n_single}"
        return f"{kinds} {split} {rows} n={self.n} seeds={self.n_seeds} {effect}"

    @property
    def has_bars(self) -> bool:
        """Whether the fits show their own variation: one seed with an effect of the fit does not."""
        return self.n_seeds > 1 or not self.fit_effect


def cells() -> list[Cell]:
    """Return all cells."""
    designs = product(
        (300, 1000), (1, FOLDS), (False, True), ((1, 0.0), (3, 0.0), (3, 1.0), (1, 1.0)), ((8, 3), (8, 1))
    )
    return [Cell(n, folds, grouped, *fits, *kinds) for n, folds, grouped, fits, kinds in designs]


class Draws(NamedTuple):
    """Correct predictions of studies of one cell, on test and validation rows of each fit."""

    test: NDArray[np.bool_]
    """Shape (study, contender, seed, row)."""
    validation: Floats
    """The share of correct validation rows, shape (study, contender, seed, fold)."""
    truth: Floats
    """The expected accuracy of each fit, shape (study, contender, seed, fold)."""
    folds: NDArray[np.intp]
    groups: NDArray[np.intp]


def draw(cell: Cell, size: int, rng: np.random.Generator, *, fit_sd: float) -> Draws:
    """Return *size* studies of *cell* with the same groups.

    Parameters
    ----------
    cell, size
        *cell* is the design, and *size* the number of studies.
    rng
        *rng* draws all values.
    fit_sd
        *fit_sd* is the latent sd of the effect of a fit.
    """
    groups, folds = _rows(cell, rng)
    shape = (size, cell.n_multimodal + cell.n_single, cell.n_seeds)
    effects = fit_sd * rng.standard_normal((*shape, cell.folds), dtype=np.float32)

    def correct(latent: NDArray[np.float32], fits: NDArray[np.intp]) -> NDArray[np.bool_]:
        own = OF_FIT * rng.standard_normal((*shape, cell.n), dtype=np.float32)
        found: NDArray[np.bool_] = latent[:, :, None] + own + effects[..., fits] > 0
        return found

    latent = _latent(shape, groups, rng)
    test = correct(latent, folds)
    # Of a k-fold, the validation rows of a fit are the test rows of the next fold.
    others = latent if cell.folds > 1 else _latent(shape, groups, rng)
    validated = correct(others, (folds - 1) % cell.folds)
    shares = np.stack([validated[..., folds == fold].mean(axis=-1) for fold in range(cell.folds)], axis=-1)
    truth = ndtr(SKILL + effects.astype(float))
    return Draws(test, np.roll(shares, -1, axis=-1), truth, folds, groups)


def _rows(cell: Cell, rng: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the group and the fold of each row.  The rows of a group have one fold."""
    sizes = rng.integers(1, 11, cell.n) if cell.is_grouped else np.ones(cell.n, dtype=int)
    groups = np.repeat(np.arange(cell.n), sizes)[: cell.n]
    n_groups = int(groups[-1]) + 1
    fold_of = rng.permutation(np.arange(n_groups) % cell.folds)
    order = np.argsort(fold_of[groups], kind="stable")
    return groups[order], fold_of[groups][order]


def _latent(shape: tuple[int, ...], groups: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the part of the latent values that rows of a group share, shape (study, contender, row)."""
    n_groups, (size, n_contenders, *_) = int(groups.max()) + 1, shape
    shared = SHARED * rng.standard_normal((size, 1, n_groups), dtype=np.float32)
    own = OWN * rng.standard_normal((size, n_contenders, n_groups), dtype=np.float32)
    latent: NDArray[np.float32] = (np.float32(SKILL) + shared + own)[..., groups]
    return latent


def fit_sd_of(cell: Cell, rng: np.random.Generator) -> float:
    """Return the latent sd of a fit for which the sd of its accuracy is that of a contrast on its own test rows."""
    if not cell.fit_effect:
        return 0.0
    two = cell._replace(n_multimodal=1, n_single=1, n_seeds=1)
    contrasts = []
    for _ in range(20):
        drawn = draw(two, BATCH, rng, fit_sd=0.0)
        gaps = drawn.test[:, 0, 0].astype(float) - drawn.test[:, 1, 0]
        contrasts += [gaps[:, drawn.folds == fold].mean(axis=1) for fold in range(cell.folds)]
    slope = np.exp(-(SKILL**2) / 2) / np.sqrt(2 * np.pi)
    return float(cell.fit_effect * np.std(contrasts) / slope)


def chosen(cell: Cell, drawn: Draws, *, is_pooled: bool = False) -> NDArray[np.intp]:
    """Return the two contenders of each study, seed and fold, shape (2, study, seed, fold).

    This is the rule of `counterpoint.compare.choose_primary`, for many studies at once.

    Parameters
    ----------
    cell, drawn
        *drawn* are studies of *cell*.
    is_pooled
        *is_pooled* is True for one choice on all validation rows together.
    """
    worths = drawn.validation
    if is_pooled:
        worths = np.broadcast_to(worths.mean(axis=(2, 3), keepdims=True), worths.shape)
    elif cell.n_seeds > 1:
        worths = (worths.sum(axis=2, keepdims=True) - worths) / (cell.n_seeds - 1)
    worths = worths.round(12)
    kinds = worths[:, : cell.n_multimodal], worths[:, cell.n_multimodal :]
    return np.stack([kinds[0].argmax(axis=1), cell.n_multimodal + kinds[1].argmax(axis=1)])


def contrasts(drawn: Draws, choices: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return the contrast of each study on its test rows, and the true contrast of the tested fits.

    Parameters
    ----------
    drawn
        *drawn* are studies of a cell.
    choices
        *choices* are their contenders, as `chosen` returns them.
    """
    n_rows = np.bincount(drawn.folds)
    hits = np.stack([drawn.test[..., drawn.folds == fold].sum(axis=-1) for fold in range(len(n_rows))], axis=-1)

    def of(values: NDArray[Any]) -> Floats:
        a, b = (np.take_along_axis(values, side[:, None], axis=1)[:, 0] for side in choices)
        found: Floats = (a - b.astype(float)).mean(axis=1).sum(axis=-1) / n_rows.sum()
        return found

    return of(hits), of(drawn.truth * n_rows)


def predictions(cell: Cell, drawn: Draws, study: int) -> pl.DataFrame:
    """Return the test rows of all contenders of one study: schema.PREDICTIONS."""
    n_contenders = cell.n_multimodal + cell.n_single
    return pl.concat([
        _frame(drawn, drawn.test[study, contender, seed], name=str(contender), seed=seed)
        for contender in range(n_contenders)
        for seed in range(cell.n_seeds)
    ])  # fmt: skip


def procedures(drawn: Draws, choices: NDArray[np.intp], study: int) -> pl.DataFrame:
    """Return the test rows of the two selection procedures of one study: schema.PREDICTIONS."""
    frames = []
    for name, side in zip("ab", choices, strict=True):
        for seed in range(side.shape[1]):
            picked = side[study, seed, drawn.folds]
            frames.append(_frame(drawn, drawn.test[study, picked, seed, np.arange(len(picked))], name=name, seed=seed))
    return pl.concat(frames)


def _frame(drawn: Draws, is_correct: NDArray[np.bool_], *, name: str, seed: int) -> pl.DataFrame:
    n = len(is_correct)
    is_first = np.arange(n) % 2 == 0
    chance = np.where(is_correct == is_first, 0.9, 0.1)
    names = drawn.folds.astype(str) if drawn.folds.any() else np.full(n, "test")
    return pl.DataFrame({
        "id": [f"{row:05d}" for row in range(n)], "contender": [name] * n, "seed": [seed] * n, "fold": names,
        "part": ["test"] * n, "group": drawn.groups.astype(str), "label": np.where(is_first, "x", "y"),
        "p_x": chance, "p_y": 1 - chance,
    })  # fmt: skip


def judged(cell: Cell, rng: np.random.Generator, *, target: float, n_tests: int) -> dict[str, Any]:
    """Return the figures of one cell.

    Parameters
    ----------
    cell, rng
        *cell* is the design, and *rng* draws its studies.
    target
        *target* is the Monte-Carlo error of the bias.
    n_tests
        *n_tests* is the number of contrasts with an interval.
    """
    fit_sd = fit_sd_of(cell, rng)
    found: dict[str, list[Floats]] = {"bias": [], "bias_for_fits": [], "bias_pooled": []}
    tests: list[tuple[bool, bool]] = []
    n_drawn, error = 0, np.inf
    while error > target or len(tests) < n_tests:
        drawn = draw(cell, BATCH, rng, fit_sd=fit_sd)
        choices = chosen(cell, drawn)
        values, truths = contrasts(drawn, choices)
        pooled, _ = contrasts(drawn, chosen(cell, drawn, is_pooled=True))
        for name, each in zip(found, (values, values - truths, pooled), strict=True):
            found[name].append(each)
        tests += [_tested(procedures(drawn, choices, study)) for study in range(min(BATCH, n_tests - len(tests)))]
        n_drawn += BATCH
        if n_drawn >= 10 * BATCH:
            error = float(np.std(found["bias"])) / n_drawn**0.5
    biases = {name: _mean(np.concatenate(each)) for name, each in found.items()}
    rates = np.mean(tests, axis=0) if tests else (None, None)
    rejected, yes = (None if rate is None else round(float(rate), 4) for rate in rates)
    return {"n_drawn": n_drawn, **biases, "n_tests": len(tests), "rejected": rejected, "yes": yes}


def _mean(values: Floats) -> list[float]:
    """Return the mean of *values* and its Monte-Carlo error."""
    return [round(float(values.mean()), 5), round(float(values.std() / len(values) ** 0.5), 5)]


def _tested(rows: pl.DataFrame) -> tuple[bool, bool]:
    row = compare(rows, "a", "b", metric="accuracy").row(0, named=True)
    return row["p"] is not None and row["p"] <= 0.05, row["low"] is not None and row["low"] > 0


def trained(n_drawn: int, rng: np.random.Generator) -> dict[str, list[float]]:
    """Return the bias of each way of choosing among trained contenders, and its Monte-Carlo error.

    >>> sorted(trained(2, np.random.default_rng(0)))
    ['elsewhere', 'own', 'pooled']
    """
    drawn = [trained_contrasts(N_TRAINED_ROWS, rng) for _ in range(n_drawn)]
    return {way: _mean(np.array([each[way] for each in drawn])) for way in WAYS}


def line(cell: Cell, found: Mapping[str, Any]) -> str:
    """Return the figures of one cell in a line, with the bars that it misses."""
    bias, for_fits, pooled = ("{:+.4f} ± {:.4f}".format(*found[name]) for name in found if name.startswith("bias"))
    tests = f"p ≤ .05 {found['rejected']}, yes {found['yes']} (n {found['n_tests']})"
    verdict = "no bars" if not cell.has_bars else ", ".join(missed(found)) or "met"
    return f"{cell.name}: bias {bias}, for the tested fits {for_fits}, pooled {pooled}; {tests}: {verdict}"


def missed(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield the bars that the figures of a cell miss.

    >>> list(missed({"bias": [0.002, 0.0003], "rejected": 0.05, "yes": 0.04}))
    ['bias missed', 'yes missed']
    """
    bias, error = found["bias"]
    if abs(bias) > MOST_BIAS:
        yield "bias missed" if error <= MOST_BIAS / 2 else "bias not known well enough"
    for name, most in (("rejected", MOST_REJECTED), ("yes", MOST_YES)):
        if found[name] is not None and found[name] > most:
            yield f"{name} missed"


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the cells, and print a line for each."""
    parser = parser_of_cells(__doc__)
    parser.add_argument("--tests", type=int, help="number of contrasts with an interval, for each cell")
    args = parser.parse_args(arguments)
    n_tests = (N_TESTS if args.whole else N_TESTS_QUICK) if args.tests is None else args.tests
    target, first = (TARGET, REPORTED) if args.whole else (TARGET_QUICK, DEVELOPMENT)
    keeps = args.whole and not args.only
    found = (keeps and read_json(RESULTS)) or {}
    listed = named_cells(cells(), args.only)
    for place, cell in listed if args.whole or args.only else listed[:: len(listed) // 4]:
        if cell.name not in found:
            found[cell.name] = judged(cell, np.random.default_rng(first + place), target=target, n_tests=n_tests)
            if keeps:
                write_json(RESULTS, found)
        print(line(cell, found[cell.name]), flush=True)
    if args.only:
        return
    n_trained = N_TRAINED if args.whole else N_TRAINED_QUICK
    if TRAINED not in found:
        found[TRAINED] = trained(n_trained, np.random.default_rng(first + len(cells())))
    ways = "; ".join("{} {:+.4f} ± {:.4f}".format(rows, *found[TRAINED][way]) for way, rows in WAYS.items())
    print(f"trained, k-fold n={N_TRAINED_ROWS}, {n_trained:,} drawn, chosen on {ways}")
    if keeps:
        write_json(RESULTS, found)


if __name__ == "__main__":
    main()
