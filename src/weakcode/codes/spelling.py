"""Sets of codes in words, as short as a code expression would name them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.codes.normalise import canonical

_MOST = 6
_CATEGORY = 3


def stems(codes: CodeSet, edition: Edition) -> Iterator[str]:
    """Yield the billable codes of a set in alphabetical order: `M62.8-` for all below M62.8, `R54` for one code."""
    for low, high in codes.spans:
        at, end = low, min(high, edition.size)
        while at < end:
            code = edition.compact_code(at)
            for length in range(_CATEGORY, len(code) + 1):
                first, last = edition.span(code[:length])
                if first == at and last <= end:
                    yield canonical(code) if last - first == 1 else _below(code[:length])
                    at = last
                    break


def _below(stem: str) -> str:
    return f"{stem}.-" if len(stem) == _CATEGORY else f"{canonical(stem)}-"


def spelled(codes: CodeSet, edition: Edition, most: int = _MOST) -> str:
    """Return the codes of a set as a list of at most `most` stems, and how many codes more there are."""
    first = list(islice(stems(codes, edition), most + 1))
    if len(first) <= most:
        strange = any(high > edition.size for _, high in codes.spans)
        return ", ".join([*first, *(["codes that are not billable"] if strange else [])])
    named = CodeSet(edition.span(stem.rstrip(".-")) for stem in first[:most])
    return f"{', '.join(first[:most])} and {len(codes - named):,} more codes"
