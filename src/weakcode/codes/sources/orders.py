"""CMS's and CDC's order files and order addenda: every code and header of a release, and what changed since another.

An order file has a line for each code: its number in the order (columns 1 to 5), the code without its dot (7 to 13),
1 for a billable code or 0 for a header (15), the short title (17 to 76) and the long one (from 78 on). A line of an
addendum says ``Add:``, ``Delete:``, ``Revise from:`` or ``Revise to:``, then 1 or 0 (column 14), code and titles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal

import attrs

from weakcode.codes.normalise import canonical, compact
from weakcode.errors import EditionError

if TYPE_CHECKING:
    from weakcode.codes.edition import Edition

_ROW = re.compile(r"\d{5} [A-Z][0-9A-Z]{2,6} *[01] ")
_CODE = re.compile(r"[A-Z][0-9A-Z]{2,6}")
_ACTIONS = {"Add:": "add", "Delete:": "delete", "Revise from:": "from", "Revise to:": "to"}
_FEWEST = 1000
_SHOWN = 40


@attrs.frozen
class OrderEntry:
    """A compact code or header with its long title; `billable` is False for a header."""

    code: str
    billable: bool
    title: str


@attrs.frozen
class Addendum:
    """What changed from one release to the next. `revised` are the entries with their new titles."""

    added: tuple[OrderEntry, ...]
    deleted: tuple[OrderEntry, ...]
    revised: tuple[OrderEntry, ...]


def kind_of(head: bytes) -> Literal["order", "addenda"] | None:
    """Tell by the first bytes of a file whether it is an order file or an addendum to one."""
    for line in head.decode("utf-8-sig", "replace").splitlines()[:40]:
        if _action(line):
            return "addenda"
        if _ROW.match(line):
            return "order"
    return None


def text_of(content: bytes, where: str) -> str:
    """Return the text of an order file or addendum. Raises EditionError for content that is no text."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    if "\0" in text:
        raise EditionError(f"{where} is not text; give the order file or addenda as CMS publishes them.")
    return text


def is_addendum(text: str) -> bool:
    """Tell an order addendum from other texts by its first line."""
    return _action(next((line for line in text.splitlines() if line.strip()), "")) is not None


def read_order(text: str, where: str = "the file") -> dict[str, OrderEntry]:
    """Return every code and header of an order file, by compact code, in the order of the file.

    Raises EditionError for text that is no order file of a whole release; `where` names it.
    """
    found: dict[str, OrderEntry] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        one = _entry_of(line[6:], code=0, flag=8) if line[:5].isdigit() and line[5:6] == " " else None
        if one is None:
            raise EditionError(
                f"{where}, line {number}: {_shown(line)} is no line of an order file; a line is like"
                ' "00002 A000    1 Cholera due to …". Give CMS\'s order file, such as icd10cm-order-2027.txt.'
            )
        if one.code in found:
            raise EditionError(f"{where}, line {number}: {canonical(one.code)} is there twice; give an unaltered file.")
        if int(line[:5]) != len(found) + 1:
            raise EditionError(
                f"{where}, line {number}: row {line[:5]} where {len(found) + 1:05} comes next; lines are missing, "
                "give the whole file."
            )
        found[one.code] = one
    if sum(one.billable for one in found.values()) < _FEWEST:
        raise EditionError(
            f"{where} has fewer than {_FEWEST:,} billable codes; give the order file of a whole release."
        )
    return found


