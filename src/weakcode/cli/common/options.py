"""Options that several commands share, and what they become."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click

from weakcode.cli.common.output import say
from weakcode.errors import InputError
from weakcode.fields import FIELDS, Field
from weakcode.findings import Finding, Severity

if TYPE_CHECKING:
    from weakcode.claims import Claim
    from weakcode.validator import Validator

_F = TypeVar("_F", bound=Callable[..., Any])
_NOW_ADDS = "Note: --rules now adds to the bundled rules; --only applies only the named rules."
"""Said for one release, because --rules used to do what --only does."""


@attrs.frozen
class Choice:
    """Which rules judge, and which findings make the command fail."""

    rules: tuple[str, ...]
    only: tuple[str, ...]
    profile: str | None
    profiles_root: str | None
    engine: str | None
    fail_on: str
    strict_edition: bool = False
    waivers: str | None = None
    today: str | None = None

    @classmethod
    def from_options(cls, options: dict[str, Any]) -> Choice:
        """Take the choice out of a command's options."""
        return cls(**{field.name: options.pop(field.name) for field in attrs.fields(cls)})

    def validator(self) -> Validator:
        """Return the validator that these options ask for."""
        from weakcode.validator import Validator

        if self.rules and not self.only:
            say(_NOW_ADDS, err=True)
        return Validator(
            packs=self.only or None,
            also=self.rules,
            profile=self.profile,
            root=self.profiles_root,
            engine=self.engine,
            strict_edition=self.strict_edition,
            waivers=self.waivers or (),
            today=self.today,
        )

    def fails(self, severities: Sequence[str]) -> bool:
        """Tell whether one of these severities is at or above --fail-on."""
        if self.fail_on == "never":
            return False
        return any(Severity.parse(severity) >= Severity.parse(self.fail_on) for severity in severities)


def claim_from(codes: Sequence[str], options: dict[str, Any]) -> Claim:
    """Return the claim of the codes on a command line; several may come in one argument, an empty one stays."""
    from weakcode.claims import Claim

    spread = [code for argument in codes for code in argument.replace(";", " ").replace(",", " ").split() or [""]]
    return Claim(spread, **options)


def choosing(command: _F) -> _F:
    """Add the options of `Choice`; the command gives what it got to `Choice.from_options`."""
    return _with_options(
        command,
        click.option(
            "--rules",
            multiple=True,
            metavar="PACK|PATH|RULE-ID",
            help="Add this pack, rule file, folder or single rule to the bundled rules; may be given several times.",
        ),
        click.option(
            "--only",
            multiple=True,
            metavar="PACK|PATH|RULE-ID",
            help="Apply only this pack, rule file, folder or single rule; may be given several times.",
        ),
        click.option("--profile", metavar="FILE", help="The profile of a payer or practice."),
        click.option(
            "--profiles-root",
            metavar="FOLDER",
            help="The folder that contains all files that --profile names, if not the profile's own.",
        ),
        click.option("--engine", metavar="durable|columnar", help="The engine that judges."),
        fail_on_option("error", "The lowest severity of findings that gives exit status 1."),
        click.option(
            "--strict-edition", is_flag=True, help="Refuse a claim if the codes of its service date are not known."
        ),
        click.option(
            "--waivers",
            metavar="FILE",
            help="Findings that do not apply, and why: a YAML or a CSV file (docs/waivers.md).",
        ),
        click.option(
            "--today",
            metavar="YYYY-MM-DD",
            help="The day of the run, for waivers and for claims without a service date.",
        ),
    )


def about_the_claim(command: _F) -> _F:
    """Add what is known about the encounter. Values stay text: a claim says best what is wrong with them."""
    return _with_options(command, *map(_option_of, FIELDS))


def _option_of(field: Field) -> Callable[[_F], _F]:
    return click.option(field.option, field.name, multiple=field.is_list, metavar=field.metavar, help=field.help)


def _with_options(command: _F, *options: Callable[[_F], _F]) -> _F:
    for option in reversed(options):
        command = option(command)
    return command


def formats_option(*formats: str, about: str) -> Callable[[_F], _F]:
    """Add --format, for text and these formats."""
    choice = click.Choice(["text", *formats])
    return click.option("--format", "as_format", type=choice, default="text", show_default=True, help=about)


format_option = formats_option("json", about="Text for people or JSON for programs.")
findings_format_option = formats_option(
    "json", "fhir", about="Text for people, JSON for programs, or OperationOutcome resources of FHIR."
)


def fail_on_option(default: str, about: str) -> Callable[[_F], _F]:
    """Add --fail-on."""
    choice = click.Choice(["error", "warning", "info", "never"])
    return click.option("--fail-on", type=choice, default=default, show_default=True, help=about)


def hash_ids_option(does: str, but: str = "") -> Callable[[_F], _F]:
    """Add --hash-ids, whose help begins with what it does and ends with what it does not."""
    return click.option(
        "--hash-ids",
        is_flag=True,
        help=f"{does} The key is WEAKCODE_HASH_KEY; without it, a new one each time. {but}".rstrip(),
    )


def texts_by_position(
    arguments: Sequence[str], positions: int, option: str = "--text", what: str = 'TEXT, as in 1="senile debility"'
) -> dict[int, str]:
    """Return documented texts, or what another option gives, by 1-based position from `POSITION=TEXT`."""
    texts: dict[int, str] = {}
    for item in arguments:
        place, equals, text = item.partition("=")
        if not equals or not place.strip().isdecimal() or not 1 <= int(place) <= positions:
            raise InputError(f"{option} {item!r} is not POSITION={what}; positions are 1 to {positions}")
        if int(place) in texts:
            raise InputError(f"{option} is given twice for position {int(place)}; give it once")
        texts[int(place)] = text
    return texts


def severities(findings: Sequence[Finding]) -> list[str]:
    """Return the severity of each finding."""
    return [finding.severity for finding in findings]
