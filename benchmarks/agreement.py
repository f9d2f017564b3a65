"""Measure how often CP004 finds that few pairs belong together, or that they do not: `agreement.py [--whole]`.

Aligned draws are pairs as they are.  In permuted draws all texts of the draw are permuted.  Pairs are recognised if
their association is shown.  A second part permutes a tenth of the texts, and counts how many of these pairs stand in
the first fifth of the queue.  A third part counts the pairs that `select.agreement` of an acquire file keeps.

The encoders must be installed (the extra `encoders`).  The first run encodes all pairs, and keeps them in
`runs/.encodings`.  Without arguments a few draws of each are made, from development seeds and rows.  `--whole` makes
all, from seeds and, of Flickr8k, rows that no threshold was chosen on.  It keeps each in `results/draws/`, so that a
later run resumes there.  It writes `results/agreement.json`.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from counterpoint.data.sources import open_source
from counterpoint.diagnose import Inputs, check_of
from counterpoint.encoders import shared_encoder
from counterpoint.encoders.building import build_encodings
from counterpoint.encoders.catalogue import CATALOGUE, INSTALL
from counterpoint.encoders.encodings import load_encodings
from counterpoint.measures.encoded_pairs import JOINT, joint_space
from counterpoint.schema import ALARMS, PREDICTIONS, Frame, empty
from injection.command import RUNS, Draws, parser_of
from injection.draw import timed
from injection.rates import MET, rate_text, share_of
from injection.sources import FLICKR8K, OPENMOJI, REAL, is_there
from injection.work import DEVELOPMENT, Item

ENCODINGS = RUNS / ".encodings"
REPORTED = 800_000
ALIGNED, PERMUTED, QUEUE, KEEP = "aligned", "permuted", "queue", "keep"
N_DRAWS, N_QUEUES, N_QUICK = 300, 20, 3
CONTAMINATED, FIRST, QUEUE_BAR = 0.1, 0.2, 0.75
FALSE_BAR = 0.02
COSINES = (0.0, 0.05, 0.1, 0.15, 0.2)
NOT_SHOWN = ("unknown", "none")


class RealSet(NamedTuple):
    """A real set: its source, the pairs of a draw and of a queue, the bar, and the first row that is reported."""

    source: Mapping[str, Any]
    n: int
    bar: float
    n_queue: int
    first_reported: int
    bar_of_queue: float | None


SETS: Mapping[str, RealSet] = {
    FLICKR8K: RealSet(REAL[FLICKR8K], 50, 0.95, 2000, 2560, QUEUE_BAR),
    OPENMOJI: RealSet({"kind": "emoji"}, 100, 0.90, 1600, 0, None),
}


def items(*, is_whole: bool) -> list[Item]:
    """Return all draws, each kind by turns."""
    numbers = {ALIGNED: N_DRAWS, PERMUTED: N_DRAWS, QUEUE: N_QUEUES, KEEP: 1}
    first = REPORTED if is_whole else DEVELOPMENT
    listed = [
        Item(kind, each.n if kind in (ALIGNED, PERMUTED) else each.n_queue, 1, 0.0, first + place * 1000 + seed, name)
        for name, each in SETS.items()
        if is_there(name)
        for place, (kind, n) in enumerate(numbers.items())
        for seed in range(n if is_whole else min(n, N_QUICK))
    ]
    return sorted(listed, key=lambda item: item.seed % 1000)


@cache
def pairs_of(name: str) -> Frame:
    """Return the pairs of the set *name* that have a label and an image."""
    folder = RUNS / f"agreement-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    rows = pl.concat([records for records, _ in open_source(SETS[name].source).read(folder)], how="diagonal")
    whole = rows.filter(pl.all_horizontal(pl.col("text", "image", "label").is_not_null()))
    return whole if "group" in whole.columns else whole.with_columns(group="id")


def encode_all(name: str) -> None:
    """Encode all pairs of the set *name* that are not encoded yet."""
    for encoder, modality in ((joint_space().images, "image"), (joint_space().texts, "text")):
        build_encodings(pairs_of(name), encoder, modality, cache=ENCODINGS, on_count=partial(_count, name, modality))


def _count(name: str, modality: str, n: int, n_all: int) -> None:
    print(f"\rencoding {modality}s of {name}: {n} of {n_all}", end="\n" if n == n_all else "", flush=True)


def draw(item: Item, runs: Path) -> dict[str, Any]:
    """Make the draw of *item*."""
    make = {QUEUE: _queue, KEEP: _keep}.get(item.kind, _recognition)
    return timed(item, runs, make)


def _drawn(item: Item) -> tuple[Frame, np.random.Generator]:
    """Return the pairs of a draw.  Reported draws of Flickr8k have none of the rows that a threshold was chosen on."""
    every, first = pairs_of(item.pairs), SETS[item.pairs].first_reported
    is_reported = item.seed >= REPORTED
    allowed = every.filter((pl.col("row") >= first) == is_reported) if first else every
    rng = np.random.default_rng(item.seed)
    return allowed[np.sort(rng.permutation(len(allowed))[: item.n])], rng


def _checked(pairs: Frame) -> dict[str, Any]:
    """Return the finding of CP004 on *pairs*, without any contender."""
    encode = partial(load_encodings, cache=ENCODINGS)
    tables = {"pairs": pairs, "predictions": empty(PREDICTIONS)}
    given = {"modalities": {}, "fit_of": lambda _: None, "depth": "full", "encode": encode}
    check = check_of("CP004")
    found = check.run(**Inputs(tables | given).select(check.needs))
    return {"severity": found["severity"], **json.loads(found["evidence"])}


def _recognition(item: Item, runs: Path) -> dict[str, Any]:  # noqa: ARG001
    pairs, rng = _drawn(item)
    if item.kind == PERMUTED:
        pairs = pairs.with_columns(pairs["text"].gather(rng.permutation(len(pairs))))
    found = _checked(pairs)
    return {name: found.get(name) for name in ("severity", "association", "own_image", "shifted_by")}


def _queue(item: Item, runs: Path) -> dict[str, Any]:  # noqa: ARG001
    pairs, rng = _drawn(item)
    moved, origin = rng.choice(len(pairs), round(CONTAMINATED * len(pairs)), replace=False), np.arange(len(pairs))
    origin[moved] = np.roll(moved, 1)
    found = _checked(pairs.with_columns(pairs["text"].gather(origin)))
    first = {*list(found["queue"])[: round(FIRST * len(pairs))]}
    n_found = len(first & {*pairs["id"].gather(moved)})
    return {"n_moved": len(moved), "n_found": n_found, "severity": found["severity"]}


def _keep(item: Item, runs: Path) -> dict[str, Any]:  # noqa: ARG001
    """Count the own and the other pairs whose cosine in the space alone reaches each of `COSINES`."""
    pairs, rng = _drawn(item)
    joint, rows = shared_encoder(JOINT), np.arange(len(pairs))
    texts = joint.encode_texts(pairs["text"].to_list())
    images = joint_space().in_space(load_encodings(pairs, joint_space().images, "image", cache=ENCODINGS)[rows])
    own, other = (cosines(texts[order], images) for order in (rows, np.roll(rng.permutation(rows), 1)))
    return {"own": [int((own >= least).sum()) for least in COSINES],
            "other": [int((other >= least).sum()) for least in COSINES]}  # fmt: skip


def cosines(a: Any, b: Any) -> Any:
    """Return the cosine of each row of *a* with the row of *b*, shape (n,)."""
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def summary(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the figures of *results*."""
    made = [result for result in results if "error" not in result]
    errors = sorted({f"{each['kind']} {each['pairs']}: {each['error']}" for each in results if "error" in each})
    return {
        "n_draws": len(results), "n_errors": len(results) - len(made), "errors": errors[:10],
        "cosines": COSINES, "core_s": round(sum(result["took_s"] for result in results)),
        "sets": {name: own for name in SETS if (own := _of_set([each for each in made if each["pairs"] == name]))},
        "false_recognition": _rate([each for each in made if each["kind"] == PERMUTED], is_recognised),
        "false_alarm": _rate([each for each in made if each["kind"] == ALIGNED], is_alarm),
    }  # fmt: skip


