"""The messages of a refused rule file are part of the product: place, what was found, what is right."""

# ruff: noqa: ISC004  (a message stands whole in its line)

from __future__ import annotations

from pathlib import Path

import pytest

from weakcode.errors import RuleFileError
from weakcode.rules.load import load_pack
from weakcode.rules.profileload import load_profile
from weakcode.rules.waivers import load_waivers

HEAD = """\
pack: demo
title: Demonstration
sources:
  tabular: {title: Tabular List}
facts:
  covid-current: An active infection is documented.
code_sets:
  muscle: G71.-, G72.-
rules:
"""
RULE = """\
  - id: first-rule
    title: A rule
    severity: error
    subject: M62.84
    require: {before: $muscle}
"""


def refused(text: str, **options: bool) -> list[str]:
    with pytest.raises(RuleFileError) as caught:
        load_pack(text, name="demo.yaml", **options)
    return [str(problem) for problem in caught.value.problems]


def rule(*lines: str, title: str = "A rule", severity: str = "error") -> str:
    """A file with one rule; the first of the given lines is line 13."""
    head = f"  - id: first-rule\n    title: {title}\n    severity: {severity}\n"
    return HEAD + head + "".join(f"    {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("lines", "place", "said"),
    [
        (
            ["fix: {action: resequence}", "examples: {pass: [{codes: G71.11 M62.84, fixed: M62.84 G71.11}]}"],
            "16:46",
            '"fixed": an example that passes has nothing to fix; move it to fail',
        ),
        (
            ["fix: {action: remove-subject}", "examples: {fail: [{codes: M62.84 I10, fixed: I10}]}"],
            "16:43",
            '"fixed": the rule has no safe fix (drop-repeat, resequence); remove the key',
        ),
        (
            ["fix: {action: resequence}", "examples: {fail: [{codes: M62.84 I10, fixed: I10 G72.9}]}"],
            "16:50",
            '"fixed": a safe fix changes the order or drops a repeat; write the same codes in another order',
        ),
    ],
)
def test_a_mended_claim_stands_with_a_failing_example_of_a_safe_fix(lines, place, said):
    text = rule("subject: M62.84", "require: {before: $muscle}", *lines)
    (problem,) = refused(text)
    assert problem == f"demo.yaml:{place}: {said}"


def test_a_mended_claim_may_be_written_without_dots():
    text = rule(
        "subject: M62.84",
        "require: {before: $muscle}",
        "fix: {action: resequence}",
        "examples: {fail: [{codes: M62.84 G72.9, fixed: g729 m6284}]}",
    )
    assert load_pack(text, name="demo.yaml").pack.rules[0].examples.fail[0].fixed == "g729 m6284"


def test_a_bundled_rule_with_a_safe_fix_is_refused_without_a_mended_claim():
    whole = (
        "subject: M62.84",
        "require: {before: $muscle}",
        "why: It matters.",
        "confidence: certain",
        "sources: [{source: tabular}]",
        "fix: {action: resequence}",
    )
    examples = "examples: {pass: [G72.9 M62.84], fail: [{codes: M62.84 G72.9%s}]}"
    (problem,) = refused(rule(*whole, examples % ""), bundled=True)
    assert problem.endswith("its fix is safe; give an example under fail with the mended claim as fixed")
    load_pack(rule(*whole, examples % ", fixed: G72.9 M62.84"), name="demo.yaml", bundled=True)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ["subject: M62.84", "position: first", "by: {side: true}"],
            '15:5: "by" compares two codes: give a subject with forbid, require, order or at_most_one',
        ),
        (
            ["forbid: M62.84", "by: {side: true}"],
            '14:5: "by" compares two codes: give a subject with forbid, require, order or at_most_one',
        ),
        (
            ["subject: M62.-", "at_most_one: true", "by: {}"],
            '15:5: "by" says nothing; give characters, side: true, or both',
        ),
        (
            ["subject: M62.-", "at_most_one: true", "by: {characters: [1, 8]}"],
            '15:26: "characters": a code has the characters 1 to 7, found 8',
        ),
        (
            ["subject: M62.-", "at_most_one: true", "by: {characters: [1, 2, 1]}"],
            '15:29: "characters": 1 stands twice; remove one',
        ),
        (
            ["by: {side: true}", "cases: [{subject: M62.-, forbid: M63.-}, {subject: M62.-, once: true}]"],
            '14:46: "by" compares two codes: give a subject with forbid, require, order or at_most_one',
        ),
    ],
)
def test_a_grouping_that_compares_nothing_is_refused(lines, said):
    (problem,) = refused(rule(*lines))
    assert problem == f"demo.yaml:{said}"


