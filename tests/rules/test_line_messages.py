"""What is wrong in what a rule says of service lines is told by its place, and what would be right."""

from __future__ import annotations

import pytest

from weakcode.errors import RuleFileError
from weakcode.rules.load import load_pack

HEAD = "pack: demo\ntitle: T\nrules:\n  - id: one\n    title: T\n    severity: info\n"


@pytest.mark.parametrize(
    ("lines", "line", "said"),
    [
        (["subject: R52", "pointed: {procedure: 97110}"], 8, "found the number 97110; put it in quotes"),
        (["subject: R52", 'pointed: {procedure: "97150-97110"}'], 8, '"97150-97110" is no range'),
        (["pointed: {procedure: G0283}"], 7, '"pointed" needs a subject: the codes that service lines point to'),
        (["pointed: {how: first}"], 7, '"first" needs a subject: the codes that service lines point to'),
        (["pointed: frist"], 7, 'did you mean "first"'),
        (["subject: R52", "pointed: {how: never, procedure: G0283}"], 8, '"never" is about all service lines'),
        (["pointed: {how: off-claim, procedure: G0283}"], 7, '"off-claim" is about all service lines'),
        (["pointed: {every: R52, none: R54}"], 7, '"every" says what diagnoses of a line must be; give no other'),
        (["subject: R52", "pointed: {any: R54}"], 8, '"any" says what diagnoses of a line must be; give no other'),
        (['pointed: {every: "R52 ("}'], 7, '"every"'),
        (["pointed: {none: $nowhere}"], 7, '"$nowhere" is not among code_sets'),
        (["subject: R52", "pointed: {}"], 8, '"pointed" says nothing'),
        (["subject: R52", "pointed: {units: {}}"], 8, '"units" says nothing; give min, max or both'),
        (["subject: R52", "pointed: {charge: {min: 9, max: 3}}"], 8, "no number is at least 9 and at most 3"),
        (["forbid: R52", "when: {line: {date: {from: 2026-02-01, to: 2026-01-01}}}"], 8, "exchange them"),
        (
            ["subject: R52", "pointed: {place: '11'}", "when: {line: {place: '11'}}"],
            4,
            "both say what a line must",
        ),
        (["subject: R52", "pointed: first", 'examples: {pass: [{codes: R52, lines: ["G1 unit=2: 1"]}]}'], 9, '"unit"'),
        (["subject: R52", "pointed: first", 'examples: {pass: [{codes: R52, lines: ["G1 units=a: 1"]}]}'], 9, "number"),
    ],
    ids=str,
)
def test_a_slip_is_reported_with_its_line(lines: list[str], line: int, said: str) -> None:
    with pytest.raises(RuleFileError) as caught:
        load_pack(HEAD + "".join(f"    {one}\n" for one in lines), name="demo.yaml")
    problems = [str(problem) for problem in caught.value.problems]
    assert any(problem.startswith(f"demo.yaml:{line}:") and said in problem for problem in problems), problems
