"""Keyword classes and text rules as polars expressions: one implementation for acquire, clean, label and contenders.

Does not read tables; each function turns settings into an expression over a text column.
"""

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Self

import polars as pl
from pydantic import model_validator

from counterpoint.errors import ConfigError, did_you_mean
from counterpoint.settings import Section

Match = Literal["word", "space", "substring", "regex"]
AMBIGUOUS, NONE = "ambiguous", "none"


class ClassRule(Section):
    """When a text belongs to a class: it has *any* of these, has *none* of those, and not *all* of a last list."""

    any: tuple[str, ...]
    """One of these must be there.  A plain list in place of a rule is its ``any``."""
    none: tuple[str, ...] = ()
    """None of these may be there."""
    not_all: tuple[str, ...] = ()
    """These may not all be there at once."""

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, value: Any) -> Any:
        return {"any": value} if isinstance(value, list | tuple) else value


class KeywordRules(Section):
    """Classes by keyword; a text that fits two classes is ambiguous, one that fits none is none."""

    classes: Mapping[str, ClassRule]
    """A rule for each class: words, or ``any``, ``none`` and ``not_all``."""
    match: Match = "word"
    """``word`` is between word boundaries, ``space`` with a space on both sides as in the 2023 study,
    ``substring`` anywhere (for scripts without spaces), ``regex`` a regular expression."""
    ignore_case: bool = True
    """Whether ``Dog`` fits ``dog``."""

    @model_validator(mode="after")
    def _at_least_two(self) -> Self:
        if len(self.classes) < 2:
            raise ValueError("keyword rules need at least two classes")
        taken = {AMBIGUOUS, NONE} & set(self.classes)
        if taken:
            raise ValueError(f"no class may be called {' or '.join(sorted(taken))}: that is what a text without one is")
        return self

    def label(self, text: pl.Expr) -> pl.Expr:
        """Return the class of each text, or "ambiguous", or "none".

        Examples
        --------
        >>> rules = KeywordRules(classes={"person": ["man", "woman"], "animal": ["cat", "dog"]})
        >>> texts = pl.DataFrame({"text": ["a man", "Dog!", "a man and his dog", "a mango"]})
        >>> texts.select(rules.label(pl.col("text")).alias("label"))["label"].to_list()
        ['person', 'animal', 'ambiguous', 'none']
        """
        fits = {name: self._fits(text, rule) for name, rule in self.classes.items()}
        n_fits = pl.sum_horizontal([fit.cast(pl.Int8) for fit in fits.values()])
        only = [pl.when(fit).then(pl.lit(name)) for name, fit in fits.items()]
        return pl.when(n_fits > 1).then(pl.lit(AMBIGUOUS)).otherwise(pl.coalesce(*only, pl.lit(NONE)))

    def _fits(self, text: pl.Expr, rule: ClassRule) -> pl.Expr:
        fit = self._has(text, rule.any)
        if rule.none:
            fit = fit & ~self._has(text, rule.none)
        if rule.not_all:
            fit = fit & ~pl.all_horizontal([self._has(text, [word]) for word in rule.not_all])
        return fit

    def _has(self, text: pl.Expr, words: Iterable[str]) -> pl.Expr:
        return text.str.contains(pattern(words, match=self.match, ignore_case=self.ignore_case)).fill_null(False)


STUDY_2023 = KeywordRules(
    classes={
        "person": ClassRule(any=("man", "men", "women", "woman", "boy", "girl"), not_all=("cat", "dog")),
        "animal": ClassRule(any=("cat", "dog"), none=("man", "men", "women", "woman", "boy", "girl")),
    },
    match="space",
    ignore_case=False,
)
"""The rule of the 2023 study: "person" is its class 1, "animal" its class 0."""

PRESETS = {"study-2023": STUDY_2023}


def preset(name: str) -> KeywordRules:
    """Return the keyword rules of a published study.

    >>> preset("study-2023").match
    'space'
    """
    if name not in PRESETS:
        raise ConfigError(f"Unknown label preset {name!r}.{did_you_mean(name, PRESETS)}")
    return PRESETS[name]


