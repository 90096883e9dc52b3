"""Makes src/weakcode/codes/data/codes.txt.xz from the files that CDC and CMS publish.

    python tools/code_table.py --flags mce_flags.csv.xz --order 2021=icd10cm_order_2021.txt.xz ... --addenda 2027=...

`--flags` is CMS's list of the codes of the Medicare Code Editor as CSV: code, start_date, end_date (YYYYMMDD), flags
parted by `|`. `--order YEAR=FILE` is the order file of a fiscal year, `--addenda YEAR=FILE` the order addenda that
lead from the last of them to that year. Files may be packed with xz.
"""

from __future__ import annotations

import argparse
import csv
import io
import lzma
import sys
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path

from weakcode.codes import catalog
from weakcode.codes.sources.orders import Listed, laid_over, read_addendum, read_order
from weakcode.codes.sources.tabular import Tabular, read_tabular
from weakcode.codes.table import ALWAYS, FOREVER, PLACE, CodeTable, History, Retitled, Spell, written

TARGET = Path(__file__).parents[1] / "src" / "weakcode" / "codes" / PLACE


def text_of(path: Path) -> str:
    """Return the text of a file, unpacked."""
    content = path.read_bytes()
    return (lzma.decompress(content) if path.suffix == ".xz" else content).decode()


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
    for chapter in tabular.chapters:
        for node in chapter.walk():
            if node.kind in ("category", "subcategory"):
                name = node.name.replace(".", "")
                codes |= {name.ljust(6, "X") + seventh for seventh in node.seventh or ()}
                (headers if node.children or node.seventh else codes).add(name)
    return codes, headers


def retitled(years: Mapping[int, Mapping[str, Listed]], bundled: int) -> dict[str, tuple[Retitled, ...]]:
    """Return the titles by day of codes whose title changed from one of the years to the next."""
    found: dict[str, list[Retitled]] = {}
    ordered = sorted(years)
    for year, after in pairwise(ordered):
        for code, one in years[year].items():
            later = years[after].get(code)
            if later is None or not (one.billable and later.billable) or one.title == later.title:
                continue
            if year < bundled:
                found.setdefault(code, []).append(Retitled(ALWAYS, date(year, 9, 30), one.title))
            else:
                found.setdefault(code, []).append(Retitled(date(year, 10, 1), FOREVER, later.title))
    return {code: tuple(found[code]) for code in sorted(found)}


def make(flags: str, years: Mapping[int, Mapping[str, Listed]], bundled: int, tabular: Tabular) -> CodeTable:
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
        codes=codes,
        titles={code: title(code) for code in extra},
        headers={code: name for code in sorted(above) if (name := title(code, billable=False))},
        retitled=retitled(years, bundled),
    )


def _years(given: Iterable[str]) -> dict[int, Path]:
    return {int(year): Path(path) for year, _, path in (one.partition("=") for one in given)}


def main() -> None:
    """Write the file that is shipped, and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flags", type=Path, required=True)
    parser.add_argument("--order", action="append", required=True)
    parser.add_argument("--addenda", action="append", default=[])
    given = parser.parse_args()
    years = {year: read_order(text_of(path), path.name) for year, path in sorted(_years(given.order).items())}
    for year, path in sorted(_years(given.addenda).items()):
        before = max(years)
        years[year] = laid_over(read_addendum(text_of(path), path.name), years[before], f"FY{before}", path.name)
    source = catalog.sources()[0]
    tabular = read_tabular(source.path.read_bytes(), source.path.name)
    table = make(text_of(given.flags), years, source.starts.year + (source.starts.month >= 10), tabular)
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(lzma.compress(written(table).encode(), preset=9 | lzma.PRESET_EXTREME))
    untitled = sum(not title for title in table.titles.values())
    sys.stdout.write(
        f"{len(table.codes):,} codes of {len(table.releases)} code sets to {table.last}, {len(table.titles):,} with"
        f" a title here, {untitled:,} without any; {TARGET.stat().st_size:,} bytes\n"
    )


if __name__ == "__main__":
    main()
