"""Manifestation codes by their titles, against those that CMS's code editor never takes as a principal diagnosis."""

from __future__ import annotations

import lzma
from collections import Counter
from pathlib import Path

from weakcode.codes import catalog
from weakcode.compile.tabular.notes import manifestation_codes

CMS_ONLY = {
    "D641": "its title names the disease as the cause; a code-first note asks for it",
    "D7581": "a code-first note alone",
    "E08": "diabetes due to an underlying condition: its title names the cause",
    "F54": "its title speaks of what is associated",
    "J8403": "a code-first note alone",
    "M028": "a code-first note alone",
    "M029": "a code-first note alone",
}
"""What CMS has and titles do not tell. A code-first note that is mandatory asks for the cause of each of them."""

TITLES_ONLY = {"H3681": "sickle-cell retinopathy, new in 2025, stands below retinal disorders in other diseases"}
TITLES_ONLY["H3682"] = TITLES_ONLY["H3681"]


def cms(shared: Path) -> set[str]:
    (path,) = (shared / "mce").glob("*.csv.xz")
    rows = (line.split(",") for line in lzma.decompress(path.read_bytes()).decode().splitlines()[1:])
    return {
        code
        for code, first, last, flags in rows
        if first <= "20260401" and last >= "20260930" and "manifestation" in flags.split("|")
    }


def under(codes: set[str], stems: dict[str, str]) -> Counter[str]:
    return Counter(next((stem for stem in stems if code.startswith(stem)), code) for code in codes)


def test_titles_tell_what_cms_has_but_for_those_explained(shared: Path) -> None:
    edition = catalog.bundled()
    today = edition.on(edition.starts).billable
    told = {edition.compact_code(i) for i in manifestation_codes(edition) & today}
    published = cms(shared)
    assert len(published) == 422
    assert under(published - told, CMS_ONLY).keys() == CMS_ONLY.keys()
    assert under(told - published, TITLES_ONLY).keys() == TITLES_ONLY.keys()
