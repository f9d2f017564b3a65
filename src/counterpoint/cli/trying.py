"""The command that serves a local page on which one tries a saved model."""

import atexit
import os
import threading
from pathlib import Path
from typing import Annotated

import typer

from counterpoint.cli.ending import say
from counterpoint.cli.shipping import Trust


def try_page(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A saved model: a folder that counterpoint save wrote.")
    ],
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port of the page (0: a free one).")] = 0,
    host: Annotated[str, typer.Option(help="The IP address of the page.")] = "127.0.0.1",
    allow_network: Annotated[
        bool, typer.Option("--allow-network", help="Allow a --host that other machines reach, without encryption.")
    ] = False,
    is_opened: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    trust: Trust = None,
) -> None:
    """Try a saved model on a local page: type a text, drop a picture, blank either, and see the causes."""
    from counterpoint.engines.late_modules import UNNEEDED, load_late
    from counterpoint.try_page import check_installed

    check_installed()
    load_late(*UNNEEDED)
    from counterpoint.try_page.server import serve

    def on_ready(link: str) -> None:
        if allow_network and not link.startswith(("http://127.", "http://[::1]")):
            say(f"counterpoint: --allow-network: other machines may reach {host}, and nothing is encrypted.", err=True)
        say(f"Open {link}")
        say("The link works once, in one browser. Ctrl-C ends the page.")
        if is_opened:
            typer.launch(link)

    try:
        serve(folder, host=host, port=port, allow_network=allow_network, trusted=trust or (), on_ready=on_ready)
    except KeyboardInterrupt:
        say("counterpoint: interrupted; the page is closed.", err=True)
        _end_without_threads()
        raise typer.Exit(130) from None


def _end_without_threads() -> None:
    """End the process where a prediction runs, which nothing can stop and which may take long."""
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        atexit._run_exitfuncs()  # removes temporary files and ends child processes
        os._exit(130)
