"""The rule language: what a rule file can say, as frozen classes.

A rule is one sentence: for each *subject* diagnosis, *forbid* or *require* an *object*, or demand a place in
the order. The classes hold text as it stands in the file; `weakcode.compile` resolves it against an edition.
Field metadata `doc` becomes the description in the JSON Schema that editors read.
"""

# ruff: noqa: RUF009  (doc() declares a field; the linter knows only attrs.field by name)

from __future__ import annotations

import datetime as dt
from typing import Literal

import attrs

from weakcode.base.documented import doc
from weakcode.findings import SAFE_ACTIONS
from weakcode.rules.lines.model import DateRange, LineTest, NumberRange, Pointed

SeverityName = Literal["error", "warning", "info"]
ConfidenceName = Literal["certain", "likely", "record"]
SexName = Literal["F", "M"]
SettingName = Literal["professional", "outpatient", "inpatient"]
FixAction = Literal["resequence", "drop-repeat", "remove-subject", "remove-object", "replace-subject", "add"]
NoteKind = Literal[
    "excludes1",
    "excludes1_wide",
    "excludes1_and_2",
    "excludes1_events",
    "excludes1_other_site",
    "excludes2",
    "manifestation",
    "code_first_missing",
    "code_first_order",
    "code_first_example",
    "use_additional_missing",
    "use_additional_order",
    "code_also",
    "not_billable",
    "not_valid_on_date",
    "excludes1_other_side",
    "right_and_left",
    "both_and_one_side",
    "open_and_known_side",
]
PolicyKind = Literal["not-covered", "excluded", "secondary"]
BUILTIN_SETS = (
    "unknown-code",
    "not-billable",
    "icd9-code",
    "manifestation",
    "after-injury",
    "after-poisoning",
    "after-complication",
    "unspecified",
    "unspecified-side",
    "mce-newborn",
    "mce-pediatric",
    "mce-maternity",
    "mce-adult",
    "mce-female",
    "mce-male",
    "mce-external-cause",
    "mce-manifestation",
    "mce-unacceptable-principal",
    "mce-requires-secondary",
    "mce-questionable-admission",
    "mce-unspecified",
    "poa-exempt",
    "hospital-acquired",
)
"""Code sets that every rule file can name without declaring them; `weakcode.compile.tabular.builtin` resolves them."""
Place = Literal["first", "secondary"]
Indicator = Literal["Y", "N", "U", "W", "1", "missing"]
OLDEST = 150
"""The highest age in years that a rule file can name."""

ID = r"[a-z0-9]+(-[a-z0-9]+)*"
FULL_ID = rf"{ID}/{ID}"
SUBJECT = "The codes that the rule is about; without it the rule is about the claim."
FORBID = "Codes that may not be reported with the subject (or on the claim)."
REQUIRE = "Codes of which one must stand with the subject (or on the claim)."
ORDER = "Codes that must stand before (or after) the subject if they are there."
TERMS = "Words in the documented text of a subject that belong to another code."
POINTED = "What service lines do with the subject, or must do with the diagnoses that they point to."
BY = "What a subject and an object must share to be compared; without it all of them are."
POA = (
    "Present-on-admission indicators that a subject has, missing being none; the rule then speaks on inpatient claims"
    " with indicators alone."
)
MESSAGE = (
    "The finding, as a sentence; {subject}, {object}, {found}, {listed}, {term}, {ages} and {lines} are filled in."
)


@attrs.frozen
class Relation:
    """An object and where it stands seen from the subject. In a file: an expression, or one of three keys."""

    anywhere: str | None = doc("Codes anywhere else on the claim.", default=None)
    before: str | None = doc("Codes that stand before the subject.", default=None)
    after: str | None = doc("Codes that stand after the subject.", default=None)

    @property
    def where(self) -> str:
        """`anywhere`, `before` or `after`."""
        return "before" if self.before is not None else "after" if self.after is not None else "anywhere"

    @property
    def codes(self) -> str:
        """The code expression."""
        return self.before or self.after or self.anywhere or ""


@attrs.frozen
class AgeRange:
    """Ages in completed years, both ends included."""

    min: int | None = doc("Youngest age in years.", default=None)
    max: int | None = doc("Oldest age in years.", default=None)
    outside: str | None = doc("Instead of both: the age is outside of these ages of the pack.", default=None)


