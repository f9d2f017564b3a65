"""The truths: joint chances of class, text topic, picture type and host, and the best that a reader of each could do.

A truth is a table.  Everything that is claimed about a modality follows from it, because given topic and type the words
and the picture depend on nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from counterpoint.metrics import METRICS, PredictedRows, decide, find_metric
from independent.language import N_TOPICS

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

SIZES = (150, 600, 2000)
SCORED = ("accuracy", "balanced_accuracy", "macro_f1", "roc_auc")
"""The metrics in which truths are known."""
READERS = ("text", "image", "both", "host")
BITS = "bits"
NOTHING = 1e-9
"""Gains in bits below this are rounding."""
LEVELS = np.linspace(-2, 2, N_TOPICS)


@dataclass(frozen=True)
class Truth:
    """A scenario.

    Parameters
    ----------
    joint
        *joint* returns the chances of class, topic, type and host, shape (K, topics, types, hosts), which sum to 1.
    own
        *own* is whether each modality has information of its own.  False is two readings of one latent, and None is
        open to interpretation.
    interacts
        *interacts* is whether the label needs both modalities read together.
    off_topic, foreign
        *off_topic* is the share of texts without a topic, and *foreign* the share of texts that belong to other rows.
    copied
        *copied* is the share of rows that are near-duplicates of others.
    has_host
        *has_host* is whether the pairs have a column of hosts.
    sizes
        *sizes* are the numbers of pairs at which it is asked.
    """

    joint: Callable[[], Floats]
    own: bool | None = None
    interacts: bool = False
    off_topic: float = 0.0
    foreign: float = 0.0
    copied: float = 0.0
    has_host: bool = False
    sizes: tuple[int, ...] = SIZES

    @property
    def n_types(self) -> int:
        """The number of types of pictures."""
        return int(self.joint().shape[2])

    @property
    def n_classes(self) -> int:
        """The number of classes."""
        return int(self.joint().shape[0])

    def shown(self) -> Floats:
        """Return the chances of class, state of the text, type and host, shape (K, N_TOPICS + 1, types, hosts).

        The last state of a text is off-topic.  Texts that belong to other rows are drawn independently of their row.
        """
        joint = self.joint()
        texts = np.zeros((joint.shape[0], N_TOPICS + 1, *joint.shape[2:]))
        texts[:, : joint.shape[1]] = (1 - self.off_topic) * joint
        texts[:, N_TOPICS] = self.off_topic * joint.sum(1)
        rest, of_text = texts.sum(1, keepdims=True), texts.sum((0, 2, 3))[:, None, None]
        found: Floats = (1 - self.foreign) * texts + self.foreign * rest * of_text
        return found


class Latents(NamedTuple):
    """The class, state of the text, type of the picture and host of each row."""

    codes: Codes
    topics: Codes
    types: Codes
    hosts: Codes


def drawn(truth: Truth, n: int, rng: np.random.Generator) -> Latents:
    """Return the latents of *n* independent rows.

    >>> found = drawn(TRUTHS["exclusive_or"], 4, np.random.default_rng(0))
    >>> [len(column) for column in found]
    [4, 4, 4, 4]
    """
    shown = truth.shown()
    cells = rng.choice(shown.size, n, p=shown.ravel() / shown.sum())
    return Latents(*(np.asarray(axis, dtype=np.int64) for axis in np.unravel_index(cells, shown.shape)))


def channel(n: int, clarity: float) -> Floats:
    """Return the chance of each reading (column) of a latent with *n* values (rows).

    >>> channel(2, 0.5).tolist()
    [[0.75, 0.25], [0.25, 0.75]]
    """
    return clarity * np.eye(n) + (1 - clarity) / n


def readings(shares: tuple[float, ...], text: float, image: float, label: float = 1.0) -> Floats:
    """Return the joint chances of two noisy readings of one latent, of which the class is a reading too.

    Parameters
    ----------
    shares
        *shares* are the weights of the values of the latent.
    text, image, label
        *text*, *image* and *label* are the clarities of the readings.
    """
    n, weights = len(shares), np.array(shares) / sum(shares)
    channels = (channel(n, clarity) for clarity in (label, text, image))
    return np.einsum("z,zy,zt,zv->ytv", weights, *channels)[..., None]


def levels(text: float, image: float, flipped: float = 0.0) -> Floats:
    """Return the joint chances of two classes whose log odds are a sum over independent levels of text and image.

    Parameters
    ----------
    text, image
        *text* and *image* are the log odds of one level.
    flipped
        *flipped* is the share of labels that are wrong where the text has one of the two highest topics.
    """
    chance = expit(text * LEVELS[:, None] + image * LEVELS)
    wrong = np.where(np.arange(N_TOPICS) >= N_TOPICS - 2, flipped, 0.0)[:, None]
    chance = chance * (1 - wrong) + (1 - chance) * wrong
    return np.stack([1 - chance, chance])[..., None] / N_TOPICS**2


def averaged(odds: float, spread: float) -> Floats:
    """Return the joint chances of two noisy readings of one level, which alone decides on the class.

    Parameters
    ----------
    odds
        *odds* are the log odds of one level.
    spread
        *spread* is the standard deviation of the error of a reading, in levels.
    """
    chance = expit(odds * LEVELS)
    reading = softmax(-((LEVELS[:, None] - LEVELS) ** 2) / (2 * spread**2), axis=1)
    return np.einsum("zy,zt,zv->ytv", np.stack([1 - chance, chance], axis=1), reading, reading)[..., None] / N_TOPICS


def grouped(n: int, clarity: float) -> Floats:
    """Return the joint chances of *n* classes of which text and image each leave some, but not the same, undecided.

    The text shows the class without its last binary digit, and the image the same of the next class.  *clarity* is that
    of both readings.

    >>> grouped(3, 1.0)[..., 0].argmax(0).shape
    (2, 2)
    """
    classes = np.arange(n)
    of_text, of_image = (channel(groups.max() + 1, clarity)[groups] for groups in (classes // 2, (classes + 1) // 2))
    return np.einsum("yt,yv->ytv", of_text, of_image)[..., None] / n


def soft(shares: tuple[float, ...], text: float, image: float) -> Floats:
    """Return the joint chances of classes that make their own topic and type likelier, each independently.

    *shares* weigh the classes.  A topic or type of another number than the class has the same odds for all classes.
    *text* and *image* are the log odds of the own one.
    """
    n, weights = len(shares), np.array(shares) / sum(shares)
    of_text, of_image = (softmax(odds * np.eye(n, N_TOPICS), axis=1) for odds in (text, image))
    return np.einsum("y,yt,yv->ytv", weights, of_text, of_image)[..., None]


def exclusive(noise: float) -> Floats:
    """Return the joint chances of a class that is the exclusive or of topic and type, but for *noise*."""
    differs = 1 - np.eye(2)
    chance = differs * (1 - noise) + (1 - differs) * noise
    return np.stack([1 - chance, chance])[..., None] / 4


def of_hosts(text: float, image: float) -> Floats:
    """Return the joint chances where the host decides on class, topic and type, and nothing else binds these."""
    of_class = np.array([[0.92, 0.08], [0.8, 0.2], [0.2, 0.8], [0.08, 0.92]])
    of_text, of_image = channel(4, text), channel(4, image)
    return np.einsum("hy,ht,hv->ytvh", of_class, of_text, of_image) / 4


EVEN = (1.0, 1.0)
TRUTHS: Mapping[str, Truth] = {
    "text_only": Truth(partial(readings, EVEN, 0.7, 0.0), own=False),
    "image_only": Truth(partial(readings, EVEN, 0.0, 0.7), own=False),
    "weak_additive": Truth(partial(levels, 0.45, 0.45), own=True),
    "averaging": Truth(partial(averaged, 2.5, 1.1), own=False),
    "complementary": Truth(partial(levels, 1.8, 1.8), own=True),
    "exclusive_or": Truth(partial(exclusive, 0.05), interacts=True),
    "hidden_source": Truth(partial(of_hosts, 0.6, 0.6), own=False, has_host=True),
    "noise_by_topic": Truth(partial(levels, 1.5, 1.8, 0.25)),
    "three_classes": Truth(partial(grouped, 3, 0.75), own=True),
    "five_classes": Truth(partial(grouped, 5, 0.75), own=True),
    "shares_60_30_10": Truth(partial(soft, (6.0, 3.0, 1.0), 2.4, 2.0)),
    "one_to_twenty": Truth(partial(readings, (20.0, 1.0), 0.8, 0.7), sizes=(600, 2000)),
    "near_duplicates": Truth(partial(levels, 1.8, 1.8), own=True, copied=0.15),
    "off_topic": Truth(partial(levels, 2.0, 1.4), own=True, off_topic=0.15, foreign=0.1),
    "weak_image": Truth(partial(levels, 1.3, 0.25), own=True),
    "no_signal": Truth(partial(readings, EVEN, 0.0, 0.0)),
}
"""Each truth by name.  Its parameters were fixed before the reported draws."""


class Evidence(NamedTuple):
    """All that a reader could know of rows.

    Attributes
    ----------
    log_likelihood
        *log_likelihood* has the log chance of the words of each text in each state, shape (n, N_TOPICS + 1).
    types, hosts
        *types* and *hosts* have shape (n,).
    """

    log_likelihood: Floats
    types: Codes
    hosts: Codes


def chances(truth: Truth, evidence: Evidence) -> dict[str, Floats]:
    """Return the true chances of the classes given what each reader sees: no contender can know more.

    Returns
    -------
    dict
        Arrays of shape (n, K), by reader: the text, the image, both, and the host where there is one.
    """
    shown = truth.shown()
    likelihood = np.exp(evidence.log_likelihood - evidence.log_likelihood.max(1, keepdims=True))
    by_type = shown.sum(3)[:, :, evidence.types]  # (K, states, n)
    found = {
        "text": likelihood @ shown.sum((2, 3)).T,
        "image": shown.sum((1, 3))[:, evidence.types].T,
        "both": np.einsum("nt,ktn->nk", likelihood, by_type),
    }
    if truth.has_host:
        found["host"] = shown.sum((1, 2))[:, evidence.hosts].T
    return {reader: own / own.sum(1, keepdims=True) for reader, own in found.items()}


def best_scores(truth: Truth, evidence: Evidence, codes: Codes) -> dict[str, dict[str, float]]:
    """Return the scores of the best possible reader of each modality, of both, and of the host.

    Accuracy, balanced accuracy and bits are exact given the evidence.  Macro-F1 and ROC AUC are those of the rows with
    the classes *codes*.
    """
    shares = truth.shown().sum((1, 2, 3))
    return {reader: _scores(proba, shares, codes) for reader, proba in chances(truth, evidence).items()}


def _scores(proba: Floats, shares: Floats, codes: Codes) -> dict[str, float]:
    rows = np.arange(len(proba))
    found = {metric: metric_value(metric, proba, codes, shares) for metric in ("macro_f1", "roc_auc")}
    found["accuracy"] = float(proba.max(1).mean())
    chosen = decide(proba, metric="balanced_accuracy", shares=shares)
    mine = np.zeros_like(proba)
    mine[rows, chosen] = proba[rows, chosen]
    # Divided by the true shares, and not by the mean of the chances: a reader of nothing is exactly at chance.
    found["balanced_accuracy"] = float((mine.mean(0) / shares).mean())
    entropy = -np.sum(shares * np.log2(shares))
    found[BITS] = float(entropy + (proba * np.log2(np.maximum(proba, 1e-300))).sum(1).mean())
    return found


def metric_value(metric: str, proba: Floats, codes: Codes, shares: Floats) -> float:
    """Return a *metric* of predictions of rows with the classes *codes*, by the decision rule of all contenders.

    >>> metric_value("accuracy", np.array([[0.7, 0.3], [0.4, 0.6]]), np.array([0, 0]), np.array([0.5, 0.5]))
    0.5
    """
    predicted = decide(proba, metric=metric, shares=shares)
    rows = PredictedRows(codes, proba, predicted=predicted)
    return float(find_metric(metric)(rows.weigh(np.ones((1, len(codes)))))[0])


assert set(SCORED) <= set(METRICS)
