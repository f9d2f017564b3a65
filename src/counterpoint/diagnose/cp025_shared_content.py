"""CP025: many rows share one picture or one phrase, such as "image not available", and it may give the class away.

A picture is shared if its perceptual hash, or the bytes of a blank one, is that of rows with other texts.  A phrase is
shared if many texts begin or end with it, or have it between punctuation, and its words rarely occur elsewhere.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint import number_formats as numbers
from counterpoint.diagnose.check import Check, Cost, Finding, rounded
from counterpoint.diagnose.queues import queue_evidence
from counterpoint.features.tokens import tokenize
from counterpoint.metrics.intervals import wilson
from counterpoint.schema import Frame

MANY_ROWS, MANY_SHARE, MANY_TIMES = 10, 0.01, 10
"""Many rows share a value if they are ten or more, 1 % of all, and ten times the rows of a usual value.

In a set with five captions a picture, a picture of five rows is no placeholder.  A value of half of all rows is shared
in any case.
"""
UNINFORMATIVE_AT = 0.05
"""The share of rows with a shared picture or text from which the check warns, as for blank images in CP017."""
P_LIMIT, GIVES_AWAY = 0.001, 0.3
"""A value gives a class away if its rows are 30 % of the way from the share of that class to all, with this p-value."""
DIFFERENT = 0.5
"""Rows with one picture and one text are copies of a pair, which CP002 counts.  So this share has other partners."""
LENGTHS = range(3, 8)
"""The numbers of words of a phrase at the start or at the end of a text."""
OWN_WORDS, OWN_SHARE = 2, 0.8
"""A phrase has at least two words of its own: of their texts, 80 % have the phrase.  "a group of" has only one."""
MOST_SHOWN, MOST_LETTERS = 12, 60
SUBJECT = "pairs"
PICTURE, TEXT, PHRASE = "picture", "text", "phrase"


class Shared(NamedTuple):
    """One picture, text or phrase that many rows share.

    Attributes
    ----------
    kind, value
        *kind* is "picture", "text" or "phrase".  *value* is the words, or the id of the first row of a picture.
    rows
        *rows* are the positions of its rows.
    label, share, p
        *label* is the class that it shows most clearly, *share* is the share of that class in its rows, and *p* is the
        p-value after Bonferroni's correction.
    gives_away
        *gives_away* is whether it gives that class away.
    """

    kind: str
    value: str
    rows: NDArray[np.intp]
    label: str
    share: float
    p: float
    gives_away: bool


@final
class SharedContent(Check):
    """Look for pictures, texts and phrases that many rows share, and at the classes of these rows."""

    code = "CP025"
    title = "Placeholders and stock phrases"
    advice = "Leave rows with a placeholder out with the setting exclude, and put a stock phrase into text.mask."
    cost = Cost("0.1 s")
    needs = ("pairs",)

    def run(self, *, pairs: Frame) -> Finding:
        """Return the finding on pictures, whole texts and phrases."""
        if not ({"sha256", "phash"} <= set(pairs.columns) or "text" in pairs.columns) or len(pairs) < MANY_ROWS:
            return self.not_applicable(SUBJECT, f"There are no texts and images, or fewer than {MANY_ROWS} rows.")
        found = _by_class(pairs, list(_candidates(pairs)))
        queue = _queue(pairs, found)
        evidence = queue_evidence(queue, "shared") | {"table": _table(found, len(pairs))}
        share = len(queue) / len(pairs)
        alarms = [*_given_away(found, pairs), *_uninformative(len(queue), len(pairs))]
        if alarms:
            return self.finding("warn", SUBJECT, " ".join([*alarms, *_advice(found)]), **evidence)
        if found:
            counted = numbers.count(len(found))
            kept = (
                f"{counted} pictures, texts or phrases are shared by many rows, but they give no class away. "
                f"{numbers.share(share, decimals=1)} of the rows have a shared picture or text."
            )
            return self.finding("info", SUBJECT, kept, **evidence)
        return self.finding("info", SUBJECT, "No picture, text or phrase is shared by many rows.", **evidence)


def _given_away(found: Sequence[Shared], pairs: Frame) -> list[str]:
    strongest = sorted((each for each in found if each.gives_away), key=lambda each: (each.p, -len(each.rows)))
    base = dict(pairs["label"].value_counts(normalize=True, name="share").iter_rows())
    return [
        f"{numbers.count(len(each.rows))} rows share {_name(each)}. {numbers.share(each.share)} of them are of class "
        f"{each.label}, which has {numbers.share(base[each.label])} of all rows. So it gives the class away."
        for each in strongest[:2]
    ]


def _name(shared: Shared) -> str:
    if shared.kind == PICTURE:
        return f"the picture of row {shared.value}"
    return f'the {shared.kind} "{shared.value}"'


def _uninformative(n_shared: int, n: int) -> list[str]:
    if wilson(n_shared, n)[0] <= UNINFORMATIVE_AT:
        return []
    share = numbers.share(n_shared / n, decimals=1)
    return [f"{share} of the rows have a picture or a text that many rows share, and so little content of their own."]


def _advice(found: Sequence[Shared]) -> Iterator[str]:
    if any(each.kind != PHRASE for each in found):
        yield "Leave these rows out with exclude: the ids are in the queue of this finding."
    if phrases := [each.value for each in found if each.kind == PHRASE and each.gives_away]:
        yield f"Mask the phrase with text.mask: {phrases[:2]}."


def _queue(pairs: Frame, found: Sequence[Shared]) -> list[dict[str, Any]]:
    """Return the rows with a shared picture or text, those that give a class away first."""
    if "id" not in pairs.columns:
        return []
    first = sorted((each for each in found if each.kind != PHRASE), key=lambda each: not each.gives_away)
    kinds: dict[int, str] = {}
    for each in first:
        for row in each.rows.tolist():
            kinds.setdefault(row, each.kind)
    ids = pairs["id"]
    return [{"id": ids[row], "shared": kind} for row, kind in kinds.items()]


def _table(found: Sequence[Shared], n: int) -> list[dict[str, Any]]:
    rows = [
        {"shared": each.kind, "value": each.value, "rows": len(each.rows), "share": len(each.rows) / n,
         "class": each.label, "share of the class": each.share, "p": each.p}
        for each in sorted(found, key=lambda each: (not each.gives_away, -len(each.rows)))[:MOST_SHOWN]
    ]  # fmt: skip
    return rounded(rows)


# The classes of the rows of a value.

Candidate = tuple[str, str, NDArray[np.intp]]
"""The kind, the value and the rows of a value that many rows share."""


def _by_class(pairs: Frame, candidates: Sequence[Candidate]) -> list[Shared]:
    """Return each candidate with the class that it shows most clearly (hypergeometric test, over all classes)."""
    from scipy.stats import hypergeom  # noqa: PLC0415 - takes longer than most checks

    names, codes = np.unique(pairs["label"].to_numpy(), return_inverse=True)
    sizes, n, found = np.bincount(codes), len(codes), []
    for kind, value, rows in candidates:
        counts = np.bincount(codes[rows], minlength=len(names))
        p_values = hypergeom.sf(counts - 1, n, sizes, len(rows))
        best = int(np.argmin(p_values))
        p = min(1.0, float(p_values[best]) * len(names) * len(candidates))
        share, base = counts[best] / len(rows), sizes[best] / n
        excess = (share - base) / (1 - base) if base < 1 else 0.0
        gives_away = p < P_LIMIT and excess >= GIVES_AWAY
        found.append(Shared(kind, value, rows, str(names[best]), float(share), p, bool(gives_away)))
    return found


# Values that many rows share.


def _candidates(pairs: Frame) -> Iterator[Candidate]:
    known = set(pairs.columns)
    texts = tokenize(pairs["text"]).list.join(" ") if "text" in known else pl.Series([""] * len(pairs))
    pictures = pairs.select(_picture()).to_series() if {"sha256", "phash"} <= known else texts.clear()
    pictures = pictures if len(pictures) else pl.Series([None] * len(pairs), dtype=pl.String)
    ids = pairs["id"] if "id" in known else pl.Series(range(len(pairs))).cast(pl.String)
    for _, rows in _often(pictures, texts):
        yield PICTURE, str(ids[int(rows[0])]), rows
    whole: set[str] = set()
    for text, rows in _often(pl.select(pl.when(texts != "").then(texts)).to_series(), pictures):
        whole.add(text)
        yield TEXT, text[:MOST_LETTERS], rows
    if "text" in known:
        rest = pairs["text"].to_list()
        yield from _phrases([None if text in whole else own for text, own in zip(texts, rest, strict=True)])


def _picture() -> pl.Expr:
    """Return the perceptual hash of an image, or the hash of its bytes where it is blank."""
    return pl.coalesce(pl.col("phash").cast(pl.String), "sha256").alias("picture")


def _often(values: pl.Series, partners: pl.Series) -> Iterator[tuple[str, NDArray[np.intp]]]:
    """Yield each of the *values* that many rows share, with *partners* that mostly differ, and its rows."""
    table = pl.DataFrame({"value": values, "partner": partners, "row": range(len(values))}).drop_nulls("value")
    counts = table.group_by("value", maintain_order=True).agg("row", n=pl.len(), others=pl.col("partner").n_unique())
    if counts.is_empty():
        return
    usual = float(np.median(counts["n"].to_numpy()))
    least = max(_least(len(values)), min(MANY_TIMES * usual, len(values) / 2))
    has_partners = partners.count() > 0
    for value, rows, n, others in counts.sort("n", "value", descending=[True, False]).iter_rows():
        if n >= least and (not has_partners or others >= DIFFERENT * n):
            yield value, np.array(rows, dtype=np.intp)


def _least(n: int) -> float:
    return max(MANY_ROWS, MANY_SHARE * n)


def _phrases(texts: Sequence[str | None]) -> Iterator[Candidate]:
    """Yield the phrases that many of the *texts* share, the most frequent first, and of equal ones the longest."""
    words = tokenize(texts).to_list()
    parts = _between_punctuation(texts)
    ends = [_ends(own) | of_parts for own, of_parts in zip(words, parts, strict=True)]
    counts = Counter(phrase for phrases in ends for phrase in phrases)
    of_words = Counter(word for own in words for word in set(own))
    often = {phrase: n for phrase, n in counts.items() if n >= _least(len(texts)) and _is_own(phrase, n, of_words)}
    taken: list[str] = []
    for phrase in sorted(often, key=lambda phrase: (-often[phrase], -len(phrase), phrase)):
        text = f" {' '.join(phrase)} "
        if not any(text in other or other in text for other in taken):
            taken.append(text)
            rows = [row for row, phrases in enumerate(ends) if phrase in phrases]
            yield PHRASE, text.strip()[:MOST_LETTERS], np.array(rows, dtype=np.intp)


Phrase = tuple[str, ...]


def _ends(words: Sequence[str]) -> set[Phrase]:
    shorter = [n for n in LENGTHS if n < len(words)]
    return {tuple(words[:n]) for n in shorter} | {tuple(words[-n:]) for n in shorter}


def _between_punctuation(texts: Sequence[str | None]) -> list[set[Phrase]]:
    """Return the parts of each text between punctuation, without a text that is one part."""
    column = pl.DataFrame({"text": pl.Series(texts, dtype=pl.String).fill_null("")})
    split = column.select(pl.col("text").str.replace_all(r"[^\w\s'’]+|\n", "\n").str.split("\n"))["text"]
    flat = pl.DataFrame({"row": range(len(split)), "part": split}).explode("part")
    flat = flat.with_columns(words=tokenize(flat["part"])).filter(pl.col("words").list.len() > 0)
    flat = flat.filter(pl.len().over("row") > 1, pl.col("words").list.len().is_between(OWN_WORDS, max(LENGTHS)))
    found: list[set[Phrase]] = [set() for _ in texts]
    for row, words in flat.select("row", "words").iter_rows():
        found[row].add(tuple(words))
    return found


def _is_own(phrase: Phrase, n: int, of_words: Counter[str]) -> bool:
    return sum(n >= OWN_SHARE * of_words[word] for word in set(phrase)) >= OWN_WORDS
