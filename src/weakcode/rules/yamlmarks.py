"""Read YAML into plain data that remembers where everything stood.

Rule files are read from YAML's event stream instead of being composed, for three reasons: an alias is refused
before it can be expanded, nesting is bounded before it can exhaust the stack, and words keep the meaning of
YAML 1.2, so that `off`, `no` and `2026-03-02` stay the text that the author wrote.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import attrs

from weakcode.errors import Problem, RuleFileError
from weakcode.visible import steers

Path = tuple[str | int, ...]
Position = tuple[int, int]

DEEPEST = 24
_NUMERIC = "+-.0123456789"
_INTEGER = re.compile(r"[-+]?[0-9]{1,15}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, object] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@attrs.frozen
class Marked:
    """Plain data from a YAML file, with the 1-based line and column of every value and key.

    `marks` and `keys` are the parser's, by path: the keys and indexes that lead to a value from the top.
    """

    data: Any
    file: str
    text: str = attrs.field(repr=False)
    marks: dict[Path, Any] = attrs.field(repr=False)
    keys: dict[Path, Any] = attrs.field(repr=False)
    _scalars: dict[Path, Any] = attrs.field(repr=False)
    given: bool = False
    """Whether it was a mapping, not a file: places in it are then shown as paths."""

    def __reduce__(self) -> tuple[Any, ...]:
        # The parser need not be where this is sent. Places inside of texts are then those of the texts.
        marks, keys = (
            {path: SimpleNamespace(line=mark.line, column=mark.column) for path, mark in found.items()}
            for found in (self.marks, self.keys)
        )
        return Marked, (self.data, self.file, self.text, marks, keys, {}, self.given)

    def position(self, path: Path, *, key: bool = False) -> Position:
        """Return where the value (or its key) stands; a path not in the file gives its nearest parent."""
        if key and path in self.keys:
            return _place(self.keys[path])
        while path not in self.marks and path:
            path = path[:-1]
        return _place(self.marks[path]) if path in self.marks else (1, 1)

    def inside(self, path: Path, column: int) -> Position:
        """Return where the 1-based `column` of a text stands in the file, past quotes and folded lines."""
        while path not in self._scalars and path:
            path = path[:-1]
        scalar = self._scalars.get(path)
        if scalar is None:
            return self.position(path)
        at = scalar.start_mark.index
        if not scalar.implicit[0] and scalar.style in ("|", ">"):
            at = self.text.find("\n", at) + 1
        elif not scalar.implicit[0] and scalar.style:
            at += 1
        target = at
        for character in scalar.value[: max(column, 1)]:
            if character.isspace():
                target = at
                at += 1
                continue
            found = self.text.find(character, at, scalar.end_mark.index)
            if found < 0:  # written as an escape: the best that can be said is where the text begins
                return self.position(path)
            target, at = found, found + 1
        if column > len(scalar.value):
            target = at
        return _position_of(self.text, target)

    def problem(self, path: Path, message: str, *, key: bool = False, column: int | None = None) -> Problem:
        """Return the problem at the value, at its key, or at a column inside the value."""
        line, place = self.inside(path, column) if column is not None else self.position(path, key=key)
        if not self.given:
            return Problem(self.file, line, place, message)
        return Problem(self.file, line, place, message, path_text(path))

    def line(self, path: Path) -> int:
        """Return the line of a value; 0 in a mapping, which has none."""
        return 0 if self.given else self.position(path)[0]

    def place(self, path: Path) -> str:
        """Return file and line of a value, or the path to it in a mapping that was given."""
        return f"{self.file}{path_text(path)}" if self.given else f"{self.file}:{self.position(path)[0]}"


def path_text(path: Path) -> str:
    """Return a path as Python and JSON write it: ``.rules[2].subject``, ``.rules["pack/rule"]``."""
    return "".join(map(_step_text, path))


def _step_text(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if step.isidentifier() else f'["{step}"]'


def check_characters(text: str) -> str:
    """Return what is wrong with the characters of a text, "" where nothing is."""
    from yaml.reader import Reader

    unprintable = Reader.NON_PRINTABLE.search(text)
    if unprintable:
        return f"the character U+{ord(unprintable.group()):04X} cannot stand in a YAML file; remove it"
    turning = steers(text)
    return f"the character U+{ord(turning[0]):04X} steers terminals or turns text; remove it" if turning else ""


def _place(mark: Any) -> Position:
    return mark.line + 1, mark.column + 1


def _position_of(text: str, index: int) -> Position:
    line, start = 1, 0
    for found in _BREAK.finditer(text, 0, index):
        line, start = line + 1, found.end()
    return line, index - start + 1


def plain(value: str) -> object:
    """Return what an unquoted scalar means in YAML 1.2's core schema, dates and other words staying text."""
    if value in _WORDS:
        return _WORDS[value]
    if value[0] not in _NUMERIC:
        return value
    if _INTEGER.fullmatch(value):
        return int(value)
    if _FLOAT.fullmatch(value):
        return float(value)
    return value


def decode(content: str | bytes, file: str) -> str:
    """Return the text of a file without byte order mark; raises RuleFileError where it is not UTF-8."""
    from yaml.reader import Reader

    if isinstance(content, str):
        text = content
    else:
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            line, column = _position_of(content[: error.start].decode("utf-8"), error.start)
            message = f"byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8"
            raise RuleFileError([Problem(file, line, column, message)]) from None
    text = text.removeprefix("\ufeff")
    unprintable = Reader.NON_PRINTABLE.search(text)
    if unprintable:
        line, column = _position_of(text, unprintable.start())
        message = f"the character U+{ord(unprintable.group()):04X} cannot stand in a YAML file; remove it"
        raise RuleFileError([Problem(file, line, column, message)])
    return text


