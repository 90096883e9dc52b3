"""Files of the cache that say anything at all, sealed as the user's own: small ones, changed number by number.

What is changed is told by bytes: which of the files, then for each change a section, a place in it and a number.
"""

from __future__ import annotations

import copy
import datetime as dt
import functools
import tempfile
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from weakcode.claims import Claim
from weakcode.codes.codeset import CodeSet
from weakcode.codes.compiled import NOTES, compile_tabular
from weakcode.codes.edition import Edition
from weakcode.codes.holds import edition_holds, search_holds
from weakcode.codes.search.find import find
from weakcode.codes.search.index import SearchIndex, index_texts
from weakcode.codes.sources.tabular import read_tabular
from weakcode.codes.storage import store
from weakcode.codes.storage.shape import EDITION, PROGRAM, SEARCH
from weakcode.codes.storage.store import Container
from weakcode.compile.program import PackFile, Program
from weakcode.compile.records import program_holds
from weakcode.engines.columnar import ColumnarEngine
from weakcode.errors import EngineError
from weakcode.findings import Source
from weakcode.semantics.conditions import Condition
from weakcode.semantics.edits import CompiledRule, Edit, EditFix
from weakcode.semantics.judged import JudgedClaim
from weakcode.semantics.verbs import Verb, Where

Content = tuple[dict[str, Any], dict[str, bytes]]

_LIST = """<?xml version="1.0"?><ICD10CM.tabular><version>2026</version><chapter><name>1</name>
<desc>Made up (A00-B99)</desc><section id="A00-A09"><desc>A section (A00-A09)</desc>
<diag><name>A00</name><desc>Fièvre</desc><excludes1><note>another (B20)</note><note>third</note></excludes1>
<sevenChrDef><extension char="A">first</extension><extension char="D">later</extension></sevenChrDef>
<diag><name>A00.1</name><desc>Mild</desc><inclusionTerm><note>a mild fièvre</note></inclusionTerm></diag>
<diag><name>A00.2</name><desc>Severe</desc></diag></diag>
<diag><name>A01</name><desc>Cough</desc><codeFirst><note>cause (A02)</note></codeFirst></diag>
<diag><name>A02</name><desc>Cause</desc></diag><diag><name>A03</name><desc>Sequel</desc></diag></section>
</chapter></ICD10CM.tabular>"""
_STARTS, _ENDS = dt.date(2026, 4, 1), dt.date(2026, 9, 30)
ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 7, 2**31, 2**64, 1e308, "", "x", "é", "9999-99-99", [], {}, [[]], [None], {"x": 1}),
    functools.reduce(lambda inner, _: [inner], range(400), []),
)
"""What JSON may say in the place of something else."""
NUMBERS = (0, 1, 2, 3, 9, 0x7F, 0x80, 0xFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1)
_WIDTHS = {one.name: {"B": 1, "H": 2, "I": 4, "Q": 8}[one.item] for one in (*EDITION, *PROGRAM, *SEARCH)}


