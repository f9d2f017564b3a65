"""Secrets and folders of a machine are in nothing that is printed, logged, hashed or written for others."""

import json
import logging
import sys
from pathlib import Path

import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from acquire_material import host
from counterpoint import cli
from counterpoint.acquire.lists.inputs import InputFile, find_inputs
from counterpoint.config import StudyConfig
from counterpoint.config.acquire import AcquireConfig
from counterpoint.data import generate
from counterpoint.data.sources import open_source
from counterpoint.errors import ConfigError, CounterpointError, SourceError
from counterpoint.opening import open_study
from counterpoint.redaction import redacted, redacted_text, without_logins
from counterpoint.safe_text import log_line
from counterpoint.store import Store
from counterpoint.sweep import open_sweep

MARKER = "marker-of-a-private-folder"
SECRET = "hunter2-s3cr3t"


@pytest.mark.parametrize(
    "url",
    [
        f"https://me:{SECRET}@host.example/a.jpg", f"s3://KEY:{SECRET}@bucket/a", f"https://{SECRET}@host.example/",
        f"http:/me:{SECRET}@host.example", f"http:\\\\me:{SECRET}@host.example", f"HTTPS://me:{SECRET}@h@host.example/x",
        f"https://host.example/a?X-Amz-Signature={SECRET}&b=1", f"https://host.example/a?b=1&token={SECRET}#c",
        f"s3:/KEY:{SECRET}@bucket/a", f"abfs:/KEY:{SECRET}@bucket/a", f"https://host.example/#access_token={SECRET}", f"https://host.example/a?client_secret={SECRET}",
        f"https://host.example/a?AccessKeyId={SECRET}", f"https://host.example/a?authorization={SECRET}",
        f"https://host.example/a?sig={SECRET}", f"https://host.example/a?access_token={SECRET}", f"ftp://a:{SECRET}@b",
    ],
)  # fmt: skip
def test_no_login_or_signature_of_a_url_is_in_an_error_or_a_log(url):
    assert SECRET not in redacted_text(f"Cannot read {url}: it is gone.")
    assert SECRET not in str(CounterpointError(f"Cannot read {url}."))
    assert SECRET not in log_line(url)


@pytest.mark.parametrize(
    "text",
    ["https://example.org/@me/a.jpg", "me@example.org", "a?b=token", "https://example.org/a?tokens=1&w=2", "a: b@c"],
)
def test_what_is_no_secret_stays(text):
    assert redacted_text(text) == text


@given(st.text())
def test_what_has_been_redacted_stays_as_it_is(text):
    assert redacted_text(redacted_text(text)) == redacted_text(text)


def test_settings_without_secrets_do_not_depend_on_them():
    storage = {"key": "KEY", "secret": SECRET, "client_kwargs": {"endpoint_url": "http://minio"}, "anon": False}
    source = {"kind": "acquired", "path": f"s3://K:{SECRET}@bucket/out", "storage": storage}
    contender = {"kind": "my_lab:Remote", "name": "remote", "api_key": SECRET}
    study = StudyConfig(study="a", source=source, contenders=[contender])
    for dumped in (study.model_dump(mode="json"), study.model_dump()):
        assert SECRET not in str(dumped)
    opened = open_source(source | {"path": "acquired"})
    assert opened.storage == storage
    assert SECRET not in str(opened.model_dump()) + repr(opened)
    acquire = AcquireConfig(acquisition="a", input={"path": f"s3://K:{SECRET}@b/l.csv", "storage": storage}, output="o",
                            storage=storage)  # fmt: skip
    assert acquire.storage == acquire.input.storage == storage
    assert SECRET not in json.dumps(acquire.plan_settings()) + str(acquire.model_dump(include={"storage"}))
    assert redacted(storage)["anon"] is False


def test_an_object_store_that_cannot_be_reached_does_not_tell_its_keys():
    with pytest.raises(ConfigError) as caught:
        Store(f"nosuch://me:{SECRET}@bucket", {"secret": SECRET})
    assert SECRET not in str(caught.value)
    store = Store(f"memory://me:{SECRET}@bucket/out")
    assert SECRET not in store.url + repr(store)


