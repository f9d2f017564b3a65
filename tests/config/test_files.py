"""Settings files: whatever is in one, it is read or refused in one line, at once."""

import time

import pytest
from hypothesis import HealthCheck, given, settings

from counterpoint.config import read_study
from counterpoint.config.acquire import AcquireConfig, read_acquire
from counterpoint.config.files import overridden, read_keys
from counterpoint.config.sweep import read_sweep
from counterpoint.config.yaml_text import MOST_BYTES, NotPlainError, read_yaml
from counterpoint.contenders import make
from counterpoint.contenders.plan import models_of
from counterpoint.data.sources import open_source
from counterpoint.errors import ConfigError
from hostile_study_files import FILES, check_of_study_file

HANGS_S = 20.0
"""A hang guard, generous: each of these takes milliseconds."""
START = "study: a\nsource: {kind: generated, n: 60}\n"
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(FILES)
def test_any_file_is_read_or_refused_in_one_line(data):
    check_of_study_file(data)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BOMB, "more than 200,000 values"),
        ("a: &a [*a]", "line 1: the alias 'a' stands for nothing before it, or for itself"),
        ("a: " + "[" * 100_000, "line 1: more than 40 levels deep"),
        ("{a: " * 100_000, "more than 40 levels deep"),
        ("- " * 100_000, "more than 40 levels deep"),
        ("a: 1\nb: 2\na: 3", "line 3: the key 'a' stands there twice, first in line 1"),
        ("a: {b: 1, 'b': 2}", "the key 'b' stands there twice"),
        ("? [a, b]\n: c", "line 1: a key that is no text"),
        ("a: !!python/object/apply:os.system ['true']", "line 1, column 4: could not determine a constructor"),
        ("a:\n\t- b", "line 2, column 1: found character that cannot start any token"),
        ("a: 'unclosed", "line 1, column 13: found unexpected end of stream"),
        ("a: !!binary aGk=", "could not determine a constructor"),
        ("a: !!set {b, c}", "could not determine a constructor"),
        ("a: !!int ''", "a value that cannot be read"),
        ("a: " + "1" * 5000, "a value that cannot be read: Exceeds the limit"),
        ("a: 1\n---\nb: 2", "line 2, column 1: but found another document"),
        ("%TAG ! x\n" * 100_000 + "---\na: 1", "%TAG"),
        ("a: *b", "stands for nothing before it"),
        ('a: "\\ud800"', "invalid Unicode character escape code"),
    ],
)
def test_what_is_not_plain_is_one_line(text, says):
    start = time.monotonic()
    with pytest.raises(NotPlainError, match=r".") as caught:
        read_yaml(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert time.monotonic() - start < HANGS_S


def test_a_date_is_text():
    assert read_yaml("a: [2024-01-01, 2024-99-99]") == {"a": ["2024-01-01", "2024-99-99"]}


def test_keys_are_text_as_they_are_written():
    assert read_yaml("mapping: {1: cat, 1.0: dog, no: bird, null: fish, 2024-01-01: bee}") == {
        "mapping": {"1": "cat", "1.0": "dog", "no": "bird", "null": "fish", "2024-01-01": "bee"}
    }


def test_an_alias_and_a_merge_are_fine():
    assert read_yaml("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: *a") == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 3},
        "c": {"x": 1, "y": 2},
    }


def test_an_error_does_not_quote_the_line_which_may_hold_a_password(tmp_path):
    (tmp_path / "a.yaml").write_text("storage:\n  secret: 'hunter2\nkey: [")
    with pytest.raises(ConfigError) as caught:
        read_keys(tmp_path / "a.yaml")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ConfigError) as caught:
        overridden({}, ["storage.secret=[hunter2"])
    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_too_large_is_refused_and_one_in_utf_16_is_read(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"#" * (MOST_BYTES + 1))
    with pytest.raises(ConfigError, match="larger than 2,097,152 bytes"):
        read_keys(path)
    path.write_bytes("ä: 1\r\n".encode("utf-16"))
    assert read_keys(path) == {"ä": 1}
    path.write_bytes(b"\xe4: 1")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_keys(path)
    with pytest.raises(ConfigError, match="not a regular file"):
        read_keys(type(path)("/dev/zero"))


