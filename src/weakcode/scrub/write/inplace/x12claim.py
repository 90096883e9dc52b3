"""The segments of one claim of an 837 with its diagnoses in another order; every other byte stays as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs

from weakcode.claims import Claim, Diagnosis, ServiceLine
from weakcode.scrub.read.rows import Record
from weakcode.scrub.read.x12.codes import DIAGNOSES, EXTERNAL, OTHER, PRINCIPAL
from weakcode.scrub.read.x12.draft import Draft, Envelope, Patient
from weakcode.scrub.read.x12.parties import Parties
from weakcode.scrub.read.x12.segments import BETWEEN, Delimiters
from weakcode.scrub.read.x12.services import LAYOUTS

_BREAK = re.compile(r"[\r\n]+")
_MOST_ELEMENTS = 12
_ROLES = {PRINCIPAL: "BK", OTHER: "BF", EXTERNAL: "BN"}


@attrs.define
class _Piece:
    """A segment: what stands before and behind it, its elements, and whether they were changed. None was taken out."""

    raw: str
    before: str
    behind: str
    elements: list[str | None]
    changed: bool = False

    @classmethod
    def of(cls, raw: str, signs: Delimiters) -> _Piece:
        text = raw.strip(BETWEEN)
        before, behind = raw[: len(raw) - len(raw.lstrip(BETWEEN))], raw[len(raw.rstrip(BETWEEN)) :]
        return cls(raw, before, behind if text else "", list(_BREAK.sub("", text).split(signs.element)))

    @property
    def tag(self) -> str:
        return (self.elements[0] or "").strip()

    def put(self, number: int, element: str | None) -> None:
        if self.elements[number] != element:
            self.elements[number] = element
            self.changed = True

    def text(self, signs: Delimiters) -> str:
        """The segment as it is written, empty where nothing is left of it."""
        if not self.changed:
            return self.raw
        kept = [element for element in self.elements if element is not None]
        return self.before + signs.element.join(kept) + self.behind if any(kept[1:]) else ""


@attrs.frozen
class _Slot:
    """A place of a diagnosis: the number of its segment and of its element, and what stands there."""

    piece: int
    at: int
    role: int
    text: str


@attrs.frozen
class RewrittenClaim:
    """The bytes of a claim, and how many segments more (or less) than before they are."""

    content: bytes
    segments: int


def rewrite(content: bytes, signs: Delimiters, claim: Claim, mended: Claim) -> RewrittenClaim | None:
    """Return the claim's bytes, from CLM to the next claim, level or trailer, so that they say the mended claim.

    Diagnoses keep their elements, which trade places and, where a role goes with the place, qualifiers. None where the
    claim cannot be written so that it reads as mended.
    """
    *raw, rest = content.decode("latin-1").split(signs.segment)
    pieces = [_Piece.of(one, signs) for one in raw]
    slots = _slots(pieces, signs)
    listed = [slot for slot in slots if slot.role != EXTERNAL]
    external = [slot for slot in slots if slot.role == EXTERNAL]
    principals = sum(slot.role == PRINCIPAL for slot in slots)
    written = _elements(sorted(slots, key=lambda slot: slot.role), claim, mended.diagnoses, principals, signs)
    pointable = [text for role, text in written if role != EXTERNAL]
    extra = _fill(pieces, listed, pointable)
    extra += _fill(pieces, external, [text for role, text in written if role == EXTERNAL])
    if not _point(pieces, mended.lines, len(pointable), len(written), signs):
        return None
    more = _append(pieces, listed or slots, extra) if extra else []
    texts = []
    for number, piece in enumerate(pieces):
        text = piece.text(signs)
        texts += [text] if text else []
        if number == slots[-1].piece:
            texts += [piece.before + signs.element.join(["HI", *elements]) + piece.behind for elements in more]
    result = signs.segment.join([*texts, rest]).encode("latin-1")
    if not _says(result, signs, mended):
        return None
    return RewrittenClaim(result, len(texts) - len(pieces))


def _slots(pieces: Sequence[_Piece], signs: Delimiters) -> list[_Slot]:
    found = []
    for number, piece in enumerate(pieces):
        if piece.tag != "HI":
            continue
        for at, element in enumerate(piece.elements[1:], start=1):
            kind = DIAGNOSES.get((element or "").split(signs.component)[0])
            if element and kind is not None and not kind.other_kind:
                found.append(_Slot(number, at, kind.role, element))
    return found


def _elements(
    sources: Sequence[_Slot], claim: Claim, diagnoses: Sequence[Diagnosis], principals: int, signs: Delimiters
) -> list[tuple[int, str]]:
    """Return role and element of each diagnosis; `sources` are those of the claim as it was, in its order."""
    left = list(zip(sources, claim.diagnoses, strict=True))
    picked: list[tuple[_Slot | None, Diagnosis]] = []
    for diagnosis in diagnoses:
        same = next((one for one in left if (one[1].code, one[1].poa) == (diagnosis.code, diagnosis.poa)), None)
        if same is not None:
            left.remove(same)
        picked.append((same and same[0], diagnosis))
    roles = [
        PRINCIPAL if at < principals else EXTERNAL if slot is not None and slot.role == EXTERNAL else OTHER
        for at, (slot, _) in enumerate(picked)
    ]
    last = max((at for at, role in enumerate(roles) if role == OTHER), default=-1)
    # An external cause before another diagnosis can only be listed as one of them.
    roles = [OTHER if role == EXTERNAL and at < last else role for at, role in enumerate(roles)]
    return [(role, _element(slot, one, role, signs)) for role, (slot, one) in zip(roles, picked, strict=True)]


def _element(slot: _Slot | None, diagnosis: Diagnosis, role: int, signs: Delimiters) -> str:
    if slot is None:
        poa = [""] * 6 + [diagnosis.poa] if diagnosis.poa else []
        return signs.component.join([f"A{_ROLES[role]}", diagnosis.code.replace(".", ""), *poa])
    qualifier, *rest = slot.text.split(signs.component)
    if role != slot.role:
        qualifier = ("A" if qualifier.startswith("A") else "") + _ROLES[role]
    return signs.component.join([qualifier, *rest])


def _fill(pieces: Sequence[_Piece], slots: Sequence[_Slot], texts: Sequence[str]) -> list[str]:
    """Put elements into these places, from the first on; return those that no place was left for."""
    for number, slot in enumerate(slots):
        pieces[slot.piece].put(slot.at, texts[number] if number < len(texts) else None)
    return list(texts[len(slots) :])


def _append(pieces: Sequence[_Piece], slots: Sequence[_Slot], extra: Sequence[str]) -> list[Sequence[str]]:
    """Put more elements behind the last of these places, and return those of further segments.

    An institutional claim has its principal diagnosis in a segment of its own.
    """
    piece, left = pieces[slots[-1].piece], list(extra)
    if slots[-1].role != PRINCIPAL or not any(one.tag == "SV2" for one in pieces):
        while left and len(piece.elements) <= _MOST_ELEMENTS:
            piece.elements.append(left.pop(0))
            piece.changed = True
    return [left[at : at + _MOST_ELEMENTS] for at in range(0, len(left), _MOST_ELEMENTS)]


def _point(
    pieces: Sequence[_Piece], lines: Sequence[ServiceLine], pointable: int, diagnoses: int, signs: Delimiters
) -> bool:
    """Let the lines point where they should; False where one should point to what no pointer can name."""
    services = [piece for piece in pieces if piece.tag in LAYOUTS]
    if len(services) != len(lines):
        return False
    for piece, line in zip(services, lines, strict=True):
        at = LAYOUTS[piece.tag].pointers
        if any(pointable < pointer <= diagnoses for pointer in line.pointers):
            return False
        new_pointers = [str(to if to <= pointable else to - (diagnoses - pointable)) for to in line.pointers]
        old_pointers = (piece.elements[at] or "").split(signs.component) if 0 < at < len(piece.elements) else []
        if [part.lstrip("0") for part in old_pointers if part] != new_pointers:
            if not old_pointers:
                return False
            piece.put(at, signs.component.join(new_pointers))
    return True


def _says(content: bytes, signs: Delimiters, mended: Claim) -> bool:
    """Tell whether a claim is read with the diagnoses and the pointers that it should have."""
    draft = Draft(Envelope(), 1, 1, 1, Patient(), Parties(), "", signs)
    for number, raw in enumerate(content.decode("latin-1").split(signs.segment)[:-1], start=1):
        text = _BREAK.sub("", raw.strip(BETWEEN))
        if text:
            draft.add(text, text.split(signs.element), number, 1, 1)
    outcome = draft.finish()
    return isinstance(outcome, Record) and _outline(outcome.claim) == _outline(mended)


def _outline(claim: Claim) -> tuple[object, object]:
    return [(one.code, one.poa) for one in claim.diagnoses], [line.pointers for line in claim.lines]
