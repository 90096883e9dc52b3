"""A resource with its diagnoses in another order: sequences, the principal's type and pointers, in its own text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

import attrs

from weakcode.claims import Claim
from weakcode.scrub.read.fhir.resource import APART

_SPACE = re.compile(r"[ \t\r\n]*")
_decoder = json.JSONDecoder()

Span = tuple[int, int]


@attrs.define
class _Edits:
    """Stretches of a text, and what is to stand there instead."""

    text: str
    made: list[tuple[int, int, str]] = attrs.field(factory=list)

    def put(self, span: Span, text: str) -> None:
        if self.text[slice(*span)] != text:
            self.made.append((*span, text))

    def result(self) -> str:
        text = self.text
        for start, stop, new in sorted(self.made, reverse=True):
            text = text[:start] + new + text[stop:]
        return text


def rewrite(text: str, path: Sequence[str | int], claim: Claim, indexes: Sequence[int], mended: Claim) -> str | None:
    """Return the text of a JSON value in which the resource at `path` says the mended claim, None where it cannot.

    `indexes` are the places in `diagnosis` of the claim's diagnoses, in its order. Each keeps its entry; the numbers in
    `sequence` and the type of the principal stay with the position.
    """
    resource = _at(text, path)
    kept = _matched(claim, mended)
    if resource is None or kept is None:
        return None
    entries = _items(text, _members(text, resource[0])["diagnosis"][0])
    values = [json.loads(text[slice(*span)]) for span in entries]
    others = [value for index, value in enumerate(values) if index not in indexes]
    if not all(_is_apart(value) for value in others):
        # The principal diagnosis stands in the list once more: it would become one of its own.
        return None
    sequences = [values[index]["sequence"] for index in indexes]
    edits = _Edits(text)
    for position, source in enumerate(kept):
        members = _members(text, entries[indexes[source]][0])
        edits.put(members["sequence"], str(sequences[position]))
    if indexes and kept[0] != 0 and not _move_type(edits, entries[indexes[0]], entries[indexes[kept[0]]]):
        return None
    dropped = [index for at, index in enumerate(indexes) if at not in kept]
    _remove(edits, entries, dropped)
    other_sequences = {value["sequence"] for value in others}
    if not _point(edits, resource, claim, mended, sequences, other_sequences):
        return None
    if any(_is_principal(values[index]) for index in indexes) and len(set(mended.codes[:2])) < len(mended.codes[:2]):
        # The principal's code behind it would be read as the principal listed once more.
        return None
    result = edits.result()
    order = {indexes[source]: claim.diagnoses[source].code for source in kept}
    return result if _says(result, path, values, order, dropped, mended.principals or 0) else None


def _matched(claim: Claim, mended: Claim) -> list[int] | None:
    """Return which diagnosis of the claim each of the mended one's is; None where one is new."""
    left = list(enumerate(claim.diagnoses))
    found = []
    for diagnosis in mended.diagnoses:
        same = next((one for one in left if one[1] == diagnosis), None)
        if same is None:
            return None
        left.remove(same)
        found.append(same[0])
    return found


def _move_type(edits: _Edits, was: Span, now: Span) -> bool:
    """Let the type go from the entry that was first to the one that is, where it says principal; False if it cannot."""
    first, other = _members(edits.text, was[0]), _members(edits.text, now[0])
    if "type" not in first or "principal" not in edits.text[slice(*first["type"])].lower():
        return True
    text = edits.text[slice(*first["type"])]
    if "type" in other:
        edits.put(first["type"], edits.text[slice(*other["type"])])
        edits.put(other["type"], text)
        return True
    # The member goes, with the comma before or behind it.
    names = list(first)
    at = names.index("type")
    start = first[names[at - 1]][1] if at else was[0] + 1
    stop = first["type"][1]
    if not at:
        stop = edits.text.index(",", stop) + 1
    edits.made.append((start, stop, ""))
    end = other["sequence"][1]
    edits.made.append((end, end, edits.text[start:stop] if at else f', "type": {text}'))
    return True


def _remove(edits: _Edits, entries: Sequence[Span], dropped: Sequence[int]) -> None:
    for index in dropped:
        # A claim keeps a diagnosis, so that there is a neighbour on one side or the other.
        before = [at for at in range(index) if at not in dropped]
        if before:
            edits.made.append((entries[index - 1][1], entries[index][1], ""))
        else:
            edits.made.append((entries[index][0], entries[index + 1][0], ""))
    edits.made = [
        one for one in edits.made
        if not any(entries[index][0] <= one[0] and one[1] <= entries[index][1] and one[2] for index in dropped)
    ]  # fmt: skip


