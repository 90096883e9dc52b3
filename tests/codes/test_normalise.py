from __future__ import annotations

import pytest

from weakcode.codes.normalise import canonical, compact


@pytest.mark.parametrize(
    ("text", "short", "dotted"),
    [
        ("M62.81", "M6281", "M62.81"),
        ("m6281 ", "M6281", "M62.81"),
        (" m 62 . 81\t", "M6281", "M62.81"),
        ("I10", "I10", "I10"),
        ("I10.", "I10", "I10"),
        ("s52.001a", "S52001A", "S52.001A"),
        ("", "", ""),
        ("M62..81", "M62.81", "M62.81"),
        ("E950.0", "E950.0", "E950.0"),
        ("not a code at all", "NOTACODEATALL", "NOTACODEATALL"),
    ],
)
def test_every_spelling_of_a_code_becomes_one(text: str, short: str, dotted: str) -> None:
    assert compact(text) == short
    assert canonical(text) == dotted
