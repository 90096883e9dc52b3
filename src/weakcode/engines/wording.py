"""What findings say and on whose word. What edits leave open is read once, then only filled in.

Messages are templates: what stays the same for every claim is filled in when a template is read, so that a million
findings cost little more than putting the codes into it.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import attrs

from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.codes.expression.nearest import nearest_code
from weakcode.codes.expression.specificity import specific_instead
from weakcode.codes.normalise import UNTITLED, shown
from weakcode.compile.citations import of_day
from weakcode.compile.program import Program
from weakcode.findings import Source
from weakcode.semantics.edits import Edit
from weakcode.semantics.pointers import BY_LINE, FIRST, FIRST_BY_LINE, NEVER, ONLY_BY_LINE
from weakcode.semantics.verbs import FORMS, Verb, Where

_POINTED_MESSAGES = {
    FIRST: "{subject} may not be the first pointer of {lines}.",
    NEVER: "No service line points to {subject}.",
    BY_LINE: "{subject} may not be a diagnosis of {lines}.",
    FIRST_BY_LINE: "{subject} may not be the first diagnosis of {lines}.",
    ONLY_BY_LINE: "No diagnosis of {lines} is one of these codes: {listed}.",
}
_NOT_LISTED_MESSAGE = "{subject} is a diagnosis of {lines}, and is not one of these codes: {listed}."
_POA_MESSAGE = "{subject} may not have its present-on-admission indicator."
_OFF_CLAIM_MESSAGE = "A pointer leads to a diagnosis that is not on the claim: {lines}."
_NO_POINTER_MESSAGE = "A service line points to no diagnosis: {lines}."
_MOST_REMEMBERED = 100_000
_LONGEST_QUOTE = 160
_MOST_CHOICES = 8

_FILLED = ("subject", "object", "subject_code", "object_code", "found", "term", "lines", "choices", "meant", "specific")
"""What is filled into a template for each finding, in the order of `Wording.words`."""


class NamedInFinding(NamedTuple):
    """A code in findings: its number, how it is shown, and with its title. `NOBODY` stands where there is none."""

    number: int
    shown: str
    described: str


NOBODY = NamedInFinding(-1, "", "")
_ALONE, _STRAYING = (False,), (True,)
"""What is said of a finding whose required code is nowhere, or stands on the wrong side, where no note asks more."""


@attrs.frozen(eq=False)
class FindingText:
    """What the findings of the same edits say, but for what is filled in: `fill` picks that from all there is."""

    template: str
    fill: Callable[[Any], Any] | None
    chooses: bool
    guesses: bool
    specifies: bool
    sources: tuple[Source, ...]


@attrs.frozen(eq=False)
class _Worded:
    """The edits of a finding, `notes` the codes of each note that is cited only for some, and what is said by those."""

    edits: tuple[Edit, ...]
    notes: tuple[CodeSet, ...]
    texts: dict[tuple[bool, ...], FindingText] = attrs.field(factory=dict)


class Wording:
    """Puts findings into words. The same for every engine, for claims one by one and in bulk."""

    def __init__(self, program: Program, edition: Edition) -> None:
        self._program = program
        self._edition = edition
        self._billable: dict[int, NamedInFinding] = {}
        self._others: dict[str, NamedInFinding] = {}
        self._worded: dict[tuple[int, ...], _Worded] = {}
        self._below: dict[str, CodeSet] = {}

    def billable(self, number: int) -> NamedInFinding:
        """Return how a billable code is named, by its number."""
        named = self._billable.get(number)
        if named is None:
            code, title = self._edition.titled_code(number)
            named = self._billable[number] = NamedInFinding(number, code, f"{code} ({title or UNTITLED})")
        return named

    def all_billable(self, numbers: Sequence[int]) -> list[NamedInFinding]:
        """Return what `billable` returns for each of several numbers."""
        known = self._billable
        new = [number for number in numbers if number not in known]
        for number, (code, title) in zip(new, self._edition.titled_codes(new), strict=True):
            known[number] = NamedInFinding(number, code, f"{code} ({title or UNTITLED})")
        return [known[number] for number in numbers]

    def named(self, code: str) -> NamedInFinding:
        """Return how a canonical code is named; `NOBODY` for no code."""
        if not code:
            return NOBODY
        number = self._edition.code_id(code)
        if 0 <= number < self._edition.size:
            return self.billable(number)
        named = self._others.get(code)
        if named is None:
            title = self._edition.title(code) or self._edition.whole.title(code)
            named = NamedInFinding(number, shown(code), f"{code} ({title})" if title else shown(code))
            if len(self._others) < _MOST_REMEMBERED:
                self._others[code] = named
        return named

    def sources(self, edits: Iterable[Edit], other: str) -> tuple[Source, ...]:
        """Return what the edits of one finding cite, each once.

        Where an edit stands on several notes, those are cited that hold for `other`, the object of the finding.
        """
        number = self._edition.code_id(other) if other else -1
        return self._cited(edits, lambda codes: number in codes)

    def words(
        self,
        numbers: tuple[int, ...],
        subject: NamedInFinding,
        other: NamedInFinding,
        stray: NamedInFinding,
        term: str = "",
        lines: str = "",
    ) -> tuple[str, FindingText]:
        """Return the message of a finding of these edits, of which the first names it, and what it was made from.

        `stray` is a required code that stands on the wrong side, `term` the documented term that was found,
        `lines` names the service lines that it is about.
        """
        worded = self._worded.get(numbers) or self._speak(numbers)
        key: tuple[bool, ...] = _ALONE if stray is NOBODY else _STRAYING
        if worded.notes:
            key += tuple([other.number in codes for codes in worded.notes])
        text = worded.texts.get(key)
        if text is None:
            text = worded.texts[key] = self._cited_text(worded, *key)
        if text.fill is None:
            return text.template, text
        _, code, described = subject
        filled: tuple[str, ...] = (described, other.described, code, other.shown, stray.described, term, lines)
        if text.chooses or text.guesses or text.specifies:
            filled += (
                self._choices(code) if text.chooses else "",
                self._nearest_code(code) if text.guesses else "",
                self._specific(code) if text.specifies else "",
            )
        return text.template % text.fill(filled), text

    def _speak(self, numbers: tuple[int, ...]) -> _Worded:
        edits = tuple(map(self._program.edit, numbers))
        notes = tuple(codes for edit in edits for _, codes in self._citing(edit) if codes is not None)
        worded = _Worded(edits, notes)
        if len(self._worded) >= _MOST_REMEMBERED:
            self._worded.clear()
        self._worded[numbers] = worded
        return worded

    def _citing(self, edit: Edit) -> list[tuple[Source, CodeSet | None]]:
        """Return the sources of an edit, each with the objects for which it is cited; None for all."""
        several = edit.verb is Verb.ORDER and sum(source.quote is not None for source in edit.sources) > 1
        citing: list[tuple[Source, CodeSet | None]] = []
        for source in edit.sources:
            codes = None
            if several and source.quote is not None:
                place = _noted_at(source)
                codes = self._below.get(place)
                if codes is None:
                    codes = self._below[place] = self._edition.billable_below(place)
            citing.append((of_day(source, self._edition), codes))
        return citing

    def _cited(self, edits: Iterable[Edit], holds: Callable[[CodeSet], bool]) -> tuple[Source, ...]:
        citing = (pair for edit in edits for pair in self._citing(edit))
        return tuple(dict.fromkeys(source for source, codes in citing if codes is None or holds(codes)))

    def _cited_text(self, worded: _Worded, is_stray: bool, *applies: bool) -> FindingText:
        """Return what is said where a required code is on the wrong side or not, and these notes hold."""
        # The same set of codes is the same object, and so has one answer.
        holds = {id(codes): holds for codes, holds in zip(worded.notes, applies, strict=True)}
        edit = worded.edits[0]
        own = self._cited([edit], lambda codes: holds[id(codes)])
        known = {
            "listed": edit.listed,
            "note": _shortened(next((source.quote for source in own if source.quote), "")),
            "place": _noted_at(own[0]) if own else "",
        }
        side = "after" if edit.where is Where.BEFORE else "before"
        template, fields = "", list[str]()
        for text, field, _, _ in string.Formatter().parse(edit.message or _default_message(edit)):
            template += _literal(text)
            if field == "misplaced":
                template += f"; %s is listed {side} it" if is_stray else ""
                fields += ["found"] * is_stray
            elif field == "not_valid":
                template += _literal(self._not_valid(edit))
            elif field in known:
                template += _literal(known[field])
            elif field is not None:
                template += "%s"
                fields.append(field)
        fill = itemgetter(*map(_FILLED.index, fields)) if fields else None
        cited_text = self._cited(worded.edits, lambda codes: holds[id(codes)])
        return FindingText(
            template if fill else template % (),
            fill,
            "choices" in fields,
            "meant" in fields,
            "specific" in fields,
            cited_text,
        )

    def _not_valid(self, edit: Edit) -> str:
        """Say since or until when the codes of an edit are not valid; nothing for codes that are valid on no day."""
        first = next(iter(edit.subject), 0)
        return f": not valid {self._edition.missing_days(first)}" if first > self._edition.icd9_id else ""

    def _nearest_code(self, code: str) -> str:
        """Say which code was probably meant by one that is none; nothing where none is near."""
        nearest = nearest_code(code, self._edition)
        return f"; {self.named(nearest).described} is one, and was probably meant" if nearest else ""

    def _specific(self, code: str) -> str:
        """Say which codes nearby leave nothing open; nothing where there are none."""
        codes = specific_instead(code, self._edition)
        more = f" and {len(codes) - _MOST_CHOICES} more" if len(codes) > _MOST_CHOICES else ""
        say = "says" if len(codes) == 1 and not codes[0].endswith("-") else "say"
        return f"; {', '.join(codes[:_MOST_CHOICES])}{more} of its category {say} more" if codes else ""

    def _choices(self, code: str) -> str:
        """Say what a code that is not billable needs: a 7th character, or one of the codes below it."""
        choices = self._edition.seventh_characters(code)
        if choices:
            spelled = ", ".join(f"{character} ({meaning})" for character, meaning in choices.items())
            return f"a 7th character, one of {spelled}"
        # The dash tells that this one is not billable either.
        below = [child.name + "-" * bool(child.children) for child in self._edition.children_of(code)]
        more = f" and {len(below) - _MOST_CHOICES} more" if len(below) > _MOST_CHOICES else ""
        return "one of the codes below it: " + ", ".join(below[:_MOST_CHOICES]) + more


def _literal(text: str) -> str:
    return text.replace("%", "%%")


def _noted_at(source: Source) -> str:
    """Return the place of a note without the note's kind."""
    return source.place.rsplit(",", 1)[0]


def _default_message(edit: Edit) -> str:
    if edit.verb is Verb.PRESENT and edit.poa:
        return _POA_MESSAGE
    if edit.verb is Verb.PRESENT and edit.pointed is not None:
        return _NOT_LISTED_MESSAGE if edit.pointed == BY_LINE and edit.listed else _POINTED_MESSAGES[edit.pointed]
    if edit.verb is Verb.CLAIM_REQUIRE and edit.asks_lines and not edit.listed:
        bare = edit.condition is not None and edit.condition.line_without_pointer
        return _NO_POINTER_MESSAGE if bare else _OFF_CLAIM_MESSAGE
    return FORMS[edit.verb].message


def _shortened(quote: str) -> str:
    return quote if len(quote) <= _LONGEST_QUOTE else quote[:_LONGEST_QUOTE].rsplit(" ", 1)[0] + " …"
