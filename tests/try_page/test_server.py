"""A real page on this machine: it predicts, and it refuses whoever is not the one browser that opened its link."""

import contextlib
import socket
import sys
import threading
import time

import numpy as np
import polars as pl
import pytest

import counterpoint as cp
import hostile_images as images
from browser import BINARY, browser
from counterpoint.saved.model import open_saved
from counterpoint.try_page.guard import MOST_PICTURE_BYTES
from saved_material import finished_study
from try_page_material import FORM, SLOWEST_BODY_S, form, part, running_page

pytestmark = pytest.mark.slow
pytest.importorskip("starlette", reason="needs the extra counterpoint[try]")

MEGABYTE = 1 << 20
MOST_KB = 600_000


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Folders of saved models by name."""
    study = finished_study(tmp_path_factory.mktemp("runs"), n=90, names=("text-svm", "image-hog", "late-fusion"))
    folder = tmp_path_factory.mktemp("saved")
    for name in ("text-svm", "image-hog", "late-fusion"):
        cp.save(study.root, folder / name, contender=name, fit="seed-0.fold-0")
    return folder


@pytest.fixture(scope="module")
def page(saved, tmp_path_factory):
    with running_page(saved / "late-fusion", tmp_path_factory.mktemp("errors") / "errors.txt") as found:
        first = found.enter()
        assert first.status == 200, first
        yield found


@pytest.fixture
def alive(page):
    """The page, which must run and predict after the test as well."""
    yield page
    assert page.process.poll() is None
    assert page.predict("a picture of a whale").status == 200


def without_origin(page):
    return [*FORM.items(), ("host", page.authority), ("cookie", page.cookie)]


def large_form(n_bytes):
    """Yield a form with a picture, *n_bytes* in all."""
    head, tail = part("picture", b"")[:-2], b"\r\n" + form()
    yield head
    rest = n_bytes - len(head) - len(tail)
    yield from (bytes(min(MEGABYTE, rest - start)) for start in range(0, rest, MEGABYTE))
    yield tail


def post(page, body, **headers):
    return page.send("POST", "/predict", body, **(FORM | headers))


def as_picture(body):
    return lambda page: page.predict("a whale", body(), "photo.jpg")


REFUSED = {
    "no cookie": (403, lambda page: page.send(headers=[("host", page.authority)])),
    "a wrong cookie": (403, lambda page: page.send(cookie=page.cookie[:-1] + "~")),
    "the token again": (
        403,
        lambda page: page.send(path=f"/?token={page.token}", headers=[("host", page.authority)]),
    ),
    "a wrong token": (403, lambda page: page.send(path="/?token=x", headers=[("host", page.authority)])),
    "another host": (403, lambda page: page.send(host=f"rebound.example:{page.port}")),
    "another name of this machine": (403, lambda page: page.send(host=f"localhost:{page.port}")),
    "another port": (403, lambda page: page.send(host=f"{page.host}:1")),
    "two hosts": (400, lambda page: page.send(headers=[*page.ours.items(), ("host", "rebound.example")])),
    "another origin": (403, lambda page: post(page, form(part("text", b"a")), origin="http://evil.example")),
    "another port as origin": (403, lambda page: post(page, form(part("text", b"a")), origin=f"http://{page.host}:1")),
    "the origin null": (403, lambda page: post(page, form(part("text", b"a")), origin="null")),
    "a POST without origin": (
        403,
        lambda page: page.send("POST", "/predict", form(part("text", b"a")), without_origin(page)),
    ),
    "a frame of another site": (403, lambda page: page.send(sec_fetch_site="cross-site")),
    "a preflight of another site": (403, lambda page: page.send("OPTIONS", "/predict", origin="http://evil.example")),
    "100 MB": (413, lambda page: post(page, large_form(100 * MEGABYTE), content_length=str(100 * MEGABYTE))),
    "100 MB of unknown length": (413, lambda page: post(page, large_form(100 * MEGABYTE))),
    "a length that is no number": (400, lambda page: page.send("POST", "/predict", (), content_length="-1")),
    "a picture of a byte too much": (
        413,
        lambda page: page.predict("a", b"\xff\xd8\xff" + bytes(MOST_PICTURE_BYTES - 2)),
    ),
    "a text of a character too much": (413, lambda page: page.predict("é" * 100_001)),
    "a text of 5 MB": (413, lambda page: page.predict("a" * (5 * MEGABYTE))),
    "a text that is not UTF-8": (400, lambda page: post(page, form(part("text", b"\xff\xfe\xfa")))),
    "a thousand fields": (400, lambda page: post(page, form(*[part(f"f{i}", b"1", None) for i in range(1000)]))),
    "a thousand files": (400, lambda page: post(page, form(*[part("text", b"1") for _ in range(1000)]))),
    "two texts": (400, lambda page: post(page, form(part("text", b"1"), part("text", b"2")))),
    "an unknown file": (400, lambda page: post(page, form(part("model", b"1")))),
    "an empty form": (400, lambda page: post(page, form())),
    "no boundary": (400, lambda page: post(page, b"x", content_type="multipart/form-data")),
    "a broken form": (400, lambda page: post(page, b"\0" * 1000)),
    "a part with a million headers": (400, lambda page: post(page, part("text", b"")[:-4] + b"\r\na: b" * 1_000_000)),
    "JSON": (400, lambda page: post(page, b'{"text": "a"}', content_type="application/json")),
    "an unknown page": (404, lambda page: page.send(path="/model.safetensors")),
    "a path upwards": (404, lambda page: page.send(path="/../../../../etc/passwd")),
    "an encoded path upwards": (404, lambda page: page.send(path="/%2e%2e/%2e%2e/etc/passwd%00")),
    "an unknown method": (405, lambda page: page.send("DELETE", "/predict")),
    "a form for the page": (405, lambda page: page.send("POST", "/")),
    "a GET of a prediction": (405, lambda page: page.send(path="/predict?text=a")),
    "an SVG as .jpg": (422, as_picture(lambda: images.SVG)),
    "HTML as .jpg": (422, as_picture(lambda: images.HTML)),
    "HEIC": (422, as_picture(lambda: images.HEIC)),
    "TIFF": (422, as_picture(images.unread("TIFF"))),
    "an empty picture": (422, as_picture(lambda: b"")),
    "random bytes": (422, as_picture(lambda: np.random.default_rng(0).bytes(10_000))),
    "half a JPEG": (422, as_picture(lambda: images.jpeg()[: len(images.jpeg()) // 2])),
    "half a PNG": (422, as_picture(lambda: images.png()[: len(images.png()) // 2])),
    "a PNG of 256 megapixels": (422, as_picture(images.png_bomb)),
    "a gzip bomb": (422, as_picture(images.gzip_bomb)),
    "a JPEG that claims 65,000 px": (422, as_picture(lambda: images.jpeg_saying(65_000, 65_000))),
    "a JPEG of many scans": (422, as_picture(lambda: images.many_scans(3_000))),
    "a long strip": (422, as_picture(images.long_strip)),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_request_is_refused_in_one_line_and_the_page_goes_on(alive, name):
    status, request = REFUSED[name]
    answer = request(alive)
    assert answer.status == status, answer
    if answer.headers["content-type"] == "application/json":  # else it is no HTTP that the server reads
        line = answer.json["error"]
        assert "\n" not in line
        assert "/tmp" not in line
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_every_reading_of_a_hostile_request_ends_in_another_status_than_the_same_request_unharmed(alive):
    assert alive.send().status == 200
    assert post(alive, form(part("text", b"a"))).status == 200
    assert alive.predict("a whale", images.jpeg(), "../../../../etc/cron.d/x\r\n.jpg").status == 400
    assert alive.predict("a whale", images.jpeg(), "../../../../etc/cron.d/x.jpg").status == 200


def test_a_header_of_a_megabyte_is_cut(alive):
    with contextlib.suppress(ConnectionError):  # the server does not read the rest
        assert alive.send(cookie=alive.cookie + "; a=" + "b" * MEGABYTE).status == 400


def test_a_slow_body_is_cut(alive):
    def drip():
        yield part("text", b"")[:-2]
        while True:
            yield b"-"
            time.sleep(0.2)

    began_s = time.monotonic()
    assert post(alive, drip()).status == 408
    assert time.monotonic() - began_s < SLOWEST_BODY_S + 5


def test_a_fourth_request_at_a_time_is_refused(alive):
    head = "".join(f"{name}: {value}\r\n" for name, value in (alive.ours | FORM).items())
    request = f"POST /predict HTTP/1.1\r\n{head}content-length: 100\r\n\r\n".encode()
    with contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(socket.create_connection((alive.host, int(alive.port)))) for _ in range(3)]
        for connection in waiting:
            connection.sendall(request)
        assert alive.predict("a whale").status == 503
        assert [connection.recv(1000).split()[1] for connection in waiting] == [b"408"] * 3


@pytest.mark.parametrize("name", images.OK_IMAGES)
def test_a_picture_of_each_format_is_predicted(page, name):
    answer = page.predict(picture=images.OK_IMAGES[name]())
    assert answer.status == 200, answer
    assert len(answer.json["patches"]) == 16
    assert "The text is missing: the model predicts without it." in answer.json["flags"]


def test_the_prediction_is_that_of_the_saved_model_and_an_effect_is_a_difference_of_two_predictions(
    page, saved, tmp_path
):
    (tmp_path / "x.png").write_bytes(images.png())
    text, without = "a picture of a whale", "a picture of a "
    pairs = pl.DataFrame({"text": [text, without, text, None], "image": [str(tmp_path / "x.png")] * 4})
    pairs = pairs.with_columns(image=pl.when(pl.int_range(4) != 2).then("image"))
    expected = open_saved(saved / "late-fusion").predict(pairs)
    found = page.predict(text, images.png()).json
    label = found["label"]
    chances = expected[f"p_{label}"].to_list()
    assert label == expected["label"][0]
    assert {each["name"]: each["chance"] for each in found["classes"]}[label] == pytest.approx(chances[0])
    assert found["words"][-1]["name"] == "whale"
    assert found["words"][-1]["effect"] == pytest.approx(chances[0] - chances[1])
    assert {each["name"]: each["effect"] for each in found["modalities"]} == pytest.approx({
        "image": chances[0] - chances[2], "text": chances[0] - chances[3],
    })  # fmt: skip


def test_the_longest_text_is_predicted_and_its_first_words_are_left_out(page):
    found = page.predict(("whale " * 20_000)[:100_000]).json
    assert len(found["words"]) == 60
    assert found["n_words"] == 16_667


@pytest.mark.parametrize(("name", "field"), [("text-svm", "text"), ("image-hog", "picture")])
def test_the_page_of_a_model_of_one_modality_has_one_input(saved, tmp_path, name, field):
    with running_page(saved / name, tmp_path / "errors.txt") as page:
        html = page.enter().body.decode()
        assert ('id="text"' in html, 'id="picture"' in html) == (field == "text", field == "picture")
        assert page.predict("a whale", images.jpeg()).status == 200


def test_an_interrupt_ends_the_page_with_one_line(saved, tmp_path):
    with running_page(saved / "text-svm", tmp_path / "errors.txt") as page:
        page.enter()
        assert page.predict("a whale").status == 200
        assert page.close() == 130
    assert (tmp_path / "errors.txt").read_text() == "counterpoint: interrupted; the page is closed.\n"


@pytest.mark.skipif(BINARY is None, reason="needs Chromium")
@pytest.mark.parametrize("is_dark", [False, True])
def test_a_reader_types_a_text_chooses_a_picture_and_blanks_it(saved, tmp_path, is_dark):
    (tmp_path / "x.jpg").write_bytes(images.jpeg())
    with running_page(saved / "late-fusion", tmp_path / "errors.txt") as page, browser() as tab:
        tab.open(page.link, width=360, is_dark=is_dark)
        assert tab.ask("location.href") == f"http://{page.authority}/"
        root = tab.send("DOM.getDocument")["root"]["nodeId"]
        field = tab.send("DOM.querySelector", nodeId=root, selector="#picture")["nodeId"]
        tab.send("DOM.setFileInputFiles", files=[str(tmp_path / "x.jpg")], nodeId=field)
        tab.ask("document.getElementById('text').value = 'a picture of a whale'")
        tab.ask("document.getElementById('form').requestSubmit()")
        assert tab.wait_for("document.querySelectorAll('.cells span').length") == 16
        assert tab.ask("document.querySelectorAll('#words li').length") == 5
        assert tab.ask("document.documentElement.scrollWidth") <= 360
        tab.ask("document.querySelector('[data-blank=picture]').click()")
        assert "picture is missing" in tab.wait_for("document.getElementById('flags').textContent")
        assert tab.complaints == []
        assert {url.partition("?")[0] for url in tab.requests if not url.startswith("blob:")} == {
            f"http://{page.authority}/", f"http://{page.authority}/predict",
        }  # fmt: skip


def test_an_interrupt_during_a_prediction_ends_the_page_soon(saved, tmp_path):
    with running_page(saved / "late-fusion", tmp_path / "errors.txt") as page:
        page.enter()
        request = threading.Thread(target=page.predict, args=(("whale " * 20_000)[:100_000], images.jpeg()))
        request.start()
        began_s = time.monotonic()
        assert page.close() == 130
        assert time.monotonic() - began_s < 20
        request.join()
    assert (tmp_path / "errors.txt").read_text() == "counterpoint: interrupted; the page is closed.\n"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_request_of_this_file_took_much_memory(page):
    largest = images.encoded(images.Image.new("RGBA", (4_000, 3_100), (9, 9, 9, 90)), "PNG")
    assert page.predict("a whale", largest).status == 200
    assert page.peak_kb < MOST_KB
