from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.codes.expression import expressions as e
from weakcode.codes.expression.expressions import Expression
from weakcode.codes.expression.notation import read
from weakcode.codes.expression.parsing import parse
from weakcode.errors import NotationError

NOTE_KINDS = ("excludes1", "excludes2", "code_first", "use_additional", "code_also")


@pytest.fixture(scope="module")
def codes(edition: Edition) -> list[str]:
    """All billable codes, compact."""
    return [edition.compact_code(i) for i in edition.billable]


Named = Callable[[str], set[str]]


@pytest.fixture(scope="module")
def named(edition: Edition) -> Named:
    """The billable codes, compact, that an expression names."""
    return lambda text: {edition.compact_code(i) for i in edition.codeset(text) if i < edition.size}


# Each form with a regular expression over compact codes that says what it means.
FORMS = [
    ("M62.84", "M6284"),
    ("m6284", "M6284"),
    ("G72.-", "G72.*"),
    ("G72", "G72.*"),
    ("M79.1-", "M791.*"),
    ("F33-", "F33.*"),
    ("I69.", "I69.*"),
    ("M51.1.-", "M511.*"),
    ("A00-B99", "[AB].*"),
    ("K85-K86.-", "K8[56].*"),
    ("F10.-F19.-", "F1[0-9].*"),
    ("F10.--F19.-", "F1[0-9].*"),
    ("F10.- -F19.-", "F1[0-9].*"),
    ("P28.3- - P28.4-", "P28[34].*"),
    ("I70.2--I70.7-", "I70[2-7].*"),
    ("S12.0--S12.6.-", "S12[0-6].*"),
    ("I01.0 -I01.9", "I01.*"),
    ("S00 - S09", "S0.*"),
    ("M05.00 to M05.8A", "M05[0-8].*"),
    ("I60.-. I61.-, I62.-", "I6[012].*"),
    ("J00-J06; J20-J22", "J0[0-6].*|J2[0-2].*"),
    ("C43.2-,C44.2-", "C4[34]2.*"),
    ("S24.0 and S24.1", "S24[01].*"),
    ("A00-R94 and T80-T88.6, T88.8", "(?:[A-Q]|R[0-8]|R9[0-4]).*|T8[0-7].*|T88[0-68].*"),
    ("K50.014, K50.114,", "K50[01]14"),
    ("Chapter 20", "[V-Y].*"),
    ("chapter 1", "[AB].*"),
    ("B27.0-B27.9 with fifth character 1", "B27.1.*"),
    ("A37 with fifth-character 1", "A37.1"),
    ("T36-T50 with final character 6", "T(?:3[6-9]|4.|50)(?:..6|.6X)."),
    ("T36-T50 with fifth or sixth character 5", "T(?:3[6-9]|4.|50)(?:..5|.5X)."),
    ("T36-T50 with fifth or six character 5", "T(?:3[6-9]|4.|50)(?:..5|.5X)."),
    ("T41.- with fifth or sixth character 5", "T41(?:..5|.5X)."),
    ("T36-T65 with fifth or sixth character 1-4", "T(?:3[6-9]|[45].|6[0-5])(?:..[1-4]|.[1-4]X)."),
    ("T36-T65 with fifth or sixth character 1-4 or 6", "T(?:3[6-9]|[45].|6[0-5])(?:..[1-46]|.[1-46]X)."),
    ("T39.0-, with sixth character 1-4", "T390.[1-4]."),
    ("E08-E13 with .51-.52", "E(?:0[89]|1[013])5[12].*"),
    ("E08-E13 with .62-", "E(?:0[89]|1[013])62.*"),
    ("E08-E13 with .9", "E(?:0[89]|1[013])9.*"),
    ("V01-V09 with 5th character 9", "V0[1-9].9.*"),
    ("F10-F19 with 5th character .6", "F1..6.*"),
    ("J96. with 5th character 2", "J96.2"),
    ("I69. with final characters -23", "I69.23"),
    ("E08, E09, E11, E13 with final characters .00 or .01", "E(?:0[89]|1[13])0[01]"),
    ("F10, F13, F19 with .26, .96", "F1[039][29]6.*"),
    ("F10-F19, with .17, .27, .97", "F1.[129]7.*"),
    ("F11-F19 with .15. .25, .95", "F1[1-9][129]5.*"),
    ("F10-F19 with .151, .251, .951", "F1.[129]51"),
    ("F11-F19 with fifth to sixth characters 51", "F1[1-9].51"),
    ("S06.0X- with seventh character A", "S060X.A"),
    ("S92.-with 7th character B", "S92...B"),
    ("S42.- with 7th character B or C", "S42...[BC]"),
    ("S32.1--S32.9 with 7th character B", "S32[1-9]..B"),
    ("A00-B99 except A41.-, B20", "(?!A41|B20)[AB].*"),
    ("A00-B99 except (A00-A99 except A41)", "B.*|A41.*"),
    ("U07.1, (T36-T50 with sixth character 5)", "U071|T(?:3[6-9]|4.|50)..5."),
    ("(A00, A01), B20", "A0[01].*|B20"),
]


