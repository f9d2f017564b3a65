"""The base class of a check: its code, its title, its cost, the inputs it needs, and the finding it returns."""

from abc import ABC
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

from counterpoint.schema import finding

Finding = dict[str, str]
"""One row of schema.FINDINGS."""


ADVICE = "Read the evidence, and decide whether the comparison still answers your question."
"""The advice of a check that gives none."""


class Cost(NamedTuple):
    """The time that a check takes on one core at 1,000 pairs, and its extra work at full depth."""

    fast: str = "under 0.1 s"
    full: str = "Nothing more."


class Check(ABC):
    """Looks at a finished comparison for one pitfall.

    A check is a final subclass.  The first line of its docstring names its subject.  Its method ``run`` takes the
    inputs of `needs` as keyword parameters, and returns one finding.

    Attributes
    ----------
    code
        *code* is capital letters and three digits, as in "CP012".  No other check has it.
    title
        *title* names the pitfall on the page.
    advice
        *advice* is one sentence or two: the thing to do where the check warns or fails.
    cost
        *cost* is the time that it takes.
    needs
        *needs* are names of inputs (`counterpoint.diagnose.inputs.INPUTS`).

    Examples
    --------
    >>> from typing import final
    >>> import polars as pl
    >>> @final
    ... class FewPairs(Check):
    ...     '''Look at how many rows there are.'''
    ...     code, title, needs = "LAB001", "Few pairs", ("pairs",)
    ...     def run(self, *, pairs: pl.DataFrame) -> Finding:
    ...         n = len(pairs)
    ...         return self.finding("warn" if n < 200 else "info", "pairs", f"{n} pairs are compared.", n=n)
    >>> FewPairs().run(pairs=pl.DataFrame({"id": ["a"]}))["severity"]
    'warn'
    """

    code: ClassVar[str]
    title: ClassVar[str]
    advice: ClassVar[str] = ADVICE
    cost: ClassVar[Cost] = Cost()
    needs: ClassVar[tuple[str, ...]]
    run: Callable[..., Finding]

    def finding(self, severity: str, subject: str, explanation: str, /, **evidence: Any) -> Finding:
        """Return a finding of this check.

        Parameters
        ----------
        severity
            *severity* is "info", "warn", "fail" or "not_applicable".
        subject
            *subject* is the thing that the finding is about, such as a contender or "pairs".
        explanation
            *explanation* is one sentence or a few, with the numbers, and the advice where there is one.
        evidence
            *evidence* is values of JSON.  ``table``, a list of rows, is shown as a table.
        """
        return finding(self.code, severity, subject, explanation, **evidence)

    def not_applicable(self, subject: str, reason: str, /, **evidence: Any) -> Finding:
        """Return the finding that this check cannot be made, and why."""
        return self.finding("not_applicable", subject, reason, **evidence)


def rounded(rows: Sequence[dict[str, Any]], digits: int = 4) -> list[dict[str, Any]]:
    """Return the *rows* of a table of evidence with rounded numbers.

    >>> rounded([{"contender": "svm", "score": 0.123456}])
    [{'contender': 'svm', 'score': 0.1235}]
    """
    return [
        {name: round(value, digits) if isinstance(value, float) else value for name, value in row.items()}
        for row in rows
    ]