@pytest.fixture
def study_file(tmp_path):
    """Write a study whose pictures and table lie under a folder of its own, and a sweep of it; return the study's."""
    source = tmp_path / MARKER / "pictures"
    (tmp_path / "work").mkdir()
    (tmp_path / "cfg").mkdir()
    pairs = generate(source, n=80, seed=1, side_px=16)
    (source / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    rows = pairs.select("id", "image", "text", "label").to_dicts()
    rows[0] |= {"image": str(source / "not-there.png")}
    rows[1] |= {"image": str(source / "broken.png")}
    pl.DataFrame(rows).write_csv(source / "table.csv")
    study = {
        "study": "private",
        "source": {"kind": "table", "path": str(source / "table.csv"), "root": str(source), "image": "image"},
        "contenders": ["majority", "text-svm", {"kind": "image-cnn", "side_px": 16, "epochs": 1}, "late-fusion"],
        "fit": {"engine": "inline"},
    }  # fmt: skip
    study["contenders"][3] = {"kind": "late-fusion", "text": ["text-svm"]}
    (tmp_path / "cfg/study.yaml").write_text(yaml.safe_dump(study))
    sweep = {"sweep": "swept", "study": "study.yaml", "variants": {"plain": {}}, "contenders": ["text-svm"],
             "only": {"plain": {"fewer": {"split.limit": 60}}}}  # fmt: skip
    (tmp_path / "cfg/sweep.yaml").write_text(yaml.safe_dump(sweep))
    return tmp_path / "cfg/study.yaml"


def shareable(folder):
    """Yield the files of a run folder that are meant for others."""
    yield from (folder / name for name in ("report.html", "results.json", "sweep.json") if (folder / name).exists())
    yield from (folder / "figures").glob("*")


@pytest.mark.slow
def test_no_page_names_a_folder_of_this_machine(study_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / "work")
    open_study(study_file, runs="runs").report()
    open_sweep(study_file.with_name("sweep.yaml"), runs="runs").report()
    files = [*shareable(Path("runs/private")), *shareable(Path("runs/swept"))]
    assert len(files) > 5
    for file in files:
        content = file.read_bytes()
        for private in (MARKER, str(tmp_path), str(Path.home()) + "/"):
            assert private.encode() not in content, (file, private)
    config = yaml.safe_load(json.loads(Path("runs/private/results.json").read_text())["config"])
    assert (config["source"]["path"], config["source"]["root"]) == ("…/table.csv", "…/pictures")


def test_a_source_next_to_the_study_file_is_named_from_there(tmp_path):
    study = {"study": "a", "source": {"kind": "generated", "n": 60}, "exclude": "lists/out.txt",
             "contenders": ["majority"], "fit": {"engine": "inline"}}  # fmt: skip
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists/out.txt").write_text("nobody\n")
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    results = open_study(tmp_path / "study.yaml", runs=tmp_path / "runs").results()
    assert yaml.safe_load(results["config"])["exclude"] == "lists/out.txt"


def test_no_login_of_a_list_is_kept_by_an_acquisition(tmp_path, monkeypatch, capsys, caplog):
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    with host() as server:
        signed = f"ok/1.jpg?X-Amz-Signature={SECRET}"
        logins = [
            f"http://me:{SECRET}@host.example/a.jpg",
            f"https://{SECRET}@host.example/b.jpg",
            f"me:{SECRET}@c.example/",
        ]
        urls = [server.url(signed), *logins, server.url("ok/2.jpg")]
        pl.DataFrame({"URL": urls, "TEXT": ["a cat"] * len(urls)}).write_parquet("list.parquet")
        found = {"acquisition": "a", "input": {"path": "list.parquet", "storage": {"secret": SECRET}}, "output": "out",
                 "storage": {"key": SECRET}, "keep": "gray-64", "run": {"engine": "inline"}}  # fmt: skip
        Path("a.yaml").write_text(yaml.safe_dump(found))
        for words in (("run", "a.yaml", "--allow-address", "127.0.0.1/32"), ("status", "a.yaml", "--json"),
                      ("export", "a.yaml", "webdataset", "tars"), ("export", "a.yaml", "imagefolder", "folder"),
                      ("run", "a.yaml", "--set", "storage=[hunter2-s3cr3t]")):  # fmt: skip
            monkeypatch.setattr(sys, "argv", ["counterpoint", "acquire", *words])
            with pytest.raises(SystemExit):
                cli.main()
    rows = pl.read_parquet("out/shards/00000.parquet")
    assert sorted(rows["status"]) == ["ok", "ok", "url_invalid", "url_invalid", "url_scheme"]
    assert rows["url"][0] == server.url(signed)  # a retry needs it
    assert SECRET not in str(rows["url"][1:].to_list())
    assert without_logins("".join(rows["url"])) == "".join(rows["url"])
    assert SECRET not in caplog.text + "".join(capsys.readouterr())
    kept = [path for path in Path().rglob("*") if path.is_file() and path.name not in ("list.parquet", "a.yaml")]
    public = [path for path in kept if path.suffix != ".parquet"]
    assert len(public) > 5
    assert not [path for path in public if SECRET.encode() in path.read_bytes()]


def test_a_list_behind_a_login_is_named_without_it(tmp_path):
    assert SECRET not in str(InputFile(f"http://me:{SECRET}@host/list.csv", 1, "x").mark())
    with pytest.raises((SourceError, ConfigError)) as caught:
        find_inputs([f"nosuch://me:{SECRET}@host/list.csv"], {})
    assert SECRET not in str(caught.value)
