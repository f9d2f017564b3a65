"""Secrets removed from text and settings before they are printed, logged, hashed or shared.

Storage options, values whose key names a secret, logins in URLs and signatures in queries are replaced by ``***``.
A secret that a person wrote into a caption is not recognised.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

HIDDEN = "***"
STORAGE = "storage"
"""The setting with options of fsspec, such as keys of an object store. All of its values are hidden."""
LEAST_HIDDEN = 4
"""The shortest secret, in characters, that is searched for in a text. Shorter ones occur in any text."""

_NAMES_A_SECRET = re.compile(
    r"secret|passw|pwd$|passphrase|token$|credential|(?:api|access|account|private|shared)_?key|sas$|signature"
    r"|connection_?string|authorization|^auth$",
    re.IGNORECASE,
)
# Linear time: the part before a login is matched by its end, and a login ends at the first slash.
_LOGIN = re.compile(r"((?<=:[/\\][/\\])|(?<=[a-z0-9]{2}:[/\\])|\b(?:https?|ftp):[/\\]*)[^\s/\\?#]*@", re.IGNORECASE)
_SIGNED = (
    r"(?:x-(?:amz|goog)-(?:signature|credential|security-token)|awsaccesskeyid|googleaccessid|access_?key_?id|signature|sig"
    r"|hmac|jwt|(?:[a-z]+[_-])?(?:token|secret)|auth|authorization|api_?key|password|passwd|pwd)"
)
_SIGNATURE = re.compile(rf"(?<=[?&;#])({_SIGNED}=)[^&#\s\"']+", re.IGNORECASE)
LOGIN_OF_URL = r"^(\s*(?:[A-Za-z][A-Za-z0-9+.-]*:[/\\]*|[/\\]{2}))[^\s/\\?#]*@"
"""A login in a text that is one URL, also valid in polars' dialect. The first group is kept."""


def without_logins(text: str) -> str:
    """Return *text* with the login of each URL in it hidden.

    >>> without_logins("s3://KEY:SECRET@bucket/list.csv, https://example.org/@me")
    's3://***@bucket/list.csv, https://example.org/@me'
    """
    return _LOGIN.sub(rf"\g<1>{HIDDEN}@", text) if "@" in text else text


def without_signatures(text: str) -> str:
    """Return *text* with each signature, token and password in the query of a URL hidden.

    >>> without_signatures("https://example.org/a.jpg?w=10&X-Amz-Signature=0a1b&h=5")
    'https://example.org/a.jpg?w=10&X-Amz-Signature=***&h=5'
    """
    return _SIGNATURE.sub(rf"\g<1>{HIDDEN}", text) if "=" in text else text


def redacted_text(text: str) -> str:
    """Return *text* without logins and signatures in its URLs."""
    return without_signatures(without_logins(text))


def redacted(value: Any) -> Any:
    """Return settings or other JSON-like values without their secrets.

    >>> redacted({"path": "s3://a/b", "storage": {"secret": "hunter2", "anon": False}, "c": [1, {"api_key": "k"}]})
    {'path': 's3://a/b', 'storage': {'secret': '***', 'anon': False}, 'c': [1, {'api_key': '***'}]}
    """
    if isinstance(value, Mapping):
        return {key: _of_key(str(key), each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(each) for each in value]
    return redacted_text(value) if isinstance(value, str) else value


def _of_key(key: str, value: Any) -> Any:
    if key == STORAGE:
        return hidden(value)
    if names_a_secret(key) and not isinstance(value, Mapping):
        return hidden(value)
    return redacted(value)


def hidden(value: Any) -> Any:
    """Return *value* with every leaf hidden, except true, false and null. Keys are kept.

    >>> hidden({"key": "a", "client_kwargs": {"timeout": 3}, "anon": True})
    {'key': '***', 'client_kwargs': {'timeout': '***'}, 'anon': True}
    """
    if isinstance(value, Mapping):
        return {key: hidden(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [hidden(each) for each in value]
    return value if value is None or isinstance(value, bool) else HIDDEN


def names_a_secret(key: str) -> bool:
    """Return whether a setting of this name holds a secret.

    >>> [names_a_secret(key) for key in ("api_key", "secret_access_key", "keywords", "max_tokens")]
    [True, True, False, False]
    """
    return _NAMES_A_SECRET.search(key) is not None


def without_secrets(text: str, storage: Mapping[str, Any]) -> str:
    """Return *text* without the values of *storage*, which an error of another library may quote.

    >>> without_secrets("no such option: hunter2", {"pass": "hunter2"})
    'no such option: ***'
    """
    for secret in sorted(_leaves(storage), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return redacted_text(text)


def _leaves(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        return (leaf for each in value.values() for leaf in _leaves(each))
    if isinstance(value, list | tuple):
        return (leaf for each in value for leaf in _leaves(each))
    return (str(value),) if not isinstance(value, bool | None) and len(str(value)) >= LEAST_HIDDEN else ()
