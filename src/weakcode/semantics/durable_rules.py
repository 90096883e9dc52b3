"""The meaning of every edit, as durable rules. This page is the specification.

The facts of a claim are the roles that its diagnoses play in its edits:

    {"role": "subject", "verb": ..., "edit": e, "at": i}   diagnosis i is a subject of edit e
    {"role": "object", "edit": e, "at": j}                 diagnosis j is an object of edit e
    {"role": "claim", "edit": e}                           edit e asks for a code on the claim as a whole
    {"role": "repeat", "edit": e, "at": i, "again": j}     the code at i stands again at j
    {"role": "closed"}                                     nothing more will be said; asserted last

A diagnosis is a subject where its code is one; of an edit with `terms` only if its documented text holds one of them,
of an edit with `pointed` only if service lines point to it so: `first`, some line names it first; `never`, no line
points to it although some line points somewhere; or `line`, a line that has what the edit asks of one points to it.
`line-first` is such a line's first pointer, and `line-only` too where the line is known to point to subjects alone. Of
an edit with `poa` it is one only on an inpatient claim that has present-on-admission indicators, and with one of these,
`missing` being none. A pointer to a code that stands again is one to the code. That a pointer leads beyond the claim is
part of an edit's condition, like age and payer.

A rule with a `none` waits for the closing fact, since `none` looks at what has been said so far. Every kind of fact is
matched by some rule, else the rules engine would refuse it. The closing fact alone is matched by the last rule, so that
an evaluation in which it did not fire is known to be none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from durable.lang import c, m, none, when_all

Matched = Mapping[str, Mapping[str, Any]]
Reading = Callable[[Matched], tuple[int, int, int] | None]


def _subject(verb: str) -> Any:
    return c.subject << (m.verb == verb)


def _other_subject() -> Any:
    return (m.role == "subject") & (m.edit == c.subject.edit)


def _object() -> Any:
    return (m.role == "object") & (m.edit == c.subject.edit)


def _closed() -> Any:
    return c.closed << (m.role == "closed")


def _one(facts: Matched) -> tuple[int, int, int]:
    return facts["subject"]["edit"], facts["subject"]["at"], 0


def _two(facts: Matched) -> tuple[int, int, int]:
    return facts["subject"]["edit"], facts["subject"]["at"], facts["object"]["at"]


def _repeats(facts: Matched) -> tuple[int, int, int]:
    return facts["subject"]["edit"], facts["subject"]["at"], facts["subject"]["again"]


def _whole_claim(facts: Matched) -> tuple[int, int, int]:
    return facts["subject"]["edit"], 0, 0


def _nothing(facts: Matched) -> None:
    return None


def define() -> tuple[dict[str, Any], dict[str, Reading]]:
    """Return the rules by name as durable-rules takes them, and what the facts that a rule matched say.

    That is a violation (edit, i, j), or None from the rule that matches the closing fact alone.
    """
    rules: list[tuple[Any, Reading]] = [
        (when_all(_subject("present")), _one),
        (when_all(_subject("forbid anywhere"), c.object << _object() & (m.at != c.subject.at)), _two),
        (when_all(_subject("forbid before"), c.object << _object() & (m.at < c.subject.at)), _two),
        (when_all(_subject("forbid after"), c.object << _object() & (m.at > c.subject.at)), _two),
        (when_all(_closed(), _subject("require anywhere"), none(_object() & (m.at != c.subject.at))), _one),
        (when_all(_closed(), _subject("require before"), none(_object() & (m.at < c.subject.at))), _one),
        (when_all(_closed(), _subject("require after"), none(_object() & (m.at > c.subject.at))), _one),
        (when_all(_subject("first") & (m.at > 1)), _one),
        (when_all(_subject("secondary") & (m.at == 1)), _one),
        # The first object after the subject, where none stands before either of them.
        (
            when_all(
                _closed(),
                _subject("order before"),
                c.object << _object() & (m.at > c.subject.at),
                none(_object() & (m.at < c.object.at) & (m.at != c.subject.at)),
            ),
            _two,
        ),
        # The last object before the subject, where none stands after either of them.
        (
            when_all(
                _closed(),
                _subject("order after"),
                c.object << _object() & (m.at < c.subject.at),
                none(_object() & (m.at > c.object.at) & (m.at != c.subject.at)),
            ),
            _two,
        ),
        # The first subject, and each later one.
        (
            when_all(
                _closed(),
                _subject("at most one"),
                c.object << _other_subject() & (m.at > c.subject.at),
                none(_other_subject() & (m.at < c.subject.at)),
            ),
            _two,
        ),
        (when_all(c.subject << (m.role == "repeat")), _repeats),
        (when_all(_closed(), c.subject << (m.role == "claim"), none(_object())), _whole_claim),
        (when_all(_closed()), _nothing),
    ]
    # Each rule is defined by itself: durable-rules' own list of rules is one for the process, and keeps what was
    # half said when an exception comes.
    named = {f"r_{number}": rule for number, rule in enumerate(rules)}
    return {name: rule.define() for name, (rule, _) in named.items()}, {name: say for name, (_, say) in named.items()}
