"""Settings files of strangers, as bytes: study, acquire and sweep files, and the check of each.

A check returns the outcome in one word, or raises when something is wrong.
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import yaml
from hypothesis import strategies as st
from pydantic import BaseModel

from counterpoint.artifacts import key_of
from counterpoint.config import StudyConfig, read_study
from counterpoint.config.acquire import AcquireConfig, read_acquire
from counterpoint.config.sweep import SweepConfig, points, read_sweep
from counterpoint.contenders import MODELS, settings_of
from counterpoint.contenders.plan import models_of
from counterpoint.data.sources import SOURCES, open_source
from counterpoint.errors import CounterpointError
from counterpoint.lookup import find

Draw = Callable[[st.SearchStrategy], Any]

MOST_WORDS = 1000
"""Longest message."""
STUDY = {
    "study": "a",
    "source": {"kind": "generated", "n": 60},
    "contenders": [{"kind": "majority"}, {"kind": "text-svm"}],
    "predictions": [{"path": "p.csv", "name": "p"}],
    "faults": [{"kind": "flip_labels"}],
}
ACQUIRE = {"acquisition": "a", "input": {"path": "list.csv"}, "output": "out"}
SWEEP = {"sweep": "a", "study": "study.yaml", "variants": {"b": {"split.seed": 1}}, "along": {"split.limit": [1, 2]}}


def _keys(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """Yield the dotted key of each setting of *model*, sections opened."""
    for name, field in model.model_fields.items():
        yield f"{before}{name}"
        kinds = [field.annotation, *getattr(field.annotation, "__args__", ())]
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _keys(kind, f"{before}{name}.")


KEYS = {
    "study": [
        *_keys(StudyConfig),
        "contenders.0.name",
        "contenders.1.kind",
        "predictions.0.path",
        "faults.0.share",
        "label.mapping.x",
        "source.kind",
        "relabel.x",
        "evaluate.metrics.0",
        *(f"source.{name}" for path in SOURCES.values() for name in find(path, {}, what="source").model_fields),
        *(
            f"contenders.1.{name}"
            for path in MODELS.values()
            for name in settings_of(find(path, {}, what="contender")).model_fields
        ),
    ],
    "acquire": [
        *_keys(AcquireConfig),
        "input.columns.url",
        "input.storage.key",
        "storage.secret",
        "input.path.0",
        "select.keywords.classes.a",
        "select.caps.a",
    ],
    "sweep": [*_keys(SweepConfig), "variants.c", "variants.b.x", "along.y", "only.b", "only.b.z"],
}
BASES = {"study": STUDY, "acquire": ACQUIRE, "sweep": SWEEP}

_names = st.sampled_from(
    [
        *SOURCES,
        *MODELS,
        "math:tau",
        "json:loads",
        "os.path:join",
        "no.such:thing",
        ":",
        "a:",
        ":a",
        "~nobody/x",
        "x" * 300,
        "a\0b",
        "../../etc",
        "/dev/zero",
        "[red]",
        "\x1b[2J\u202e",
        "s3://k:s@b/c",
        "memory://x",
        "",
        " ",
        "\n",
        "(",
        "(a{9}){9}",
        "\\",
        "a" * 5000,
        "1_0",
        "é",
        "ｆｕｌｌ",
    ]
)
_numbers = st.one_of(
    st.sampled_from([0, -1, 1, 2, 10**6, 10**9, 10**12, 2**31, 2**32, 2**63, 2**64, -(2**63) - 1, 10**400]),
    st.sampled_from([0.0, -0.0, 0.5, 1.0, 1e-300, 1e300, float("inf"), float("-inf"), float("nan"), -3.5]),
    st.integers(),
)
_leaves = st.one_of(_numbers, _names, st.none(), st.booleans(), st.dates(), st.binary(max_size=4), st.text(max_size=8))
VALUES = st.recursive(
    _leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.one_of(_names, st.text(max_size=4)), inner, max_size=3)
    ),
    max_leaves=8,
)

BOMB = "a1: &a1 [x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 8)}]\n" for n in range(1, 12)
)
LINES = (
    "a: &a [*a]",
    "b: *nothing",
    "c: !!python/object/apply:os.system ['true']",
    "!!python/name:os.system d: 1",
    "? [e, f]\n: g",
    "<<: {h: 1}",
    "<<: 3",
    "%TAG ! tag:x,2000:\n---",
    "i: !!int ''",
    "j: 2024-99-99",
    "k: 1.0e+999",
    f"l: 0x{'f' * 300}",
    f"m: {'1' * 5000}",
    "n: !!binary '='",
    "o: !!timestamp x",
    "p: !!float",
    "q: !!set {a, b}",
    "r: !!omap [a: 1]",
    "\t- s",
    "...",
    "---",
    "t: 'unclosed",
    "u: |>-",
    "v: " + "[" * 200,
    "w: " + "{a: " * 100,
    "x: " + "- " * 100,
    "study: again",
    "source: [",
    "y: !!null z",
    "!<!> z: 1",
    "aa: !!map [b]",
    "bb: !!seq {c: d}",
    "cc: 1:2:3:4:59",
    "dd: !!bool maybe",
    'ee: "\\ud800"',
    'ff: "\\x00"',
    "&g h: i",
    "*g : j",
    "kk: !!str {a: b}",
    "#",
    "1: 2",
    "null: 3",
    "1.0: 4",
    "true: 5",
    "yes: 6",
    "~: 7",
    "? ",
    ": ",
    "mm: &z [x]\nnn: [" + "*z, " * 50 + "]",
    BOMB,
)


@st.composite
def _changed(draw: Draw) -> bytes:
    """Set a few settings of a good file to anything."""
    kind = draw(st.sampled_from(sorted(BASES)))
    values = yaml.safe_load(yaml.safe_dump(BASES[kind]))
    for _ in range(draw(st.integers(1, 3))):
        _set(values, draw(st.sampled_from(KEYS[kind])).split("."), draw(VALUES))
    return yaml.dump(values, allow_unicode=draw(st.booleans())).encode("utf-8", "surrogatepass")


def _set(values: Any, steps: list[str], value: Any) -> None:
    *parents, last = steps
    for step in parents:
        if isinstance(values, list):
            values = values[int(step)] if step.isdigit() and int(step) < len(values) else {}
        elif isinstance(values, dict):
            values = values.setdefault(step, {})
    if isinstance(values, dict):
        values[last] = value
    elif isinstance(values, list) and values:
        values[0] = value


@st.composite
def _spoilt(draw: Draw) -> bytes:
    """Put lines that YAML may choke on into a good file, or change single characters of it."""
    text = yaml.safe_dump(BASES[draw(st.sampled_from(sorted(BASES)))])
    lines = text.splitlines()
    for _ in range(draw(st.integers(0, 3))):
        lines.insert(draw(st.integers(0, len(lines))), draw(st.sampled_from(LINES)))
    data = bytearray("\n".join(lines).encode("utf-8", "surrogatepass"))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data)


FILES = st.one_of(
    _changed(),
    _changed(),
    _spoilt(),
    st.text(max_size=80).map(lambda text: text.encode("utf-8", "replace")),
    st.binary(max_size=200),
)
_FOLDER = tempfile.TemporaryDirectory(prefix="counterpoint-settings-")
_PATH = Path(_FOLDER.name, "settings.yaml")


def check_of_study_file(data: bytes) -> str:
    """Hold the readers of settings to their promise: settings, or one line with the mistake."""
    _PATH.write_bytes(data)
    (_PATH.parent / "study.yaml").write_text("study: a\nsource: {kind: generated}\n")
    kind = next((name for name in ("acquisition", "sweep") if name.encode() in data), "study")
    try:
        _read(kind, data)
    except CounterpointError as error:
        message = str(error)
        assert message
        assert "\n" not in message
        assert len(message) <= MOST_WORDS, len(message)
        return f"refused: {type(error).__name__}"
    return f"read: {kind}"


def _read(kind: str, data: bytes) -> None:
    """Read the file, and let sources and contenders check their own settings."""
    if kind == "acquisition":
        config = read_acquire(_PATH, overrides(data))
        key_of(config.model_dump(mode="json"), config.plan_settings())
    elif kind == "sweep":
        assert all(point.name for point in points(read_sweep(_PATH)))
    else:
        study = read_study(_PATH, overrides(data))
        key_of(study.model_dump(mode="json"))
        open_source(study.source)
        models_of(study.contenders, seed=study.fit.seeds[0], cache=_PATH.parent)


def overrides(data: bytes) -> tuple[str, ...]:
    """Return a value of ``--set`` for the file: often none, else a piece of the file itself."""
    text = data.decode("utf-8", "replace")
    return (text[:200],) if crc32(data) % 8 == 0 else (f"split.seed={text[-200:]}",) if crc32(data) % 8 == 1 else ()
