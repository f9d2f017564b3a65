"""Every exception that Counterpoint raises for a user's mistake.  A traceback of any other kind is a bug of ours."""

from collections.abc import Iterable
from difflib import get_close_matches

from counterpoint.redaction import redacted_text


class CounterpointError(Exception):
    r"""A mistake that the user can correct, in one line: the setting, its value, the allowed ones, the nearest one.

    The message is made one line, and its secrets are removed, here.

    >>> str(CounterpointError("Cannot read s3://KEY:SECRET@bucket/a\nb.csv."))
    'Cannot read s3://***@bucket/a b.csv.'
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(" ".join(redacted_text(str(message)).splitlines()))


class ConfigError(CounterpointError):
    """A setting that does not exist, or has a value that is not allowed."""


class SourceError(CounterpointError):
    """A source that is not there, cannot be opened, or has not the columns it should have."""


class SchemaError(CounterpointError):
    """A table that lacks a column, or has one of the wrong type."""


class SplitError(CounterpointError):
    """A split that cannot be made from these pairs."""


class RunFolderError(CounterpointError):
    """A run folder that belongs to another study, or that cannot be written."""


class UnreadableFitError(CounterpointError):
    """A fit that is damaged, was not kept, or has a class that is not trusted.  It can be made again."""


class SavedModelError(CounterpointError):
    """A folder that holds no saved model, or one that was changed after it was saved."""


class ImageError(CounterpointError):
    """An image that cannot be used.  *reason* is one word of the closed list in ``features.decode``."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type["ImageError"], tuple[str, str]]:
        return type(self), (self.reason, self.detail)


class ImageWarning(UserWarning):
    """Images that a contender cannot read and treats as missing, or that a model of images alone lacks."""


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" with the nearest allowed name, else the list of allowed names.

    >>> did_you_mean("tex-svm", ["text-svm", "majority"])
    " Did you mean 'text-svm'?"
    >>> did_you_mean("zebra", ["text-svm", "majority"])
    ' Allowed: majority, text-svm.'
    """
    choices = sorted(allowed)
    near = get_close_matches(name, choices, n=1)
    if near:
        return f" Did you mean {near[0]!r}?"
    return f" Allowed: {', '.join(choices)}." if choices else ""


def name_in_quotes(name: str) -> str:
    r"""Return *name* in quotation marks, with unprintable characters escaped.

    >>> print(name_in_quotes("Fotos\\1.jpg"), name_in_quotes("bell\a"))
    'Fotos\1.jpg' 'bell\x07'
    """
    return f"'{name}'" if name.isprintable() else repr(name)


def first_line(error: BaseException) -> str:
    r"""Return the first line of the message of *error* without its full stop, or its type if it has no message.

    >>> first_line(ValueError("No magic bytes.\nWas it cut?")), first_line(TimeoutError())
    ('No magic bytes', 'TimeoutError')
    >>> first_line(OSError(2, "No such file or directory", "a.csv"))
    'No such file or directory'
    """
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).splitlines() or [type(error).__name__])[0].removesuffix(".")
