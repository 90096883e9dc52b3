"""What a scrub counts, and the summary of it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import attrs

from weakcode._version import __version__
from weakcode.base import objects
from weakcode.claims import Waiver
from weakcode.errors import EngineError
from weakcode.findings import NotJudgedCount
from weakcode.notices import notes_were_of
from weakcode.rules.waivers import fits_nothing, has_expired, waived_nothing
from weakcode.scrub.gates import Gate
from weakcode.scrub.groups import DrgCounts
from weakcode.scrub.read.log import ReadCounts
from weakcode.scrub.read.rows import Rejected
from weakcode.scrub.runs import InputFile, RunTime

if TYPE_CHECKING:
    from weakcode.scrub.judge.batch import FindingBatch
    from weakcode.scrub.judge.rows import EvaluatedRecord
    from weakcode.validator import Validator

_MOST_TOLD = 20

_Row = TypeVar("_Row")


def _tuple(sentences: Iterable[str]) -> tuple[str, ...]:
    return tuple(sentences)


@attrs.frozen
class JudgedBy:
    """What judges the claims of a run: engine, packs with their versions, and sentences that hold for all claims.

    `profile` is the name of the profile, `rules` the digest of the rules as they were applied.
    """

    engine: str = ""
    packs: tuple[str, ...] = attrs.field(default=(), converter=_tuple)
    notices: tuple[str, ...] = attrs.field(default=(), converter=_tuple)
    profile: str = ""
    rules: str = ""

    @classmethod
    def of(cls, validator: Validator) -> JudgedBy:
        """Return what a validator judges by."""
        from weakcode.compile.build import rules_digest

        chosen = validator._chosen
        applied = [(rule.id, str(rule.severity), rule.enabled) for rule in validator.rules]
        content = rules_digest(chosen.paths, chosen.profile)
        digest = hashlib.blake2b(repr((content, applied)).encode(), digest_size=16).hexdigest()
        return cls(validator.engine, validator.packs, (), "" if chosen.profile is None else chosen.profile.name, digest)

    def columns(self) -> dict[str, Any]:
        """Return what each finding says of it in formats that have no other place for it."""
        return {"weakcode": __version__, "engine": self.engine, "packs": list(self.packs)}


@attrs.frozen(kw_only=True)
class Summary:
    """Counts of one scrub; `claims_in == evaluated + rejected` always.

    `clean` are evaluated claims without any finding. `editions` counts claims by the edition whose codes judged
    them, `outside_editions` those of them whose service date is before or after all known codes. `notes_editions`
    counts them by the Tabular List whose notes judged, `outside_notes` those on whose date it was not in force.
    `fixed` counts claims that were written mended.
    `without_diagnoses` counts by kind ("dental") the claims that list no diagnosis and need none; they are in no other
    count.
    `remarks` says by file what is odd about it although every claim was read, `reading` what was guessed, passed over
    or not matched: columns, encoding and forms of dates, and `counts` of cells, rows and claims. `unread` says why a
    file of several could not be read, or not to its end, where the run was to go on.
    `first_rejected` holds place and part of up to 20 rejected rows, never a value of theirs.
    `waived` findings are in no other count; `idle_waivers` says of waivers that waived nothing whether they expired
    or fit no finding, at most 20 of a file's or profile's and 20 of claims'.
    `unchanged` are evaluated claims whose findings were taken over from an earlier run; what could not be judged is not
    told of them.
    `with_errors` are evaluated claims with a finding that is an error. `run` says when it was and what it is called,
    `inputs` which files it read. `over` names the gates that were passed over, `is_kept` tells whether findings were
    put in their place: they are not where every row was rejected, or more than a gate allows.
    `not_judged` counts for want of what claims could not be judged by which rules.
    `drg` has the DRGs of inpatient claims before and after safe fixes, where they were asked for.
    `notices` are sentences about the run itself, such as whose notes judged claims of days without a Tabular List.
    Raises EngineError where the counts do not add up.
    """

    claims_in: int
    evaluated: int
    rejected: int
    clean: int
    with_errors: int = 0
    unchanged: int = 0
    waived: int = 0
    fixed: int = 0
    by_severity: dict[str, int]
    by_rule: dict[str, int]
    seconds: float
    editions: dict[str, int] = attrs.field(factory=dict)
    engine: str = ""
    packs: tuple[str, ...] = ()
    outside_editions: dict[str, int] = attrs.field(factory=dict)
    notes_editions: dict[str, int] = attrs.field(factory=dict)
    outside_notes: dict[str, int] = attrs.field(factory=dict)
    ignored_columns: dict[str, tuple[str, ...]] = attrs.field(factory=dict)
    remarks: dict[str, tuple[str, ...]] = attrs.field(factory=dict)
    reading: dict[str, ReadCounts] = attrs.field(factory=dict)
    unread: dict[str, str] = attrs.field(factory=dict)
    without_diagnoses: dict[str, int] = attrs.field(factory=dict)
    first_rejected: tuple[tuple[str, str], ...] = ()
    idle_waivers: tuple[str, ...] = attrs.field(default=(), converter=_tuple)
    notices: tuple[str, ...] = attrs.field(default=(), converter=_tuple)
    run: RunTime | None = None
    inputs: tuple[InputFile, ...] = ()
    profile: str = ""
    rules: str = ""
    over: tuple[str, ...] = ()
    is_kept: bool = True
    not_judged: tuple[NotJudgedCount, ...] = ()
    drg: DrgCounts | None = None

    def __attrs_post_init__(self) -> None:
        if self.claims_in != self.evaluated + self.rejected:
            raise EngineError(
                f"{self.claims_in} claims were read, but {self.evaluated} evaluated and "
                f"{self.rejected} rejected; some were lost, so the result cannot be trusted"
            )

    @property
    def findings(self) -> int:
        """Findings in all."""
        return sum(self.by_severity.values())

    form: ClassVar[str] = "summary"

    def to_dict(self) -> dict[str, Any]:
        """Return the summary ready for JSON; `weakcode` is the version that ran, `version` that of this form."""
        values = {"weakcode": __version__, **objects.to_dict(self)}
        values["first_rejected"] = [{"where": where, "part": part} for where, part in self.first_rejected]
        values["seconds"] = round(self.seconds, 3)
        return {**values, "findings": self.findings}

    def to_json(self) -> str:
        """Return the summary as one JSON object."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    def gated(self, most_rejects: Gate | None, most_errors: Gate | None) -> Summary:
        """Return the summary with the gates that it is over, and with whether findings are kept all the same."""
        too_many = most_rejects is not None and most_rejects.is_over(self.rejected, self.claims_in)
        over = [str(most_rejects)] if too_many else []
        if most_errors is not None and most_errors.is_over(self.with_errors, self.evaluated):
            over.append(str(most_errors))
        return attrs.evolve(self, over=tuple(over), is_kept=not too_many and bool(self.evaluated or not self.rejected))

    def metadata(self, *, run: bool = False) -> dict[str, str]:
        """Return what a findings file says about its making; with `run`, also which run it was and when.

        Without, the same claims, rules and version give the same file.
        """
        of_run = self.run and run and {f"weakcode.run.{name}": value for name, value in attrs.asdict(self.run).items()}
        return {
            **(of_run or {}),
            **({"weakcode.inputs": json.dumps([attrs.asdict(one) for one in self.inputs])} if self.inputs else {}),
            **({"weakcode.profile": self.profile} if self.profile else {}),
            **({"weakcode.rules": self.rules} if self.rules else {}),
            "weakcode.version": __version__,
            "weakcode.edition": ", ".join(self.editions),
            "weakcode.notes_edition": ", ".join(self.notes_editions),
            "weakcode.engine": self.engine,
            "weakcode.packs": ", ".join(self.packs),
            **({"weakcode.notices": "; ".join(self.notices)} if self.notices else {}),
            # Clean claims have no row in a findings file; these counts give their share.
            "weakcode.claims_in": str(self.claims_in),
            "weakcode.evaluated": str(self.evaluated),
            "weakcode.rejected": str(self.rejected),
            "weakcode.clean": str(self.clean),
            "weakcode.waived": str(self.waived),
        }


