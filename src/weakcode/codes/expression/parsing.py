"""Code expressions from text.

`expression.lark` is the notation's grammar. What follows it is read without it, by one function for each of its rules,
because importing and building its parser takes longer than reading all expressions of all packs; what cannot be read
is given to the grammar, which says where reading stopped and what could have stood there.
"""

from __future__ import annotations

import re
from functools import lru_cache

from weakcode.codes.expression import expressions as e
from weakcode.codes.keys import pack_key
from weakcode.codes.normalise import compact

_NAMED = r"[a-z](?:[0-9][0-9a-z]|[a-z][0-9])"
_CODE_AT = rf"{_NAMED}(?:\.?[0-9a-z]{{1,4}})?(?![0-9a-z])"
_TAIL_AT = rf"(?:\.?[-\u2013](?:\s*[-\u2013])*|\.(?!\s+{_NAMED}))"


def _token(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\s*(?:{pattern})", re.IGNORECASE)


_CODE = _token(rf"({_CODE_AT})\s*({_TAIL_AT})?")
_LAST = _token(rf"({_CODE_AT})(?:\s*{_TAIL_AT})?")
_PLAIN = re.compile(
    rf"\s*({_CODE_AT})\s*(?:{_TAIL_AT}\s*(?:({_CODE_AT})(?:\s*{_TAIL_AT})?)?)?\s*(,\s*(?={_NAMED})|\Z)", re.IGNORECASE
)
"""A code or two with a dash between them, and the comma before another code, or the end of the text."""
_TO = _token(r"(?:to|through)\b")
_SET = _token(r"\$([a-z](?:[a-z0-9_-]*[a-z0-9_])?)")
_ANY = _token(r"any\b")
_CHAPTER = _token(r"chapter\b\s*([0-9]{1,2})")
_OPEN, _CLOSE = _token(r"\("), _token(r"\)")
_SEPARATOR = _token(rf"[,;]|and\b|\.\s+(?={_NAMED})")
_EXCEPT = _token(r"except\b")
_WITH = _token(r",?\s*with\b")
_OR = _token(r"or\b")
_DASH = _token(r"[-\u2013]")
_ORDINAL = _token(r"(fourth|fifth|sixth|six|seventh|4th|5th|6th|7th)\b")
_CHARACTER = _token(r"-?characters?\b")
_FINAL = _token(r"final\b\s*-?characters?\b")
_VALUE = _token(r"(\.?[0-9a-z]{1,4})(?![0-9a-z])")
_SUFFIX = _token(r"\.([0-9a-z]{1,4})(?![0-9a-z])")
_ANOTHER = _token(r"[,;.]\s*(?=\.[0-9a-z])|or\b")
_END = re.compile(r"\s*")
_PLACES = {"six": 6}
_PLACES |= {word: place for place, name in e.ORDINALS.items() for word in (name, f"{place}th")}


@lru_cache(maxsize=8192)
def parse(text: str) -> e.Expression:
    """Read a code expression. Raises NotationError at the character where reading stopped."""
    try:
        plain = _PLAIN.match(text)
        if plain is not None and not plain[3]:
            return _between(plain[1], plain[2])
        return _Reader(text).whole()
    except _UnreadError:
        # lark is imported by what needs it alone.
        from weakcode.codes.expression.notation import read

        return read(text)


class _UnreadError(Exception):
    """The text is no expression, which the grammar tells better."""


def _between(first: str, last: str | None) -> e.Expression:
    """Return the reference from one code through another, or to one alone."""
    low = compact(first)
    if last is None:
        return e.Below(low)
    high = compact(last)
    if pack_key(low) >= pack_key(high.ljust(8, "\x7f")):
        raise _UnreadError
    return e.Through(low, high)


class _Reader:
    """Reads a text from its beginning to its end; a method for each rule of the grammar."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def _take(self, token: re.Pattern[str]) -> re.Match[str] | None:
        """Return what stands here if it is a token of this kind, and go on behind it."""
        found = token.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return found

    def _need(self, token: re.Pattern[str]) -> re.Match[str]:
        found = self._take(token)
        if found is None:
            raise _UnreadError
        return found

    def whole(self) -> e.Expression:
        found = self._expression()
        if not self._at_end():
            raise _UnreadError
        return found

    def _at_end(self) -> bool:
        """Whether nothing but blanks is left."""
        self._take(_END)
        return self._at == len(self._text)

    def _expression(self) -> e.Expression:
        found = self._list()
        while self._take(_EXCEPT):
            found = e.Except(found, self._list())
        return found

    def _list(self) -> e.Expression:
        expressions: list[e.Expression] = []
        waiting: list[e.Expression] = []
        while True:
            # Nearly all lists are plain: one pattern reads what ten would.
            plain = self._take(_PLAIN)
            if plain is not None:
                code, last, comma = plain.groups()
                waiting.append(_between(code, last))
                if comma:
                    continue
                return e.union(expressions + waiting)
            waiting.append(self._reference())
            if self._take(_WITH):
                whole = e.union(waiting)
                parts = whole.parts if isinstance(whole, e.Union) else (whole,)
                expressions.append(e.With(parts, self._condition()))
                waiting = []
            if not self._take(_SEPARATOR) or self._ends():
                return e.union(expressions + waiting)

    def _ends(self) -> bool:
        """Whether a list ends here, which may have a separator behind its last item."""
        at = self._at
        ends = bool(self._take(_EXCEPT) or self._take(_CLOSE)) or self._at_end()
        self._at = at
        return ends

    def _reference(self) -> e.Expression:
        code = self._take(_CODE)
        if code is not None:
            if self._take(_TO):
                return _between(code[1], self._need(_LAST)[1])
            last = self._take(_LAST) if code[2] else None
            return _between(code[1], last and last[1])
        named = self._take(_SET)
        if named is not None:
            return e.Name(named[1], named.start(1))
        if self._take(_ANY):
            return e.Any()
        chapter = self._take(_CHAPTER)
        if chapter is not None:
            return e.Chapter(int(chapter[1]))
        self._need(_OPEN)
        found = self._expression()
        self._need(_CLOSE)
        return found

    def _condition(self) -> e.Condition:
        if self._take(_FINAL):
            return self._final()
        ordinal = self._take(_ORDINAL)
        if ordinal is None:
            return self._suffixes()
        first = _PLACES[ordinal[1].lower()]
        return self._run(first) if self._take(_TO) else self._position(first)

    def _position(self, first: int) -> e.Condition:
        places = {first}
        while self._take(_OR):
            places.add(self._place())
        self._need(_CHARACTER)
        values = [self._values()]
        while self._take(_OR):
            values.append(self._values())
        return e.Position(tuple(sorted(places)), tuple(values))

    def _place(self) -> int:
        return _PLACES[self._need(_ORDINAL)[1].lower()]

    def _values(self) -> tuple[str, str]:
        low = high = self._need(_VALUE)[1].lstrip(".").upper()
        if self._take(_DASH):
            high = self._need(_VALUE)[1].lstrip(".").upper()
        if not len(low) == len(high) == 1 or low > high:
            raise _UnreadError
        return low, high

    def _run(self, first: int) -> e.Condition:
        last = self._place()
        self._need(_CHARACTER)
        value = self._need(_VALUE)[1].lstrip(".").upper()
        if first >= last or len(value) != last - first + 1:
            raise _UnreadError
        return e.CharacterRun(first, last, value)

    def _final(self) -> e.Condition:
        endings: list[str] = []
        while not endings or self._take(_OR):
            self._take(_DASH)
            endings.append(self._need(_VALUE)[1].upper())
        return e.Final(tuple(endings))

    def _suffixes(self) -> e.Condition:
        values: list[tuple[str, str]] = []
        while not values or self._take(_ANOTHER):
            low = high = self._need(_SUFFIX)[1].upper()
            last = self._take(_SUFFIX) if self._take(_DASH) else None
            high = high if last is None else last[1].upper()
            if len(low) != len(high) or low > high:
                raise _UnreadError
            values.append((low, high))
        return e.Suffixes(tuple(values))
