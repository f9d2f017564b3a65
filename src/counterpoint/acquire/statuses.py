"""The closed list of statuses with which a slot of an acquisition ends."""

from collections.abc import Sequence

OK = "ok"

STATUSES = (
    OK,
    "url_invalid", "url_scheme", "blocked_address", "blocked_optout",
    "dns_nxdomain", "dns_temporary",
    "connect_refused", "connect_timeout", "connect_reset", "tls_error",
    "timeout_total", "too_slow",
    "http_401", "http_403", "http_404", "http_410", "http_429", "http_4xx", "http_5xx", "redirect_limit",
    "body_too_large", "body_truncated", "empty_body",
    "not_image", "unsupported_format", "decode_error", "truncated_image", "too_many_pixels", "too_small", "aspect",
    "decode_timeout", "hash_mismatch", "duplicate", "low_agreement",
    "host_dead", "internal",
)  # fmt: skip

RETRYABLE = frozenset({
    "dns_temporary", "connect_timeout", "connect_reset", "timeout_total", "too_slow", "http_429", "http_5xx",
    "body_truncated", "decode_timeout", "host_dead", "internal",
})  # fmt: skip
"""The failures that may pass with time. `retry` tries their slots again."""

BLOCKED = "blocked_address"
NEVER_SENT = frozenset({"url_invalid", "url_scheme"})
"""The statuses of rows whose URL alone rules out a request."""


def retryable(allow_address: Sequence[str]) -> frozenset[str]:
    """Return the statuses that `retry` tries again: also refused addresses, when *allow_address* names networks.

    >>> BLOCKED in retryable(()), BLOCKED in retryable(("127.0.0.1/32",))
    (False, True)
    """
    return RETRYABLE | {BLOCKED} if allow_address else RETRYABLE