def test_a_typo_in_a_key_of_a_rule_names_the_key_that_was_meant():
    (problem,) = refused((HEAD + RULE).replace("subject:", "subjet:"))
    assert problem.startswith('demo.yaml:13:5: "subjet" is not a key of a rule (did you mean "subject"?); allowed')
    assert "forbid" in problem


def test_a_typo_in_a_key_at_the_top_is_placed_at_the_key():
    (problem,) = refused(HEAD.replace("code_sets", "codesets") + RULE.replace("$muscle", "G72.-"))
    assert problem.startswith('demo.yaml:7:1: "codesets" is not a key of a rule file (did you mean "code_sets"?)')


def test_a_severity_that_does_not_exist_is_answered_with_the_three_that_do():
    assert refused(rule("forbid: G72.1", severity="eror")) == [
        'demo.yaml:12:15: "severity": expected error or warning or info, found "eror" (did you mean "error"?)'
    ]


def test_a_missing_key_is_named_with_the_rule_s_line():
    assert refused(HEAD + "  - id: first-rule\n    severity: info\n    forbid: I10\n") == [
        'demo.yaml:10:5: a rule needs "title"; needed are id, title, severity'
    ]


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("subject: M62.81, %", "13:22"),
        ('subject: "M62.81, %"', "13:23"),
        ("subject: 'M62.81, %'", "13:23"),
        ("subject: >-\n      M62.81,\n      %", "15:7"),
        ("subject: |\n      M62.81, %", "14:15"),
    ],
)
def test_a_bad_code_expression_is_placed_at_the_character_inside_its_text(line, place):
    (problem,) = refused(rule(line, "forbid: I10"))
    assert problem.startswith(f'demo.yaml:{place}: "subject": ')


def test_a_bad_code_expression_in_short_and_long_form_is_placed_alike():
    (short,) = refused(rule("subject: I10", "forbid: G72.1, %"))
    (long,) = refused(rule("subject: I10", "forbid: {before: 'G72.1, %'}"))
    assert short.startswith('demo.yaml:14:20: "forbid": ')
    assert long.startswith('demo.yaml:14:30: "before": ')


def test_a_code_set_that_does_not_exist_is_placed_at_its_dollar_sign():
    assert refused(rule("subject: I10, $mucle", "forbid: I11.9")) == [
        'demo.yaml:13:19: "$mucle" is not among code_sets (did you mean "muscle"?)'
    ]


def test_code_sets_that_lead_back_to_themselves_are_refused():
    text = HEAD.replace("muscle: G71.-, G72.-", "muscle: $nerve\n  nerve: $muscle") + RULE
    assert refused(text) == [
        'demo.yaml:8:11: the code set "muscle" leads back to itself; name its codes instead',
        'demo.yaml:9:10: the code set "nerve" leads back to itself; name its codes instead',
    ]


def test_an_id_that_appears_twice_names_the_line_of_the_first():
    assert refused(HEAD + RULE + RULE) == [
        'demo.yaml:15:9: the id "first-rule" is taken by the rule in line 10; every rule has its own'
    ]


def test_an_id_with_capitals_is_refused():
    (problem,) = refused((HEAD + RULE).replace("first-rule", "First_Rule"))
    assert problem == ('demo.yaml:10:9: "id": expected a name: lower-case words joined by hyphens, found "First_Rule"')


def test_broken_yaml_is_refused_with_line_and_column():
    (problem,) = refused(HEAD + "  - id: [first\n    title: x\n")
    assert problem.startswith("demo.yaml:11:")
    assert ": this is not YAML: " in problem


