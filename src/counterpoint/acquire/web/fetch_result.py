"""The result of a request, with or without a response."""

from typing import NamedTuple


class FetchResult(NamedTuple):
    """The end of a request. *body* is empty unless *status* is "ok"."""

    slot: int
    status: str
    http_code: int | None
    body: bytes
