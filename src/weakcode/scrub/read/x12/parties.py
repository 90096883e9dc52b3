"""Who pays and who bills, as the levels (HL) before a claim say it."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from weakcode.fields.parsers import parse_payer_ids, parse_plan, parse_provider, parse_state, parse_taxonomy
from weakcode.scrub.read.x12.elements import decoded, value_at

_BELOW_PROVIDER = ("22", "23")
_NPI = "XX"
BILLING = "85"
FACILITIES = ("77", "FA")
"""Where the service was given, where that is not the billing provider's address; FA in 4010."""
RENDERING = "82"


@attrs.frozen
class Parties:
    """The payer by name and ids, the type of plan, and of the billing provider NPI, taxonomy and state."""

    payer: str = ""
    payer_id: tuple[str, ...] = ()
    plan: str = ""
    provider: str = ""
    taxonomy: str = ""
    state: str = ""

    def below(self, level: str) -> Parties:
        """Return what holds from a level (HL03) on."""
        if level not in _BELOW_PROVIDER:
            return Parties()
        return self if level == "23" else self.without_payer()

    def without_payer(self) -> Parties:
        """Return what is known of the provider."""
        return attrs.evolve(self, payer="", payer_id=(), plan="")

    def after(self, tag: str, elements: list[str], entity: str) -> Parties:
        """Return what is known after a segment that stands in no claim; `entity` is that of the last NM1."""
        if tag == "NM1" and entity == "PR" and not self.payer:
            name, number = decoded(value_at(elements, 3)), decoded(value_at(elements, 9))
            return attrs.evolve(self, payer=name or number, payer_id=parse_payer_ids(number))
        if tag == "NM1" and entity == BILLING:
            return attrs.evolve(self, provider=parse_provider(npi(elements)) or "")
        if tag == "N4" and entity == BILLING:
            return attrs.evolve(self, state=parse_state(decoded(value_at(elements, 2))) or "")
        if tag == "PRV" and value_at(elements, 1) == "BI":
            return attrs.evolve(self, taxonomy=parse_taxonomy(decoded(value_at(elements, 3))) or "")
        if tag == "SBR":
            return attrs.evolve(self, plan=parse_plan(decoded(value_at(elements, 9))) or "")
        return self

    def words(self) -> list[bytes]:
        """Return the words by the native reader's tables."""
        words = (self.payer, " ".join(self.payer_id), self.plan, self.provider, self.taxonomy, self.state)
        return [word.encode() for word in words]

    @classmethod
    def of(cls, words: Sequence[bytes]) -> Parties:
        """Return what words by the native reader's tables say."""
        payer, payer_id, *rest = (word.decode() for word in words)
        return cls(payer, parse_payer_ids(payer_id), *rest)


def npi(elements: list[str]) -> str:
    """Return the NPI of an NM1 segment, empty where it has an id of another kind, which may be about a person."""
    return decoded(value_at(elements, 9)) if value_at(elements, 8) == _NPI else ""
