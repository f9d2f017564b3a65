"""Compare measures of contribution with the known truth of generated pairs.

The information decomposition must rank redundant, unique and synergistic bits in their true order.  The perceptual
score of a modality without a signal must have an interval that covers 0.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from counterpoint.config import Split
from counterpoint.contenders import make
from counterpoint.data.generate import generate
from counterpoint.data.recipe import SIGNALS
from counterpoint.data.split import split
from counterpoint.data.words import ENGLISH
from counterpoint.measures import information_decomposition as pid
from counterpoint.measures import perceptual_score, pid_of
from counterpoint.schema import MODALITIES, Frame
from counterpoint.seeds import child_seed
from injection.draw import Item, timed
from injection.sources import SIDE_PX
from injection.studies import Place, contenders

PID, PERCEPTUAL = "pid", "perceptual"
N_SETTINGS = 50
STRENGTHS = (0.6, 0.4, 0.2, 0.0)
"""The probabilities of the four signals, in a random order in each setting."""
APART_BITS = 0.05
"""Parts with a smaller true difference are not ranked, because a thousand rows are too few for that."""
NOTHING = 2
BARS = {PID: 0.95, PERCEPTUAL: 0.90}


def items(*, draws: int | None, first_seed: int) -> Iterator[Item]:
    """Yield the settings of both measures."""
    n_settings = N_SETTINGS if draws is None else min(draws, N_SETTINGS)
    for kind in (PID, PERCEPTUAL):
        yield from (Item(kind, 1000, 1, 1.0, first_seed + seed) for seed in range(n_settings))


def draw(item: Item, runs: Path) -> dict[str, Any]:
    """Return whether the measure was right in one setting."""
    return timed(item, runs, {PID: _ranks, PERCEPTUAL: _covers}[item.kind])


def _ranks(item: Item, folder: Path) -> dict[str, Any]:
    rng = np.random.default_rng(child_seed(item.seed, "signals"))
    signals = dict(zip(SIGNALS, rng.permutation(STRENGTHS).tolist(), strict=True))
    truth = pid(joint_of(signals))
    pairs = generate(folder, n=item.n, side_px=SIDE_PX, seed=item.seed, **signals)
    found = pid_of(*codes_of(pairs), draws=2, permutations=2).value
    return {"signals": signals, "truth": list(truth), "value": list(found), "is_right": in_order(truth, found)}


def in_order(truth: Sequence[float], found: Sequence[float]) -> bool:
    """Return whether all parts with a large enough true difference are in their true order.

    >>> in_order((0.4, 0.1, 0.09, 0.0), (0.3, 0.1, 0.12, 0.01)), in_order((0.4, 0.1), (0.1, 0.2))
    (True, False)
    """
    return all(found[a] > found[b] for a, b in product(range(len(truth)), repeat=2) if truth[a] - truth[b] > APART_BITS)


def joint_of(signals: Mapping[str, float]) -> NDArray[np.float64]:
    """Return the joint distribution of text signal, image signal and class, shape (9, 9, 2).

    Each modality shows the class, the other class or neither.  It also shows one half of the joint signal, the other
    half or neither.

    >>> float(joint_of({"text_signal": 0.5, "image_signal": 0, "redundant_signal": 0, "joint_signal": 0}).sum())
    1.0
    """
    joint = np.zeros((9, 9, 2))
    for label, half in product((0, 1), repeat=2):
        for there in product((0, 1), repeat=4):
            chances = (
                signals[name] if is_there else 1 - signals[name] for name, is_there in zip(SIGNALS, there, strict=True)
            )
            text, image, redundant, together = there
            shown = label if text or redundant else NOTHING, label if image or redundant else NOTHING
            halves = (half, (label - half) % 2) if together else (NOTHING, NOTHING)
            joint[3 * shown[0] + halves[0], 3 * shown[1] + halves[1], label] += float(np.prod(list(chances))) / 4
    return joint


def codes_of(pairs: Frame) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the text signal, the image signal and the class of each pair, as codes of `joint_of`."""
    label = pairs["label"].str.slice(-1).cast(int).to_numpy()
    text, image, together = (pairs[f"has_{name}_signal"].to_numpy() for name in (*MODALITIES, "joint"))
    half = pairs["text"].str.contains(rf"\b{ENGLISH.joint_words[1]}\b").cast(int).to_numpy()
    halves = np.where(together, half, NOTHING), np.where(together, (label - half) % 2, NOTHING)
    return 3 * np.where(text, label, NOTHING) + halves[0], 3 * np.where(image, label, NOTHING) + halves[1], label


def _covers(item: Item, folder: Path) -> dict[str, Any]:
    """Train a joint network on pairs with one modality without a signal, and compute the score of that modality."""
    idle, informative = MODALITIES[item.seed % 2], MODALITIES[1 - item.seed % 2]
    settings = {entry["kind"]: entry for entry in contenders(Place(item.n, 1, item.seed))}
    own = {
        kind: {key: value for key, value in entry.items() if key not in ("kind", "name")}
        for kind, entry in settings.items()
    }
    pairs = generate(folder, n=item.n, side_px=SIDE_PX, seed=item.seed, **{f"{informative}_signal": 0.6})
    folds = _split(pairs, item.seed)
    model = make("lstm-cnn", text=own["text-lstm"], image=own["image-cnn"], seed=item.seed, **own["lstm-cnn"])
    held_out = (folds["validation"], folds["validation"]["label"])
    model.fit(folds["train"], folds["train"]["label"], validation=held_out)
    score = perceptual_score(model, folds["test"], folds["test"]["label"], idle)
    return {"idle": idle, "value": list(score), "is_right": bool(score.low <= 0 <= score.high)}


def _split(pairs: Frame, seed: int) -> Mapping[str, Frame]:
    numbered = pairs.with_row_index("row").with_columns(group="id", label_source="label").cast({"row": int})
    folded, _ = split(numbered, Split(seed=seed))
    return {str(fold): rows for (fold,), rows in folded.group_by("fold")}


def summary(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return for each measure the number of correct settings, and its bar."""
    found = {kind: [result for result in results if result["kind"] == kind] for kind in BARS}
    return {
        kind: {"k": sum(bool(result.get("is_right")) for result in own), "n": len(own), "bar": BARS[kind]}
        for kind, own in found.items()
        if own
    }


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield one line for each measure."""
    for kind, own in found.items():
        yield f"{kind:<12}right in {own['k']} of {own['n']}, bar {own['bar']:.0%}"
