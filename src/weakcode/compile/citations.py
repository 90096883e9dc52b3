"""Publications that come out anew: which of them a finding cites follows from the day of the claim."""

from __future__ import annotations

from functools import lru_cache

import attrs

from weakcode.codes.edition import Edition
from weakcode.findings import Source

_OCTOBER = 10
CODES, FISCAL_YEAR = "{codes}", "{fiscal_year}"


def of_day(source: Source, edition: Edition) -> Source:
    """Return a source with the code set of an edition, and its fiscal year, where its title leaves them open.

    The Official Guidelines come out for each fiscal year, which begins on 1 October of the year before.
    """
    if "{" not in source.title:
        return source
    year = edition.starts.year + (edition.starts.month >= _OCTOBER)
    return _titled(source, source.title.replace(CODES, edition.name).replace(FISCAL_YEAR, str(year)))


@lru_cache(maxsize=65536)
def _titled(source: Source, title: str) -> Source:
    return attrs.evolve(source, title=title)
