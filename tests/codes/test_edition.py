from __future__ import annotations

import subprocess
import sys
import unicodedata
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weakcode.codes import catalog
from weakcode.codes.edition import Edition
from weakcode.codes.search.index import SearchIndex
from weakcode.codes.sources.kept import EditionSource
from weakcode.codes.storage import shipped, store
from weakcode.errors import EditionError

OrderFile = Callable[[int], dict[str, tuple[bool, str]]]


def test_the_billable_codes_equal_the_order_file_exactly(edition: Edition, order_file: OrderFile) -> None:
    order = order_file(2026)
    wanted = sorted(code for code, (flag, _) in order.items() if flag)
    assert len(edition.billable) == 74_719
    assert [edition.compact_code(i) for i in edition.billable] == wanted
    assert list(map(edition.code_id, wanted)) == list(edition.billable_ids)
    assert all(edition.is_header(code) for code, (flag, _) in order.items() if not flag)


def test_a_code_by_its_number_has_the_title_that_it_has_by_its_spelling(edition: Edition) -> None:
    numbers = edition.billable_ids[::7]
    assert [edition.titled_code(number) for number in numbers] == [
        (edition.code(number), edition.title(edition.code(number))) for number in numbers
    ]


def test_titles_are_those_of_the_order_file_but_for_accents(edition: Edition, order_file: OrderFile) -> None:
    def plain(text: str | None) -> str:
        decomposed = unicodedata.normalize("NFD", text or "")
        return "".join(sign for sign in decomposed if sign.isascii())

    wrong = {
        code: (edition.title(code), title)
        for code, (flag, title) in order_file(2026).items()
        if flag and plain(edition.title(code)) != title
    }
    assert wrong == {}


def test_the_edition_says_what_it_is(edition: Edition) -> None:
    assert (edition.name, edition.label) == ("2026-04", "ICD-10-CM April 2026")
    assert (edition.starts, edition.ends) == (date(2026, 4, 1), date(2026, 9, 30))
    assert len(edition.digest) == 64
    assert edition.universe > edition.size + 3


@pytest.mark.parametrize("code", ["M62.81", "m6281", " M62.81 ", "s52.001a", "T07.XXXA", "t07xxxa", "I10"])
def test_a_billable_code_is_found_in_any_spelling(edition: Edition, code: str) -> None:
    assert edition.code_id(code) < edition.size
    assert edition.is_billable(code)


@pytest.mark.parametrize("code", ["M62", "M62.8", "T07", "T07XXX", "S52.001", "V00.01X", "T36.0X"])
def test_a_code_that_lacks_characters_is_a_header(edition: Edition, code: str) -> None:
    assert edition.is_header(code)
    assert not edition.is_billable(code)


@pytest.mark.parametrize("code", ["250.00", "4019", "V58.67", "E950.0", "E9500", "E849.0", "E011.9", "E030.1", "042"])
def test_the_form_of_an_icd9_code_is_known(edition: Edition, code: str) -> None:
    assert edition.code_id(code) == edition.icd9_id


@pytest.mark.parametrize(
    "code",
    [
        "",
        "M",
        "M6",
        "E11.90",
        "E85.00",
        "E21.9",
        "E040.0",
        "M62.99",
        "XYZ",
        "M62.84X",
        "é62",
        "M62\0",
        "A00.0\0",
        "9" * 99,
    ],
)
def test_anything_else_is_unknown(edition: Edition, code: str) -> None:
    assert edition.code_id(code) == edition.unknown_id


@given(st.text(max_size=12))
def test_no_text_is_an_exception(edition: Edition, text: str) -> None:
    number = edition.code_id(text)
    assert 0 <= number < edition.universe
    edition.node(text)
    edition.title(text)
    edition.span(text)
    edition.notes_reaching(text)
    edition.search(text)


def test_e119_is_an_icd10_code_although_it_looks_like_an_icd9_one(edition: Edition) -> None:
    assert edition.is_billable("E119")
    assert edition.is_header("V10")


def test_a_fatal_brain_injury_has_no_later_encounter(edition: Edition) -> None:
    assert set(edition.seventh_characters("S06.1X7")) == {"A"}
    assert set(edition.seventh_characters("S06.1X6")) == {"A", "D", "S"}
    assert edition.code_id("S06.1X7D") >= edition.size


def test_places_are_chained_up_to_the_chapter(edition: Edition) -> None:
    assert [node.name for node in edition.ancestors("M62.84")] == [
        "M62.8",
        "M62",
        "M60-M63",
        "M60-M79",
        "Chapter 13",
    ]
    above = [node.name for node in edition.ancestors("t07xxxa")]
    assert above == ["T07", "T07-T07", "T07-T88", "Chapter 19"]
    assert edition.ancestors("nothing") == ()


