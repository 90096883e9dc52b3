"""weakcode policies: the coverage policies that were installed, from CMS's files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from weakcode.cli.common import text
from weakcode.cli.common.options import format_option
from weakcode.cli.common.output import say, say_json
from weakcode.fields.parsers import parse_date

if TYPE_CHECKING:
    from weakcode.coverage.policies import CodeGroup, Policy, PolicyFile

_SHOWN = 20


@click.group("policies", short_help="Add, list, show and compare coverage policies.")
def command() -> None:
    """Add, list, show and compare coverage policies: the diagnoses for which a payer covers a procedure.

    They come from CMS's Medicare Coverage Database, whose downloads users install themselves; a profile assigns them to
    payers.
    """


@command.command("add")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--date", "day", metavar="YYYY-MM-DD", help="The day of the file, if the file does not say.")
def add(file: Path, day: str | None) -> int:
    """Install a zip of the Medicare Coverage Database: articles, LCDs or NCDs, as CMS publishes it.

    \b
    weakcode policies add current_article_csv.zip
    """
    from weakcode.cli.common.running import working
    from weakcode.coverage import installed

    with working("reading the policies"):
        files = list(installed.add(file, parse_date(day)))
    for added in files:
        say(f"{'Replaced' if added.replaced else 'Installed'} {added.file.name}: {_counts(added.file)}.")
        for sentence in _unknown(added.file):
            say(text.wrapped(f"Note: {sentence}.", indent=""))
    return 0


def _counts(file: PolicyFile) -> str:
    covered = len(file.members)
    return (
        f"{text.counted(len(file.policies), 'policy', 'policies')}, "
        f"{text.counted(len(file.procedures), 'procedure')}, {text.counted(covered, 'diagnosis code')} in lists"
    )


def _unknown(file: PolicyFile) -> list[str]:
    """Say what is not known because a table or column is not in the file."""
    sentences = []
    absent = file.meta["absent"]
    if file.kind == "ncd":
        sentences.append("it has no codes: NCDs name procedures and diagnoses in their words only")
    elif absent:
        sentences.append(f"it lacks {', '.join(absent)}; what these tell is not known")
    if file.meta["orphans"]:
        rows = text.counted(file.meta["orphans"], "row")
        sentences.append(f"{rows} of policies that it does not have were left out")
    if file.meta.get("unread"):
        codes, were = text.counted(file.meta["unread"], "code"), "was" if file.meta["unread"] == 1 else "were"
        sentences.append(f"{codes} in its lists could not be read and {were} left out")
    retired = sum(policy.is_retired for policy in file.policies)
    if retired:
        are = "1 policy is retired and does" if retired == 1 else f"{retired:,} policies are retired and do"
        sentences.append(f"{are} not say since when (status R, no end date); no line is judged by such a one")
    silent = sum(not policy.is_judged for policy in file.policies)
    if silent and file.kind != "ncd":
        their, are = ("its", "it covers") if silent == 1 else ("their", "they cover")
        sentences.append(
            f"{text.counted(silent, 'policy has', 'policies have')} no list of diagnosis codes; only {their} words say "
            f"what {are}, and no line is judged by {'it' if silent == 1 else 'them'}"
        )
    return sentences


@command.command("list")
@format_option
def list_policies(as_format: str) -> int:
    """List the installed files with their days, their contents and what they lack."""
    from weakcode.coverage import installed

    files = installed.all_opened()
    if as_format == "json":
        say_json(json.dumps([_file_json(file) for file in files], indent=2, ensure_ascii=False))
        return 0
    if not files:
        say("No policies are installed; weakcode policies add FILE installs a download of CMS's.")
    for file in files:
        say(f"{file.name}  {_counts(file)}  ({file.meta['file']})")
        for sentence in _unknown(file):
            say(text.wrapped(f"{sentence}.", indent="  "))
    return 0


def _file_json(file: PolicyFile) -> dict[str, Any]:
    return {
        "name": file.name,
        "kind": file.kind,
        "date": file.day.isoformat(),
        "file": file.meta["file"],
        "sha256": file.meta["sha256"],
        "policies": len(file.policies),
        "procedures": len(file.procedures),
        "codes_in_lists": len(file.members),
        "contractors": [
            {"number": number, "name": name, "states": [*states]} for number, name, states, _ in file.contractors
        ],
        "unknown": _unknown(file),
    }


@command.command("show")
@click.argument("name", metavar="NAME")
@format_option
def show(name: str, as_format: str) -> int:
    """Show an installed file by its name, or a policy by its id, such as A57703, with its procedures and codes."""
    from weakcode.coverage import installed
    from weakcode.coverage.policies import Policies
    from weakcode.errors import UnknownNameError, did_you_mean

    if name in installed.names():
        file = installed.opened(name)
        if as_format == "json":
            values = _file_json(file) | {"list": [_policy_json(policy) for policy in file.policies]}
            say_json(json.dumps(values, indent=2, ensure_ascii=False))
        else:
            say(f"{click.style(file.name, bold=True)}  {_counts(file)}  ({file.meta['file']})")
            for policy in file.policies:
                say(f"{policy.id}  version {policy.version}  {_in_force(policy)}  {policy.title}")
        return 0
    versions = Policies(installed.all_opened()).versions
    policy_id = name.strip().upper()
    if policy_id not in versions:
        hint = did_you_mean(policy_id, versions) or "; weakcode policies list shows what is installed"
        raise UnknownNameError(f'no policy "{name}" is installed{hint}')
    if as_format == "json":
        values_of = [_policy_json(policy, whole=True) for policy in versions[policy_id]]
        say_json(json.dumps(values_of, indent=2, ensure_ascii=False))
    else:
        say("\n\n".join(_policy_text(policy) for policy in versions[policy_id]))
    return 0


def _in_force(policy: Policy) -> str:
    if policy.is_retired:
        return f"{policy.starts or 'ever'} to a day that is not told: retired"
    return f"{policy.starts or 'ever'} to {policy.ends or 'further notice'}"


def _policy_json(policy: Policy, *, whole: bool = False) -> dict[str, Any]:
    values: dict[str, Any] = {
        "id": policy.id,
        "version": policy.version,
        "title": policy.title,
        "status": policy.status,
        "from": policy.starts and policy.starts.isoformat(),
        "to": policy.ends and policy.ends.isoformat(),
        "file": policy.file.name,
    }
    if whole:
        values["procedures"] = {name: [*groups] for name, groups in sorted(policy.procedures.items())}
        for kind, groups in (("covered", policy.covered), ("excluded", policy.excluded)):
            values[kind] = [_group_json(group) for group in groups]
    return values


def _group_json(group: CodeGroup) -> dict[str, Any]:
    values = {"group": group.number, "codes": sorted(group.codes), "paragraph": group.paragraph}
    return values | ({"asterisk": group.meaning, "starred": sorted(group.starred)} if group.starred else {})


def _policy_text(policy: Policy) -> str:
    lines = [
        f"{click.style(f'{policy.id}, version {policy.version}', bold=True)}  {policy.title}",
        f"In force: {_in_force(policy)}. From {policy.file.name}.",
        text.wrapped(f"Procedures: {_names_text(sorted(policy.procedures))}.", indent=""),
    ]
    for what, groups in (("Covers", policy.covered), ("Does not cover", policy.excluded)):
        for group in groups:
            lines.append(text.wrapped(f"{what}, group {group.number}: {_names_text(sorted(group.codes))}.", indent=""))
            if group.words:
                lines.append(text.wrapped(f'"{group.words}"', indent="  "))
    if not policy.is_judged:
        lines.append("It has no list of diagnosis codes; only its words say what it covers.")
    return "\n".join(lines)


def _names_text(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return (", ".join(names[:_SHOWN]) + more) or "none that is known"


@command.command("diff")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@format_option
def diff(before: str, after: str, as_format: str) -> int:
    """Show what changed from one installed file to another: policies, and the procedures and codes of each."""
    from weakcode.coverage import installed
    from weakcode.coverage.changes import changes

    found = changes(installed.opened(before), installed.opened(after))
    if as_format == "json":
        say_json(json.dumps(found.to_dict(), indent=2, ensure_ascii=False))
        return 0
    say(
        f"{before} to {after}: {text.counted(len(found.added), 'policy', 'policies')} added, {len(found.removed):,} "
        f"removed, {len(found.changed):,} changed."
    )
    for what, ids in (("Added", found.added), ("Removed", found.removed)):
        if ids:
            say(text.wrapped(f"{what}: {_names_text(ids)}.", indent=""))
    for one in found.changed[:_SHOWN]:
        say(text.wrapped(f"{one.id}: {'; '.join(_changed(one.to_dict()))}.", indent=""))
    if len(found.changed) > _SHOWN:
        say(f"… and {len(found.changed) - _SHOWN:,} more; --format json has all.")
    return 0


def _changed(values: dict[str, Any]) -> Iterable[str]:
    yield f"version {values['from']} to {values['to']}"
    for key in ("procedures_added", "procedures_removed", "covered_added", "covered_removed"):
        if values[key]:
            what, _, how = key.partition("_")
            yield f"{what} {how} {_names_text(values[key])}"
    for key in ("excluded_added", "excluded_removed"):
        if values[key]:
            yield f"codes not covered {key.partition('_')[2]} {_names_text(values[key])}"


@command.command("remove")
@click.argument("name", metavar="NAME")
def remove(name: str) -> int:
    """Remove an installed file."""
    from weakcode.coverage import installed

    installed.remove(name)
    say(f"Removed {name}.")
    return 0
