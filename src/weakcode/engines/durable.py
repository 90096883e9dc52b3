"""The durable engine: single claims, evaluated by durable-rules on the rules of `semantics`.

What varies from edit to edit is in the facts, so that the ruleset stays small: durable-rules slows down with the number
of rules and stops answering past about 250. Only roles that can decide something on this claim become facts.
"""

from __future__ import annotations

import importlib
import json
import platform
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from weakcode.base.lazy import lazy
from weakcode.codes.edition import Edition
from weakcode.compile.program import Program
from weakcode.errors import EngineError
from weakcode.semantics.bits import ClaimTest, ConditionBits
from weakcode.semantics.conditions import Condition, holds
from weakcode.semantics.edits import Edit, Hit
from weakcode.semantics.judged import JudgedClaim, without_known_order, without_satisfied
from weakcode.semantics.terms import found_term
from weakcode.semantics.verbs import Verb, named

# durable-rules keeps about 100 to 200 bytes of each claim until its ruleset is deleted.
_CLAIMS_BEFORE_RECYCLING = 5_000
_STATE = "claim"

Roles = tuple[tuple[int, ...], tuple[int, ...]]


class RuleHost:
    """A durable ruleset that evaluates the facts of one claim at a time and forgets them.

    The rules engine is asked step by step, and nothing of ours is called by it: durable-rules would keep an exception
    that is raised while it calls back, as a signal's handler may, and go on without the facts asserted by then. Its own
    functions run no Python, so that an exception comes between two of them, and is raised as it is. What is left of
    the facts of the claim is asserted anew: the host is dropped, and its ruleset deleted when the next one is opened.
    """

    def __init__(self) -> None:
        import durable_rules_engine

        from weakcode.semantics.durable_rules import define

        _delete_ownerless()
        definition, self._readings = define()
        self._rules_engine = durable_rules_engine
        self.claims = 0
        self._handle = durable_rules_engine.create_ruleset("weakcode", json.dumps(definition))
        try:
            # Deleting the state of a ruleset whose rules have never fired crashes durable-rules, so one fires first.
            self.violations([{"role": "closed", "sid": _STATE}])
        except BaseException:
            durable_rules_engine.delete_ruleset(self._handle)
            raise
        _owners[self._handle] = weakref.ref(self)

    def violations(self, facts: list[dict[str, Any]]) -> list[Hit]:
        """Return the violations that follow from the facts, of which the closing fact is the last.

        Raises EngineError where they cannot be evaluated; no host is asked again that raised anything.
        """
        self.claims += 1
        rules, handle = self._rules_engine, self._handle
        found: list[Hit] = []
        closed = False
        try:
            refused, state = rules.assert_facts(handle, json.dumps(facts))
            if refused:
                raise EngineError("the rules engine refused a fact of this claim")
            matched = (rules.start_action_for_state(handle, state) or (None, None))[1]
            while matched is not None:
                ((rule, by),) = json.loads(matched).items()
                violation = self._readings[rule](by)
                if violation is None:
                    closed = True
                else:
                    found.append(Hit(*violation))
                matched = rules.complete_and_start_action(handle, state)
            rules.delete_state(handle, _STATE)
        except rules.error as failure:
            raise EngineError(f"the rules engine failed on this claim: {failure}") from failure
        if not closed:
            raise EngineError("the rules engine did not finish with this claim")
        return found


_idle: list[RuleHost] = []
"""Hosts that wait for a claim. Taking one is one step, as is putting it back, so that no lock can be held by a thread
that a forked child does not have, or by a check that a signal's handler interrupts with another check."""

_owners: dict[int, weakref.ref[RuleHost]] = {}


def _delete_ownerless() -> None:
    """Delete the rulesets of hosts that were dropped."""
    import durable_rules_engine

    for handle, owner in list(_owners.items()):
        if owner() is None and _owners.pop(handle, None) is not None:
            with suppress(durable_rules_engine.error):
                # Its memory is the state's own; there is none where the host was dropped between two claims.
                durable_rules_engine.delete_state(handle, _STATE)
            durable_rules_engine.delete_ruleset(handle)


