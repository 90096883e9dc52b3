"""weakcode desk: the page for coders, in the browser of this machine."""

from __future__ import annotations

import re
import socket
import threading
import webbrowser
from pathlib import Path
from typing import Any

import click

from weakcode.cli.common.options import Choice, choosing
from weakcode.cli.common.output import say
from weakcode.cli.service.serve import PORT, check_extra, run

_ADDRESS = re.compile(r"https?://\S+?(?=;|$)")


@click.command("desk", short_help="Open the page for coders in the browser.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    metavar="N",
    help="The port; by default 8087, or a free one if that is taken.",
)
@click.option(
    "--profiles",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="A folder of profiles to choose from on the page; it may change while the server runs.",
)
@click.option(
    "--browser/--no-browser", default=True, help="Whether to open the browser; otherwise only the address is printed."
)
@choosing
def command(port: int | None, profiles: Path | None, browser: bool, **options: Any) -> int:
    """Open a page to check claims, look up codes and work through files (extra desk).

    Nothing leaves this machine, and no other machine can open the page. It ends with Ctrl-C, which removes uploaded
    files.

    \b
    weakcode desk
    weakcode desk --profile examples/profiles/anthem.yaml
    """
    check_extra("desk")

    def ready(line: str) -> None:
        found = _ADDRESS.search(line)
        say("weakcode: press Ctrl-C to end", err=True)
        if browser and found:
            threading.Thread(target=webbrowser.open, args=(found[0],), daemon=True).start()

    from weakcode.serve.settings import Settings

    settings = Settings(port=_port() if port is None else port, profiles=profiles, max_connections=200, take_files=True)
    return run(Choice.from_options(options), settings, ready)


def _port() -> int:
    """Return the usual port, since browsers keep what the page remembers by it, or 0 where another has it."""
    with socket.socket() as asked:
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            asked.bind(("127.0.0.1", PORT))
        except OSError:
            return 0
    return PORT
