"""A title of each kind of contender, in words for readers who know no model."""

from collections.abc import Iterable, Mapping

TITLES: Mapping[str, str] = {
    "majority": "no reading, always the largest class",
    "keyword-rule": "text, a list of telling words",
    "metadata": "no reading, only sizes and lengths",
    "text-svm": "text, word counts",
    "text-ngrams": "text, counts of words and letters",
    "text-lstm": "text, small network",
    "text-probe": "text, pretrained model",
    "image-hog": "image, outlines",
    "image-cnn": "image, small network",
    "image-probe": "image, pretrained model",
    "zero-shot": "image, names of the classes",
    "lstm-cnn": "text and image, small network",
    "late-fusion": "text and image, two small models added",
    "pair-probe": "text and image, pretrained models",
    "probe-average": "text and image, two pretrained models averaged",
    "boosted-embeddings": "text and image, trees on pretrained models",
    "ensemble": "text and image, several models averaged",
    "paper-text-svm": "text, word counts as in 2023",
    "paper-text-lstm": "text, small network as in 2023",
    "paper-image-cnn": "image, small network as in 2023",
    "paper-lstm-cnn": "text and image, small network as in 2023",
}
"""The title of each kind in `MODELS`: the modalities that it reads, then the way in which it reads them."""
SUMS = ("late-fusion", "probe-average")
"""Kinds that add what models of one modality say, which were trained apart."""
COMBINATIONS = (*SUMS, "ensemble")
"""Kinds whose fits take the fits of other contenders, so that their own time of training is not all of it."""


def reading_of(modalities: Iterable[str] | None) -> str:
    """Return the modalities of a contender in words.

    >>> reading_of(["image", "text"]), reading_of([]), reading_of(None)
    ('text and image', 'no reading', 'not stated')
    """
    if modalities is None:
        return "not stated"
    return " and ".join(sorted(modalities, reverse=True)) or "no reading"


def titles_of(kinds: Mapping[str, str], modalities: Mapping[str, Iterable[str] | None]) -> dict[str, str]:
    """Return a title of each contender of *modalities*, no two of which are equal.

    Of two contenders of one kind, the one that has its name keeps the plain title.

    Parameters
    ----------
    kinds
        *kinds* has the kind of each contender by its name.  A contender without one is a model from outside.
    modalities
        *modalities* has the modalities that each contender reads, by its name.

    Examples
    --------
    >>> kinds = {"svm": "text-svm", "rare": "text-svm", "mine": "my_lab.bayes:CharBayes"}
    >>> found = titles_of(kinds, {"svm": ("text",), "rare": ("text",), "mine": ("text",), "gpt": ("text", "image")})
    >>> found["svm"], found["rare"], found["mine"], found["gpt"]
    ('text, word counts', 'text, word counts (rare)', 'text, mine', 'text and image, gpt')
    """
    found: dict[str, str] = {}
    for name in sorted(modalities, key=lambda name: kinds.get(name, name) != name):
        title = _title(name, kinds.get(name, name), reading_of(modalities[name]))
        found[name] = title if title not in found.values() else f"{title} ({name})"
    return found


def _title(name: str, kind: str, reading: str) -> str:
    known = TITLES.get(kind)
    if known is None:
        return f"{reading}, {name}"
    way = known.partition(", ")[2]
    # An ensemble of text models reads only the text, whatever its kind may read.
    return known if known.startswith(f"{reading}, ") or reading == "not stated" else f"{reading}, {way}"
