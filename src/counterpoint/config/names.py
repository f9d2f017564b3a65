"""Names given by users that become names of folders.  No name leaves its folder, on any system."""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator

MAX_BYTES = 100
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_FORBIDDEN = '/\\<>:"|?*'


def as_folder_name(name: str) -> str:
    """Return *name* in the composed form of Unicode if a folder can have it on every system.

    Raises
    ------
    ValueError
        When a folder cannot have it.

    Examples
    --------
    >>> as_folder_name("text-svm (tuned)")
    'text-svm (tuned)'
    >>> as_folder_name("../../x")
    Traceback (most recent call last):
    ValueError: a name becomes a folder's, and cannot hold '/'
    """
    name = unicodedata.normalize("NFC", name)
    unfit = next((each for each in name if each in _FORBIDDEN or unicodedata.category(each)[0] == "C"), None)
    if unfit is not None:
        raise ValueError(f"a name becomes a folder's, and cannot hold {unfit!r}")
    if not name.strip(". ") or name != name.strip() or name.endswith("."):
        raise ValueError("a name becomes a folder's, and cannot be empty, end in a dot, or begin or end in a space")
    if _RESERVED.fullmatch(name):
        raise ValueError(f"a name becomes a folder's, and {name!r} is a device's on Windows")
    if len(name.encode()) > MAX_BYTES:
        raise ValueError(f"a name becomes a folder's, and has at most {MAX_BYTES} bytes, not {len(name.encode())}")
    return name


FolderName = Annotated[str, AfterValidator(as_folder_name)]
