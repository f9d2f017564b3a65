"""Does a model that reads text and images beat one that reads a single modality on your pairs, and why (not)."""

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

_PUBLIC = {
    "open_study": "counterpoint.opening",
    "Study": "counterpoint.study",
    "save": "counterpoint.saved.save",
    "load": "counterpoint.saved.model",
    "open_saved": "counterpoint.saved.model",
    "open_acquisition": "counterpoint.acquire.acquisition",
    "read_pairs": "counterpoint.data",
    "split": "counterpoint.data",
    "generate": "counterpoint.data",
    "make": "counterpoint.contenders",
    "score": "counterpoint.metrics",
    "decide": "counterpoint.metrics",
    "CounterpointError": "counterpoint.errors",
}
__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that importing the package loads neither torch nor sklearn."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'counterpoint' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
