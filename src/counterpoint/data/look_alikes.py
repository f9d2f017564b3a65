r"""Labels that look the same to a reader, or differ only in their typing: Cat and cat, é and e + accent.

Merges nothing.  It names the labels, their counts, and the ``label.mapping`` that would merge them.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import polars as pl

from counterpoint.schema import finding

CODE = "CP024"
SHOWN_GROUPS, SHOWN_CLASSES = 5, 40
INVISIBLE = ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")
"""The Unicode categories of invisible characters."""

_LATIN = str.maketrans(
    "авекмнорстухіјѕԁԛԝһοαεικνρτυχγη",
    "abekmhopctyxijsdqwhoaeiknptuxyn",
)
"""Small Cyrillic and Greek letters that look like a Latin one."""
_QUOTES = " \"'`´‘’“”„«»"
_STOPS = ".,;:!"
_BETWEEN = re.compile(r"(?<=[^\W_])[\s_\-‐‑‒–—]+(?=[^\W_])")
"""Characters between two words of a label.  A dash at the end is kept, because it may belong to a class such as A-."""
_NUMBER = re.compile(r"([+-]?)0*(\d+?)(?:\.(\d*?)0*)?")


class LookAlike(NamedTuple):
    """Labels that may be one class: the number of rows of each, and the label for all of them."""

    counts: Mapping[str, int]
    merged: str


def look_alikes(labels: Iterable[str | None]) -> list[LookAlike]:
    """Return each set of two or more labels that may be one class, the set with most rows first.

    Labels are compared without case, Unicode form, full width, invisible characters and white space.  A stop at the
    end and the alphabet of letters of the same shape do not count either.

    Parameters
    ----------
    labels
        *labels* has one label for each row, or null.

    Examples
    --------
    >>> look_alikes(["Cat", "cat", "cat", "dog"])
    [LookAlike(counts={'cat': 2, 'Cat': 1}, merged='cat')]
    >>> [sorted(each.counts) for each in look_alikes(["-1", "1", "1.0", "A-", "A", "t-shirt", "T shirt."])]
    [['1', '1.0'], ['T shirt.', 't-shirt']]
    """
    counts = Counter(label for label in labels if label is not None)
    alike: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for label, count in sorted(counts.items(), key=lambda each: (-each[1], not _is_plain(each[0]), each[0])):
        alike[_key(label)][label] = count
    found = [LookAlike(each, _clean(next(iter(each)))) for each in alike.values() if len(each) > 1]
    return sorted(found, key=lambda each: -sum(each.counts.values()))


def look_alike_findings(labels: pl.Series) -> list[dict[str, str]]:
    """Return a finding when some of *labels* may be one class, with the mapping that would merge them.

    >>> [found["explanation"] for found in look_alike_findings(pl.Series(["Cat", "cat", "dog", "cat"]))]
    ['3 classes may be 2: "cat" (2 rows) and "Cat" (1 row). To merge them, set label.mapping: {"Cat": "cat", "cat":
    "cat", "dog": "dog"}.']
    """
    found = look_alikes(labels)
    if not found:
        return []
    classes = labels.drop_nulls().unique().sort().to_list()
    merged = {name: each.merged for each in found for name in each.counts}
    whole = {name: merged.get(name, name) for name in classes}
    evidence = {"labels": [dict(each.counts) for each in found], "mapping": whole}
    return [finding(CODE, "warn", "labels", _explanation(found, classes, merged), **evidence)]


def _explanation(found: list[LookAlike], classes: list[str], merged: Mapping[str, str]) -> str:
    sets = [
        " and ".join(f"{yaml_string(name)} ({count:,} row{'s' * (count != 1)})" for name, count in each.counts.items())
        for each in found
    ]
    shown = "; ".join(sets[:SHOWN_GROUPS]) + (f"; and {len(sets) - SHOWN_GROUPS:,} more" * (len(sets) > SHOWN_GROUPS))
    left = len(classes) - sum(len(each.counts) - 1 for each in found)
    return f"{len(classes):,} classes may be {left:,}: {shown}. {_how(classes, merged)}"


def _how(classes: list[str], mapping: Mapping[str, str]) -> str:
    """Return the mapping to write.  It names every class, because a mapping drops the labels that it does not name."""
    if len(classes) > SHOWN_CLASSES:
        some = ", ".join(f"{yaml_string(name)}: {yaml_string(to)}" for name, to in list(mapping.items())[:SHOWN_GROUPS])
        return f"To merge them, set label.mapping for all classes, these among them: {{{some}}}."
    pairs = ", ".join(f"{yaml_string(name)}: {yaml_string(mapping.get(name, name))}" for name in classes)
    return f"To merge them, set label.mapping: {{{pairs}}}."


def yaml_string(label: str) -> str:
    r"""Return *label* as a string of YAML or JSON, with escapes for characters that are invisible or ambiguous.

    >>> print(*map(yaml_string, ("cat\u200b", "\u00e9", "e\u0301", "с\u0430t", "\u0430")))
    "cat\u200b" "é" "e\u0301" "\u0441\u0430t" "а"
    """
    is_composed = unicodedata.normalize("NFC", label) == label
    is_mixed = bool(re.search("[A-Za-z]", label))
    return '"' + "".join(_escaped(each, is_composed=is_composed, is_mixed=is_mixed) for each in label) + '"'


def _escaped(letter: str, *, is_composed: bool, is_mixed: bool) -> str:
    if letter in '"\\':
        return "\\" + letter
    kind = unicodedata.category(letter)
    is_foreign = is_mixed and letter.lower().translate(_LATIN) != letter.lower()
    is_hidden = kind in INVISIBLE or (kind == "Zs" and letter != " ") or (kind == "Mn" and not is_composed)
    if not is_hidden and not is_foreign:
        return letter
    return f"\\u{ord(letter):04x}" if ord(letter) <= 0xFFFF else f"\\U{ord(letter):08x}"


def _visible(label: str) -> str:
    return "".join(each for each in label if unicodedata.category(each) not in INVISIBLE or each in "\t\n\r")


def _key(label: str) -> str:
    """Return the key that labels of the same appearance share, or the label itself if its key would be empty."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", _visible(label)).casefold())
    words = folded.translate(_LATIN).strip(_QUOTES).rstrip(_STOPS + _QUOTES)
    number = _NUMBER.fullmatch(words)
    if number is None:
        return _BETWEEN.sub(" ", words) or label
    sign, whole, decimals = number.groups()
    return sign + whole + (f".{decimals}" if decimals else "")


def _clean(label: str) -> str:
    """Return *label* in composed form, without invisible characters and without white space at its ends."""
    return unicodedata.normalize("NFC", " ".join(_visible(label).split())) or label


def _is_plain(label: str) -> bool:
    return _clean(label) == label
