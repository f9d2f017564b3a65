"""From a name in a literal table, or a "package.module:Class" path, to the object it stands for."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from counterpoint.errors import ConfigError, did_you_mean


def find(name: str, table: Mapping[str, str], *, what: str) -> Any:
    """Return the object that *name* stands for.

    Parameters
    ----------
    name
        *name* is a key of *table*, or a path such as ``my_lab.bayes:CharBayes``.
    table
        *table* maps names to paths.  Only the module of *name* is imported.
    what
        *what* is the word for such an object in an error, such as "contender".

    Raises
    ------
    ConfigError
        When the name is not in the table, or its path cannot be imported.

    Examples
    --------
    >>> find("tau", {"tau": "math:tau"}, what="constant") == find("math:tau", {}, what="constant")
    True
    """
    path = name if ":" in name else table.get(name)
    if path is None:
        raise ConfigError(f"Unknown {what} {name!r}.{did_you_mean(name, table)}")
    module_name, _, attribute = path.partition(":")
    try:
        return getattr(import_module(module_name), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"Cannot load {what} {name!r} from {path!r}: {error}.") from error
