"""weakcode desk: the page for coders, in the browser of this machine."""

from __future__ import annotations

import re
import threading
import webbrowser
from pathlib import Path
from typing import Any

import click

from weakcode.cli.common.options import Choice, choosing
from weakcode.cli.common.output import say
from weakcode.cli.service.serve import check_extra, run

_ADDRESS = re.compile(r"https?://\S+?(?=;|$)")


@click.command("desk", short_help="Open the page for coders in the browser.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=0, metavar="N", help="The port; without it, a free one."
)
@click.option(
    "--profiles",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="A folder of profiles, which the page names; it may change meanwhile.",
)
@click.option("--browser/--no-browser", default=True, help="Whether to open the browser; without, the address is said.")
@choosing
def command(port: int, profiles: Path | None, browser: bool, **options: Any) -> int:
    """Open a page on which claims are checked, codes looked up and files gone through (extra serve).

    Nothing leaves this machine, and no other can open the page. It ends with Ctrl-C; files that it was given go then.

    \b
    weakcode desk
    weakcode desk --profile examples/profiles/anthem.yaml
    """
    check_extra()

    def ready(line: str) -> None:
        found = _ADDRESS.search(line)
        say("weakcode: press Ctrl-C to end", err=True)
        if browser and found:
            threading.Thread(target=webbrowser.open, args=(found[0],), daemon=True).start()

    return run(
        Choice.from_options(options),
        host="127.0.0.1",
        port=port,
        token_file=None,
        profiles=profiles,
        allow_host=(),
        allow_origin=(),
        tls_certificate=None,
        tls_key=None,
        workers=1,
        max_connections=200,
        max_body=16,
        timeout=30,
        files=True,
        ready=ready,
    )
