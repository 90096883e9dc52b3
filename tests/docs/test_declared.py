"""What is declared in code stands in the guides: keys of rule files, verbs, fields of claims."""

from __future__ import annotations

import re
from pathlib import Path

import attrs
import pytest

from weakcode.fields import FIELDS, LINE_FIELDS
from weakcode.rules.checks.pack import VERBS
from weakcode.rules.model import Case, When
from weakcode.rules.structure import file_key
from weakcode.semantics.conditions import CODE_PARTS, NEEDS, PARTS, Condition
from weakcode.semantics.verbs import FORMS, Verb, Where

DOCS = Path(__file__).resolve().parents[2] / "docs"
KEYS = [file_key(field) for cls in (When, Case) for field in attrs.fields(cls)]


@pytest.mark.parametrize("key", [key for key in KEYS if key not in ("subject", "message")])
def test_the_guide_to_rules_names_every_key_of_a_case_and_of_its_condition(key: str) -> None:
    text = (DOCS / "rules-language.md").read_text("utf-8")
    assert f"`{key}`" in text or f"`{key}:" in text


@pytest.mark.parametrize("name", [field.name for field in (*FIELDS, *LINE_FIELDS)])
def test_the_guides_to_claims_name_every_field(name: str) -> None:
    assert any(f"`{name}`" in (DOCS / page).read_text("utf-8") for page in ("formats.md", "reference/claims.md"))


def test_every_verb_of_rule_files_is_one_of_the_semantics() -> None:
    # Words in documented text are no verb of their own: they filter subjects that are there.
    assert {form.key for form in FORMS.values() if form.key} == {*VERBS} - {"terms"}


def test_every_field_of_a_condition_belongs_to_one_part_and_every_need_is_told() -> None:
    fields = [name for part in PARTS for name in part.fields] + [part.name for part in CODE_PARTS]
    assert sorted(fields) == sorted(field.name for field in attrs.fields(Condition))
    assert {part.need for part in PARTS if part.need} == set(NEEDS)


def test_the_kernel_numbers_verbs_and_relations_as_the_specification_and_names_verbs_in_one_header() -> None:
    kernel = DOCS.parent / "src" / "weakcode" / "engines" / "kernel"
    verbs, relations = re.findall(r"enum \{ ((?:PRESENT|ANYWHERE)[^}]*) \};", (kernel / "_verbs.h").read_text("utf-8"))
    assert verbs.split(", ") == [*(verb.name for verb in Verb), "VERBS"]
    assert relations.split(", ") == [where.name for where in Where]
    # The loops know lists of edits and what is said of a subject; which verb that comes from, they do not ask.
    named = {verb.name for verb in Verb} - {"CLAIM_REQUIRE"}
    for path in {*kernel.glob("*.h"), *kernel.glob("*.pxi")} - {kernel / "_verbs.h"}:
        code = re.sub(r"/\*.*?\*/|#.*", "", path.read_text("utf-8"), flags=re.DOTALL)
        assert not named & set(re.findall(r"\w+", code)), path.name
