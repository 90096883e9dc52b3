"""A rule with `by` holds codes against each other within their groups, and within nothing else."""

from __future__ import annotations

import re
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from weakcode.claims import Claim
from weakcode.codes.catalog import edition_for
from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.codes.expression.parsing import parse
from weakcode.codes.expression.spelling import spelled
from weakcode.compile.compiler import compile_packs
from weakcode.compile.lint import lint
from weakcode.rules.load import load_pack
from weakcode.rules.model import Grouping
from weakcode.semantics.edits import CompiledRule, Edit
from weakcode.semantics.groups import groups_of, side_of
from weakcode.semantics.judged import JudgedClaim
from weakcode.semantics.reference import violations

# Sides by title, placeholders, codes of five to seven characters, two that are not billable.
TEXT = """
    T24.211A T24.311A T24.212A T24.221A T24.321A H40.1111 H40.1121 H40.1131 H40.1112 H40.31X1 H40.32X1 H40.33X1
    H26.231 H26.232 L89.40 L89.41 L89.152 L89.150 M62.81 R54 H40 Z99
"""
CODES = TEXT.split()
SUBJECTS = ("T24.-, H40.-, H26.-, L89.-", "H40.1-, L89.4-, M62.81, T24.2-")
OBJECTS = ("H40.-, T24.3-", "L89.-, H40.-, R54, T24.-")
VERBS = ("forbid", "require", "order", "at_most_one")


@cache
def edition() -> Edition:
    return edition_for(None).whole


def group(code: str, places: tuple[int, ...], side: bool) -> tuple[str, ...] | None:
    """What the codes of a group share, from the code as it is written and the title that users see."""
    if code in ("H40", "Z99"):
        return None
    letters = code.replace(".", "")
    if any(place > len(letters) for place in places):
        return None
    shared = [letters[place - 1] for place in places]
    if side:
        words = set(re.findall("right|left|bilateral", edition().title(code) or ""))
        if len(words) != 1:
            return None
        shared += words
    return tuple(shared)


def named(expression: str, code: str) -> bool:
    stems = [stem.rstrip(".-") for stem in expression.split(", ")]
    return code not in ("H40", "Z99") and any(code.startswith(stem) for stem in stems)


@cache
def all_below(category: str) -> frozenset[str]:
    return frozenset(edition().titled_code(code)[0] for code in parse(f"{category}.-").resolve(edition()))


def is_met_by(category: str, objects: str, of: tuple[str, ...], places: tuple[int, ...], side: bool) -> bool:
    """Tell whether every code below a category is an object of a group."""
    return all(named(objects, code) and group(code, places, side) == of for code in all_below(category))


def expected(
    codes: list[str], verb: str, where: str, subject: str, objects: str, places: tuple[int, ...], side: bool
) -> set[tuple[int, int]]:
    """The violations, from the sentences of docs/semantics.md about the codes of one group."""
    first = [code for number, code in enumerate(codes) if code not in codes[:number]]
    at = {code: codes.index(code) + 1 for code in first}
    of = {code: group(code, places, side) for code in first}
    subjects = [code for code in first if named(subject, code) and of[code] is not None]
    found = set()
    for one in subjects:
        alike = [other for other in first if named(objects, other) and of[other] == of[one]]
        others = [at[other] for other in alike if other != one]
        related = [j for j in others if where == "anywhere" or (j < at[one]) is (where == "before")]
        if verb == "forbid" and one not in alike:
            found |= {(at[one], j) for j in related}
        elif verb == "require" and not related:
            categories = [
                other
                for other in first
                if other in ("H40", "Z99") and (where == "anywhere" or (at[other] < at[one]) is (where == "before"))
            ]
            if not any(is_met_by(category, objects, of[one], places, side) for category in categories):
                found.add((at[one], 0))
        elif verb == "order" and others and not related:
            found.add((at[one], min(others) if where == "before" else max(others)))
        elif verb == "at_most_one":
            earlier = [at[other] for other in subjects if of[other] == of[one] and at[other] < at[one]]
            found |= {(min(earlier), at[one])} if earlier else set()
    return found


