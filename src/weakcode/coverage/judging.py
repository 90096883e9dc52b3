"""What policies say of the service lines of one claim: every reading of them, of which the violated are findings.

For each line whose procedure some policy in force is about: a diagnosis that the line points to must be among those
that one of these policies covers for the procedure. Where it is not known to which diagnoses a line points, all of the
claim's are held against the policies, so that what is found holds wherever the line points.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

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
        return "record" if self.is_advice else "likely"


@attrs.frozen(eq=False)
class _Line:
    """Lines with the same procedure and pointers on a claim; `at` are the positions that may be what they point to."""

    procedure: str
    numbers: str
    at: tuple[int, ...]
    is_known: bool
    codes: Sequence[str]

    @property
    def what(self) -> str:
        """The procedure and its lines, as a message begins."""
        return f"{self.procedure} of {self.numbers}"

    @property
    def pointing(self) -> str:
        """Where the lines point, as a message goes on."""
        named = _listed([f"{self.codes[at - 1]} at {at}" for at in self.at])
        if self.is_known:
            return f"{self.what} points to {named}"
        return f"{self.what} does not tell all its diagnoses; the claim has {named}"

    def code(self, at: int) -> str:
        return self.codes[at - 1]


@attrs.frozen
class AskedLine:
    """A service line as policies look at it. `is_known` tells whether it has all its pointers."""

    number: int
    procedure: str
    pointers: tuple[int, ...]
    is_known: bool


def asked_lines(lines: Sequence[ServiceLine]) -> list[AskedLine]:
    """Return service lines as policies look at them."""
    return [
        AskedLine(line.number, procedure_of(line), line.pointers, bool(line.pointers) and not line.main_only)
        for line in lines
    ]


def readings(
    codes: Sequence[str], lines: Sequence[AskedLine], policies: Mapping[str, tuple[Policy, ...]], day: dt.date
) -> list[LineReading]:
    """Return what the policies say of each line; `policies` are those of each procedure that a payer goes by."""
    alike: dict[tuple[str, tuple[int, ...], bool], list[str]] = {}
    for one in lines:
        if one.procedure in policies:
            alike.setdefault((one.procedure, one.pointers, one.is_known), []).append(str(one.number))
    found: list[LineReading] = []
    for (procedure, pointers, is_known), numbers in alike.items():
        line = _line(codes, procedure, pointers, is_known, numbers)
        about = policies[procedure]
        current = [policy for policy in about if policy.in_force(day)]
        if not current:
            found.append(_reading(line, Outcome.NOT_APPLICABLE, f"{_policies(about)} is not in force on {day}"))
        elif not line.at:
            found.append(_reading(line, Outcome.NOT_APPLICABLE, f"{line.what} points to no diagnosis of the claim"))
        else:
            found.append(_judged(line, current))
    return found


def _line(
    codes: Sequence[str], procedure: str, pointers: Sequence[int], is_known: bool, numbers: Sequence[str]
) -> _Line:
    there = [at for at in pointers if at <= len(codes)]
    if not is_known:
        there += range(1, len(codes) + 1)
    first: dict[str, int] = {}
    for at in there:
        first.setdefault(codes[at - 1], at)
    return _Line(procedure, lines_named(numbers), tuple(first.values()), is_known, codes)


def procedure_of(line: ServiceLine) -> str:
    """Return the procedure of a line as policies spell it; blank where it has none."""
    return line.procedure.strip().upper() if line.procedure else ""


def _reading(line: _Line, outcome: Outcome, reason: str, rule: str = NOT_COVERED) -> LineReading:
    return LineReading(rule, outcome, reason, line.at)


def _judged(line: _Line, current: Sequence[Policy]) -> LineReading:
    listing = [policy for policy in current if policy.covered]
    asking: list[tuple[int, Policy, CodeGroup]] = []
    for policy in listing:
        for group in policy.paired_with(line.procedure):
            for at in line.at:
                if line.code(at) in group.codes:
                    if not _lacks_second(line, policy, group, at):
                        return _reading(
                            line, Outcome.SATISFIED, f"{policy.label} covers {line.code(at)} at {at} for it"
                        )
                    asking.append((at, policy, group))
    if asking:
        return _second_missing(line, *asking[0])
    elsewhere = _in_another_group(line, listing)
    if elsewhere is not None:
        return elsewhere
    excluded = _excluded(line, current, listing)
    if excluded is not None:
        return excluded
    if listing:
        return _not_covered(line, listing)
    if any(policy.excluded for policy in current):
        return _reading(line, Outcome.SATISFIED, f"{_policies(current)} does not exclude it", EXCLUDED)
    reason = f"{_policies(current)} has no list of diagnoses; only its words say what it covers"
    return _reading(line, Outcome.NOT_APPLICABLE, reason)


def _lacks_second(line: _Line, policy: Policy, group: CodeGroup, at: int) -> bool:
    wanted, words = policy.second_for(group, line.code(at))
    if not words:
        return False
    others = [line.code(other) for other in line.at if other != at]
    return not any(code in wanted for code in others) if wanted else not others


def _second_missing(line: _Line, at: int, policy: Policy, group: CodeGroup) -> LineReading:
    wanted, words = policy.second_for(group, line.code(at))
    would = [other for other, code in enumerate(line.codes, start=1) if code in wanted and other != at]
    message = (
        f"{line.what} points to {line.code(at)} at {at}, which {policy.label} covers with a second diagnosis only, by "
        f"its words; {_would(line, would, 'be one')}.{_quoted(words)}"
    )
    place = f"ICD-10-CM codes that it covers, group {group.number}"
    return LineReading(SECONDARY, Outcome.VIOLATED, message, (at,), (policy.source(place, words),), True, line.what)


def _in_another_group(line: _Line, listing: Sequence[Policy]) -> LineReading | None:
    """Return advice where a diagnosis stands in a group that goes with another procedure, as far as words tell."""
    for policy in listing:
        for group in policy.covered:
            at = next((at for at in line.at if line.code(at) in group.codes), None)
            if at is not None:
                paired = policy.paired_with(line.procedure)
                said = paired[0] if paired else group
                numbers = _listed([str(one.number) for one in paired]) if paired else "none that is known"
                message = (
                    f"{line.what} points to {line.code(at)} at {at}, which {policy.label} names in group "
                    f"{group.number} of its diagnoses; with {line.procedure} goes, by its words, group {numbers}. "
                    "Read them before the line is sent."
                )
                place = f"ICD-10-CM codes that it covers, group {said.number}"
                quote = said.words or group.words or policy.file.paragraph(policy.number, "p", said.number) or None
                message += _quoted(quote)
                sources = (policy.source(place, quote),)
                return LineReading(NOT_COVERED, Outcome.VIOLATED, message, (at,), sources, True, line.what)
    return None


def _excluded(line: _Line, current: Sequence[Policy], listing: Sequence[Policy]) -> LineReading | None:
    excluding = [policy for policy in current if policy.excluded]
    named = [at for at in line.at if any(line.code(at) in policy.all_excluded for policy in excluding)]
    if not named or (not listing and len(named) < len(line.at)):
        return None
    code = line.code(named[0])
    by = next(policy for policy in excluding if code in policy.all_excluded)
    group = next(one for one in by.excluded if code in one.codes)
    would = _that_would(line, listing) if listing else _not_among(line, excluding)
    message = (
        f"{line.what} points to {code} at {named[0]}, which {by.label} names among the diagnoses that it does not "
        f"cover; {_would(line, would)}."
    )
    place = f"ICD-10-CM codes that it does not cover, group {group.number}"
    sources = (by.source(place, group.paragraph or None),)
    return LineReading(EXCLUDED, Outcome.VIOLATED, message, (named[0],), sources, about=line.what)


def _not_covered(line: _Line, listing: Sequence[Policy]) -> LineReading:
    none_of = "which" if len(line.at) == 1 else "none of which"
    verb = "does not name" if len(line.at) == 1 else "names"
    message = (
        f"{line.pointing}, {none_of} {_policies(listing)} {verb} as covered for it; "
        f"{_would(line, _that_would(line, listing))}."
    )
    sources = tuple(policy.covering for policy in listing[:_MOST_NAMED])
    return LineReading(NOT_COVERED, Outcome.VIOLATED, message, (line.at[0],), sources, about=line.what)


def _that_would(line: _Line, listing: Sequence[Policy]) -> list[int]:
    """Return the positions of other diagnoses of the claim that a policy covers for the procedure."""
    groups = [group for policy in listing for group in policy.paired_with(line.procedure)]
    return [at for at in _others(line) if any(line.code(at) in group.codes for group in groups)]


def _not_among(line: _Line, excluding: Sequence[Policy]) -> list[int]:
    return [at for at in _others(line) if not any(line.code(at) in policy.all_excluded for policy in excluding)]


def _others(line: _Line) -> list[int]:
    met = {line.code(at) for at in line.at}
    found: list[int] = []
    for at, code in enumerate(line.codes, start=1):
        if code not in met:
            met.add(code)
            found.append(at)
    return found


def _would(line: _Line, positions: Sequence[int], verb: str = "be covered") -> str:
    if positions:
        named = _listed([f"{line.code(at)} at {at}" for at in positions])
        return f"of the claim's other diagnoses, {named} would {verb}"
    if not _others(line):
        return "the claim has no other diagnosis"
    return f"none of the claim's other diagnoses would {verb}"


def _policies(policies: Sequence[Policy]) -> str:
    """Name policies: `article A1 (Its title)`, of several the ids alone."""
    if len(policies) == 1:
        return f"{policies[0].label} ({policies[0].title})"
    labels = list(dict.fromkeys(policy.label for policy in policies))
    if len(labels) > _MOST_NAMED:
        labels = [*labels[:_MOST_NAMED], f"{len(labels) - _MOST_NAMED} more"]
    return _listed(labels)


def _quoted(words: str | None) -> str:
    """Return the words of a policy as the end of a message, cut where they are long."""
    if not words:
        return ""
    return f' It says: "{words if len(words) <= _MOST_QUOTED else words[:_MOST_QUOTED].rsplit(" ", 1)[0] + " …"}"'


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