def read_addendum(text: str, where: str = "the file") -> Addendum:
    """Return what an order addendum adds, deletes and revises. Raises EditionError for text that is none."""
    by_action: dict[str, list[OrderEntry]] = {action: [] for action in _ACTIONS.values()}
    for number, line in enumerate(text.splitlines(), start=1):
        action = _action(line)
        if action is None:
            if any(by_action.values()):
                # After the changes comes a summary in prose.
                continue
            raise _no_addendum(where, number, line)
        one = _entry_of(line[13:], code=2, flag=0)
        if one is None:
            raise _no_addendum(where, number, line)
        by_action[action].append(one)
    if not any(by_action.values()):
        raise EditionError(
            f"{where} changes nothing; give CMS's order addenda, such as icd10cm-order-addenda-2027.txt."
        )
    if [one.code for one in by_action["from"]] != [one.code for one in by_action["to"]]:
        raise EditionError(f'{where} has a "Revise from:" without its "Revise to:"; give an unaltered file.')
    return Addendum(tuple(by_action["add"]), tuple(by_action["delete"]), tuple(by_action["to"]))


def laid_over(
    addendum: Addendum, listed: Mapping[str, OrderEntry], over: str, where: str = "the file"
) -> dict[str, OrderEntry]:
    """Return the codes and headers of the next release: `listed`, those of the release `over`, with the changes made.

    Raises EditionError, naming the code, where a code to delete or to revise is not there and where one to add is.
    """
    laid = dict(listed)
    for one in addendum.deleted:
        entry = laid.get(one.code)
        if entry is None or entry.billable != one.billable:
            raise EditionError(f"{where} deletes {_label(one)}, which {over} does not have; {_OTHER}")
        del laid[one.code]
    for one in addendum.added:
        if one.code in laid:
            raise EditionError(f"{where} adds {_label(one)}, which {over} has already; {_OTHER}")
        laid[one.code] = one
    for one in addendum.revised:
        if one.code not in laid:
            raise EditionError(f"{where} revises {_label(one)}, which {over} does not have; {_OTHER}")
        laid[one.code] = one
    return dict(sorted(laid.items()))


def listed_in(edition: Edition) -> dict[str, OrderEntry]:
    """Return the codes and headers of an edition, as its order file lists them."""
    billable = edition.billable_ids
    found = {compact(code): OrderEntry(compact(code), True, title) for code, title in edition.titled_codes(billable)}
    for place in edition.titled():
        name = compact(place.name)
        if name in found or place.kind in ("chapter", "section"):
            continue
        title = edition.title(name)
        if title is not None:
            found[name] = OrderEntry(name, False, title)
    return dict(sorted(found.items()))


_OTHER = "give the addenda of the release that follows it."


def _label(one: OrderEntry) -> str:
    return f"the {'code' if one.billable else 'header'} {canonical(one.code)}"


def _action(line: str) -> str | None:
    return next((action for word, action in _ACTIONS.items() if line.startswith(word)), None)


def _entry_of(rest: str, *, code: int, flag: int) -> OrderEntry | None:
    """Read what a line says of a code; both kinds have short and long title at the same columns of `rest`."""
    name = rest[code : code + 7].strip()
    if rest[flag : flag + 1] not in ("0", "1") or not _CODE.fullmatch(name):
        return None
    return OrderEntry(name, rest[flag] == "1", rest[71:].strip() or rest[10:70].strip())


def _no_addendum(where: str, number: int, line: str) -> EditionError:
    return EditionError(
        f"{where}, line {number}: {_shown(line)} is no line of an order addendum; a line is like"
        ' "Add:         1 C7831   Secondary …". Give CMS\'s order addenda, such as icd10cm-order-addenda-2027.txt.'
    )


def _shown(line: str) -> str:
    line = " ".join(line.split())
    return f'"{line[:_SHOWN]}{"…" * (len(line) > _SHOWN)}"'


def order_text(listed: Mapping[str, OrderEntry]) -> str:
    """Return the text of an order file with these codes and headers; `read_order` gives them back."""
    return "".join(_lines(listed))


def _lines(listed: Mapping[str, OrderEntry]) -> Iterator[str]:
    for number, one in enumerate(listed.values(), start=1):
        yield f"{number:05} {one.code:<7} {int(one.billable)} {one.title[:60]:<60} {one.title}\n"