@attrs.frozen
class DatedAges:
    """Ages in completed years that hold from a service date on, until the next entry of the list begins."""

    from_: dt.date | None = doc("First service date; only the first entry may be without.", default=None, key="from")
    min: int | None = doc("Youngest age in years.", default=None)
    max: int | None = doc("Oldest age in years.", default=None)


@attrs.frozen
class FactTest:
    """Which documented facts must be there. A fact that is not given is not documented."""

    all: tuple[str, ...] = doc("Facts that must all be documented.", default=(), single=True)
    any: tuple[str, ...] = doc("Facts of which at least one must be documented.", default=(), single=True)
    none: tuple[str, ...] = doc("Facts of which none may be documented.", default=(), single=True)


@attrs.frozen
class When:
    """The claim condition. Every key given must hold; what a claim does not say does not hold."""

    age: AgeRange | None = doc("The patient's age.", default=None)
    sex: SexName | None = doc("The patient's sex.", default=None)
    setting: tuple[SettingName, ...] = doc("Settings in which the rule applies.", default=(), single=True)
    payer: tuple[str, ...] = doc(
        "Payers by name or id, in any case, for which the rule applies; * stands for any characters.",
        default=(),
        single=True,
    )
    plan: tuple[str, ...] = doc("Types of plan, such as the claim filing indicator MB.", default=(), single=True)
    bill_type: tuple[str, ...] = doc("Types of bill, as 131 or 11*.", default=(), single=True)
    frequency: tuple[str, ...] = doc("Claim frequency codes: 1, 7, 8.", default=(), single=True)
    original_reference: tuple[str, ...] = doc(
        "Numbers of the claim that this one replaces or voids; missing where the claim has a place for one and none.",
        default=(),
        single=True,
    )
    place: tuple[str, ...] = doc("Places of service of the claim, with two digits.", default=(), single=True)
    state: tuple[str, ...] = doc("States, as in CA.", default=(), single=True)
    taxonomy: tuple[str, ...] = doc("Taxonomy codes of the billing provider, as 207*.", default=(), single=True)
    provider: tuple[str, ...] = doc("NPIs of the billing provider.", default=(), single=True)
    rendering_provider: tuple[str, ...] = doc("NPIs of the rendering provider.", default=(), single=True)
    rendering_taxonomy: tuple[str, ...] = doc(
        "Taxonomy codes of the rendering provider, as 2251*.", default=(), single=True
    )
    diagnoses: NumberRange | None = doc("How many diagnoses the claim lists, repeats among them.", default=None)
    principals: NumberRange | None = doc("The number of diagnoses marked as principal.", default=None)
    line: LineTest | None = doc("Some service line has all of this.", default=None)
    service_date: DateRange | None = doc("Service dates for which the rule applies.", default=None)
    documented: FactTest | None = doc("Documented facts.", default=None)
    present: str | None = doc("At least one of these codes is on the claim.", default=None, codes=True)
    absent: str | None = doc("None of these codes is on the claim.", default=None, codes=True)
    first_listed: str | None = doc("The first-listed diagnosis is one of these codes.", default=None, codes=True)


@attrs.frozen
class Grouping:
    """What two codes share to be of one group: characters at the same places, the side in their titles, or both."""

    characters: tuple[int, ...] = doc("Places of the characters, 1 to 7; the dot does not count.", default=())
    side: bool = doc("The titles name the same side: right, left or both.", default=False)


@attrs.frozen
class Case:
    """What a rule checks: one subject and one verb. Each case of a rule is violated on its own."""

    subject: str | None = doc(SUBJECT, default=None)
    forbid: Relation | None = doc(FORBID, default=None, verb="claim")
    require: Relation | None = doc(REQUIRE, default=None, verb="claim")
    position: Place | None = doc("Where the subject must stand.", default=None, verb="subject")
    order: Relation | None = doc(ORDER, default=None, verb="subject")
    at_most_one: bool = doc("Only one of the subject's codes may be on the claim.", default=False, verb="subjects")
    by: Grouping | None = doc(BY, default=None)
    once: bool = doc("The same code may stand only once.", default=False, verb="subject")
    terms: tuple[str, ...] = doc(TERMS, default=(), verb="subject")
    pointed: Pointed | None = doc(POINTED, default=None)
    poa: tuple[Indicator, ...] = doc(POA, default=(), single=True)
    when: When | None = doc("The claim condition.", default=None)
    message: str | None = doc(MESSAGE, default=None)
    fix: FixRule | None = doc("What would mend it.", default=None)