def test_nodes_know_their_kind(edition: Edition) -> None:
    names = ["Chapter 13", "M60-M63", "M62", "M62.8", "M62.84", "I10", "T07", "T07.XXXA", "B20-B20", "B20"]
    kinds = [node.kind for node in map(edition.node, names) if node]
    assert kinds == [
        *(
            "chapter",
            "section",
            "category",
            "subcategory",
            "code",
            "code",
            "category",
            "code",
            "section",
            "code",
        )
    ]
    node = edition.node("T36.0X")
    assert node is not None
    assert node.placeholder
    assert edition.node("M62.99") is None


def test_children_of_a_code_that_lacks_its_7th_character_are_the_finished_codes(edition: Edition) -> None:
    assert [node.name for node in edition.children_of("T07")] == ["T07.XXXA", "T07.XXXD", "T07.XXXS"]
    assert [node.name for node in edition.children_of("R53.8")] == ["R53.81", "R53.82", "R53.83"]
    assert edition.title("T07.XXXD") == f"{edition.title('T07')}, subsequent encounter"


def test_the_section_counts_are_those_of_the_list(edition: Edition) -> None:
    seen = [edition.node(f"Chapter {number}") for number in range(1, 23)]
    kinds = {"chapter": 0, "section": 0, "diag": 0}
    while seen:
        node = seen.pop()
        assert node is not None
        kinds[node.kind if node.kind in kinds else "diag"] += 1
        if not edition.seventh_characters(node.name):
            seen += map(edition.node, node.children)
    assert kinds == {"chapter": 22, "section": 297, "diag": 46_881}


def test_notes_stand_where_the_list_has_them_and_reach_down(edition: Edition) -> None:
    (note,) = edition.notes("M62", "excludes1")
    assert [line.rpartition("(")[2].rstrip(")") for line in note.lines] == [
        *("G72.1", "R25.2", "G72.0", "M79.1-", "G25.82")
    ]
    assert note in edition.notes_reaching("M62.84")
    assert "Chapter 13" in {reaching.place for reaching in edition.notes_reaching("M62.84")}
    assert edition.notes("M62.84", "excludes1") == ()


def test_notes_of_a_section_of_sections_reach_its_codes(edition: Edition) -> None:
    assert "T20-T32" in {note.place for note in edition.notes_reaching("T20.011A")}


def test_blocks_of_one_kind_at_one_place_are_numbered(edition: Edition) -> None:
    assert [note.block for note in edition.notes("V00-V99", "note")] == [0, 1]


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("excludes1", 5407),
        ("excludes2", 2520),
        ("use_additional", 1485),
        ("code_first", 809),
        ("code_also", 655),
        ("includes", 1024),
        ("inclusion_term", 12574),
        ("note", 180),
        ("seventh_character_note", 508 + 8),
    ],
)
def test_no_line_of_any_note_is_lost(edition: Edition, kind: str, lines: int) -> None:
    assert sum(len(note.lines) for note in edition.all_notes(kind)) == lines


def test_an_unknown_kind_of_note_is_an_error(edition: Edition) -> None:
    with pytest.raises(ValueError, match="excludes1"):
        list(edition.all_notes("exclude1"))


def test_spans_are_intervals_of_numbers(edition: Edition) -> None:
    low, high = edition.span("M62.8")
    assert [edition.code(i) for i in range(low, high)] == [
        *("M62.81", "M62.82", "M62.830", "M62.831", "M62.838", "M62.84", "M62.85", "M62.89")
    ]
    assert edition.span("") == (0, edition.size)
    assert edition.range_span("A00", "B99") == (0, edition.span("C")[0])
    for prefix in ("M62.8411", "é", "\0", "ZZZ", "M" * 50):
        low, high = edition.span(prefix)
        assert low == high


def test_a_number_that_is_not_a_billable_code_has_no_spelling(edition: Edition) -> None:
    for number in (-1, edition.size, edition.universe):
        with pytest.raises(IndexError):
            edition.code(number)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("senile debility", "R54"),
        ("Debility, SENILE", "R54"),
        ("frailty", "R54"),
        ("weakness", "R53.1"),
        ("weaknes", "R53.1"),
        ("sarcopenia", "M62.84"),
        ("sarcopenai", "M62.84"),
        ("headaches", "R51.9"),
        ("muscle weakness", "M62.81"),
        ("post covid", "U09.9"),
    ],
)
def test_search_puts_the_code_a_coder_means_first(edition: Edition, text: str, code: str) -> None:
    assert edition.search(text)[0].code == code


