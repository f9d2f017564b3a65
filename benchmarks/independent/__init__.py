"""The independent benchmark: pairs of another make than the generated source, whose truth is known.

Import it before numpy: it limits each process to one thread, as `injection` does.
"""

from injection import THREADS

__all__ = ["THREADS"]
