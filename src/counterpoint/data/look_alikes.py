r"""Labels that a reader cannot tell apart, or that differ only as typing differs: Cat and cat, é and e + accent.

Merges nothing: it names the labels, their counts, and the ``label.mapping`` that would merge them.
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
"""Categories of Unicode of which a reader sees nothing."""

_LATIN = str.maketrans(
    "авекмнорстухіјѕԁԛԝһοαεικνρτυχγη",
    "abekmhopctyxijsdqwhoaeiknptuxyn",
)
"""Small Cyrillic and Greek letters that look like a Latin one."""
_QUOTES = " \"'`´‘’“”„«»"
_STOPS = ".,;:!"
_BETWEEN = re.compile(r"(?<=[^\W_])[\s_\-‐‑‒–—]+(?=[^\W_])")
"""What stands between two words of a label; at its end a dash may be the name of a class, such as A-."""
_NUMBER = re.compile(r"([+-]?)0*(\d+?)(?:\.(\d*?)0*)?")


class LookAlike(NamedTuple):
    """Labels that may be one class: how many rows each has, and the one that most rows have."""

    counts: Mapping[str, int]
    merged: str


def look_alikes(labels: Iterable[str | None]) -> list[LookAlike]:
    """Return each set of two or more labels that may be one class, the one of most rows first.

    Labels are compared without upper case, Unicode form, full width, invisible characters, white space, a stop at the
    end, and the alphabet of letters that look the same.

    Parameters
    ----------
    labels
        *labels* are those of all rows; null is no label.

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
    """Return what to write; a mapping drops a label that it does not name, so that it names every class."""
    if len(classes) > SHOWN_CLASSES:
        some = ", ".join(f"{yaml_string(name)}: {yaml_string(to)}" for name, to in list(mapping.items())[:SHOWN_GROUPS])
        return f"To merge them, set label.mapping for all classes, these among them: {{{some}}}."
    pairs = ", ".join(f"{yaml_string(name)}: {yaml_string(mapping.get(name, name))}" for name in classes)
    return f"To merge them, set label.mapping: {{{pairs}}}."


def yaml_string(label: str) -> str:
    r"""Return *label* as YAML and JSON write it, with an escape for each character that cannot be seen or told apart.

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
    """Return what labels that look alike have in common; the label itself where nothing of it is left."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", _visible(label)).casefold())
    words = folded.translate(_LATIN).strip(_QUOTES).rstrip(_STOPS + _QUOTES)
    number = _NUMBER.fullmatch(words)
    if number is None:
        return _BETWEEN.sub(" ", words) or label
    sign, whole, decimals = number.groups()
    return sign + whole + (f".{decimals}" if decimals else "")


def _clean(label: str) -> str:
    """Return *label* in composed form, without what cannot be seen and without white space at its ends."""
    return unicodedata.normalize("NFC", " ".join(_visible(label).split())) or label


def _is_plain(label: str) -> bool:
    return _clean(label) == label