@functools.cache
def _edition_made() -> Content:
    meta, sections = compile_tabular(read_tabular(_LIST.encode()))
    sections["code_window"] = array("H", [place % 2 for place in range(len(sections["codes"]) // 8)]).tobytes()
    windows = [[[None, None]], [["2026-04-01", None]]]
    releases = [["2026-04", str(_STARTS), str(_ENDS), False]]
    more = {"titles": {"A02": "Cause itself"}, "retitled": {"A03": [["2020-01-01", "2020-12-31", "Old"]]}}
    return {**meta, "windows": windows, "releases": releases, **more, "digest": "0" * 64}, sections


def _edition_of(stored: Container) -> Edition:
    return Edition(stored, name="2026-04", starts=_STARTS, ends=_ENDS, digest=stored.meta["digest"])


@functools.cache
def edition() -> Edition:
    """Return the small edition, as it was made."""
    stored = store.open_bytes(store.pack("", *_edition_made()))
    assert stored is not None
    return _edition_of(stored)


def _program_made() -> Content:
    small = edition()
    one, two, rest = CodeSet.of([0]), CodeSet.of([1, 2]), CodeSet.between(3, small.universe)
    source = (Source("A book", "page 1", "as it says"),)
    asked = Condition(age_min=3, sex="F", settings=("inpatient",), starts=_STARTS, documented_any=("a-fact",))
    where = Condition(present=rest, absent=one, first_listed=two, payers=("acme",))
    edits = [
        Edit(0, Verb.FORBID, one, two, Where.AFTER, asked, message="{subject} and {object}", sources=source),
        Edit(0, Verb.REQUIRE, two, rest, Where.BEFORE, listed="A03", fix=EditFix("add", "A03", "Add it.")),
        Edit(0, Verb.ORDER, one, two, condition=where, sources=source),
        Edit(1, Verb.FIRST, two, terms=("a term",)),
        Edit(1, Verb.SECONDARY, one, pointed="first"),
        Edit(1, Verb.CLAIM_REQUIRE, CodeSet(), rest, listed="A03"),
        Edit(2, Verb.AT_MOST_ONE, two | one),
        Edit(2, Verb.ONCE, rest),
        Edit(2, Verb.PRESENT, one),
    ]
    rules = [CompiledRule(f"made/{name}", name, "error", True, "made", terms=(("a term", "A03"),)) for name in "abc"]
    return Program.pack("2026-04", ["made 1"], rules, ["a-fact"], edits, [PackFile("m", "made", "1", (), {}, 0, 3)])


def _search_made() -> Content:
    sections = index_texts(edition())
    # Of the thousands of phrases that people say, a few of each kind.
    of_kind: dict[bytes, list[bytes]] = {}
    for line in sections["search_phrases"].splitlines():
        of_kind.setdefault(line.split(b"\t")[0], []).append(line)
    return {}, {**sections, "search_phrases": b"\n".join(line for lines in of_kind.values() for line in lines[:20])}


FILES = {
    "edition": (_edition_made, EDITION),
    "program": (functools.cache(_program_made), PROGRAM),
    "search": (functools.cache(_search_made), SEARCH),
}


def changed(kind: str, section: str, at: int, value: int, *, more: int = 0) -> Content:
    """Return the content of a file in which one number, or byte of text, is another, or a section is longer."""
    meta, sections = FILES[kind][0]()
    return meta, _with(sections, section, at, value, more)


def _with(sections: dict[str, bytes], section: str, at: int, value: int, more: int = 0) -> dict[str, bytes]:
    content = bytearray(sections[section])
    content = content[: len(content) + more] + bytes(max(0, more))
    width = _WIDTHS.get(section, 1)
    if len(content) >= width:
        at = at % (len(content) // width) * width
        content[at : at + width] = (value % (1 << 8 * width)).to_bytes(width, "little")
    return {**sections, section: bytes(content)}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give where each value stands in plain data."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


def retold(meta: dict[str, Any], path: tuple[Any, ...], odd: Any) -> dict[str, Any]:
    """Return plain data with another value in one place."""
    meta = copy.deepcopy(meta)
    inner: Any = meta
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = odd
    return meta


def follow(kind: str, content: Content, folder: Path | None = None) -> bool:
    """Open a file that says this, and follow it wherever it leads; return whether it was used."""
    if folder is None:
        with tempfile.TemporaryDirectory() as made:
            return follow(kind, content, Path(made))
    path = folder / f"{kind}.bin"
    assert store.write(path, "key", *content)
    if kind == "edition":
        stored = store.read(path, "key", EDITION, edition_holds)
        if stored is not None:
            _walk(_edition_of(stored))
    elif kind == "search":
        stored = store.read(path, "key", SEARCH, search_holds)
        if stored is not None:
            for words in ("fièvre", "mild caus", "x"):
                find(SearchIndex(stored.sections), edition(), words, 20)
    else:
        stored = store.read(path, "key", PROGRAM, lambda one: program_holds(one, edition()))
        if stored is not None:
            _judge(Program.open(stored.meta, stored.sections, lambda: Program.open(*FILES["program"][0]())))
    return stored is not None


def _walk(forged: Edition) -> None:
    for on in (forged, forged.on(_STARTS), forged.on(dt.date(2020, 1, 1))):
        for number in range(on.size):
            code = on.code(number)
            on.titled_code(number), on.window(number), on.stem(number), on.in_force(number)
            on.node(code), on.ancestors(code), on.notes_reaching(code), on.title(code), on.seventh_characters(code)
        for name in ("Chapter 1", "A00-A09", "A00", "A00.1", "A02", "B20", "401.9"):
            on.code_id(name), on.children_of(name), on.notes(name), on.billable_below(name), on.span(name)
        on.range_spans("A00", "A02"), on.billable_ids, on.keys(), on.label, on.last_day
    index_texts(forged)
    for kind in NOTES:
        list(forged.all_notes(kind))
    forged.titled(), forged.spelled


def _judge(forged: Program) -> None:
    small = edition()
    try:
        for number in range(len(forged)):
            forged.edit(number)
        for number in range(small.universe):
            forged.roles(number)
        for rule in range(len(forged.rules)):
            forged.edits_of(rule)
        codes = [small.code(number) for number in range(small.size)]
        engine = ColumnarEngine(forged, small, lambda rule: True)
        for claim in (Claim(codes=codes), Claim(codes=codes[::-1], age=5, sex="F"), Claim(codes=["B20", "x"])):
            for hit in engine.hits(JudgedClaim.of(claim, small)):
                forged.edit(hit.edit)
    except EngineError as error:
        if "were damaged" not in str(error):
            raise


def file_in(data: bytes) -> tuple[str, Content]:
    """Return the file, and the content, that bytes tell of."""
    kind = ("edition", "program", "search")[data[0] % 3 if data else 0]
    meta, sections = FILES[kind][0]()
    names = sorted(sections)
    for at in range(1, len(data) - 6, 7):
        what, place = data[at], int.from_bytes(data[at + 1 : at + 3], "little")
        number = int.from_bytes(data[at + 3 : at + 7], "little")
        if what == 0xFF:
            paths = list(places(meta))[1:]
            if paths:
                meta = retold(meta, paths[place % len(paths)], ODD[number % len(ODD)])
        elif what == 0xFE:
            name = names[place % len(names)]
            sections = _with(sections, name, 0, number, (number & 0xFF) - 128)
        else:
            sections = _with(sections, names[what % len(names)], place, number)
    return kind, (meta, sections)
