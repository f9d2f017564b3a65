"""Measure memory and time of decoding one image of 64 megapixels in each format: `megapixels.py [FORMAT ...]`.

Each image is decoded in its own process.  The peak is anonymous memory (RssAnon) in addition to the bytes of the file.
The exit code is 1 if one image needs more than `MAX_MB`.  Making the images takes minutes.
"""

import io
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import numpy as np
from PIL import Image

from counterpoint.features.decode import Limits, decode

SIDE_PX = 8000
MAX_MB = 1200
SAMPLE_S = 0.005


def main() -> None:
    """Print a line for each format, and exit with 1 if one needs too much memory."""
    if sys.argv[1:2] == ["--decode"]:
        print(*measured(Path(sys.argv[2]).read_bytes()))
        return
    print(f"{'64 megapixels':<22}{'file, MB':>10}{'peak, MB':>10}{'CPU, s':>14}")
    peaks = [peak_of(name) for name in sys.argv[1:] or FORMATS]
    sys.exit(max(peaks) > MAX_MB)


def peak_of(name: str) -> float:
    """Measure one format, print its line, and return its peak memory in MB."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(FORMATS[name]())
        file.flush()
        command = [sys.executable, __file__, "--decode", file.name]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        peak_mb, took_s = map(float, printed.split())
        print(f"{name:<22}{Path(file.name).stat().st_size / 1e6:>10.1f}{peak_mb:>10.0f}{took_s:>14.1f}", flush=True)
    return peak_mb


def measured(data: bytes) -> tuple[float, float]:
    """Return the largest growth of memory in MB while *data* is decoded, and the CPU seconds."""
    before_mb, peaks, is_over = anonymous_mb(), [0.0], Event()

    def watch() -> None:
        while not is_over.wait(SAMPLE_S):
            peaks.append(anonymous_mb())

    watcher, start_s = Thread(target=watch), time.process_time()
    watcher.start()
    decode(data, limits=Limits(), mode="rgb")
    took_s = time.process_time() - start_s
    is_over.set()
    watcher.join()
    return max(peaks) - before_mb, took_s


def anonymous_mb() -> float:
    """Return the anonymous memory of this process in MB."""
    found = re.search(r"RssAnon:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def picture() -> Image.Image:
    """Return an image of smooth colours."""
    coarse = np.random.default_rng(0).integers(0, 256, (500, 500, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR)


def translucent() -> Image.Image:
    """Return an image with an alpha channel."""
    image = picture()
    image.putalpha(image.getchannel(0))
    return image


def deep() -> Image.Image:
    """Return an image of 16 bits per pixel."""
    return Image.fromarray(np.asarray(picture().convert("L")).astype(np.uint16) * 257)


def paletted() -> Image.Image:
    """Return an image of 256 colours."""
    coarse = Image.fromarray(np.random.default_rng(0).integers(0, 256, (500, 500, 3), dtype=np.uint8))
    return coarse.quantize(256).resize((SIDE_PX, SIDE_PX))


def encoded(image: Callable[[], Image.Image], kind: str, **options: object) -> Callable[[], bytes]:
    """Return a function that encodes an image as bytes."""

    def make() -> bytes:
        file = io.BytesIO()
        image().save(file, kind, **options)
        return file.getvalue()

    return make


FORMATS = {
    "jpeg": encoded(picture, "JPEG"),
    "jpeg, progressive": encoded(picture, "JPEG", progressive=True),
    "jpeg, cmyk": encoded(lambda: picture().convert("CMYK"), "JPEG", progressive=True),
    "png": encoded(picture, "PNG", compress_level=1),
    "png, alpha": encoded(translucent, "PNG", compress_level=1),
    "png, 16 bits": encoded(deep, "PNG", compress_level=1),
    "png, palette": encoded(paletted, "PNG", transparency=bytes(range(256)), compress_level=1),
    "gif": encoded(paletted, "GIF"),
    "webp": encoded(picture, "WEBP", method=0),
    "webp, lossless, alpha": encoded(translucent, "WEBP", lossless=True, method=0, quality=0),
    "avif": encoded(picture, "AVIF", speed=10),
    "avif, alpha": encoded(translucent, "AVIF", speed=10),
}


if __name__ == "__main__":
    main()
