"""Which codes are billable on which day: the shipped table against its sources, and every edition against it."""

from __future__ import annotations

import csv
import io
import lzma
import random
import unicodedata
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pyarrow as pa
import pytest

import weakcode
from weakcode.codes import catalog
from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.codes.sources import orders
from weakcode.codes.table import read, table, table_text
from weakcode.codes.validity import Window

ADDENDA = Path("icd10cm") / "icd10cm_order_addenda_2027.txt"
BEFORE, AFTER = date(2026, 9, 30), date(2026, 10, 1)


@pytest.fixture(scope="module")
def published(shared: Path) -> dict[str, list[tuple[date, date, frozenset[str]]]]:
    """CMS's list: for each code the spells of days on which it is billable, with its flags."""
    (path,) = (shared / "mce").glob("*.csv.xz")
    found: dict[str, list[tuple[date, date, frozenset[str]]]] = {}
    for row in csv.DictReader(io.StringIO(lzma.decompress(path.read_bytes()).decode())):
        days = (date.fromisoformat(row["start_date"]), date.fromisoformat(row["end_date"]))
        found.setdefault(row["code"], []).append((*days, frozenset(filter(None, row["flags"].split("|")))))
    return found


@pytest.fixture(scope="module")
def addenda(shared: Path) -> orders.Addendum:
    """The changes of October 2026."""
    return orders.read_addendum((shared / ADDENDA).read_text())


def on(day: date) -> Edition:
    return catalog.edition_for(day)


def test_the_table_says_of_every_code_what_cms_published(published) -> None:
    known = table()
    assert {
        code: [(spell.starts, spell.ends, spell.flags) for spell in known.histories[number]]
        for code, number in known.codes.items()
    } == published


def test_the_table_is_what_its_text_says() -> None:
    again = read(table_text(table()))
    assert (again.codes, again.histories, again.titles) == (table().codes, table().histories, table().titles)
    assert (again.headers, again.retitled, again.releases) == (table().headers, table().retitled, table().releases)


@pytest.mark.parametrize(("day", "count"), [(date(2026, 4, 1), 74_719), (AFTER, 74_879), (date(2015, 10, 1), 69_823)])
def test_as_many_codes_are_billable_as_were_published(day: date, count: int) -> None:
    assert len(on(day).billable) == len(table().on(day)) == count


def plain(text: str | None) -> str:
    """Return a title without accents, as order files have it."""
    return unicodedata.normalize("NFD", text or "").encode("ascii", "ignore").decode()


@pytest.mark.parametrize(("year", "day"), [(2021, date(2021, 1, 1)), (2025, date(2024, 10, 1)), (2026, BEFORE)])
def test_the_codes_and_titles_of_a_day_are_those_of_its_order_file(order_file, year: int, day: date) -> None:
    edition = on(day)
    titled = {edition.compact_code(code_id): edition.titled_code(code_id)[1] for code_id in edition.billable_ids}
    wanted = {code: title for code, (billable, title) in order_file(year).items() if billable}
    numbers = edition.billable_ids
    assert edition.titled_codes(numbers) == [edition.titled_code(number) for number in numbers]
    assert list(titled) == sorted(wanted)
    assert {code for code, title in wanted.items() if plain(titled[code]) != title} == set()


def test_every_code_is_billable_on_its_days_and_on_no_others() -> None:
    before: frozenset[str] = frozenset()
    for release in catalog.bundled().releases:
        for day in (release.starts, release.ends):
            edition, codes = on(day), table().on(day)
            assert {edition.compact_code(code_id) for code_id in edition.billable_ids} == codes
            assert edition.starts <= day <= edition.ends
        # By their spelling, the codes that came and went; those that stay are found as on the day before.
        assert [code for code in before ^ codes if edition.is_billable(code) is not (code in codes)] == []
        before = codes


def test_a_code_valid_on_its_day_is_never_called_invalid_and_a_deleted_one_always_is() -> None:
    """Every code on the first and the last day of every code set, twenty to a claim, judged by columns."""
    rules = ["not-valid-on-date", "not-billable", "unknown-code", "icd9-code"]
    validator = weakcode.Validator(only=[f"icd10cm/{rule}" for rule in rules])
    claims: list[tuple[str, list[str], date]] = []
    gone: set[str] = set()
    before: frozenset[str] = frozenset()
    for release in catalog.bundled().releases:
        for day in (release.starts, release.ends):
            codes = sorted(table().on(day))
            claims += [(f"{day} {at}", codes[at : at + 20], day) for at in range(0, len(codes), 20)]
        went = before - table().on(release.starts)
        claims.append((f"gone {release.starts}", sorted(went) or ["I10"], release.starts))
        gone |= went
        before = table().on(release.ends)
    columns = dict(zip(("claim_id", "codes", "service_date"), map(list, zip(*claims, strict=True)), strict=True))
    told = pa.Table.from_batches(validator.scrub(pa.table(columns))).to_pylist()
    assert {row["claim_id"] for row in told if not row["claim_id"].startswith("gone ")} == set()
    assert {code.replace(".", "") for row in told for code in row["codes"]} == gone


