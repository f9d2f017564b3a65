"""Keyword classes and text rules as polars expressions: one implementation for acquire, clean, label and contenders.

Reads no table.  Each function turns settings into an expression over a text column.
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
    """The rule of a class: a text has one word of ``any``, no word of ``none``, and not all words of ``not_all``."""

    any: tuple[str, ...]
    """The text has at least one of these words.  A plain list in place of a rule is its ``any``."""
    none: tuple[str, ...] = ()
    """Words that the text does not have."""
    not_all: tuple[str, ...] = ()
    """Words that the text does not have all at once."""

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, value: Any) -> Any:
        return {"any": value} if isinstance(value, list | tuple) else value


class KeywordRules(Section):
    """Classes by keyword.  A text of two classes is ambiguous.  A text without a class is none."""

    classes: Mapping[str, ClassRule]
    """A rule for each class: words, or ``any``, ``none`` and ``not_all``."""
    match: Match = "word"
    """How a word is found: ``word`` between word boundaries, ``substring`` anywhere (for scripts without spaces),
    ``space`` between two spaces (as in the 2023 study), ``regex`` as a regular expression."""
    ignore_case: bool = True
    """Whether ``Dog`` counts as ``dog``."""

    @model_validator(mode="after")
    def _at_least_two(self) -> Self:
        if len(self.classes) < 2:
            raise ValueError("keyword rules need at least two classes")
        taken = {AMBIGUOUS, NONE} & set(self.classes)
        if taken:
            raise ValueError(f"no class may have the name {' or '.join(sorted(taken))}: texts without a class have it")
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
    """Return one regular expression that finds any of *words*, in the dialect of Rust and of Python.

    Parameters
    ----------
    words
        *words* are words, or regular expressions if *match* is "regex".
    match
        *match* is "word" (between word boundaries), "space" (between two spaces), "substring" or "regex".
    ignore_case
        *ignore_case* is True if ``Dog`` counts as ``dog``.

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
    """Return *regex* unchanged if polars can read it.

    Raises
    ------
    ConfigError
        When it is not a regular expression in the dialect of Rust.  The error names the setting *where*.
    """
    try:
        pl.select(pl.lit("").str.contains(regex))
    except pl.exceptions.ComputeError as error:
        raise ConfigError(f"{where}: {regex!r} is not a regular expression: {_reason(error)}.") from error
    return regex


def _reason(error: Exception) -> str:
    """Return the reason from a message of polars, which may first show the place."""
    lines = [line.strip() for line in str(error).splitlines()]
    reasons = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return (reasons or [lines[0].removeprefix("regex error: ")])[-1].rstrip(".")


def masked(text: pl.Expr, words: Iterable[str], *, match: Match = "word", ignore_case: bool = True) -> pl.Expr:
    """Return *text* without *words*, each run of white space as one space.

    Parameters
    ----------
    text
        *text* is an expression for texts.
    words
        *words* are the words to take out.
    match, ignore_case
        *match* and *ignore_case* are as for `pattern`.

    Examples
    --------
    >>> pl.DataFrame({"t": ["A man and his dog."]}).select(masked(pl.col("t"), ["man", "dog"]))["t"].item()
    'A and his .'
    """
    found = pattern(words, match=match, ignore_case=ignore_case)
    return text.str.replace_all(found, " ").str.replace_all(r"\s+", " ").str.strip_chars()


def given(text: pl.Expr) -> pl.Expr:
    r"""Return *text*, with null for each text of white space alone: it counts as missing.

    >>> pl.DataFrame({"t": ["a cat", " \u3000\n", ""]}).select(given(pl.col("t")))["t"].to_list()
    ['a cat', None, None]
    """
    return pl.when(text.str.contains(r"\S")).then(text)


UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
LETTERS = rf"[[\p{{Alphabetic}}\p{{M}}\p{{N}}]--[{UNSPACED}]]+"
_WORD = rf"[{UNSPACED}]\p{{M}}*|{LETTERS}(?:['’]{LETTERS})*"


def words(text: pl.Expr) -> pl.Expr:
    """Return the words of each text in lower case, as a list.  In a script without spaces, each letter is a word.

    >>> pl.DataFrame({"t": ["A red fox, don't!", "红狐狸 x"]}).select(words(pl.col("t")))["t"].to_list()
    [['a', 'red', 'fox', "don't"], ['红', '狐', '狸', 'x']]
    """
    return text.str.to_lowercase().str.extract_all(_WORD)


_CONTROLS = r"[[\p{Cc}\u{202A}-\u{202E}\u{2066}-\u{2069}\u{FEFF}]--\s]"
"""Control characters without white space, marks of the direction of writing, and the byte order mark."""


def cleaned(text: pl.Expr) -> pl.Expr:
    r"""Return *text* in the form NFC of Unicode, without HTML entities and controls, each white space as one space.

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
    """Return the number of words of each text, without a list of them.

    >>> pl.DataFrame({"t": ["A red fox, don't!", None]}).select(n_words(pl.col("t")))["t"].to_list()
    [4, None]
    """
    return text.str.to_lowercase().str.count_matches(_WORD)
