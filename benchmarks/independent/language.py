"""A made-up language: Zipf words in sentences of random length, whose frequencies depend on the topic of the text.

It knows no class.  No word proves a topic: each word occurs in all topics, only more often in some.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

TOPICS: tuple[str, ...] = (
    """otter heron badger salmon falcon beetle meadow burrow antler whisker forest herd paw feather nest tide moss
    lizard squirrel owl pond fur hoof den swan trout hedge wing deer fox""",
    """hammer wrench drawer hinge socket drill cable handle lever screw bolt toolbox shelf lamp kettle battery lock
    bucket ladder nail clamp saw brush bulb rope pulley gauge valve plug tape""",
    """laugh tear grin sorrow joy anger blush sigh fear hope pride shame smile weep cheer worry delight grief calm
    envy wonder relief panic regret trust mood frown giggle comfort longing""",
    """airport harbour tram ticket luggage bridge passport highway ferry platform hotel canal runway taxi museum
    station avenue tunnel cruise suburb tower plaza map border garage cabin journey castle square subway""",
    """soup pepper bread cheese noodle garlic oven butter honey salad pastry lemon rice onion sauce grill spice apple
    dumpling cream vinegar pancake basil stew cherry ginger walnut omelette jam cocoa""",
)
"""The topical words of each topic."""
ASIDES = """invoice tariff clause audit ledger quorum statute payroll warrant tenant lease deed auditor notary premium
quota surcharge dividend rebate levy bylaw permit tender escrow mandate docket appendix receipt annuity proxy"""
"""The topical words of a text that is off-topic."""
N_TOPICS = len(TOPICS)
OFF = N_TOPICS
"""The state of a text that is off-topic.  It has no evidence on any topic."""
N_COMMON = 4500
SHIFT, EXPONENT = 2.7, 1.07
"""Of the law of Zipf and Mandelbrot: a word of rank r has the weight 1 / (r + SHIFT) ** EXPONENT."""
TOPICAL, OWN, TILT = 0.35, 0.7, 0.25
"""The share of topical words in a text, the share of these that are of its own topic, and the standard deviation of the
logarithm of the frequency of a common word in a topic."""
LENGTH, SPREAD, SHORTEST, LONGEST = 13.0, 0.4, 5, 40
"""The median number of words of a text, the standard deviation of its logarithm, and its limits."""
SENTENCE = (4, 12)
_SEED = 20_231_107
_ONSETS = ("b", "br", "d", "dr", "f", "fl", "g", "gl", "k", "kr", "l", "m", "n", "p", "pl", "r", "s", "st", "t", "v")
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "ou")
_CODAS = ("", "", "l", "m", "n", "r", "s", "t", "nd", "sk")


class Language(NamedTuple):
    """The words, shape (n_words,), and their frequencies by topic and in off-topic texts, (n_words, N_TOPICS + 1)."""

    words: NDArray[np.str_]
    frequency: Floats


class Texts(NamedTuple):
    """Texts, and the log likelihood of each topic given the words of each, shape (n, N_TOPICS + 1)."""

    texts: list[str]
    log_likelihood: Floats


@cache
def language() -> Language:
    """Return the language, which is the same in all draws.

    >>> words, frequency = language()
    >>> len(set(words)), bool((frequency > 0).all()), frequency.sum(0).round(6).tolist()
    (4680, True, [1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    """
    rng = np.random.default_rng(_SEED)
    lists = [text.split() for text in (*TOPICS, ASIDES)]
    common = _common_words(rng, {word for words in lists for word in words})
    tilts = rng.normal(0, TILT, (N_COMMON, N_TOPICS + 1))
    tilts[:, OFF] = 0
    of_common = _zipf(N_COMMON)[:, None] * np.exp(tilts)
    blocks = [_zipf(len(words))[:, None] * _mixture()[:, place] for place, words in enumerate(lists)]
    frequency = np.concatenate([(1 - TOPICAL) * of_common / of_common.sum(0), TOPICAL * np.concatenate(blocks)])
    return Language(np.array([*common, *(word for words in lists for word in words)]), frequency)


def _mixture() -> Floats:
    """Return the share of each list of topical words in each topic, shape (N_TOPICS + 1 topics, N_TOPICS + 1 lists)."""
    rest = (1 - OWN) / N_TOPICS
    mixture = np.full((N_TOPICS + 1, N_TOPICS + 1), rest) + (OWN - rest) * np.eye(N_TOPICS + 1)
    mixture[OFF, :OFF] = rest
    return mixture


def _zipf(n: int) -> Floats:
    weights = 1 / (np.arange(1, n + 1) + SHIFT) ** EXPONENT
    found: Floats = weights / weights.sum()
    return found


def _common_words(rng: np.random.Generator, taken: set[str]) -> list[str]:
    """Return N_COMMON made-up words of one to three syllables, the frequent ones short."""
    words: dict[str, None] = {}
    while len(words) < N_COMMON:
        n_syllables = 1 + (len(words) > 60) + (rng.random() < 0.4) * (len(words) > 400)
        drawn = ((rng.choice(_ONSETS), rng.choice(_VOWELS), rng.choice(_CODAS)) for _ in range(n_syllables))
        word = "".join(part for syllable in drawn for part in syllable)
        if word not in taken:
            words.setdefault(word)
    return list(words)


def write(topics: Codes, rng: np.random.Generator) -> Texts:
    """Return a text for each of *topics*, whose words are independent given the topic.

    >>> found = write(np.array([0, 3, OFF]), np.random.default_rng(1))
    >>> len(found.texts), found.log_likelihood.shape, found.texts[0][0].isupper()
    (3, (3, 6), True)
    """
    words, frequency = language()
    lengths = np.clip(np.exp(rng.normal(np.log(LENGTH), SPREAD, len(topics))).round(), SHORTEST, LONGEST).astype(int)
    cumulated = frequency.cumsum(0)
    log_frequency = np.log(frequency)
    texts, evidence = [], np.empty((len(topics), N_TOPICS + 1))
    for row, (topic, length) in enumerate(zip(topics, lengths, strict=True)):
        chosen = np.minimum(np.searchsorted(cumulated[:, topic], rng.random(length)), len(words) - 1)
        texts.append(punctuated(words[chosen].tolist(), rng))
        evidence[row] = log_frequency[chosen].sum(0)
    return Texts(texts, evidence)


def punctuated(words: list[str], rng: np.random.Generator) -> str:
    """Return *words* as sentences of random length.

    >>> punctuated("a b c d e".split(), np.random.default_rng(0))
    'A b c d e.'
    """
    sentences, left = [], list(words)
    while left:
        length = int(rng.integers(SENTENCE[0], SENTENCE[1] + 1))
        length = length if len(left) - length >= SENTENCE[0] else len(left)
        sentences.append(" ".join(left[:length]).capitalize() + ".")
        left = left[length:]
    return " ".join(sentences)


def reworded(text: str, rng: np.random.Generator) -> str:
    """Return *text* with one word replaced by a common word, as in a near-duplicate.

    >>> old, new = "Alpha beta gamma delta.", reworded("Alpha beta gamma delta.", np.random.default_rng(0))
    >>> sum(a != b for a, b in zip(old.split(), new.split()))
    1
    """
    words = text.split()
    place = int(rng.integers(len(words)))
    end = "." if words[place].endswith(".") else ""
    words[place] = str(language().words[rng.integers(50, N_COMMON)]) + end
    return " ".join(words)
