"""Write JPEGs like photos on the web, with sides of 400 to 800 px and about 80 KB: `photos.py FOLDER [N]`.

They are enlarged Flickr8k photos (160 px) with noise, with the size and the cost of decoding of real photos.  Without
Flickr8k they are enlarged drawings.  `FOLDER/about.json` names the origin.  The same N gives the same bytes.
"""

import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from io import BytesIO
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from counterpoint.data.drawing import APPEARANCE_VALUES, Painter
from counterpoint.formats.images import ImageReader
from counterpoint.formats.tars import read_tar

N = 3000
DATA = Path(os.environ.get("COUNTERPOINT_DATA", Path(__file__).parents[2] / "shared" / "data"))
FLICKR8K, DRAWINGS = "enlarged Flickr8k photos with noise", "enlarged drawings with noise (Flickr8k is not here)"
SHORT_PX, LONG_PX = 400, 800
NOISE, QUALITY = 4.2, 87


def main() -> None:
    """Write the photos that the folder lacks, and print a description of them."""
    if len(sys.argv) < 2:
        print("Writes the photos that acquire.py fetches, and measures nothing. Usage: photos.py FOLDER [N]")
        return
    about = write_photos(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else N)
    print(f"{about['n']:,} {about['made_from']}, {about['mean_kb']:.0f} KB each, in {sys.argv[1]}")


def write_photos(folder: Path, n: int) -> dict[str, Any]:
    """Write *n* photos to *folder* if they are missing, ``00000.jpg`` and so on. Return a description of them."""
    about = folder / "about.json"
    if about.exists() and (known := json.loads(about.read_text()))["n"] == n:
        return dict(known)
    folder.mkdir(parents=True, exist_ok=True)
    tars = sorted((DATA / "flickr8k").glob("*.tar"))
    small = islice(cycle(_of_tars(tars)) if tars else _drawn(n), n)
    with ProcessPoolExecutor() as pool:
        places = [str(folder / f"{number:05}.jpg") for number in range(n)]
        sizes = list(pool.map(_write, range(n), small, places, chunksize=16))
    known = {"n": n, "made_from": FLICKR8K if tars else DRAWINGS, "mean_kb": sum(sizes) / n / 1000}
    about.write_text(json.dumps(known))
    return known


def _of_tars(tars: list[Path]) -> Iterator[bytes]:
    with ImageReader() as reader:
        for tar in tars:
            for sample in read_tar(tar):
                yield from (reader.read(place) for place in sample.images.values())


def _drawn(n: int) -> Iterator[bytes]:
    painter = Painter(160)
    for number in range(n):
        rng = np.random.default_rng([number, 1])
        code = rng.integers(0, 4, (2, 1))
        pixels = painter.draw(code[0], code[1], rng.random((1, APPEARANCE_VALUES)), np.zeros(1, dtype=np.int64))[0]
        file = BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        yield file.getvalue()


def _write(number: int, small: bytes, place: str) -> int:
    rng = np.random.default_rng(number)
    size = tuple(int(length_px) for length_px in rng.integers(SHORT_PX, LONG_PX + 1, 2))
    with Image.open(BytesIO(small)) as image:
        large = np.asarray(image.convert("RGB").resize(size, Image.Resampling.BICUBIC), dtype=np.float32)
    # Noise of luminance only, as in most sensors.  The chroma subsampling of JPEG would remove colour noise.
    noise = rng.standard_normal(large.shape[:2], dtype=np.float32)[:, :, None] * NOISE
    file = BytesIO()
    Image.fromarray(np.clip(large + noise, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=QUALITY)
    return Path(place).write_bytes(file.getvalue())


if __name__ == "__main__":
    main()
