"""Measure how often validation rows that are not their own are found: `histories.py [--whole]`.

Two parts have bars.  `curves` judges a training by its learning curves alone, and `studies` runs CP016 on small studies
with predictions.  Planted are validation rows that are permuted, all or half of them.  Clean are networks that train on
noise, a weak signal, or classes of 9 to 1, until they over-fit or the epochs end.  Without arguments a few small draws
of each are made, from development seeds.  `--whole` makes all, from seeds that no threshold was chosen on, and keeps
each in `results/draws/`, so that a later run resumes there.  It writes `results/histories.json`.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from counterpoint.diagnose import check_of
from counterpoint.measures.curve_signs import Curves, ValidationRows
from counterpoint.measures.learning_curves import PERFECT, Judgement, judged
from counterpoint.schema import ALARMS
from injection.command import Draws, parser_of
from injection.draw import study_of, timed
from injection.histories import KINDS, PLANTED, TOGETHER, histories
from injection.rates import MET, rate_text, share_of
from injection.studies import Place, contenders, study
from injection.work import DEVELOPMENT, Item

REPORTED, SEEDS_A_KIND = 700_000, 1_000
N_HISTORIES, N_HARD, N_OTHERS = 200, 500, 60
"""The number of histories of each kind that has a bar, of those of which few become perfect, and of each other kind."""
N_PLANTED, N_CLEAN = 10, 20
"""The number of studies of each planted kind and strength, and of each clean kind."""
HARD = ("noise", "weak")
WITH_BARS = ("permuted", "half_permuted", "rare_permuted", "noise", "weak", "rare", "sound")
CURVE_BARS, STUDY_BARS = (0.9, 0.05), (0.95, 0.02)
FOUND = "evaluated_on_other_rows"
FAULTY = ("text", "image", "label")
CLEAN: Mapping[str, tuple[float, float, int]] = {"noise": (0, 0, 1), "weak": (0.25, 0.25, 1), "rare": (0.6, 0.6, 9)}
"""Signals of text and image, and the ratio of the classes."""
SIGNALS = {"text_signal": 0.97, "image_signal": 0.9}
NETWORK = {
    "kind": "paper-lstm-cnn", "name": "lstm-cnn", "activation": "relu", "padding": "pre", "side_px": 16, "length": 16,
    "hidden": 16, "epochs": 14, "batch": 32, "lr": 0.004,
}  # fmt: skip
"""A network that keeps its last epoch."""
CURVES, STUDY = "curves ", "study "


def items(*, is_whole: bool) -> list[Item]:
    """Return all draws: the groups of histories, then the studies, each kind by turns."""
    groups = [
        Item(CURVES + kind, 0, 1, 0.0, place * SEEDS_A_KIND + seed)
        for place, kind in enumerate(KINDS)
        for seed in range((N_HARD if kind in HARD else N_HISTORIES if kind in WITH_BARS else N_OTHERS) // TOGETHER)
    ]
    planted = [
        Item(STUDY + kind, 1000, 1, strength, (place + 40) * SEEDS_A_KIND + round(10 * strength) * 50 + seed)
        for place, kind in enumerate(FAULTY)
        for strength in (1.0, 0.5)
        for seed in range(N_PLANTED)
    ]
    clean = [
        Item(STUDY + kind, 1000, ratio, 0.0, (place + 50) * SEEDS_A_KIND + seed)
        for place, (kind, (*_, ratio)) in enumerate(CLEAN.items())
        for seed in range(N_CLEAN)
    ]
    listed = [*sorted([*groups, *planted, *clean], key=lambda item: item.seed % 50)]
    first = REPORTED if is_whole else DEVELOPMENT
    chosen = listed if is_whole else [item for item in listed if item.seed % 50 == 0 and item.strength in (0, 1)]
    return [item._replace(seed=first + item.seed) for item in chosen]


def draw(item: Item, runs: Path) -> dict[str, Any]:
    """Make the histories or the study of *item*."""
    return timed(item, runs, _histories if item.kind.startswith(CURVES) else _study)


def _histories(item: Item, runs: Path) -> dict[str, Any]:  # noqa: ARG001
    torch.set_num_threads(1)
    made = histories(item.kind.removeprefix(CURVES), item.seed)
    return {"histories": [{name: each[name] for name in ("counts", "curves")} for each in made]}


def _study(item: Item, runs: Path) -> dict[str, Any]:
    kind, place = item.kind.removeprefix(STUDY), Place(item.n, item.ratio, item.seed)
    text, image, _ = CLEAN.get(kind, (SIGNALS["text_signal"], SIGNALS["image_signal"], 1))
    source = {"text_signal": text, "image_signal": image, "are_folds_random": True}
    if kind in FAULTY:
        source |= {"fault": f"other_{kind}", "strength": item.strength}
    named = [*contenders(place, "majority", "text-svm", "image-cnn"), NETWORK]
    opened = study_of(study(place, source, named, split={"kind": "given"}), runs)
    check = check_of("CP016")
    found = check.run(**opened.check_inputs.select(check.needs))
    return {name: found[name] for name in ("severity", "evidence", "explanation")}


def judgement_of(history: Mapping[str, Any]) -> Judgement:
    """Return the judgement of one made history."""
    counts = np.asarray(history["counts"])
    train_loss, train, valid_loss, valid = np.asarray(history["curves"]).T
    curves = Curves(np.arange(len(train)), train_loss, valid_loss, train, valid)
    return judged(curves, ValidationRows(counts / counts.sum(), int(counts.sum())))


def summary(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the figures of *results*."""
    errors = [f"{result['kind']}: {result['error']}" for result in results if "error" in result]
    made = [result for result in results if "error" not in result]
    return {
        "n_draws": len(results),
        "errors": sorted(set(errors))[:10],
        "n_errors": len(errors),
        "core_s": round(sum(result["took_s"] for result in results)),
        "curves": {kind: own for kind in KINDS if (own := _of_curves(made, kind))},
        "studies": {kind: own for kind in (*FAULTY, *CLEAN) if (own := _of_studies(made, kind))},
    }


