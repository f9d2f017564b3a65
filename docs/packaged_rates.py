"""The error rates of checks for the page of a study: benchmarks/results/pitfalls.json, without all that it leaves out.

`tables.py` writes them into the package, and compares them there, as it does with the tables of the documentation.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from measured import amount, read

PACKAGED = Path(__file__).parents[1] / "src" / "counterpoint" / "diagnose" / "error_rates.json"
SINCE = {"CP011": "After this measurement, its warning about few test rows became a note."}
"""Changes of a check since its rates were measured, as docs/pitfalls.md has them."""
KEPT = ("k", "n", "low", "high")


def packaged_rates(pitfalls: Mapping[str, Any] | None = None) -> str:
    """Return the rates of each check and size that was measured, as JSON. *pitfalls* is read where it is not given.

    >>> rate = {"k": 1, "n": 4, "share": 0.25, "low": 0.05, "high": 0.7}
    >>> sizes = [{"n": 300, "ratio": 1, "planted": rate, "clean": None}]
    >>> check = {"fault": "A.", "strength": 1, "unit": "yes", "clean": "B.", "sizes": sizes}
    >>> print(packaged_rates({"checks": {"CP001": check}}).strip())
    {
     "CP001": {
      "fault": "A.", "clean": "B.",
      "sizes": [
       {"n": 300, "ratio": 1, "detected": {"k": 1, "n": 4, "low": 0.05, "high": 0.7}, "alarms": null}
      ]
     }
    }
    """
    checks = (read("pitfalls") if pitfalls is None else pitfalls).get("checks", {})
    entries = [f' "{code}": {_entry(found, SINCE.get(code))}' for code, found in checks.items() if list(_sizes(found))]
    return "{\n" + ",\n".join(entries) + "\n}\n"


def _entry(found: Mapping[str, Any], since: str | None) -> str:
    planted = found["fault"] if found["unit"] == "yes" else f"{found['fault']} ({_amount(found)})"
    sizes = ",\n".join(f"   {json.dumps(size)}" for size in _sizes(found))
    changed = f'\n  "since": {json.dumps(since)},' if since else ""
    named = f'"fault": {json.dumps(planted)}, "clean": {json.dumps(found["clean"])},{changed}'
    return f'{{\n  {named}\n  "sizes": [\n{sizes}\n  ]\n }}'


def _amount(found: Mapping[str, Any]) -> str:
    return amount(found["strength"], found["unit"])


def _sizes(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for size in found["sizes"]:
        if size["planted"] or size["clean"]:
            yield {
                "n": size["n"],
                "ratio": size["ratio"],
                "detected": _rate(size["planted"]),
                "alarms": _rate(size["clean"]),
            }


def _rate(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if found is None else {name: found[name] for name in KEPT}
