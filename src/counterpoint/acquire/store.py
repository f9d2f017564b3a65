"""The folder that an acquisition writes to, which its readers below this room know too."""

from counterpoint.store import Store

__all__ = ["Store"]
