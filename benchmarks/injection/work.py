"""The list of draws and its execution: two places at a time, with one stored line per draw, so a run can resume."""

import json
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

from counterpoint.diagnose import CHECKS
from injection.draw import CLEAN, Item, draw, item_of
from injection.plants import PLANTS, Plant
from injection.sources import FLICKR8K, OPENMOJI, is_there

WORKERS = 2
IN_MEMORY = Path("/dev/shm")
"""A folder in memory, because temporary tables need no disk."""
REPORTED, DEVELOPMENT = 340_000, 0
"""The first seed of reported draws, and of draws for development.  Stored draws of some checks have seeds from 300,000
on, and are drawn anew from 340,000 on after a change of the check."""
SEEDS_A_KIND = 1_000
N_TABLE, N_TRAINED, N_CELL, N_CURVE = 200, 60, 40, 20
"""Numbers of draws: planted faults of checks without training, planted faults of checks with training, each other size,
each other strength."""
MAIN = (1000, 1)
CELLS = ((300, 1), (300, 4), (3000, 1), (3000, 4))
N_CLEAN = {MAIN: 200, (300, 1): 200, (300, 4): 120, (3000, 1): 40, (3000, 4): 40}
"""The number of clean studies by pairs and class ratio: 600 together."""
REAL_CELLS = {FLICKR8K: (1000, 1), OPENMOJI: (1000, 3)}
"""Pairs and class ratio of each real set: OpenMoji has three times as many things as people."""
PARTS = ("main", "cells", "curves", "real")
"""The draws with bars, other sizes, other strengths, and real pairs if their data is here."""


def items(
    *,
    codes: Iterable[str] = (),
    draws: int | None = None,
    first_seed: int = REPORTED,
    parts: Iterable[str] = PARTS,
) -> list[Item]:
    """Return all draws of these *parts*, in their order, at most *draws* of each."""
    wanted = [code for code in PLANTS if not (chosen := set(codes)) or code in chosen]
    made = [code for code in wanted if PLANTS[code].make is not None and code in CHECKS]
    n_clean = N_CLEAN if any(PLANTS[code].clean_at is None for code in wanted) else dict.fromkeys(N_CLEAN, 0)
    main = [*_clean(MAIN, n_clean[MAIN]), *(item for code in made for item in _planted(code, MAIN))]
    cells = [
        item
        for cell in CELLS
        for item in (*_clean(cell, n_clean[cell]), *(item for code in made for item in _planted(code, cell, N_CELL)))
    ]
    curves = [item for code in made for item in _curve(code)]
    real = [item for code in made for item in _real(code)]
    drawn = {"main": main, "cells": cells, "curves": curves, "real": real}
    listed = [item for part in parts for item in _by_turns(drawn[part])]
    return [
        item._replace(seed=first_seed + _offset(item.kind) + item.seed)
        for item in listed
        if draws is None or item.seed < draws
    ]


def _by_turns(part: Sequence[Item]) -> list[Item]:
    """Return *part* with the first draw of each item before all second draws, so an early stop cuts evenly."""
    return sorted(part, key=lambda item: item.seed)


def _offset(kind: str) -> int:
    return 0 if kind == CLEAN else SEEDS_A_KIND * int(kind.removeprefix("CP"))


def _clean(cell: tuple[int, int], n_draws: int) -> Iterator[Item]:
    yield from (Item(CLEAN, *cell, 0.0, seed) for seed in range(n_draws))


def _planted(code: str, cell: tuple[int, int], n_draws: int | None = None) -> Iterator[Item]:
    plant = PLANTS[code]
    strengths = [plant.strength, *(() if plant.clean_at is None else (plant.clean_at,))]
    for strength in strengths:
        yield from (Item(code, *cell, strength, seed) for seed in range(n_draws or _n_main(plant)))


def _curve(code: str) -> Iterator[Item]:
    plant = PLANTS[code]
    for strength in plant.grid:
        yield from (Item(code, *MAIN, strength, seed) for seed in range(N_CURVE))


def _real(code: str) -> Iterator[Item]:
    plant = PLANTS[code]
    for pairs, clean_at in plant.real.items():
        for strength in (plant.strength, clean_at) if is_there(pairs) else ():
            yield from (Item(code, *REAL_CELLS[pairs], strength, seed, pairs) for seed in range(N_CELL))


def _n_main(plant: Plant) -> int:
    return N_TRAINED if plant.trains else N_TABLE


def kept(path: Path) -> list[dict[str, Any]]:
    """Return the results in the file at *path*, without a last line that is cut off.

    >>> kept(Path("nowhere.jsonl"))
    []
    """
    if not path.exists():
        return []
    results = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            results.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return results


def waiting(listed: Iterable[Item], results: Iterable[dict[str, Any]]) -> list[Item]:
    """Return the items without a stored result."""
    done = {item_of(result) for result in results}
    return [item for item in listed if item not in done]


Make = Callable[[Item, Path], dict[str, Any]]


def places(listed: Iterable[Item]) -> list[list[Item]]:
    """Return *listed* by kind, size, seed and set. Draws of one place at several strengths share pairs and fits.

    >>> [len(items) for items in places([Item("CP008", 300, 1, strength, 7) for strength in (1.0, 0.0)])]
    [2]
    """
    together: dict[Item, list[Item]] = {}
    for item in listed:
        together.setdefault(item._replace(strength=0.0), []).append(item)
    return list(together.values())


def at_place(make: Make, listed: Sequence[Item]) -> list[dict[str, Any]]:
    """Return the result of *make* for each item of *listed*, all in one temporary folder."""
    with TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as runs:
        return [make(item, Path(runs)) for item in listed]


def work_through(
    listed: Sequence[Item],
    path: Path,
    make: Make = draw,
    *,
    budget_s: float = float("inf"),
    workers: int = WORKERS,
) -> int:
    """Make the draws of *listed* that *path* lacks, one line each, until the budget is spent, and return their number.

    A draw that is in progress at the end of the budget is not kept.
    """
    todo = places(waiting(listed, kept(path)))
    if not todo:
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    started, n_made = time.monotonic(), 0
    with path.open("a", encoding="utf-8") as file, get_context("spawn").Pool(min(workers, len(todo)), _quiet) as pool:
        _end_line(file, path)
        for results in pool.imap_unordered(partial(at_place, make), todo):
            file.writelines(json.dumps(result) + "\n" for result in results)
            file.flush()
            n_made += len(results)
            if time.monotonic() - started > budget_s:
                break
    return n_made


def _quiet() -> None:
    warnings.simplefilter("ignore")  # from models that are small on purpose


def _end_line(file: TextIO, path: Path) -> None:
    """End a line that a killed run left open, so that the next result starts a new line."""
    if path.stat().st_size and not path.read_bytes().endswith(b"\n"):
        file.write("\n")
