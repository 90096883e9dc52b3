"""Options that say how files of claims are to be read, and what they become."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from weakcode.errors import InputError

if TYPE_CHECKING:
    from weakcode.scrub.read.options import ReadOptions
    from weakcode.scrub.summary import Summary

_F = TypeVar("_F", bound=Callable[..., Any])
_NAMES = ("mapping", "map_file", "date_format", "encoding", "missing", "sheet")


def reading_options(command: _F) -> _F:
    """Add the options; the command gives what it got to `read_options`."""
    for option in reversed(
        (
            click.option(
                "--map",
                "mapping",
                multiple=True,
                metavar="NAME=COLUMN,...",
                help="Which columns of a table hold what, as in id=CLM_ID,codes=ICD_DGNS_CD*,date=CLM_FROM_DT; where a "
                "row is a diagnosis, id=ID,code=DX,sequence=SEQ,codetype=TYPE.",
            ),
            click.option(
                "--map-file",
                metavar="FILE",
                help="A file with the columns: read if it exists, else written with those of --map or, without "
                "--map, those recognized by name.",
            ),
            click.option(
                "--date-format",
                metavar="FORMAT",
                help="How dates that are not ISO are written: MM/DD/YYYY, %d.%m.%Y, excel or sas.",
            ),
            click.option("--encoding", metavar="NAME", help="The encoding of text, such as cp1252 or utf-16."),
            click.option(
                "--missing",
                default="",
                metavar="WORD,...",
                help="Words that stand for no value, beside NA, N/A, NULL, NaN, None, ., ~ and the like.",
            ),
            click.option("--sheet", metavar="NAME", help="The sheet of an Excel workbook; without it, the first."),
        )
    ):
        command = option(command)
    return command


def read_options(options: dict[str, Any]) -> tuple[ReadOptions, str | None]:
    """Take how files are to be read out of a command's options, with the file in which to keep the columns, if any."""
    from weakcode.scrub.read.options import ReadOptions
    from weakcode.scrub.read.tables.mapping import parse_mapping, read_map_file

    values = {name: options.pop(name) for name in _NAMES}
    path = values.pop("map_file")
    mapping: Mapping[str, str] = parse_mapping(values.pop("mapping"))
    keep = path
    if path is not None and Path(path).exists():
        if mapping:
            raise InputError(f"--map-file {path} is there already; give it without --map to read it, or another name")
        mapping, keep = read_map_file(path), None
    return ReadOptions(mapping=mapping or None, **values), keep


def keep_columns(path: str, options: ReadOptions, summary: Summary) -> None:
    """Write the columns that were read into a file for `--map-file`: those mapped, else those known by their names."""
    from weakcode.scrub.read.tables.mapping import SHORT, write_map_file

    if options.mapping is not None:
        write_map_file(path, {SHORT[name]: column for name, column in options.mapping.items()})
        return
    read_columns = [counts.columns for counts in summary.reading.values() if counts.columns]
    if not read_columns:
        raise InputError(f"--map-file {path}: no columns were recognized by their names, so there is nothing to keep")
    columns: dict[str, str] = {}
    for column, part in read_columns[0].items():
        columns[part] = f"{columns[part]}+{column}" if part in columns else column
    write_map_file(path, columns)
