"""What policies say of the service lines of one claim: every reading of them, of which the violated are findings.

For each line whose procedure some policy in force is about: a diagnosis that the line points to must be among those
that one of these policies covers for the procedure. Where it is not known to which diagnoses a line points, all of the
claim's are held against the policies, so that what is found holds wherever the line points.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import attrs

from weakcode.claims import ServiceLine
from weakcode.coverage.policies import CodeGroup, Policy
from weakcode.findings import Source
from weakcode.semantics.pointers import lines_named
from weakcode.semantics.reference import Outcome

NOT_COVERED = "coverage/diagnosis-not-covered"
EXCLUDED = "coverage/diagnosis-excluded"
SECONDARY = "coverage/secondary-code-missing"
ADVICE = "info"
"""The severity of what rests on words that only people can read."""
SURE = "likely"
"""The confidence of what lists alone tell."""
RULES = (NOT_COVERED, EXCLUDED, SECONDARY)
_MOST_NAMED = 3
_MOST_QUOTED = 400


@attrs.frozen
class LineReading:
    """What a rule says of service lines with the same procedure and pointers: its outcome and the reason.

    Of a violation the reason is the message. `is_advice` says that it rests on words that only people can read, which
    its sources quote. `about` tells the lines from others of the claim. `positions` are those of the diagnoses that it
    is about, the one to begin with first.
    """

    rule: str
    outcome: Outcome
    reason: str
    positions: tuple[int, ...] = ()
    sources: tuple[Source, ...] = ()
    is_advice: bool = False
    about: str = ""

    @property
    def confidence(self) -> str:
        """How sure a finding of it is."""
        return "record" if self.is_advice else SURE


class Line(NamedTuple):
    """Lines with the same procedure and pointers on a claim; `at` are the positions that may be what they point to.

    `what` is the procedure and its lines, as a message begins.
    """

    procedure: str
    what: str
    at: tuple[int, ...]
    is_known: bool
    codes: Sequence[str]

    @property
    def pointing(self) -> str:
        """Where the lines point, as a message goes on."""
        codes = self.codes
        named = _list_of([f"{codes[at - 1]} at {at}" for at in self.at])
        if self.is_known:
            return f"{self.what} points to {named}"
        return f"{self.what} does not tell all its diagnoses; the claim has {named}"

    def code(self, at: int) -> str:
        return self.codes[at - 1]


class AskedLine(NamedTuple):
    """A service line as policies look at it. `is_known` tells whether it has all its pointers."""

    number: int
    procedure: str
    pointers: tuple[int, ...]
    is_known: bool


def asked_lines(lines: Sequence[ServiceLine]) -> list[AskedLine]:
    """Return service lines as policies look at them."""
    return [
        AskedLine(line.number, spelled(line.procedure), line.pointers, bool(line.pointers) and not line.main_only)
        for line in lines
    ]


@attrs.frozen(eq=False)
class Current:
    """What the policies about a procedure that are in force say of it.

    `listing` are those that have a list of what they cover, `groups` their groups that go with the procedure. `paired`
    are the codes of these, `covered` those of all groups of `listing`, `excluded` those that any policy excludes.
    """

    policies: tuple[Policy, ...]
    listing: tuple[Policy, ...]
    groups: tuple[tuple[Policy, CodeGroup], ...]
    paired: frozenset[str]
    covered: frozenset[str]
    excluded: frozenset[str]
    named: str
    sources: tuple[Source, ...]

    @classmethod
    def of(cls, procedure: str, policies: tuple[Policy, ...]) -> Current:
        listing = tuple(policy for policy in policies if policy.covered)
        groups = tuple((policy, group) for policy in listing for group in policy.paired_with(procedure))
        return cls(
            policies,
            listing,
            groups,
            _joined(group.codes for _, group in groups),
            _joined(policy.all_covered for policy in listing),
            _joined(policy.all_excluded for policy in policies),
            _policies(listing) if listing else "",
            tuple(policy.covering for policy in listing[:_MOST_NAMED]),
        )


def _joined(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    """Return the union of sets, of a single one itself."""
    several = list(sets)
    return several[0] if len(several) == 1 else frozenset().union(*several)


class PoliciesOfLines:
    """The policies of each procedure that a payer goes by; what those in force say is worked out once for each."""

    def __init__(self, by_procedure: Mapping[str, tuple[Policy, ...]]) -> None:
        self.by_procedure = by_procedure
        self._known: dict[tuple[str, tuple[Policy, ...]], Current] = {}

    def current(self, procedure: str, day: dt.date) -> Current | None:
        """Return what the policies about a procedure say on a day; None where none is in force."""
        policies = tuple([policy for policy in self.by_procedure[procedure] if policy.in_force(day)])
        if not policies:
            return None
        known = self._known.get((procedure, policies))
        if known is None:
            known = self._known[procedure, policies] = Current.of(procedure, policies)
        return known


def readings(
    codes: Sequence[str], lines: Sequence[AskedLine], policies: PoliciesOfLines, day: dt.date
) -> list[LineReading]:
    """Return what a payer's policies say of each line of a claim on a day."""
    by_procedure = policies.by_procedure
    alike: dict[tuple[str, tuple[int, ...], bool], list[str]] = {}
    for number, procedure, pointers, is_known in lines:
        if procedure in by_procedure:
            alike.setdefault((procedure, pointers, is_known), []).append(str(number))
    found: list[LineReading] = []
    for (procedure, pointers, is_known), numbers in alike.items():
        line = line_of(codes, procedure, pointers, numbers, is_known=is_known)
        current = policies.current(procedure, day)
        if current is None:
            about = by_procedure[procedure]
            retired = ", retired on a day that is not told," if all(one.is_retired for one in about) else ""
            reason = f"{_policies(about)}{retired} is not in force on {day}"
            found.append(_reading(line, Outcome.NOT_APPLICABLE, reason))
        elif not line.at:
            found.append(_reading(line, Outcome.NOT_APPLICABLE, f"{line.what} points to no diagnosis of the claim"))
        else:
            found.append(_judged(line, current))
    return found


