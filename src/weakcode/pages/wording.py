"""The facts of a rule in words: sections of lines, the same for the terminal and for pages.

Codes, ids and what is written in files stand between backticks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from weakcode.compile.ages import in_words, periods
from weakcode.fields.parsers import plain_value
from weakcode.findings import CONFIDENCES, SAFE_ACTIONS, Source
from weakcode.pages.facts import ExampleRun, Handling, RuleFacts
from weakcode.rules.examples import ABOUT_EXAMPLES, ExampleCase
from weakcode.rules.lines.model import LINE_KEYS, LineTest, Pointed
from weakcode.rules.model import Case, Grouping, Relation
from weakcode.semantics.verbs import FORMS, verb_of

_FIXES = {
    "resequence": "Put the codes in the order that the rule asks for.",
    "drop-repeat": "Report the code once.",
    "remove-subject": "Remove the code that the rule is about.",
    "remove-object": "Remove the other code.",
    "replace-subject": "Report `{code}` instead.",
    "add": "Add `{code}`.",
}
_KINDS: dict[str, str] = {
    "excludes1": "For each code that an Excludes1 note holds for: forbid the codes that a line of the note names.",
    "excludes2": "For each code that an Excludes2 note holds for: report the codes that a line of the note names.",
    "manifestation": "For each manifestation code, by its title and a code-first note: may not be first-listed.",
    "code_first_missing": "For each code that a code-first note without a condition holds for: "
    "require what the note asks for before it.",
    "code_first_order": "For each code that a code-first note holds for: if what the note names is there, before it; "
    "where it gives examples, only at the head of the claim.",
    "code_first_example": "For each code whose code-first note gives examples: if one of them is there, before it.",
    "use_additional_missing": "For each code that a use-additional note holds for: require a code that the note names.",
    "use_additional_order": "For each code that a use-additional note names and that adds to another: "
    "if the code with the note is there, before it.",
    "code_also": "For each code that a code-also note holds for: require a code that the note names.",
    "excludes1_other_side": "For each code of one side that an Excludes1 note holds for: "
    "forbid the codes of the other side that a line of the note names.",
    "right_and_left": "For each condition with a code for both sides: forbid the codes of its two sides together.",
    "both_and_one_side": "For each condition with a code for both sides: forbid it beside the code of one side.",
    "open_and_known_side": "For each code that leaves the side open: forbid the codes of its condition that tell it.",
    "not_billable": "Forbid categories and codes without their 7th character, also what became one since.",
    "not_valid_on_date": "Forbid codes on days on which they were not yet, or are no longer, in force.",
}
_NAMES = {"service_date": "on", "setting": "", "documented": "documented:"}
"""What stands before the value of a claim's field, where that is not its name."""
_SAFETY = {
    "resequence": "Safe where only one code can be moved; with a choice of codes it is a proposal.",
    "drop-repeat": "Safe: `weakcode fix` applies it.",
}
_POINTED: dict[str, str] = {
    "first": "no service line may point to it first",
    "never": "some service line must point to it",
    "no-pointer": "every service line must have a pointer, where one has",
    "off-claim": "no service line may point to a diagnosis that is not there",
}
_SET = re.compile(r"\$([a-z0-9]+(?:-[a-z0-9]+)*)")
_PROPOSAL = "A proposal: never applied unless asked for with `--unsafe`, since the record decides."


@attrs.frozen
class PageLine:
    """A line and what belongs under it."""

    text: str
    under: tuple[str, ...] = ()


@attrs.frozen
class Section:
    """A heading and its lines."""

    title: str
    lines: tuple[PageLine, ...]


def headline(facts: RuleFacts) -> str:
    """Return severity, confidence and the pack with its version, as one line."""
    state = "" if facts.rule.enabled else ", off unless asked for"
    return f"{facts.rule.severity}{state}, {facts.rule.confidence}; pack {facts.pack.pack} {facts.pack.version}"


