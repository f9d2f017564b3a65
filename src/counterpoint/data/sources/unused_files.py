"""Files of the input that became no row: counted by reason, with the first names for each reason."""

from collections import defaultdict

from counterpoint.data.sources.messages import printable, some
from counterpoint.schema import NOTE, finding

SHOWN = 8


class UnusedFiles:
    """A count of the files that became no row.  Every other file is the image, the text or the table of some row.

    Examples
    --------
    >>> unused = UnusedFiles()
    >>> for name in ("README.md", "Thumbs.db"):
    ...     unused.add("not a picture", name)
    >>> unused.findings()[0]["explanation"]
    'Files that are no rows: 2 not a picture (README.md, Thumbs.db).'
    """

    def __init__(self) -> None:
        self.names: defaultdict[str, list[str]] = defaultdict(list)
        self.warns: set[str] = set()
        self.used: dict[str, int] = {}
        """Files that are images, texts or tables of rows, by kind."""

    def add(self, reason: str, name: str, *, is_warning: bool = False) -> None:
        """Count a file.

        Parameters
        ----------
        reason
            *reason* is the reason why it became no row, as the finding shows it.
        name
            *name* is its name, from the folder of the input on.
        is_warning
            *is_warning* marks a reason that deserves attention: the finding is then a warning.
        """
        self.names[reason].append(printable(name))
        if is_warning:
            self.warns.add(reason)

    def clear(self) -> None:
        """Forget all files, before the input is read again."""
        self.names.clear()
        self.warns.clear()
        self.used = {}

    @property
    def n(self) -> int:
        """The number of files that became no row."""
        return sum(map(len, self.names.values()))

    def findings(self) -> list[dict[str, str]]:
        """Return a finding with the counts and the first names, or none without such files."""
        if not self.names:
            return []
        counts = "; ".join(f"{len(names):,} {reason} ({some(names, 3)})" for reason, names in self._sorted())
        table = [
            {"reason": reason, "files": len(names), "such as": ", ".join(names[:SHOWN])}
            for reason, names in self._sorted()
        ]
        severity = "warn" if self.warns else "info"
        facts = {"files": self.n + sum(self.used.values()), **self.used, "no_rows": self.n, "table": table}
        return [finding(NOTE, severity, "source", f"Files that are no rows: {counts}.", **facts)]

    def _sorted(self) -> list[tuple[str, list[str]]]:
        return sorted(self.names.items(), key=lambda item: (item[0] not in self.warns, -len(item[1]), item[0]))
