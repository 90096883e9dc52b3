"""Own rules over the bundled packs find exactly what they would, were all rules compiled together."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import weakcode
from weakcode.compile import build
from weakcode.compile.layered import LayeredRules
from weakcode.engines.judging import USUAL

OWN = {
    "forbid": "subject: M62.81\n    forbid: {anywhere: R54}",
    "first": "subject: M62.84\n    position: first",
    "require": "subject: M62.84\n    require: {before: $muscle-disease}",
    "order": "subject: R54\n    order: {before: U09.9}",
    "terms": "subject: M62.81\n    terms: [frailty]\n    fix: {action: replace-subject, code: R54}",
    "claim": "forbid: Z99.-\n    when: {setting: [inpatient]}",
    "wide": "subject: any\n    require: {anywhere: any except R54}",
    "pointed": "subject: R54\n    pointed: first",
}
SWITCHES = ["off", "error", "info", "on", None]
RULES = ["weakness/sarcopenia-underlying-disease-first", "covid/post-covid-condition-first", "own/first", "own/forbid"]
SETS = {
    "muscle-disease": "G72.-, M33.-",
    "weakness/muscle-disease": "M62.84, G70.-",
}
CLAIMS = [
    {"codes": ["M62.84", "M33.20"], "age": 80},
    {"codes": ["M62.81", "R54", "M62.84", "G72.9"], "age": 81, "setting": "inpatient", "service_date": "2026-05-02"},
    {"codes": ["J96.10", "U09.9", "R54"], "service_date": "2026-05-02"},
    {"codes": [{"code": "M62.81", "text": "frailty"}, "Z99.11"], "setting": "inpatient", "payer": "Acme"},
    {"codes": ["R54", "M62.81"], "lines": [{"number": 1, "pointers": [1, 2]}, {"number": 2, "pointers": [2, 1]}]},
    {"codes": ["M62.84", "I10"], "payer": "acme", "documented": ["covid-current"]},
]


@contextmanager
def compiled_together() -> Iterator[None]:
    """Let every program be compiled whole, as if weakcode shipped nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "_base_files", tuple)
        yield


def _written(
    folder: Path, own: list[str], switched: dict[str, str | None], sets: list[str], payer: str | None
) -> dict[str, Any]:
    rules = "".join(
        f"  - id: {name}\n    title: Own {name}\n    severity: warning\n    {OWN[name]}\n    why: ours\n"
        + ("    supersedes: [weakness/sarcopenia-underlying-disease-first]\n" if name == "first" else "")
        for name in own
    )
    head = "pack: own\ntitle: Own\ncode_sets:\n  muscle-disease: M33.-\n"
    (folder / "own.yaml").write_text(f"{head}rules:\n{rules}" if own else head + "rules: []\n")
    settings_of = {rule: value for rule, value in switched.items() if value and (rule[:4] != "own/" or rule[4:] in own)}
    lines = [f"  {rule}: {value}" for rule, value in settings_of.items()]
    text = "name: ours\nextra_rules: [own.yaml]\n"
    text += "code_sets:\n" + "".join(f"  {name}: {SETS[name]}\n" for name in sets) if sets else ""
    text += "rules:\n" + "\n".join(lines) + "\n" if lines else ""
    if payer and lines:
        text += f"payers:\n  {payer}:\n    rules:\n    {lines[0]}\n"
    (folder / "profile.yaml").write_text(text)
    return {"profile": folder / "profile.yaml"}


def _description(validator: weakcode.Validator) -> list[Any]:
    """Return all that a validator says of the claims and of itself."""
    said: list[Any] = [validator.rules, validator.packs, validator.facts, validator.rules_touching("M62.84")]
    for values in CLAIMS:
        lines = [weakcode.ServiceLine(**line) for line in values.get("lines", ())]
        claim = weakcode.Claim(**{**values, "lines": lines})
        try:
            verdict = validator.judge(claim)
        except weakcode.InputError as error:
            said.append(str(error))
            continue
        told = validator.explain(claim).to_dict()
        said += [verdict.findings, told]
    return said


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    own=st.lists(st.sampled_from(sorted(OWN)), unique=True, max_size=4),
    switched=st.fixed_dictionaries({rule: st.sampled_from(SWITCHES) for rule in RULES}),
    sets=st.lists(st.sampled_from(sorted(SETS)), unique=True),
    packs=st.sampled_from([["weakness", "covid"], ["covid", "weakness"], ["weakness"], ["lines", "weakness", "covid"]]),
    engine=st.sampled_from(["columnar", "durable"]),
    payer=st.sampled_from([None, "Acme"]),
)
def test_own_rules_over_the_bundled_packs_find_what_all_compiled_together_find(
    tmp_path_factory: pytest.TempPathFactory, own, switched, sets, packs, engine, payer
) -> None:
    folder = tmp_path_factory.mktemp("profile")
    options = {**_written(folder, own, switched, sets, payer), "packs": packs, "engine": engine}

    def made() -> Any:
        try:
            return weakcode.Validator(**options)
        except weakcode.WeakcodeError as error:
            return str(error)

    layered = made()
    with compiled_together():
        whole = made()
        if isinstance(whole, str):
            assert layered == whole
            return
        expected = _description(whole)
        batch = [one.to_pylist() for one in whole.scrub(_claims_file(folder))]
    assert isinstance(layered._judge_of(layered._edition(None)).program, LayeredRules)
    assert _description(layered) == expected
    assert _description(pickle.loads(pickle.dumps(layered))) == expected
    assert [one.to_pylist() for one in layered.scrub(_claims_file(folder))] == batch


def _claims_file(folder: Path) -> Path:
    path = folder / "claims.jsonl"
    lines = [
        {"claim_id": str(n), **{k: v for k, v in one.items() if k != "documented"}} for n, one in enumerate(CLAIMS)
    ]
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    return path


def test_validators_with_rules_of_their_own_share_one_base_and_its_tables(tmp_path: Path) -> None:
    validators = []
    for name in ("forbid", "first"):
        folder = tmp_path / name
        folder.mkdir()
        validators.append(weakcode.Validator(**_written(folder, [name], {}, [], None), engine="columnar"))
    one, other = (validator._judge_of(validator._edition(None)) for validator in validators)
    assert one.program.base is other.program.base
    tables = [[built.tables for built, _ in judge.engine._parts[0].groups(kind=USUAL)] for judge in (one, other)]
    assert tables[0] == tables[1]


def test_a_rule_with_the_id_of_a_bundled_one_is_refused_with_both_places(tmp_path: Path) -> None:
    rule = "  - {id: sarcopenia-underlying-disease-first, title: T, severity: error, subject: I10, forbid: I11.9}\n"
    (tmp_path / "own.yaml").write_text(f"pack: weakness\ntitle: Own\nrules:\n{rule}")
    with pytest.raises(weakcode.RuleFileError, match=r"sarcopenia-underlying-disease-first\" is already in .*weakness"):
        _ = weakcode.Validator(packs=["weakness", str(tmp_path / "own.yaml")]).rules
