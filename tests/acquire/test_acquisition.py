"""An acquisition plans, runs, resumes, retries and accounts for every row, and only one writes at a time."""

import threading
import time

import polars as pl
import pytest
import yaml

from acquire_material import config, host, shard_hashes, slots
from counterpoint.acquire.account import read_account
from counterpoint.acquire.acquisition import Acquisition, open_acquisition
from counterpoint.errors import ConfigError, CounterpointError, RunFolderError

pytestmark = pytest.mark.slow


@pytest.fixture
def server():
    with host() as server:
        yield server


def mixed(server, n=30):
    return [server.url(f"{('ok', 'ok', '503', '404')[number % 4]}/{number}.jpg") for number in range(n)]


def test_a_run_accounts_for_every_row_and_run_again_it_asks_for_nothing(server, tmp_path):
    acquisition = Acquisition(config(tmp_path, mixed(server)))
    account = acquisition.run()
    assert account.statuses == {"ok": 16, "http_5xx": 7, "http_404": 7}
    assert (account.n_rows, account.waiting, account.done) == (30, 0, 30)
    assert account.n_bytes > 0
    n_requests = server.requested.total()
    again = Acquisition(config(tmp_path, mixed(server))).run()
    assert (again.statuses, server.requested.total()) == (account.statuses, n_requests)


def test_status_returns_the_same_account_and_writes_nothing(server, tmp_path):
    acquisition = Acquisition(config(tmp_path, mixed(server)))
    account = acquisition.run()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    status = acquisition.status()
    assert (status.statuses, status.n_rows, status.is_running) == (account.statuses, 30, False)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_status_of_an_empty_place_makes_no_folder(tmp_path):
    with pytest.raises(RunFolderError, match="holds no plan"):
        Acquisition(config(tmp_path, ["http://a.example/"])).status()
    assert not (tmp_path / "out").exists()


def test_a_retry_mends_what_may_be_mended_and_then_has_nothing_to_do(server, tmp_path):
    acquisition = Acquisition(config(tmp_path, mixed(server)))
    acquisition.run()
    server.is_healed = True
    account = acquisition.retry()
    assert account.statuses == {"ok": 23, "http_404": 7}
    assert account.generations == {0: 3, 1: 3}
    n_requests = server.requested.total()
    assert acquisition.retry().generations == {0: 3, 1: 3}
    assert server.requested.total() == n_requests


def test_another_retry_takes_what_the_last_one_left(server, tmp_path):
    acquisition = Acquisition(config(tmp_path, mixed(server)))
    acquisition.run()
    assert acquisition.retry().statuses["http_5xx"] == 7
    server.is_healed = True
    assert acquisition.retry().statuses == {"ok": 23, "http_404": 7}
    assert slots(tmp_path / "out", 2) == slots(tmp_path / "out", 1)


def test_readers_see_the_plans_rows_while_workers_commit_and_retry(tmp_path):
    with host(delay_s=0.02) as server:
        rules = config(tmp_path, mixed(server, 60), shard_rows=5, fetch={"connections": 4, "per_host": 4})
        acquisition = Acquisition(rules)
        acquisition.plan()
        done, wrong, over = [], [], threading.Event()

        def update():
            while not over.is_set():
                account = read_account(acquisition.store)
                wrong.extend([account] * (sum(account.statuses.values()) + account.waiting != 60))
                wrong.extend([account] * (min(account.statuses.values(), default=0) < 0))
                done.append(account.done)

        reader = threading.Thread(target=update)
        reader.start()
        acquisition.run()
        acquisition.retry()
        over.set()
        reader.join()
    assert not wrong
    assert len(set(done)) > 5
    assert done == sorted(done)


def test_the_callback_receives_rows_in_flight_and_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr("counterpoint.acquire.monitor.UPDATE_S", 0.02)
    monkeypatch.setattr("counterpoint.acquire.pipeline.REPORT_S", 0.02)
    accounts = []
    with host(delay_s=0.05) as server:
        rules = config(tmp_path, mixed(server), fetch={"connections": 2, "per_host": 2})
        Acquisition(rules, on_account=accounts.append).run()
    assert any(account.in_flight for account in accounts)
    assert (accounts[0].waiting, accounts[-1].waiting) == (30, 0)
    assert any(account.pace.rows_per_s > 0 and account.pace.seconds_left for account in accounts)
    assert accounts[-1].pace.seconds_left == 0


def test_a_callback_that_fails_ends_the_run_with_its_own_error_and_frees_the_folder(server, tmp_path):
    def fail(account):
        raise CounterpointError("no ears")

    with pytest.raises(CounterpointError, match="no ears"):
        Acquisition(config(tmp_path, mixed(server)), on_account=fail).run()
    assert Acquisition(config(tmp_path, mixed(server))).run().waiting == 0


def test_of_two_runs_at_once_one_is_refused_and_the_other_is_as_if_alone(tmp_path):
    refused = []
    with host(delay_s=0.05) as server:
        rules = config(tmp_path, mixed(server), fetch={"connections": 2, "per_host": 2})
        first = threading.Thread(target=Acquisition(rules).run)
        first.start()
        while not (tmp_path / "out/run.json").exists():
            time.sleep(0.01)
        try:
            Acquisition(rules).run()
        except RunFolderError as error:
            refused.append(str(error))
        first.join()
    assert "is being written by process" in refused[0]
    assert slots(tmp_path / "out") == list(range(30))
    assert server.requested.total() == 30


def test_the_local_engine_makes_the_same_shards_as_one_process(server, tmp_path):
    for name, run in {
        "one": {"engine": "inline"},
        "many": {"engine": "local", "workers": 2, "shards_at_once": 1},
    }.items():
        rules = config(tmp_path, mixed(server), output=str(tmp_path / name), run=run)
        assert Acquisition(rules).run().waiting == 0
    assert shard_hashes(tmp_path / "one") == shard_hashes(tmp_path / "many")


def test_another_plan_is_refused_before_any_request(server, tmp_path):
    Acquisition(config(tmp_path, mixed(server))).run()
    n_requests = server.requested.total()
    with pytest.raises(CounterpointError, match="keep"):
        Acquisition(config(tmp_path, mixed(server), keep="original")).run()
    assert server.requested.total() == n_requests


def test_tasks_are_as_many_as_workers_and_hold_at_most_so_many_shards(tmp_path):
    rules = config(tmp_path, [], run={"workers": 2, "shards_at_once": 3})
    groups = [task.shards for task in Acquisition(rules).tasks(range(4))]
    assert groups == [(0, 1), (2, 3)]
    assert [task.shards for task in Acquisition(rules).tasks(range(10))] == [(0, 1, 2), (3, 4, 5), (6, 7, 8), (9,)]
    assert Acquisition(rules).tasks([]) == []


def test_a_file_is_an_acquisition_and_its_mistakes_are_one_line(server, tmp_path):
    config(tmp_path, mixed(server))
    file = tmp_path / "acquire.yaml"
    file.write_text(yaml.safe_dump({
        "acquisition": "few", "input": "list.parquet", "output": "out", "guard": {"allow_address": ["127.0.0.1/32"]},
        "run": {"engine": "inline"},
    }))  # fmt: skip
    account = open_acquisition(file, overrides=("keep=gray-64", "shard_rows=10")).run()
    assert account.waiting == 0
    assert pl.read_parquet(tmp_path / "out/shards/00000.parquet").height == 10
    with pytest.raises(ConfigError, match="Did you mean 'keep'"):
        open_acquisition(file, overrides=("kep=gray-64",))