@pytest.mark.parametrize(("text", "meaning"), FORMS, ids=[text for text, _ in FORMS])
def test_each_form_names_the_codes_it_should(text: str, meaning: str, named: Named, codes: list[str]) -> None:
    wanted = {code for code in codes if re.fullmatch(meaning, code)}
    assert wanted
    assert named(text) == wanted


def test_any_names_every_number_of_the_edition(edition: Edition) -> None:
    assert set(edition.whole.codeset("any")) == set(range(edition.universe))
    assert edition.unknown_id in edition.codeset("any except A00-Z99")
    assert len(edition.codeset("any with fifth character 1")) < edition.size


def test_the_intent_of_a_drug_code_is_its_last_real_character(named: Named) -> None:
    adverse = named("T36-T50 with fifth or sixth character 5")
    assert {"T360X5A", "T39015A", "T3695XA", "T43655A"} <= adverse
    # T36.5- is a substance, T43.65- too; both are accidental poisoning here.
    assert not {"T365X1A", "T43651A"} & adverse


def test_a_range_follows_the_order_of_the_tabular_list(named: Named) -> None:
    assert not {code for code in named("C76-C80") if code.startswith(("C7A", "C7B"))}
    assert {code for code in named("C43-C44") if code.startswith("C4A")}
    assert {code for code in named("M05-M14") if code.startswith("M1A")}
    assert not {code for code in named("D37-D48") if code.startswith("D3A")}
    assert {code[:3] for code in named("T20-T32")} >= {"T20", "T28", "T32"}


def test_a_range_between_unknown_codes_is_read_alphabetically(named: Named, codes: list[str]) -> None:
    assert named("A10-A14, B11-B14") == {code for code in codes if code[:3] in ("A10", "B11", "B12", "B13", "B14")}


def test_a_with_holds_for_the_list_before_it_and_no_further(named: Named) -> None:
    assert named("F10, F13 with .26, B20") == {"F1026", "F1326", "B20"} & named("any")
    assert named("F10 with .26, F13 with .96") == {"F1026", "F1396"}


def test_every_parenthesised_reference_of_the_tabular_list_parses(edition: Edition) -> None:
    refused = set()
    seen = 0
    for kind in NOTE_KINDS:
        for note in edition.all_notes(kind):
            for text in re.findall(r"\(([^()]*)\)", " ".join(note.lines)):
                if re.search(r"[A-Z][0-9][0-9A-Z]|\.[0-9]|Chapter [0-9]", text):
                    seen += 1
                    try:
                        assert parse(str(parse(text))) == parse(text)
                    except NotationError:
                        refused.add(text)
    assert seen > 9_000
    assert refused == {
        "S52.- with open fracture 7th character",
        "T51-T65 with fifth or sixth character to indicate intent",
    }


@pytest.mark.parametrize("text", ["with C3 glomerulopathy", "type 1", "hello", "see Index", ""])
def test_prose_is_not_an_expression(text: str) -> None:
    with pytest.raises(NotationError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("M62.84,, M62.81", 8, "a code such as"),
        ("M62.84 excpt M62.81", 8, '"except"'),
        ("M62.81 M62.82", 8, "a comma"),
        ("B99-A00", 5, "a code after B99"),
        ("G72.1 with", 11, '"fifth", "sixth"'),
        ("T36 with fifth character 15", 26, "one letter or digit"),
        ("T36 with fifth character 4-1", 28, "a character after 4"),
        ("T36 with fifth to sixth characters 5", 36, "2 letters or digits"),
        ("T36 with sixth to fifth characters 51", 19, "a position after the sixth"),
        ("E08 with .5-.62", 13, "as long as .5"),
        ("E08 with .52-.51", 14, "after .52"),
        ("(A00", 5, '")"'),
        ("A00\n  B99 except", 7, "a comma"),
        ("$", 1, "a code set such as $name"),
        ("M62.84 §", 8, "a comma"),
    ],
)
def test_an_error_points_at_the_character_and_says_what_may_stand_there(text: str, column: int, expected: str) -> None:
    with pytest.raises(NotationError) as caught:
        parse(text)
    assert (caught.value.text, caught.value.column) == (text, column)
    assert expected in caught.value.expected
    assert f"character {column}" in str(caught.value)


