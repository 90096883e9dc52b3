"""The durable engine: single claims, evaluated by durable-rules on the rules of `semantics`.

What varies from edit to edit is in the facts, so that the ruleset stays small: durable-rules slows down with the number
of rules and stops answering past about 250. Only roles that can decide something on this claim become facts.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

from weakcode.codes.edition import Edition
from weakcode.compile.conditions import JudgedClaim, found_term, holds
from weakcode.compile.edits import Edit, Hit, Verb, Where
from weakcode.compile.program import Program
from weakcode.errors import EngineError

# durable-rules keeps about 100 to 200 bytes of each claim until its ruleset is deleted.
_CLAIMS_BEFORE_RECYCLING = 5_000
_STATE = "claim"

_SPOKEN = {
    Verb.PRESENT: "present",
    Verb.FORBID: "forbid",
    Verb.REQUIRE: "require",
    Verb.FIRST: "first",
    Verb.SECONDARY: "secondary",
    Verb.ORDER: "order",
    Verb.AT_MOST_ONE: "at most one",
}
_RELATED = (Verb.FORBID, Verb.REQUIRE, Verb.ORDER)

Roles = tuple[tuple[int, ...], tuple[int, ...]]


class RuleHost:
    """A durable ruleset that evaluates the facts of one claim at a time and forgets them."""

    def __init__(self) -> None:
        self._violations: list[Hit] = []
        self._failures: list[BaseException] = []
        self._open()

    def _open(self) -> None:
        from durable.engine import Ruleset

        from weakcode.engines.semantics import define

        self._ruleset = Ruleset("weakcode", None, define("weakcode", self._violation))
        self._claims = 0
        # Deleting the state of a ruleset whose rules have never fired crashes durable-rules, so one fires first.
        self._evaluate([{"role": "subject", "verb": "present", "edit": 0, "at": 1, "sid": _STATE}])

    def _violation(self, edit: int, subject: int, other: int) -> None:
        # durable-rules swallows what an action raises; kept here, it is raised again by `violations`.
        try:
            self._violations.append(Hit(int(edit), int(subject), int(other)))
        except BaseException as failure:
            self._failures.append(failure)
            raise

    def _recycle(self) -> None:
        import durable_rules_engine

        durable_rules_engine.delete_ruleset(self._ruleset._handle)
        self._open()

    def violations(self, facts: list[dict[str, Any]]) -> list[Hit]:
        """Return the violations that follow from the facts. Raises EngineError when any could not be evaluated."""
        if self._claims >= _CLAIMS_BEFORE_RECYCLING:
            self._recycle()
        self._claims += 1
        return self._evaluate(facts)

    def _evaluate(self, facts: list[dict[str, Any]]) -> list[Hit]:
        self._violations, self._failures = [], []
        try:
            state = self._ruleset.assert_facts(facts)
            self._ruleset.do_actions(state, self._done)
        except Exception as failure:
            raise EngineError(f"the rules engine failed on this claim: {type(failure).__name__}") from failure
        finally:
            # More than a thousand live states exhaust durable-rules, so the claim goes whatever happened.
            self._ruleset.delete_state(_STATE)
        if self._failures:
            raise EngineError("the rules engine failed on this claim") from self._failures[0]
        return self._violations

    def _done(self, error: Any, _: Any) -> None:
        if error:
            self._failures.append(error if isinstance(error, BaseException) else EngineError(str(error)))


class _Shared:
    """One ruleset for the process, one claim at a time; made anew in a forked child."""

    def __init__(self) -> None:
        self._reset()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._host: RuleHost | None = None

    def violations(self, facts: list[dict[str, Any]]) -> list[Hit]:
        with self._lock:
            if self._host is None:
                self._host = RuleHost()
            return self._host.violations(facts)


_shared = _Shared()


class DurableEngine:
    """Evaluates one claim at a time with durable-rules. Safe to use from several threads and after a fork."""

    name = "durable"

    def __init__(self, program: Program, edition: Edition, is_active: Callable[[int], bool]) -> None:
        self._program = program
        self._edition = edition
        self._is_active = is_active
        self._claim_edits = tuple(e for e in program.claim_edits if is_active(program.rule_of_edit[e]))
        self._roles: dict[int, Roles] = {}

    def _roles_of(self, code_id: int) -> Roles:
        code_class = self._program.code_class(code_id)
        roles = self._roles.get(code_class)
        if roles is None:
            rule_of = self._program.rule_of_edit
            subject, objects = self._program.listed_roles(code_class)
            roles = self._roles[code_class] = (
                tuple(e for e in subject if self._is_active(rule_of[e])),
                tuple(e for e in objects if self._is_active(rule_of[e])),
            )
        return roles

    def hits(self, judged: JudgedClaim) -> list[Hit]:
        """Return every violation on the claim, in no particular order. Raises EngineError."""
        facts = self.facts(judged)
        return _shared.violations(facts) if facts else []

    def facts(self, judged: JudgedClaim) -> list[dict[str, Any]]:
        """Return the facts of the claim that can lead to a violation, the closing fact last; empty if none can."""
        subjects: dict[int, list[int]] = {}
        objects: dict[int, list[int]] = {}
        for position, code_id in judged.distinct:
            as_subject, as_object = self._roles_of(code_id)
            for number in as_subject:
                subjects.setdefault(number, []).append(position)
            for number in as_object:
                objects.setdefault(number, []).append(position)
        facts: list[dict[str, Any]] = []
        for number in self._program.wide_edits.intersection([*subjects, *self._claim_edits]):
            held = self._program.edit(number).object
            objects[number] = [position for position, code_id in judged.distinct if code_id in held]
        for number in sorted(subjects):
            self._edit_facts(facts, judged, number, subjects[number], objects.get(number, []))
        for number in self._claim_edits:
            if not objects.get(number) and holds(self._program.edit(number).condition, judged):
                facts.append({"role": "claim", "edit": number})
        if facts:
            facts.append({"role": "closed"})
            for fact in facts:
                fact["sid"] = _STATE
        return facts

    def _edit_facts(
        self, facts: list[dict[str, Any]], judged: JudgedClaim, number: int, at: list[int], others: list[int]
    ) -> None:
        edit = self._program.edit(number)
        verb = edit.verb
        if edit.pointed is not None:
            pointers = judged.pointers
            at = [] if pointers is None else [i for i in at if pointers.meets(edit.pointed, i)]
            if not at:
                return
        if verb is Verb.FORBID:
            at = [i for i in at if i not in others]
            if not at or not others:
                return
        elif (
            (verb is Verb.ORDER and not others)
            or (verb is Verb.AT_MOST_ONE and len(at) < 2)
            or (verb is Verb.SECONDARY and at[0] != 1)
            or (verb is Verb.ONCE and not judged.repeats)
        ):
            return
        if not holds(edit.condition, judged):
            return
        if edit.terms:
            at = self._spoken(edit, judged, at)
        if verb is Verb.ONCE:
            facts.extend(
                {"role": "repeat", "edit": number, "at": first, "again": again}
                for first, again in judged.repeats
                if first in at
            )
            return
        spoken = f"{_SPOKEN[verb]} {Where(edit.where).name.lower()}" if verb in _RELATED else _SPOKEN[verb]
        facts.extend({"role": "subject", "verb": spoken, "edit": number, "at": i} for i in at)
        if at:
            facts.extend({"role": "object", "edit": number, "at": j} for j in others)

    def _spoken(self, edit: Edit, judged: JudgedClaim, at: list[int]) -> list[int]:
        rule = self._program.rules[edit.rule]
        diagnoses, ids = judged.claim.diagnoses, judged.ids
        return [i for i in at if found_term(edit, rule, diagnoses[i - 1].text, ids[i - 1], self._edition)]
