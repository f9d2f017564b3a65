"""No text of a stranger reaches a terminal unescaped, in any command, on a terminal or not."""

import json
import logging
import os
import pty
import sys
import threading
from contextlib import contextmanager

import polars as pl
import pytest
import yaml

from acquire_material import host
from counterpoint import cli
from counterpoint.progress import Lines, progress
from counterpoint.safe_terminal import SafeStream, console, safe_streams

pytestmark = pytest.mark.slow

ESCAPES = ["\x1b[2J", "\x1b]0;pwned\x07", "\x9b31m", "\u202e", "\u2066", "\u200b", "\x85", "\r"]
EVIL = "[red]" + "".join(ESCAPES)
FORBIDDEN = [*ESCAPES[:6], "\x07", "\x85"]


def study(folder):
    """Write a table and a study file in which everything that has a name has a hostile one; return the file."""
    rows = [
        {"id": f"{n}{EVIL}", "image": f"{n}{EVIL}.png", "caption": f"{EVIL} {'cat' if n % 2 else 'dog'} {n}",
         "kind": f"{'cat' if n % 2 else 'dog'}{EVIL}\n"}
        for n in range(60)
    ]  # fmt: skip
    path = folder / f"table{EVIL}.parquet"
    pl.DataFrame(rows).write_parquet(path)
    found = {
        "study": "evil",
        "source": {"kind": "table", "path": str(path), "image": "image", "text": "caption", "label": "kind"},
        "align": {"missing_image": "keep"},
        "contenders": ["majority", "text-svm"],
        "fit": {"engine": "inline"},
    }
    file = folder / f"study{EVIL}.yaml"
    file.write_text(yaml.safe_dump(found), encoding="utf-8")
    (folder / "sweep.yaml").write_text(
        yaml.safe_dump({
            "sweep": "evil-sweep", "study": file.name, "variants": {f"a{EVIL}": {}},
            "only": {f"a{EVIL}": {f"fewer{EVIL}": {"split.limit": 30}}},
        }), encoding="utf-8",
    )  # fmt: skip
    return str(file)


def commands(folder, file):
    yield ("run", file)
    yield ("scores", file)
    yield ("compare", file, "majority", "text-svm")
    yield ("findings", file)
    yield ("report", file)
    yield ("sweep", "sweep.yaml")
    yield ("sweep", "sweep.yaml", "--csv")
    yield ("predict", "runs/evil", "text-svm", "--text", EVIL)
    yield ("export-pairs", file, "--out", f"out{EVIL}")
    yield ("new", f"new{EVIL}.yaml")
    yield from ((word,) for word in ("contenders", "metrics", "checks", "sources", "schema", "--version"))
    # Mistakes, which quote what they complain of.
    yield ("new", f"new{EVIL}.yaml")
    yield (EVIL,)
    yield ("run", EVIL)
    yield ("run", file, EVIL)
    yield ("run", file, f"--{EVIL}")
    yield ("run", file, "--until", EVIL)
    yield ("run", file, "--engine", EVIL)
    for setting in (f"{EVIL}=1", EVIL, f"split.kind='{EVIL}'", f"source.label=x{EVIL}", f"source.{EVIL}=1", "a=[\x1b"):
        yield ("run", file, "--set", setting)
    yield ("run", file, "--set", f'contenders=["{EVIL.encode("unicode_escape").decode()}"]')
    yield ("compare", file, EVIL, "majority")
    yield ("predict", f"runs/{EVIL}", "text-svm")
    yield ("predict", "runs/evil", EVIL)
    yield ("new", "other.yaml", "--from", EVIL)


def acquisition(folder, url):
    rows = {"URL": [url(f"ok/1.jpg?{EVIL}"), url("404/2.jpg"), f"http://{EVIL}.test/", EVIL], "TEXT": [EVIL] * 4}
    pl.DataFrame(rows).write_parquet(folder / f"list{EVIL}.parquet")
    classes = {f"cat{EVIL}": {"any": ["pwned"]}, "dog": {"any": ["dog"]}}
    keywords = {"classes": classes, "match": "substring"}
    found = {"acquisition": "evil", "input": f"list{EVIL}.parquet", "output": f"got{EVIL}", "keep": "gray-64",
             "run": {"engine": "inline"}, "select": {"keywords": keywords}}  # fmt: skip
    (folder / "acquire.yaml").write_text(yaml.safe_dump(found), encoding="utf-8")
    allowed = ("--allow-address", "127.0.0.1/32")
    yield ("acquire", "new", f"acquire{EVIL}.yaml")
    yield ("acquire", "plan", "acquire.yaml")
    yield ("acquire", "run", "acquire.yaml", *allowed)
    yield ("acquire", "status", "acquire.yaml")
    yield ("acquire", "status", "acquire.yaml", "--json")
    yield ("acquire", "retry", "acquire.yaml", *allowed)
    yield ("acquire", "export", "acquire.yaml", "webdataset", f"tars{EVIL}")
    yield ("acquire", "export", "acquire.yaml", EVIL, "tars")
    yield ("acquire", "plan", "acquire.yaml", "--set", f"keep={EVIL}")
    yield ("acquire", "run", "acquire.yaml", "--allow-address", EVIL, "--out", "x")
    yield ("acquire", "plan", "acquire.yaml", "--set", "select.min_words=2")