def _point(
    edits: _Edits, resource: Span, claim: Claim, mended: Claim, sequences: Sequence[int], other_sequences: Set[int]
) -> bool:
    """Let the items point to where their diagnoses went; False where that is not known."""
    members = _members(edits.text, resource[0])
    items = _items(edits.text, members["item"][0]) if "item" in members else []
    items = [span for span in items if edits.text[span[0]] == "{"]
    if len(items) != len(claim.lines) or len(claim.lines) != len(mended.lines):
        return False
    listed = {sequence: position for position, sequence in enumerate(sequences, start=1)}
    for span, was, now in zip(items, claim.lines, mended.lines, strict=True):
        if was.pointers == now.pointers:
            # The numbers of positions are as they were, and so are those of the places.
            continue
        place = _members(edits.text, span[0]).get("diagnosisSequence")
        numbers = _items(edits.text, place[0]) if place else []
        # Codes outside the list have no pointers.
        numbers = [one for one in numbers if int(edits.text[slice(*one)]) not in other_sequences]
        values = [int(edits.text[slice(*one)]) for one in numbers]
        places = [listed.get(value, max(value, len(claim.diagnoses) + 1)) for value in values]
        # Two pointers to one place are one.
        pointers = places if len(places) == len(was.pointers) else list(dict.fromkeys(places))
        if place is None or len(pointers) != len(was.pointers):
            return False
        new_pointers = [str(sequences[to - 1]) if to <= len(mended.diagnoses) else None for to in now.pointers]
        if len(new_pointers) == len(pointers):
            target = dict(zip(pointers, new_pointers, strict=True))
            for one, at, value in zip(numbers, places, values, strict=True):
                edits.put(one, target[at] or str(value))
        elif None in new_pointers or len(_items(edits.text, place[0])) != len(numbers):
            return False
        else:
            edits.put(place, f"[{', '.join(map(str, new_pointers))}]")
    return True


def _says(
    text: str,
    path: Sequence[str | int],
    before: Sequence[Any],
    order: Mapping[int, str],
    dropped: Sequence[int],
    principals: int,
) -> bool:
    """Tell whether a text has the diagnoses in this order and no other ones, and so many codes named as principal.

    `order` has the codes by the places that their entries had before.
    """
    resource = json.loads(text)
    for step in path:
        resource = resource[step]
    left = [index for index in range(len(before)) if index not in dropped]
    now = dict(zip(left, resource["diagnosis"], strict=True))
    if any(_bare(one) != _bare(before[index]) for index, one in now.items()):
        return False
    read = sorted(order, key=lambda index: now[index]["sequence"])
    first = next((index for index in read if _is_principal(now[index])), read[0])
    if len({code for index, code in order.items() if _is_principal(now[index])}) != principals:
        return False
    return [first, *(index for index in read if index != first)] == list(order)


def _is_apart(entry: Mapping[str, Any]) -> bool:
    types = json.dumps(entry.get("type", "")).lower()
    return any(f'"{kind}"' in types for kind in APART)


def _is_principal(entry: Mapping[str, Any]) -> bool:
    return "principal" in json.dumps(entry.get("type", "")).lower()


def _bare(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in ("sequence", "type")}


def _at(text: str, path: Sequence[str | int]) -> Span | None:
    span = (_skip(text, 0), len(text))
    for step in path:
        if isinstance(step, int):
            span = _items(text, span[0])[step]
        else:
            members = _members(text, span[0])
            if step not in members:
                return None
            span = members[step]
    return span


def _members(text: str, at: int) -> dict[str, Span]:
    """Return the spans of the values of the object that begins here, by name."""
    found: dict[str, Span] = {}
    for start in _parts(text, at, "}"):
        name, end = _decoder.raw_decode(text, start)
        colon = _skip(text, end)
        begin = _skip(text, colon + 1)
        found[name] = (begin, _decoder.raw_decode(text, begin)[1])
    return found


def _items(text: str, at: int) -> list[Span]:
    """Return the spans of the items of the list that begins here."""
    return [(start, _decoder.raw_decode(text, start)[1]) for start in _parts(text, at, "]")]


def _parts(text: str, at: int, end: str) -> Iterator[int]:
    """Give where each part of the object or list begins that begins here."""
    at = _skip(text, at + 1)
    while text[at] != end:
        yield at
        _, at = _decoder.raw_decode(text, at)
        at = _skip(text, at)
        if text[at] == ":":
            _, at = _decoder.raw_decode(text, _skip(text, at + 1))
            at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    assert match is not None
    return match.end()
