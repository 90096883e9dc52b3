"""The lark side of code expressions: grammar, tree to `Expression`, errors in plain words."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any as Anything

import lark

from weakcode.codes.expression import expressions as e
from weakcode.codes.keys import pack_key
from weakcode.codes.normalise import canonical, compact
from weakcode.errors import NotationError

_POSITIONS = {"six": 6}
_POSITIONS |= {word: number for number, name in e.ORDINALS.items() for word in (name, f"{number}th")}
_PLAIN = {
    "CODE": "a code such as M62.81, G72.- or A00-B99",
    "CHAPTER": '"Chapter" and its number',
    "NUMBER": "a chapter number",
    "NAME": "a code set such as $name",
    "ANY": '"any"',
    "LPAR": '"("',
    "RPAR": '")"',
    "SEPARATOR": "a comma",
    "EXCEPT": '"except"',
    "WITH": '"with"',
    "TO": '"to"',
    "TAIL": '".-" or "-"',
    "OR": '"or"',
    "ORDINAL": '"fifth", "sixth" or the like',
    "CHARACTER": '"character"',
    "FINAL": '"final characters"',
    "VALUE": "the character, such as 5 or 1-4",
    "SUFFIX": "an ending such as .51",
    "SUFFIX_SEPARATOR": "a comma and another ending",
    "DASH": '"-"',
    "$END": "the end",
}


@cache
def _parser() -> lark.Lark:
    grammar = files("weakcode.codes.expression").joinpath("expression.lark").read_text("utf-8")
    return lark.Lark(grammar, parser="lalr", maybe_placeholders=False)


def _refused(text: str, column: int, found: str, expected: str) -> NotationError:
    return NotationError(
        f'{found} at character {column} of "{text}"; expected {expected}.',
        text=text,
        column=column,
        expected=expected,
    )


def _in_words(names: set[str]) -> str:
    words = [words for name, words in _PLAIN.items() if name in names]
    if len(words) > 1:
        return f"{', '.join(words[:-1])} or {words[-1]}"
    return words[0] if words else "nothing more"


def read(text: str) -> e.Expression:
    """Parse one code expression; raises NotationError."""
    try:
        tree = _parser().parse(text)
    except lark.exceptions.UnexpectedToken as error:
        names = set(error.accepts or error.expected)
        if error.token.type == "$END":
            column = len(text.rstrip()) + 1
            raise _refused(text, column, "the expression ends", _in_words(names)) from None
        column = (error.token.start_pos or 0) + 1
        raise _refused(text, column, f'found "{error.token}"', _in_words(names)) from None
    except lark.exceptions.UnexpectedCharacters as error:
        column = (error.pos_in_stream or 0) + 1
        rest = text[column - 1 :].split()
        raise _refused(text, column, f'found "{rest[0]}"', _in_words(set(error.allowed or ()))) from None
    return _Reader(text).expression(tree.children[0])


class _Reader:
    """Turns a parse tree into an Expression; `text` is what was parsed, for errors."""

    def __init__(self, text: str) -> None:
        self.text = text

    def refuse(self, token: lark.Token, expected: str) -> NotationError:
        return _refused(self.text, (token.start_pos or 0) + 1, f'found "{token}"', expected)

    def expression(self, tree: Anything) -> e.Expression:
        result, *cuts = (self.list(child) for child in tree.children if isinstance(child, lark.Tree))
        for cut in cuts:
            result = e.Except(result, cut)
        return result

    def list(self, tree: Anything) -> e.Expression:
        expressions: list[e.Expression] = []
        waiting: list[e.Expression] = []
        for item in tree.children:
            if isinstance(item, lark.Token):
                continue
            reference, *condition = (part for part in item.children if isinstance(part, lark.Tree))
            waiting.append(self.reference(reference))
            if condition:
                whole = e.union(waiting)
                parts = whole.parts if isinstance(whole, e.Union) else (whole,)
                expressions.append(e.With(parts, self.condition(condition[0])))
                waiting = []
        return e.union(expressions + waiting)

    def reference(self, tree: Anything) -> e.Expression:
        tokens = {token.type: token for token in tree.children if isinstance(token, lark.Token)}
        match tree.data:
            case "below":
                return e.Below(compact(str(tokens["CODE"])))
            case "through":
                return self.through(*(token for token in tree.children if token.type == "CODE"))
            case "chapter":
                return e.Chapter(int(tokens["NUMBER"]))
            case "named":
                return e.Name(str(tokens["NAME"])[1:], (tokens["NAME"].start_pos or 0) + 1)
            case "any":
                return e.Any()
            case _:
                return self.expression(tree.children[0])

    def through(self, first: lark.Token, last: lark.Token) -> e.Expression:
        low, high = compact(str(first)), compact(str(last))
        if pack_key(low) >= pack_key(high.ljust(8, "\x7f")):
            raise self.refuse(last, f"a code after {canonical(low)}")
        return e.Through(low, high)

    def condition(self, tree: Anything) -> e.Condition:
        match tree.data:
            case "position":
                places = [self.position(token) for token in tree.children if _is(token, "ORDINAL")]
                values = [self.value(child) for child in tree.children if isinstance(child, lark.Tree)]
                return e.Position(tuple(sorted(set(places))), tuple(values))
            case "run":
                return self.run(tree)
            case "final":
                endings = [child.children[-1] for child in tree.children if isinstance(child, lark.Tree)]
                return e.Final(tuple(str(ending).upper() for ending in endings))
            case _:
                return e.Suffixes(tuple(self.suffix(child) for child in tree.children if isinstance(child, lark.Tree)))

    def position(self, token: lark.Token) -> int:
        return _POSITIONS[str(token).lower()]

    def value(self, tree: Anything) -> tuple[str, str]:
        tokens = [token for token in tree.children if token.type == "VALUE"]
        for token in tokens:
            if len(token.lstrip(".")) != 1:
                raise self.refuse(token, "one letter or digit, such as 5 or 1-4")
        low, high = (str(tokens[i]).lstrip(".").upper() for i in (0, -1))
        if low > high:
            raise self.refuse(tokens[-1], f"a character after {low}")
        return low, high

    def run(self, tree: Anything) -> e.CharacterRun:
        first, last = (token for token in tree.children if token.type == "ORDINAL")
        low, high = self.position(first), self.position(last)
        if low >= high:
            raise self.refuse(last, f"a position after the {e.ORDINALS[low]}")
        value = tree.children[-1]
        if len(value.lstrip(".")) != high - low + 1:
            raise self.refuse(value, f"{high - low + 1} letters or digits")
        return e.CharacterRun(low, high, str(value).lstrip(".").upper())

    def suffix(self, tree: Anything) -> tuple[str, str]:
        tokens = [token for token in tree.children if token.type == "SUFFIX"]
        low, high = (str(tokens[i])[1:].upper() for i in (0, -1))
        if len(low) != len(high):
            raise self.refuse(tokens[-1], f"an ending as long as .{low}")
        if low > high:
            raise self.refuse(tokens[-1], f"an ending after .{low}")
        return low, high


def _is(child: object, kind: str) -> bool:
    return isinstance(child, lark.Token) and child.type == kind