def _violations(facts: list[dict[str, Any]]) -> list[Hit]:
    """Return what follows from the facts of one claim, by a host that no other claim has meanwhile."""
    try:
        host = _idle.pop()
    except IndexError:
        host = RuleHost()
    found = host.violations(facts)
    if host.claims < _CLAIMS_BEFORE_RECYCLING:
        _idle.append(host)
    return found


class DurableEngine:
    """Evaluates one claim at a time with durable-rules. Safe to use from several threads and after a fork."""

    name = "durable"

    def __init__(self, program: Program, edition: Edition, is_active: Callable[[int], bool]) -> None:
        # Imported before any claim comes, for a child may be forked while a thread judges its first.
        try:
            importlib.import_module("durable_rules_engine")
            importlib.import_module("weakcode.semantics.durable_rules")
        except ImportError as failure:
            raise EngineError(
                f"the engine durable cannot be used: durable-rules is not there or does not fit Python"
                f" {platform.python_version()}; the engine columnar, the default, has the same findings"
            ) from failure

        self._program = program
        self._edition = edition
        self._is_active = is_active
        self._claim_edits = tuple(e for e in program.claim_edits if is_active(program.rule_of_edit[e]))
        self._broad_edits = tuple(e for e in program.broad_edits if is_active(program.rule_of_edit[e]))
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
        found = _violations(facts) if facts else []
        if judged.incomplete:
            found = without_satisfied(found, judged, self._program.edit)
        return found if judged.order == "all" else without_known_order(found, judged, self._program.edit)

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
        for number in self._broad(judged):
            pointed_at = self._program.edit(number).subject
            at = [position for position, code_id in judged.distinct if code_id in pointed_at]
            if at:
                subjects[number] = at
        facts: list[dict[str, Any]] = []
        for number in self._program.wide_edits.intersection([*subjects, *self._claim_edits]):
            wanted = self._program.edit(number).object
            objects[number] = [position for position, code_id in judged.distinct if code_id in wanted]
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

    @lazy
    def _broad_tests(self) -> ConditionBits:
        return ConditionBits([ClaimTest(self._program.edit(n).condition or Condition()) for n in self._broad_edits])

    def _broad(self, judged: JudgedClaim) -> Iterator[int]:
        """Give the broad edits whose condition the claim meets, but for what it asks of codes."""
        bits = self._broad_tests.of(judged) >> 1
        while bits:
            yield self._broad_edits[(bits & -bits).bit_length() - 1]
            bits &= bits - 1

    def _edit_facts(
        self, facts: list[dict[str, Any]], judged: JudgedClaim, number: int, at: list[int], others: list[int]
    ) -> None:
        edit = self._program.edit(number)
        verb = edit.verb
        if edit.pointed is not None:
            pointed_at = judged.pointed(edit)
            at = [i for i in at if i in pointed_at]
            if not at:
                return
        if edit.poa:
            at = [i for i in at if judged.has_poa and judged.poa(i) in edit.poa]
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
            at = self._beside_terms(edit, judged, at)
        if verb is Verb.ONCE:
            facts.extend(
                {"role": "repeat", "edit": number, "at": first, "again": again}
                for first, again in judged.repeats
                if first in at
            )
            return
        facts.extend({"role": "subject", "verb": named(verb, edit.where), "edit": number, "at": i} for i in at)
        if at:
            facts.extend({"role": "object", "edit": number, "at": j} for j in others)

    def _beside_terms(self, edit: Edit, judged: JudgedClaim, at: list[int]) -> list[int]:
        rule = self._program.rules[edit.rule]
        diagnoses, ids = judged.claim.diagnoses, judged.ids
        return [i for i in at if found_term(edit, rule, diagnoses[i - 1].text, ids[i - 1], self._edition)]