def test_a_code_set_is_used_by_name(edition: Edition) -> None:
    sets = {"myopathy": CodeSet((edition.span("G72"),))}
    expression = parse("$myopathy except G72.1")
    assert expression.names == {"myopathy"}
    assert expression.resolve(edition, sets) == edition.codeset("G72 except G72.1")


def test_an_unknown_code_set_is_reported_with_the_nearest_name(edition: Edition) -> None:
    with pytest.raises(NotationError, match=r'did you mean "myopathy"') as caught:
        parse("M62.84, $myopaty").resolve(edition, {"myopathy": CodeSet()})
    assert caught.value.column == 9


def test_names_are_gathered_from_everywhere() -> None:
    found = parse("$a, ($b-1 with fifth character 1) except (G72 except $c_2)").names
    assert found == {"a", "b-1", "c_2"}


def test_parts_that_name_nothing_are_reported(edition: Edition) -> None:
    text = "M62.99, G72, (A00, U07.1 with fifth character 1), B21-B23 except Z99.99, Chapter 30"
    assert parse(text).unmatched(edition) == (
        *(
            "M62.99",
            "A00 with fifth character 1",
            "U07.1 with fifth character 1",
            "B21-B23",
            "Z99.99",
            "Chapter 30",
        ),
    )
    assert edition.codeset("M62.99") == CodeSet()


# Expressions made at random, and what they mean read code by code.

CODES = ["A00", "A001", "M62", "M6281", "G72", "T36", "T360X5A", "B20", "E0851", "C7A", "U071", "I10", "Z99"]
codes_ = st.sampled_from(CODES)
positions = st.lists(st.integers(4, 7), min_size=1, max_size=3, unique=True).map(lambda p: tuple(sorted(p)))
pair = st.lists(st.sampled_from("0125AX"), min_size=2, max_size=2).map(lambda p: (min(p), max(p)))
conditions: st.SearchStrategy[e.Condition] = st.one_of(
    st.builds(e.Position, positions, st.lists(pair, min_size=1, max_size=3).map(tuple)),
    st.builds(lambda value: e.CharacterRun(5, 6, value), st.sampled_from(["51", "X5", "00"])),
    st.builds(e.Final, st.lists(st.sampled_from(["23", ".00", "A", ".6"]), min_size=1).map(tuple)),
    st.builds(e.Suffixes, st.lists(st.sampled_from([("51", "52"), ("6", "6"), ("0", "9")]), min_size=1).map(tuple)),
)
atoms: st.SearchStrategy[Expression] = st.one_of(
    st.builds(e.Below, codes_),
    st.sampled_from([e.Through("A00", "B99"), e.Through("T36", "T50"), e.Through("G720", "G729")]),
    st.builds(e.Chapter, st.integers(1, 22)),
    st.builds(e.Name, st.sampled_from(["a", "post-covid"])),
    st.just(e.Any()),
)


def with_parts(parts: list[Expression], condition: e.Condition) -> Expression:
    whole = e.union(parts)
    return e.With(whole.parts if isinstance(whole, e.Union) else (whole,), condition)


expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map(e.union),
        st.builds(e.Except, inner, inner),
        st.builds(with_parts, st.lists(inner, min_size=1, max_size=3), conditions),
    ),
    max_leaves=8,
)
SETS = {"a": ["G72", "A00"], "post-covid": ["U099"]}
CHAPTERS = re.findall(r"[A-Z]+", "AB CD D E F G H H I J K L M N O P Q R ST VWXY Z U")


def chapter_of(code: str) -> int:
    if code[0] == "D":
        return 2 if code[1] in "0123" or code[1] == "4" else 3
    if code[0] == "H":
        return 7 if code[1] < "6" else 8
    return next(number for number, letters in enumerate(CHAPTERS, 1) if code[0] in letters)


