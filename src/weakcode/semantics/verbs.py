"""The verbs of edits, declared once: what each needs and what it says where a rule has no message of its own."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import attrs

if TYPE_CHECKING:
    from weakcode.rules.model import Case


class Verb(enum.IntEnum):
    """What an edit asks of a claim. The kernel has the same numbers (`engines/kernel/_verbs.h`)."""

    PRESENT = 0
    """A subject is on the claim at all: a violation (i). Also what a claim-level `forbid` becomes."""
    FORBID = 1
    REQUIRE = 2
    FIRST = 3
    SECONDARY = 4
    ORDER = 5
    AT_MOST_ONE = 6
    ONCE = 7
    CLAIM_REQUIRE = 8


class Where(enum.IntEnum):
    """Where an object stands, seen from the subject."""

    ANYWHERE = 0
    BEFORE = 1
    AFTER = 2

    def relates(self, i: int, j: int) -> bool:
        """Tell whether an object at j stands so to a subject at i; none stands in any relation to itself."""
        if self is Where.ANYWHERE:
            return i != j
        return j < i if self is Where.BEFORE else j > i


@attrs.frozen
class Form:
    """What a verb needs and says.

    `name` is its word among the facts of durable rules, with the relation behind it where the verb has one;
    `needs_object` is False for a verb that looks at no other code, and `asks_object` True for one of which a violation
    without an object means that an object is missing. `key` is what a case of a rule file calls it,
    `phrase` how pages say it, and `word` the value of that key where two verbs have one key. `has_subject` is False
    for a verb about the claim as a whole, `counts_subjects` True for one that judges its subjects together,
    `looks_first` True for one that looks at the first-listed code alone.
    """

    name: str
    message: str
    needs_object: bool = False
    asks_object: bool = False
    has_relation: bool = False
    key: str = ""
    phrase: str = ""
    word: str | None = None
    has_subject: bool = True
    counts_subjects: bool = False
    looks_first: bool = False


FORMS: Mapping[Verb, Form] = {
    Verb.PRESENT: Form("present", "{subject} does not belong on this claim."),
    Verb.FORBID: Form(
        "forbid",
        "{subject} and {object} may not be reported together.",
        needs_object=True,
        has_relation=True,
        key="forbid",
        phrase="forbid {object}",
    ),
    Verb.REQUIRE: Form(
        "require",
        "{subject} needs one of these codes with it: {listed}{misplaced}.",
        needs_object=True,
        asks_object=True,
        has_relation=True,
        key="require",
        phrase="require {object}",
    ),
    Verb.FIRST: Form(
        "first",
        "{subject} may only be the first-listed diagnosis.",
        key="position",
        phrase="may only be first-listed",
        word="first",
    ),
    Verb.SECONDARY: Form(
        "secondary",
        "{subject} may not be the first-listed diagnosis.",
        key="position",
        phrase="may not be first-listed",
        word="secondary",
        looks_first=True,
    ),
    Verb.ORDER: Form(
        "order",
        "{object} must be listed before {subject}.",
        needs_object=True,
        has_relation=True,
        key="order",
        phrase="if there, {object}",
    ),
    Verb.AT_MOST_ONE: Form(
        "at most one",
        "{subject} and {object} may not both be reported; one of them says it.",
        key="at_most_one",
        phrase="only one of them on a claim",
        counts_subjects=True,
    ),
    Verb.ONCE: Form(
        "once", "{subject} is listed more than once on the claim.", key="once", phrase="each code only once"
    ),
    Verb.CLAIM_REQUIRE: Form(
        "claim",
        "The claim needs one of these codes: {listed}.",
        needs_object=True,
        asks_object=True,
        has_subject=False,
    ),
}


def verb_of(case: Case) -> Verb:
    """Return the verb that a rule's case names; PRESENT where it names none."""
    for verb, form in FORMS.items():
        value = form.key and getattr(case, form.key)
        if value and form.word in (None, value):
            return verb
    return Verb.PRESENT


def named(verb: Verb, where: Where) -> str:
    """Return the name of a verb with its relation: `forbid before`, `secondary`."""
    form = FORMS[verb]
    return f"{form.name} {where.name.lower()}" if form.has_relation else form.name


Order = Literal["all", "first", "none"]
"""Of which of a claim's codes the order is known: of all, of the first alone, of none.

FHIR resources by CARIN's profiles are such: their `sequence` need not be an order, only the principal type tells one.
"""
ORDERS: Sequence[Order] = ("all", "first", "none")


def in_every_order(verb: Verb, where: Where, i: int, j: int, order: Order, others: Callable[[], Iterable[int]]) -> bool:
    """Tell whether a violation of an edit at i, with j, is one in whatever order the codes stand.

    `others` gives the first positions of what satisfies the edit, beside i. Each edit is asked by itself: an order in
    which it is satisfied need not satisfy all.
    """
    known = order == "first"
    if verb in (Verb.FIRST, Verb.SECONDARY):
        return known
    if verb is Verb.ORDER:
        # What is violated with the last object, or the first, is violated with all of them.
        return known and (j if where is Where.AFTER else i) == 1
    if where is Where.ANYWHERE:
        return True
    if verb is Verb.FORBID:
        return known and 1 in (i, j)
    return not any(where.relates(i, k) if known and 1 in (i, k) else True for k in others())