def test_every_code_has_a_place_with_its_category_above_it() -> None:
    whole = catalog.bundled()
    for code_id in range(whole.size):
        stem = whole.stem(code_id)
        assert whole.compact_code(code_id).startswith(stem[:3])
    for code in ("M72.20", "K6A.0", "S23.421A", "I42.00", "C78.31"):
        above = [node.name for node in on(AFTER).ancestors(code)]
        assert code[:3] in above
        assert above[-1].startswith("Chapter")


def test_a_code_that_became_a_category_is_a_code_before_and_a_category_after() -> None:
    before, after = on(BEFORE).node("M72.2"), on(AFTER).node("M72.2")
    assert before is not None
    assert after is not None
    assert (before.billable, before.kind, before.children) == (True, "code", ())
    assert (after.billable, after.children) == (False, ("M72.20", "M72.21", "M72.22"))
    assert on(BEFORE).node("M72.20") is None
    below = {on(AFTER).whole.code(code_id) for code_id in on(AFTER).whole.codeset("M72.2")}
    assert below == {"M72.2", "M72.20", "M72.21", "M72.22"}
    assert len(on(BEFORE).codeset("M72.2")) == 1
    assert len(on(AFTER).codeset("M72.2")) == 3


def test_titles_change_on_the_day_on_which_they_were_changed(addenda) -> None:
    assert len(addenda.revised) == 4
    for one in addenda.revised:
        assert on(AFTER).title(one.code) == one.title != on(BEFORE).title(one.code)


def test_a_code_whose_title_no_source_tells_says_so() -> None:
    untitled = sorted(code for code, title in table().titles.items() if not title)
    assert len(untitled) == 587
    day = table().histories[table().codes[untitled[0]]][0].starts
    assert on(day).title(untitled[0]) == ""
    judge = weakcode.Validator(packs=["icd10cm"])
    (finding,) = judge.check(weakcode.Claim(["I10", untitled[0], untitled[0]], service_date=day))
    assert "(title not known)" in finding.message


def rules(engine: str, code: str, day: date | None, today: str | None = None) -> set[str]:
    return {finding.rule for finding in judge(engine, today).check(weakcode.Claim([code], service_date=day))}


@cache
def judge(engine: str, today: str | None) -> weakcode.Validator:
    return weakcode.Validator(packs=["icd10cm"], engine=engine, today=today)


INVALID = {"icd10cm/not-valid-on-date", "icd10cm/not-billable", "icd10cm/unknown-code", "icd10cm/icd9-code"}


@pytest.mark.parametrize("engine", ["durable", "columnar"])
def test_the_codes_of_october_2026_are_valid_from_then_on_and_the_retired_until_then(addenda, engine: str) -> None:
    new = [one.code for one in addenda.added if one.billable]
    old = [one.code for one in addenda.deleted if one.billable]
    assert (len(new), len(old)) == (190, 30)
    for code in new:
        assert not rules(engine, code, date(2026, 11, 28)) & INVALID
        assert rules(engine, code, BEFORE) & INVALID
    for code in old:
        assert rules(engine, code, date(2026, 11, 28)) & INVALID
        assert not rules(engine, code, BEFORE) & INVALID


@pytest.mark.parametrize("engine", ["durable", "columnar"])
@pytest.mark.parametrize(
    ("code", "day", "said"),
    [
        ("M72.2", "2026-11-28", " fibromatosis) is not billable as it stands: not valid since 2026-10-01; report one"),
        ("N18.3", "2021-02-03", "not billable as it stands: not valid since 2020-10-01; report one of the codes below"),
        ("S23.420A", "2026-10-01", "is not valid on the service date: not valid since 2026-10-01."),
        ("M72.20", "2026-09-30", "unspecified foot) is not valid on the service date: not valid before 2026-10-01."),
        ("M62.8", "2026-11-28", "M62.8 (Other specified disorders of muscle) is not billable as it stands; report"),
    ],
)  # fmt: skip
def test_a_code_of_other_days_is_reported_since_when_or_until_when_it_is_not_valid(engine, code, day, said) -> None:
    (finding,) = weakcode.Validator(packs=["icd10cm"], engine=engine).check(weakcode.Claim([code], service_date=day))
    assert said in finding.message


def test_days_without_a_code_are_named_from_both_sides() -> None:
    spells = Window(((None, date(2016, 9, 30)), (date(2018, 10, 1), date(2023, 9, 30))))
    said = [spells.missing(day) for day in (date(2017, 5, 5), date(2023, 10, 1))]
    assert said == ["from 2016-10-01 to 2018-09-30", "since 2023-10-01"]
    assert Window(((date(2018, 10, 1), None),)).missing(date(2018, 9, 30)) == "before 2018-10-01"