def _cited(facts: RuleFacts, source: Source) -> str:
    page = facts.pack.page_of(source.title)
    return f"{source} {page}" if page else str(source)


def sections(facts: RuleFacts) -> tuple[Section, ...]:
    """Return the page of a rule. Every rule has the same sections, in this order."""
    rule = facts.rule
    parts: list[tuple[str, list[PageLine]]] = [
        ("What it checks", _checks(facts)),
        ("Why", [PageLine(_flat(rule.why) or "The rule file does not say.")]),
        ("Known problems", [PageLine(_flat(rule.known_problems) or "None are known.")]),
        ("Passes", [_example(one) for one in facts.tried if not one.case.fails] or _without(facts)),
        ("Fails", [_example(one) for one in facts.tried if one.case.fails] or _without(facts)),
        ("Fix", _fixes(facts)),
        ("Severity, confidence and pack", _severity(facts)),
        ("Sources", [PageLine(_cited(facts, source)) for source in facts.sources] or [PageLine("None is cited.")]),
        ("Other rules", _others(facts)),
        ("Profiles", _profiles(facts)),
    ]
    return tuple(Section(title, tuple(lines)) for title, lines in parts)


_POLICIES = {
    "not-covered": "A service line whose procedure the payer's installed policies name must point to a diagnosis that"
    " one of them covers for it.",
    "excluded": "A service line must not point only to diagnoses that the payer's installed policies exclude for its"
    " procedure.",
    "secondary": "Where the words of a policy ask for a second diagnosis beside a covered one, the service line must"
    " point to one.",
}


def _flat(paragraph: str) -> str:
    return " ".join(paragraph.split())


def _without(facts: RuleFacts) -> list[PageLine]:
    """Return what stands in the place of examples."""
    if facts.rule.policies is not None:
        return [PageLine("Which claims, the installed policies tell; docs/coverage.md has an example.")]
    return [PageLine("No example.")]


def _checks(facts: RuleFacts) -> list[PageLine]:
    if facts.rule.policies is not None:
        return [PageLine(_POLICIES[facts.rule.policies])]
    if facts.rule.notes is None:
        lines = [PageLine(_sentence(_case(case))) for case in facts.rule.all_cases]
        return lines + _named_sets(" ".join(line.text for line in lines), facts.pack.code_sets) + _named_ages(facts)
    when = facts.rule.when
    kind = _KINDS.get(facts.rule.notes) or f"What the Tabular List itself says: {facts.rule.notes.replace('_', ' ')}."
    lines = [PageLine(kind)]
    if when:
        lines.append(PageLine(f"When {_condition(when)}."))
    if facts.instances is not None:
        made = facts.instances
        of = f" from notes at {made.places:,} places" if made.places else ""
        quoted = tuple(f'`{source.place}`: "{source.quote}"' for source in made.quoted)
        also = ", for example:" if quoted else "."
        lines.append(PageLine(f"In ICD-10-CM {made.edition} these are {made.edits:,} edits{of}{also}", quoted))
    return lines


def _named_sets(text: str, code_sets: Mapping[str, str]) -> list[PageLine]:
    """Return what the code sets are that a text names, and those that these name."""
    found: dict[str, str] = {}
    known: list[str] = []
    waiting = _SET.findall(text)
    while waiting:
        name = waiting.pop(0)
        if name in code_sets and name not in found:
            found[name] = f"`{_flat(code_sets[name])}`"
            waiting += _SET.findall(code_sets[name])
        elif name not in code_sets and name not in known:
            known.append(name)
    lines = [PageLine(f"`${name}` is {words}.") for name, words in found.items()]
    if known:
        are = "is a set" if len(known) == 1 else "are sets"
        lines.append(PageLine(f"{', '.join(f'`${name}`' for name in known)} {are} that every rule file knows."))
    return lines


