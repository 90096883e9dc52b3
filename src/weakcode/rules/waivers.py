"""Waivers from files, and what they waive.

A waived finding stays in the output with its waiver; it only no longer counts.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import attrs

from weakcode.claims import Claim, Waiver
from weakcode.errors import InputError, Problem, RuleFileError, UnknownNameError, did_you_mean
from weakcode.findings import Finding

_COLUMNS = ("rule", "codes", "claim_id", "reason", "who", "until")
_NEEDED = ("rule", "reason", "who")


class WaiverBook:
    """The waivers of a run, from files and profiles, found by rule. They come in the order in which they are asked."""

    def __init__(self, waivers: Iterable[Waiver] = ()) -> None:
        self._waivers = tuple(waivers)
        self._by_rule: dict[str, list[Waiver]] = {}
        for waiver in self._waivers:
            self._by_rule.setdefault(waiver.rule, []).append(waiver)

    def __len__(self) -> int:
        return len(self._waivers)

    def __iter__(self) -> Iterator[Waiver]:
        return iter(self._waivers)

    def on(self, rule: str, codes: Sequence[str]) -> list[Waiver]:
        """Return the waivers for findings of a rule on these codes, on whatever claim."""
        of_rule = self._by_rule.get(rule, ())
        return [waiver for waiver in of_rule if not waiver.codes or set(waiver.codes) == set(codes)]


def first_of(waivers: Iterable[Waiver], claim_id: str | None, day: dt.date) -> tuple[Waiver | None, Waiver | None]:
    """Return the first waiver in force on a day for a claim; where there is none, the first that has expired."""
    expired: Waiver | None = None
    for waiver in waivers:
        if waiver.claim_id is not None and waiver.claim_id != claim_id:
            continue
        if waiver.until is None or waiver.until >= day:
            return waiver, None
        expired = expired or waiver
    return None, expired


@attrs.frozen
class FindingsByWaiver:
    """The findings on a claim that count, and those that were waived, each with its waiver.

    `expired` waivers would have waived a finding had they still been in force; `unmatched` stand on the claim and fit
    none of its findings.
    """

    findings: tuple[Finding, ...]
    waived: tuple[Finding, ...] = ()
    expired: tuple[Waiver, ...] = ()
    unmatched: tuple[Waiver, ...] = ()

    def notices(self, rules: Collection[str]) -> tuple[str, ...]:
        """Return notices about waivers that do not waive; `rules` are those that were evaluated."""
        return tuple(
            [has_expired(waiver) for waiver in self.expired]
            + [fits_nothing(waiver, self.findings, rules) for waiver in self.unmatched]
        )


def sort_out(findings: tuple[Finding, ...], claim: Claim, book: WaiverBook, day: dt.date) -> FindingsByWaiver:
    """Set apart the findings that the claim's own waivers or the book's waive on this day; the claim's go first."""
    if not claim.waivers and not len(book):
        return FindingsByWaiver(findings)
    own = WaiverBook(claim.waivers)
    kept: list[Finding] = []
    waived: list[Finding] = []
    expired: dict[Waiver, None] = {}
    matched: set[Waiver] = set()
    for finding in findings:
        on_claim = own.on(finding.rule, finding.codes)
        matched.update(on_claim)
        waiver, has_ended = first_of((*on_claim, *book.on(finding.rule, finding.codes)), claim.id, day)
        if waiver is not None:
            waived.append(attrs.evolve(finding, waiver=waiver))
            continue
        kept.append(finding)
        if has_ended is not None:
            expired[has_ended] = None
    unmatched = tuple(waiver for waiver in claim.waivers if waiver not in matched)
    return FindingsByWaiver(tuple(kept), tuple(waived), tuple(expired), unmatched)


def _waiver_name(waiver: Waiver) -> str:
    return f"{waiver.place}: the waiver of {waiver.what}" if waiver.place else f"the waiver of {waiver.what}"


def has_expired(waiver: Waiver) -> str:
    """Return the sentence on a waiver whose last day is over."""
    return f"{_waiver_name(waiver)} expired on {waiver.until}, and the finding counts again"


def waived_nothing(waiver: Waiver) -> str:
    """Return the sentence on a waiver that no finding of a run needed."""
    return f"{_waiver_name(waiver)} waived nothing"


def fits_nothing(waiver: Waiver, findings: Iterable[Finding] = (), rules: Collection[str] | None = None) -> str:
    """Return the sentence on a waiver that fits no finding, with the rule that may be the right one.

    That is the rule that has found something on its codes, or the one among `rules` with nearly the same id.
    """
    if rules is not None and waiver.rule not in rules:
        return f"{_waiver_name(waiver)} fits no finding: no such rule was evaluated{did_you_mean(waiver.rule, rules)}"
    others = (one.rule for one in findings if waiver.codes and set(one.codes) == set(waiver.codes))
    other = next(others, None)
    hint = f"; on these codes there is a finding of {other}" if other else ""
    return f"{_waiver_name(waiver)} fits no finding{hint}"


