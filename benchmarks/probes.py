"""Measure time and memory of probes, their average and an ensemble on given vectors: `probes.py [N]`.

The vectors are random with a faint signal, in two ``.npy`` files, as wide as those of the shipped encoders: 6.7 kB a
row.  Memory is RssAnon, as in stages.py.  `probes.py 1000000` takes 11 GB of disk and an hour.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from counterpoint import make
from counterpoint.schema import Frame
from stages import measured

WIDTHS = {"text": 384, "image": 1280}
N_CLASSES = 3
TRAIN, VALIDATION = 0.64, 0.16
AT_ONCE = 10_000


def pairs_of(n: int, folder: Path) -> Frame:
    """Return *n* pairs with labels, and write a file of vectors for each modality to *folder*."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, N_CLASSES, n)
    for modality, width in WIDTHS.items():
        vectors = np.lib.format.open_memmap(folder / f"{modality}.npy", "w+", np.float32, (n, width))
        directions = rng.normal(size=(N_CLASSES, width)).astype(np.float32) / np.sqrt(width)
        for start in range(0, n, AT_ONCE):
            part = codes[start : start + AT_ONCE]
            vectors[start : start + AT_ONCE] = directions[part] + rng.standard_normal((len(part), width), np.float32)
    column = pl.int_range(n, eager=True)
    return pl.DataFrame({"row": column, "text": "a text", "image": "an image", "label": codes.astype(str)})


def main(n: int) -> None:
    """Fit each contender to *n* pairs, and predict all of them."""
    with TemporaryDirectory() as work:
        folder = Path(work)
        with measured("write vectors"):
            pairs = pairs_of(n, folder)
        train, rest = pairs[: int(TRAIN * n)], pairs[int(TRAIN * n) :]
        validation = rest[: int(VALIDATION * n)]
        text, image = (str(folder / f"{modality}.npy") for modality in WIDTHS)
        settings = {
            "text-probe": {"encoder": text},
            "image-probe": {"encoder": image},
            "pair-probe": {"text_encoder": text, "image_encoder": image},
            "probe-average": {},
            "ensemble": {},
        }
        fits = {}
        for name, own in settings.items():
            model = make(name, **own, encodings=work)
            judges = (validation, validation["label"])
            with measured(f"{name}: fit"):
                fits[name] = model.fit(train, train["label"], validation=judges, fits=dict(fits) if not own else None)
            with measured(f"{name}: predict all rows"):
                correct = (fits[name].predict(pairs) == pairs["label"].to_numpy())[
                    len(train) + len(validation) :
                ].mean()
            print(f"  accuracy on the other rows {correct:.3f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
