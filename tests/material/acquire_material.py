"""A host on loopback that serves small photos and counts who asks, and acquisitions of a few of its URLs."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import polars as pl
import simplejpeg

from counterpoint.config.acquire import AcquireConfig


@lru_cache(maxsize=4096)
def photo(number: int, side_px: int = 64) -> bytes:
    """Return a JPEG of noise, which is different for each *number*."""
    pixels = np.random.default_rng(number).integers(0, 255, (side_px, side_px + 8, 3), dtype=np.uint8)
    return simplejpeg.encode_jpeg(pixels, quality=90)


class Host(ThreadingHTTPServer):
    """Answers ``/ok/7.jpg`` with photo 7, ``/503/…`` with that code until it is healed, ``/404/…`` always so."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, *, delay_s: float = 0.0, side_px: int = 64) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.delay_s, self.side_px = delay_s, side_px
        self.is_healed = False
        self.requested: Counter[str] = Counter()

    def handle_error(self, request, client_address) -> None:  # a client that was killed is no error
        pass

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Host

    def do_GET(self) -> None:
        self.server.requested[self.path] += 1
        time.sleep(self.server.delay_s)
        _, kind, name = self.path.split("/", 2)
        code = 200 if kind == "ok" or (self.server.is_healed and kind == "503") else int(kind)
        body = photo(int(name.split(".")[0]), self.server.side_px) if code == 200 else b"no"
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def host(**settings) -> Iterator[Host]:
    with Host(**settings) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server
        server.shutdown()


def config(folder: Path, urls: list[str], *, output: str | None = None, **settings) -> AcquireConfig:
    """Return an acquisition of *urls*, whose list is written into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "list.parquet").exists():  # written again it would be another list
        texts = [f"text of {number}" for number in range(len(urls))]
        rows = pl.DataFrame({"URL": urls, "TEXT": texts}, schema={"URL": pl.String, "TEXT": pl.String})
        rows.write_parquet(folder / "list.parquet")
    fixed = {
        "acquisition": "few",
        "input": str(folder / "list.parquet"),
        "output": output or str(folder / "out"),
        "guard": {"allow_address": ["127.0.0.1/32"]},
        "select": {"unique_urls": False},
        "keep": "gray-64",
        "shard_rows": 10,
        "run": {"engine": "inline"},
    }
    return AcquireConfig.read(fixed | settings)


def shard_hashes(out: Path) -> dict[str, str]:
    """Return the sha256 of each shard file."""
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in sorted((out / "shards").glob("*.parquet"))}


def slots(out: Path, generation: int = 0) -> list[int]:
    """Return the slots of a generation in the order of its shards."""
    names = sorted(
        path for path in (out / "shards").glob("*.parquet") if (f".r{generation}." in path.name) == bool(generation)
    )
    return [slot for path in names for slot in pl.read_parquet(path, columns=["slot"])["slot"]]


def events(out: Path, name: str) -> list[dict]:
    """Return the events in the log of a shard."""
    return [json.loads(line) for line in (out / "events" / f"{name}.jsonl").read_text().splitlines()]
