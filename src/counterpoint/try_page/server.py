"""The application of the page, its two routes, and the server that runs it until an interrupt."""

import asyncio
import logging
import secrets
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from counterpoint.engines.caps import give_memory_back
from counterpoint.errors import CounterpointError
from counterpoint.features.child import end_idle
from counterpoint.features.in_memory import folder_of_process
from counterpoint.saved.model import SavedModel, open_saved
from counterpoint.try_page.address import Address, checked_host, listen
from counterpoint.try_page.explanation import explain
from counterpoint.try_page.guard import MOST_PICTURE_BYTES, App, Guard, RefusedError
from counterpoint.try_page.page import MOST_CHARACTERS, page_of, policy
from counterpoint.try_page.picture import read_picture

log = logging.getLogger(__name__)
MOST_WAITING = 2
"""The number of requests that wait while one is predicted.  Further ones are refused with 503."""
SETTINGS: dict[str, Any] = {
    "loop": "asyncio", "http": "h11", "ws": "none", "lifespan": "off", "interface": "asgi3",
    "log_config": None, "log_level": "critical", "access_log": False,
    "proxy_headers": False, "server_header": False,
    "limit_concurrency": 32, "timeout_keep_alive": 5, "timeout_graceful_shutdown": 2,
    "h11_max_incomplete_event_size": 16_384,
}  # fmt: skip
"""Settings of uvicorn.  No proxy stands before the page, so no header may change the address of a client."""


class Input(NamedTuple):
    """The two inputs of a request, each of which may be None."""

    text: str | None
    picture: bytes | None


async def input_of(request: Request) -> Input:
    """Return the inputs of a form with the files ``text`` (UTF-8) and ``picture``.  The names of files are not used.

    Raises
    ------
    RefusedError
        When the form has anything else, or an input is too large.
    """
    try:
        async with request.form(max_files=2, max_fields=0) as form:
            return await _input_of(form)
    except HTTPException as error:
        raise RefusedError(400, f"The form cannot be read: {error.detail}") from error


async def _input_of(form: FormData) -> Input:
    files = {name: file for name, file in form.multi_items() if isinstance(file, UploadFile)}
    unknown = sorted(files.keys() - {"text", "picture"})
    if not files or unknown or len(files) < len(form.multi_items()):
        raise RefusedError(400, "A form has the files text and picture, each at most once, and nothing else.")
    text, picture = [await file.read() if (file := files.get(name)) else None for name in ("text", "picture")]
    if picture is not None and len(picture) > MOST_PICTURE_BYTES:
        raise RefusedError(413, f"The picture has {len(picture):,} bytes; at most {MOST_PICTURE_BYTES:,} are allowed.")
    return Input(_checked_text(text), picture)


def _checked_text(data: bytes | None) -> str | None:
    try:
        text = (data or b"").decode()
    except UnicodeDecodeError as error:
        raise RefusedError(400, f"The text is not UTF-8: its byte {error.start} has no meaning.") from error
    if len(text) > MOST_CHARACTERS:
        raise RefusedError(413, f"The text has {len(text):,} characters; at most {MOST_CHARACTERS:,} are allowed.")
    return text or None


def predicted(saved: SavedModel, text: str | None, picture: bytes | None) -> Any:
    """Return the prediction of one pair with its causes, as a structure for JSON.

    Parameters
    ----------
    saved
        *saved* is the model.
    text
        *text* is the text, or None.
    picture
        *picture* is the content of a file of a stranger, or None.  It is decoded in another process.

    Raises
    ------
    PictureError
        When *picture* cannot be read.
    """
    try:
        return _explained(saved, text, picture)
    finally:
        give_memory_back()  # of the variants of a long text


def _explained(saved: SavedModel, text: str | None, picture: bytes | None) -> Any:
    with tempfile.TemporaryDirectory(dir=folder_of_process()) as folder:
        if picture is None:
            return explain(saved, text, None, None, Path(folder))
        path = Path(folder, "picture")
        path.write_bytes(picture)
        pixels, is_large = read_picture(path)
        try:
            return explain(saved, text, path, pixels, Path(folder))
        finally:
            if is_large:
                end_idle()


class Predictor:
    """Answers requests for predictions, one after the other.

    Parameters
    ----------
    saved
        *saved* is the model.
    """

    def __init__(self, saved: SavedModel) -> None:
        self._saved, self._lock, self._n_requests = saved, asyncio.Lock(), 0

    async def __call__(self, request: Request) -> Response:
        """Return the prediction of the pair in a form."""
        if self._n_requests > MOST_WAITING:
            raise RefusedError(503, "The model is busy with other requests. Try again soon.")
        self._n_requests += 1
        try:
            given = await input_of(request)
            async with self._lock:
                return JSONResponse(await run_in_threadpool(predicted, self._saved, *given))
        except asyncio.CancelledError:  # the server ends
            raise RefusedError(503, "The page is closed.") from None
        finally:
            self._n_requests -= 1


def app_of(saved: SavedModel, address: Address, token: str) -> App:
    """Return the guarded application.

    Parameters
    ----------
    saved
        *saved* is the model.
    address
        *address* is that of the page.
    token
        *token* is in the printed link, and works once.
    """
    page, predict = page_of(saved.record), Predictor(saved)

    async def home(_: Request) -> Response:
        return HTMLResponse(page, headers={"content-security-policy": policy()})

    async def answer(request: Request) -> Response:
        return await predict(request)

    routes = [Route("/", home, methods=["GET"]), Route("/predict", answer, methods=["POST"])]
    return Guard(Starlette(routes=routes, exception_handlers=HANDLERS), address, token)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return JSONResponse({"error": error.line}, error.status, headers={"connection": "close"})


async def _unusable(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 422)


async def _unknown(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": f"{error.detail}. The page is at /."}, error.status_code, headers=error.headers)


async def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=400)  # nobody reads it


async def _failed(_: Request, error: Exception) -> Response:
    log.error("a prediction failed", exc_info=error)
    return JSONResponse({"error": "The prediction failed. The terminal shows why."}, 500)


HANDLERS: Any = {
    RefusedError: _refused,
    CounterpointError: _unusable,
    HTTPException: _unknown,
    ClientDisconnect: _gone,
    Exception: _failed,
}


def serve(
    folder: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    allow_network: bool = False,
    trusted: Collection[str] = (),
    on_ready: Callable[[str], None],
) -> None:
    """Serve the page of the saved model in *folder* until an interrupt.

    Parameters
    ----------
    folder
        *folder* is a saved model.
    host
        *host* is an IP address of this machine, by default one that no other machine reaches.
    port
        *port* is the port, or 0 for a free one.
    allow_network
        *allow_network* allows a *host* that other machines reach.  The connection is not encrypted.
    trusted
        *trusted* are classes and encoders from outside this package that may be imported.
    on_ready
        *on_ready* receives the link of the page, which works once, when the page is ready.

    Raises
    ------
    ConfigError
        When *host* or *port* is not allowed.
    SavedModelError
        When *folder* holds no saved model.
    """
    host = checked_host(host, allow_network=allow_network)
    saved = open_saved(folder, trusted=trusted)
    with listen(host, port) as listening:
        address, token = Address(host, listening.getsockname()[1]), secrets.token_urlsafe(24)
        server = uvicorn.Server(uvicorn.Config(app_of(saved, address, token), **SETTINGS))
        on_ready(f"{address.origin}/?token={token}")
        server.run(sockets=[listening])
