"""Turn plain YAML data into the classes of a rule file or profile, every misfit into a problem.

cattrs does the work and goes on after the first error; the hooks here are strict (the text "no" is not a
truth value, a list is not made from a word letter by letter) and speak of the file's keys, never of Python.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin, get_type_hints

import attrs

from weakcode.errors import Problem, did_you_mean
from weakcode.rules.yamlmarks import Marked, Path

# A class that may be written as bare text, and the key that the text stands for.
SHORTHANDS = {"Relation": "anywhere", "Example": "codes", "Pointed": "how"}
# A class of which exactly one key may be given.
CHOICES = ("Relation",)

_NOUNS = {
    "DatedAges": "ages with their first date", "FactTest": "documented", "Grouping": "by",
    "When": "when", "LineTest": "a service line", "Pointed": "pointed", "NumberRange": "a range of numbers",
    "FixRule": "a fix", "Publication": "a source",
    "Publications": "a file of publications", "Readings": "a file of readings", "NoteReading": "a reading",
    "ListedCodes": "a reading", "CodesReading": "a reading", "ExcludesReading": "a reading", "Apart": "a reading",
    "Fit": "pairs that fit", "SiteGroup": "a group of sites", "Examples": "examples", "Pack": "a rule file",
    "ConfidenceLimits": "limits by confidence",
    "PayerProfile": "a payer", "CoverageChoice": "coverage", "RiskEntry": "a denial risk",
    "WaiverEntry": "a waiver", "WaiverFile": "a file of waivers",
}  # fmt: skip
"""What messages call a class, where that is not its name in words: `AgeRange` is "an age range"."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class MisfitError(ValueError):
    """A value that does not fit; says what was expected and what was found."""


def _noun(cls: type[Any]) -> str:
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", cls.__name__).lower()
    return _NOUNS.get(cls.__name__) or f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def file_key(field: attrs.Attribute[Any]) -> str:
    """Return the name that a field has in a file."""
    return field.metadata.get("key") or field.name


def file_fields(cls: type[Any]) -> tuple[attrs.Attribute[Any], ...]:
    """Return the fields of a class that a file can hold: those declared with a sentence about them."""
    return tuple(field for field in attrs.fields(cls) if "doc" in field.metadata)


def field_types(cls: type[Any]) -> dict[str, Any]:
    """Return the type of every field of a class."""
    return get_type_hints(cls)


