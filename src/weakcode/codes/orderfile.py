"""CMS's order file of a release, and its addendum: every code with its title, and whether it is billable.

Both are text in fixed columns. A line that does not fit is an error with its number, never passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import attrs

from weakcode.codes.normalise import canonical
from weakcode.errors import EditionError

Action = Literal["add", "delete", "revise from", "revise to"]

_ORDER = re.compile(r"(?P<number>\d{5}) (?P<code>[A-Z][0-9A-Z]{2,6}) *(?P<flag>[01]) (?P<titles>\S.*)")
_CHANGE = re.compile(
    r"(?P<action>Add|Delete|Revise from|Revise to): *(?P<flag>[01]) (?P<code>[A-Z][0-9A-Z]{2,6}) +(?P<titles>\S.*)"
)
_COUNTS = re.compile(r"\s*(?:Codes|Headers|of which|[0-9][0-9,]* [a-z].*)")
_SHORT = 60
_MOST_SHOWN = 40


@attrs.frozen
class OrderRow:
    """One code of an order file; `code` is compact, `line` counts from 1."""

    code: str
    billable: bool
    title: str
    line: int


@attrs.frozen
class OrderChange:
    """One line of an addendum: what becomes of `code` (compact); `line` counts from 1."""

    action: Action
    code: str
    billable: bool
    title: str
    line: int


def looks_like(head: bytes) -> Literal["order", "addenda"] | None:
    """Tell by the first bytes of a file whether it is an order file or an addendum to one."""
    for line in head.decode("utf-8-sig", "replace").splitlines()[:40]:
        if _ORDER.match(line):
            return "order"
        if _CHANGE.match(line):
            return "addenda"
    return None


def read_order(content: bytes, where: str) -> tuple[OrderRow, ...]:
    """Return the rows of an order file, in its order. `where` names the file in errors.

    Raises EditionError, with the line, for anything that is not a whole order file.
    """
    rows: list[OrderRow] = []
    seen: dict[str, int] = {}
    for number, line in _lines(content, where):
        found = _ORDER.fullmatch(line)
        if found is None:
            raise EditionError(
                f"{where}, line {number}: not a row of an order file ({_shown(line)}); a row has a number of five "
                "digits, the code, 1 or 0 for billable, and titles"
            )
        code = found["code"]
        if code in seen:
            raise EditionError(f"{where}, line {number}: {canonical(code)} stands on line {seen[code]} already.")
        seen[code] = number
        if int(found["number"]) != len(rows) + 1:
            raise EditionError(
                f"{where}, line {number}: row {found['number']} where {len(rows) + 1:05} comes next; "
                "lines are missing, fetch it again."
            )
        rows.append(OrderRow(code, found["flag"] == "1", _title(found["titles"]), number))
    if not any(row.billable for row in rows):
        raise EditionError(f"{where} holds no billable code; give the order file as CMS publishes it.")
    return tuple(rows)


def read_addenda(content: bytes, where: str) -> tuple[OrderChange, ...]:
    """Return the changes of an addendum, in its order. `where` names the file in errors.

    Raises EditionError, with the line, for anything that is neither a change nor one of the counts at its end.
    """
    changes: list[OrderChange] = []
    for number, line in _lines(content, where):
        found = _CHANGE.fullmatch(line)
        if found is not None:
            action: Action = found["action"].lower()  # type: ignore[assignment]
            changes.append(OrderChange(action, found["code"], found["flag"] == "1", _title(found["titles"]), number))
        elif not _COUNTS.fullmatch(line):
            raise EditionError(
                f"{where}, line {number}: not a change ({_shown(line)}); a change begins with Add:, Delete:, "
                "Revise from: or Revise to:, and has 1 or 0 for billable, the code and titles"
            )
    if not changes:
        raise EditionError(f"{where} holds no change; give the order addendum as CMS publishes it.")
    return tuple(changes)


def _lines(content: bytes, where: str) -> Iterator[tuple[int, str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    if "\0" in text:
        raise EditionError(f"{where} is not text; give the order file or addendum as CMS publishes it.")
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield number, line.rstrip()


def _title(titles: str) -> str:
    """The short title has 60 characters and a blank after it; the rest is the long one."""
    return titles[_SHORT + 1 :].strip() or titles[:_SHORT].strip()


def _shown(line: str) -> str:
    line = line.strip()
    return f'"{line[:_MOST_SHOWN]}{"…" if len(line) > _MOST_SHOWN else ""}"'
