"""The command line of a benchmark of draws: make those that are not stored yet, and print their summary."""

import os
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from counterpoint.artifacts import write_json
from injection import THREADS
from injection.draw import Item
from injection.work import Make, kept, work_through

BENCHMARKS = Path(__file__).parents[1]
RUNS = BENCHMARKS.parent / "runs"


class Draws(NamedTuple):
    """The draws of a benchmark.

    Attributes
    ----------
    name
        *name* is the name of its files in ``results`` and ``runs``.
    make
        *make* makes one draw.
    summary, lines
        *summary* returns the figures of the stored draws, and *lines* the lines of these for a terminal.
    """

    name: str
    make: Make
    summary: Callable[[Sequence[Mapping[str, Any]]], dict[str, Any]]
    lines: Callable[[Mapping[str, Any]], Iterable[str]]

    @property
    def results(self) -> Path:
        """The file of the reported figures."""
        return BENCHMARKS / "results" / f"{self.name}.json"

    def stored(self, *, is_whole: bool) -> Path:
        """Return the file of the stored draws: of all, or of a few."""
        kept_here = BENCHMARKS / "results" / "draws" / f"{self.name}.jsonl"
        return kept_here if is_whole else RUNS / f"{self.name}-quick.jsonl"

    def report(self, args: Namespace, listed: Sequence[Item]) -> None:
        """Make the draws of *listed* that are not stored yet, and print the summary of all.  `--whole` writes it."""
        os.environ |= dict.fromkeys(THREADS, "1")  # one draw per core, with one thread each
        path = self.stored(is_whole=args.whole)
        if not args.summary:
            work_through(listed, path, self.make, workers=args.workers)
        found = self.summary(kept(path))
        print(*self.lines(found), sep="\n")
        if args.whole:
            write_json(self.results, found)


def parser_of(doc: str | None) -> ArgumentParser:
    """Return the parser of the options that all benchmarks of draws have.

    >>> parser_of("Measure a rate.").parse_args(["--whole"]).whole
    True
    """
    parser = ArgumentParser(description=doc, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--whole", action="store_true", help="make all draws, for the report")
    parser.add_argument("--summary", action="store_true", help="summarise stored draws, and make none")
    parser.add_argument("--workers", type=int, default=2, help="number of processes")
    return parser
