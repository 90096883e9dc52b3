"""Every rule's examples: what is wrong in them, and how they are run as claims."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import attrs

from weakcode.claims import Claim, ServiceLine
from weakcode.errors import InputError, Problem, did_you_mean
from weakcode.fields import BY_NAME
from weakcode.findings import SAFE_ACTIONS
from weakcode.rules.model import OLDEST, Example, Rule
from weakcode.rules.yamlmarks import Marked, Path

if TYPE_CHECKING:
    from weakcode.findings import Finding


ABOUT_EXAMPLES = tuple(field.name for field in attrs.fields(Example) if field.name in BY_NAME)
"""The fields of a claim that an example can say, beside its codes and lines."""


@attrs.frozen
class ExampleResult:
    """The outcome of one example. `diff` shows expected and actual findings of the rule when they differ."""

    rule: str
    label: str
    ok: bool
    diff: str = ""


@attrs.frozen
class ExampleCase:
    """One example of a rule; `fails` tells whether the rule must find something."""

    rule: str
    label: str
    example: Example
    fails: bool

    @property
    def is_mended(self) -> bool:
        """Whether the example says that a safe fix changes the claim."""
        return self.example.fixed is not None and Claim(self.example.fixed).codes != self.claim.codes

    @property
    def claim(self) -> Claim:
        """The example as a claim."""
        one = self.example
        codes = [
            {"code": code, "text": one.text.get(position), "poa": one.poa.get(position)}
            for position, code in enumerate(one.codes.split(), start=1)
        ]
        return Claim(
            codes,
            **{name: getattr(one, name) for name in ABOUT_EXAMPLES},
            lines=[_line(number, text) for number, text in enumerate(one.lines, start=1)],
        )


_NAMED = {
    **{name: name for name in ("place", "revenue", "units", "charge", "rendering_provider", "rendering_taxonomy")},
    "date": "start",
}
"""What a line of an example says by name, and the field of a service line that it is."""


def _line(number: int, text: str) -> ServiceLine:
    """Return a service line from its pointers, which may stand after a colon and what else is known of it."""
    before, _, pointers = text.rpartition(":")
    named = dict(word.split("=", 1) for word in before.split() if "=" in word)
    procedure, *modifiers = [word for word in before.split() if "=" not in word] or [""]
    return ServiceLine(
        number,
        tuple(map(int, pointers.replace("-", " ").split())),
        procedure or None,
        modifiers=modifiers,
        **{_NAMED[name]: value for name, value in named.items()},
    )


def cases_of(full_id: str, rule: Rule) -> Iterator[ExampleCase]:
    """Yield the examples of a rule, passing ones first."""
    for kind, examples in (("pass", rule.examples.passing), ("fail", rule.examples.fail)):
        for number, example in enumerate(examples, start=1):
            label = f"{kind} {number}: {example.codes}"
            yield ExampleCase(full_id, label, example, kind == "fail")


def compare(case: ExampleCase, findings: Iterable[Finding], fixed: Claim) -> ExampleResult:
    """Compare the findings on an example, and the claim after its rule's safe fixes, with what the rule file says."""
    difference = [*_found_otherwise(case, findings), *_fixed_otherwise(case, fixed)]
    return ExampleResult(case.rule, case.label, not difference, "\n".join(difference))


def _found_otherwise(case: ExampleCase, findings: Iterable[Finding]) -> list[str]:
    found = [finding for finding in findings if finding.rule == case.rule]
    actual = sorted(finding.positions for finding in found)
    if not case.fails:
        wanted: list[tuple[int, ...]] | None = []
    else:
        wanted = None if case.example.finds is None else sorted(case.example.finds)
    if actual == wanted or (wanted is None and actual):
        return []
    lines = []
    if wanted is None:
        lines.append("- at least one finding")
    else:
        lines += [f"- {_place(positions)}" for positions in wanted if positions not in actual]
    lines += [
        f"+ {_place(finding.positions)}: {finding.message}"
        for finding in found
        if wanted is None or finding.positions not in wanted
    ]
    if not lines:
        lines.append(f"- {len(wanted or ())} findings\n+ {len(actual)} findings at the same positions")
    return lines


