"""The command line of the independent benchmark: `verdicts.py --independent [--whole]`.

Without `--whole` it makes one small study of some truths with small pools, as a test that it works.  `--whole` makes 20
studies of each truth and size, and more of the truth that is judged by four metrics.  A subset has networks too, and
the largest studies are made in folds as well, of the same pairs.  It keeps each, so a later run resumes there.  Then it
prints the rates, and writes them into `results/independent.json`.
"""

import os
import warnings
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from counterpoint.artifacts import write_json
from independent.outcome_rates import N_EACH, PARTS, lines, summary
from independent.pools import Place, prepare
from independent.studies import (
    DEVELOPMENT,
    FOLDED,
    METRICS_TRUTH,
    N_FRESH,
    REPORTED,
    SLOW,
    WORK,
    answered,
    encodings_in,
    items,
    place_of,
)
from independent.truths import SIZES, TRUTHS
from injection import THREADS
from injection.draw import Item, timed
from injection.work import kept, waiting, work_through

BENCHMARKS = Path(__file__).parents[1]
RESULTS = BENCHMARKS / "results" / "independent.json"
KEPT = BENCHMARKS / "results" / "draws" / "independent.jsonl"
QUICK = BENCHMARKS.parent / "runs" / "independent-quick.jsonl"
QUICK_TRUTHS = ("text_only", "complementary", "no_signal")
QUICK_SCALE, QUICK_FRESH = 0.1, 4000
N_METRICS = 50
"""Studies of `METRICS_TRUTH` of 600 and of 2,000 pairs each."""
SLOW_TRUTHS, SLOW_SIZES, N_SLOW = ("text_only", "complementary", "averaging", "exclusive_or", "no_signal"), (600,), 5
"""The subset with networks."""


def whole(first_seed: int = REPORTED, each: int = N_EACH) -> list[Item]:
    """Return all draws of the report."""
    fast = items(first_seed=first_seed, each=each)
    more = items(first_seed=first_seed, each=N_METRICS, sizes=SIZES[1:], names=[METRICS_TRUTH])
    slow = items(first_seed=first_seed, each=N_SLOW, sizes=SLOW_SIZES, names=SLOW_TRUTHS, strength=SLOW)
    folded = items(first_seed=first_seed, each=each, sizes=SIZES[-1:], strength=FOLDED)
    return list(dict.fromkeys([*fast, *more, *slow, *folded]))


def draw(item: Item, runs: Path, *, scale: float = 1.0, n_fresh: int = N_FRESH, folder: Path = WORK) -> dict[str, Any]:
    """Return the answers of the study of *item* and its truth, or its error."""
    place = place_of(item, folder=folder, scale=scale)
    return timed(item, runs, partial(answered, place=place, n_fresh=n_fresh))


def make_all(
    listed: Sequence[Item], path: Path, *, scale: float = 1.0, n_fresh: int = N_FRESH, folder: Path = WORK,
    workers: int = 2, budget_s: float = float("inf"),
) -> int:  # fmt: skip
    """Make the draws of *listed* that *path* lacks, and return their number.  Pools are made and encoded before.

    Parameters
    ----------
    listed, path
        *listed* are the draws, and *path* the file of stored draws.
    scale, n_fresh, folder
        *scale* multiplies the pools in *folder*, and *n_fresh* is the number of fresh rows.
    workers, budget_s
        *workers* processes stop after *budget_s* seconds.
    """
    todo = waiting(listed, kept(path))
    for place in dict.fromkeys(place_of(item, folder=folder, scale=scale) for item in todo):
        prepare(Place(*place), encodings_in(folder), workers=workers)
    make = partial(draw, scale=scale, n_fresh=n_fresh, folder=folder)
    return work_through(todo, path, make, workers=workers, budget_s=budget_s)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the selected draws that are not stored yet, and print the rates of all stored draws."""
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--whole", action="store_true", help="make all draws, for the report")
    parser.add_argument("--each", type=int, help="number of draws of each truth and size")
    parser.add_argument("--first", type=int, help="the first seed")
    parser.add_argument("--sizes", type=int, nargs="+", choices=SIZES, help="numbers of pairs")
    parser.add_argument("--only", nargs="+", choices=list(TRUTHS), help="only these truths")
    parser.add_argument("--parts", nargs="+", choices=list(PARTS.values()), help="only these parts")
    parser.add_argument("--kept", type=Path, help="the file of stored draws")
    parser.add_argument("--small", action="store_true", help="small pools and few fresh rows")
    parser.add_argument("--budget", type=float, default=float("inf"), metavar="MIN", help="stop after these minutes")
    parser.add_argument("--workers", type=int, default=2, help="number of processes")
    parser.add_argument("--summary", action="store_true", help="summarise stored draws, and make none")
    args = parser.parse_args(arguments)
    warnings.filterwarnings("ignore")
    os.environ |= dict.fromkeys(THREADS, "1")  # one study per core, with one thread each
    path = args.kept or (KEPT if args.whole else QUICK)
    if args.whole:
        listed = whole(args.first or REPORTED, args.each or N_EACH)
    else:
        first = DEVELOPMENT if args.first is None else args.first
        names = args.only or QUICK_TRUTHS
        listed = items(first_seed=first, each=args.each or 1, sizes=args.sizes or SIZES[:1], names=names)
    listed = [item for item in listed if (not args.only or item.kind in args.only)
              and (not args.sizes or item.n in args.sizes)
              and (not args.parts or PARTS[item.strength] in args.parts)]  # fmt: skip
    small = {"scale": QUICK_SCALE, "n_fresh": QUICK_FRESH} if args.small or not (args.whole or args.kept) else {}
    if not args.summary:
        make_all(listed, path, **small, workers=args.workers, budget_s=60 * args.budget)
    summed = summary(kept(path))
    print(*lines(summed), sep="\n")
    if path == KEPT:
        write_json(RESULTS, summed)
