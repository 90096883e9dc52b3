"""How a scrub ends: its summary and its exit status."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs
import click

from weakcode.cli.claims.scrubtext import summary_text
from weakcode.cli.common.logs import log_option, only_warnings
from weakcode.cli.common.output import say, say_json
from weakcode.cli.common.status import Status

if TYPE_CHECKING:
    from weakcode.cli.claims.into import Into
    from weakcode.cli.common.options import Choice
    from weakcode.scrub.gates import Gate
    from weakcode.scrub.summary import Summary
    from weakcode.scrub.watching import Watcher

_F = TypeVar("_F", bound=Callable[..., Any])


@attrs.frozen
class Reporting:
    """How a run is called, which gates it has, and what is printed of it."""

    run_id: str | None = None
    max_rejects: str | None = None
    max_errors: str | None = None
    quiet: bool = False
    all_rules: bool = False
    metrics: str | None = None
    lineage: str | None = None
    records: str | None = None
    digests: str | None = None
    since: str | None = None

    @property
    def most_rejects(self) -> Gate | None:
        """The gate on rejected rows."""
        return _gate("max-rejects", self.max_rejects)

    @property
    def most_errors(self) -> Gate | None:
        """The gate on claims with an error."""
        return _gate("max-errors", self.max_errors)

    @property
    def gates(self) -> tuple[Gate | None, Gate | None]:
        """Both gates."""
        return self.most_rejects, self.most_errors

    def check(self) -> None:
        """Raise InputError for what cannot be, before anything is read."""
        from weakcode.scrub.runs import RunTime

        assert len(self.gates) == 2
        RunTime.starting(self.run_id)
        if self.quiet:
            only_warnings()

    def watchers(self, inputs: Sequence[str], outputs: Mapping[str | None, bool], into: Into) -> list[Watcher]:
        """Return who is to hear of a run. `outputs` are its files, with whether they are of findings."""
        watchers: list[Watcher] = []
        if self.records is not None:
            from weakcode.scrub.write.runs.records import RunRecords

            watchers.append(RunRecords.of(self.records))
        if self.lineage is None:
            return watchers
        from weakcode.scrub.write.runs.lineage import Dataset, Lineage

        datasets = [Dataset.of(one, is_findings=of) for one, of in outputs.items() if one is not None]
        if into.into is not None:
            datasets.insert(0, Dataset.into(into.into, into.db))
        return [*watchers, Lineage(self.lineage, inputs, datasets)]


def _gate(name: str, text: str | None) -> Gate | None:
    from weakcode.scrub.gates import Gate

    return None if text is None else Gate.of(name, text)


def run_options(command: _F) -> _F:
    """Add the options of `Reporting`; the command gets them as one, `reporting`."""
    names = [field.name for field in attrs.fields(Reporting)]

    @functools.wraps(command)
    def with_reporting(**options: Any) -> Any:
        return command(reporting=Reporting(**{name: options.pop(name) for name in names}), **options)

    for option in (
        log_option,
        click.option(
            "--records",
            metavar="FOLDER",
            help="Keep a record of each run in a folder, from its start: its summary, or why it has none.",
        ),
        click.option(
            "--lineage",
            metavar="FILE",
            help="Append OpenLineage events for the start and end of the run to a file of JSON Lines.",
        ),
        click.option(
            "--since",
            metavar="FILE",
            help="Judge only claims that are new or changed since the run that wrote this file with --digests, and "
            "reuse the findings of the others.",
        ),
        click.option(
            "--digests",
            metavar="FILE",
            help="Write the digests that --since of the next run needs, beside -o FILE.parquet: .parquet.",
        ),
        click.option("--metrics", metavar="FILE", help="Write the counts in the format of OpenMetrics: .prom or .txt."),
        click.option(
            "--all-rules", is_flag=True, help="List every rule in the summary, not only the 20 most frequent."
        ),
        click.option("--quiet", is_flag=True, help="Print only findings and errors."),
        click.option("--max-errors", metavar="N|P%", help="Exit with status 3 if more claims than this have an error."),
        click.option(
            "--max-rejects",
            metavar="N|P%",
            help="Exit with status 3 if more rows than this are rejected; existing output stays unchanged.",
        ),
        click.option("--run-id", metavar="ID", help="The id of the run in all outputs; otherwise one is generated."),
    ):
        option(with_reporting)
    return cast(_F, with_reporting)


def ended(
    result: Summary, choice: Choice, rejects: str | None, as_format: str, reporting: Reporting, *, kept: bool
) -> int:
    """Print the summary and return the exit status."""
    if as_format == "json" and kept:
        if not reporting.quiet:
            say_json(result.to_json())
    elif not reporting.quiet:
        # Printed findings in JSON are for a program; what is for people must not stand between them.
        say(summary_text(result, rejects, all_rules=reporting.all_rules), err=as_format != "text")
    stays = "" if result.is_kept or not kept else "; the output was left as it was"
    if result.over:
        say(f"weakcode: more than {' and '.join(result.over)} allows{stays}", err=True, level="error")
        return Status.GATE
    if result.rejected and not result.evaluated:
        say(f"weakcode: no row could be read as a claim{stays}", err=True, level="error")
        return Status.BAD_INPUT
    if result.unread:
        say(f"weakcode: not read to the end: {'; '.join(result.unread.values())}", err=True, level="error")
        return Status.BAD_INPUT
    fails = choice.fails([name for name, number in result.by_severity.items() if number])
    return Status.FINDINGS if fails else Status.FINE
