"""The meaning of every edit, as durable rules. This page is the specification.

The facts of a claim are the roles that its diagnoses play in its edits:

    {"role": "subject", "verb": ..., "edit": e, "at": i}   diagnosis i is a subject of edit e
    {"role": "object", "edit": e, "at": j}                 diagnosis j is an object of edit e
    {"role": "claim", "edit": e}                           edit e asks for a code on the claim as a whole
    {"role": "repeat", "edit": e, "at": i, "again": j}     the code at i stands again at j
    {"role": "closed"}                                     nothing more will be said; asserted last

A diagnosis is a subject where its code is one; of an edit with `terms` only if its documented text holds one of them,
of an edit with `pointed` only if service lines point to it so: `first`, some line names it first, or `never`, no line
points to it although some line points somewhere. A pointer to a code that stands again is one to the code. That a
pointer leads beyond the claim is part of an edit's condition, like age and payer.

A rule with a `none` waits for the closing fact, since `none` looks at what has been said so far. Every kind of fact is
matched by some rule, else the rules engine would refuse it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from durable.lang import _rulesets, c, m, none, ruleset, when_all


def define(name: str, violation: Callable[[int, int, int], None]) -> dict[str, Any]:
    """Return the durable definition of the semantics; every violation (edit, i, j) is reported to `violation`."""

    def subject(verb: str) -> Any:
        return c.subject << (m.role == "subject") & (m.verb == verb)

    def an_object() -> Any:
        return (m.role == "object") & (m.edit == c.subject.edit)

    def closed() -> Any:
        return c.closed << (m.role == "closed")

    def one(c: Any) -> None:
        violation(c.subject.edit, c.subject.at, 0)

    def two(c: Any) -> None:
        violation(c.subject.edit, c.subject.at, c.object.at)

    def again(c: Any) -> None:
        violation(c.subject.edit, c.subject.at, c.subject.again)

    def whole(c: Any) -> None:
        violation(c.subject.edit, 0, 0)

    with ruleset(name):
        when_all(subject("present"))(one)

        when_all(subject("forbid anywhere"), c.object << an_object() & (m.at != c.subject.at))(two)
        when_all(subject("forbid before"), c.object << an_object() & (m.at < c.subject.at))(two)
        when_all(subject("forbid after"), c.object << an_object() & (m.at > c.subject.at))(two)

        when_all(closed(), subject("require anywhere"), none(an_object() & (m.at != c.subject.at)))(one)
        when_all(closed(), subject("require before"), none(an_object() & (m.at < c.subject.at)))(one)
        when_all(closed(), subject("require after"), none(an_object() & (m.at > c.subject.at)))(one)

        when_all(c.subject << (m.role == "subject") & (m.verb == "first") & (m.at > 1))(one)
        when_all(c.subject << (m.role == "subject") & (m.verb == "secondary") & (m.at == 1))(one)

        # The first object after the subject, where none stands before either of them.
        when_all(
            closed(),
            subject("order before"),
            c.object << an_object() & (m.at > c.subject.at),
            none(an_object() & (m.at < c.object.at) & (m.at != c.subject.at)),
        )(two)
        # The last object before the subject, where none stands after either of them.
        when_all(
            closed(),
            subject("order after"),
            c.object << an_object() & (m.at < c.subject.at),
            none(an_object() & (m.at > c.object.at) & (m.at != c.subject.at)),
        )(two)

        # The first subject, and each later one.
        when_all(
            closed(),
            subject("at most one"),
            c.object << (m.role == "subject") & (m.edit == c.subject.edit) & (m.at > c.subject.at),
            none((m.role == "subject") & (m.edit == c.subject.edit) & (m.at < c.subject.at)),
        )(two)

        when_all(c.subject << (m.role == "repeat"))(again)

        when_all(closed(), c.subject << (m.role == "claim"), none(an_object()))(whole)

        # Facts that no violation follows from are facts all the same.
        when_all((m.role == "object") & (m.at < 0))(lambda c: None)

    definition: dict[str, Any] = _rulesets.pop(name).define()[1]
    return definition
