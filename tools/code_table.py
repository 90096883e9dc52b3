"""Makes src/weakcode/codes/data/codes.txt.xz, the table of codes, from the files that CDC and CMS publish.

    python tools/code_table.py FILE-OR-FOLDER... [--output FILE]

What a file is, is told by its content: CMS's list of the codes of the Medicare Code Editor as CSV (code, start_date,
end_date, flags parted by `|`), exactly one; order files, whose names have their fiscal year; and order addenda,
which lead from the year before to that in their names. Files may be packed with xz; others in a folder are passed over.
"""

from __future__ import annotations

import argparse
import csv
import io
import lzma
import re
import sys
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path

import attrs

from weakcode.codes import catalog
from weakcode.codes.sources import orders
from weakcode.codes.sources.orders import OrderEntry, is_addendum, laid_over, read_addendum, read_order
from weakcode.codes.sources.tabular import Tabular, read_tabular
from weakcode.codes.table import ALWAYS, FOREVER, PLACE, CodeTable, DatedTitle, History, Spell, table_text
from weakcode.errors import EditionError

TARGET = Path(__file__).parents[1] / "src" / "weakcode" / "codes" / PLACE
FLAGS = "code,start_date,end_date,flags"
ORDER = re.compile(r"[0-9]{5} [A-Z0-9]{3,7} +[01] ")


def text_of(path: Path) -> str:
    """Return the text of a file, unpacked; nothing for what is no text, such as a PDF."""
    content = path.read_bytes()
    try:
        return orders.text_of(lzma.decompress(content) if path.suffix == ".xz" else content, path.name)
    except EditionError:
        return ""


def histories(flags: str) -> dict[str, History]:
    """Return the life of each code by CMS's list."""
    spells: dict[str, list[Spell]] = {}
    for row in csv.DictReader(io.StringIO(flags)):
        starts, ends = (date.fromisoformat(row[name]) for name in ("start_date", "end_date"))
        spell = Spell(starts, ends, frozenset(filter(None, row["flags"].split("|"))))
        spells.setdefault(row["code"], []).append(spell)
    return {code: tuple(sorted(spells[code], key=lambda spell: spell.starts)) for code in sorted(spells)}


def names_in(tabular: Tabular) -> tuple[set[str], set[str]]:
    """Return the compact billable codes of a Tabular List, and its headers."""
    codes: set[str] = set()
    headers: set[str] = set()
    for name, node in tabular.places.items():
        codes |= {name.ljust(6, "X") + seventh for seventh in node.seventh or ()}
        (headers if node.children or node.seventh else codes).add(name)
    return codes, headers


def retitled(years: Mapping[int, Mapping[str, OrderEntry]], bundled: int) -> dict[str, tuple[DatedTitle, ...]]:
    """Return the titles by day of codes whose title changed from one of the years to the next."""
    found: dict[str, list[DatedTitle]] = {}
    ordered = sorted(years)
    for year, after in pairwise(ordered):
        for code, one in years[year].items():
            later = years[after].get(code)
            if later is None or not (one.billable and later.billable) or one.title == later.title:
                continue
            if year < bundled:
                found.setdefault(code, []).append(DatedTitle(ALWAYS, date(year, 9, 30), one.title))
            else:
                found.setdefault(code, []).append(DatedTitle(date(year, 10, 1), FOREVER, later.title))
    return {code: tuple(found[code]) for code in sorted(found)}


def make(flags: str, years: Mapping[int, Mapping[str, OrderEntry]], bundled: int, tabular: Tabular) -> CodeTable:
    """Return the table. `tabular` is the bundled list, which is of the fiscal year `bundled`."""
    listed, headers = names_in(tabular)
    lives = histories(flags)
    numbers: dict[History, int] = {}
    codes = {code: numbers.setdefault(life, len(numbers)) for code, life in lives.items()}
    newest_first = [years[year] for year in sorted(years, reverse=True)]

    def title(code: str, *, billable: bool = True) -> str:
        # A header's title is not taken for that of a code of the same name: it may have had another.
        found = (one[code].title for one in newest_first if code in one and one[code].billable is billable)
        return next(found, "")

    extra = [code for code in codes if code not in listed]
    above = {code[:size] for code in extra for size in range(3, len(code))} - headers - codes.keys()
    return CodeTable(
        releases=tuple(sorted({spell.starts for life in lives.values() for spell in life})),
        last=max(spell.ends for life in lives.values() for spell in life),
        histories=tuple(numbers),
        names=list(codes),
        lives=list(codes.values()),
        titles={code: title(code) for code in extra},
        headers={code: name for code in sorted(above) if (name := title(code, billable=False))},
        retitled=retitled(years, bundled),
    )


@attrs.frozen
class Sources:
    """The texts that the table is made from; order files and addenda by fiscal year, with their names."""

    flags: str
    orders: Mapping[int, tuple[str, str]]
    addenda: Mapping[int, tuple[str, str]]


def sources_in(places: Iterable[Path]) -> Sources:
    """Return what some files and folders hold. Raises ValueError where that is not what a table is made from."""
    flags: list[str] = []
    listed: dict[int, tuple[str, str]] = {}
    addenda: dict[int, tuple[str, str]] = {}
    for path in [file for place in places for file in (sorted(place.iterdir()) if place.is_dir() else [place])]:
        text = text_of(path)
        year = re.search(r"20[0-9]{2}", path.name)
        if text.startswith(FLAGS):
            flags.append(text)
        elif is_addendum(text) or ORDER.match(text):
            if year is None:
                raise ValueError(f"{path.name} is of no year that its name tells")
            (addenda if is_addendum(text) else listed)[int(year[0])] = (text, path.name)
    if len(flags) != 1 or not listed:
        raise ValueError(f"one list of flags and an order file are needed; there are {len(flags)} and {len(listed)}")
    return Sources(flags[0], listed, addenda)


def table_of(sources: Sources) -> CodeTable:
    """Return the table that sources and the bundled Tabular List make."""
    years = {year: read_order(*sources.orders[year]) for year in sorted(sources.orders)}
    for year, (text, name) in sorted(sources.addenda.items()):
        before = max(one for one in years if one < year)
        years[year] = laid_over(read_addendum(text, name), years[before], f"FY{before}", name)
    source = min((one for one in catalog.sources() if one.bundled), key=lambda one: one.starts)
    tabular = read_tabular(source.path.read_bytes(), source.path.name)
    return make(sources.flags, years, source.starts.year + (source.starts.month >= 10), tabular)


def main() -> None:
    """Write the file that is shipped, and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("places", metavar="FILE-OR-FOLDER", type=Path, nargs="+")
    parser.add_argument("--output", metavar="FILE", type=Path, default=TARGET)
    given = parser.parse_args()
    try:
        table = table_of(sources_in(given.places))
    except (OSError, ValueError, EditionError) as error:
        parser.error(str(error))
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_bytes(lzma.compress(table_text(table).encode(), preset=9 | lzma.PRESET_EXTREME))
    untitled = sum(not title for title in table.titles.values())
    sys.stdout.write(
        f"{len(table.codes):,} codes of {len(table.releases)} code sets to {table.last}, {len(table.titles):,} with"
        f" a title here, {untitled:,} without any; {given.output.stat().st_size:,} bytes\n"
    )


if __name__ == "__main__":
    main()
