"""The gate of the page: only the browser that opened the printed link passes, and no body is larger or slower than due.

It is ASGI around an application that knows nothing of it.
"""

import asyncio
import hmac
import json
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from counterpoint.try_page.address import Address

MOST_PICTURE_BYTES = 10 << 20
MOST_BODY_BYTES = MOST_PICTURE_BYTES + (1 << 20)
"""A picture, a text, and the lines around them."""
MOST_BODY_S = 20.0
DRAIN_S = 5.0
"""A refused body is read and thrown away for this time, because many clients read no answer before they sent all."""

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADERS = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
NOTHING_ALLOWED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class RefusedError(Exception):
    """A request that does not pass, with its HTTP status and one line."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status, self.line = status, line


class Guard:
    """Lets the requests of one browser through to an application, and refuses all others.

    Parameters
    ----------
    app
        *app* is the application.
    address
        *address* is that of the page, to which each request must be addressed.
    token
        *token* is in the printed link.  The first request that has it receives the cookie.
    """

    def __init__(self, app: App, address: Address, token: str) -> None:
        self._app, self._address = app, address
        self._token: str | None = token
        self._cookie = (f"counterpoint-{address.port}", secrets.token_urlsafe(32))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        assert scope["type"] == "http", "the server handles no other protocol"
        body = _Body(receive)
        try:
            is_first = self._pass(scope)
        except RefusedError as refused:
            await _answer(_with_headers(send, body), refused)
            return
        cookie = "{}={}; HttpOnly; SameSite=Strict; Path=/".format(*self._cookie) if is_first else None
        await self._app(scope, body.receive, _with_headers(send, body, cookie=cookie))

    def _pass(self, scope: Scope) -> bool:
        """Return whether this request exchanges the token for the cookie, or raise `RefusedError`."""
        headers = _headers(scope)
        if headers.get("host") != [self._address.authority]:
            raise RefusedError(403, f"This page is only at {self._address.origin}.")
        is_first = not self._has_cookie(headers) and self._use_token(scope)
        if not is_first:
            self._check_origin(scope["method"], headers)
        length = headers.get("content-length", ["0"])[0]
        if not length.isdecimal() or int(length) > MOST_BODY_BYTES:
            raise _too_large()
        return is_first

    def _has_cookie(self, headers: dict[str, list[str]]) -> bool:
        pairs = [pair.strip() for line in headers.get("cookie", []) for pair in line.split(";")]
        wanted = "{}={}".format(*self._cookie).encode()
        return any(hmac.compare_digest(pair.encode(), wanted) for pair in pairs)

    def _use_token(self, scope: Scope) -> bool:
        """Return True, and forget the token, where the request has it."""
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        is_it = self._token is not None and hmac.compare_digest(given.encode(), self._token.encode())
        if scope["method"] != "GET" or scope["path"] != "/" or not is_it:
            raise RefusedError(403, "Open the link that counterpoint try printed. It works once, in one browser.")
        self._token = None
        return True

    def _check_origin(self, method: str, headers: dict[str, list[str]]) -> None:
        """Raise `RefusedError` where another site made the request.  A POST of our page always has its origin."""
        is_ours = headers.get("origin", [] if method == "POST" else [self._address.origin]) == [self._address.origin]
        if not is_ours or headers.get("sec-fetch-site", ["none"])[0] not in ("none", "same-origin"):
            raise RefusedError(403, "Another site may not use this page.")


class _Body:
    """The body of a request, which ends with `RefusedError` where it is too large or too slow."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._n_bytes, self._is_over = receive, 0, False
        self._ends_s = time.monotonic() + MOST_BODY_S

    async def receive(self) -> Message:
        """Return the next part of the body."""
        if self._is_over:  # only the end of the connection can come
            return await self._receive()
        try:
            async with asyncio.timeout(max(0.0, self._ends_s - time.monotonic())):
                message = await self._receive()
        except TimeoutError:
            self._is_over = True
            raise RefusedError(408, f"The request took longer than {MOST_BODY_S:g} s.") from None
        self._n_bytes += len(message.get("body", b""))
        self._is_over = not message.get("more_body", False)
        if self._n_bytes > MOST_BODY_BYTES:
            raise _too_large()
        return message

    async def drain(self) -> None:
        """Read the rest and throw it away, for a short time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                while not self._is_over:
                    self._is_over = not (await self._receive()).get("more_body", False)


def _too_large() -> RefusedError:
    return RefusedError(413, f"The request is too large: a picture may have {MOST_PICTURE_BYTES >> 20} MB.")


def _headers(scope: Scope) -> dict[str, list[str]]:
    """Return the values of each header, by its name in lower case."""
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _with_headers(send: Send, body: _Body, *, cookie: str | None = None) -> Send:
    """Return *send* with `HEADERS`, and a policy that allows nothing where the answer has none.

    A refusal waits until the *body* was sent.
    """

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            if message["status"] >= 400:
                await body.drain()
            given = {name.decode("latin-1").lower() for name, _ in message.get("headers", ())}
            ours = HEADERS | {"content-security-policy": NOTHING_ALLOWED} | ({"set-cookie": cookie} if cookie else {})
            more = [(name.encode(), value.encode()) for name, value in ours.items() if name not in given]
            message = {**message, "headers": [*message.get("headers", ()), *more]}
        await send(message)

    return sending


async def _answer(send: Send, refused: RefusedError) -> None:
    body = json.dumps({"error": refused.line}).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body)), "connection": "close"}
    start = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refused.status, "headers": start})
    await send({"type": "http.response.body", "body": body})
