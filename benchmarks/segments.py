"""Measure how often a planted segment is found, and how often a false one is confirmed: `segments.py [--whole]`.

Predictions are drawn, and nothing is trained.  A study has 2,000 test rows, in a hold-out or in a k-fold.  In a planted
segment of 20 % of the rows, reading both has a gain of .15, and elsewhere none.  It is found if a confirmed segment has
at least half of the rows of either in common with it (Jaccard).  Without a planted segment, all rows have one gain: 0
or .05.  A confirmed segment is then false.  Some kinds have classes of 4 to 1 and balanced accuracy.

Without arguments two draws of each kind are made, from development seeds.  `--whole` makes all, from seeds on which
nothing was chosen, and keeps each in `results/draws/`, so that a later run resumes there.  It writes
`results/segments.json`.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from counterpoint.measures.segment_search import ALIKE, jaccard
from counterpoint.measures.segments import find_segments, rows_in_segment, segment_facts
from injection.command import Draws, parser_of
from injection.draw import Item, timed
from injection.rates import MET, rate_text, share_of
from injection.segments import HARDER, LAYOUTS, NOTHING, PLANTED, Kind, drawn
from injection.work import DEVELOPMENT

REPORTED, SEEDS_A_KIND = 1_100_000, 1_000
N, GAIN, EVERYWHERE, RARE = 2_000, 0.15, 0.05, 4
"""The test rows, the gain in a planted segment, the gain everywhere, and the ratio of the last kinds."""
N_PLANTED, N_DRAWS, N_QUICK = 20, 60, 1
"""The draws of each kind that is planted, and of each kind without a planted segment."""
LEAST_FOUND, LEAST_WITHOUT = 0.9, 0.95
CONFIDENCE = 0.95


KINDS = [
    *(Kind(layout, name, 1, GAIN) for layout in LAYOUTS for name in PLANTED),
    *(Kind(layout, NOTHING, 1, 0.0) for layout in LAYOUTS),
    *(Kind(layout, NOTHING, 1, EVERYWHERE) for layout in LAYOUTS),
    *(Kind(layout, NOTHING, RARE, 0.0) for layout in LAYOUTS),
    *(Kind(layout, PLANTED[0], RARE, GAIN) for layout in LAYOUTS),
    *(Kind(layout, name, 1, GAIN) for layout in LAYOUTS for name in HARDER),
]


def items(*, is_whole: bool) -> list[Item]:
    """Return all draws: the first of each kind before all second ones."""
    first = REPORTED if is_whole else DEVELOPMENT
    listed = [
        (draw, Item(_name(kind), N, kind.ratio, kind.gain, first + place * SEEDS_A_KIND + draw))
        for place, kind in enumerate(KINDS)
        for draw in range(_n_draws(kind) if is_whole else N_QUICK)
    ]
    return [item for _, item in sorted(listed, key=lambda each: each[0])]


def _n_draws(kind: Kind) -> int:
    return N_DRAWS if kind.segment == NOTHING else N_PLANTED


def _name(kind: Kind) -> str:
    return f"{kind.layout} {kind.segment}"


def draw(item: Item, runs: Path) -> dict[str, Any]:
    """Draw the predictions of *item*, and search its segments."""
    return timed(item, runs, _searched)


def _searched(item: Item, runs: Path) -> dict[str, Any]:  # noqa: ARG001
    study = drawn(Kind(*item.kind.split(), item.ratio, item.strength), item.n, item.seed)
    metric = "accuracy" if item.ratio == 1 else "balanced_accuracy"
    found = find_segments(study.pairs, study.predictions, study.primary, metric=metric, confidence=CONFIDENCE)
    tests = study.pairs.filter(pl.col("fold") != "validation").select("id")["id"]
    is_test = study.pairs["id"].is_in(tests.implode()).to_numpy()
    facts = segment_facts(found.segments, study.pairs)
    rows = []
    for row in found.segments.iter_rows(named=True):
        inside = rows_in_segment(row["conditions"], facts).to_numpy()
        true = float(study.gain[inside & is_test].mean())
        names = ("segment", "half", "is_confirmed", "n", "gain", "low", "high", "difference", "p", "p_holm")
        alike = jaccard(inside & is_test, study.planted & is_test)
        rows.append({name: row[name] for name in names} | {"jaccard": alike, "true": true})
    return {"segments": rows}


def is_found(result: Mapping[str, Any]) -> bool:
    """Return whether a confirmed segment with more gain has most rows in common with the planted one.

    >>> segment = {"is_confirmed": True, "difference": 0.1, "jaccard": 0.8}
    >>> is_found({"segments": [segment]}), is_found({"segments": [{**segment, "is_confirmed": False}]})
    (True, False)
    """
    return any(
        each["is_confirmed"] and each["difference"] > 0 and each["jaccard"] >= ALIKE for each in result["segments"]
    )


def summary(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the figures of *results*."""
    errors = [f"{result['kind']}: {result['error']}" for result in results if "error" in result]
    made = [result for result in results if "error" not in result]
    return {
        "n_draws": len(results),
        "errors": sorted(set(errors))[:10],
        "n_errors": len(errors),
        "core_s": round(sum(result["took_s"] for result in results)),
        "kinds": [own for kind in KINDS if (own := _of_kind(made, kind))],
        "planted": {layout: _planted(made, layout) for layout in LAYOUTS},
    }


