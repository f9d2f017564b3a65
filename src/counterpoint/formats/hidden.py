"""Files that a system or a program keeps for itself, which are no rows of a data set."""

HIDDEN, OTHER = "hidden", "not a picture"
"""Why a file is put aside: it is a system's own, or it is no picture."""
SYSTEM = frozenset(("__macosx", "__pycache__", "@eadir", "$recycle.bin", "system volume information", "lost+found"))


def is_hidden(*steps: str) -> bool:
    """Return whether a path with these *steps* is hidden, or lies in a folder that is.

    >>> is_hidden("cat", "._0.png"), is_hidden("__MACOSX", "0.png"), is_hidden(".", "cat", "0.png")
    (True, True, False)
    """
    return any((step.startswith(".") and step not in (".", "..")) or step.lower() in SYSTEM for step in steps)
