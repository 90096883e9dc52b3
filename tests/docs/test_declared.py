"""What is declared in code stands in the guides: keys of rule files, verbs, fields of claims."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import attrs
import pytest
import yaml

from weakcode.fields import FIELDS, LINE_FIELDS
from weakcode.rules.checks.pack import VERBS
from weakcode.rules.lines.model import LINE_KEYS, SET_KEYS, PointedName
from weakcode.rules.model import Case, FactTest, When
from weakcode.rules.structure import file_key
from weakcode.semantics.conditions import CODE_PARTS, NEEDS, PARTS, Condition
from weakcode.semantics.verbs import FORMS, Verb, Where

DOCS = Path(__file__).resolve().parents[2] / "docs"
KEYS = [file_key(field) for cls in (When, Case) for field in attrs.fields(cls)]


@pytest.mark.parametrize("key", [key for key in KEYS if key not in ("subject", "message")])
def test_the_guide_to_rules_names_every_key_of_a_case_and_of_its_condition(key: str) -> None:
    text = (DOCS / "rules-language.md").read_text("utf-8")
    assert f"`{key}`" in text or f"`{key}:" in text


def _keys_and_words(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Give each key of a rule with that under which it stands, and each word with its key."""
    if isinstance(value, dict):
        for key, under in value.items():
            yield (path[-1] if path else "", key)
            yield from () if key == "examples" else _keys_and_words(under, (*path, key))
    elif isinstance(value, list):
        for one in value:
            yield from _keys_and_words(one, path)
    elif path:
        yield path[-1], str(value)


def test_the_guide_to_rules_has_an_example_of_every_condition_verb_relation_and_kind_of_pointing() -> None:
    text = (DOCS / "rules-language.md").read_text("utf-8")
    packs = [yaml.safe_load(block) for block in re.findall(r"```yaml[^\n]*\n(.*?)```", text, re.DOTALL)]
    written = [one for pack in packs if isinstance(pack, dict) for one in pack.get("rules", ())]
    said = {one for rule in written if "examples" in rule for one in _keys_and_words(rule)}
    keys = {name: {key for under, key in said if under == name} for name, _ in said}
    assert {file_key(field) for field in attrs.fields(When)} <= keys["when"]
    assert {*LINE_KEYS} <= keys["line"]
    assert {*LINE_KEYS, *SET_KEYS} <= keys["pointed"]
    assert {*get_args(PointedName)} <= keys["pointed"] | keys["how"]
    assert {file_key(field) for field in attrs.fields(FactTest)} <= keys["documented"]
    assert {form.key for form in FORMS.values() if form.key} <= keys[""] | keys["cases"]
    assert {form.word for form in FORMS.values() if form.word} <= keys["position"]
    assert {where.name.lower() for where in Where} <= keys["forbid"] | keys["require"] | keys["order"]


@pytest.mark.parametrize("name", [field.name for field in (*FIELDS, *LINE_FIELDS)])
def test_the_guides_to_claims_name_every_field(name: str) -> None:
    assert any(f"`{name}`" in (DOCS / page).read_text("utf-8") for page in ("formats.md", "reference/claims.md"))


def test_every_verb_of_rule_files_is_one_of_the_semantics() -> None:
    # Words in documented text are no verb of their own: they filter subjects that are there.
    assert {form.key for form in FORMS.values() if form.key} == {*VERBS} - {"terms"}


def test_every_field_of_a_condition_belongs_to_one_part_and_every_need_is_reported() -> None:
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