def test_a_claim_without_a_date_is_judged_by_the_codes_of_the_day_of_the_run() -> None:
    assert rules("columnar", "M72.20", None, today="2026-11-28") & INVALID == set()
    assert rules("columnar", "M72.20", None, today="2026-09-30") & INVALID
    verdict = weakcode.Validator(packs=["icd10cm"], today="2026-11-28").judge(weakcode.Claim(["I10"]))
    assert (verdict.edition, verdict.notes_edition, verdict.out_of_force) == ("2026-10", "2026-04", False)
    assert verdict.notes_out_of_force
    assert verdict.notices == ()


@pytest.mark.parametrize("engine", ["durable", "columnar"])
def test_random_codes_are_right_on_five_days_each(published, engine: str) -> None:
    dice = random.Random(2026)
    changing = sorted(
        code for code, spells in published.items() if spells[0][0].year > 2015 or spells[-1][1].year < 2027
    )
    for code in dice.sample(changing, 400):
        for day in [date(2016, 1, 1) + timedelta(dice.randrange(4100)) for _ in range(5)]:
            valid = any(first <= day <= last for first, last, _ in published[code])
            assert (not rules(engine, code, day) & INVALID) is valid, (code, day)


def test_after_the_last_day_known_no_code_is_retired_and_a_notice_names_that_day() -> None:
    last = catalog.bundled().last_day
    assert last == date(2027, 3, 31)
    later = on(date(2031, 1, 1))
    assert later.billable == on(last).billable
    verdict = weakcode.Validator(packs=["icd10cm"]).judge(weakcode.Claim(["M72.20"], service_date="2031-01-01"))
    assert not {finding.rule for finding in verdict.findings} & INVALID
    assert verdict.out_of_force
    assert "2027-03-31" in verdict.notices[0]


def test_lists_and_suggestions_name_only_codes_of_the_day() -> None:
    from weakcode.codes.expression.spelling import spelled

    named = on(AFTER).whole.codeset("M72.2, I42.0")
    assert spelled(named, on(BEFORE)) == "I42.0, M72.2"
    assert spelled(named, on(AFTER)) == "I42.0-, M72.2-"
    assert "M72.20" not in {hit.code for hit in on(BEFORE).search("plantar fascial fibromatosis")}
    assert "M72.20" in {hit.code for hit in on(AFTER).search("plantar fascial fibromatosis unspecified foot")}


def test_a_code_that_is_a_category_on_other_days_is_named_by_itself() -> None:
    from weakcode.codes.expression.spelling import stems

    whole = catalog.bundled().whole
    first = whole.code_id("A04.7")
    assert whole.compact_code(first + 1) == "A0471"
    assert list(stems(CodeSet.of([first]), whole)) == ["A04.7"]
    assert list(stems(CodeSet.of([first, first + 1]), whole)) == ["A04.7", "A04.71"]
    assert list(stems(whole.billable_below("A04.7"), whole)) == ["A04.7-"]


# order files and addenda


@pytest.fixture(scope="module")
def listed() -> dict[str, orders.OrderEntry]:
    """The codes and headers of September 2026."""
    return orders.listed_in(on(BEFORE))


def test_the_addenda_lead_from_the_codes_of_2026_to_those_of_october(addenda, listed) -> None:
    laid = orders.laid_over(addenda, listed, "edition 2026-04")
    codes = [code for code, one in laid.items() if one.billable]
    assert codes == [on(AFTER).compact_code(code_id) for code_id in on(AFTER).billable_ids]
    assert orders.read_order(orders.order_text(laid)) == laid


LINE = "Add:         1 {:<7} {:<60} {}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LINE.format("I10", "x", "x"), "adds the code I10, which edition 2026-04 has already"),
        (
            LINE.format("I9999", "x", "x").replace("Add:   ", "Delete:"),
            "deletes the code I99.99, which edition 2026-04",
        ),
        ("<html>", 'line 1: "<html>" is no line of an order addendum'),
        ("", "changes nothing"),
    ],
)
def test_addenda_that_do_not_fit_are_refused_in_one_line(listed, text: str, said: str) -> None:
    def lay() -> None:
        orders.laid_over(orders.read_addendum(text, "x.txt"), listed, "edition 2026-04", "x.txt")

    with pytest.raises(weakcode.EditionError, match=r"x\.txt") as refused:
        lay()
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<html>", "is no line of an order file"),
        ("00001 A00     0 Cholera                                                      Cholera", "fewer than 1,000"),
        ("00001 A00     2 Cholera", "is no line of an order file"),
    ],
)
def test_text_that_is_not_an_order_file_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(weakcode.EditionError, match=r"x\.txt") as refused:
        orders.read_order(text, "x.txt")
    assert said in str(refused.value)
