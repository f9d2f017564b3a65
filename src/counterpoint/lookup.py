"""From a name in a literal table, or a "package.module:Class" path, to the object it stands for."""

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from counterpoint.errors import ConfigError, did_you_mean, first_line


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
        raise ConfigError(f"Unknown {what} {name!r}.{_nearest(name, table)}")
    module_name, _, attribute = path.partition(":")
    try:
        module = import_module(module_name)
    except (ImportError, ValueError) as error:
        raise ConfigError(f"Cannot load {what} {name!r} from {path!r}: {error}.") from error
    except Exception as error:  # a module from outside may raise anything
        reason = f"importing {module_name} raised {type(error).__name__}: {first_line(error)}"
        raise ConfigError(f"Cannot load {what} {name!r}: {reason}.") from error
    if not hasattr(module, attribute):
        near = get_close_matches(attribute, vars(module), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"Cannot load {what} {name!r}: module {module_name!r} has no {attribute!r}.{hint}")
    return getattr(module, attribute)


def path_of(kind: type) -> str:
    """Return the path at which `find` finds the class *kind*.

    >>> from fractions import Fraction
    >>> path_of(Fraction), find(path_of(Fraction), {}, what="number") is Fraction
    ('fractions:Fraction', True)
    """
    # A spawned process imports the user's script under another name.
    module = "__main__" if kind.__module__ == "__mp_main__" else kind.__module__
    return f"{module}:{kind.__qualname__}"


def _nearest(name: str, table: Mapping[str, str]) -> str:
    """Return the nearest name of *table*, or for a path without a colon the path with one."""
    module, dot, attribute = name.rpartition(".")
    return f" Did you mean {f'{module}:{attribute}'!r}?" if dot and module else did_you_mean(name, table)
