"""What a rule file becomes when it is loaded."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from weakcode.errors import RuleFileError
from weakcode.rules.library import bundled_packs
from weakcode.rules.load import LoadedPack, load_pack, refuse_clashes
from weakcode.rules.model import Relation

FILE = """\
# yaml-language-server: $schema=rulefile.schema.json
pack: demo
title: Demonstration
version: "2"
sources:
  tabular: {title: Tabular List, edition: April 2026}
facts:
  covid-current: An active infection is documented.
code_sets:
  muscle: G71.-, G72.-
rules:
  - id: short-forms
    title: Everything that has a short form
    severity: warning
    subject: M62.81
    forbid: G72.1, R25.2
    when:
      setting: outpatient
      payer: Acme
      age: {min: 18}
      service_date: {from: 2025-10-01, to: 2026-09-30}
      documented: {all: covid-current}
    supersedes: icd10cm/excludes1
    examples:
      pass: [M62.81 I10]
      fail:
        - {codes: M62.81 G72.1, service_date: 2026-03-02, text: {1: weakness}, finds: [[1, 2]]}

  - id: long-forms
    title: The same in full
    severity: info
    enabled: false
    subject: M62.84
    require: {before: $muscle}
"""


def test_short_forms_mean_the_same_as_long_ones():
    rule = load_pack(FILE).pack.rules[0]
    assert rule.forbid == Relation(anywhere="G72.1, R25.2")
    assert rule.when is not None
    assert rule.when.setting == ("outpatient",)
    assert rule.when.payer == ("Acme",)
    assert rule.when.documented is not None
    assert rule.when.documented.all == ("covid-current",)
    assert rule.supersedes == ("icd10cm/excludes1",)
    assert rule.examples.passing[0].codes == "M62.81 I10"


def test_dates_positions_and_truth_values_have_their_types():
    first, second = load_pack(FILE).pack.rules
    assert first.when is not None
    assert first.when.service_date is not None
    assert first.when.service_date.from_ == dt.date(2025, 10, 1)
    failing = first.examples.fail[0]
    assert failing.service_date == dt.date(2026, 3, 2)
    assert failing.text == {1: "weakness"}
    assert failing.finds == ((1, 2),)
    assert second.enabled is False
    assert second.require == Relation(before="$muscle")


def test_a_loaded_pack_knows_its_file_its_digest_and_the_line_of_each_rule(tmp_path):
    path = tmp_path / "demo.yaml"
    path.write_text(FILE, encoding="utf-8")
    loaded = load_pack(path)
    assert loaded.path == str(path)
    assert loaded.digest == hashlib.sha256(FILE.encode()).hexdigest()
    assert loaded.lines == {"short-forms": 12, "long-forms": 29}


def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path):
    with pytest.raises(RuleFileError, match="the file cannot be read: no such file"):
        load_pack(tmp_path / "none.yaml")


def test_a_rule_id_in_two_files_is_refused_with_both_places():
    files = [load_pack(FILE, name="one.yaml"), load_pack(FILE, name="two.yaml")]
    with pytest.raises(RuleFileError) as caught:
        refuse_clashes(files)
    assert str(caught.value.problems[0]) == (
        'two.yaml:12:1: the rule "demo/short-forms" is already in one.yaml:12; give the pack or the rule another name'
    )


@pytest.mark.parametrize("name", list(bundled_packs()))
def test_every_bundled_pack_loads_and_its_files_bear_its_name(name):
    for path in bundled_packs()[name]:
        assert load_pack(path, bundled=True).pack.pack == name
        assert path.stem == name or path.stem.startswith(f"{name}-")


def loads_or_is_refused(content: str | bytes) -> None:
    try:
        assert isinstance(load_pack(content), LoadedPack)
    except RuleFileError as error:
        problems = error.problems
    else:
        return
    assert problems
    assert all(problem.line >= 1 and problem.column >= 1 for problem in problems)


RULE = "pack: a\ntitle: t\nrules: [{id: a, title: t, severity: info, forbid: '%s'}]\n"
DEEP = RULE % ("(" * 2000 + "I10" + ")" * 2000)


@given(st.one_of(st.text(), st.binary()))
@example("\ud800")
@example("a: " + "9" * 5000)
@example("a: 1e999\nb: .inf\nc: .nan\n")
@example(DEEP)
@example("rules: {}\n")
@example("rules: [[]]\nsources: []\nfacts: 1\ncode_sets: [a]\npack: []\n")
@example("? {a: b}\n: c\n")
@example("a: >\r\n  x\r  y\x85  z\n")
def test_any_content_either_loads_or_is_refused(content):
    loads_or_is_refused(content)


WORDS = sorted(set(FILE.replace(":", " : ").replace("[", " [ ").replace("{", " { ").split(" ")))


@settings(deadline=None)
@given(
    start=st.integers(0, len(FILE)),
    length=st.integers(0, 40),
    insert=st.one_of(st.sampled_from(WORDS), st.text(max_size=8)),
)
def test_a_rule_file_with_any_damage_either_loads_or_is_refused(start, length, insert):
    loads_or_is_refused(FILE[:start] + insert + FILE[start + length :])


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.sampled_from(["I10", "error", "$x", "{", "2026-01-01"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["id", "codes", "before", "from", "pass", "all", "age", "min", "action", "code", "1"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)


@settings(deadline=None)
@given(
    rule=st.dictionaries(
        st.sampled_from(
            [
                "id",
                "title",
                "severity",
                "subject",
                "forbid",
                "require",
                "order",
                "position",
                "terms",
                "cases",
                "when",
                "message",
                "fix",
                "examples",
                "sources",
                "supersedes",
                "effective",
                "notes",
                "once",
                "at_most_one",
            ]
        ),
        VALUES,
    )
)
def test_a_rule_with_any_values_under_its_keys_either_loads_or_is_refused(rule):
    import json

    loads_or_is_refused(f"pack: demo\ntitle: t\nrules: [{json.dumps({'id': 'a', 'title': 't', **rule})}]\n")