def _fixed_otherwise(case: ExampleCase, fixed: Claim) -> list[str]:
    if case.example.fixed is None:
        return []
    wanted = Claim(case.example.fixed).codes
    return [] if fixed.codes == wanted else [f"- fixed: {' '.join(wanted)}", f"+ fixed: {' '.join(fixed.codes)}"]


def _place(positions: Iterable[int]) -> str:
    spelled = ", ".join(map(str, positions))
    return f"a finding at position {spelled}" if spelled else "a finding on the claim as a whole"


def problems_of(marked: Marked, rule: Rule, example: Example, kind: str, path: Path) -> Iterator[Problem]:
    """Yield what is wrong in an example, which stands under `pass` or `fail` of a rule."""
    codes = _codes(example.codes)
    places = [("text", position) for position in example.text]
    places += [("poa", position) for position in example.poa]
    places += [("finds", position) for finding in example.finds or () for position in finding]
    for key, position in places:
        if not 1 <= position <= len(codes):
            message = f'"{key}": there is no position {position}; the example has {len(codes)} codes'
            yield marked.problem((*path, key), message, key=True)
    for index, line in enumerate(example.lines):
        pointers = line.rpartition(":")[2]
        wrong = next((one for one in pointers.split() if not one.isdecimal() or int(one) == 0), None)
        if wrong is not None and pointers.strip() != "-":
            message = f'"lines": a pointer is the position of a diagnosis, from 1 (or - for none); found "{wrong}"'
            yield marked.problem((*path, "lines", index), message)
        else:
            yield from _mistold(marked, line, (*path, "lines", index))
    if kind == "pass" and example.finds:
        message = '"finds": an example that passes has no findings; move it to fail'
        yield marked.problem((*path, "finds"), message, key=True)
    elif kind == "fail" and example.finds == ():
        message = '"finds": an example that fails has a finding; move it to pass'
        yield marked.problem((*path, "finds"), message, key=True)
    if example.age is not None and not 0 <= example.age <= OLDEST:
        message = f'"age": an age is 0 to {OLDEST} years, found {example.age}'
        yield marked.problem((*path, "age"), message)
    if example.fixed is not None:
        yield from _misfixed(marked, rule, example.codes, example.fixed, kind, (*path, "fixed"))


def _mistold(marked: Marked, line: str, path: Path) -> Iterator[Problem]:
    """Yield what is wrong in what a line of an example says beside its pointers."""
    for word in line.rpartition(":")[0].split():
        name, is_named, _ = word.partition("=")
        if is_named and name not in _NAMED:
            hint = did_you_mean(name, _NAMED)
            message = f'"lines": a line has no "{name}"{hint}; it can have {", ".join(_NAMED)}'
            yield marked.problem(path, message)
            return
    try:
        _line(1, line)
    except InputError as error:
        yield marked.problem(path, f'"lines": {str(error).rstrip(".")}')


def _misfixed(marked: Marked, rule: Rule, codes: str, fixed: str, kind: str, path: Path) -> Iterator[Problem]:
    if kind == "pass":
        message = '"fixed": an example that passes has nothing to fix; move it to fail'
        yield marked.problem(path, message, key=True)
    elif not rule.has_safe_fix:
        message = f'"fixed": the rule has no safe fix ({", ".join(sorted(SAFE_ACTIONS))}); remove the key'
        yield marked.problem(path, message, key=True)
    elif {*map(_compact, _codes(fixed))} != {*map(_compact, _codes(codes))}:
        message = '"fixed": a safe fix changes the order or drops a repeat; write the same codes in another order'
        yield marked.problem(path, message)


def _codes(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _compact(code: str) -> str:
    return code.replace(".", "").upper()
