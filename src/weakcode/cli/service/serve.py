"""weakcode serve: the service over HTTP, or over standard input and output."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from weakcode.cli.common.options import Choice, choosing
from weakcode.cli.common.output import say
from weakcode.errors import InputError

if TYPE_CHECKING:
    from weakcode.serve.settings import Settings

PORT = 8087
_NEEDED = ("starlette", "uvicorn", "httptools")


@click.command("serve", short_help="Judge claims over HTTP, or over standard input.")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=PORT, show_default=True, metavar="N", help="The port.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Access tokens, one a line; required to listen on an address of other machines. It may change while the "
    "server runs.",
)
@click.option(
    "--profiles",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="A folder of profiles, which requests select with ?profile=NAME; it may change while the server runs.",
)
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME", help="Another host name of the server.")
@click.option(
    "--allow-origin", "origins", multiple=True, metavar="ORIGIN", help="A page's origin that may use the server."
)
@click.option(
    "--tls-certificate",
    "certificate",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A certificate chain, PEM.",
)
@click.option("--tls-key", "key", type=click.Path(path_type=Path), metavar="FILE", help="Its private key, PEM.")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="N",
    help="The number of processes; they share the compiled rules.",
)
@click.option(
    "--max-connections",
    type=click.IntRange(1, 100_000),
    default=1_000,
    show_default=True,
    metavar="N",
    help="The most open connections of a process; the longest idle one is closed for a new one.",
)
@click.option(
    "--max-body", type=click.IntRange(1, 1_024), default=16, show_default=True, metavar="MB", help="The largest body."
)
@click.option(
    "--timeout",
    type=click.IntRange(1, 3_600),
    default=30,
    show_default=True,
    metavar="SECONDS",
    help="The time allowed for a body to arrive, for an answer, and for finishing accepted requests on stop.",
)
@click.option(
    "--files/--no-files",
    default=None,
    help="Whether the page accepts files of claims, kept until the server stops; by default only for this machine.",
)
@click.option(
    "--stdio",
    is_flag=True,
    help="Instead of HTTP, read one claim a line as JSON from standard input and write one verdict a line, each at "
    "once.",
)
@choosing
def command(stdio: bool, **options: Any) -> int:
    """Judge claims over HTTP until it is stopped (extra serve), by the bundled rules or those that options choose.

    Without --token-file it answers only this machine. --fail-on has no effect.

    \b
    weakcode serve
    weakcode serve --host 0.0.0.0 --token-file tokens --tls-certificate cert.pem --tls-key key.pem
    weakcode serve --stdio
    """
    choice = Choice.from_options(options)
    if stdio:
        from weakcode.cli.claims.lines import judge_lines

        judge_lines(choice, at_once=True)
        return 0
    check_extra()
    return run(choice, _settings(**options))


def check_extra(name: str = "serve") -> None:
    """Raise InputError where what the command of this name needs, in the extra of its name, is not installed."""
    missing = [module for module in _NEEDED if importlib.util.find_spec(module) is None]
    if missing:
        raise InputError(
            f'weakcode {name} needs {", ".join(missing)}; install them with: pip install "weakcode[{name}]"'
        )


def _settings(
    *, host: str, token_file: Path | None, max_body: int, timeout: int, files: bool | None, **named: Any
) -> Settings:
    from weakcode.serve.settings import MEBIBYTE, Settings, is_loopback
    from weakcode.serve.tokens import Tokens

    return Settings(
        host=host,
        tokens=None if token_file is None else Tokens(token_file),
        take_files=is_loopback(host) if files is None else files,
        max_body=max_body * MEBIBYTE,
        head_seconds=min(10, timeout),
        body_seconds=timeout,
        idle_seconds=2 * timeout,
        work_seconds=timeout,
        stop_seconds=timeout,
        **named,
    )


def run(choice: Choice, settings: Settings, ready: Callable[[str], None] | None = None) -> int:
    from weakcode.serve.server import serve
    from weakcode.serve.tenants import Tenants

    def announce(line: str) -> None:
        say(f"weakcode: {line}", err=True)
        if ready is not None:
            ready(line)

    return serve(settings, Tenants(choice.validator(), settings.profiles), announce)
