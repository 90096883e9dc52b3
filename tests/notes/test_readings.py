"""Clinical readings of notes are data: each with its reason, and claims that show what it changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import jsonschema
import pytest

import weakcode
from weakcode.codes import catalog
from weakcode.compile.tabular.instances import KINDS
from weakcode.errors import RuleFileError
from weakcode.rules.library import readings_file, sources_file
from weakcode.rules.model import Example, Publications
from weakcode.rules.readings import Readings, bundled_readings, load_readings
from weakcode.rules.schema import schema_for
from weakcode.rules.yamlmarks import read

RULES = {
    "conditional": "icd10cm/code-first-missing",
    "stands_alone": "icd10cm/code-first-missing",
    "not_listed": "icd10cm/code-first-order",
    "only_added": "icd10cm/use-additional-order",
    "leading": "icd10cm/use-additional-order",
}


def cases() -> Iterator[tuple[str, Example, bool]]:
    for section in RULES:
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
    orders = [one.rule for one in found if one.rule == RULES[section] or (one.rule.endswith("-order") and fails)]
    assert bool(orders) == fails


@pytest.mark.parametrize("section", RULES)
def test_no_reading_stands_in_vain(section: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, the rule that it is about asks for something else."""
    edition = catalog.bundled()
    kind = RULES[section].removeprefix("icd10cm/").replace("-", "_")
    as_read = set(KINDS[kind](edition))
    entries = getattr(bundled_readings(), section)
    for entry in entries:
        without = attrs.evolve(bundled_readings(), **{section: tuple(one for one in entries if one != entry)})
        for module in ("notes", "instances"):
            monkeypatch.setattr(f"weakcode.compile.tabular.{module}.bundled_readings", lambda given=without: given)
        assert set(KINDS[kind](edition)) != as_read, entry


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
def test_what_is_wrong_in_a_reading_is_told_with_its_place(entry: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "_sources.yaml").write_text("sources: {g: {title: Guidelines}}\n")
    path = tmp_path / "readings.yaml"
    path.write_text(f"title: t\nonly_added:\n  - {entry}\n")
    with pytest.raises(RuleFileError) as caught:
        load_readings(path)
    assert message in str(caught.value)
    assert f"{path}:3:" in str(caught.value)
