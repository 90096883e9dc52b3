"""Options that put findings into tables and folders."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs
import click

from weakcode.errors import InputError
from weakcode.scrub.write.sinks import MODES

if TYPE_CHECKING:
    from weakcode.scrub.summary import JudgedBy
    from weakcode.scrub.write.sinks import Sink

_F = TypeVar("_F", bound=Callable[..., Any])


@attrs.frozen
class Into:
    """Where findings go beside files, and how they take the place of what is there."""

    db: str | None = None
    into: str | None = None
    into_mode: str | None = None
    partition_by: str | None = None
    rejects_into: str | None = None

    @property
    def joining(self) -> str:
        """What joins the claims of this run with those of earlier ones; the empty text where nothing does."""
        is_folder = self.into is None or self.into.startswith("parquet:")
        return "" if is_folder or self.into_mode not in (None, "upsert") else "--into TABLE (upsert)"

    def check(self, sql: str | None, *, hash_ids: bool) -> None:
        """Raise InputError for options that do not go together."""
        from weakcode.scrub.schema import PERSONAL
        from weakcode.scrub.write.sinks import column_of
        from weakcode.scrub.write.targets import STANDS_ALONE

        alone = self.into is not None and self.into.startswith(STANDS_ALONE)
        if self.db is not None and sql is None and (self.into is None or alone):
            raise InputError("--db needs --sql QUERY to read by, or --into TABLE to write into")
        if self.into is not None and not alone and self.db is None:
            raise InputError(
                "--into TABLE needs --db, or one of the forms duckdb:FILE:TABLE, sqlite:FILE:TABLE and parquet:FOLDER"
            )
        for name, value in (
            ("--into-mode", self.into_mode),
            ("--partition-by", self.partition_by),
            ("--rejects-into", self.rejects_into),
        ):
            if value is not None and self.into is None:
                raise InputError(f"{name} goes with --into, which says where findings go")
        parted = (self.partition_by or "").split(",")
        personal = [name.strip() for name in parted if column_of(name.strip()) in PERSONAL]
        if hash_ids and personal:
            columns = " and ".join(dict.fromkeys(column_of(name).replace("_", " ") for name in personal))
            raise InputError(f"findings have no {columns} with --hash-ids; do not part them by {', '.join(personal)}")

    def sink(self, judged_by: JudgedBy) -> Sink | None:
        """Open what findings go into. Raises InputError where that cannot be done."""
        from weakcode.scrub.write.targets import sink_for

        if self.into is None:
            return None
        return sink_for(
            self.into,
            self.db,
            judged_by.columns(),
            mode=self.into_mode,
            partition_by=self.partition_by,
            rejects=self.rejects_into,
        )


def into_options(command: _F) -> _F:
    """Add the options of `Into`; the command gets them as one, `into`."""
    names = [field.name for field in attrs.fields(Into)]

    @functools.wraps(command)
    def with_into(**options: Any) -> Any:
        return command(into=Into(**{name: options.pop(name) for name in names}), **options)

    for option in (
        click.option(
            "--rejects-into",
            metavar="TABLE",
            help="Write the rejected rows into a table of the database of --into, in the same transaction.",
        ),
        click.option(
            "--partition-by",
            metavar="COLUMN,...",
            help="The columns that partition a folder, or that --into-mode partition replaces by: month, payer, …",
        ),
        click.option(
            "--into-mode",
            type=click.Choice(MODES),
            help="What happens to existing findings: upsert replaces those of the claims that were checked (default "
            "for tables), run those of an earlier run with the same id (default for folders), partition those of the "
            "same partitions; append keeps all, replace none.",
        ),
        click.option(
            "--into",
            metavar="TABLE",
            help="Write the findings into a table of --db, or into duckdb:FILE:TABLE, sqlite:FILE:TABLE or "
            "parquet:FOLDER; all of them, or none.",
        ),
        click.option(
            "--db",
            metavar="URI",
            help="A PostgreSQL database for --sql and --into: postgresql://user@host/name; for --into also any with an "
            "ADBC driver: adbc:DRIVER:ADDRESS (extra sql).",
        ),
    ):
        option(with_into)
    return cast(_F, with_into)
