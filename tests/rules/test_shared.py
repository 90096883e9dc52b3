"""What the rule files of a folder share: publications, and the version, code sets, facts and ages of a pack."""

from __future__ import annotations

from pathlib import Path

import pytest

import weakcode
from weakcode.errors import RuleFileError
from weakcode.rules.library import bundled_packs
from weakcode.rules.load import load_pack
from weakcode.rules.yamlmarks import read

HEAD = """\
pack: house
title: The whole pack
version: "7"
code_sets: {pain: R52}
facts: {seen: The patient was seen.}
ages: {grown: [{min: 18}, {from: 2026-01-01, min: 21, max: 90}]}
"""
PART = """\
pack: house
title: A part of it
rules:
  - id: pain
    title: Pain
    severity: warning
    subject: $pain
    position: secondary
    when: {documented: {none: seen}}
    sources: [{source: book, at: p. 1}]
  - id: grown
    title: Age
    severity: warning
    forbid: I10
    when: {age: {outside: grown}}
    message: "{subject} is for ages {ages}."
"""


@pytest.fixture
def part(tmp_path: Path) -> Path:
    (tmp_path / "_sources.yaml").write_text("sources: {book: {title: The book, edition: '{edition}'}}\n")
    (tmp_path / "house.yaml").write_text(HEAD)
    path = tmp_path / "house-pain.yaml"
    path.write_text(PART)
    return path


def test_a_part_of_a_pack_has_the_version_code_sets_facts_and_publications_of_the_whole(part: Path) -> None:
    loaded = load_pack(part).pack
    assert (loaded.version, loaded.title) == ("7", "A part of it")
    (finding,) = weakcode.check(["R52", "E11.9"], packs=[part], service_date="2026-05-04")
    assert [str(source) for source in finding.sources] == ["The book (2026-04), p. 1"]


def test_a_change_in_what_is_shared_is_seen(part: Path) -> None:
    assert weakcode.check(["R52", "E11.9"], packs=[part])
    (part.parent / "house.yaml").write_text(HEAD.replace("R52", "R53.1"))
    assert not weakcode.check(["R52", "E11.9"], packs=[part])
    assert weakcode.check(["R53.1", "E11.9"], packs=[part])


def test_a_file_in_a_folder_without_publications_can_cite_those_of_weakcode(part: Path) -> None:
    (part.parent / "_sources.yaml").unlink()
    part.write_text(PART.replace("source: book", "source: guidelines"))
    assert load_pack(part).pack.sources["guidelines"].publisher


@pytest.mark.parametrize(
    ("age", "date", "ages"),
    [
        (17, "2025-12-31", "from 18"),
        (18, "2025-12-31", None),
        (95, "2025-12-31", None),
        (20, "2026-01-01", "21 to 90"),
        (21, "2026-01-01", None),
        (91, "2026-01-01", "21 to 90"),
        (None, "2026-01-01", None),
    ],
)
def test_age_limits_are_those_of_the_service_date(part: Path, age: int | None, date: str, ages: str | None) -> None:
    found = weakcode.check(["I10"], packs=[part.parent], age=age, service_date=date)
    assert [finding.message for finding in found] == (
        [f"{found[0].message.split(' is for')[0]} is for ages {ages}."] if ages else []
    )


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('version: "8"\n', '"version" belongs to the pack and stands in house.yaml; remove it'),
        ("code_sets: {pain: R53.1}\n", '"pain" is already in code_sets of house.yaml, for the whole pack; keep one'),
        ("facts: {seen: Again.}\n", '"seen" is already in facts of house.yaml'),
        ("ages: {grown: [{min: 3}]}\n", '"grown" is already in ages of house.yaml'),
        ("ages: {old: [{min: 3}, {min: 4}]}\n", '"from": every entry but the first says the date it holds from'),
        ("ages: {old: [{max: 300}]}\n", '"max": an age is 0 to 150 years, found 300'),
        ("ages: {old: [{from: 2026-01-01}]}\n", 'give "min", "max" or both'),
    ],
)
def test_what_a_bundled_part_may_not_say_is_reported(part: Path, more: str, message: str) -> None:
    part.write_text(more + PART)
    with pytest.raises(RuleFileError) as caught:
        load_pack(part, bundled=True)
    assert message in str(caught.value)


def test_a_copy_of_a_pack_beside_it_goes_by_what_stands_in_itself(part: Path) -> None:
    copy = part.with_name("house-of-last-year.yaml")
    copy.write_text(HEAD.replace("R52", "R53.1").replace('"7"', '"6"') + PART.partition("it\n")[2])
    assert load_pack(copy).pack.version == "6"
    assert not weakcode.check(["R52", "E11.9"], packs=[copy])


@pytest.mark.parametrize(
    ("age", "message"),
    [
        ("{outside: grwn}", '"grwn" is not among ages (did you mean "grown"?)'),
        ("{outside: grown, min: 3}", '"outside" stands instead of "min" and "max"; keep one'),
    ],
)
def test_an_age_that_is_not_there_is_reported(part: Path, age: str, message: str) -> None:
    part.write_text(PART.replace("{outside: grown}", age))
    with pytest.raises(RuleFileError) as caught:
        load_pack(part)
    assert message in str(caught.value)


def test_no_bundled_file_declares_a_publication_of_its_own_and_no_part_speaks_for_its_pack() -> None:
    for name, paths in bundled_packs().items():
        for path in paths:
            data = read(path.read_bytes(), path.name).data
            assert "sources" not in data, path
            if path.stem != name:
                assert not {"version", "code_sets", "facts", "ages"} & set(data), path