def pattern(words: Iterable[str], *, match: Match = "word", ignore_case: bool = True) -> str:
    """Return one regular expression (Rust's and Python's dialect alike) that finds any of *words*.

    Examples
    --------
    >>> import re
    >>> bool(re.search(pattern(["dog"]), "A Dog!")), bool(re.search(pattern(["dog"]), "dogma"))
    (True, False)
    """
    words = list(words)
    body = "|".join(words if match == "regex" else map(re.escape, words))
    shapes = {"word": r"\b(?:{})\b", "space": " (?:{}) ", "substring": "(?:{})", "regex": "(?:{})"}
    return ("(?i)" if ignore_case else "") + shapes[match].format(body)


def check_pattern(regex: str, *, where: str) -> str:
    """Return *regex* unchanged when polars can read it.

    Raises
    ------
    ConfigError
        When it is not a regular expression of Rust's dialect; *where* is the setting that it comes from.
    """
    try:
        pl.select(pl.lit("").str.contains(regex))
    except pl.exceptions.ComputeError as error:
        raise ConfigError(f"{where}: {regex!r} is not a regular expression: {_reason(error)}.") from error
    return regex


def _reason(error: Exception) -> str:
    """Return why polars cannot read it: after the picture of where, or at once."""
    lines = [line.strip() for line in str(error).splitlines()]
    reasons = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return (reasons or [lines[0].removeprefix("regex error: ")])[-1].rstrip(".")


def masked(text: pl.Expr, words: Iterable[str], *, match: Match = "word", ignore_case: bool = True) -> pl.Expr:
    """Return *text* without *words*, its white space folded.

    Examples
    --------
    >>> pl.DataFrame({"t": ["A man and his dog."]}).select(masked(pl.col("t"), ["man", "dog"]))["t"].item()
    'A and his .'
    """
    found = pattern(words, match=match, ignore_case=ignore_case)
    return text.str.replace_all(found, " ").str.replace_all(r"\s+", " ").str.strip_chars()


_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_LETTERS = rf"[[\p{{Alphabetic}}\p{{M}}\p{{N}}]--[{_UNSPACED}]]+"
_WORD = rf"[{_UNSPACED}]\p{{M}}*|{_LETTERS}(?:['’]{_LETTERS})*"


def words(text: pl.Expr) -> pl.Expr:
    """Return the words of each text in lower case, as a list; of a script without spaces, each letter is a word.

    >>> pl.DataFrame({"t": ["A red fox, don't!", "红狐狸 x"]}).select(words(pl.col("t")))["t"].to_list()
    [['a', 'red', 'fox', "don't"], ['红', '狐', '狸', 'x']]
    """
    return text.str.to_lowercase().str.extract_all(_WORD)


_CONTROLS = r"[[\p{Cc}\u{202A}-\u{202E}\u{2066}-\u{2069}\u{FEFF}]--\s]"
"""Control characters that are no white space, those that turn the direction of writing, and the byte order mark."""


def cleaned(text: pl.Expr) -> pl.Expr:
    r"""Return *text* with HTML entities resolved, in Unicode's form NFC, without controls, its white space folded.

    Examples
    --------
    >>> pl.DataFrame({"t": [" Tom &amp; Jerry\x07\n cafe\u0301 "]}).select(cleaned(pl.col("t")))["t"].item()
    'Tom & Jerry café'
    """
    resolved = text.map_batches(_unescaped, return_dtype=pl.String)
    composed = resolved.str.replace_all(_CONTROLS, "").str.normalize("NFC")
    return composed.str.replace_all(r"\s+", " ").str.strip_chars()


def _unescaped(texts: pl.Series) -> pl.Series:
    if not texts.str.contains("&", literal=True).any():
        return texts
    return pl.Series(texts.name, [text and html.unescape(text) for text in texts], dtype=pl.String)


def n_words(text: pl.Expr) -> pl.Expr:
    """Return how many words each text has, without making them.

    >>> pl.DataFrame({"t": ["A red fox, don't!", None]}).select(n_words(pl.col("t")))["t"].to_list()
    [4, None]
    """
    return text.str.to_lowercase().str.count_matches(_WORD)