def line_of(
    codes: Sequence[str], procedure: str, pointers: Sequence[int], numbers: Sequence[str], *, is_known: bool
) -> Line:
    """Return lines with the same procedure and pointers, by the numbers of theirs."""
    count = len(codes)
    positions = [at for at in pointers if at <= count]
    if not is_known:
        positions += range(1, count + 1)
    if len(positions) > 1:
        first: dict[str, int] = {}
        for at in positions:
            first.setdefault(codes[at - 1], at)
        positions = [*first.values()]
    return Line(procedure, f"{procedure} of {lines_named(numbers)}", tuple(positions), is_known, codes)


def spelled(procedure: str | None) -> str:
    """Return a procedure as policies spell it; blank where there is none."""
    return (procedure or "").strip().upper()


def _reading(line: Line, outcome: Outcome, reason: str, rule: str = NOT_COVERED) -> LineReading:
    return LineReading(rule, outcome, reason, line.at)


def _judged(line: Line, current: Current) -> LineReading:
    if any(line.code(at) in current.paired for at in line.at):
        return _in_its_group(line, current)
    if any(line.code(at) in current.covered for at in line.at):
        return _in_another_group(line, current.listing)
    excluded = _excluded(line, current) if current.excluded else None
    if excluded is not None:
        return excluded
    if current.listing:
        return _not_covered(line, current)
    if current.excluded:
        return _reading(line, Outcome.SATISFIED, f"{_policies(current.policies)} does not exclude it", EXCLUDED)
    reason = f"{_policies(current.policies)} has no list of diagnoses; only its words say what it covers"
    return _reading(line, Outcome.NOT_APPLICABLE, reason)


def _in_its_group(line: Line, current: Current) -> LineReading:
    """Return that a diagnosis is covered, or that all that are need a second one."""
    asking: list[tuple[int, Policy, CodeGroup]] = []
    for policy, group in current.groups:
        for at in line.at:
            if line.code(at) in group.codes:
                if not _lacks_second(line, policy, group, at):
                    return _reading(line, Outcome.SATISFIED, f"{policy.label} covers {line.code(at)} at {at} for it")
                asking.append((at, policy, group))
    return _second_missing(line, *asking[0])


def _lacks_second(line: Line, policy: Policy, group: CodeGroup, at: int) -> bool:
    wanted, words = policy.second_for(group, line.code(at))
    if not words:
        return False
    others = [line.code(other) for other in line.at if other != at]
    return not any(code in wanted for code in others) if wanted else not others


def _second_missing(line: Line, at: int, policy: Policy, group: CodeGroup) -> LineReading:
    wanted, words = policy.second_for(group, line.code(at))
    would = [other for other, code in enumerate(line.codes, start=1) if code in wanted and other != at]
    message = (
        f"{line.what} points to {line.code(at)} at {at}, which {policy.label} covers with a second diagnosis only, by "
        f"its words; {_what_would_satisfy(line, would, 'be one')}.{_quoted(words)}"
    )
    place = f"ICD-10-CM codes that it covers, group {group.number}"
    return LineReading(SECONDARY, Outcome.VIOLATED, message, (at,), (policy.source(place, words),), True, line.what)