def _of_set(made: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    of = {kind: [each for each in made if each["kind"] == kind] for kind in (ALIGNED, PERMUTED, QUEUE, KEEP)}
    if not made:
        return {}
    real = SETS[made[0]["pairs"]]
    found, moved = (sum(each[name] for each in of[QUEUE]) for name in ("n_found", "n_moved"))
    return {
        "n": real.n,
        "n_queue": real.n_queue,
        "recognised": _rate(of[ALIGNED], is_recognised),
        "false_recognition": _rate(of[PERMUTED], is_recognised),
        "detected": _rate(of[PERMUTED], is_alarm),
        "false_alarm": _rate(of[ALIGNED], is_alarm),
        "queue": share_of(found, moved) if moved else None,
        "kept": {name: [k / each["n"] for k in each[name]] for each in of[KEEP] for name in ("own", "other")},
    }


def _rate(made: Sequence[Mapping[str, Any]], counts: Any) -> dict[str, float] | None:
    return share_of(sum(map(counts, made)), len(made)) if made else None


def is_recognised(result: Mapping[str, Any]) -> bool:
    """Return whether CP004 found an association in the draw."""
    return result["association"] not in (None, *NOT_SHOWN)


def is_alarm(result: Mapping[str, Any]) -> bool:
    """Return whether CP004 warned or failed."""
    return result["severity"] in ALARMS


def lines(found: Mapping[str, Any]) -> Iterable[str]:
    """Yield the lines for a terminal."""
    yield f"{found['n_draws']} draws, {found['n_errors']} errors, {found['core_s']} core seconds"
    for name, own in found["sets"].items():
        yield from _lines_of_set(SETS[name], name, own)
    for name in ("false_recognition", "false_alarm"):
        if found[name]:
            yield f"{name}, pooled: {rate_text(found[name])}  {MET[found[name]['share'] <= FALSE_BAR]}"
    yield from found["errors"]


def _lines_of_set(real: RealSet, name: str, own: Mapping[str, Any]) -> Iterable[str]:
    yield f"{name}, {real.n} pairs: recognised {_text(own['recognised'], real.bar)}"
    yield f"  permuted texts: detected {_text(own['detected'], real.bar)}"
    yield f"  a tenth permuted: in the first fifth of the queue {_text(own['queue'], real.bar_of_queue)}"
    for least, *shares in zip(COSINES, *own["kept"].values(), strict=False):
        yield f"  select.agreement {least:g} keeps {shares[0]:.1%} of own pairs and {shares[1]:.1%} of others"


def _text(rate: Mapping[str, float] | None, bar: float | None) -> str:
    if rate is None:
        return "no draws"
    return f"{rate_text(rate)}  {'no bar' if bar is None else MET[rate['share'] >= bar]}"


def main() -> None:
    """Encode the pairs, make the draws that are not stored yet, and print their summary."""
    args = parser_of(__doc__).parse_args()
    listed = items(is_whole=args.whole)
    if not args.summary:
        if missing := CATALOGUE[JOINT].missing():
            sys.exit(f"This benchmark needs {', '.join(missing)}: {INSTALL}")
        for name in {item.pairs for item in listed}:
            encode_all(name)
    Draws("agreement", draw, summary, lines).report(args, listed)


if __name__ == "__main__":
    main()