def describe(value: object) -> str:
    """Return a value as a person would name it, cut where it is long."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        shown = " ".join(value.split())
        return f'"{shown if len(shown) <= 40 else shown[:39] + "…"}"'
    return "a list" if isinstance(value, list) else "keys with values"


def structure(marked: Marked, cls: type[Any], path: Path = (), data: Any = None) -> tuple[Any, list[Problem]]:
    """Return an object from the data at `path` (or `data` in its stead), or None, and what is wrong."""
    from cattrs.errors import BaseValidationError

    value = marked.data if data is None else data
    problems: list[Problem] = []
    value = _without_empty(value, path, marked, problems)
    try:
        result = _converter().structure(value, cls)
    except (BaseValidationError, MisfitError) as error:
        empty = {(problem.line, problem.column) for problem in problems}
        found = [problem for problem in _problems(error, cls, path, marked) if problem is not None]
        return None, [*problems, *(p for p in found if (p.line, p.column) not in empty)]
    return (None if problems else result), problems


def _without_empty(value: Any, path: Path, marked: Marked, problems: list[Problem]) -> Any:
    """Return the data without keys that have no value; each is a problem."""
    if isinstance(value, dict):
        kept = {}
        for key, item in value.items():
            if item is None:
                problems.append(
                    marked.problem((*path, key), f'"{key}" has no value; give one or remove the key', key=True)
                )
            else:
                kept[key] = _without_empty(item, (*path, key), marked, problems)
        return kept
    if isinstance(value, list):
        return [_without_empty(item, (*path, index), marked, problems) for index, item in enumerate(value)]
    return value


def _problems(error: Any, cls: Any, path: Path, marked: Marked) -> Iterator[Problem]:
    from cattrs.errors import AttributeValidationNote, ForbiddenExtraKeysError, IterableValidationNote

    if isinstance(error, ForbiddenExtraKeysError):
        allowed = [file_key(field) for field in file_fields(cls)]
        for key in sorted(error.extra_fields, key=str):
            message = f'"{key}" is not a key of {_noun(cls)}{did_you_mean(str(key), allowed)}'
            yield marked.problem((*path, key), f"{message}; allowed are {', '.join(allowed)}", key=True)
    elif isinstance(error, KeyError):
        needed = [file_key(f) for f in file_fields(cls) if f.default is attrs.NOTHING]
        # the key that cattrs asked for, not the name of the field
        yield marked.problem(path, f'{_noun(cls)} needs "{error.args[0]}"; needed are {", ".join(needed)}')
    elif isinstance(error, ExceptionGroup):
        group_class = getattr(error, "cl", cls)
        for item in error.exceptions:
            step: Path = ()
            for note in getattr(item, "__notes__", ()):
                if isinstance(note, AttributeValidationNote) and not isinstance(item, KeyError):
                    step = (file_key(getattr(attrs.fields(group_class), note.name)),)
                elif isinstance(note, IterableValidationNote):
                    step = (note.index,)
            yield from _problems(item, group_class, path + step, marked)
    else:
        sentence = str(error) if isinstance(error, MisfitError) else "this value cannot be used here"
        yield marked.problem(path, f"{_label(path)}{sentence}")


def _label(path: Path) -> str:
    if not path:
        return ""
    last = path[-1]
    if isinstance(last, str):
        return f'"{last}": '
    named = [part for part in path if isinstance(part, str)]
    return f'item {last + 1} of "{named[-1]}": ' if named else f"item {last + 1}: "


def _is(origin: Any) -> Any:
    return lambda kind: get_origin(kind) is origin


@functools.cache
def _converter() -> Any:
    from cattrs import Converter

    converter = Converter(detailed_validation=True, forbid_extra_keys=True)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(int, _integer)
    converter.register_structure_hook(bool, _truth)
    converter.register_structure_hook(dt.date, _date)
    converter.register_structure_hook_factory(_is(Literal), lambda t: functools.partial(_word, get_args(t)))
    converter.register_structure_hook_factory(_is(tuple), lambda t: _list_hook(converter, t))
    converter.register_structure_hook_factory(_is(dict), lambda t: _mapping_hook(converter, t))
    converter.register_structure_hook_factory(attrs.has, lambda t: _class_hook(converter, t))
    return converter


def _text(value: object, _: Any = None) -> str:
    if not isinstance(value, str):
        hint = "; put it in quotes" if isinstance(value, (bool, int, float)) else ""
        raise MisfitError(f"expected text, found {describe(value)}{hint}")
    if not value.strip():
        raise MisfitError("expected text, found only blanks")
    return value


def _integer(value: object, _: Any = None) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise MisfitError(f"expected a whole number, found {describe(value)}")
    return value


def _truth(value: object, _: Any = None) -> bool:
    if not isinstance(value, bool):
        raise MisfitError(f"expected true or false, without quotes, found {describe(value)}")
    return value


def _date(value: object, _: Any = None) -> dt.date:
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            raise MisfitError(f'expected a date, but "{value}" is not a date') from None
    raise MisfitError(f"expected a date as YYYY-MM-DD, found {describe(value)}")


def _word(allowed: tuple[str, ...], value: object, _: Any = None) -> str:
    if isinstance(value, str) and value in allowed:
        return value
    hint = did_you_mean(value.strip().lower(), allowed) if isinstance(value, str) else ""
    if isinstance(value, str) and not hint:
        hint = did_you_mean(value.strip().upper(), allowed)
    raise MisfitError(f"expected {' or '.join(allowed)}, found {describe(value)}{hint}")


def _list_hook(converter: Any, kind: Any) -> Any:
    item_kind = get_args(kind)[0]
    handle = converter.get_structure_hook(item_kind)

    def structure_list(value: object, _: Any = None) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise MisfitError(f"expected a list, found {describe(value)}")
        return tuple(item for _, item in _each(enumerate(value), handle, item_kind, kind))

    return structure_list


def _mapping_hook(converter: Any, kind: Any) -> Any:
    key_kind, item_kind = get_args(kind)
    handle = converter.get_structure_hook(item_kind)

    def one(pair: tuple[Any, Any], _: Any) -> Any:
        key, item = pair
        if key_kind is int and not isinstance(key, int):
            raise MisfitError(f'the key "{key}" is not a position; write 1, 2, …')
        if key_kind is str and not isinstance(key, str):
            raise MisfitError(f"the key {key} is a number; put it in quotes")
        return handle(item, item_kind)

    def structure_mapping(value: object, _: Any = None) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise MisfitError(f"expected keys with values, found {describe(value)}")
        return dict(_each(((key, (key, item)) for key, item in value.items()), one, item_kind, kind))

    return structure_mapping


def _each(pairs: Any, handle: Any, item_kind: Any, kind: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every index or key with its structured value; raises one group with all that failed."""
    from cattrs.errors import IterableValidationError, IterableValidationNote

    errors: list[Exception] = []
    for index, item in pairs:
        try:
            yield index, handle(item, item_kind)
        except Exception as error:
            error.add_note(IterableValidationNote(f"at {index!r}", index, item_kind))
            errors.append(error)
    if errors:
        raise IterableValidationError("list", errors, kind)


