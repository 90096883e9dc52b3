"""The billable codes of every day since ICD-10-CM came into use, with Medicare's edit flags: facts that are shipped.

`data/codes.txt.xz` is made by `tools/code_table.py` from files of CDC and CMS. Its lines are fields parted
by tabs: ``release`` and the first day of a code set; ``last`` and the last day known; ``history``, its number, and
spells of days with the flags on them; ``codes`` and every compact code, ``lives`` and the number of the history of
each, both parted by blanks; ``name``, a code and its title where the bundled Tabular List has none (empty where no
source tells it); ``header`` and ``title``, see `CodeTable`.
"""

from __future__ import annotations

import hashlib
import lzma
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain
from typing import TYPE_CHECKING

import attrs

from weakcode.base.lazy import lazy
from weakcode.codes.keys import pack_keys

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PLACE = "data/codes.txt.xz"
ALWAYS, FOREVER = date.min, date.max


@attrs.frozen
class Spell:
    """Days, both included, on which a code is billable without a change of its flags."""

    starts: date
    ends: date
    flags: frozenset[str] = frozenset()


History = tuple[Spell, ...]


@attrs.frozen
class DatedTitle:
    """A title that a code has on some days, both included."""

    starts: date
    ends: date
    title: str


@attrs.frozen(eq=False, slots=False)
class CodeTable:
    """Every code of any day.

    `releases` are the first days of the code sets, `last` is the last day known. `histories` are the distinct lives of
    codes, `names` all compact codes, `lives` the number of the history of each. `titles` are those of codes that the
    bundled Tabular List does not have, `headers` those of headers above them; `retitled` has the titles that codes had
    or have on days on which they differ from those of the bundled list, oldest first.
    """

    releases: tuple[date, ...]
    last: date
    histories: tuple[History, ...]
    names: Sequence[str]
    lives: Sequence[int]
    titles: Mapping[str, str]
    headers: Mapping[str, str]
    retitled: Mapping[str, tuple[DatedTitle, ...]]

    @lazy
    def codes(self) -> Mapping[str, int]:
        """The number of the history of each compact code."""
        return dict(zip(self.names, self.lives, strict=True))

    @lazy
    def keys(self) -> NDArray[np.uint64]:
        """The codes of `names` as `keys.pack_key` has them."""
        import numpy as np

        return np.array(pack_keys(self.names))

    def on(self, day: date) -> frozenset[str]:
        """Return the compact codes that are billable on a day."""
        is_valid = [any(spell.starts <= day <= spell.ends for spell in history) for history in self.histories]
        return frozenset(code for code, number in self.codes.items() if is_valid[number])


def content() -> bytes:
    """Return the shipped file."""
    return files("weakcode.codes").joinpath(PLACE).read_bytes()


@cache
def digest() -> str:
    """Return a digest of the shipped file."""
    return hashlib.blake2b(content(), digest_size=16).hexdigest()


@lru_cache(maxsize=1)
def table() -> CodeTable:
    """Return the shipped table."""
    return read(lzma.decompress(content()).decode())


def read(text: str) -> CodeTable:
    """Return the table in a text as `table_text` makes it."""
    releases: list[date] = []
    last = FOREVER
    histories: list[History] = []
    codes: list[str] = []
    lives: list[int] = []
    titles: dict[str, str] = {}
    headers: dict[str, str] = {}
    retitled: dict[str, list[DatedTitle]] = {}
    for line in text.splitlines():
        kind, *fields = line.split("\t")
        if kind == "codes":
            codes = fields[0].split()
        elif kind == "lives":
            lives = list(map(int, fields[0].split()))
        elif kind == "name":
            titles[fields[0]] = fields[1]
        elif kind == "header":
            headers[fields[0]] = fields[1]
        elif kind == "title":
            starts, ends = map(date.fromisoformat, fields[1:3])
            retitled.setdefault(fields[0], []).append(DatedTitle(starts, ends, fields[3]))
        elif kind == "history":
            histories.append(tuple(map(_spell, fields[1:])))
        elif kind == "release":
            releases.append(date.fromisoformat(fields[0]))
        elif kind == "last":
            last = date.fromisoformat(fields[0])
    return CodeTable(
        tuple(releases),
        last,
        tuple(histories),
        codes,
        lives,
        titles,
        headers,
        {code: tuple(known) for code, known in retitled.items()},
    )


def _spell(text: str) -> Spell:
    starts, ends, *flags = text.split()
    return Spell(date.fromisoformat(starts), date.fromisoformat(ends), frozenset(flags))


def table_text(table: CodeTable) -> str:
    """Return a table as text."""
    lines = [f"release\t{day}" for day in table.releases] + [f"last\t{table.last}"]
    for number, history in enumerate(table.histories):
        spells = (" ".join([str(one.starts), str(one.ends), *sorted(one.flags)]) for one in history)
        lines.append("\t".join(["history", str(number), *spells]))
    lines += [f"codes\t{' '.join(table.names)}", f"lives\t{' '.join(map(str, table.lives))}"]
    lines += [f"name\t{code}\t{title}" for code, title in table.titles.items()]
    lines += [f"header\t{code}\t{title}" for code, title in table.headers.items()]
    for code, known in table.retitled.items():
        lines += [f"title\t{code}\t{one.starts}\t{one.ends}\t{one.title}" for one in known]
    return "\n".join([*lines, ""])


@lru_cache(maxsize=64)
def flagged(flag: str, day: date) -> frozenset[str]:
    """Return the compact codes that have a flag of the Medicare Code Editor on a day.

    Also codes that are not billable on that day and have it on the nearest day on which they are, so that a set changes
    only when Medicare's list does.
    """
    known = _codes_by_history()
    return frozenset(chain.from_iterable(known[number] for number in having(flag, day)))


@lru_cache(maxsize=64)
def last_flagged(flag: str) -> date:
    """Return the last day on which any code has a flag; `FOREVER` for one that codes have on the last day known.

    For an edit that CMS has ended that is its last day.
    """
    known = table()
    days = [spell.ends for history in known.histories for spell in history if flag in spell.flags]
    return FOREVER if not days or max(days) == known.last else max(days)


@lru_cache(maxsize=1)
def _codes_by_history() -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for code, number in table().codes.items():
        found.setdefault(number, []).append(code)
    return found


@lru_cache(maxsize=64)
def _ever_having(flag: str) -> dict[int, History]:
    """Return the histories, by number, whose codes have a flag on some day."""
    return {
        number: history
        for number, history in enumerate(table().histories)
        if any(flag in spell.flags for spell in history)
    }


@lru_cache(maxsize=256)
def having(flag: str, day: date) -> tuple[int, ...]:
    """Return the histories whose codes have a flag on a day, or on the nearest on which they are billable."""
    return tuple(number for number, history in _ever_having(flag).items() if flag in _nearest(history, day).flags)


def _nearest(history: History, day: date) -> Spell:
    if len(history) == 1:
        return history[0]
    return min(history, key=lambda spell: max((spell.starts - day).days, (day - spell.ends).days, 0))


@lru_cache(maxsize=64)
def changes(flag: str) -> tuple[date, ...]:
    """Return the days on which the codes of a flag changed, the first day of all first."""
    first, *others = table().releases
    found = [first]
    for before, day in zip((first, *others), others, strict=False):
        if having(flag, before) != having(flag, day):
            found.append(day)
    return tuple(found)
