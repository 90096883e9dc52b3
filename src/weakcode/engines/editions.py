"""What a validator judges the claims of one edition by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from weakcode.codes.edition import Edition
from weakcode.compile.program import Program
from weakcode.engines.findings import Assembler
from weakcode.engines.unjudged import UnjudgedRules

if TYPE_CHECKING:
    from weakcode.compile.risks import Risks
    from weakcode.engines.columnar import ColumnarEngine
    from weakcode.engines.durable import DurableEngine


@attrs.frozen(eq=False)
class EditionJudge:
    """An edition with its program, engine and assembler, and a profile's denial risks."""

    edition: Edition
    program: Program
    engine: DurableEngine | ColumnarEngine
    assembler: Assembler
    unjudged: UnjudgedRules
    risks: Risks | None = None

    def severity_of(self, rule: str, payer: str | None) -> str | None:
        """Return the severity of a rule by its full id for a payer, None where it is off or was not chosen."""
        number = self.program.rule_numbers.get(rule)
        return None if number is None else self.assembler.severity_of(number, payer)

    def title_of(self, rule: str) -> str:
        """Return the title of a rule by its full id."""
        return self.program.rules[self.program.rule_numbers[rule]].title