def _of_kind(made: Iterable[Mapping[str, Any]], kind: Kind) -> dict[str, Any]:
    own = [each for each in made if (each["kind"], each["ratio"], each["strength"]) == (_name(kind), *kind[2:])]
    if not own:
        return {}
    tested = [row for each in own for row in each["segments"]]
    is_right = [not _confirmed(each) if kind.segment == NOTHING else is_found(each) for each in own]
    return {
        **kind._asdict(),
        "rate": share_of(sum(is_right), len(own)),
        "meets": _meets(is_right, LEAST_WITHOUT) if kind.segment == NOTHING else None,
        "tested": round(len(tested) / len(own), 2),
        "confirmed": round(sum(len(_confirmed(each)) for each in own) / len(own), 2),
        "held": share_of(sum(row["low"] <= row["true"] <= row["high"] for row in tested), max(1, len(tested))),
    }


def _planted(made: Iterable[Mapping[str, Any]], layout: str) -> dict[str, Any]:
    """Return the rate of found segments over all kinds of `PLANTED` together."""
    names = {_name(Kind(layout, name, 1, GAIN)) for name in PLANTED}
    is_right = [is_found(each) for each in made if each["kind"] in names and each["ratio"] == 1]
    rate = share_of(sum(is_right), len(is_right)) if is_right else None
    return {"rate": rate, "meets": _meets(is_right, LEAST_FOUND)}


def _meets(is_right: Sequence[bool], bar: float) -> bool | None:
    return None if len(is_right) < N_DRAWS else sum(is_right) >= bar * len(is_right)


def _confirmed(result: Mapping[str, Any]) -> list[Any]:
    return [each for each in result["segments"] if each["is_confirmed"]]


def lines(found: Mapping[str, Any]) -> Iterable[str]:
    """Yield the lines for a terminal."""
    yield f"{found['n_draws']} draws, {found['n_errors']} errors, {found['core_s']} core seconds"
    for layout, own in found["planted"].items():
        yield f"{layout}: planted segments found {rate_text(own['rate'])}  {MET[own['meets']]}"
    for own in found["kinds"]:
        which = f"{own['layout']:<8} {own['segment']:<9} {own['ratio']}:1 gain {own['gain']:.2f}"
        right = f"none confirmed {rate_text(own['rate'])}  {MET[own['meets']]}"
        right = right if own["segment"] == NOTHING else f"found {rate_text(own['rate'])}"
        counts = f"tested {own['tested']}, confirmed {own['confirmed']} a study"
        yield f"{which}  {right}  {counts}, intervals hold {own['held']['share']:.3f}"
    yield from (str(error).splitlines()[0] for error in found["errors"])


def main() -> None:
    """Make the draws that are not stored yet, and print their summary."""
    args = parser_of(__doc__).parse_args()
    Draws("segments", draw, summary, lines).report(args, items(is_whole=args.whole))


if __name__ == "__main__":
    main()
