"""Measure the detection rate and the false alarms of each check on planted faults: `pitfalls.py [--whole]`.

Without arguments the benchmark makes two small draws of each, from development seeds, as a test that it works.
`--whole` makes all draws, two at a time, from seeds that no threshold was chosen on.  It keeps each draw in
`results/draws/`, and a later run resumes there, also on another machine.  At the end it writes `results/pitfalls.json`,
the source of the rates in docs/pitfalls.md.  `--named` runs the named cases, and `--contribution` the measures of
contribution.  `--losses` tries whether the contenders that CP023 names in stored clean draws lose on fresh pairs too.
`--summary` makes no draws.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from injection import contribution, losses, named
from injection.plants import PLANTS
from injection.rates import lines, summary
from injection.studies import EPOCHS
from injection.work import DEVELOPMENT, PARTS, REPORTED, Item, items, kept, work_through

HERE = Path(__file__).parent
RESULTS, DRAWS = HERE / "results" / "pitfalls.json", HERE / "results" / "draws"
MORE = {"named": named, "contribution": contribution, "losses": losses}
"""The parts beside the draws of checks, each with its file of results."""
QUICK, QUICK_DRAWS = HERE.parent / "runs" / "pitfalls-quick", 2


def arguments() -> argparse.Namespace:
    """Return the parsed arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--whole", action="store_true", help="make all draws, for the report")
    parser.add_argument("--quick", action="store_true", help="make two small draws of each (default)")
    parser.add_argument(
        "--codes", nargs="+", choices=list(PLANTS), default=(), metavar="CODE", help="only these checks"
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="only these parts of the draws")
    parser.add_argument("--draws", type=int, help="maximum number of draws of each")
    parser.add_argument(
        "--budget", type=float, default=float("inf"), metavar="MIN", help="stop after this number of minutes"
    )
    parser.add_argument("--named", action="store_true", help="only the named cases")
    parser.add_argument("--contribution", action="store_true", help="only the measures of contribution")
    parser.add_argument("--losses", action="store_true", help="only the losses that CP023 reports in clean draws")
    parser.add_argument("--summary", action="store_true", help="summarise stored draws, and make none")
    parser.add_argument("--kept", type=Path, metavar="DIR", help="folder of stored draws")
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="JSON", help="file of the summary")
    return parser.parse_args()


def main() -> None:
    """Make the selected draws that are not stored yet, and print a summary of all draws."""
    args = arguments()
    folder = args.kept or (DRAWS if args.whole else QUICK)
    draws = args.draws if args.whole or args.draws else QUICK_DRAWS
    first_seed = REPORTED if args.whole else DEVELOPMENT
    budget_s = 60 * args.budget
    if args.named:
        work_through(list(named.items()), folder / "named.jsonl", named.draw, budget_s=budget_s)
    if args.contribution:
        listed = list(contribution.items(draws=draws, first_seed=first_seed))
        work_through(listed, folder / "contribution.jsonl", contribution.draw, budget_s=budget_s)
    if args.losses:
        listed = losses.items(kept(folder / "draws.jsonl"))
        work_through(listed, folder / "losses.jsonl", losses.draw, budget_s=budget_s)
    if not (args.named or args.contribution or args.losses or args.summary):
        listed = items(codes=args.codes, draws=draws, first_seed=first_seed, parts=args.parts)
        work_through(listed if args.whole else _small(listed), folder / "draws.jsonl", budget_s=budget_s)
    found = _summary(folder, is_quick=not args.whole)
    if args.whole:
        args.out.parent.mkdir(exist_ok=True)
        args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _small(listed: list[Item]) -> list[Item]:
    return [item for item in listed if item.n == min(EPOCHS) and item.ratio == 1]


def _summary(folder: Path, *, is_quick: bool) -> dict[str, Any]:
    found = summary(kept(folder / "draws.jsonl"), is_quick=is_quick)
    for name, part in MORE.items():
        found[name] = part.summary(kept(folder / f"{name}.jsonl"))
    print(*lines(found), *(line for name, part in MORE.items() for line in part.lines(found[name])), sep="\n")
    return found


if __name__ == "__main__":
    main()
