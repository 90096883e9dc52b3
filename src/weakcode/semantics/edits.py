"""Edits: rules resolved against one edition. They are all that the engines know.

An edit's subject and object are sets of code ids; its verb and relation say what violates it. What
each verb means is in `weakcode.semantics.reference`.
"""

from __future__ import annotations

from typing import NamedTuple

import attrs

from weakcode.codes.codeset import CodeSet
from weakcode.findings import Source
from weakcode.semantics.conditions import Condition
from weakcode.semantics.pointers import PointedKind
from weakcode.semantics.verbs import Verb, Where


@attrs.frozen
class EditFix:
    """What would mend a violation: the action of the rule file, the code to write and the sentence to say."""

    action: str
    code: str | None = None
    text: str | None = None


_NO_CODES = CodeSet()


# Not frozen, though nobody changes one: tens of thousands are made, in a quarter of the time.
@attrs.define(unsafe_hash=True)
class Edit:
    """One rule, or one case of it, or one note's instance of it, resolved against an edition."""

    rule: int
    verb: Verb
    subject: CodeSet
    object: CodeSet = _NO_CODES
    where: Where = Where.ANYWHERE
    condition: Condition | None = None
    terms: tuple[str, ...] = ()
    pointed: PointedKind | None = None
    poa: tuple[str, ...] = ()
    message: str | None = None
    listed: str = ""
    fix: EditFix | None = None
    sources: tuple[Source, ...] = ()

    @property
    def asks_poa(self) -> bool:
        """Whether it looks at present-on-admission indicators; then it is silent on claims without any."""
        return bool(self.poa)

    @property
    def asks_service(self) -> bool:
        """Whether some service line must have something; then it is silent on claims without such a line."""
        return self.condition is not None and self.condition.asks_line

    @property
    def asks_lines(self) -> bool:
        """Whether it looks at the pointers of service lines; then it is silent on a claim without any."""
        return self.pointed is not None or (self.condition is not None and bool(self.condition.faults))


class Hit(NamedTuple):
    """A violation: an edit and 1-based positions of its subject and object; 0 where there is none."""

    edit: int
    subject: int
    object: int


@attrs.frozen
class CompiledRule:
    """What findings need to know of a rule."""

    id: str
    title: str
    severity: str
    enabled: bool
    pack: str
    supersedes: tuple[str, ...] = ()
    line: int = 0
    terms: tuple[tuple[str, str], ...] = ()
    """Every documented term of the rule with the code that it belongs to, empty where none is named."""
    confidence: str = "likely"