class Counts:
    """Counts what goes into a scrub and what comes out of it."""

    def __init__(self) -> None:
        self._in = self._evaluated = self._clean = self._with_errors = self._unchanged = 0
        self._waivers: Counter[Waiver] = Counter()
        self._expired: Counter[Waiver] = Counter()
        self._idle: list[str] = []
        self._more_idle = 0
        self._severities: Counter[str] = Counter()
        self._rules: Counter[str] = Counter()
        self._outside: Counter[str] = Counter()
        self._editions: Counter[str] = Counter()
        self._notes: Counter[str] = Counter()
        self._old_notes: Counter[str] = Counter()
        self._rejected: list[Rejected] = []
        self._rejections = 0
        self._not_judged: tuple[NotJudgedCount, ...] = ()
        self._judged_by = JudgedBy()
        self._knows_judge = False

    @property
    def so_far(self) -> tuple[int, int]:
        """Claims and findings up to now."""
        return self._in, self._severities.total()

    def counted(self, rows: Iterable[_Row]) -> Iterator[_Row]:
        """Count the rows as they come out of the files."""
        for row in rows:
            self._in += 1
            yield row

    def add(self, outcome: EvaluatedRecord | Rejected) -> None:
        """Count one outcome."""
        if isinstance(outcome, Rejected):
            self._rejections += 1
            if len(self._rejected) < 20:
                self._rejected.append(attrs.evolve(outcome, raw="", reason=""))
            return
        verdict = outcome.verdict
        self._evaluated += 1
        self._clean += not verdict.findings
        self._with_errors += any(finding.severity == "error" for finding in verdict.findings)
        for finding in verdict.findings:
            self._severities[finding.severity] += 1
            self._rules[finding.rule] += 1
        self._outside[verdict.edition] += verdict.out_of_force
        self._add_not_judged(map(NotJudgedCount.of, verdict.not_judged))
        self._count_waivers(outcome)
        self._editions[verdict.edition] += 1
        self._notes[verdict.notes_edition] += 1
        self._old_notes[verdict.notes_edition] += verdict.notes_out_of_force
        if not self._knows_judge:
            self._judged_by = JudgedBy(verdict.engine, verdict.packs)

    def add_batch(self, part: FindingBatch) -> None:
        """Count a batch of claims."""
        self._rejections += len(part.rejected)
        self._rejected += [attrs.evolve(one, raw="", reason="") for one in part.rejected[: 20 - len(self._rejected)]]
        scrubbed = part.scrubbed
        if scrubbed is None:
            self._in += len(part.rejected)
            return
        self._in += scrubbed.rows
        self._evaluated += scrubbed.evaluated
        self._clean += scrubbed.clean
        self._with_errors += scrubbed.with_errors
        self._unchanged += scrubbed.unchanged
        self._severities.update(scrubbed.by_severity)
        self._rules.update(scrubbed.by_rule)
        self._editions.update(scrubbed.editions)
        self._notes.update(scrubbed.notes_editions)
        self._old_notes.update(scrubbed.notes_out_of_force)
        self._waivers.update(scrubbed.waived)
        self._expired.update(scrubbed.expired)
        self._add_not_judged(scrubbed.not_judged)
        for (_, edition), number in scrubbed.out_of_force.items():
            self._outside[edition] += number

    def _add_not_judged(self, counts: Iterable[NotJudgedCount]) -> None:
        self._not_judged = NotJudgedCount.added((*self._not_judged, *counts))

    def judged_by(self, judged_by: JudgedBy) -> None:
        """Take down what judges; without it, verdicts say it."""
        self._judged_by, self._knows_judge = judged_by, True

    def _count_waivers(self, judged: EvaluatedRecord) -> None:
        """Count what was waived, and take down the claim's own waivers that do not waive."""
        verdict, record = judged.verdict, judged.record
        for finding in verdict.waived:
            if finding.waiver is not None:
                self._waivers[finding.waiver] += 1
        own = [has_expired(waiver) for waiver in verdict.expired if waiver in record.claim.waivers]
        own += [fits_nothing(waiver) for waiver in verdict.unmatched]
        self._expired.update(waiver for waiver in verdict.expired if waiver not in record.claim.waivers)
        for sentence in own:
            if len(self._idle) < _MOST_TOLD:
                self._idle.append(f"{record.file}, line {record.line}: {sentence}")
            else:
                self._more_idle += 1

    def idle_waivers(self, waivers: Iterable[Waiver]) -> tuple[str, ...]:
        """Return a sentence for each waiver that waived nothing: of the run, expired ones first, then of claims."""
        expired = [has_expired(waiver) for waiver in waivers if waiver in self._expired]
        unused = [
            waived_nothing(waiver) for waiver in waivers if waiver not in self._expired and waiver not in self._waivers
        ]
        idle = [*expired, *unused][:_MOST_TOLD]
        more = len(expired) + len(unused) - len(idle) + self._more_idle
        return (*idle, *self._idle, *([f"{more:,} more waivers waive nothing"] if more else ()))

    def summary(self, seconds: float, ignored: dict[str, tuple[str, ...]]) -> Summary:
        """Return the counts; raises EngineError when a claim was lost on the way."""
        return Summary(
            claims_in=self._in,
            evaluated=self._evaluated,
            rejected=self._rejections,
            clean=self._clean,
            with_errors=self._with_errors,
            unchanged=self._unchanged,
            waived=self._waivers.total(),
            by_severity={name: self._severities[name] for name in ("error", "warning", "info")},
            by_rule=dict(sorted(self._rules.items(), key=lambda item: (-item[1], item[0]))),
            seconds=seconds,
            editions=dict(sorted(self._editions.items())),
            engine=self._judged_by.engine,
            packs=self._judged_by.packs,
            profile=self._judged_by.profile,
            rules=self._judged_by.rules,
            notices=(
                *self._judged_by.notices,
                *map(notes_were_of, (name for name in sorted(self._old_notes) if self._old_notes[name])),
            ),
            outside_editions={name: number for name, number in sorted(self._outside.items()) if number},
            notes_editions=dict(sorted(self._notes.items())),
            outside_notes={name: number for name, number in sorted(self._old_notes.items()) if number},
            ignored_columns=ignored,
            not_judged=self._not_judged,
            first_rejected=tuple((row.where, row.part) for row in self._rejected),
        )