def _class_hook(converter: Any, cls: type[Any]) -> Any:
    from cattrs.gen import make_dict_structure_fn, override

    written = file_fields(cls)
    overrides: dict[str, Any] = {field.name: override(omit=True) for field in attrs.fields(cls) if field not in written}
    for field in written:
        if field.metadata["key"]:
            overrides[field.name] = override(rename=field.metadata["key"])
        if field.metadata["single"] or field.metadata["pattern"]:
            overrides[field.name] = override(
                rename=field.metadata["key"],
                struct_hook=_field_hook(converter, field, field_types(cls)[field.name]),
            )
    build = make_dict_structure_fn(
        cls, converter, _cattrs_forbid_extra_keys=True, _cattrs_detailed_validation=True, **overrides
    )
    shorthand = SHORTHANDS.get(cls.__name__)
    noun, keys = _noun(cls), [file_key(field) for field in written]

    def structure_class(value: object, _: Any = None) -> Any:
        if shorthand and isinstance(value, str):
            value = {shorthand: value}
        if not isinstance(value, dict):
            either = "text or " if shorthand else ""
            raise MisfitError(f"{noun} is {either}keys with values ({', '.join(keys[:6])}), found {describe(value)}")
        if cls.__name__ in CHOICES and set(value) <= set(keys) and len(value) != 1:
            raise MisfitError(f"{noun} has one of {', '.join(keys)}, found {', '.join(map(str, value)) or 'none'}")
        return build(value, cls)

    return structure_class


def _field_hook(converter: Any, field: attrs.Attribute[Any], kind: Any) -> Any:
    """Return the hook of a field that may be written without its list, or follows a pattern."""
    handle = converter.get_structure_hook(kind)
    pattern = field.metadata["pattern"]
    of_class = any(map(attrs.has, filter(lambda one: isinstance(one, type), get_args(kind))))

    def structure_field(value: object, _: Any = None) -> Any:
        if field.metadata["single"] and isinstance(value, dict if of_class else str | int | float):
            value = [value]
        result = handle(value, kind)
        for text in () if not pattern else (result,) if isinstance(result, str) else result:
            if not re.fullmatch(pattern, text):
                shape = "pack/rule, each" if "/" in pattern else "a name:"
                raise MisfitError(f'expected {shape} lower-case words joined by hyphens, found "{text}"')
        return result

    return structure_field
