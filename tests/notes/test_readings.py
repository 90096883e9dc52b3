"""Clinical readings of notes are data: each with its reason, and claims that show what it changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import jsonschema
import pytest

import weakcode
from weakcode.codes import catalog
from weakcode.compile.tabular.excludes import Sort, sorted_blocks
from weakcode.compile.tabular.instances import KINDS
from weakcode.compile.tabular.notes import read_note
from weakcode.errors import RuleFileError
from weakcode.rules.library import readings_file, sources_file
from weakcode.rules.model import Example, Publications
from weakcode.rules.readings import Readings, bundled_readings, load_readings, note_key
from weakcode.rules.schema import schema_for
from weakcode.rules.yamlmarks import read

RULES = {
    "conditional": "icd10cm/code-first-missing",
    "stands_alone": "icd10cm/code-first-missing",
    "not_listed": "icd10cm/code-first-order",
    "only_added": "icd10cm/use-additional-order",
    "leading": "icd10cm/use-additional-order",
}
EXCLUDES1 = ("apart", "sites", "excludes1")
"""Sections whose examples pass where `icd10cm/excludes1` leaves the pair to another rule."""
SORTS = {
    "excludes1": Sort.FITS,
    "excludes1-wide-reference": Sort.WIDE,
    "excludes1-and-excludes2": Sort.BOTH,
    "excludes1-two-events": Sort.EVENTS,
}
QUALIFIED = re.compile(
    r"\b(in|with|due to|complicating|following|associated with|from|caused by|secondary to|during|after"
    r"|NOS|acute|chronic|congenital|current|recurrent|postprocedural|traumatic|drug|induced|related|specified|unspecified|without|causing"
    r"|NEC)\b",
    re.IGNORECASE,
)
"""Words that may make what a note means less than its reference."""


def cases() -> Iterator[tuple[str, Example, bool]]:
    for section in (*RULES, *EXCLUDES1):
        for entry in getattr(bundled_readings(), section):
            for fails, examples in ((False, entry.examples.passing), (True, entry.examples.fail)):
                yield from ((section, example, fails) for example in examples)


@pytest.fixture(scope="module")
def validator() -> weakcode.Validator:
    return weakcode.Validator(packs=["icd10cm"])


@pytest.mark.parametrize(
    ("section", "example", "fails"), list(cases()), ids=lambda value: getattr(value, "codes", None)
)
def test_an_example_of_a_reading_is_judged_as_it_says(
    section: str, example: Example, fails: bool, validator: weakcode.Validator
) -> None:
    found = validator.check(weakcode.Claim(example.codes.split(), service_date="2026-05-04"))
    if section in EXCLUDES1:
        told = [one.rule for one in found if one.rule.startswith("icd10cm/excludes1")]
        assert ("icd10cm/excludes1" in told) == fails
        assert told or "T88.7XXA" in example.codes, "what the words do not fit is told as a warning"
        return
    orders = [one.rule for one in found if one.rule == RULES[section] or (one.rule.endswith("-order") and fails)]
    assert bool(orders) == fails


def test_every_excludes1_note_with_a_qualified_reference_was_read() -> None:
    """A note of a new edition is read by a coder before its edition is bundled; readings of notes that are gone go."""
    edition = catalog.bundled()
    keys, unread = set(), []
    for note in edition.all_notes("excludes1"):
        for line in read_note(note, edition):
            own = {note_key(note.place, reference) for reference in line.references}
            keys |= own
            words = re.sub(r"\([^()]*\)", "", line.text)
            needs = len(line.codes) > 1 and note.place[0] not in "VWXY" and QUALIFIED.search(words)
            if needs and not any(bundled_readings().excludes1_at(key) for key in own):
                unread.append((note.place, line.references))
    assert unread == []
    assert {key for one in bundled_readings().excludes1 for key in one.keys} <= keys


def test_every_reading_with_pairs_that_fit_has_some_and_leaves_others() -> None:
    by_reason: dict[str, set[Sort]] = {}
    for one in sorted_blocks(catalog.bundled()):
        by_reason.setdefault(one.why, set()).add(one.sort)
    for reading in bundled_readings().excludes1:
        sorts = by_reason.get(reading.reason, set())
        assert bool(reading.fits or reading.fits is None) == (Sort.FITS in sorts), reading.notes
        if reading.fits is not None and not reading.silent:
            assert sorts - {Sort.FITS}, reading.notes


def test_the_page_on_shares_has_the_lines_and_pairs_of_each_sort() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "shares.md").read_text("utf-8")
    edition = catalog.bundled()
    today = edition.on(edition.starts).billable
    lines: dict[Sort, set[tuple[str, str]]] = {}
    pairs: dict[Sort, int] = {}
    for one in sorted_blocks(edition):
        lines.setdefault(one.sort, set()).add((one.note.place, one.text))
        pairs[one.sort] = pairs.get(one.sort, 0) + len(one.block.held & today) * len(one.block.named & today)
    for rule, sort in SORTS.items():
        assert f"| `icd10cm/{rule}` | {len(lines[sort]):,} | {pairs[sort]:,} |" in page


@pytest.mark.parametrize("section", RULES)
def test_every_reading_has_an_effect(section: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, the rule that it is about asks for something else."""
    edition = catalog.bundled()
    kind = RULES[section].removeprefix("icd10cm/").replace("-", "_")
    as_read = set(KINDS[kind](edition))
    entries = getattr(bundled_readings(), section)
    for entry in entries:
        without = attrs.evolve(bundled_readings(), **{section: tuple(one for one in entries if one != entry)})
        for module in ("notes", "instances"):
            monkeypatch.setattr(f"weakcode.compile.tabular.{module}.bundled_readings", lambda given=without: given)
        edition.remembered.clear()
        assert set(KINDS[kind](edition)) != as_read, entry
    edition.remembered.clear()


@pytest.mark.parametrize(
    ("path", "kind", "schema"),
    [
        (readings_file(), Readings, "tabular-readings.schema.json"),
        (sources_file(readings_file()), Publications, "sources.schema.json"),
    ],
)
def test_the_files_name_their_schema_and_follow_it(path: Path, kind: type[Any], schema: str) -> None:
    text = path.read_text("utf-8")
    assert text.splitlines()[0] == f"# yaml-language-server: $schema={schema}"
    jsonschema.validate(read(text, path.name).data, schema_for(kind))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{codes: B95-B97, sources: [{source: g}], examples: {pass: [I10]}}", 'a reading needs "reason"'),
        ("{codes: B95-, reason: r, sources: [{source: h}], examples: {pass: [I10]}}", '"h" is not in _sources.yaml'),
        ("{codes: B95-, reason: r, sources: [], examples: {pass: [I10]}}", "cite at least one source"),
        ("{codes: B95-, reason: r, sources: [{source: g}], examples: {}}", "give an example under pass"),
        ("{codes: B9!, reason: r, sources: [{source: g}], examples: {pass: [I10]}}", '"codes": '),
    ],
)
def test_what_is_wrong_in_a_reading_is_reported_with_its_place(entry: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "_sources.yaml").write_text("sources: {g: {title: Guidelines}}\n")
    path = tmp_path / "readings.yaml"
    path.write_text(f"title: t\nonly_added:\n  - {entry}\n")
    with pytest.raises(RuleFileError) as caught:
        load_readings(path)
    assert message in str(caught.value)
    assert f"{path}:3:" in str(caught.value)
