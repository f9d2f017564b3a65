"""The commands of an acquisition: each says in its output what a reader needs, and every mistake is one line."""

import json
import signal
import subprocess
import sys
import time

import polars as pl
import pytest
import yaml
from rich.console import Console

from acquire_material import host
from counterpoint import cli
from counterpoint.acquire.account import Account, Pace
from counterpoint.cli.account import line, summary
from counterpoint.cli.acquire import EXAMPLE
from counterpoint.cli.watching import AccountLines, watching
from counterpoint.config.acquire import AcquireConfig, read_acquire
from counterpoint.safe_terminal import console
from counterpoint.safe_text import terminal_text
from counterpoint.settings import Section

pytestmark = pytest.mark.slow


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """Return a function that runs ``counterpoint acquire`` in an empty folder: (exit code, output, errors)."""
    monkeypatch.chdir(tmp_path)

    def called(*words):
        monkeypatch.setattr(sys, "argv", ["counterpoint", "acquire", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return called


def write(folder, urls, texts=None, **settings):
    """Write a list of *urls* and its acquire file into *folder*; return the file's name."""
    texts = texts or ["a cat"] * len(urls)
    pl.DataFrame({"URL": urls, "TEXT": texts}).write_parquet(folder / "list.parquet")
    fixed = {
        "acquisition": "few",
        "input": "list.parquet",
        "output": "out",
        "keep": "gray-64",
        "shard_rows": 4,
        "guard": {"allow_address": ["127.0.0.1/32"]},
        "run": {"engine": "inline"},
    }
    (folder / "acquire.yaml").write_text(yaml.safe_dump(fixed | settings))
    return "acquire.yaml"


def cells(text):
    """Return the words of each line."""
    return [line.split() for line in text.splitlines() if line.split()]


@pytest.fixture
def web(tmp_path):
    """Serve photos, two pages that are gone and one that is down for now; yield the host and its acquire file."""
    with host() as server:
        paths = [*(f"ok/{n}.jpg" for n in range(6)), "404/1.jpg", "404/2.jpg", "503/3.jpg"]
        yield server, write(tmp_path, [*map(server.url, paths), "file:///etc/passwd"])


def test_a_plan_says_what_was_read_removed_and_selected(call, tmp_path):
    urls = [f"http://{name}.example/a.jpg" for name in "aabcd"]
    texts = ["a cat", "a cat", "two dogs", "no word", "a man"]
    keywords = {"classes": {"person": ["man"], "animal": ["cat", "dogs"]}}
    code, out, _ = call("plan", write(tmp_path, urls, texts, select={"keywords": keywords}))
    assert code == 0
    printed = cells(out)
    for expected in (
        ["rows", "read", "5"],
        ["duplicate_url", "-1"],
        ["selected", "3"],
        ["animal", "2"],
        ["shards", "1"],
    ):
        assert expected in printed
    assert not (tmp_path / "out/shards").exists()


def test_a_run_ends_with_its_account_and_a_retry_finishes_what_was_down(call, web):
    server, file = web
    code, out, _ = call("run", file)
    assert code == 0
    assert cells(out)[2:7] == [
        ["ok", "6", "60.0", "%"],
        ["http_404", "2", "20.0", "%"],
        ["http_5xx", "1", "10.0", "%", "again"],
        ["url_scheme", "1", "10.0", "%"],
        ["all", "rows", "10"],
    ]
    assert "`counterpoint acquire retry` would try 1 row again." in out
    server.is_healed = True
    code, out, _ = call("retry", file)
    assert (code, ["ok", "7", "70.0", "%"] in cells(out)) == (0, True)
    assert "retry` would" not in out


def test_the_status_is_the_same_account_and_json_for_programs(call, web):
    _, file = web
    code, out, err = call("status", file)
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert "no plan" in err
    call("plan", file)
    assert ["waiting", "10", "100", "%"] in cells(call("status", file)[1])
    ran = call("run", file)[1]
    assert call("status", file)[1] == ran
    code, out, _ = call("status", file, "--json")
    account = json.loads(out)
    assert sum(account["statuses"].values()) + account["waiting"] == account["n_rows"] == 10
    assert (account["ok"], account["retryable"], account["success_share"], account["is_running"]) == (6, 1, 0.6, False)


def test_options_change_the_file(call, web, tmp_path):
    _, file = web
    assert call("run", file, "--out", "elsewhere", "--set", "keep=original", "--workers", 1)[0] == 0
    assert json.loads((tmp_path / "elsewhere/plan.json").read_text())["settings"]["keep"] == "original"
    assert not (tmp_path / "out").exists()


def test_an_address_that_is_not_public_is_reached_only_when_allowed(call, web):
    server, file = web
    closed = ("--set", "guard.allow_address=[]")
    assert ["blocked_address", "9", "90.0", "%"] in cells(call("run", file, *closed)[1])
    assert not server.requested
    _, out, _ = call("run", file, *closed, "--out", "other", "--allow-address", "127.0.0.1/32")
    assert ["ok", "6", "60.0", "%"] in cells(out)


def test_a_run_whose_every_address_was_refused_names_the_setting_fails_and_can_be_mended(call, web):
    _, file = web
    closed = ("--set", "guard.allow_address=[]")
    for command in ("run", "run", "retry"):  # nothing waits any more, nothing can be tried again
        code, out, _ = call(command, file, *closed)
        assert (code, "guard.allow_address or by --allow-address NET" in " ".join(out.split())) == (1, True)
    assert "guard.allow_address" in call("status", file)[1]
    code, out, _ = call("retry", file, *closed, "--allow-address", "127.0.0.1/32")
    assert code == 0
    assert ["ok", "6", "60.0", "%"] in cells(out)
    assert "guard.allow_address" not in out


def test_a_run_of_which_some_addresses_are_refused_succeeds(call, tmp_path):
    with host() as server:
        code, out, _ = call("run", write(tmp_path, [server.url("ok/1.jpg"), "http://10.0.0.1/a.jpg"]))
    assert (code, ["blocked_address", "1", "50.0", "%"] in cells(out)) == (0, True)


def test_an_export_says_what_it_wrote_and_what_it_left_out(call, web, tmp_path):
    _, file = web
    call("run", file)
    code, out, _ = call("export", file, "webdataset", "tars")
    assert (code, out) == (
        0, "Wrote 6 of 10 rows to tars; left out: http_404 2, http_5xx 1, url_scheme 1.\n",
    )  # fmt: skip
    assert list((tmp_path / "tars").glob("*.tar"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run", "acquire.yaml", "--engine", "locl"), "Unknown engine 'locl'. Did you mean 'local'?"),
        (("run", "acquire.yaml", "--address", "head:6379"), "the address 'head:6379' needs engine: ray."),
        (("run", "acquire.yaml", "--set", "keep=jpeg-256"), "holds a plan made with keep"),
        (("plan", "acquire.yml"), "Cannot read acquire.yml: No such file or directory."),
        (("plan", "acquire.yaml", "--set", "fetch.conections=3"), "Unknown key 'fetch.conections'."),
        (("plan", "acquire.yaml", "--set", "input=nowhere.parquet", "--out", "x"), "nowhere.parquet"),
        (("run", "acquire.yaml", "--out", "acquire.yaml/sub"), "acquire.yaml/sub"),
        (("export", "acquire.yaml", "webdatset", "tars"), "Unknown layout 'webdatset'. Did you mean 'webdataset'?"),
        (("export", "acquire.yaml", "study-2023", "s", "--resize", "are"), "Did you mean 'area'?"),
        (("new", "acquire.yaml"), "acquire.yaml already exists. Name another file."),
        (("new", "nowhere/acquire.yaml"), "Cannot write nowhere/acquire.yaml: No such file or directory."),
        (("run", "acquire.yaml", "--allow-address", "home", "--out", "x"), "home"),
    ],
)
def test_a_mistake_is_one_line(call, web, words, says):
    assert call("plan", web[1])[0] == 0
    code, out, err = call(*words)
    assert (code, out) == (1, "")
    complaint = [line for line in err.splitlines() if line.startswith("counterpoint: ")]
    assert len(complaint) == 1
    assert says in complaint[0]
    assert "Traceback" not in err


def test_usage_is_exit_2(call):
    assert call("runn")[0] == 2
    assert call("run")[0] == 2
    assert call("export", "acquire.yaml")[0] == 2


def test_an_interrupt_exits_130_and_says_what_is_kept(tmp_path):
    with host(delay_s=0.3) as server:
        file = write(tmp_path, [server.url(f"ok/{n}.jpg") for n in range(400)], run={"workers": 1})
        process = subprocess.Popen(
            [sys.executable, "-m", "counterpoint", "acquire", "run", file],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        until = time.monotonic() + 120
        while not list(tmp_path.glob("out/shards/*.json")):
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < until
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    kept = sum(sum(json.loads(path.read_text())["statuses"].values()) for path in tmp_path.glob("out/shards/*.json"))
    assert (process.returncode, out) == (130, "")
    assert f"counterpoint: interrupted; {kept} of 400 rows are kept in {tmp_path / 'out'}: the same command" in err
    assert "Traceback" not in err
    assert 0 < kept < 400


# The example file.


def leaves(values, model, where=""):
    """Yield (path, value in the example, default) of each setting, sections opened."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            yield from leaves(values[name], kind, f"{where}{name}.")
        else:
            yield f"{where}{name}", values[name], field


def test_the_example_file_has_every_setting_with_its_default():
    values = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    found = list(leaves(values, AcquireConfig))
    assert len(found) > 50
    for where, value, field in found:
        if not field.is_required():
            default = field.get_default(call_default_factory=True)
            assert value == (list(default) if isinstance(default, tuple) else default), where
    assert AcquireConfig.read(values).select == AcquireConfig.model_fields["select"].default


def test_every_setting_of_the_example_file_is_explained():
    for text in EXAMPLE.read_text(encoding="utf-8").splitlines():
        assert not text or "# " in text or text.startswith("#"), text


def test_new_writes_the_example_file(call, tmp_path):
    code, out, _ = call("new", "mine.yaml")
    assert (code, out) == (0, "Wrote mine.yaml.  Read it, then: counterpoint acquire plan mine.yaml\n")
    assert read_acquire(tmp_path / "mine.yaml").output == str(tmp_path / "acquired")


def test_the_schema_of_an_acquire_file_is_json_schema(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["counterpoint", "schema", "--acquire"])
    with pytest.raises(SystemExit):
        cli.main()
    assert "shard_rows" in json.loads(capsys.readouterr().out)["properties"]


# What is shown.


def printed(account):
    console = Console(width=100, highlight=False, markup=False)
    with console.capture() as captured:
        for part in summary(account):
            console.print(part)
    return captured.get()


EVIL = "[red]\x1b[2J\u202eexample\r\n"


def test_nothing_that_a_host_is_called_reaches_the_terminal_raw():
    account = Account(10, {"ok": 5}, worst_hosts={EVIL: 5}, pace=Pace(1, 1, 1, 1, 1))
    for text in (printed(account), line(account)):
        assert r"[red]\x1b[2J\u202eexample\r\n" in text
        assert not {"\x1b", "\u202e", "\r"} & set(text)


@pytest.mark.parametrize("text", ["plain", "naïve – 猫", EVIL, "\x9b31m", "\u2028", "\x00"])
def test_what_is_escaped_is_printable(text):
    assert terminal_text(text).isprintable()
    assert (terminal_text(text) == text) == text.isprintable()


def test_a_line_is_printed_only_when_it_is_time(capsys):
    account, shown = Account(100, {"ok": 10, "http_404": 5}, in_flight=5), "20 of 100 rows, 66.7 % ok; http_404 5\n"
    quiet = AccountLines(console(stderr=True), "selecting", every_s=60)
    for _ in range(3):
        quiet(account)
    assert capsys.readouterr().err == f"selecting\n{shown}"
    chatty = AccountLines(console(stderr=True), "selecting", every_s=0)
    chatty.beat()
    chatty(account)
    chatty(account)
    chatty.beat()
    assert capsys.readouterr().err == f"selecting\nselecting, since 0 s\n{shown}{shown}"


def test_on_a_terminal_one_line_changes_in_place(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with watching("selecting rows") as on_account:
        on_account(Account(100, {"ok": 10}, in_flight=5))
    shown = capsys.readouterr().err
    assert "\x1b[" in shown
    assert "15 of 100 rows, 100 % ok" in shown


def test_an_account_that_runs_says_so_and_one_that_stopped_says_how_to_go_on():
    pace = Pace(rows_per_s=12, mb_per_s=1.5, rows_per_s_overall=11, mb_per_s_overall=1, seconds_left=600)
    running = printed(Account(100, {"ok": 40}, in_flight=10, pace=pace, is_running=True))
    assert "10 under way" in running
    assert "Running: 12 rows/s, 1.5 MB/s, 10 min left." in running
    stopped = printed(Account(100, {"ok": 40}, pace=pace))
    assert "60 rows wait: `counterpoint acquire run` goes on from there." in stopped
    assert "The newest run: 11 rows/s, 1.0 MB/s." in stopped
