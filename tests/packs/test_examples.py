"""Every example in the shipped rule files, one test each, through the public API.

The files are read as plain YAML here, so that a mistake in the loader cannot hide an example.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

import weakcode

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster where libyaml is there
RULES = Path(__file__).resolve().parents[2] / "rules"
FILES = [path for path in sorted(RULES.glob("*.yaml")) if path.stem.startswith(("weakness", "covid", "guidelines"))]


@cache
def _content(path: Path) -> dict[str, Any]:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)


def _examples() -> list[Any]:
    parameters = []
    for path in FILES:
        content = _content(path)
        for rule in content.get("rules", ()):
            rule_id = f"{content['pack']}/{rule['id']}"
            for kind in ("pass", "fail"):
                for number, example in enumerate(rule["examples"][kind], start=1):
                    if isinstance(example, str):
                        example = {"codes": example}
                    name = f"{rule_id}-{kind}-{number}-{example['codes'].replace(' ', '_')}"
                    parameters.append(pytest.param(path, rule_id, kind, example, id=name))
    return parameters


@cache
def _validator(path: Path, rule_id: str) -> weakcode.Validator:
    # Alone, since an example of one rule does not depend on what another supersedes; this also switches it on.
    return weakcode.Validator(packs=[path], only=[rule_id])


def _claim(example: dict[str, Any]) -> weakcode.Claim:
    texts = example.get("text", {})
    diagnoses = [
        {"code": code, "text": texts.get(position)} for position, code in enumerate(example["codes"].split(), start=1)
    ]
    known = ("age", "sex", "service_date", "setting", "payer", "documented")
    return weakcode.Claim(codes=diagnoses, **{key: example[key] for key in known if key in example})


@pytest.mark.parametrize(("path", "rule_id", "kind", "example"), _examples())
def test_an_example_is_judged_as_its_rule_file_says(
    path: Path, rule_id: str, kind: str, example: dict[str, Any]
) -> None:
    findings = _validator(path, rule_id).check(_claim(example))
    found = sorted(list(finding.positions) for finding in findings if finding.rule == rule_id)
    if kind == "pass":
        assert found == [], example.get("note", "")
    elif "finds" in example:
        assert found == sorted(example["finds"]), example.get("note", "")
    else:
        assert found, example.get("note", "")


SAFE_ACTIONS = {"resequence", "drop-repeat"}


def _rules() -> list[dict[str, Any]]:
    return [rule for path in sorted(RULES.glob("*.yaml")) for rule in _content(path).get("rules", ())]


def _mended() -> list[Any]:
    return [
        pytest.param(path, f"{_content(path)['pack']}/{rule['id']}", example, id=f"{rule['id']}-{example['codes']}")
        for path in sorted(RULES.glob("*.yaml"))
        for rule in _content(path).get("rules", ())
        for example in rule.get("examples", {}).get("fail", ())
        if isinstance(example, dict) and "fixed" in example
    ]


@pytest.mark.parametrize(("path", "rule_id", "example"), _mended())
def test_an_example_is_mended_as_its_rule_file_says(path: Path, rule_id: str, example: dict[str, Any]) -> None:
    fixed = _validator(path, rule_id).fix(_claim(example))
    assert " ".join(fixed.claim.codes) == example["fixed"]
    assert bool(fixed.applied) is (example["fixed"] != example["codes"])
    if fixed.applied:
        assert not fixed.remaining, "a mended example has no finding of its rule left"


def test_every_rule_with_a_safe_fix_says_a_mended_claim() -> None:
    safe = {
        rule["id"]: [example for example in rule.get("examples", {}).get("fail", ()) if isinstance(example, dict)]
        for rule in _rules()
        if any(one.get("fix", {}).get("action") in SAFE_ACTIONS for one in (rule, *rule.get("cases", ())))
    }
    assert len(safe) > 40
    for rule, examples in safe.items():
        mended = any(example.get("fixed", example["codes"]) != example["codes"] for example in examples)
        assert mended, f"the fix of {rule} is safe; give an example under fail with the mended claim as fixed"


@pytest.mark.parametrize("pack", ["weakness", "covid"])
def test_every_rule_has_two_examples_of_each_kind_a_source_and_its_known_problems(pack: str) -> None:
    for rule in yaml.safe_load((RULES / f"{pack}.yaml").read_text(encoding="utf-8"))["rules"]:
        assert len(rule["examples"]["pass"]) >= 2, rule["id"]
        assert len(rule["examples"]["fail"]) >= 2, rule["id"]
        assert rule["sources"], rule["id"]
        assert rule["why"], rule["id"]
        assert rule["known_problems"], rule["id"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_rule_file_names_its_schema_for_editors_in_the_first_line(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=rulefile.schema.json"
