"""What a scrub counted."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import attrs

from weakcode.errors import EngineError


def _tuple(sentences: Iterable[str]) -> tuple[str, ...]:
    return tuple(sentences)


@attrs.frozen
class JudgedBy:
    """What judges the claims of a run: engine, packs with their versions, and sentences that hold for all claims."""

    engine: str = ""
    packs: tuple[str, ...] = attrs.field(default=(), converter=_tuple)
    notices: tuple[str, ...] = attrs.field(default=(), converter=_tuple)

    def columns(self) -> dict[str, Any]:
        """Return what each finding says of it in formats that have no other place for it."""
        from weakcode import __version__

        return {"weakcode": __version__, "engine": self.engine, "packs": list(self.packs)}


@attrs.frozen(kw_only=True)
class Summary:
    """Counts of one scrub; `claims_in == evaluated + rejected` always.

    `clean` are evaluated claims without any finding. `editions` counts claims by the edition whose codes judged
    them, `outside_editions` those of them whose service date is before or after all known codes. `notes_editions`
    counts them by the Tabular List whose notes judged, `outside_notes` those on whose date it was not in force.
    `fixed` counts claims that were written mended.
    `without_diagnoses` counts by kind ("dental") the claims that list no diagnosis and need none; they are in no other
    count.
    `remarks` says by file what is odd about it although every claim was read.
    `first_rejected` holds place and part of up to 20 rejected rows, never a value of theirs.
    `waived` findings are in no other count; `idle_waivers` says of waivers that waived nothing whether they expired
    or fit no finding, at most 20 of a file's or profile's and 20 of claims'.
    `notices` are sentences about the run itself, such as whose notes judged claims of days without a Tabular List.
    Raises EngineError where the counts do not add up.
    """

    claims_in: int
    evaluated: int
    rejected: int
    clean: int
    waived: int = 0
    fixed: int = 0
    by_severity: dict[str, int]
    by_rule: dict[str, int]
    seconds: float
    editions: dict[str, int] = attrs.field(factory=dict)
    engine: str = ""
    packs: tuple[str, ...] = ()
    outside_editions: dict[str, int] = attrs.field(factory=dict)
    notes_editions: dict[str, int] = attrs.field(factory=dict)
    outside_notes: dict[str, int] = attrs.field(factory=dict)
    ignored_columns: dict[str, tuple[str, ...]] = attrs.field(factory=dict)
    remarks: dict[str, tuple[str, ...]] = attrs.field(factory=dict)
    without_diagnoses: dict[str, int] = attrs.field(factory=dict)
    first_rejected: tuple[tuple[str, str], ...] = ()
    idle_waivers: tuple[str, ...] = attrs.field(default=(), converter=_tuple)
    notices: tuple[str, ...] = attrs.field(default=(), converter=_tuple)

    def __attrs_post_init__(self) -> None:
        if self.claims_in != self.evaluated + self.rejected:
            raise EngineError(
                f"{self.claims_in} claims were read, but {self.evaluated} evaluated and "
                f"{self.rejected} rejected; some were lost, so the result cannot be trusted"
            )

    @property
    def findings(self) -> int:
        """Findings in all."""
        return sum(self.by_severity.values())

    def to_json(self) -> str:
        """Return the summary as one JSON object."""
        from weakcode import __version__

        values = {"weakcode": __version__, **attrs.asdict(self)}
        values["first_rejected"] = [{"where": where, "part": part} for where, part in self.first_rejected]
        values["seconds"] = round(self.seconds, 3)
        return json.dumps({**values, "findings": self.findings}, indent=2, ensure_ascii=False)

    def metadata(self) -> dict[str, str]:
        """Return what a findings file says about its making."""
        from weakcode import __version__

        return {
            "weakcode.version": __version__,
            "weakcode.edition": ", ".join(self.editions),
            "weakcode.notes_edition": ", ".join(self.notes_editions),
            "weakcode.engine": self.engine,
            "weakcode.packs": ", ".join(self.packs),
            **({"weakcode.notices": "; ".join(self.notices)} if self.notices else {}),
            # Clean claims have no row in a findings file; without these counts nobody could tell their share.
            "weakcode.claims_in": str(self.claims_in),
            "weakcode.evaluated": str(self.evaluated),
            "weakcode.rejected": str(self.rejected),
            "weakcode.clean": str(self.clean),
            "weakcode.waived": str(self.waived),
        }