@cache
def compiled(
    verb: str, where: str, subject: str, objects: str, places: tuple[int, ...], side: bool, message: str = ""
) -> tuple[list[CompiledRule], list[Edit]]:
    asked = "true" if verb == "at_most_one" else f'{{{where}: "{objects}"}}'
    text = f"""
pack: groups
title: Groups
rules:
  - id: of-one-group
    title: Of one group
    severity: warning
    subject: "{subject}"
    {verb}: {asked}
    {message}
    by: {{characters: {list(places)}, side: {str(side).lower()}}}
"""
    return compile_packs([load_pack(text, name="groups.yaml").pack], edition())


GROUPINGS = (
    ((1, 2, 3), False),
    ((1, 2, 3, 5, 6), False),
    ((7,), False),
    ((), True),
    ((1, 2, 3, 4), True),
    ((6,), True),
)


@given(
    st.lists(st.sampled_from(CODES), min_size=1, max_size=7),
    st.sampled_from(VERBS),
    st.sampled_from(("anywhere", "before", "after")),
    st.sampled_from(SUBJECTS),
    st.sampled_from(OBJECTS),
    st.sampled_from(GROUPINGS),
)
@example(["H40.1111", "H40"], "require", "anywhere", SUBJECTS[0], OBJECTS[0], GROUPINGS[0])
@example(["H40.1111", "H40"], "require", "before", SUBJECTS[0], OBJECTS[0], GROUPINGS[0])
@example(["H40.1111", "H40"], "require", "anywhere", SUBJECTS[0], OBJECTS[0], GROUPINGS[1])
def test_codes_are_held_against_those_of_their_group_alone(codes, verb, where, subject, objects, by):
    if verb == "order" and where == "anywhere":
        where = "before"
    rules, edits = compiled(verb, where, subject, objects, *by)
    judged = JudgedClaim.of(Claim(codes), edition())
    found = {(hit.subject, hit.object) for hit in violations(edits, rules, judged, edition())}
    assert found == expected(codes, verb, where, subject, objects, *by)


@pytest.mark.parametrize(
    ("rule", "apart", "groups"),
    [
        ("burn-of-one-site-in-two-degrees", r"\b(of|first|second|third|degree)\b", 106),
        ("glaucoma-of-right-and-left-eye", r"right|left", 47),
        ("leukemia-with-two-states", r",? ?(not having|having|in) (achieved )?(remission|relapse)", 11),
    ],
)
def test_the_groups_of_a_bundled_rule_differ_in_what_it_is_about_alone(rule, apart, groups):
    rules, edits = bundled()
    number = next(number for number, one in enumerate(rules) if one.id == f"guidelines/{rule}")
    own = [edit for edit in edits if edit.rule == number]
    assert len(own) == groups
    for edit in own:
        titles = {edition().titled_code(code)[1] for code in edit.subject | edit.object}
        told = [re.split(", (?:initial|subsequent) encounter", title)[0] for title in titles]
        said = {" ".join(re.sub(apart, "", title).split()) for title in told}
        assert len(said) == 1, said


@cache
def bundled() -> tuple[list[CompiledRule], list[Edit]]:
    from weakcode.rules.library import resolve_packs

    packs = [load_pack(one.path).pack for one in resolve_packs(None) if one.path.stem.startswith("guidelines")]
    return compile_packs(packs, edition())


def test_codes_that_are_not_billable_are_in_no_group():
    rules, edits = compiled("at_most_one", "anywhere", "any", "any", (1,), False)
    judged = JudgedClaim.of(Claim("H40 H40.1111 Z99 H40.1121"), edition())
    assert {hit[1:] for hit in violations(edits, rules, judged, edition())} == {(2, 4)}


