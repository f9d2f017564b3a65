"""Two words that divide texts, as example keywords for a study file without labels."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import combinations

N_WORDS = 40
FEW = 5


def two_words(texts: Sequence[str]) -> tuple[str, str] | None:
    """Return the two words that most often appear without each other, or None without such words.

    >>> two_words(["a red cat", "a red dog", "the cat sleeps", "two dogs", "a dog"])
    ('cat', 'dog')
    """
    sets = [set(re.findall(r"[^\W\d_]{3,}", text.lower())) for text in texts]
    n_texts = Counter(word for words in sets for word in words)
    frequent = [word for word, n in sorted(n_texts.items(), key=lambda each: (-each[1], each[0])) if n < len(texts)][
        :N_WORDS
    ]
    both = Counter(pair for words in sets for pair in combinations(sorted(words.intersection(frequent)), 2))

    def n_apart(pair: tuple[str, str]) -> int:
        return min(n_texts[word] for word in pair) - both[pair]

    pairs = list(combinations(sorted(frequent), 2))
    best = max(pairs, key=n_apart, default=None)
    return best if best is not None and n_apart(best) > 0 else None
