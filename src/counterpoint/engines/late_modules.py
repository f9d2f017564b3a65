"""Modules of other packages that are loaded at their first use, so that a command gives its first result sooner.

scikit-learn imports pandas and scipy.stats, and a prediction needs neither.  The standard library's ``LazyLoader`` does
not help: in Python 3.11 the second ``import`` of a module loads it.
"""

import importlib
import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any

UNNEEDED = ("pandas", "scipy.stats")
"""Modules that predictions rarely need.  They take a second of a core, and 60 MB."""


class _Late(ModuleType):
    """A module that loads the real one when a name of it is needed."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        found = importlib.import_module(self.__name__)
        self.__dict__.update(found.__dict__)
        return getattr(found, name)


def load_late(*names: str) -> None:
    """Let each module of these *names* load at its first use, unless it is loaded already or is not installed.

    This changes ``sys.modules``, so only a process that belongs to a command may do it.

    Examples
    --------
    >>> load_late("tabnanny")
    >>> import tabnanny
    >>> "check" in vars(tabnanny), callable(tabnanny.check), "check" in vars(tabnanny)
    (False, True, True)
    """
    for name in names:
        spec = None if name in sys.modules else find_spec(name)
        if spec is None:
            continue
        module = _Late(name)
        # Without these, `import` and `inspect`, which torch uses, would load the real module.
        module.__spec__, module.__loader__, module.__file__ = spec, spec.loader, spec.origin
        module.__package__ = spec.parent
        sys.modules[name] = module
