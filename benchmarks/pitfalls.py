"""How often each check finds its fault, and how often it finds one that is not there: `pitfalls.py [--whole]`.

Without arguments two small draws of each, from seeds of development: they show that it works, and measure nothing.
`--whole` makes all draws, from seeds that no threshold was chosen on, two at a time; it keeps each in `results/draws/`
and goes on where it was stopped, on whatever machine, and in the end writes `results/pitfalls.json`, from which
docs/pitfalls.md has its rates.
`--named` runs the named cases and `--contribution` the measures of contribution; `--summary` draws nothing more.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from injection import contribution, named
from injection.plants import PLANTS
from injection.rates import lines, summary
from injection.studies import EPOCHS
from injection.work import DEVELOPMENT, PARTS, REPORTED, Item, items, kept, work_through

HERE = Path(__file__).parent
RESULTS, DRAWS = HERE / "results" / "pitfalls.json", HERE / "results" / "draws"
QUICK, QUICK_DRAWS = HERE.parent / "runs" / "pitfalls-quick", 2


def arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--whole", action="store_true", help="all draws, to be reported")
    parser.add_argument("--quick", action="store_true", help="two small draws of each: the default")
    parser.add_argument(
        "--codes", nargs="+", choices=list(PLANTS), default=(), metavar="CODE", help="these checks only"
    )
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS, help="what bars are about, or the rest only"
    )
    parser.add_argument("--draws", type=int, help="at most so many draws of each")
    parser.add_argument("--budget", type=float, default=float("inf"), metavar="MIN", help="stop after so many minutes")
    parser.add_argument("--named", action="store_true", help="the named cases, and nothing else")
    parser.add_argument("--contribution", action="store_true", help="the measures of contribution, and nothing else")
    parser.add_argument("--summary", action="store_true", help="no draws: what is kept, summed up")
    parser.add_argument("--kept", type=Path, metavar="DIR", help="where draws are kept")
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="JSON", help="where the summary goes")
    return parser.parse_args()


def main() -> None:
    """Make the draws that are wanted and are not kept, and print what all of them show."""
    options = arguments()
    folder = options.kept or (DRAWS if options.whole else QUICK)
    draws = options.draws if options.whole or options.draws else QUICK_DRAWS
    first_seed = REPORTED if options.whole else DEVELOPMENT
    budget_s = 60 * options.budget
    if options.named:
        work_through(list(named.items()), folder / "named.jsonl", named.draw, budget_s=budget_s)
    if options.contribution:
        listed = list(contribution.items(draws=draws, first_seed=first_seed))
        work_through(listed, folder / "contribution.jsonl", contribution.draw, budget_s=budget_s)
    if not (options.named or options.contribution or options.summary):
        listed = items(codes=options.codes, draws=draws, first_seed=first_seed, parts=options.parts)
        work_through(listed if options.whole else _small(listed), folder / "draws.jsonl", budget_s=budget_s)
    found = _summary(folder, is_quick=not options.whole)
    if options.whole:
        options.out.parent.mkdir(exist_ok=True)
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _small(listed: list[Item]) -> list[Item]:
    return [item for item in listed if item.n == min(EPOCHS) and item.ratio == 1]


def _summary(folder: Path, *, is_quick: bool) -> dict[str, Any]:
    found = summary(kept(folder / "draws.jsonl"), is_quick=is_quick)
    found["named"] = named.summary(kept(folder / "named.jsonl"))
    found["contribution"] = contribution.summary(kept(folder / "contribution.jsonl"))
    print(*lines(found), *named.lines(found["named"]), *contribution.lines(found["contribution"]), sep="\n")
    return found


if __name__ == "__main__":
    main()
