"""The command line of a benchmark of cells: all of them or those with certain words in their names."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Collection, Iterable
from typing import Protocol, TypeVar


class Named(Protocol):
    """A cell, whose name is a few words."""

    @property
    def name(self) -> str:
        """The words, with spaces between them."""


Cell = TypeVar("Cell", bound=Named)


def parser_of_cells(doc: str | None) -> ArgumentParser:
    """Return the parser of the options that all benchmarks of cells have.

    >>> parser_of_cells("Measure a bias.").parse_args(["--only", "n=300", "grouped"]).only
    ['n=300', 'grouped']
    """
    parser = ArgumentParser(description=doc, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--whole", action="store_true", help="make all draws, for the report, and keep them")
    parser.add_argument("--only", nargs="+", default=[], help="words of the names of cells to draw")
    return parser


def named_cells(cells: Iterable[Cell], words: Collection[str]) -> list[tuple[int, Cell]]:
    """Return the cells whose names have all *words*, each with its place among all cells, which fixes its seed."""
    return [(place, cell) for place, cell in enumerate(cells) if set(words) <= set(cell.name.split())]