def naive(expression: Expression, code: str) -> bool:
    """Whether one billable code is named, by prefixes alone."""
    match expression:
        case e.Below(prefix):
            return code.startswith(prefix)
        case e.Through(first, last):
            return first <= code and (code <= last or code.startswith(last))
        case e.Chapter(number):
            return chapter_of(code) == number
        case e.Name(name):
            return code.startswith(tuple(SETS[name]))
        case e.Any():
            return True
        case e.Union(parts):
            return any(naive(part, code) for part in parts)
        case e.Except(base, cut):
            return naive(base, code) and not naive(cut, code)
        case e.With(parts, condition):
            return any(naive(part, code) for part in parts) and fits(condition, code)
    raise AssertionError(expression)


def fits(condition: e.Condition, code: str) -> bool:
    match condition:
        case e.Position(positions, values):
            real = [code[p - 1] for p in positions if p <= len(code)]
            if len(positions) > 1:
                real = [character for character in real if character != "X"]
            return bool(real) and any(low <= real[-1] <= high for low, high in values)
        case e.CharacterRun(first, last, value):
            return code[first - 1 : last] == value
        case e.Suffixes(values):
            return any(low <= code[3:][: len(low)] <= high for low, high in values)
        case _:
            raise AssertionError(condition)


def without_final(expression: Expression) -> bool:
    return "final" not in str(expression)


@given(expressions)
def test_canonical_text_parses_back_to_the_same_expression(expression: Expression) -> None:
    assert parse(str(expression)) == expression


@given(expressions.filter(without_final))
def test_resolving_agrees_with_reading_code_by_code(edition: Edition, codes: list[str], expression: Expression) -> None:
    sets = {name: CodeSet(edition.span(prefix) for prefix in prefixes) for name, prefixes in SETS.items()}
    resolved = expression.resolve(edition, sets)
    sample = zip(edition.billable_ids[::7], codes[::7], strict=True)
    wrong = [code for i, code in sample if (i in resolved) != naive(expression, code)]
    assert wrong == []


@given(st.text(alphabet="A0.-1 ,;()$x5withoranyexceptB9", max_size=30))
def test_any_text_parses_or_is_a_notation_error(text: str) -> None:
    column = 1
    try:
        parse(text)
    except NotationError as error:
        column = error.column
    assert 1 <= column <= len(text) + 1


_PLAIN = ["A00", "b20.", "C4A", "E11.65", "m62.8-", "S52.501A", "T36.-", "Z3A.--", "any", "ANY", "or4"]
_PLAIN += [
    "",
    "(A00)",
    "A00-B99",
    "E08.0-E08.8",
    "T36-T3A",
    "b99-a00",
    "$a",
    "$Post-covid_2",
    "$a-",
    "$",
    "Chapter 3",
    "except",
    "with",
    "(A00, $b except A00.1)",
    "E08 -E09.-",
    "M05.00 to M05.8A",
    "A00. B01",
    "(",
    ")",
    "chapter 30",
]
_CODES = st.sampled_from(_PLAIN)
_WITH = [f" with {rest}" for rest in ("seventh character A", "Fifth characters 1-4 or x", "4th character 1", "sixth")]
_WITH += [" with fifth to sixth characters 51", " with final characters -91 or .00", " with .62-, .7-.9. .8 or .5"]
_WITH += [
    " with seventh to sixth character 51",
    " with final character",
    " with .7-.51",
    " with Six or 4th-character .6 or X",
]
_WITH += [", with fourth character 5-1", " with fifth or sixth character 5", " with .51", " with sixth character A or"]
_BETWEEN = st.sampled_from(
    [",", ", ", ". ", "-", " - ", "\u2013", " through ", ";", " and ", ",,", " ", " except ", "\n  Except\t", *_WITH]
)


def named_at(expression: Expression) -> list[tuple[str, int]]:
    if isinstance(expression, e.Name):
        return [(expression.name, expression.column)]
    return [found for part in expression._parts() for found in named_at(part)]


@given(st.lists(st.tuples(_CODES, _BETWEEN), min_size=1, max_size=5), st.booleans())
def test_a_plain_expression_is_read_as_the_grammar_reads_it(parts: list[tuple[str, str]], whole: bool) -> None:
    text = "".join(code + between for code, between in parts)
    if whole:
        text = text.removesuffix(parts[-1][1])
    try:
        expected = read(text)
    except NotationError as error:
        with pytest.raises(NotationError, match=re.escape(str(error))):
            parse.__wrapped__(text)
    else:
        assert parse.__wrapped__(text) == expected
        assert named_at(parse.__wrapped__(text)) == named_at(expected)