def test_a_key_that_appears_twice_names_the_line_of_the_first():
    assert refused(rule("subject: I10", "forbid: I11.9", "subject: I12.9")) == [
        'demo.yaml:15:5: the key "subject" stands here again, first in line 13; keep one'
    ]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["forbid: I10", 'enabled: "no"'], '14:14: "enabled": expected true or false, without quotes, found "no"'),
        (["forbid: I10", "enabled: no"], '14:14: "enabled": expected true or false, without quotes, found "no"'),
        (["forbid: 10"], '13:13: "forbid": a relation is text or keys with values (anywhere, before, after), '
                         "found the number 10"),
        (["forbid: [I10]"], '13:13: "forbid": a relation is text or keys with values (anywhere, before, after), '
                            "found a list"),
        (["forbid: {before: I10, after: I11.9}"], '13:13: "forbid": a relation has one of anywhere, before, after, '
                                                  "found before, after"),
        (["forbid: I10", "when: {age: {min: old}}"], '14:23: "min": expected a whole number, found "old"'),
        (["forbid: I10", "when: {sex: female}"], '14:17: "sex": expected F or M, found "female"'),
        (["forbid: I10", "effective: {from: 2025-02-30}"],
         '14:23: "from": expected a date, but "2025-02-30" is not a date'),
        (["forbid: I10", "effective: {from: 1/10/2025}"],
         '14:23: "from": expected a date as YYYY-MM-DD, found "1/10/2025"'),
        (["forbid: I10", "terms: frailty"], '14:12: "terms": expected a list, found "frailty"'),
        (["forbid: I10", "message:"], '14:5: "message" has no value; give one or remove the key'),
        (["forbid: I10", "why: 5"], '14:10: "why": expected text, found the number 5; put it in quotes'),
        (["forbid: I10", "supersedes: excludes1"],
         '14:17: "supersedes": expected pack/rule, each lower-case words joined by hyphens, found "excludes1"'),
        (["forbid: I10", "examples: {pass: [5]}"], '14:23: item 1 of "pass": an example is text or keys with values '
         "(codes, age, sex, service_date, setting, payer), found the number 5"),
        (["forbid: I10", "examples: {pass: [{codes: I10, text: {one: x}}]}"],
         '14:48: "one": the key "one" is not a position; write 1, 2, …'),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_kind_is_reported_with_what_was_expected(lines, expected):
    assert refused(rule(*lines)) == [f"demo.yaml:{expected}"]


def test_a_fact_that_is_not_declared_is_refused():
    assert refused(rule("require: U07.1", "when: {documented: {all: [covid-curent]}}")) == [
        'demo.yaml:14:31: the fact "covid-curent" is not declared in this file\'s facts (did you mean "covid-current"?)'
    ]


def test_two_verbs_in_one_rule_are_refused_at_the_second():
    assert refused(rule("subject: I10", "require: I11.9", "position: first")) == [
        "demo.yaml:15:5: this rule has require and position; give one of them, or write them as cases"
    ]


def test_a_rule_that_checks_nothing_is_refused():
    (problem,) = refused(rule("subject: I10"))
    assert problem.startswith("demo.yaml:10:5: this rule checks nothing; give one of forbid, require")


def test_a_verb_beside_cases_is_refused():
    assert refused(rule("forbid: I10", "cases: [{require: I11.9}]")) == [
        'demo.yaml:13:5: "forbid" stands beside "cases"; move it into a case of its own'
    ]


@pytest.mark.parametrize(
    ("line", "verb"),
    [
        ("position: first", "position"),
        ("order: {before: I10}", "order"),
        ("at_most_one: true", "at_most_one"),
        ("once: true", "once"),
        ("terms: [frailty]", "terms"),
    ],
)
def test_a_verb_about_a_subject_needs_one(line, verb):
    assert refused(rule(line)) == [f'demo.yaml:13:5: "{verb}" needs a subject: the codes that it is about']


def test_a_case_takes_the_subject_of_its_rule():
    loaded = load_pack(rule("subject: I10", "cases: [{position: first}, {forbid: I11.9}]"))
    assert [case.subject for case in loaded.pack.rules[0].all_cases] == ["I10", "I10"]


def test_before_needs_a_subject_to_stand_before():
    assert refused(rule("require: {before: I10}")) == [
        'demo.yaml:13:15: "before" needs a subject to stand before; give the rule a subject'
    ]


def test_order_must_say_where():
    assert refused(rule("subject: I10", "order: I11.9")) == [
        'demo.yaml:14:12: "order" says where the codes stand: write before: or after: ahead of them'
    ]


def test_a_placeholder_that_does_not_exist_is_placed_inside_the_message():
    (problem,) = refused(rule("forbid: I10", 'message: "No {objct} here"'))
    assert problem.startswith('demo.yaml:14:18: "{objct}" cannot be filled in (did you mean "object"?); allowed are {')


def test_an_open_brace_in_a_message_is_refused():
    assert refused(rule("forbid: I10", 'message: "{subject"')) == [
        'demo.yaml:14:14: "message": a brace is open; write {{ and }} for literal braces'
    ]


