"""Measure the least CPU per image: library calls alone in one thread, without guard, queue or file.

Run it as `floor.py URLS KEEP CA_FILE`.  It prints the CPU milliseconds per image and step as JSON.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pycurl
import simplejpeg
from PIL import Image
from PIL.Image import Resampling

AT_ONCE = 64


def fetch(urls: list[str], ca_file: str) -> list[bytes]:
    """Fetch the bodies in one libcurl multi loop that reuses its handles and connections."""
    multi, todo, bodies = pycurl.CurlMulti(), iter(urls), []
    free = [pycurl.Curl() for _ in range(AT_ONCE)]
    n_running = _start(multi, free, todo, ca_file)
    while n_running:
        multi.perform()
        _, done, failed = multi.info_read()
        assert not failed, failed
        for handle in done:
            bodies.append(b"".join(handle.parts))
            multi.remove_handle(handle)
        n_running += _start(multi, done, todo, ca_file) - len(done)
        multi.select(1.0)
    return bodies


def _start(multi: Any, handles: Iterable[Any], todo: Iterator[str], ca_file: str) -> int:
    n = 0
    for handle, url in zip(handles, todo, strict=False):
        handle.parts = []
        handle.setopt(pycurl.URL, url)
        handle.setopt(pycurl.CAINFO, ca_file)
        handle.setopt(pycurl.WRITEFUNCTION, handle.parts.append)
        multi.add_handle(handle)
        n += 1
    return n


def gray(body: bytes) -> Any:
    """Return the gray pixels of a JPEG at a scale that is cheap for libjpeg, with sides of at least 128 px."""
    return simplejpeg.decode_jpeg(body, "GRAY", min_height=128, min_width=128, min_factor=1.25)[:, :, 0]


def colour(body: bytes) -> Any:
    """Return the colours of a JPEG, at the smallest scale that is still a quarter larger than the stored size."""
    height, width, *_ = simplejpeg.decode_jpeg_header(body)
    side_px = round(1.25 * 256 * min(height, width) / max(height, width))
    return simplejpeg.decode_jpeg(body, "RGB", min_height=side_px, min_width=side_px, min_factor=1.25)


def to_64(pixels: Any) -> Any:
    """Return 64 × 64 averaged pixels."""
    return np.asarray(Image.fromarray(pixels).resize((64, 64), Resampling.HAMMING))


def to_256(pixels: Any) -> Any:
    """Return averaged pixels with a long side of 256 px."""
    height, width, _ = pixels.shape
    scale = 256 / max(height, width)
    return np.asarray(Image.fromarray(pixels).resize((round(width * scale), round(height * scale)), Resampling.HAMMING))


def encode(pixels: Any) -> bytes:
    """Return a JPEG of the stored quality, which is also the quality of img2dataset."""
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality=95, colorsubsampling="420"))


PARTS: dict[str, dict[str, Callable[[Any], Any]]] = {
    "gray-64": {"decode": gray, "resize": to_64},
    "jpeg-256": {"decode": colour, "resize": to_256, "encode": encode},
}


def main() -> None:
    """Measure each step over all images of the list."""
    urls, keep, ca_file = Path(sys.argv[1]).read_text().split(), sys.argv[2], sys.argv[3]
    start = process_time()
    bodies = fetch(urls, ca_file)
    cost_ms = {"fetch": (process_time() - start) * 1000 / len(urls)}
    _, cost_ms["sha256"] = _timed(lambda body: sha256(body).digest(), bodies)
    made: list[Any] = bodies
    for name, part in PARTS[keep].items():
        made, cost_ms[name] = _timed(part, made)
    print(json.dumps(cost_ms))


def _timed(part: Callable[[Any], Any], images: list[Any]) -> tuple[list[Any], float]:
    start = process_time()
    made = [part(image) for image in images]
    return made, (process_time() - start) * 1000 / len(images)


if __name__ == "__main__":
    main()
