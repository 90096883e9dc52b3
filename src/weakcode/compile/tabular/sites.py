"""Sites that have names of their own, by code or by the words of titles: two of them are not one condition."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs
import numpy as np

from weakcode.base.remembered import remembered
from weakcode.codes.codeset import CodeSet, codes_where
from weakcode.codes.edition import Edition
from weakcode.rules.readings import Site, SiteGroup, bundled_readings

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ENDS = re.compile(r"^\(\?:[^()|]*\)\?|\\b$")
"""What a pattern may begin with, and that it ends with a word."""


@attrs.frozen
class Sites:
    """The codes of a group of sites. `pairs`: codes of the same sites, with the codes that are of other sites alone."""

    codes: CodeSet
    pairs: tuple[tuple[CodeSet, CodeSet], ...]


@remembered
def sites(edition: Edition) -> tuple[Sites, ...]:
    """Return the groups of sites of the readings, against an edition."""
    return tuple(_sites(group, edition) for group in bundled_readings().sites)


def _sites(group: SiteGroup, edition: Edition) -> Sites:
    # The sites of each code, a bit for each, and the codes as they are met.
    zones = np.zeros(edition.universe, np.int64)
    met = []
    for number, site in enumerate(group.of):
        for low, high in edition.codeset(site.codes).spans if site.codes else ():
            zones[low:high] |= 1 << number
            met.append(np.arange(low, high))
    if group.within and any(site.titles for site in group.of):
        groups_of_place = _told_by_titles(edition.codeset(group.within), group.of, edition)
        zones[: edition.size] |= groups_of_place
        met.append(np.flatnonzero(groups_of_place))
    found = zones[np.concatenate(met)] if met else zones[:0]
    distinct, first = np.unique(found, return_index=True)
    codes = {names: codes_where(zones == names) for names in distinct[np.argsort(first)].tolist()}
    pairs = []
    for names, site_codes in codes.items():
        elsewhere = CodeSet.joined(other_codes for other, other_codes in codes.items() if not names & other)
        if elsewhere:
            pairs.append((site_codes, elsewhere))
    return Sites(CodeSet.joined(codes.values()), tuple(pairs))


def _told_by_titles(within: CodeSet, of: tuple[Site, ...], edition: Edition) -> NDArray[np.int64]:
    """Return the sites that the titles of some codes tell, a bit for each, by code.

    The codes of a place differ in their 7th characters, which tell no site.
    """
    places = edition.places
    asked = np.zeros(edition.size, np.bool_)
    for low, high in within.spans:
        asked[low:high] = True
    titled_places = np.unique(places[asked]).astype(np.int64)
    titles = edition.titles.at(titled_places)
    groups_of_place = np.zeros(len(edition.names), np.int64)
    for number, site in enumerate(of):
        if site.titles:
            words = re.compile(rf"\b(?:{'|'.join(site.titles)})", re.IGNORECASE)
            named = titled_places[titles.having(*map(_plain, site.titles))]
            saying = [at for at in named.tolist() if words.search(edition.title_at(at))]
            groups_of_place[saying] |= 1 << number
    return np.where(asked, groups_of_place[places], 0)


def _plain(pattern: str) -> str:
    """Return text in lower case that stands wherever a pattern fits: all of it but its ends, or nothing."""
    text = _ENDS.sub("", pattern)
    return text.lower() if text.replace(" ", "").isalnum() else ""
