"""An input that hangs a decoder, in Python or in C, costs its own row: a study and an acquisition go on."""

import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from acquire_material import config, host, photo
from counterpoint.acquire import open_shard
from counterpoint.acquire.acquisition import Acquisition
from counterpoint.acquire.pipeline import ShardsTask, acquire_shards
from counterpoint.acquire.transcode import transcode
from counterpoint.engines import engine
from counterpoint.engines.time_limit import time_limit
from counterpoint.errors import CounterpointError
from counterpoint.features import child, chunks, hashes
from counterpoint.features.child import give_back, take_child
from counterpoint.features.decode import Limits, decode_image
from counterpoint.features.hashes import inspect_images
from counterpoint.features.pixels import build_pixels, load_pixels
from hostile_images import OK_IMAGES

pytestmark = pytest.mark.slow

LIMIT_S = 0.5
BOMB = re.compile(r"(a*)*b")


def hang_in_python():
    while True:
        time.sleep(0)


def hang_in_c():
    """Hold the interpreter's lock for longer than anybody waits."""
    BOMB.match("a" * 64)


def crash():
    os.kill(os.getpid(), signal.SIGKILL)


HANGS = {"python": hang_in_python, "c": hang_in_c}


@pytest.fixture
def images(tmp_path):
    """Return the paths of twelve images.  The fourth and the eighth are marked by their bytes."""
    paths = [tmp_path / f"{number}.img" for number in range(12)]
    for number, (path, body) in enumerate(zip(paths, OK_IMAGES.values(), strict=True)):
        path.write_bytes(body() + b"marked" * (number in (3, 7)))
    return list(map(str, paths))


def decode_or(reaction, data, **rules):
    if data.endswith(b"marked"):
        reaction()
    return decode_image(data, **rules)


def inspected_where(reaction, start, refs, reader, *, limits):
    """Do the work of a child of `inspect_images`, with a decoder that treats marked images differently."""
    hashes.decode_image = partial(decode_or, reaction)
    return hashes._inspect(start, refs, reader, limits=limits)


def statuses(images, reaction, *, workers=1):
    work = partial(inspected_where, reaction, limits=Limits())
    rows = chunks.over_chunks(images, work, workers=workers, max_decode_s=LIMIT_S)
    return [status for status, *_ in rows]


@pytest.fixture(autouse=True)
def fresh_child():
    """Leave no child behind whose decoder was changed."""
    yield
    child.end_idle()


@pytest.mark.parametrize("hang", HANGS)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_study_goes_on_when_images_hang_the_decoder(images, hang, workers, monkeypatch):
    monkeypatch.setattr(chunks, "MANY", 1)
    monkeypatch.setattr(chunks, "CHUNK", 5)
    expected = ["decode_timeout" if number in (3, 7) else "ok" for number in range(12)]
    assert statuses(images, HANGS[hang], workers=workers) == expected


def test_an_image_that_kills_its_process_three_times_is_named(images):
    with pytest.raises(CounterpointError, match=r"process of the image .*3\.img died 3 times"):
        statuses(images, crash)


def test_an_image_over_its_limit_is_its_row_and_has_no_pixels(images, tmp_path):
    frame = pl.DataFrame({"image": images[:2]})
    inspected = inspect_images(frame, Limits(max_decode_s=1e-6))
    assert inspected["image_status"].to_list() == ["decode_timeout"] * 2
    build_pixels(images[:2], side_px=8, mode="gray", cache=tmp_path / "cache", max_decode_s=1e-6)
    pixels = load_pixels(images[:2], side_px=8, mode="gray", cache=tmp_path / "cache")
    assert pixels.is_missing.tolist() == [True, True]


def test_the_process_that_asks_is_never_ended():
    with time_limit(1e-6):
        assert sum(range(10_000))
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_child_is_kept_for_the_next_caller_and_its_errors_are_raised_here():
    first = child.take_child()
    with pytest.raises(ZeroDivisionError):
        first.call(divmod, 1, 0)
    child.give_back(first)
    assert child.take_child() is first
    first.kill()
    child.give_back(first)
    second = child.take_child()
    assert second.call(divmod, 7, 2) == (3, 1)
    second.kill()


def test_a_child_for_each_thread_is_kept_inside_the_context_and_one_after_it():
    with child.children_ready(2, "colorsys"):
        pair = [child.take_child(), child.take_child()]
        for each in pair:
            child.give_back(each)
        assert {child.take_child(), child.take_child()} == set(pair)
        for each in pair:
            child.give_back(each)
    kept = child.take_child()
    assert kept in pair
    assert [each.is_alive() for each in pair if each is not kept] == [False]
    kept.kill()


def test_a_script_without_a_main_guard_can_read_images(images, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import polars as pl\n"
        "from counterpoint.features.decode import Limits\n"
        "from counterpoint.features.hashes import inspect_images\n"
        f"records = pl.DataFrame({{'image': {images!r}}})\n"
        "print(inspect_images(records, Limits())['image_status'].to_list().count('ok'))\n"
    )
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=120)
    assert (run.stdout, run.stderr) == ("12\n", "")


STUCK = """
import re
import time
from counterpoint.engines.time_limit import end_watch, expend_process, sign_of_life
sign_of_life(1e-3)
time.sleep(0.01)  # not a worker
expend_process()
sign_of_life(1e-3)
end_watch()
time.sleep(0.01)
bomb = re.compile(r"(a*)*b")
sign_of_life(0.1)
bomb.match("a" * 64)
"""
"""Only the hang itself is watched: a trace of a thread that still moves may break off."""


def test_a_worker_without_a_sign_of_life_ends_with_a_trace_of_where_it_was():
    run = subprocess.run(
        [sys.executable, "-c", STUCK],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 1
    assert run.stderr.startswith("Timeout")
    assert "File" in run.stderr


# Acquisition.


def keep_or(reaction, body, **rules):
    if body in (photo(4), photo(6), photo(8)):
        reaction()
    return transcode(body, **rules)


def acquire_hanging_in_python(task):
    open_shard.transcode = partial(keep_or, hang_in_python)
    return acquire_shards(task)


def acquire_hanging_in_c(task):
    open_shard.transcode = partial(keep_or, hang_in_c)
    return acquire_shards(task)


@pytest.mark.parametrize(
    ("name", "work"),
    [("local", acquire_hanging_in_python), ("local", acquire_hanging_in_c), ("ray", acquire_hanging_in_c)],
)
def test_an_acquisition_goes_on_however_many_images_hang_the_decoder(request, tmp_path, name, work):
    if name == "ray":
        request.getfixturevalue("cluster")
    with host() as server:
        rules = config(tmp_path, [server.url(f"ok/{number}.jpg") for number in range(10)])
        rules = rules.model_copy(update={"decode": rules.decode.model_copy(update={"max_decode_s": LIMIT_S})})
        Acquisition(rules).plan()
        list(engine(name)([ShardsTask("all", rules, (0,))], work, workers=1))
    rows = pl.read_parquet(tmp_path / "out" / "shards" / "00000.parquet")
    assert rows["status"].to_list() == ["decode_timeout" if slot in (4, 6, 8) else "ok" for slot in range(10)]
    assert not list(Path(rules.output).rglob("*.suspects"))


def test_a_child_works_in_the_folder_of_its_parent(tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        child = take_child()
        assert child.call(os.getcwd) == str(tmp_path / name)
        give_back(child)
