"""The segments of a JPEG ahead of its first scan, and the orientation that its EXIF names.  Decodes no pixels."""

import struct
from collections.abc import Iterator

_APP1, _SOS, _FILL = 0xE1, 0xDA, 0xFF
_SOF_SEQUENTIAL = (0xC0, 0xC1)
_NO_LENGTH = (0x00, 0x01, *range(0xD0, 0xDA))
_DQT, _N_CELLS = 0xDB, 64
_LUMA_SUM = 3_688
"""The sum of the example table of luminance in the standard (ITU-T T.81, table K.1)."""
_ORIENTATION, _SHORT = 0x0112, 3
_AS_STORED = 1


def jpeg_head(data: bytes) -> tuple[bool, bytes]:
    r"""Return whether a JPEG surely has one scan, and its EXIF, without a search of the scan itself.

    >>> jpeg_head(b"\xff\xd8")
    (False, b'')
    """
    n_components, exif = 0, b""
    for marker, start, end in _segments(data):
        if marker in _SOF_SEQUENTIAL:
            n_components = data[start + 5]
        elif marker == _APP1 and not exif and data.startswith(b"Exif\0\0", start):
            exif = data[start:end]
        elif marker == _SOS:
            return data[start] == n_components, exif
    return False, exif


def jpeg_quality(data: bytes) -> int | None:
    r"""Return the quality of a JPEG, 1 to 100, on the scale of libjpeg, or None without a table of quantization.

    The scale multiplies the example table of the standard.  Of other tables it is the quality of about the same sum.

    >>> from io import BytesIO; from PIL import Image
    >>> file = BytesIO()
    >>> Image.new("RGB", (16, 16)).save(file, "JPEG", quality=80)
    >>> jpeg_quality(file.getvalue()), jpeg_quality(b"\xff\xd8")
    (80, None)
    """
    for marker, start, end in _segments(data):
        if marker == _DQT and data[start] == 0 and len(table := data[start + 1 : min(end, start + 65)]) == _N_CELLS:
            scale = 100 * sum(table) / _LUMA_SUM
            quality = (200 - scale) / 2 if scale <= 100 else 5_000 / scale
            return round(min(100, max(1, quality)))
    return None


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (marker, start, end) of each segment up to the first scan's header, as long as they are well-formed."""
    place = 2
    while place + 10 < len(data) and data[place] == _FILL and data[place + 1] not in _NO_LENGTH:
        marker = data[place + 1]
        if marker == _FILL:
            place += 1
            continue
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        yield marker, place + 4, end
        if marker == _SOS or end < place + 4:
            return
        place = end


def exif_orientation(exif: bytes) -> int:
    """Return the EXIF orientation, 1 to 8, or 1 (as stored) when none can be read.

    >>> exif_orientation(b"")
    1
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return _AS_STORED
    try:
        start = struct.unpack_from(order + "I", tiff, 4)[0]
        n_entries = struct.unpack_from(order + "H", tiff, start)[0]
        for place in range(start + 2, start + 2 + 12 * n_entries, 12):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, place)
            if (tag, kind) == (_ORIENTATION, _SHORT):
                return value if value in range(1, 9) else _AS_STORED
    except struct.error:
        return _AS_STORED
    return _AS_STORED
