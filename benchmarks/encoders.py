"""Measure encoders: processes, batches, and rows that the store serves: `encoders.py [--whole]`.

Texts are random words, and images are random colours in JPEGs of 500 × 375 pixels.  The cost of an encoder does not
depend on the content.  Two processes are compared with one, and batches with single rows.  The rate of processes is
that of the rows which a larger build has more than a smaller one, so that starting them does not count.  Other work on
the machine distorts every figure.
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from PIL import Image

from counterpoint.devices import exact
from counterpoint.encoders import open_encoder
from counterpoint.encoders.base import Encoder, Floats
from counterpoint.encoders.building import build_encodings
from counterpoint.encoders.catalogue import CATALOGUE
from counterpoint.encoders.encodings import load_encodings
from counterpoint.features.pixels import load_pixels
from counterpoint.schema import Frame

ROUNDS = 3
WORDS = (
    "a",
    "dog",
    "man",
    "red",
    "runs",
    "grass",
    "two",
    "children",
    "water",
    "bicycle",
    "playing",
    "mountain",
    "near",
)
READ_ROWS = 4096


class Sizes(NamedTuple):
    """The numbers of rows: of a smaller and a larger build, of batches, and of the store."""

    texts: tuple[int, int]
    images: tuple[int, int]
    batches: dict[str, int]
    known: int


QUICK = Sizes((256, 512), (128, 192), {"minilm": 96, "lite0": 32}, 20_000)
WHOLE = Sizes((2000, 12_000), (256, 1536), {"minilm": 1024, "lite0": 256}, 1_000_000)


class Known(Encoder):
    """Vectors without a model, for the store."""

    name, modalities = "known", ("text",)

    def __init__(self, width: int) -> None:
        self.width = width

    @property
    def fingerprint(self) -> str:
        """A hash of the width."""
        return f"known {self.width}"

    def encode_texts(self, texts: Sequence[str]) -> Floats:
        """Return random vectors."""
        return np.random.default_rng(0).normal(size=(len(texts), self.width)).astype(np.float32)


def texts(n: int) -> Frame:
    """Return *n* different texts of 5 to 20 words.

    >>> texts(2)["text"].n_unique()
    2
    """
    rng = np.random.default_rng(0)
    lines = [f"{' '.join(rng.choice(WORDS, rng.integers(5, 21)))} {i}" for i in range(n)]
    return pl.DataFrame({"text": lines})


def images(n: int, folder: Path) -> Frame:
    """Write *n* different JPEGs into *folder*, and return their paths."""
    rng, paths = np.random.default_rng(0), [folder / f"{i}.jpg" for i in range(n)]
    for path in paths:
        coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        coarse.resize((500, 375), Image.Resampling.BILINEAR).save(path, quality=90)
    return pl.DataFrame({"image": [str(path) for path in paths]})


def took_s(work: Callable[[], Any]) -> float:
    """Return the seconds that *work* takes."""
    start = perf_counter()
    work()
    return perf_counter() - start


def rate_of_processes(encoder: Encoder, pairs: Frame, sizes: tuple[int, int], workers: int) -> float:
    """Return the rows a second of a build.

    Parameters
    ----------
    encoder
        *encoder* is the encoder.
    pairs
        *pairs* have a column text or image.
    sizes
        *sizes* are the numbers of rows of a smaller and a larger build.
    workers
        *workers* is the number of processes.
    """
    seconds = []
    for n in sizes:
        with TemporaryDirectory() as cache:
            build = partial(build_encodings, pairs.head(n), encoder, pairs.columns[0])
            seconds.append(took_s(partial(build, cache=Path(cache), workers=workers)))
    return (sizes[1] - sizes[0]) / (seconds[1] - seconds[0])


def show(name: str, rates: dict[str, float], bar: float) -> None:
    """Print the two *rates* of an encoder in rows a second, and their ratio with the least allowed one.

    Parameters
    ----------
    name
        *name* is the name of the encoder.
    rates
        *rates* are the slow and the fast rate, by the way of encoding.
    bar
        *bar* is the least allowed ratio.
    """
    slow, fast = rates.values()
    shown = "   ".join(f"{way} {rate:8.1f} rows/s" for way, rate in rates.items())
    print(f"{name:<8}{shown}   ratio {fast / slow:.2f} (bar {bar})", flush=True)


def measure_processes(name: str, pairs: Frame, sizes: tuple[int, int]) -> None:
    """Print the rates of one and of two processes, and their ratio."""
    encoder = open_encoder(name, device="cpu")
    one, two = (rate_of_processes(encoder, pairs, sizes, workers) for workers in (1, 2))
    show(name, {"one process": one, "two processes": two}, 1.8)


def measure_batches(name: str, contents: Any) -> None:
    """Print the rates of single rows and of batches in one thread, and their ratio."""
    batched: Any = open_encoder(name, device="cpu")
    single = type(batched)(batch=1)
    method = f"encode_{batched.modalities[0]}s"
    seconds: dict[Any, list[float]] = {single: [], batched: []}
    for encoder in seconds:
        getattr(encoder, method)(contents[:1])
    for _ in range(ROUNDS):
        for encoder, found in seconds.items():
            found.append(took_s(partial(getattr(encoder, method), contents)))
    one, many = (len(contents) / median(seconds[encoder]) for encoder in (single, batched))
    show(name, {"single rows": one, "batches": many}, 1.3)


def measure_package(pixels: Any) -> None:
    """Print the rates of the network as its package has it, a row at a time, and of ours in batches."""
    import torch  # noqa: PLC0415 - the package may be missing
    from efficientnet_lite_pytorch import EfficientNet  # noqa: PLC0415

    network, ours = EfficientNet.from_name("efficientnet-lite0").eval(), open_encoder("lite0", device="cpu")
    x = (torch.from_numpy(pixels).float() - 127) / 128

    def row_by_row() -> None:
        with exact():
            for row in range(len(x)):
                network.extract_features(x[row : row + 1]).mean((2, 3))

    seconds = [(took_s(row_by_row), took_s(partial(ours.encode_images, pixels))) for _ in range(ROUNDS + 1)][1:]
    package, batches = (len(x) / median(each) for each in zip(*seconds, strict=True))
    show("lite0", {"package's own, single rows": package, "batches": batches}, 1.3)


def measure_store(pairs: Frame, width: int) -> None:
    """Print the rate at which rows of known hashes are served, with their first comparison with a checksum."""
    with TemporaryDirectory() as folder:
        build_encodings(pairs, Known(width), "text", cache=Path(folder), engine="inline", workers=8)

        def serve() -> None:
            found = load_encodings(pairs, Known(width), "text", cache=Path(folder))
            for start in range(0, len(found), READ_ROWS):
                found[start : start + READ_ROWS]

        rate = len(pairs) / median(took_s(serve) for _ in range(ROUNDS))
    print(f"store   {len(pairs):,} rows of {width:,} values: {rate:,.0f} rows/s (bar 100,000)", flush=True)


def main() -> None:
    """Print a line for each measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--whole", action="store_true", help="measure enough rows for a figure")
    sizes = WHOLE if parser.parse_args().whole else QUICK
    for width in (384, 1280):
        measure_store(texts(sizes.known), width)
    if missing := [module for entry in CATALOGUE.values() for module in entry.missing()]:
        print(f"The encoders need {', '.join(missing)}: pip install 'counterpoint[encoders]'.")
        return
    with TemporaryDirectory() as folder:
        captions, photos = texts(sizes.texts[1]), images(sizes.images[1], Path(folder))
        refs = photos["image"].to_list()[: sizes.batches["lite0"]]
        pixels = load_pixels(refs, side_px=224, mode="rgb", aspect="squash")
        measure_batches("minilm", captions["text"].to_list()[: sizes.batches["minilm"]])
        measure_batches("lite0", pixels[:])
        measure_package(pixels[:])
        measure_processes("minilm", captions, sizes.texts)
        measure_processes("lite0", photos, sizes.images)


if __name__ == "__main__":
    main()