def _named_ages(facts: RuleFacts) -> list[PageLine]:
    """Return what the ages are that the rule's cases name, and from when to when."""
    whens = [case.when for case in facts.rule.all_cases if case.when and case.when.age]
    names = dict.fromkeys(when.age.outside for when in whens if when.age and when.age.outside)
    lines = []
    for name in names:
        spelled = [
            f"{in_words(ages)}{f' from {dates.from_}' if dates.from_ else ''}{f' until {dates.to}' if dates.to else ''}"
            for ages, dates in periods(facts.pack.ages[name])
        ]
        lines.append(PageLine(f"Ages `{name}` are {'; '.join(spelled)}."))
    return lines


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}." if words else "Nothing."


def _case(case: Case) -> str:
    parts = []
    if case.subject:
        parts.append(f"for each `{case.subject}`:")
    form = FORMS[verb_of(case)]
    if form.key:
        value = getattr(case, form.key)
        parts.append(form.phrase.format(object=_relation(value) if isinstance(value, Relation) else ""))
    if case.by:
        parts.append(f"with {_grouping(case.by)}")
    if case.terms:
        parts.append(f"not documented as {', '.join(case.terms)}")
    if case.pointed:
        parts.append(_pointed(case.pointed, alone=len(parts) == bool(case.subject)))
    if case.poa:
        parts.append(f"on inpatient claims, with the present-on-admission indicator {' or '.join(case.poa)}")
    if case.when:
        parts.append(f"(when {_condition(case.when)})")
    return " ".join(parts)


def _pointed(pointed: Pointed, *, alone: bool) -> str:
    """Return what service lines must do; `alone` tells that the case has no other verb."""
    if pointed.how and not pointed.asks_line:
        return _POINTED[pointed.how]
    line = "a service line"
    if pointed.asks_line:
        test = LineTest(**{key: getattr(pointed, key) for key in LINE_KEYS})
        line += f" with {_condition(test).replace('; ', ' and ')}"
    if pointed.every:
        return f"every diagnosis that {line} points to must be one of `{pointed.every}`"
    if pointed.any:
        return f"some diagnosis that {line} points to must be one of `{pointed.any}`"
    if pointed.none:
        return f"no diagnosis that {line} points to may be one of `{pointed.none}`"
    if alone:
        return f"no {line.removeprefix('a ')} may point to it{' first' if pointed.how else ''}"
    return f"where {line} points to it{' first' if pointed.how else ''}"


def _grouping(by: Grouping) -> str:
    places = ", ".join(map(str, by.characters))
    shared = [f"the same character{'s' * (len(by.characters) > 1)} {places}"] if places else []
    return " and ".join([*shared, *["the same side in their titles"] * by.side])


def _relation(relation: Relation) -> str:
    codes = f"`{relation.codes}`"
    return codes if relation.where == "anywhere" else f"{codes} {relation.where} it"


def _condition(when: Any) -> str:
    tests = attrs.asdict(when, filter=lambda _, value: value not in (None, (), []))
    return "; ".join(f"{name.rstrip('_').replace('_', ' ')} {_value(value)}" for name, value in tests.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.rstrip('_')} {_value(item)}" for name, item in value.items())
    return f"`{', '.join(map(str, value))}`" if isinstance(value, list | tuple) else f"`{value}`"


def _example(tried: ExampleRun) -> PageLine:
    example = tried.case.example
    words = ", ".join([f"`{example.codes}`", *known_of(tried.case)])
    note = f" ({example.note.rstrip('.')})" if example.note else ""
    under: tuple[str, ...] = ()
    if tried.findings is None:
        under = ("Not run here.",)
    elif tried.findings:
        under = tuple(f"{_place(positions)}: {message}" for positions, message in tried.findings)
        under += (f"Mended: `{example.fixed}`",) if tried.case.is_mended else ()
    elif tried.case.fails:
        under = ("The rule finds nothing here, although the rule file says that it does.",)
    return PageLine(words + note, under)