def load_waivers(path: Path | str) -> tuple[Waiver, ...]:
    """Return the waivers of a file: YAML, or CSV with the columns rule, codes, claim_id, reason, who and until.

    Each names the codes of a finding or the id of a claim, or both. Raises UnknownNameError where there is no such
    file, RuleFileError with every problem found, by line and column.
    """
    from weakcode.rules.reading import read_whole

    path = Path(path)
    if not path.exists():
        raise UnknownNameError(f'there is no file of waivers "{path}"; it is a YAML or a CSV file')
    try:
        content = read_whole(path)
    except OSError as error:
        raise InputError(
            f'the waivers "{path}" cannot be read: {(error.strerror or "unknown reason").lower()}'
        ) from None
    return _from_csv(content, str(path)) if path.suffix.lower() == ".csv" else _from_yaml(content, str(path))


def _from_yaml(content: bytes, file: str) -> tuple[Waiver, ...]:
    from weakcode.rules.load import in_order, refuse_other_kind
    from weakcode.rules.profile import WaiverFile, waivers_of
    from weakcode.rules.reading import hide_other_kinds
    from weakcode.rules.structure import structure
    from weakcode.rules.yamlmarks import read

    try:
        marked = read(content, file)
        refuse_other_kind(marked, "a file of waivers")
        found, problems = structure(marked, WaiverFile)
    except RuleFileError as error:
        raise hide_other_kinds(error, content, file, "a file of waivers") from None
    waivers: tuple[Waiver, ...] = ()
    if found is not None:
        waivers = waivers_of(found.waivers, marked, problems)
    if problems:
        raise hide_other_kinds(RuleFileError(in_order(problems)), content, file, "a file of waivers")
    return waivers


def _from_csv(content: bytes, file: str) -> tuple[Waiver, ...]:
    from weakcode.rules.profile import may_stand_in_a_file
    from weakcode.rules.yamlmarks import decode

    rows = csv.reader(io.StringIO(decode(content, file), newline=""))
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        if not set(header) & set(_COLUMNS):
            message = f"this is not a file of waivers: its header has none of {', '.join(_COLUMNS)}"
            raise RuleFileError([Problem(file, 1, 1, message)])
        problems = _header_problems(header, file)
        if problems:
            raise RuleFileError(problems)
        waivers = []
        for cells in rows:
            if not any(cell.strip() for cell in cells):
                continue
            line = rows.line_num
            if len(cells) != len(header):
                problems.append(Problem(file, line, 1, f"the row has {len(cells)} cells, the header {len(header)}"))
                continue
            values = {name: cell.strip() or None for name, cell in zip(header, cells, strict=True)}
            try:
                waivers.append(may_stand_in_a_file(Waiver(**values, place=f"{file}:{line}")))
            except InputError as error:
                problems.append(Problem(file, line, 1, str(error)))
    except csv.Error as error:
        raise RuleFileError([Problem(file, max(rows.line_num, 1), 1, f"this is not CSV: {error}")]) from None
    if problems:
        raise RuleFileError(problems)
    return tuple(waivers)


def _header_problems(header: Sequence[str], file: str) -> list[Problem]:
    problems = []
    for name in header:
        if name not in _COLUMNS:
            hint = did_you_mean(name, _COLUMNS)
            message = f'"{name}" is not a column of waivers{hint}; they are {", ".join(_COLUMNS)}'
            problems.append(Problem(file, 1, 1, message))
    missing = [name for name in _NEEDED if name not in header]
    if missing:
        problems.append(
            Problem(file, 1, 1, f"the waivers have no column {', '.join(missing)}; needed are {', '.join(_NEEDED)}")
        )
    if len(set(header)) < len(header):
        problems.append(Problem(file, 1, 1, "a column stands twice in the header; keep one"))
    return problems


def check_rules(waivers: Iterable[Waiver], known: Collection[str]) -> None:
    """Raise RuleFileError where waivers are for rules that there are not."""
    problems = []
    for waiver in waivers:
        if waiver.rule not in known:
            hint = did_you_mean(waiver.rule, known) or "; the list is in: weakcode rules list"
            file, _, line = waiver.place.rpartition(":")
            problems.append(
                Problem(
                    file or "waivers",
                    int(line) if line.isdecimal() else 1,
                    1,
                    f'there is no rule "{waiver.rule}" to waive{hint}',
                )
            )
    if problems:
        raise RuleFileError(problems)
