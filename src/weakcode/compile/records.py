"""Edits and conditions as JSON, without what has columns of its own in a program.

What a cached program says, here and in its columns, is looked through before it is followed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from itertools import compress
from json.encoder import encode_basestring_ascii
from operator import lt
from typing import Any, get_args

import attrs

from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.codes.storage.shape import PROGRAM
from weakcode.codes.storage.sound import is_like, numbers_hold
from weakcode.codes.storage.store import Container
from weakcode.findings import CONFIDENCES, Source
from weakcode.semantics.conditions import CODE_PARTS, Condition
from weakcode.semantics.edits import Edit, EditFix
from weakcode.semantics.pointers import PointedKind
from weakcode.semantics.verbs import FORMS, Verb, Where

_JSON = {
    "int | None": int,
    "str | None": str,
    "dt.date | None": str,
    "tuple[str, ...]": [str],
    "tuple[int, ...]": [int],
    "bool": bool,
}
"""What JSON has of a field of a condition, by its type."""
_PLAIN = [field for field in attrs.fields(Condition) if field.name not in {part.name for part in CODE_PARTS}]
_CONDITION = {field.name: _JSON[str(field.type)] for field in _PLAIN}
_DATES = tuple(field.name for field in _PLAIN if "date" in str(field.type))
_BINARY = (CodeSet, Condition)
"""What has columns of its own and is left out of the JSON of an edit."""


def plain(value: Any) -> Any:
    """Return a value as JSON can say it, without what is as it would be by default."""
    if attrs.has(type(value)):
        fields = ((f.name, getattr(value, f.name), f.default) for f in attrs.fields(type(value)))
        return {name: plain(one) for name, one, default in fields if one != default and not isinstance(one, _BINARY)}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


_said = json.JSONEncoder(separators=(",", ":")).encode
_text = encode_basestring_ascii
"""Text as JSON."""


def written(value: Any) -> bytes:
    """Return a value as JSON."""
    return _said(plain(value)).encode()


def condition_of(data: dict[str, Any]) -> Condition:
    """Return a condition but for its code sets."""
    read: dict[str, Any] = {}
    for key, value in data.items():
        if key in _DATES:
            read[key] = date.fromisoformat(value)
        else:
            read[key] = tuple(value) if isinstance(value, list) else value
    return Condition(**read)


def edit_of(data: dict[str, Any], subject: CodeSet, related: CodeSet, condition: Condition | None) -> Edit:
    """Return an edit with its code sets and condition."""
    return Edit(
        rule=data["rule"],
        verb=Verb(data["verb"]),
        subject=subject,
        object=related,
        where=Where(data.get("where", 0)),
        condition=condition,
        terms=tuple(data.get("terms", ())),
        pointed=data.get("pointed"),
        poa=tuple(data.get("poa", ())),
        message=data.get("message"),
        listed=data.get("listed", ""),
        fix=EditFix(**data["fix"]) if "fix" in data else None,
        sources=tuple(Source(**source) for source in data.get("sources", ())),
    )


def _source(source: Source) -> str:
    quote = "" if source.quote is None else f',"quote":{_text(source.quote)}'
    return f'{{"title":{_text(source.title)},"place":{_text(source.place)}{quote}}}'


@attrs.frozen
class EditKinds:
    """What most edits have in common with many others, in turn: all but code sets, `listed`, fix and sources.

    `numbers` has the kind of each edit, `first` the first edit of each kind.
    """

    numbers: list[int]
    first: list[Edit]

    @classmethod
    def of(cls, edits: Iterable[Edit]) -> EditKinds:
        """Return the kinds of edits. Conditions are told apart as objects."""
        known: dict[Any, int] = {}
        numbers: list[int] = []
        first: list[Edit] = []
        for edit in edits:
            claim = id(edit.condition)
            asked = (edit.rule, edit.verb, edit.where, claim, edit.terms, edit.pointed, edit.poa, edit.message)
            number = known.get(asked)
            if number is None:
                number = known[asked] = len(first)
                first.append(edit)
            numbers.append(number)
        return cls(numbers, first)


def records(edits: Iterable[Edit], kinds: EditKinds) -> tuple[list[bytes], list[int]]:
    """Return the records of edits, each once and as `written` would make it, and the number of that of each edit.

    Fixes and sources are told apart as objects, so two records may say the same.
    """
    heads = list(map(_head, kinds.first))
    fixes = {id(None): ""}
    cited: dict[int, str] = {}
    known: dict[Any, int] = {}
    made: list[bytes] = []
    numbers: list[int] = []
    for edit, kind in zip(edits, kinds.numbers, strict=True):
        asked = (kind, edit.listed, id(edit.fix), id(edit.sources))
        number = known.get(asked)
        if number is None:
            number = known[asked] = len(made)
            listed = f',"listed":{_text(edit.listed)}' if edit.listed else ""
            fix = fixes.get(id(edit.fix))
            if fix is None:
                fix = fixes[id(edit.fix)] = f',"fix":{_said(plain(edit.fix))}'
            made.append(f"{heads[kind]}{listed}{fix}{_tail(edit.sources, cited)}".encode())
        numbers.append(number)
    return made, numbers


def _head(edit: Edit) -> str:
    parts = [f'{{"rule":{edit.rule},"verb":{int(edit.verb)}']
    if edit.where:
        parts.append(f',"where":{int(edit.where)}')
    for name in ("terms", "pointed", "poa", "message"):
        value = getattr(edit, name)
        if value != () and value is not None:
            parts.append(f',"{name}":{_said(value)}')
    return "".join(parts)


def _tail(sources: tuple[Source, ...], cited: dict[int, str]) -> str:
    """Return sources as the end of a record; `cited` remembers the text of each, and of all of them, by its `id`."""
    if not sources:
        return "}"
    tail = cited.get(id(sources))
    if tail is None:
        texts = [cited.get(id(one)) or cited.setdefault(id(one), _source(one)) for one in sources]
        tail = cited[id(sources)] = f',"sources":[{",".join(texts)}]}}'
    return tail


_RULE = {
    **dict.fromkeys(("id", "title", "pack"), str),
    "severity": frozenset(("error", "warning", "info")),
    "confidence": frozenset(CONFIDENCES),
    "enabled": bool,
    "supersedes": [str],
    "line": int,
    "terms": [(str, str)],
}
_HEADER = {
    "edition": str,
    "packs": [str],
    "facts": [str],
    "rules": [_RULE],
    "files": [(str, str, str, [str], {str: str}, int, int)],
    "wide": [int],
    "broad": [int],
    "claim_edits": [int],
}
_RECORD = {
    **dict.fromkeys(("rule", "verb", "where"), int),
    "terms": [str],
    "pointed": frozenset(get_args(PointedKind)),
    "poa": [str],
    "message": str,
    "listed": str,
    "fix": {"action": str, "code": str, "text": str},
    "sources": [{"title": str, "place": str, "quote": str}],
}
_ABOUT_CLAIMS = frozenset(int(verb) for verb, form in FORMS.items() if not form.has_subject)
_BITS = 4


def program_holds(stored: Container, edition: Edition) -> bool:
    """Tell whether a container whose columns fit is a program for an edition, but for the records of its edits.

    Raises ValueError, LookupError and TypeError where it is none.
    """
    meta, sections = stored.meta, stored.sections
    if not is_like(meta, _HEADER):
        return False
    columns = {name: sections[name].cast("I") for name in ("set_bounds", "set_spans", "starts", "verbs")}
    bounds, spans = columns["set_bounds"].tolist(), columns["set_spans"].tolist()
    conditions = [json.loads(one) for one in bytes(sections["conditions"]).splitlines()]
    sets = len(sections["condition_sets"]) // _BITS
    limits = {
        "rules of the header": len(meta["rules"]),
        "verbs of edits": len(Verb),
        "wheres of edits": len(Where),
        "conditions": 1 + len(conditions),
        "sets": len(bounds) - 1,
        "classes": len(sections["subject_pointers"]) // _BITS - 1,
        "records of edits": len(sections["offsets"]) // _BITS - 1,
    }
    return (
        numbers_hold(sections, PROGRAM, limits)
        and len(sections["object_pointers"]) == len(sections["subject_pointers"])
        and sets == len(CODE_PARTS) * limits["conditions"]
        and columns["starts"][0] == 0
        and bounds[:2] == [0, 0]
        and not any(bound & 1 for bound in bounds)
        and max(spans, default=0) <= edition.whole.universe
        and all(map(lt, spans[::2], spans[1::2]))
        and all(map(_is_condition, conditions))
        and _numbers_edits(meta, columns["verbs"].tolist())
        and _numbers_rules(meta)
    )


def _is_condition(data: Any) -> bool:
    for day in _DATES:
        if is_like(data, _CONDITION) and day in data:
            date.fromisoformat(data[day])
    return is_like(data, _CONDITION)


def _numbers_edits(meta: Any, verbs: list[int]) -> bool:
    about_claims = [verb in _ABOUT_CLAIMS for verb in verbs]
    return (
        meta["claim_edits"] == list(compress(range(len(verbs)), about_claims))
        and all(0 <= number < len(verbs) for number in (*meta["wide"], *meta["broad"]))
        and all(map(lt, meta["broad"], meta["broad"][1:]))
    )


def _numbers_rules(meta: Any) -> bool:
    """Tell whether the files have all rules in turn, and every rule what it must have."""
    at = 0
    for *_, first, end in meta["files"]:
        if first != at or end < first:
            return False
        at = end
    needed = {"id", "title", "severity", "enabled", "pack"}
    return at == len(meta["rules"]) and all(needed <= rule.keys() for rule in meta["rules"])


def read_record(written: bytes, rule: int, verb: int, where: int) -> dict[str, Any]:
    """Return the record of an edit. Raises ValueError for one that is none, or that contradicts its columns."""
    try:
        data: dict[str, Any] = json.loads(written)
    except RecursionError:
        raise ValueError("the record of an edit is nested too deeply") from None
    if not is_like(data, _RECORD) or (data.get("rule"), data.get("verb"), data.get("where", 0)) != (rule, verb, where):
        raise ValueError("the record of an edit is not one")
    if not all({"title", "place"} <= source.keys() for source in data.get("sources", ())):
        raise ValueError("a source in the record of an edit has no title or no place")
    if not {"action"} <= data.get("fix", {"action": ""}).keys():
        raise ValueError("the fix in the record of an edit has no action")
    return data