@attrs.frozen
class FixRule:
    """What would mend a finding. The actions of `SAFE_ACTIONS` are safe; the others are proposals."""

    action: FixAction = doc("What to do.")
    code: str | None = doc("The code to write, for replace-subject and add.", default=None)
    text: str | None = doc("The proposal as a sentence.", default=None)


@attrs.frozen
class Citation:
    """Where a rule comes from: a source of this file and the place in it."""

    source: str = doc("A key of this file's sources, its pack's or those of its folder (_sources.yaml).")
    at: str = doc("The place: a section, a code and its note.", default="")


@attrs.frozen
class Publication:
    """A source that rules cite."""

    title: str = doc("Title.")
    publisher: str = doc("Publisher.", default="")
    edition: str = doc(
        "Edition or date. {edition} stands for the Tabular List whose notes judge a claim, {codes} for the code set"
        " of its day, {fiscal_year} for the fiscal year of that.",
        default="",
    )
    url: str = doc("The page of the publisher on which it is found.", default="", pattern="^https://[^ ]+$")


@attrs.frozen
class Example:
    """A claim that passes or fails the rule."""

    codes: str = doc("Codes in order, separated by blanks.")
    age: int | None = doc("Age in years.", default=None)
    sex: SexName | None = doc("Sex.", default=None)
    service_date: dt.date | None = doc("Service date.", default=None)
    setting: SettingName | None = doc("Setting.", default=None)
    payer: str | None = doc("Payer.", default=None)
    plan: str | None = doc("Type of plan.", default=None)
    bill_type: str | None = doc("Type of bill.", default=None)
    frequency: str | None = doc("Claim frequency code.", default=None)
    original_reference: str | None = doc("Number of the claim that this one replaces, or missing.", default=None)
    principals: int | None = doc("The number of diagnoses marked as principal.", default=None)
    place: str | None = doc("Place of service.", default=None)
    state: str | None = doc("State.", default=None)
    provider_taxonomy: str | None = doc("Taxonomy code of the billing provider.", default=None)
    provider: str | None = doc("NPI of the billing provider.", default=None)
    rendering_provider: str | None = doc("NPI of the rendering provider.", default=None)
    rendering_taxonomy: str | None = doc("Taxonomy code of the rendering provider.", default=None)
    documented: tuple[str, ...] = doc("Documented facts.", default=(), single=True)
    text: dict[int, str] = doc("Documented text by position.", factory=dict)
    poa: dict[int, Indicator] = doc("Present-on-admission indicators by position.", factory=dict)
    lines: tuple[str, ...] = doc(
        "The pointers of each service line, the main one first, separated by blanks; - where it has none. Before them"
        " and a colon, its procedure with modifiers, or place=11, revenue=0450, units=2, charge=120, date=2026-05-01,"
        " rendering_provider=1234567893, rendering_taxonomy=225100000X.",
        default=(),
        single=True,
    )
    finds: tuple[tuple[int, ...], ...] | None = doc(
        "Positions of each finding of this rule, subject first.", default=None
    )
    fixed: str | None = doc(
        "The codes in order after this rule's safe fixes; the same codes where the order is left to the coder.",
        default=None,
    )
    note: str = doc("Why this claim passes or fails.", default="")


@attrs.frozen
class Examples:
    """At least one claim of each kind."""

    passing: tuple[Example, ...] = doc("Claims without a finding of this rule.", default=(), key="pass")
    fail: tuple[Example, ...] = doc("Claims with a finding of this rule.", default=())


