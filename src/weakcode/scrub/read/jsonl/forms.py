"""Objects of JSON as claims have them: keys in any case and spelling, values in the forms that tables have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from weakcode.errors import InputError, WeakcodeError
from weakcode.fields import ABOUT_THE_CLAIM, BY_NAME, LINES
from weakcode.scrub.read.jsonl.objects import KNOWN, object_in
from weakcode.scrub.read.log import ReadLog
from weakcode.scrub.read.options import ReadOptions
from weakcode.scrub.read.rows import BadRow
from weakcode.scrub.read.tables.cells import parts_of
from weakcode.scrub.read.tables.forms import Forms, Memo
from weakcode.scrub.read.tables.resolve import resolve
from weakcode.scrub.read.tables.rows import positions_in
from weakcode.scrub.read.tables.tidy import counted_as

_MOST_KEYS = 1_000
"""Objects of different keys whose names are remembered."""

_DATES = tuple(name for name in ABOUT_THE_CLAIM if BY_NAME[name].arrow == "date32")
_FORMS = Forms()
_ONE_SEX = {"is F": "F", "is M": "M"}
"""What a key is called here that only says whether the sex is this one."""
_DIAGNOSIS = "one diagnosis"
_OTHERS = "other diagnoses"
"""What keys of one diagnosis, and of all behind the principal one, are called here; no key of a claim is."""


def _pointed(line: Any) -> Any:
    """Return a service line with pointers as numbers where they are text, as tables have them: `1`, `A`, `1,2`."""
    pointers = line.get("pointers") if isinstance(line, dict) else None
    words = [pointers] if isinstance(pointers, str) else pointers
    if not isinstance(words, list) or not any(isinstance(word, str) for word in words):
        return line
    found: list[int] = []
    for word in words:
        positions = positions_in(word) if isinstance(word, str) else [word]
        if positions is None:
            return line
        found += positions
    return {**line, "pointers": found}


class Objects:
    """Reads the objects of one file: keys in any case and spelling, values in the forms of tables."""

    def __init__(self, options: ReadOptions, sample: Iterable[bytes] = ()) -> None:
        self._plans: dict[tuple[str, ...], list[tuple[str, str, str]] | None] = {}
        self.columns: dict[str, str] = {}
        self.forms = Forms.of(options, self._dates(sample))
        self._about = {name: Memo(partial(self.forms.about, name)) for name in ABOUT_THE_CLAIM}
        self._one_code, self._codes = Memo(self.forms.one_code), Memo(self.forms.codes)
        self._single_code = Memo(self.forms.single_code)

    def read(self, values: dict[str, Any], log: ReadLog) -> dict[str, Any]:
        """Return an object as a claim has it; what is guessed or passed over is counted in `log`."""
        values = {**self.forms.constants, **self._named(values)} if self.forms.constants else self._named(values)
        for name, memo in self._about.items():
            value = values.get(name)
            if (name == "sex" or name in _DATES) and isinstance(value, int | float) and type(value) is not bool:
                value = str(int(value)) if value == value and value == value // 1 else value
            elif name == "age" and type(value) is float and not value.is_integer() and value == value:
                value = repr(value)
            if isinstance(value, str):
                values[name] = self._text(memo, value, log)
            elif isinstance(value, float) and value != value:
                values[name] = None
        codes = values.get("codes")
        if isinstance(codes, str):
            values["codes"] = self._text(self._codes, codes, log)
        elif isinstance(codes, list):
            values["codes"] = self._items(codes, self._single_code if values.get(LINES) else self._one_code, log)
        if isinstance(lines := values.get(LINES), list):
            values[LINES] = [_pointed(line) for line in lines]
        return values

    def _items(self, codes: list[Any], memo: Memo, log: ReadLog) -> list[Any]:
        found: list[Any] = []
        for code in codes:
            if isinstance(code, str):
                text = self._text(memo, code, log)
                if text:
                    found += parts_of(text)
            elif isinstance(code, dict) and isinstance(code.get("code"), str):
                found.append({**code, "code": self._text(memo, code["code"], log) or code["code"]})
            elif code is not None:
                found.append(code)
        return found

    def _text(self, memo: Memo, value: str, log: ReadLog) -> str:
        text, what = memo[value]
        if what is not None:
            counted_as(what, self.forms, log)
        return text

    def _named(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the object under the names that are read; other keys stay as they are."""
        if values.keys() <= KNOWN:
            return values
        keys = tuple(values)
        if keys not in self._plans:
            if len(self._plans) >= _MOST_KEYS:
                self._plans.clear()
            self._plans[keys] = self._plan(keys)
        plan = self._plans[keys]
        if plan is None:
            return values
        named: dict[str, Any] = dict(values)
        codes: list[Any] = []
        for key, name, beside in plan:
            value = named.pop(key)
            if name == _DIAGNOSIS:
                poa = named.pop(beside) if beside else None
                if isinstance(value, list):
                    codes += value
                else:
                    codes.append(value if poa is None or value is None else {"code": value, "poa": poa})
            elif name == _OTHERS:
                codes += value if isinstance(value, list) else [value]
            elif name in _ONE_SEX:
                named["sex"] = None if value is None else _FORMS.one_sex(_ONE_SEX[name], str(value))[0]
            else:
                named[name] = value
        if codes:
            named["codes"] = codes
        return named

    def _plan(self, keys: Sequence[str]) -> list[tuple[str, str, str]] | None:
        """Return what each key that is read is called, with that of its indicator; None where they stand as read."""
        try:
            header = resolve(keys, ",", "", needs_id=False, lists=True, whole=True)
        except InputError:
            return None
        if header.versions or header.line is not None or header.code is not None or header.other_codes or header.days:
            return None
        about = {at: name for name, at in header.about}
        if header.one_sex:
            about = {at: f"is {header.one_sex}" if name == "sex" else name for at, name in about.items()}

        def beside(at: int | None) -> str:
            return "" if at is None else keys[at]

        single = {"claim_id": header.claim_id, "codes": header.codes, "lines": header.listed}
        plan = [(keys[at], name, "") for at, name in about.items()]
        if header.principal is not None:
            plan.append((keys[header.principal], _DIAGNOSIS, beside(header.principal_poa)))
            if header.codes is not None:
                plan.append((keys[single.pop("codes") or 0], _OTHERS, ""))
        indicators = (*header.poa, *(None for _ in header.wide[len(header.poa) :]))
        plan += [(keys[at], _DIAGNOSIS, beside(poa)) for at, poa in zip(header.wide, indicators, strict=True)]
        plan += [(keys[at], name, "") for name, at in single.items() if at is not None]
        plan = [one for one in plan if one[0] != one[1] and one[:2] != ("id", "claim_id")]
        self.columns.update({key: what for key, what in header.matched.items() if key not in KNOWN})
        return plan

    def _dates(self, sample: Iterable[bytes]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {name: [] for name in _DATES}
        for line in sample:
            try:
                values = self._named(object_in(line.decode()))
            except (BadRow, UnicodeDecodeError, WeakcodeError):
                continue
            for name in _DATES:
                if isinstance(value := values.get(name), str | int):
                    found[name].append(str(value))
        return found