def test_search_keeps_to_its_limit_and_to_words(edition: Edition) -> None:
    assert len(edition.search("diabetes", limit=3)) == 3
    assert edition.search("diabetes", limit=0) == []
    assert edition.search("  ... ") == []
    assert edition.search("qzxqzx") == []


def test_a_search_reads_the_texts_of_few_entries_however_many_its_words_fit(
    edition: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    text_of = SearchIndex.text
    monkeypatch.setattr(SearchIndex, "text", lambda index, entry: read.append(entry) or text_of(index, entry))
    found = edition.search("initial encounter of unspecified other fracture due to disease with the right left hand")
    assert found
    assert len(set(read)) <= 250


@pytest.mark.parametrize(
    ("starts", "ends"),
    [
        (date(2026, 4, 1), date(2026, 9, 30)),
        (date(2025, 10, 1), date(2026, 3, 31)),
        (date(2021, 1, 1), date(2021, 9, 30)),
    ],
)
def test_an_edition_ends_the_day_before_the_next_release(starts: date, ends: date) -> None:
    assert catalog.last_day(starts) == ends


def test_two_editions_in_force_on_one_day_are_refused(tmp_path: Path) -> None:
    first = EditionSource(tmp_path / "a.xml", date(2025, 10, 1), date(2026, 9, 30))
    second = EditionSource(tmp_path / "b.xml", date(2026, 4, 1), date(2026, 9, 30))
    with pytest.raises(EditionError, match=r"2025-10 \(.*\) and 2026-04"):
        catalog.in_order([second, first])


def test_the_nearest_edition_judges_a_claim_outside_all(edition: Edition) -> None:
    for day, name in ((None, "2026-04"), (date(1999, 1, 1), "2015-10"), (date(2199, 1, 1), "2026-10")):
        assert catalog.edition_for(day).key == (name, catalog.edition_for(day).starts, "2026-04")
    assert catalog.edition_for(date(2026, 5, 1)) is edition


def test_a_missing_distribution_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "_PACKAGE", "no_such_package_here")
    with pytest.raises(EditionError, match="simple-icd-10-cm"):
        catalog.bundled()


def test_a_distribution_without_the_list_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "_PACKAGE", "attrs")
    with pytest.raises(EditionError, match="no Tabular List"):
        catalog.bundled()


def cached_file(folder: Path) -> Path:
    (path,) = folder.glob("edition-2026-04-*.bin")
    return path


def test_a_damaged_cache_is_rebuilt_and_an_unusable_folder_bypassed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped, "folder", lambda: tmp_path / "nothing is shipped")
    monkeypatch.setattr(shipped, "is_checkout", lambda: False)
    source = catalog.sources()[-1]
    monkeypatch.setattr(shipped, "folder", lambda: tmp_path / "nothing-is-shipped")
    monkeypatch.setattr(shipped, "is_checkout", lambda: False)
    monkeypatch.setenv("WEAKCODE_CACHE_DIR", str(tmp_path))
    assert len(catalog.load(source).on(source.starts).billable) == 74_719
    path = cached_file(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert len(catalog.load(source).on(source.starts).billable) == 74_719
    assert cached_file(tmp_path).read_bytes() == whole

    monkeypatch.setenv("WEAKCODE_CACHE_DIR", str(path))
    assert len(catalog.load(source).on(source.starts).billable) == 74_719


def test_a_changed_list_is_not_served_from_the_old_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEAKCODE_CACHE_DIR", str(tmp_path / "cache"))
    small = tmp_path / "small.xml"
    text = (
        "<ICD10CM.tabular><chapter><name>1</name><desc>x</desc><section id='A00-A09'><desc>x</desc>"
        "<diag><name>A00</name><desc>one</desc></diag></section></chapter></ICD10CM.tabular>"
    )
    small.write_text(text)
    source = EditionSource(small, date(2020, 10, 1), date(2021, 3, 31))
    assert catalog.load(source).title("A00") == "one"
    small.write_text(text.replace("one", "two!"))
    assert catalog.load(source).title("A00") == "two!"


def test_a_file_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(EditionError, match=r"gone\.xml cannot be read"):
        catalog.load(EditionSource(tmp_path / "gone.xml", date(2020, 10, 1), date(2021, 3, 31)))


def test_a_warm_start_imports_nothing_heavy(edition: Edition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEAKCODE_CACHE_DIR", str(tmp_path))
    catalog.load(catalog.sources()[-1])
    program = (
        "import sys; from weakcode.codes import catalog;"
        "catalog.bundled();"
        "heavy = {'numpy', 'lark', 'simple_icd_10_cm', 'pyarrow'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    assert store.cache_dir() == tmp_path
