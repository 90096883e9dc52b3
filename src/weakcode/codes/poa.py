"""Which codes are exempt from present-on-admission indicators, and which are hospital-acquired conditions: by day.

`data/poa.txt.xz` is made by `tools/poa_table.py` from CDC's list and CMS's grouper. Its lines are fields parted by
tabs: ``exempt``, the first and the last day (empty where it is not over) and compact codes; ``hac``, the number of the
condition, the first day from which its codes are these, and compact codes.
"""

from __future__ import annotations

import hashlib
import lzma
from datetime import date
from functools import cache
from importlib.resources import files
from itertools import chain

PLACE = "data/poa.txt.xz"
EXEMPT, ACQUIRED = "exempt", "hac"


@cache
def _content() -> bytes:
    return files("weakcode.codes").joinpath(PLACE).read_bytes()


@cache
def digest() -> str:
    """Return a digest of the shipped file."""
    return hashlib.blake2b(_content(), digest_size=16).hexdigest()


@cache
def _spells() -> dict[str, tuple[tuple[date, date, tuple[str, ...]], ...]]:
    """Return first and last day and codes of each line, of codes that are exempt and of acquired conditions."""
    exempt: list[tuple[date, date, tuple[str, ...]]] = []
    starts: dict[str, list[tuple[date, tuple[str, ...]]]] = {}
    for line in lzma.decompress(_content()).decode().splitlines():
        kind, first, second, codes = line.split("\t")
        if kind == EXEMPT:
            last = date.fromisoformat(second) if second else date.max
            exempt.append((date.fromisoformat(first), last, tuple(codes.split())))
        else:
            starts.setdefault(first, []).append((date.fromisoformat(second), tuple(codes.split())))
    acquired = []
    for of_number in starts.values():
        ends = [day for day, _ in of_number[1:]]
        for (first_day, codes_), after in zip(of_number, [*ends, None], strict=True):
            last = date.fromordinal(after.toordinal() - 1) if after else date.max
            acquired.append((first_day, last, codes_))
    return {EXEMPT: tuple(exempt), ACQUIRED: tuple(acquired)}


@cache
def on(kind: str, day: date) -> frozenset[str]:
    """Return the compact codes of a kind on a day; on a day before the first that is known, those of that day."""
    return frozenset(chain.from_iterable(lists_on(kind, day)))


def lists_on(kind: str, day: date) -> tuple[tuple[str, ...], ...]:
    """Return the codes of `on` as the lists that they are kept in."""
    spells = _spells()[kind]
    asked = max(day, min(first for first, _, _ in spells))
    return tuple(codes for first, last, codes in spells if first <= asked <= last)


@cache
def changes(kind: str) -> tuple[date, ...]:
    """Return the days from which on the codes of a kind are others, the first day known first."""
    days = {first for first, _, _ in _spells()[kind]}
    days |= {date.fromordinal(last.toordinal() + 1) for _, last, _ in _spells()[kind] if last < date.max}
    return tuple(sorted(days))
