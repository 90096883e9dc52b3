"""Sites that have names of their own, by code or by the words of titles: two of them are not one condition."""

from __future__ import annotations

import re

import attrs

from weakcode.base.remembered import remembered
from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.rules.readings import Site, SiteGroup, bundled_readings


@attrs.frozen
class Sites:
    """The codes of a group of sites. `apart`: codes of the same sites, with the codes that are of other sites alone."""

    codes: CodeSet
    apart: tuple[tuple[CodeSet, CodeSet], ...]


@attrs.frozen
class _Worded:
    """A site that is told by the words of titles; `plain` are these words where they are text and no patterns."""

    name: str
    words: re.Pattern[str]
    plain: tuple[str, ...]

    @classmethod
    def of(cls, site: Site) -> _Worded:
        words = re.compile(rf"\b(?:{'|'.join(site.titles)})", re.IGNORECASE)
        plain = all(one.replace(" ", "").isalnum() for one in site.titles)
        return cls(site.name, words, tuple(one.lower() for one in site.titles) if plain else ("",))

    def is_in(self, title: str, lower: str) -> bool:
        """Whether a title tells the site; `lower` is the title in lower case, which is looked through first."""
        return any(map(lower.__contains__, self.plain)) and self.words.search(title) is not None


@remembered
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
    worded = [_Worded.of(site) for site in group.of if site.titles]
    if within is not None and worded:
        # The codes of a place differ in their 7th characters, which tell no site.
        told: dict[str, set[str]] = {}
        for code_id in within & CodeSet.between(0, edition.size):
            place = edition.spellings[code_id][1]
            if place not in told:
                title = edition.listed_title(code_id)
                lower = title.lower()
                told[place] = {one.name for one in worded if one.is_in(title, lower)}
            if told[place]:
                zones.setdefault(code_id, set()).update(told[place])
    by_zones: dict[frozenset[str], list[int]] = {}
    for code_id, found in zones.items():
        by_zones.setdefault(frozenset(found), []).append(code_id)
    codes = {names: CodeSet.of(ids) for names, ids in by_zones.items()}
    apart = []
    for names, here in codes.items():
        elsewhere = CodeSet.joined(there for other, there in codes.items() if not names & other)
        if elsewhere:
            apart.append((here, elsewhere))
    return Sites(CodeSet.of(zones), tuple(apart))