def _of_curves(made: Iterable[Mapping[str, Any]], kind: str) -> dict[str, Any]:
    own = [each for result in made if result["kind"] == CURVES + kind for each in result["histories"]]
    if not own:
        return {}
    answered = [judgement_of(each).answer for each in own]
    perfect = [answer == FOUND for answer, each in zip(answered, own, strict=True) if each["curves"][-1][1] >= PERFECT]
    return {
        "found": share_of(answered.count(FOUND), len(own)),
        "found_of_perfect": share_of(sum(perfect), len(perfect)) if perfect else None,
        "answers": dict(Counter(answered)),
    }


def _of_studies(made: Iterable[Mapping[str, Any]], kind: str) -> dict[str, Any]:
    own = [result for result in made if result["kind"] == STUDY + kind]
    found: dict[str, Any] = {}
    for strength in sorted({result["strength"] for result in own}):
        here = [result for result in own if result["strength"] == strength]
        evidence = [read_evidence(result) for result in here]
        alarms = sum(bool(each) for each in evidence)
        wrong = Counter(" or ".join(next(iter(each.values()))["wrong"]) or "none" for each in evidence if each)
        any_alarm = sum(result["severity"] in ALARMS for result in here)
        found[f"{strength:g}"] = {
            "found": share_of(alarms, len(here)),
            "any_alarm": share_of(any_alarm, len(here)),
            "wrong": dict(wrong),
        }
    return found


def read_evidence(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the networks of a study whose rows are not their own."""
    found: dict[str, Any] = json.loads(result["evidence"]).get("other_rows", {})
    return found


def lines(found: Mapping[str, Any]) -> Iterable[str]:
    """Yield the lines for a terminal."""
    yield f"{found['n_draws']} draws, {found['n_errors']} errors, {found['core_s']} core seconds"
    for kind, own in found["curves"].items():
        bar = _bar(own["found"], kind in PLANTED, CURVE_BARS) if kind in WITH_BARS else "no bar"
        perfect = f"with perfect training {rate_text(own['found_of_perfect'])}"
        yield f"curves {kind:<14} {rate_text(own['found'])}  {bar}  {perfect}  {own['answers']}"
    for kind, by_strength in found["studies"].items():
        for strength, own in by_strength.items():
            any_alarm = f"any alarm of CP016 {rate_text(own['any_alarm'])}"
            yield f"study {kind:<6} {strength:<4} {rate_text(own['found'])}  {own['wrong']}  {any_alarm}"
    for name, kinds in (("planted", FAULTY), ("clean", tuple(CLEAN))):
        if rate := _together(found, kinds):
            yield f"studies, {name}: {rate_text(rate)}  {_bar(rate, kinds is FAULTY, STUDY_BARS)}"
    yield from map(str, found["errors"])


def _together(found: Mapping[str, Any], kinds: Iterable[str]) -> dict[str, float] | None:
    rates = [own["found"] for kind in kinds for own in found["studies"].get(kind, {}).values()]
    return share_of(sum(rate["k"] for rate in rates), sum(rate["n"] for rate in rates)) if rates else None


def _bar(rate: Mapping[str, float], is_planted: bool, bars: tuple[float, float]) -> str:
    return MET[rate["share"] >= bars[0] if is_planted else rate["share"] <= bars[1]]


def main() -> None:
    """Make the draws that are not stored yet, and print their summary."""
    parser = parser_of(__doc__)
    parser.add_argument("--only", choices=("curves", "study"), help="only this part")
    args = parser.parse_args()
    listed = [item for item in items(is_whole=args.whole) if item.kind.startswith(args.only or "")]
    Draws("histories", draw, summary, lines).report(args, listed)


if __name__ == "__main__":
    main()
