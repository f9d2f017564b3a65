"""The demo: the study of OpenMoji that comes with the package, with probes where their encoders are installed."""

from pathlib import Path
from typing import Annotated

import typer

from counterpoint.cli.ending import say
from counterpoint.cli.settings import Sets
from counterpoint.cli.study import DEFAULT_RUNS, Runs, run_study

DEMO = Path(__file__).parents[1] / "demo.yaml"
QUICK = ("study=openmoji-quick", "split.kind=holdout", "split.limit=600")
"""The changes of ``demo --quick``."""
PROBES = frozenset({"text-probe", "image-probe", "pair-probe", "probe-average"})
"""The contenders of the demo that need the shipped encoders."""


def demo(
    *,
    runs: Runs = DEFAULT_RUNS,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer pictures, one split: a minute, weaker numbers.")
    ] = False,
    sets: Sets = None,
) -> None:
    """Compare text, image and both on the OpenMoji pairs.  It takes minutes on two cores."""
    own = [*(QUICK if quick else ()), *_without_probes()]
    run_study(DEMO, runs=runs, sets=[*own, *(sets or ())], until="report")


def _without_probes() -> list[str]:
    """Return the change that leaves the probes out, and say so, where their encoders are not installed."""
    import yaml

    from counterpoint.encoders.catalogue import CATALOGUE, INSTALL

    missing = sorted({package for entry in CATALOGUE.values() for package in entry.missing()})
    if not missing:
        return []
    say(f"Without probes on pretrained encoders, which need {', '.join(missing)}: {INSTALL}.")
    entries = yaml.safe_load(DEMO.read_text(encoding="utf-8"))["contenders"]
    kept = [entry for entry in entries if not isinstance(entry, str) or entry not in PROBES]
    return [f"contenders={yaml.safe_dump(kept, default_flow_style=True)}"]
