"""The schemas that editors read say the same as the loader."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from weakcode.rules.library import bundled_packs, packs_folder
from weakcode.rules.model import Pack
from weakcode.rules.profile import Profile
from weakcode.rules.schema import NAMES, render, schema_for
from weakcode.rules.yamlmarks import read

MINIMAL: dict[str, Any] = {
    "pack": "demo",
    "title": "t",
    "rules": [{"id": "a", "title": "t", "severity": "info"}],
}


def as_json(value: Any) -> Any:
    """Keys become text, as they do in an editor."""
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    return [as_json(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", list(NAMES))
def test_the_shipped_schema_is_the_generated_one(name):
    shipped = (packs_folder() / name).read_text(encoding="utf-8")
    assert shipped == render(NAMES[name]), "run: python -m weakcode.rules.schema"
    jsonschema.Draft202012Validator.check_schema(json.loads(shipped))


@pytest.mark.parametrize(
    "path", [path for paths in bundled_packs().values() for path in paths], ids=lambda path: path.stem
)
def test_every_bundled_pack_names_the_schema_and_follows_it(path):
    text = path.read_text(encoding="utf-8")
    assert text.splitlines()[0] == "# yaml-language-server: $schema=rulefile.schema.json"
    jsonschema.validate(as_json(read(text, path.stem).data), schema_for(Pack))


def with_rule(**keys: Any) -> dict[str, Any]:
    return {**MINIMAL, "rules": [{**MINIMAL["rules"][0], **keys}]}


@pytest.mark.parametrize(
    "keys",
    [
        {"forbid": "I10"},
        {"forbid": {"before": "I10"}},
        {"supersedes": "icd10cm/excludes1"},
        {"supersedes": ["icd10cm/excludes1"]},
        {"when": {"setting": "inpatient", "payer": ["A", "B"]}},
        {"examples": {"pass": ["I10"], "fail": [{"codes": "I10", "text": {"1": "x"}, "finds": [[1]]}]}},
        {"effective": {"from": "2025-10-01"}},
    ],
)
def test_the_schema_takes_what_the_loader_takes(keys):
    jsonschema.validate(with_rule(**keys), schema_for(Pack))


@pytest.mark.parametrize(
    "keys",
    [
        {"severity": "eror"},
        {"id": "Not An Id"},
        {"subjet": "I10"},
        {"forbid": {"before": "I10", "after": "I11.9"}},
        {"enabled": "no"},
        {"terms": "frailty"},
        {"supersedes": "excludes1"},
        {"effective": {"from_": "2025-10-01"}},
        {"examples": {"passing": ["I10"]}},
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(keys):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(with_rule(**keys), schema_for(Pack))


def test_every_key_of_the_schema_has_a_sentence_about_it():
    for schema in (schema_for(Pack), schema_for(Profile)):
        for definition in (schema, *schema["$defs"].values()):
            shape = definition["anyOf"][1] if "anyOf" in definition else definition
            assert all(entry["description"].endswith(".") for entry in shape["properties"].values())


def test_the_schema_of_profiles_takes_off_as_a_word():
    profile = {
        "name": "clinic",
        "rules": {"weakness/documented-term": "off"},
        "payers": {"Acme": {"rules": {}}},
    }
    jsonschema.validate(profile, schema_for(Profile))
