"""The command that compares finished runs."""

from pathlib import Path
from typing import Annotated

import typer

from counterpoint.cli.ending import print_parts, say


def compare_runs(
    runs: Annotated[
        list[Path], typer.Argument(metavar="A B...", help="Run folders of finished studies. A is the reference.")
    ],
    *,
    metric: Annotated[
        list[str] | None, typer.Option(help="A metric to compare, which may be repeated (default: all in both).")
    ] = None,
    as_json: Annotated[Path | None, typer.Option("--json", help="A file for programs to write.")] = None,
    page: Annotated[Path | None, typer.Option("--page", help="A page to write, such as compared.html.")] = None,
    trust: Annotated[
        list[str] | None, typer.Option(help="A metric of your own to import, such as my_lab.metrics:BRIER.")
    ] = None,
) -> None:
    """Compare finished runs: the settings that changed, and the effect on scores, verdict and findings."""
    if len(runs) < 2:
        raise typer.BadParameter("Name two or more run folders. The first is the reference.")
    from counterpoint.artifacts import write_json
    from counterpoint.compared_runs import compare_runs as compared_runs
    from counterpoint.compared_runs.as_json import json_of
    from counterpoint.compared_runs.target_files import check_targets
    from counterpoint.compared_runs.terminal import comparison_summary

    check_targets(runs, {"--json": as_json, "--page": page})
    compared = compared_runs(runs, metrics=metric, trusted=trust or ())
    print_parts(comparison_summary(compared))
    if as_json is not None:
        write_json(as_json, json_of(compared))
        say(f"The comparison: {as_json.resolve()}")
    if page is not None:
        from counterpoint.compared_runs.page import write_comparison_page

        say(f"The page: {write_comparison_page(page, compared).resolve()}")