def test_a_source_that_is_not_listed_is_refused():
    assert refused(rule("forbid: I10", "sources: [{source: tablar}]")) == [
        'demo.yaml:14:24: "tablar" is not among sources (did you mean "tabular"?)'
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("fix: {action: add}", '14:19: "add" needs "code": the code to write'),
        ("fix: {action: resequence, code: I10}",
         '14:37: "resequence" writes no code; remove "code", or use replace-subject or add'),
        ("fix: {action: add, code: frailty}",
         '14:30: "code": expected one ICD-10-CM code such as M62.81, found "frailty"'),
        ("effective: {from: 2026-01-01, to: 2025-01-01}",
         "14:23: no date is from 2026-01-01 and to 2025-01-01; exchange them"),
        ("when: {age: {min: 65, max: 18}}", "14:23: no age is at least 65 and at most 18; exchange them"),
        ("when: {age: {min: -1}}", '14:23: "min": an age is 0 to 150 years, found -1'),
        ("supersedes: demo/frist-rule", "14:17: \"demo/frist-rule\" is not a rule of this file "
                                        '(did you mean "first-rule"?)'),
        ("examples: {fail: [{codes: I10 I11.9, finds: [[3]]}]}",
         '14:42: "finds": there is no position 3; the example has 2 codes'),
        ("examples: {pass: [{codes: I10, finds: [[1]]}]}",
         '14:36: "finds": an example that passes has no findings; move it to fail'),
        ("examples: {fail: [{codes: I10, documented: covid}]}",
         "14:48: the fact \"covid\" is not declared in this file's facts; there are covid-current"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_reported(line, expected):
    found = refused(rule("forbid: I10", line))
    assert found == [f"demo.yaml:{expected}"]


def test_all_problems_of_a_file_are_reported_at_once_in_its_order():
    text = rule("subjct: I10", severity="bad") + RULE.replace("$muscle", "$muscel").replace("first", "second")
    assert [problem.split(":")[1] for problem in refused(text)] == ["12", "13", "18"]


def test_a_bundled_rule_needs_why_source_and_both_examples():
    found = refused(rule("forbid: I10"), bundled=True)
    assert [problem.partition("not complete: ")[2] for problem in sorted(found)] == [
        "cite at least one source",
        "give an example under fail",
        "give an example under pass",
        "say its confidence",
        "say why it matters",
    ]


NO_RULE_FILE = "this is not a rule file: none of the keys that one has stand at its top"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", '1:1: the file is empty; write "key: value" lines at its top'),
        ("- a\n", f"1:1: {NO_RULE_FILE}"),
        ("pack: a\n---\ntitle: 2\n", "2:1: a second document begins here; a rule file is a single one"),
        ("pack: &x 1\n", '1:7: the anchor "&x" cannot be used here; remove it'),
        ("pack: !!python/name:os.system x\n", '1:7: the tag "tag:yaml.org,2002:python/name:os.system" cannot be used '
                                           "here; write the value without it"),
        ("pack: a\ntrue: 1\n", "2:1: a key is a word, or a position such as 1; this one is neither"),
        ("pack: " + "[" * 5000, "1:30: nested deeper than 24 levels; no rule file needs that"),
        ("pack: \x00", "1:7: the character U+0000 cannot stand in a YAML file; remove it"),
        (b"pack: a\ntitle: \xff", "2:8: byte 0xff is not UTF-8; save the file as UTF-8"),
    ],
)  # fmt: skip
def test_yaml_that_no_rule_file_needs_is_refused(content, expected):
    assert refused(content) == [f"demo.yaml:{expected}"]


def test_an_alias_bomb_is_refused_before_it_grows():
    layers = "".join(f"- &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]\n" for n in range(1, 40))
    assert len(refused("pack: demo\nrules:\n- &x0 [lol]\n" + layers)) > 1


PROFILE = "name: Acme\nrules: {icd10cm/excludes1: warning}\n"
WAIVERS = "waivers: []\n"


@pytest.mark.parametrize(
    ("load", "content", "said"),
    [
        ("rules", PROFILE, "this is a profile, not a rule file; give it with --profile"),
        ("rules", WAIVERS, "this is a file of waivers, not a rule file; give it with --waivers"),
        ("profile", HEAD + RULE, "this is a rule file, not a profile; give it with --rules"),
        ("profile", WAIVERS, "this is a file of waivers, not a profile; give it with --waivers"),
        ("waivers", HEAD + RULE, "this is a rule file, not a file of waivers; give it with --rules"),
        ("waivers", PROFILE, "this is a profile, not a file of waivers; give it with --profile"),
    ],
)
def test_a_file_of_another_kind_is_reported_as_what_it_is(tmp_path: Path, load: str, content: str, said: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(content)
    loaders = {"rules": load_pack, "profile": load_profile, "waivers": load_waivers}
    with pytest.raises(RuleFileError) as caught:
        loaders[load](path)
    assert [str(problem) for problem in caught.value.problems] == [f"{path}:1:1: {said}"]
