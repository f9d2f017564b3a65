"""A local page on which one types a text, drops a picture, and sees the prediction of a saved model and its causes."""

from importlib.util import find_spec

from counterpoint.errors import ConfigError

NEEDED = {"starlette": "starlette", "uvicorn": "uvicorn", "python_multipart": "python-multipart"}
"""The modules of the extra ``try``, with the names of their packages."""


def check_installed() -> None:
    """Raise an error in one line where a package of the page is missing.

    >>> check_installed()
    """
    missing = [package for module, package in NEEDED.items() if find_spec(module) is None]
    if missing:
        raise ConfigError(f"The page needs {', '.join(missing)}: pip install 'counterpoint[try]'.")