def read(content: str | bytes, file: str, *, given: bool = False) -> Marked:
    """Read one YAML document whose top is a mapping; `given` for a mapping that was made into one.

    Raises RuleFileError for broken YAML, a key that stands twice, anchors and aliases, tags, a second
    document, nesting beyond any rule file's, and keys that are neither text nor whole numbers.
    """
    import yaml

    text = decode(content, file)
    builder = _Builder(file, text)
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        builder.take_all(loader(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        message = ", ".join(part for part in (error.problem, error.context) if part)
        builder.problems.append(Problem(file, line, column, f"this is not YAML: {message or 'unreadable'}"))
    except yaml.YAMLError as error:
        builder.problems.append(Problem(file, 1, 1, f"this is not YAML: {' '.join(str(error).split())}"))
    except _StopError:
        pass
    if not builder.problems and not isinstance(builder.root, dict):
        found = "the file is empty" if builder.root is None else "the file does not hold keys with values"
        builder.problems.append(Problem(file, 1, 1, f'{found}; write "key: value" lines at its top'))
    if builder.problems:
        raise RuleFileError(builder.problems)
    return Marked(builder.root, file, text, builder.marks, builder.keys, builder.scalars, given)


class _StopError(Exception):
    """Reading goes no further; the reason is among the problems."""


@attrs.define
class _Frame:
    """An open list or mapping; in a mapping, `key` is the key that is `waiting` for its value."""

    container: dict[str | int, Any] | list[Any]
    path: Path
    key: str | int | None = None
    waiting: bool = False


@attrs.define
class _Builder:
    file: str
    text: str
    root: Any = None
    marks: dict[Path, Any] = attrs.field(factory=dict)
    keys: dict[Path, Any] = attrs.field(factory=dict)
    scalars: dict[Path, Any] = attrs.field(factory=dict)
    problems: list[Problem] = attrs.field(factory=list)
    _open: list[_Frame] = attrs.field(factory=list)
    _documents: int = 0

    def complain(self, event: Any, message: str) -> None:
        self.problems.append(Problem(self.file, *_place(event.start_mark), message))

    def take_all(self, loader: Any) -> None:
        """Put every event of a parser in its place."""
        import yaml

        taking: dict[type, Callable[[Any], object]] = {
            yaml.DocumentStartEvent: self._begin,
            yaml.AliasEvent: self._alias,
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: lambda event: self._open_one(event, {}),
            yaml.SequenceStartEvent: lambda event: self._open_one(event, []),
            yaml.MappingEndEvent: lambda _: self._open.pop(),
            yaml.SequenceEndEvent: lambda _: self._open.pop(),
        }
        try:
            while (event := loader.get_event()) is not None:
                take = taking.get(type(event))
                if take is not None:
                    take(event)
        finally:
            loader.dispose()

    def _begin(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self.complain(event, "a second document begins here; a rule file is a single one")
            raise _StopError

    def _alias(self, event: Any) -> None:
        self.complain(event, f'the alias "*{event.anchor}" cannot be used here; repeat the value')
        self._put(event, None)

    def _scalar(self, event: Any) -> None:
        text = event.value
        if event.anchor or event.tag:
            self._check_properties(event)
        unprintable = steers(text)
        if unprintable:
            self.complain(event, f"the character U+{ord(unprintable[0]):04X} steers terminals or turns text; remove it")
        path = self._put(event, text if event.style else plain(text))
        if path is not None:
            self.scalars[path] = event

    def _open_one(self, event: Any, container: Any) -> None:
        self._check_properties(event)
        if len(self._open) >= DEEPEST:
            self.complain(event, f"nested deeper than {DEEPEST} levels; no rule file needs that")
            raise _StopError
        path = self._put(event, container)
        self._open.append(_Frame(container, (*self._open[-1].path, "") if path is None else path))

    def _check_properties(self, event: Any) -> None:
        if event.anchor:
            self.complain(event, f'the anchor "&{event.anchor}" cannot be used here; remove it')
        if event.tag:
            self.complain(event, f'the tag "{event.tag}" cannot be used here; write the value without it')

    def _put(self, event: Any, value: Any) -> Path | None:
        """Put a value where the parser stands and return its path; in a mapping every other one is a key: None."""
        path: Path = ()
        if not self._open:
            self.root = value
        else:
            frame = self._open[-1]
            container = frame.container
            if isinstance(container, list):
                path = (*frame.path, len(container))
                container.append(value)
            elif not frame.waiting:
                self._put_key(frame, event, value)
                return None
            else:
                frame.waiting = False
                key = frame.key
                path = (*frame.path, key if key is not None else "")
                if key is not None:
                    container[key] = value
        self.marks[path] = event.start_mark
        return path

    def _put_key(self, frame: _Frame, event: Any, value: Any) -> None:
        frame.waiting, frame.key = True, None
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            self.complain(event, "a key is a word, or a position such as 1; this one is neither")
        elif value in frame.container:
            first = self.keys[(*frame.path, value)].line + 1
            self.complain(event, f'the key "{value}" stands here again, first in line {first}; keep one')
        else:
            frame.key = value
            self.keys[(*frame.path, value)] = event.start_mark
