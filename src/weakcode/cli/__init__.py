"""The command line. Each command is a module of its own, in a folder by subject, imported when it is asked for."""

from __future__ import annotations

import gc
import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from weakcode.cli.common.status import Status

_COMMANDS = {
    "check": ("claims", "Check the codes of one claim."),
    "scrub": ("claims", "Check every claim of some files."),
    "fix": ("claims", "Apply safe fixes to the codes of one claim."),
    "code": ("codes", "Show a code: its title, its place, its notes and the rules about it."),
    "find": ("codes", "Find codes by the words of a title or an inclusion term."),
    "rules": ("packs", "List, show and test rules."),
    "profile": ("packs", "Write a new profile, or learn denial risks from remittances."),
    "edition": ("codes", "List, fetch, add, show and compare editions of ICD-10-CM."),
    "desk": ("service", "Open the page for coders in the browser."),
    "serve": ("service", "Judge claims over HTTP, or over standard input."),
    "policies": ("policies", "Add, list, show and compare coverage policies."),
    "risk": ("policies", "Show which policies cover a diagnosis for a procedure."),
    "report": ("reports", "Show findings as a page for the browser."),
    "compare": ("reports", "Compare the findings of two runs."),
    "evaluate": ("reports", "Measure findings against a file of verdicts."),
}
"""The folder of each command, and what it does."""


def _print_warning(what: str) -> None:
    from weakcode.cli.common.output import is_logged, say

    if not is_logged():  # the log has it from "weakcode"
        say(f"weakcode: {what}", err=True)


class _Group(click.Group):
    """Commands by name, and one clear sentence in place of every traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(f"weakcode.cli.{_COMMANDS[cmd_name][0]}.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from weakcode.errors import did_you_mean

        name = args[0] if args else ""
        if name not in _COMMANDS and not name.startswith("-"):
            names = ", ".join(_COMMANDS)
            ctx.fail(f'there is no command "{name}"{did_you_mean(name, _COMMANDS)}; there are {names}')
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, does) for name, (_, does) in _COMMANDS.items()])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        from weakcode.base import progress
        from weakcode.cli.common import output
        from weakcode.errors import UnavailableError, WeakcodeError

        progress.listen(_print_warning)
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        # Hardly anything here forms a cycle; to look for cycles in all that is imported takes 4 % of a short run.
        # What a command before left out of that, in the same process, is looked at again.
        gc.set_threshold(100_000, 20, 20)
        gc.unfreeze()
        output.prepare()
        _forget()
        try:
            result = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
            output.flush()
        except click.ClickException as error:
            output_text = io.StringIO()
            error.show(output_text)
            output.say(output_text.getvalue().removesuffix("\n"), err=True, level="error")
            sys.exit(Status.BAD_INPUT)
        except output.UnsaidError as error:
            _stop(_with_written(str(error)), Status.BAD_INPUT, error)
        except UnavailableError as error:
            _stop(_with_written(str(error)), Status.UNAVAILABLE, error)
        except WeakcodeError as error:
            _stop(_with_written(str(error)), Status.BAD_INPUT, error)
        except (click.Abort, KeyboardInterrupt):
            # Click itself would exit with 1, which reads as "there are findings".
            _stop(_with_written("stopped", "no output file was written"), Status.INTERRUPTED)
        except output.NoReaderError:
            sys.exit(Status.NO_READER)
        except SystemExit as ended:
            # Click has met the same while it showed help.
            sys.exit(Status.NO_READER if type(sys.stdout).__name__ == "PacifyFlushWrapper" else ended.code)
        except Exception as error:
            _fail(error)
        sys.exit(result if isinstance(result, int) else 0)


def _fail(error: Exception) -> NoReturn:
    """End on an exception that nobody foresaw: click itself may have stumbled over standard output."""
    from weakcode.cli.common import output

    if isinstance(error, OSError):
        try:
            output.flush()
        except output.UnsaidError as unsaid:
            _stop(_with_written(str(unsaid)), Status.BAD_INPUT, error)
    _stop(
        _with_written(f"something went wrong inside weakcode ({type(error).__name__})", "no output file was written")
        + "; please report it with the command and, if you can, an invented claim that shows it "
        "(WEAKCODE_DEBUG=1 shows the details)",
        Status.BUG,
        error,
    )


def _forget() -> None:
    logs = sys.modules.get("weakcode.cli.common.logs")
    if logs is not None:
        logs.end()
    written = sys.modules.get("weakcode.scrub.written")
    if written is not None:
        written.WRITTEN.clear()


def _with_written(sentence: str, otherwise: str = "") -> str:
    """Return the sentence with the outputs that are in their places."""
    written = sys.modules.get("weakcode.scrub.written")
    files = ", ".join(written.WRITTEN) if written is not None else ""
    tail = f"written before: {files}" if files else otherwise
    return f"{sentence}; {tail}" if tail else sentence


def _stop(sentence: str, status: int, error: BaseException | None = None) -> NoReturn:
    from weakcode.cli.common.output import say

    if error is not None and os.environ.get("WEAKCODE_DEBUG") == "1":
        raise error
    say(f"weakcode: {sentence}", err=True, level="error")
    sys.exit(status)


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from weakcode import __version__
        from weakcode.cli.common.output import say
        from weakcode.codes.catalog import sources
        from weakcode.rules.library import bundled_versions

        say(f"weakcode {__version__}")
        say(f"ICD-10-CM {', '.join(source.label for source in sources())}")
        say(f"packs {', '.join(bundled_versions())}")
        ctx.exit()


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version, the editions and the packs with theirs.",
)
def main() -> None:
    """Find what is wrong with the ICD-10-CM codes of a claim before a payer does.

    Exit status: 0 no findings at or above --fail-on, 1 findings, 2 bad usage or bad input, 3 more rejected rows or
    claims with errors than --max-rejects or --max-errors of scrub allow, 75 a database or file that is in use, or a
    connection that was lost.
    """
