"""The statuses of HTTP status codes and of libcurl's errors."""

import errno

from counterpoint.acquire.statuses import OK
from counterpoint.errors import CounterpointError

try:
    import pycurl
except ImportError as error:
    raise CounterpointError("Fetching images needs the extra counterpoint[acquire].") from error

_HTTP = {
    401: "http_401", 403: "http_403", 404: "http_404", 410: "http_410", 429: "http_429",
    204: "empty_body", 205: "empty_body", 304: "empty_body", 206: "body_truncated",
}  # fmt: skip
_CLASSES = {2: OK, 3: "redirect_limit", 4: "http_4xx"}
_TLS = {
    pycurl.E_SSL_CONNECT_ERROR, pycurl.E_PEER_FAILED_VERIFICATION, pycurl.E_SSL_CERTPROBLEM, pycurl.E_SSL_CIPHER,
    pycurl.E_SSL_ISSUER_ERROR, pycurl.E_SSL_PINNEDPUBKEYNOTMATCH, pycurl.E_SSL_INVALIDCERTSTATUS,
    pycurl.E_SSL_ENGINE_INITFAILED, pycurl.E_SSL_CACERT_BADFILE, pycurl.E_USE_SSL_FAILED,
}  # fmt: skip
_ERRORS = {
    **dict.fromkeys(_TLS, "tls_error"),
    pycurl.E_FILESIZE_EXCEEDED: "body_too_large",
    pycurl.E_URL_MALFORMAT: "url_invalid",
    pycurl.E_COULDNT_RESOLVE_HOST: "dns_temporary",
    pycurl.E_OUT_OF_MEMORY: "internal",
    pycurl.E_FAILED_INIT: "internal",
}
_CONNECT = {errno.ECONNRESET: "connect_reset", errno.EPIPE: "connect_reset"} | dict.fromkeys(
    (errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN), "connect_timeout"
)


def status_of_code(code: int) -> str:
    """Return the status that an HTTP status code alone decides. A code unknown to HTTP counts as 5xx.

    >>> [status_of_code(code) for code in (200, 302, 404, 418, 503, 999)]
    ['ok', 'redirect_limit', 'http_404', 'http_4xx', 'http_5xx', 'http_5xx']
    """
    return _HTTP.get(code) or _CLASSES.get(code // 100, "http_5xx")


def status_of_error(error: int, *, os_errno: int, has_headers: bool) -> str:
    """Return the status of a transfer that ended with an error of libcurl, time limits aside.

    Parameters
    ----------
    error
        *error* is libcurl's error code.
    os_errno
        *os_errno* is the system's error of the last failed connection.
    has_headers
        *has_headers* means that the headers of the response are complete.

    Examples
    --------
    >>> status_of_error(pycurl.E_COULDNT_CONNECT, os_errno=errno.EHOSTUNREACH, has_headers=False)
    'connect_timeout'
    >>> status_of_error(pycurl.E_RECV_ERROR, os_errno=0, has_headers=True)
    'body_truncated'
    """
    if error == pycurl.E_COULDNT_CONNECT:
        return _CONNECT.get(os_errno, "connect_refused")
    return _ERRORS.get(error) or ("body_truncated" if has_headers else "connect_reset")