def _in_another_group(line: Line, listing: Sequence[Policy]) -> LineReading:
    """Return advice: a diagnosis stands in a group that goes with another procedure, as far as words tell."""
    policy, group, at = next(
        (policy, group, at)
        for policy in listing
        for group in policy.covered
        for at in line.at
        if line.code(at) in group.codes
    )
    paired = policy.paired_with(line.procedure)
    quoted_group = paired[0] if paired else group
    numbers = _list_of([str(one.number) for one in paired]) if paired else "none that is known"
    message = (
        f"{line.what} points to {line.code(at)} at {at}, which {policy.label} names in group "
        f"{group.number} of its diagnoses; with {line.procedure} goes, by its words, group {numbers}. "
        "Read them before the line is sent."
    )
    place = f"ICD-10-CM codes that it covers, group {quoted_group.number}"
    quote = quoted_group.words or group.words or policy.file.paragraph(policy.number, "p", quoted_group.number) or None
    message += _quoted(quote)
    sources = (policy.source(place, quote),)
    return LineReading(NOT_COVERED, Outcome.VIOLATED, message, (at,), sources, True, line.what)


def _excluded(line: Line, current: Current) -> LineReading | None:
    named = [at for at in line.at if line.code(at) in current.excluded]
    if not named or (not current.listing and len(named) < len(line.at)):
        return None
    code, others = line.code(named[0]), _others(line)
    by = next(policy for policy in current.policies if code in policy.all_excluded)
    group = next(one for one in by.excluded if code in one.codes)
    if current.listing:
        would = [at for at in others if line.code(at) in current.paired]
    else:
        would = [at for at in others if line.code(at) not in current.excluded]
    message = (
        f"{line.what} points to {code} at {named[0]}, which {by.label} names among the diagnoses that it does not "
        f"cover; {_what_would_satisfy(line, would)}."
    )
    place = f"ICD-10-CM codes that it does not cover, group {group.number}"
    sources = (by.source(place, group.paragraph or None),)
    return LineReading(EXCLUDED, Outcome.VIOLATED, message, (named[0],), sources, about=line.what)


def _not_covered(line: Line, current: Current) -> LineReading:
    message = not_covered(line, current)
    return LineReading(NOT_COVERED, Outcome.VIOLATED, message, (line.at[0],), current.sources, about=line.what)


def not_covered(line: Line, current: Current) -> str:
    """Return the message of a line that points to no diagnosis that policies cover."""
    which, verb = ("which", "does not name") if len(line.at) == 1 else ("none of which", "names")
    if current.paired.isdisjoint(line.codes):
        would = _WOULD[len(set(line.codes)) > len(line.at)]
    else:
        would = _what_would_satisfy(line, [at for at in _others(line) if line.codes[at - 1] in current.paired])
    return f"{line.pointing}, {which} {current.named} {verb} as covered for it; {would}."


def _others(line: Line) -> list[int]:
    met = {line.code(at) for at in line.at}
    found: list[int] = []
    for at, code in enumerate(line.codes, start=1):
        if code not in met:
            met.add(code)
            found.append(at)
    return found


_WOULD = ("the claim has no other diagnosis", "none of the claim's other diagnoses would be covered")
"""What is said where no diagnosis would be covered, without another diagnosis and with some."""


def _what_would_satisfy(line: Line, positions: Sequence[int], verb: str = "be covered") -> str:
    """Say which of the claim's other diagnoses would do."""
    if positions:
        named = _list_of([f"{line.code(at)} at {at}" for at in positions])
        return f"of the claim's other diagnoses, {named} would {verb}"
    return f"none of the claim's other diagnoses would {verb}" if _others(line) else _WOULD[0]


def _policies(policies: Sequence[Policy]) -> str:
    """Name policies: `article A1 (Its title)`, of several the ids alone."""
    if len(policies) == 1:
        return f"{policies[0].label} ({policies[0].title})"
    labels = list(dict.fromkeys(policy.label for policy in policies))
    if len(labels) > _MOST_NAMED:
        labels = [*labels[:_MOST_NAMED], f"{len(labels) - _MOST_NAMED} more"]
    return _list_of(labels)


def _quoted(words: str | None) -> str:
    """Return the words of a policy as the end of a message, cut where they are long."""
    if not words:
        return ""
    return f' It says: "{words if len(words) <= _MOST_QUOTED else words[:_MOST_QUOTED].rsplit(" ", 1)[0] + " …"}"'


def _list_of(words: Sequence[str]) -> str:
    if len(words) == 1:
        return words[0]
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
