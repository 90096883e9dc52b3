"""A file of the page scrubbed in the background: what is asked of the reading, and what is said of how far it is."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import orjson

from weakcode.claims import Claim
from weakcode.errors import InputError, WeakcodeError
from weakcode.scrub.read.options import ReadOptions
from weakcode.scrub.read.tables.mapping import checked_mapping, parse_mapping
from weakcode.serve.files.columns import columns_of
from weakcode.serve.problems import ProblemError
from weakcode.validator import Validator

GIVEN = "given-file"
"""How the file that was given is called in its folder, before its ending: as nothing else is in any message."""
_SHOWN_EVERY = 0.5
_NOT_FOUND = {
    "there is no column claim_id and no column codes (or dx1, dx2, …)": "no column is known as the claim's number, and "
    "none as its diagnosis codes",
    "there is no column claim_id": "no column is known as the claim's number",
    "there is no column codes (or dx1, dx2, …)": "no column is known as the diagnosis codes",
}
_OF_COMMANDS = re.compile(r"; --(?:map|date-format|encoding|sheet)\b[^;]*")


def _mapping(value: Any) -> dict[str, str] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InputError("the columns are an object of names by part of a claim")
    return checked_mapping(value)


@attrs.frozen
class FileReading:
    """How a file is to be read, where whoever sent it says so. Raises InputError for columns that cannot be."""

    columns: dict[str, str] | None = attrs.field(default=None, converter=_mapping)
    sheet: str | None = None
    date_format: str | None = None
    encoding: str | None = None

    def options(self) -> ReadOptions:
        """Return the same for a reader."""
        return ReadOptions(mapping=self.columns, sheet=self.sheet, date_format=self.date_format, encoding=self.encoding)


def asked_of(query: Mapping[str, str]) -> FileReading:
    """Return what the query of a request says: `map` as --map has it or as an object, `sheet` and others."""
    mapping = query.get("map")
    try:
        columns = None if not mapping else json.loads(mapping) if mapping.startswith("{") else parse_mapping([mapping])
        asked = FileReading(columns, *(query.get(name) or None for name in ("sheet", "date_format", "encoding")))
        asked.options()
    except (WeakcodeError, ValueError) as error:
        raise ProblemError(422, str(error) if isinstance(error, WeakcodeError) else "map is no JSON object") from None
    return asked


def say(folder: Path, state: dict[str, Any]) -> None:
    """Write the state in one step, so that whoever reads it finds it whole."""
    part = folder / f"state.{secrets.token_hex(4)}"
    part.write_bytes(orjson.dumps(state))
    part.chmod(0o600)
    part.replace(folder / "state.json")


def summary_of(folder: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads((folder / "state.json").read_bytes())
    except (OSError, ValueError):
        return {"state": "reading"}
    return state


def scrub(folder: Path, name: str, size: int, validator: Validator, asked: FileReading) -> None:
    """Scrub the file of a folder; what comes of it, or what was wrong, is the state of the folder."""
    source = next(folder.glob(f"{GIVEN}*"))
    columns: dict[str, Any] = {}
    try:
        options = asked.options()
        columns = columns_of(source, options).to_dict()
        summary = _run(folder, source, validator, options, _Progress(folder, name, size))
        outcome = json.loads(_named(summary, source, json.dumps(name)[1:-1]))
        outcome.pop("inputs", None)
        say(folder, {"state": "done", "name": name, "size": size, "summary": outcome, **columns})
    except WeakcodeError as error:
        problem = in_the_pages_words(_named(str(error), source, name))
        say(folder, {"state": "failed", "name": name, "size": size, "problem": problem, **columns})
    except Exception as error:
        problem = f"something went wrong inside weakcode ({type(error).__name__})"
        say(folder, {"state": "failed", "name": name, "size": size, "problem": problem, **columns})


class _Progress:
    """Says how far the reading is, now and then."""

    def __init__(self, folder: Path, name: str, size: int) -> None:
        self._folder, self._about = folder, {"state": "reading", "name": name, "size": size}
        self._last_shown = time.monotonic()

    def __call__(self, read: int, claims: int, findings: int) -> None:
        if time.monotonic() - self._last_shown > _SHOWN_EVERY:
            self._last_shown = time.monotonic()
            say(self._folder, {**self._about, "read": read, "claims": claims})


def _run(folder: Path, source: Path, validator: Validator, options: ReadOptions, progress: _Progress) -> str:
    """Scrub a file into its folder and return the summary as JSON. Raises WeakcodeError where nothing is a claim."""
    from weakcode.scrub.run import Plan
    from weakcode.scrub.summary import JudgedBy

    for name in ("findings.parquet", "rejects.csv", "summary.json", "read.parquet"):
        (folder / name).unlink(missing_ok=True)
    summary = Plan(
        [source],
        validator,
        output=folder / "findings.parquet",
        rejects=folder / "rejects.csv",
        summary=folder / "summary.json",
        # A scrub writes claims out again only as mended ones. With a mend that changes nothing these are the claims as
        # they were read, which the work list shows and opens.
        fixed=folder / "read.parquet",
        mend=_unchanged,
        progress=progress,
        options=options,
        columns=validator.columns(),
        judged_by=JudgedBy.of(validator),
        waivers=validator.waivers,
    ).run()
    if not (folder / "findings.parquet").exists():
        first = "; ".join(f"{where}: {part}" for where, part in summary.first_rejected[:1])
        raise WeakcodeError(f"no row of the file is a claim{': ' + first if first else ''}")
    return summary.to_json()


def _unchanged(claim: Claim) -> Claim:
    return claim


def in_the_pages_words(words: str) -> str:
    """Return an error's words without what only the command line can do; the page shows the columns beside them."""
    for text, instead in _NOT_FOUND.items():
        words = words.replace(text, instead)
    return _OF_COMMANDS.sub("", words)


def _named(words: str, source: Path, name: str) -> str:
    """Return words with the name that the file came with, and no path of this machine."""
    return words.replace(str(source), name).replace(source.name, name).replace(str(source.parent), "")
