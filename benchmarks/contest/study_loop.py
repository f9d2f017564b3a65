"""The loop of the 2023 study: `requests.get` for one image after the other, gray, bilinear to 64 px, without its pause.

The pause of the study is 5 s.  Run the loop as `study_loop.py URLS OUT`.  It reads one URL per line, writes 4,096 bytes
per image, and prints the number of fetched images.
"""

import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import requests

try:
    import cv2
except ImportError:  # Pillow filters before it shrinks, which is slightly more work
    cv2 = None
    from PIL import Image


def gray_64(body: bytes) -> bytes:
    """Return an image as 64 × 64 gray pixels."""
    if cv2 is None:
        return Image.open(BytesIO(body)).convert("L").resize((64, 64), Image.Resampling.BILINEAR).tobytes()
    pixels = cv2.imdecode(np.frombuffer(body, dtype=np.uint8), cv2.IMREAD_GRAYSCALE)
    return bytes(cv2.resize(pixels, (64, 64)).tobytes())


def main() -> None:
    """Fetch each URL of the list."""
    urls = Path(sys.argv[1]).read_text().split()
    n_ok = 0
    with Path(sys.argv[2]).open("wb") as out:
        for url in urls:
            answer = requests.get(url, timeout=10)
            if answer.status_code == 200:
                n_ok += out.write(gray_64(answer.content)) == 4096
    print(n_ok)


if __name__ == "__main__":
    main()
