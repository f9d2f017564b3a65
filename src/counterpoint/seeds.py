"""Seeds derived by name, so that adding a step never shifts the random numbers of another."""

from hashlib import sha256


def child_seed(seed: int, *names: object) -> int:
    """Return a seed in [0, 2**31) for the step called *names* under *seed*.

    >>> child_seed(0, "split") == child_seed(0, "split"), child_seed(0, "split") == child_seed(0, "balance")
    (True, False)
    """
    digest = sha256("/".join([str(seed), *map(str, names)]).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
