"""Write the tables of the documentation into its pages: `tables.py`, or `tables.py --check` to compare only.

A table stands between ``<!-- keys module:Section -->`` and ``<!-- end -->``.  ``measured`` is read from
benchmarks/results (measured.py), every other table from the code (reference.py).  So the Markdown shows every table.
The error rates that the page of a study shows are written into the package in the same way (packaged_rates.py).
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from measured import measured
from packaged_rates import PACKAGED, packaged_rates
from reference import entries, keys, sections

DOCS = Path(__file__).parent
WRITERS = {"keys": keys, "entries": entries, "measured": measured}
TABLE = re.compile(r"^<!-- (keys|entries|sections|measured) (\S+) -->\n(.*?)^<!-- end -->$", re.MULTILINE | re.DOTALL)


def filled(page: str) -> str:
    r"""Return the text of a page with each table in its current state.

    ``sections`` has no entry that has a table of its own on the page.

    >>> filled("<!-- entries counterpoint.metrics:METRICS -->\n<!-- end -->").count("| `accuracy` |")
    1
    """
    own = re.findall(r"^<!-- keys (\S+) -->$", page, re.MULTILINE)

    def written(found: re.Match[str]) -> str:
        kind, name = found[1], found[2]
        text = sections(name, without=own) if kind == "sections" else WRITERS[kind](name)
        return f"<!-- {kind} {name} -->\n\n{text}\n\n<!-- end -->".replace("\n\n\n\n", "\n\n")

    return TABLE.sub(written, page)


def stale() -> Iterator[tuple[Path, str]]:
    """Yield each page whose tables differ from the code, with its correct text, and the packaged error rates."""
    for path in sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts):
        text = path.read_text(encoding="utf-8")
        if (wanted := filled(text)) != text:
            yield path, wanted
    kept = PACKAGED.read_text(encoding="utf-8") if PACKAGED.exists() else ""
    if (wanted := packaged_rates()) != kept:
        yield PACKAGED, wanted


def main() -> int:
    """Write the pages whose tables differ or, with ``--check``, print their names. Return the exit code."""
    pages = list(stale())
    for path, wanted in pages:
        print(path.relative_to(DOCS.parent))
        if "--check" not in sys.argv:
            path.write_text(wanted, encoding="utf-8")
    if pages and "--check" in sys.argv:
        print("The tables of these pages differ from the code: run make tables.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
