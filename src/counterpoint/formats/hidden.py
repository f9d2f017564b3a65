"""Files that a system or a program keeps for itself.  They are no rows of a data set."""

HIDDEN, OTHER = "hidden", "not a picture"
"""Reasons why a file is set aside: it belongs to the system, or it is no image."""
SYSTEM = frozenset(("__macosx", "__pycache__", "@eadir", "$recycle.bin", "system volume information", "lost+found"))


def is_hidden(*steps: str) -> bool:
    """Return whether a path with these *steps* is hidden, or lies in a hidden folder.

    >>> is_hidden("cat", "._0.png"), is_hidden("__MACOSX", "0.png"), is_hidden(".", "cat", "0.png")
    (True, True, False)
    """
    return any((step.startswith(".") and step not in (".", "..")) or step.lower() in SYSTEM for step in steps)