@attrs.frozen
class Rule:
    """One rule of a pack. The full id is `pack/id`."""

    id: str = doc("Short id, unique in the file: lower-case words joined by hyphens.", pattern=ID)
    title: str = doc("What is wrong, in a few words.")
    severity: SeverityName = doc("error, warning or info.")
    confidence: ConfidenceName = doc(
        "How sure the rule is: certain follows from the codes, likely has exceptions that a record may bear, record"
        " depends on what the record says and is never an error.",
        default="likely",
    )
    why: str = doc("Why it matters.", default="")
    enabled: bool = doc("False: off unless a profile or --rules names the rule.", default=True)
    subject: str | None = doc(SUBJECT, default=None)
    forbid: Relation | None = doc(FORBID, default=None)
    require: Relation | None = doc(REQUIRE, default=None)
    position: Place | None = doc("Where the subject must stand.", default=None)
    order: Relation | None = doc(ORDER, default=None)
    at_most_one: bool = doc("Only one of the subject's codes may be on the claim.", default=False)
    by: Grouping | None = doc(BY, default=None)
    once: bool = doc("The same code may stand only once.", default=False)
    terms: tuple[str, ...] = doc(TERMS, default=())
    pointed: Pointed | None = doc(POINTED, default=None)
    poa: tuple[Indicator, ...] = doc(POA, default=(), single=True)
    when: When | None = doc("The claim condition.", default=None)
    message: str | None = doc(MESSAGE, default=None)
    cases: tuple[Case, ...] = doc("Several things the rule checks, instead of one.", default=())
    notes: NoteKind | None = doc(
        "Instances come from the Tabular List: its notes of this kind, or codes whose titles differ by side.",
        default=None,
    )
    policies: PolicyKind | None = doc(
        "Instances come from the coverage policies that were installed; for weakcode's own pack coverage alone.",
        default=None,
    )
    effective: DateRange | None = doc("Service dates for which the rule is in force.", default=None)
    supersedes: tuple[str, ...] = doc(
        "Full ids of generic rules that this one replaces on its subject.",
        default=(),
        single=True,
        pattern=FULL_ID,
    )
    known_problems: str = doc("What the rule cannot see.", default="")
    fix: FixRule | None = doc("What would mend it.", default=None)
    sources: tuple[Citation, ...] = doc("On whose word the rule stands.", default=())
    examples: Examples = doc("Claims that pass and fail.", factory=Examples)

    @property
    def has_safe_fix(self) -> bool:
        """Whether a case's fix reorders codes or drops repeats, which `fix` applies without being asked."""
        return any(case.fix and case.fix.action in SAFE_ACTIONS for case in self.all_cases)

    @property
    def all_cases(self) -> tuple[Case, ...]:
        """The cases, also when the rule is written as one. A case inherits what it does not say itself."""
        inline = Case(**{field.name: getattr(self, field.name) for field in attrs.fields(Case)})
        if not self.cases:
            return (inline,)
        return tuple(
            attrs.evolve(
                case,
                subject=case.subject or self.subject,
                when=case.when or self.when,
                message=case.message or self.message,
                fix=case.fix or self.fix,
                by=case.by or self.by,
            )
            for case in self.cases
        )


@attrs.frozen
class Publications:
    """The publications that every rule file of a folder can cite: `_sources.yaml`."""

    title: str = doc("What the file is about.", default="")
    sources: dict[str, Publication] = doc("Publications by the key that rules cite.", factory=dict)


@attrs.frozen
class Pack:
    """A rule file. Of a pack in several files, the one with the pack's name speaks for all of them."""

    pack: str = doc("The pack's name and the prefix of its rules' ids.", pattern=ID)
    title: str = doc("What the pack is about.")
    version: str = doc("The pack's version, named in every output.", default="1")
    sources: dict[str, Publication] = doc(
        "Publications that the rules cite, beside those in _sources.yaml of the folder.", factory=dict
    )
    facts: dict[str, str] = doc("Documented facts that the rules ask for, and what each means.", factory=dict)
    code_sets: dict[str, str] = doc("Named code expressions, used as $name.", factory=dict)
    ages: dict[str, tuple[DatedAges, ...]] = doc(
        "Named age limits, each with the date that it holds from.", factory=dict
    )
    rules: tuple[Rule, ...] = doc("The rules.", default=())

    def page_of(self, title: str) -> str:
        """Return the publisher's page of a publication that a source names by its title; empty where none is known."""
        fitting = [one for one in self.sources.values() if one.url and title.startswith(one.title)]
        return max(fitting, key=lambda one: len(one.title)).url if fitting else ""