@pytest.mark.parametrize(
    "setting",
    [
        "fit.workers=1000000",
        "fit.threads=1000000000",
        "fit.seeds=[-1]",
        "fit.seeds=[1e400]",
        "split.folds=1000000000",
        "split.seed=1000000000000",
        "split.test_share=.nan",
        "evaluate.",
        "clean.max_aspect=.inf",
        "clean.max_pixels=1000000000000000000000",
        "split.limit=-1",
        "study=" + "a" * 500,
        "predictions=5",
        "contenders=[1, null]",
        "contenders.majority.smoothing=[",
        "source.path=a\0b",
        "exclude=~nobody-here/x",
        "exclude=" + "x" * 300,
        "=1",
        "." * 100 + "=1",
        "label.mapping={a: [b]}",
        "source=[]",
        "faults=x",
        "page=1",
    ],
)
def test_an_absurd_setting_of_a_study_is_one_line(tmp_path, setting):
    (tmp_path / "study.yaml").write_text(START)
    with pytest.raises(ConfigError) as caught:
        read_study(tmp_path / "study.yaml", (setting,))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "setting",
    [
        "run.workers=1000000",
        "run.shards_at_once=1000000000000",
        "fetch.connections=100000",
        "fetch.per_host=10000000",
        "fetch.total_s=.inf",
        "fetch.total_s=-1",
        "fetch.max_body_bytes=1000000000000",
        "fetch.attempts=1000000000",
        "guard.max_url_bytes=10000000000",
        "shard_rows=1000000000",
        "decode.max_pixels=1e18",
        "select.caps=-1",
        "select.min_words=100000000000000000000",
        "input=" + "[" * 50,
        "input.path=[]",
        "output=a\0b",
        "guard=nothing",
    ],
)
def test_an_absurd_setting_of_an_acquisition_is_one_line(tmp_path, setting):
    (tmp_path / "acquire.yaml").write_text("acquisition: a\ninput: list.csv\noutput: out\n")
    with pytest.raises(ConfigError) as caught:
        read_acquire(tmp_path / "acquire.yaml", (setting,))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["study: 5", "study: ~nobody-here/x", "variants: {a: 1}", "along: {a: 1}", "choices: []"]
)
def test_an_absurd_sweep_is_one_line(tmp_path, text):
    (tmp_path / "study.yaml").write_text(START)
    others = {"sweep": "s", "study": "study.yaml", "variants": "{a: {}}"} | {
        text.partition(":")[0]: text.partition(":")[2]
    }
    (tmp_path / "sweep.yaml").write_text("".join(f"{key}: {value}\n" for key, value in others.items()))
    with pytest.raises(ConfigError) as caught:
        read_sweep(tmp_path / "sweep.yaml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "absurd"),
    [
        ("image-cnn", {"epochs": 10**12}),
        ("text-lstm", {"vocabulary": 10**12}),
        ("text-lstm", {"embed": 10**9}),
        ("text-svm", {"words": 10**9}),
        ("lstm-cnn", {"batch": 10**15}),
        ("metadata", {"rounds": 10**12}),
        ("image-cnn", {"seed": -(10**30)}),
        ("text-lstm", {"lr": float("inf")}),
        ("keyword-rule", {"n_words": 10**12}),
        ("image-cnn", {"width": 10**9}),
        ("paper-lstm-cnn", {"epochs": 10**12}),
        ("paper-text-lstm", {"patience": 10**400}),
    ],
)
def test_an_absurd_setting_of_a_contender_is_one_line(kind, absurd):
    with pytest.raises(ConfigError, match=rf"{kind}\.{next(iter(absurd))}: .*got "):
        make(kind, **absurd)


def test_an_absurd_number_of_generated_rows_is_one_line():
    with pytest.raises(ConfigError, match=r"source\.n: .*less than or equal to 10000000"):
        open_source({"kind": "generated", "n": 10**12})


@pytest.mark.parametrize("kind", ["math:tau", "json:loads", "os.path:join", ":", "a:", ":a"])
def test_a_path_that_leads_to_no_contender_is_one_line(tmp_path, kind):
    (tmp_path / "study.yaml").write_text(f"{START}contenders: [{{kind: '{kind}', name: a}}]")
    study = read_study(tmp_path / "study.yaml")
    with pytest.raises(ConfigError):
        models_of(study.contenders, seed=0, cache=tmp_path)


def test_a_value_in_an_error_is_cut_and_without_its_secrets(tmp_path):
    (tmp_path / "acquire.yaml").write_text("acquisition: a\ninput: list.csv\noutput: out\n")
    for setting in (
        "storage=hunter2",
        "input.storage=[hunter2]",
        "keep=s3://me:hunter2@host/x",
        "input={path: 1, storage: {a: hunter2}}",
    ):
        with pytest.raises(ConfigError) as caught:
            read_acquire(tmp_path / "acquire.yaml", (setting,))
        assert "hunter2" not in str(caught.value)


def test_a_missing_key_is_named():
    with pytest.raises(ConfigError, match=r"^Missing key '\w+': the file needs it\.$"):
        AcquireConfig.read({})
