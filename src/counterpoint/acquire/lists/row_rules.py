"""The rules that each row of a list must pass alone, and the form of passed rows in a plan. No other row matters.

A rule does nothing when its column is missing in the list.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from counterpoint.config.acquire import Select
from counterpoint.errors import ConfigError, did_you_mean
from counterpoint.formats import values
from counterpoint.formats.shards import LISTED
from counterpoint.formats.tables import BAD
from counterpoint.formats.urls import host_of
from counterpoint.redaction import HIDDEN, LOGIN_OF_URL
from counterpoint.rules import AMBIGUOUS, NONE, KeywordRules, check_pattern, n_words, pattern
from counterpoint.schema import Frame

RULES = (
    "unreadable", "bad_row", "bad_json", "bad_text", "null_url", "null_text",
    "nsfw", "punsafe", "pwatermark", "similarity", "size", "aspect", "no_label_rule", "ambiguous_label",
    "disallowed_characters", "too_few_words", "too_many_words", "duplicate_url", "over_cap",
)  # fmt: skip
"""The order of the rules, the fast ones first. A row counts under the first rule that it fails.

The last two rules compare the remaining rows.
"""

_COLUMNS = {
    "nsfw": ("nsfw",), "punsafe": ("punsafe",), "pwatermark": ("pwatermark",), "similarity": ("similarity",),
    "size": ("width", "height"), "aspect": ("width", "height"),
}  # fmt: skip
"""The columns without which a rule does nothing."""

_HOST = r"^[A-Za-z][A-Za-z0-9+.-]*://([^/?#:@]+)(?:[/?#]|$)"
"""Matches the host of a URL without user and port, five times as fast as an expression for every host."""

_NUMBERED = {"width": "width_listed", "height": "height_listed"}


@dataclass(frozen=True)
class RowRules:
    """The rules of a row, for a list with the columns of *roles*.

    Raises
    ------
    ConfigError
        When a regular expression is invalid, or a cap is for a class without keywords.
    """

    select: Select
    roles: Collection[str]

    def __post_init__(self) -> None:
        check_select(self.select)

    @property
    def not_applied(self) -> list[str]:
        """The rules that are set, but whose column is missing in the list."""
        return [name for name in on_values(self.select) if not self._has(name)]

    @property
    def needs(self) -> set[str]:
        """The columns that the rules read, except the URL."""
        applied = [name for name in on_values(self.select) if self._has(name)]
        return {"text"}.union(*(_COLUMNS[name] for name in applied))

    def sift(self, frame: Frame) -> tuple[Frame, Counter[str]]:
        """Return the rows of *frame* that pass, and the number of rows that failed each rule.

        The rows have ``_label`` if keywords make the label.
        """
        failed: Counter[str] = Counter()
        if BAD in frame.columns:
            failed.update(frame[BAD].drop_nulls().to_list())
            frame = frame.filter(pl.col(BAD).is_null())
        frame = _passing(frame, self._on_values(frame.columns), failed)
        if self.select.keywords is not None:
            frame = _labelled(frame, self.select.keywords, failed)
        return _passing(frame, on_text(self.select), failed), failed

    def _has(self, rule: str) -> bool:
        return all(column in self.roles for column in _COLUMNS.get(rule, ()))

    def _on_values(self, columns: Collection[str]) -> dict[str, pl.Expr]:
        fails = {"null_url": pl.col("url").is_null() | (pl.col("url") == "")} if "url" in columns else {}
        fails["null_text"] = pl.col("text").map_batches(is_blank, return_dtype=pl.Boolean)
        return fails | {name: fails for name, fails in on_values(self.select).items() if self._has(name)}


def _passing(frame: Frame, fails: Mapping[str, pl.Expr], failed: Counter[str]) -> Frame:
    """Return the rows of *frame* that fail no rule, and count the others in *failed*."""
    for name, fail in fails.items():
        passes = frame.select(~fail.fill_null(False)).to_series()
        if not passes.all():
            failed[name] += frame.height - int(passes.sum())
            frame = frame.filter(passes)
    return frame


def _labelled(frame: Frame, keywords: KeywordRules, failed: Counter[str]) -> Frame:
    # Few rows have any of the words. Only they need the rules of each class.
    hits = frame.filter(pl.col("text").str.contains(_any_word(keywords)))
    # Lazy, because polars then searches each word once.
    labelled = hits.lazy().with_columns(keywords.label(pl.col("text")).alias("_label")).collect()
    is_none, is_ambiguous = labelled["_label"] == NONE, labelled["_label"] == AMBIGUOUS
    failed["no_label_rule"] += frame.height - hits.height + int(is_none.sum())
    failed["ambiguous_label"] += int(is_ambiguous.sum())
    return labelled.filter(~(is_none | is_ambiguous))


def on_values(select: Select) -> dict[str, pl.Expr]:
    """Return the failure expression of each active rule on values of the list, by name.

    It is null for a row without a value.
    """
    short, long = pl.min_horizontal("width", "height"), pl.max_horizontal("width", "height")
    known = pl.col("width").is_not_null() & pl.col("height").is_not_null()
    too_small, too_large = short < (select.min_side_px or 0), long > (select.max_side_px or float("inf"))
    fails = {
        # A row without a judgement is not known to be safe.
        "nsfw": (select.nsfw, ~pl.col("nsfw").is_in(list(select.nsfw or ())).fill_null(False)),
        "punsafe": (select.max_punsafe, ~(pl.col("punsafe") <= _limit(select.max_punsafe)).fill_null(False)),
        "pwatermark": (select.max_pwatermark, pl.col("pwatermark") > _limit(select.max_pwatermark)),
        "similarity": (select.min_similarity, pl.col("similarity") < _limit(select.min_similarity)),
        "size": (select.min_side_px or select.max_side_px, known & (too_small | too_large)),
        "aspect": (select.max_aspect, known & (long > short * _limit(select.max_aspect))),
    }
    return {name: fail for name, (setting, fail) in fails.items() if setting is not None}


def on_text(select: Select) -> dict[str, pl.Expr]:
    """Return the failure expression of each active rule on the text, by name."""
    text, characters = pl.col("text"), select.allowed_characters
    fails = {
        "disallowed_characters": (characters, ~text.str.contains(rf"\A(?:{characters})\z")),
        "too_few_words": (select.min_words or None, n_words(text) < select.min_words),
        "too_many_words": (select.max_words, n_words(text) > _limit(select.max_words)),
    }
    return {name: fail for name, (setting, fail) in fails.items() if setting is not None}


def _limit(value: float | None) -> pl.Expr:
    return pl.lit(value, pl.Float64)


def _any_word(keywords: KeywordRules) -> str:
    """Return an expression that matches each text of any class. The expression of each class is a part of it."""
    patterns = [_pattern(keywords, rule.any) for rule in keywords.classes.values()]
    return "|".join(f"(?:{pattern})" for pattern in patterns)


def _pattern(keywords: KeywordRules, words: Collection[str]) -> str:
    return pattern(words, match=keywords.match, ignore_case=keywords.ignore_case)


def check_select(select: Select) -> None:
    """Raise `ConfigError` when a regular expression is invalid, or a cap is for a class without keywords.

    >>> check_select(Select(keywords={"classes": {"cat": ["cat"], "dog": ["dog"]}}, caps={"dogs": 10}))
    Traceback (most recent call last):
    counterpoint.errors.ConfigError: select.caps: no keywords make a class 'dogs'. Did you mean 'dog'?
    """
    if select.allowed_characters is not None:
        check_pattern(rf"\A(?:{select.allowed_characters})\z", where="select.allowed_characters")
    if select.keywords is None:
        return
    classes = select.keywords.classes
    for name, rule in classes.items():
        for words in (rule.any, rule.none, rule.not_all):
            check_pattern(_pattern(select.keywords, words), where=f"select.keywords.classes.{name}")
    unknown = [] if isinstance(select.caps, int) else [name for name in select.caps or () if name not in classes]
    if unknown:
        raise ConfigError(f"select.caps: no keywords make a class {unknown[0]!r}.{did_you_mean(unknown[0], classes)}")


def listed(frame: Frame) -> Frame:
    """Return rows in the form of a plan: ``row`` and the columns of `LISTED` except the slot.

    *frame* has ``row``, and the columns of the list by their roles. A row without an id gets its number as id. A login
    in a URL is hidden. No login is ever sent: such a row ends as ``url_invalid`` with or without it.

    >>> rows = pl.DataFrame({"row": [0, 1], "id": [7.0, None], "url": ["http://A.org:80/b", "c"], "text": ["d", "e"]})
    >>> listed(rows).select("id", "host").rows()
    [('7', 'a.org'), ('1', None)]
    """
    has = frame.columns
    label = as_names(frame["label"]) if "label" in has else None
    made: dict[str, Any] = {
        "id": pl.coalesce(as_names(frame["id"]), pl.col("row").cast(pl.String)) if "id" in has else pl.col("row"),
        "url": _without_logins(frame["url"]),
        "host": hosts(frame["url"]),
        "label": pl.col("_label") if "_label" in has else label,
        "sha256_expected": pl.col("sha256").str.strip_chars().str.to_lowercase() if "sha256" in has else None,
        **{new: pl.col(old).round() for old, new in _NUMBERED.items() if old in has},
    }
    columns = {name: made.get(name, pl.col(name) if name in has else None) for name in LISTED if name != "slot"}
    typed = [_as_expr(value).cast(LISTED[name], strict=False).alias(name) for name, value in columns.items()]
    return frame.select("row", *typed)


def _without_logins(url: pl.Series) -> pl.Series:
    """Return each URL with its login hidden.

    >>> _without_logins(pl.Series(["https://me:pw@example.org/a@b", "https://example.org/a@b"])).to_list()
    ['https://***@example.org/a@b', 'https://example.org/a@b']
    """
    if not url.str.contains("@", literal=True).any():  # the usual case: the whole column at once
        return url
    return url.str.replace(LOGIN_OF_URL, f"${{1}}{HIDDEN}@")


def is_blank(text: pl.Series) -> pl.Series:
    """Return a mask of the texts that are null or only white space.

    >>> is_blank(pl.Series(["a", " a", "é", "\u3000", "", None])).to_list()
    [False, False, False, True, True, True]
    """
    # Nearly every text begins with a visible ASCII character. This test takes a tenth of the time of an expression.
    unsure = ~((text >= "!") & (text < "\x7f")).fill_null(False)
    if not unsure.any():
        return unsure
    shows = text.filter(unsure).str.contains(r"\S").fill_null(False)
    return unsure.scatter(unsure.arg_true().filter(shows), False)


def _as_expr(value: Any) -> pl.Expr:
    return value if isinstance(value, pl.Expr) else pl.lit(value)


def as_names(column: pl.Series) -> pl.Series:
    """Return names or numbers as strings. A whole number has no decimals, and white space alone becomes null.

    >>> as_names(pl.Series([1.0, None, 0.5])).to_list(), as_names(pl.Series([" a ", " "])).to_list()
    (['1', None, '0.5'], ['a', None])
    """
    return values.name_strings(column).str.strip_chars().replace("", None)


def hosts(url: pl.Series) -> pl.Series:
    """Return the host of each URL in lower case, null without one. A faster form of `host_of`.

    >>> hosts(pl.Series(["https://Example.org/a.jpg", "https://me@example.org:80/a.jpg", "a.jpg"])).to_list()
    ['example.org', 'example.org', None]
    """
    quick = url.str.extract(_HOST)
    if not quick.has_nulls():
        return quick.str.to_lowercase()
    left = quick.is_null()
    slow = url.filter(left).to_frame("url").select(host_of(pl.col("url"))).to_series()
    return quick.str.to_lowercase().scatter(left.arg_true(), slow)