def _place(positions: tuple[int, ...]) -> str:
    if not positions:
        return "On the claim as a whole"
    return f"At {' and '.join(map(str, positions))}"


def known_of(case: ExampleCase) -> Iterator[str]:
    """Give what an example says of its claim beside the codes."""
    claim = case.claim
    for name in ABOUT_EXAMPLES:
        value = plain_value(getattr(claim, name))
        if value is not None:
            words = f"`{', '.join(value)}`" if isinstance(value, list) else value
            yield f"{_NAMES.get(name, name.replace('_', ' '))} {words}".strip()
    for diagnosis in claim.diagnoses:
        if diagnosis.text:
            yield f'the record says "{diagnosis.text}" at {diagnosis.position}'
        if diagnosis.poa:
            yield f"indicator {diagnosis.poa} at {diagnosis.position}"
    if case.example.lines:
        yield f"service lines pointing to {' and '.join(f'`{pointers}`' for pointers in case.example.lines)}"


def _fixes(facts: RuleFacts) -> list[PageLine]:
    lines: dict[PageLine, None] = {}
    for fix in (case.fix for case in facts.rule.all_cases if case.fix):
        words = _FIXES[fix.action].format(code=fix.code)
        text = _flat(fix.text) if fix.text else ""
        sentence = f"{words} {text}".strip() if text and text != words else words
        lines[PageLine(sentence, (_SAFETY[fix.action] if fix.action in SAFE_ACTIONS else _PROPOSAL,))] = None
    return list(lines) or [PageLine("None is proposed: the record decides.")]


def _severity(facts: RuleFacts) -> list[PageLine]:
    rule, force = facts.rule, facts.rule.effective
    state = "" if rule.enabled else ", off unless a profile or `--rules` names the rule"
    lines = [PageLine(f"`{rule.severity}`{state}.")]
    lines.append(PageLine(f"Confidence `{rule.confidence}`: {CONFIDENCES[rule.confidence]}."))
    lines.append(
        PageLine(
            f"Pack `{facts.pack.pack}` version {facts.pack.version}: {facts.pack.title} ({facts.file}:{facts.line})."
        )
    )
    if force is not None:
        since = f" from {force.from_}" if force.from_ else ""
        until = f" to {force.to}" if force.to else ""
        lines.append(PageLine(f"In force for service dates{since}{until}."))
    return lines


def _others(facts: RuleFacts) -> list[PageLine]:
    lines = []
    if facts.rule.supersedes:
        replaced = tuple(f"`{other}`" for other in facts.rule.supersedes)
        lines.append(PageLine("Where both find one problem, this rule reports it and these do not:", replaced))
    if facts.superseded_by:
        replacing = tuple(f"`{other}`" for other in facts.superseded_by)
        lines.append(PageLine("Where both find one problem, these report it and this rule does not:", replacing))
    return lines or [PageLine("It supersedes no rule, and none supersedes it.")]


def _profiles(facts: RuleFacts) -> list[PageLine]:
    if facts.rule.enabled:
        state, wanted = f"`{facts.rule.severity}`", "`off`, or to another severity"
        setting = "info" if facts.rule.severity == "warning" else "warning"
    else:
        state, wanted, setting = "off", "`on`, or to a severity", "on"
    return [
        PageLine(f"Without a profile: {state}."),
        *(
            PageLine(f"{one.profile}: {_handled(one)}.", tuple(f"{risk}." for risk in one.risks))
            for one in facts.handling
        ),
        PageLine(f"A profile sets it to {wanted}: `rules: {{{facts.id}: {setting}}}`."),
    ]


def _handled(one: Handling) -> str:
    if not one.included:
        return "not evaluated, since its pack is not among the profile's"
    sentences = []
    for payer, severity in one.severities:
        state = f"`{severity}`" if severity else "off"
        sentences.append(f"{state} for {payer}" if payer else state)
    return ", ".join(sentences)
