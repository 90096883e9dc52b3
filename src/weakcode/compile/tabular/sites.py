"""Sites that have names of their own, by code or by the words of titles: two of them are not one condition."""

from __future__ import annotations

import re
from functools import lru_cache

import attrs

from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.rules.readings import SiteGroup, bundled_readings


@attrs.frozen
class Sites:
    """The codes of a group of sites. `apart`: codes of the same sites, with the codes that are of other sites alone."""

    codes: CodeSet
    apart: tuple[tuple[CodeSet, CodeSet], ...]


@lru_cache(maxsize=4)
def sites(edition: Edition) -> tuple[Sites, ...]:
    """Return the groups of sites of the readings, against an edition."""
    return tuple(_sites(group, edition) for group in bundled_readings().sites)


def _sites(group: SiteGroup, edition: Edition) -> Sites:
    within = edition.codeset(group.within) if group.within else None
    zones: dict[int, set[str]] = {}
    for site in group.of:
        if site.codes:
            for code_id in edition.codeset(site.codes):
                zones.setdefault(code_id, set()).add(site.name)
    worded = [
        (site.name, re.compile(rf"\b(?:{'|'.join(site.titles)})", re.IGNORECASE)) for site in group.of if site.titles
    ]
    if within is not None and worded:
        # The codes of a place differ in their 7th characters, which tell no site.
        told: dict[str, set[str]] = {}
        for code_id in within:
            place = edition.stem(code_id)
            if place not in told:
                title = edition.listed_title(code_id)
                told[place] = {name for name, words in worded if words.search(title)}
            if told[place]:
                zones.setdefault(code_id, set()).update(told[place])
    by_zones: dict[frozenset[str], list[int]] = {}
    for code_id, found in zones.items():
        by_zones.setdefault(frozenset(found), []).append(code_id)
    codes = {names: CodeSet.of(ids) for names, ids in by_zones.items()}
    apart = []
    for names, here in codes.items():
        elsewhere = CodeSet(span for other, there in codes.items() if not names & other for span in there.spans)
        if elsewhere:
            apart.append((here, elsewhere))
    return Sites(CodeSet.of(zones), tuple(apart))
