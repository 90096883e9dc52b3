"""Edits and conditions as JSON, without what has columns of its own in a program."""

from __future__ import annotations

import json
from typing import Any

import attrs

from weakcode.codes.codeset import CodeSet
from weakcode.findings import Source
from weakcode.semantics.conditions import Condition
from weakcode.semantics.edits import Edit, EditFix
from weakcode.semantics.verbs import Verb, Where

_DATES = ("starts", "ends")
_BINARY = (CodeSet, Condition)
"""What has columns of its own and is left out of the JSON of an edit."""


def plain(value: Any) -> Any:
    """Return a value as JSON can say it, without what is as it would be by default."""
    if attrs.has(type(value)):
        said = ((f.name, getattr(value, f.name), f.default) for f in attrs.fields(type(value)))
        return {name: plain(one) for name, one, default in said if one != default and not isinstance(one, _BINARY)}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


_said = json.JSONEncoder(separators=(",", ":")).encode


def written(value: Any) -> bytes:
    """Return a value as JSON."""
    return _said(plain(value)).encode()


def condition_of(data: dict[str, Any]) -> Condition:
    """Return a condition but for its code sets."""
    from datetime import date

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
        message=data.get("message"),
        listed=data.get("listed", ""),
        fix=EditFix(**data["fix"]) if "fix" in data else None,
        sources=tuple(Source(**source) for source in data.get("sources", ())),
    )


def record(edit: Edit, cited: dict[tuple[Source, ...], str]) -> bytes:
    """Return an edit as `written` would, which is much slower; `cited` remembers what sources are as text."""
    parts = [f'{{"rule":{edit.rule},"verb":{int(edit.verb)}']
    if edit.where:
        parts.append(f',"where":{int(edit.where)}')
    if edit.terms:
        parts.append(f',"terms":{_said(edit.terms)}')
    if edit.pointed is not None:
        parts.append(f',"pointed":{_said(edit.pointed)}')
    if edit.message is not None:
        parts.append(f',"message":{_said(edit.message)}')
    if edit.listed:
        parts.append(f',"listed":{_said(edit.listed)}')
    if edit.fix is not None:
        parts.append(f',"fix":{_said(plain(edit.fix))}')
    if edit.sources:
        text = cited.get(edit.sources)
        if text is None:
            text = cited[edit.sources] = _said(plain(edit.sources))
        parts.append(f',"sources":{text}')
    return f"{''.join(parts)}}}".encode()
