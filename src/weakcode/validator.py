"""The library: `Validator`, which evaluates claims."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weakcode.base import clock
from weakcode.base.building import building
from weakcode.claims import Claim, ClaimLike, ServiceLine, Waiver
from weakcode.codes.catalog import EditionSet, edition_for, forget
from weakcode.codes.edition import Edition
from weakcode.compile.build import build_program
from weakcode.engines.choice import engine_for, engine_named
from weakcode.engines.editions import EditionJudge
from weakcode.engines.findings import Assembler
from weakcode.engines.turns import give_way
from weakcode.engines.unjudged import UnjudgedRules
from weakcode.errors import InputError
from weakcode.fields import parsers
from weakcode.findings import Finding, NotJudged, in_order
from weakcode.findings import Verdict as Verdict
from weakcode.notices import about_edition, about_notes, check_facts
from weakcode.ruleinfo import NoteEdit as NoteEdit
from weakcode.ruleinfo import RuleInfo as RuleInfo
from weakcode.ruleinfo import RuleText, notes_touching, rules_touching, texts_of
from weakcode.rules.library import bundled_rule_ids
from weakcode.rules.reading import as_file, several
from weakcode.rules.waivers import WaiverBook, check_rules, load_waivers, sort_out
from weakcode.selection import Selection, rule_ids
from weakcode.semantics.judged import JudgedClaim
from weakcode.semantics.verbs import Order

if TYPE_CHECKING:
    import pyarrow as pa

    from weakcode.compile.program import Program
    from weakcode.compile.risks import Risks
    from weakcode.explain import Explanation
    from weakcode.fix import Fixed
    from weakcode.rules.profile import Profile
    from weakcode.rules.reading import Given
    from weakcode.scrub.judge.annotate import Marker
    from weakcode.scrub.judge.columns import ColumnScrubber

_MOST_DAYS = 20_000


class Validator:
    """Evaluates claims against packs of rules. Make one and use it for many claims; it is safe to share by threads.

    `packs` names bundled packs, rule files or folders, or single rules by full id (which also switches on a rule that
    is off by default); None means every bundled pack. `also` names in the same ways what judges beside them, or beside
    the packs of a profile. `only` narrows the packs to the rules with these full ids, and switches them on. `profile`
    is a payer's or practice's choice, loaded or as a path; what it names stands below its folder, or below `root`.
    Rule files and profiles can also be given as mappings with the keys of the file; a mapping has no folder, so what
    such a profile names is read from `root`, or else from the current folder.
    `strict_edition` refuses a claim (InputError) on whose service date the codes are not known; otherwise the nearest
    known ones judge it.
    `waivers` are for the findings on all claims, as objects or a file of them, beside those of the profile and of each
    claim. `today` is the day on which they must be in force, and whose codes judge claims without a date; each day
    itself when it is not given.
    Raises UnknownNameError for a name that does not exist, RuleFileError for a file that was refused.
    """

    def __init__(
        self,
        packs: Iterable[str | Path | Given] | str | Given | None = None,
        profile: Profile | str | Path | Given | None = None,
        engine: str | None = None,
        *,
        also: Iterable[str | Path | Given] | str | Given = (),
        only: Iterable[str] | None = None,
        strict_edition: bool = False,
        waivers: Iterable[Waiver] | str | Path = (),
        today: date | str | None = None,
        root: str | Path | None = None,
    ) -> None:
        self.engine = engine_named(engine)
        self.strict_edition = strict_edition
        # What can be gone through once only is kept as what it gives, for `reload`.
        packs = several(packs, "packs")
        also = several(also, "also") or ()
        profile = as_file(profile, "profile") if isinstance(profile, Mapping) else profile
        only = None if only is None else rule_ids(only)
        waivers = waivers if isinstance(waivers, str | Path) else tuple(waivers)
        again = {"packs": packs, "also": also, "only": only, "profile": profile, "engine": engine, "waivers": waivers}
        self._given: dict[str, Any] | None = {**again, "strict_edition": strict_edition, "today": today, "root": root}
        self._chosen = Selection.of(packs, profile, also, only, root)
        profile = self._chosen.profile
        self._judges: dict[Hashable, EditionJudge] = {}
        self._editions: dict[dt.date, Edition] = {}
        self._at_hand: EditionSet | None = None
        self._programs: dict[str, Program] = {}
        self._texts: Mapping[str, RuleText] | None = None
        loaded = load_waivers(waivers) if isinstance(waivers, str | Path) else tuple(waivers)
        self._book = WaiverBook((*loaded, *(profile.waiver_list if profile is not None else ())))
        self._waives = bool(len(self._book))
        self._today = parsers.parse_date(today, "day of judging")
        self._coverage = self._chosen.coverage()
        if profile is not None or loaded:
            program = self._judge_of(self._edition(None)).program
            known = tuple(program.rule_numbers)
            if profile is not None:
                from weakcode.rules.profilechecks import check_profile

                of_record = {rule.id for rule in program.chosen_rules if rule.confidence == "record"}
                check_profile(profile, known if packs is None else [*known, *bundled_rule_ids()], of_record)
            check_rules(loaded, [*known, *bundled_rule_ids()])

    def _edition(self, day: dt.date | None) -> Edition:
        """Return the edition that judges a day; None is the day of the run.

        A validator keeps to what was installed when it first asked.
        """
        asked = day or self.day
        edition = self._editions.get(asked)
        if edition is None:
            of_day = edition_for if self._at_hand is None else self._at_hand.edition_for
            with building:
                # A claim that says no date is refused for none.
                edition = of_day(asked, strict=self.strict_edition and day is not None)
            if len(self._editions) < _MOST_DAYS:
                self._editions[asked] = edition
        return edition

    def __getstate__(self) -> dict[str, Any]:
        """Pickle with the editions, the compiled rules and the day: where it arrives it needs no file and no cache."""
        editions = self._at_hand or EditionSet.here()
        programs = {edition.name: self._program(edition) for edition in editions.editions}
        travelling = {"_at_hand": editions, "_programs": programs, "_today": self.day}
        return {**self.__dict__, **travelling, "_judges": {}, "_editions": {}, "_given": None}

    def _judge_of(self, edition: Edition) -> EditionJudge:
        judge = self._judges.get(edition.key)
        if judge is None:
            with building:
                judge = self._judges.get(edition.key) or self._built_judge(edition)
        return judge

    def _built_judge(self, edition: Edition) -> EditionJudge:
        program = self._program(edition)
        chosen = self._chosen
        chosen.check_ids(program)
        on = bytearray(len(program.rules))
        for number in program.present:
            on[number] = chosen.is_on(program.rules[number])
        judge = self._judges[edition.key] = EditionJudge(
            edition,
            program,
            engine_for(self.engine, program, edition, lambda number: bool(on[number])),
            Assembler(program, edition, lambda n, payer: chosen.severity(program.rules[n], payer) if on[n] else None),
            UnjudgedRules(program, edition, lambda number: bool(on[number])),
            self._risks(edition),
        )
        return judge

    def _program(self, edition: Edition) -> Program:
        """Return the compiled rules, which serve every day that the Tabular List of an edition judges."""
        program = self._programs.get(edition.notes_name)
        if program is None:
            chosen = self._chosen
            program = self._programs[edition.notes_name] = build_program(chosen.paths, edition, chosen.profile)
        return program

    def _risks(self, edition: Edition) -> Risks | None:
        profile = self._chosen.profile
        if profile is None or not profile.risks:
            return None
        from weakcode.compile.risks import Risks

        return Risks(profile, edition)

    @property
    def rules(self) -> tuple[RuleInfo, ...]:
        """Every rule of the packs, as this validator applies it."""
        return tuple(
            RuleInfo(
                id=rule.id,
                title=rule.title,
                severity=self._chosen.severity(rule, None) or rule.severity,
                confidence=rule.confidence,
                enabled=self._chosen.is_on(rule),
                pack=rule.pack,
                line=rule.line,
                texts=self._says,
            )
            for rule in self._judge_of(self._edition(None)).program.chosen_rules
        )

    def _says(self, rule_id: str) -> RuleText:
        """Return what the file of a rule says for people; the files are read at the first question."""
        if self._texts is None:
            self._texts = texts_of(self._chosen.paths, self._edition(None))
        return self._texts[rule_id]

    @property
    def packs(self) -> tuple[str, ...]:
        """The packs with their versions."""
        return self._judge_of(self._edition(None)).program.packs

    @property
    def notices(self) -> tuple[str, ...]:
        """What a reader must know of the rules as they are on the day of the run, each as a sentence."""
        edition = self._edition(None)
        lacking = self._coverage.lacking if self._coverage is not None else ()
        return (*about_edition(self.day, edition), *about_notes(self.day, edition), *lacking)

    @property
    def facts(self) -> tuple[str, ...]:
        """The documented facts that the packs know."""
        return self._judge_of(self._edition(None)).program.facts

    def rules_touching(self, code: str) -> tuple[tuple[str, str], ...]:
        """Return (rule id, "subject" or "object") for every rule that a code plays a part in."""
        judge = self._judge_of(self._edition(None))
        return rules_touching(judge.program, judge.edition.code_id(code))

    def notes_touching(self, code: str, service_date: date | None = None) -> tuple[NoteEdit, ...]:
        """Return what the notes of the Tabular List became for a billable code: its own, and those that name it."""
        judge = self._judge_of(self._edition(service_date))
        return notes_touching(judge.program, judge.assembler, judge.edition.code_id(code), code)

    def check(self, claim: ClaimLike) -> tuple[Finding, ...]:
        """Return the findings on a claim by subject position, then rule id, then object position.

        The claim is a `Claim`, a list of codes, or a mapping with the fields of a claim; so too below.
        """
        claim = Claim.of(claim)
        if claim.waivers or self._waives:
            return self.judge(claim).findings
        day = claim.service_date or self.day
        return self._found(claim, self._judge_of(self._editions.get(day) or self._edition(claim.service_date)), day)[1]

    def judge(self, claim: ClaimLike, *, order: Order = "all") -> Verdict:
        """Return the findings on a claim with the edition, engine and packs they were judged by.

        `order` says of which codes the order is known: of all, of the `first` alone, or of `none`: then nothing
        is found that another order of the others would not have.

        Raises UnknownNameError when the claim has a documented fact that no pack knows, InputError when the validator
        is strict about editions and none was in force.
        """
        claim = Claim.of(claim)
        edition, today = self._edition(claim.service_date), self.day
        judge, day = self._judge_of(edition), claim.service_date or today
        judged, found = self._found(claim, judge, day, order)
        outcome = sort_out(found, claim, self._book, today)
        out_of_force = about_edition(day, edition)
        return Verdict(
            findings=outcome.findings,
            edition=edition.name,
            engine=self.engine,
            packs=judge.program.packs,
            waived=outcome.waived,
            notices=(*out_of_force, *outcome.notices(judge.program.rule_numbers)),
            out_of_force=bool(out_of_force),
            expired=outcome.expired,
            unmatched=outcome.unmatched,
            notes_edition=edition.notes_name,
            notes_out_of_force=bool(about_notes(day, edition)),
            not_judged=self._not_judged(judged, judge),
        )

    def _not_judged(self, judged: JudgedClaim, judge: EditionJudge) -> tuple[NotJudged, ...]:
        found = judge.unjudged.of(judged, judge.assembler.severities(judged.payer), self.day)
        if self._coverage is None:
            return found
        return NotJudged.together((*found, *self._coverage.not_judged(judged.claim, judge)))

    def _found(
        self, claim: Claim, judge: EditionJudge, day: dt.date, order: Order = "all"
    ) -> tuple[JudgedClaim, tuple[Finding, ...]]:
        """Return a claim as its edition sees it on a day, and the findings on it before anything is waived."""
        give_way()
        if claim.documented:
            check_facts(claim.documented, judge.program.facts)
        judged = self._judged(claim, judge.edition, day, order)
        findings = judge.assembler.findings(judged, judge.engine.hits(judged))
        if self._coverage is not None and claim.lines:
            covered = self._coverage.findings(claim, day, judge)
            findings = tuple(in_order((*findings, *covered))) if covered else findings
        return judged, findings if judge.risks is None else judge.risks.shown_on(findings, judged.payer)

    def _judged(self, claim: Claim, edition: Edition, day: dt.date, order: Order = "all") -> JudgedClaim:
        return JudgedClaim.of(claim, edition, day, self._chosen.payer_of(claim.payer, claim.payer_id), order)

    def warm(self) -> None:
        """Do now what the first check would do: read or compile the rules and make the engine ready.

        Worth it before a server forks or says that it is ready. Raises what the first check would raise.
        """
        self.judge(Claim(["Z00.00"], lines=[ServiceLine(1, pointers=(1,))]))

    def reload(self) -> None:
        """Take over what changed on disk: rule files, the profile and what it extends, waivers, installed editions.

        Everything is read, checked and made ready first; where that raises, as the constructor does, all stays as it
        was. A profile given as an object, and mappings, stay what they are. Raises InputError for a validator that was
        pickled.
        """
        if self._given is None:
            raise InputError("a validator that was sent here has no files to read again; make one from the files")
        forget()
        new = type(self)(**self._given)
        new.engine = self.engine
        new.warm()
        self.__dict__ = new.__dict__

    @property
    def day(self) -> dt.date:
        """The day of the run: claims without a date are judged by its codes, and waivers must be in force on it."""
        return self._today or clock.today()

    @property
    def waivers(self) -> tuple[Waiver, ...]:
        """The waivers that are not a single claim's: those given and those of the profile."""
        return tuple(self._book)

    def explain(self, claim: ClaimLike) -> Explanation:
        """Return the verdict on a claim with every edit that has a subject on it: its outcome and the reason.

        Raises as `judge` does, and EngineError where the engine and the edits read one by one disagree.
        """
        from weakcode.explain import explain, with_coverage

        claim = Claim.of(claim)
        verdict, edition = self.judge(claim), self._edition(claim.service_date)
        judge, judged = self._judge_of(edition), self._judged(claim, edition, self.day)
        found = judge.engine.hits(judged)
        explained = explain(judged, verdict, judge.program, edition, judge.assembler, found, self._chosen.why_off)
        read = self._coverage.readings(claim, self.day) if self._coverage is not None else ()
        if not read:
            return explained
        return with_coverage(explained, read, claim.codes, lambda rule: judge.severity_of(rule, judged.payer))

    def fix(self, claim: ClaimLike, *, unsafe: bool = False) -> Fixed:
        """Return the claim mended: in the order its rules ask for, moving the fewest codes, and without exact repeats.

        `unsafe` also applies what other findings propose: remove, replace, add. Safe fixes never add a finding.
        """
        from weakcode.fix import fix

        return fix(Claim.of(claim), self.check, unsafe=unsafe)

    @property
    def is_bundled(self) -> bool:
        """True when all of its rules come with weakcode."""
        return self._chosen.is_bundled

    def in_bulk(self) -> Validator:
        """Return this validator with the columnar engine, which scrub uses unless durable was asked for."""
        if self.engine == "columnar":
            return self
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin.engine, twin._judges = "columnar", {}
        return twin

    def columns(self) -> ColumnScrubber:
        """Return what evaluates record batches of claims with the columnar engine."""
        from weakcode.scrub.judge.columns import ColumnScrubber

        bulk = self.in_bulk()
        return ColumnScrubber(
            lambda day: bulk._judge_of(bulk._edition(day)),
            check_facts,
            self._marker(),
            self.day,
            self._coverage,
            self._chosen.payer_of,
        )

    def _marker(self) -> Marker | None:
        profile = self._chosen.profile
        if not len(self._book) and (profile is None or not profile.risks):
            return None
        from weakcode.scrub.judge.annotate import Marker

        return Marker(self._book, self.day)

    def scrub(self, source: Any, **options: Any) -> Iterator[pa.RecordBatch]:
        """Return an iterator over record batches of findings on every claim of a source.

        `source` is a path or several, in any format that weakcode reads, or anything that speaks Arrow's C stream: a
        table, reader or batch, a frame, a relation. `options` are those of `scrub.stream.scrub_batches`: `jobs`
        threads, `mapping` of columns by the names of --map, `on_reject`, which sees each rejected row; without it they
        are left out, and a Python warning says how many. Raises InputError for a source that cannot be read.
        """
        from weakcode.scrub.stream import scrub_batches

        return scrub_batches(source, self, **options)