def run(monkeypatch, words):
    monkeypatch.setattr(sys, "argv", ["counterpoint", *words])
    with pytest.raises(SystemExit):
        cli.main()


def check(words, raw):
    assert not [each for each in FORBIDDEN if each in raw], words
    assert "Traceback" not in raw, words


@contextmanager
def terminal(monkeypatch):
    """Make standard output and standard error one terminal; yield a list of what it got, complete at the end."""
    leader, follower = pty.openpty()
    got = []

    def read():
        while chunk := _chunk(leader):
            got.append(chunk)

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(follower, "w", encoding="utf-8") as stream, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", stream)
        patched.setattr(sys, "stderr", stream)
        yield got
    reader.join()
    os.close(leader)


def _chunk(descriptor):
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other end was closed
        return b""


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_no_command_of_a_study_prints_an_escape_sequence(monkeypatch, capsys, folder):
    for words in commands(folder, study(folder)):
        run(monkeypatch, words)
        check(words, "".join(capsys.readouterr()))
    assert (folder / "runs/evil/results.json").exists()


def test_no_command_of_an_acquisition_prints_an_escape_sequence(monkeypatch, capsys, folder):
    with host() as server:
        for words in acquisition(folder, server.url):
            run(monkeypatch, words)
            out, err = capsys.readouterr()
            check(words, out + err)
            if "--json" in words:
                assert json.loads(out)["n_rows"] == 4


def test_on_a_terminal_only_our_own_sequences_arrive(monkeypatch, folder):
    monkeypatch.setenv("TERM", "xterm")
    file = study(folder)
    with host() as server:
        all_words = [*list(commands(folder, file))[:5], *list(commands(folder, file))[-12:]]
        for words in [*all_words, *acquisition(folder, server.url)]:
            with terminal(monkeypatch) as got:
                run(monkeypatch, words)
            raw = b"".join(got).decode("utf-8")
            check(words, raw.replace("\x1b[2K", ""))  # rich clears a line so


def test_records_of_logging_are_one_line_each(monkeypatch, capsys):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    with safe_streams():
        logging.getLogger("counterpoint.somewhere").warning("of %s\nand more", EVIL)
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    check("logging", err)


def test_a_stream_that_lacks_a_character_gets_it_spelled_out(tmp_path):
    path = tmp_path / "out"
    with path.open("w", encoding="ascii") as stream:
        SafeStream(stream).write("naïve \udc80\n")
    assert path.read_text() == "na\\xefve \\udc80\n"


def test_markup_of_rich_is_text():
    shown = console(width=60)
    with shown.capture() as captured:
        shown.print("[red]a[/red] :cat: [link=https://evil.example]b[/link]")
    assert captured.get() == "[red]a[/red] :cat: [link=https://evil.example]b[/link]\n"


# Progress.


def test_without_a_terminal_a_long_stage_shows_that_it_lives(capsys):
    now_s = [0.0]
    lines = Lines(console(stderr=True), every_s=30, clock=lambda: now_s[0])
    lines.beat()
    lines("fitting", 0, 120)
    for now_s[0] in (10.0, 31.0, 40.0, 62.0):
        lines.beat()
    lines("fitting", 60, 120)
    now_s[0] = 95.0
    lines.beat()
    assert capsys.readouterr().err.splitlines() == [
        "fitting: about 2 min", "fitting: 0 % after 31 s", "fitting: 0 % after 62 s", "fitting: 50 % after 2 min",
    ]  # fmt: skip


def test_a_sign_of_life_needs_no_report(capsys):
    shown = threading.Event()

    class Watched(Lines):
        def beat(self):
            super().beat()
            shown.set()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("counterpoint.progress.Lines", Watched)
        with progress(every_s=0.01) as on_progress:
            on_progress("fitting", 0, 10)
            assert shown.wait(20)
    assert capsys.readouterr().err.startswith("fitting: about 10 s\n")
