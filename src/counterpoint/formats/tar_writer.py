"""A writer of tar shards in the layout of img2dataset and webdataset."""

import json
import tarfile
from collections.abc import Iterable
from io import BytesIO
from itertools import chain, count, islice
from pathlib import Path

from counterpoint.artifacts import replacing
from counterpoint.formats.exports import Outgoing


def write_tars(pairs: Iterable[Outgoing], folder: Path, *, samples_per_tar: int = 10_000) -> int:
    """Write *pairs* as ``00000.tar``, ``00001.tar`` …, and return their number.

    The key of a sample is the number of its tar and its number in the tar.  A sample has an image, a ``.txt`` if there
    is a text, and a ``.json`` like img2dataset.  The ``.json`` has key, caption, label, and the fields of the pair.
    Equal pairs give equal bytes.

    Parameters
    ----------
    pairs
        *pairs* are written in their order.
    folder
        *folder* is an existing folder.
    samples_per_tar
        *samples_per_tar* is the number of samples of each tar but the last.

    Examples
    --------
    >>> import tempfile
    >>> from counterpoint.formats.tars import read_tar
    >>> pair = Outgoing(b"...", "jpg", "a cat", "animal", {"width": 8})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_tars([pair] * 3, Path(folder), samples_per_tar=2)
    ...     [sample.key for path in sorted(Path(folder).iterdir()) for sample in read_tar(path)]
    3
    ['000000', '000001', '000010']
    """
    left = iter(pairs)
    n_pairs, n_digits = 0, len(str(samples_per_tar - 1))
    for number in count():
        first = next(left, None)
        if first is None:
            return n_pairs
        with (
            replacing(folder / f"{number:05d}.tar") as draft,
            tarfile.open(draft, "w", format=tarfile.USTAR_FORMAT) as tar,
        ):
            for place, pair in enumerate(chain([first], islice(left, samples_per_tar - 1))):
                _write_sample(tar, f"{number:05d}{place:0{n_digits}d}", pair)
                n_pairs += 1
    raise AssertionError("count() does not end")


def _write_sample(tar: tarfile.TarFile, key: str, pair: Outgoing) -> None:
    fields = {"key": key, "caption": pair.text, "label": pair.label, **pair.fields}
    parts = {
        pair.extension: pair.image,
        "txt": None if pair.text is None else pair.text.encode(),
        "json": json.dumps(fields, ensure_ascii=False).encode(),
    }
    for extension, data in parts.items():
        if data is not None:
            member = tarfile.TarInfo(f"{key}.{extension}")  # no time, no owner: the same pair is the same bytes
            member.size = len(data)
            tar.addfile(member, BytesIO(data))
    tar.members.clear()  # type: ignore[attr-defined]
