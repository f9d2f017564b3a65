"""Run a short acquisition as a user does: from a list on loopback with one missing image to a page."""

import json
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import numpy as np
import polars as pl
import yaml
from PIL import Image

N = 60
COMMAND = Path(sys.executable).with_name("counterpoint")
OPEN = ("--allow-address", "127.0.0.1/32")


class Quiet(SimpleHTTPRequestHandler):
    """Serve a folder without log lines."""

    def log_message(self, *args: object) -> None:
        """Print nothing."""


def counterpoint(*arguments: object) -> str:
    """Run the command and return its output."""
    done = subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr or done.stdout
    return done.stdout


def draw(folder: Path) -> None:
    """Write N - 1 images, half of them light and half dark. The last one of N is missing."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(N - 1):
        pixels = rng.integers(0, 100, (96, 128, 3)) + 100 * (number % 2)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.jpg")


def write_settings(folder: Path, port: int) -> Path:
    """Write one part of a LAION-400M list and an acquire file."""
    texts = [f"{'man' if number % 2 else 'dog'} number {number} of a long row" for number in range(N)]
    pl.DataFrame({
        "SAMPLE_ID": range(N), "URL": [f"http://127.0.0.1:{port}/{number}.jpg" for number in range(N)], "TEXT": texts,
        "HEIGHT": [96] * N, "WIDTH": [128] * N, "LICENSE": ["?"] * N, "NSFW": ["UNLIKELY"] * N, "similarity": [0.3] * N,
    }).write_parquet(folder / "part.parquet")  # fmt: skip
    classes = {"person": ["man"], "animal": ["dog"]}
    settings = {"acquisition": "short", "input": "part.parquet", "output": "out", "shard_rows": 20}
    (folder / "acquire.yaml").write_text(yaml.safe_dump({**settings, "select": {"keywords": {"classes": classes}}}))
    return folder / "acquire.yaml"


def main() -> None:
    """Acquire the images, check the shards, export them, and run a study."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        draw(folder / "photos")
        with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder / "photos")) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            file = write_settings(folder, server.server_port)
            counterpoint("acquire", "plan", file, *OPEN)
            counterpoint("acquire", "run", file, *OPEN)
            counterpoint("acquire", "retry", file, *OPEN)
            print(counterpoint("acquire", "status", file), end="")
            server.shutdown()
        shards = pl.read_parquet(sorted((folder / "out" / "shards").glob("*.parquet")))
        assert dict(shards["status"].value_counts().rows()) == {"ok": N - 1, "http_404": 1}
        check_exports(folder, file)
        check_study(folder)


def check_exports(folder: Path, file: Path) -> None:
    """Export the acquired images as tars."""
    counterpoint("acquire", "export", file, "webdataset", folder / "tars")
    assert list((folder / "tars").glob("*.tar"))


def check_study(folder: Path) -> None:
    """Run a study of the acquired images up to its page."""
    study = {
        "study": "short", "source": {"kind": "acquired", "path": "out"}, "split": {"kind": "holdout"},
        "contenders": ["majority", "text-svm"],
    }  # fmt: skip
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    counterpoint("run", folder / "study.yaml", "--runs", folder / "runs")
    results = json.loads((folder / "runs" / "short" / "results.json").read_text())
    assert results["rows"]["dropped"] == {"http_404": 1}, results["rows"]
    assert results["rows"]["pairs"] == N - 1, results["rows"]


main()
