"""Images are recognised by their content.  No caption, table or page is taken for an image."""

import io

import pytest
from PIL import Image

from counterpoint.formats.magic import is_image

READ = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")
OTHERS = ("BMP", "TIFF", "ICO", "PPM", "JPEG2000")


@pytest.mark.parametrize("kind", [*READ, *OTHERS])
def test_every_format_that_pillow_writes_is_an_image(kind):
    body = io.BytesIO()
    Image.new("RGB", (32, 32), "red").save(body, kind)
    assert is_image(body.getvalue())


@pytest.mark.parametrize(
    "head",
    [b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", b"\0\0\0\x0cJXL \r\n\x87\n", b"8BPS\0\1", b"MM\0+\0\x08",
     b"\xef\xbb\xbf <?xml version='1.0'?><!-- drawn --><svg/>", b"<SVG>"],
)  # fmt: skip
def test_images_that_are_not_decoded_here_are_images_too(head):
    assert is_image(head)


@pytest.mark.parametrize(
    "head",
    [b"", b"BM", b"BMW at the kerb, a red one, 1998", b"P1 of the car park", b"P5 to P7", b"<html><svg/></html>",
     b"<?xml version='1.0'?><note/>", b"{\"label\": 1}", b"image,text\n", b"\0\5\26\7\0\2\0\0Mac OS X", b"%PDF-1.7",
     b"\0\0\0\x18ftypmp42\0\0\0\0", b"PK\3\4", b"II", bytes(64), b"a cat"],
)  # fmt: skip
def test_texts_tables_and_other_files_are_no_images(head):
    assert not is_image(head)