@pytest.mark.parametrize(
    ("title", "side"),
    [
        ("Contracture of muscle, right ankle", "right"),
        ("Left eye", "left"),
        ("Bilateral primary osteoarthritis of knee", "both"),
        ("Injury of both eyes", "both"),
        ("Contusion of lung, bilateral", "both"),
        ("Sarcopenia", None),
        ("Other dislocation of right hip and left knee", None),
        ("Both right and left", None),
        ("Fright reaction", None),
    ],
)
def test_the_side_is_the_only_one_that_the_title_names(title, side):
    assert side_of(title) == side


def test_the_first_code_of_the_list_is_in_a_group_and_what_is_not_a_code_in_none():
    by = Grouping(characters=(1, 2, 3))
    end = edition().size
    assert groups_of(CodeSet.of([0, end, end + 1]), by, edition()) == {("A", "0", "0"): CodeSet.of([0])}
    assert groups_of(CodeSet.of([end]), by, edition()) == {}


@pytest.mark.parametrize(
    "by", [Grouping(side=True), Grouping(characters=(1, 2, 3), side=True), Grouping(characters=(2, 7))]
)
def test_codes_are_grouped_as_each_is_by_itself(by):
    # Among them sides by a 7th character, titles of other days, and titles of two sides or of an unspecified one.
    wanted = "H33-H36, H40, S42.0-, S52.5-, Z96.6-, D71, F53, M19-M20, E08.32-, C34, C43.1-, H53.46-, H54.0-"
    codes = edition().codeset(wanted)
    expected = {}
    for code_id in codes:
        code, title = edition().titled_code(code_id)
        compact = code.replace(".", "")
        side = side_of(title)
        if max(by.characters, default=0) <= len(compact) and (side or not by.side):
            group = tuple(compact[place - 1] for place in by.characters) + ((side,) if by.side else ())
            expected.setdefault(group, []).append(code_id)
    assert list(groups_of(codes, by, edition()).items()) == [(key, CodeSet.of(ids)) for key, ids in expected.items()]


def test_each_group_lists_its_own_objects_where_its_message_says_them():
    by = ((1, 2, 3), False)
    _, edits = compiled("require", "anywhere", "H40.11-, L89.4-", "H40.-, L89.15-", *by)
    assert [edit.listed for edit in edits] == [spelled(edit.object, edition()) for edit in edits]
    assert [edit.listed for edit in edits] == ["H40.-", "L89.15-"]
    _, edits = compiled("forbid", "anywhere", "H40.11-, L89.4-", "H40.12-, L89.15-", *by)
    assert [edit.listed for edit in edits] == ["", ""], "a message that names both codes lists none"
    _, edits = compiled(
        "forbid", "anywhere", "H40.11-, L89.4-", "H40.12-, L89.15-", *by, "message: 'None of {listed}.'"
    )
    assert [edit.listed for edit in edits] == ["H40.12-", "L89.15-"]
    _, edits = compiled("require", "anywhere", "H40.11-, L89.4-", "H40.12-, L89.15-", *by, "message: It needs another.")
    assert [edit.listed for edit in edits] == ["H40.12-", "L89.15-"], "what is missing is explained in any case"


def test_two_codes_are_a_group_and_one_is_none():
    _, edits = compiled("at_most_one", "anywhere", "F01.A0, F01.A4, F01.B0", "R54", (1, 2, 3, 4), False)
    assert [len(edit.subject) for edit in edits] == [2]
    _, edits = compiled("at_most_one", "anywhere", "A00.-", "R54", (1, 2, 3), False)
    assert [len(edit.subject) for edit in edits] == [3], "the first code of the list is in its group too"


def test_a_rule_whose_groups_hold_one_code_each_is_warned_of(tmp_path):
    path = tmp_path / "groups.yaml"
    path.write_text(
        "pack: groups\ntitle: Groups\nrules:\n  - id: lonely\n    title: Lonely\n    severity: info\n"
        "    subject: R54\n    forbid: M62.81\n    by: {characters: [1]}\n"
    )
    said = [warning.message for warning in lint([str(path)])]
    assert "no group of its by holds two codes that it compares, so it can never fire" in said
