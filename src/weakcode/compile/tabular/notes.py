"""The Tabular List's notes, read as a coder reads them: which codes a note names, and what it asks.

Nothing is dropped in silence: a line that names no code is counted as prose, a reference that cannot be read is kept as
unresolved with its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import attrs
import numpy as np

from weakcode.base.remembered import remembered
from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition, Note
from weakcode.codes.expression.parsing import parse
from weakcode.errors import NotationError
from weakcode.rules.readings import bundled_readings

NOTE_KINDS = ("excludes1", "excludes2", "code_first", "use_additional", "code_also")
LABELS = {
    "excludes1": "Excludes1",
    "excludes2": "Excludes2",
    "code_first": "Code first",
    "use_additional": "Use additional",
    "code_also": "Code also",
}

_NO_CODES = CodeSet()
_INNERMOST = re.compile(r"\(([^()]*)\)")
_CATEGORY = re.compile(r"\b([A-Z](?:\d[0-9A-Z]|[A-Z]\d))(?![0-9A-Z]{2})")
_CHAPTER = re.compile(r"\bchapter\s+\d", re.IGNORECASE)
_CONDITIONAL = re.compile(r"\bif\s+(?:applicable|known|present|any)\b|\bany\b|\bcomplicating\b", re.IGNORECASE)
_ASSOCIATED = re.compile(r"(?:the\s+)?associated\b", re.IGNORECASE)
_OPEN = re.compile(r"\bsuch\s+as\b", re.IGNORECASE)
_ADVERSE = re.compile(r"\badverse effect\b", re.IGNORECASE)
_QUALIFIED = re.compile(r"\(([^()]*)\)\s*,?\s*(with\s+\w+(?:\s+or\s+\w+)?\s+characters?\s+[0-9A-Z-]+)", re.IGNORECASE)
_ANY_INTENT = re.compile(r",?\s*with\s+[\w\s]*character\s+to\s+indicate\s+intent\s*$", re.IGNORECASE)
_OPEN_FRACTURE = re.compile(r"(?P<codes>.+?)\s+with\s+open\s+fracture\s+7th\s+character\s*$", re.IGNORECASE)
_FOR_ADVERSE = re.compile(r"for adverse effects?\b", re.IGNORECASE)
_MANIFESTATION = re.compile(r"\b(?:diseases?|conditions) classified elsewhere", re.IGNORECASE)
_CAUSE = re.compile(r"\bas the cause of\b|\bassociated with\b", re.IGNORECASE)


@attrs.frozen
class ResolvedLine:
    """One line of a note: its text, the codes it names, and what looked like a reference but could not be read."""

    text: str
    codes: CodeSet
    references: tuple[str, ...]
    unresolved: tuple[str, ...]

    @property
    def is_prose(self) -> bool:
        """True when the line names no code at all."""
        return not self.references and not self.unresolved


@attrs.frozen
class CodeFirst:
    """How a code-first block is to be taken.

    Mandatory: the underlying condition must precede. Conditional: only if there is one, so its absence says nothing.
    Open: the codes listed are examples. Closed: one of the codes listed must be the one. `reason` says what tells it.
    """

    mandatory: bool
    open: bool
    listed: CodeSet
    reason: str = ""

    @property
    def label(self) -> str:
        """Both words, for tables and messages."""
        return f"{'mandatory' if self.mandatory else 'conditional'}, {'open' if self.open else 'closed'}"


def references_in(text: str, edition: Edition) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the code references in the parentheses of a note line, and those that look like one but cannot be read.

    What stands in parentheses is a reference when it names a category of the edition or a chapter; `(G6PD)`, `(type 1)`
    and `(with C3 glomerulopathy)` are prose.
    """
    if "(" not in text:
        return (), ()
    read: list[str] = []
    unresolved: list[str] = []
    # "(T36-T50) with fifth or sixth character 6": what qualifies the codes stands outside the parentheses.
    text = _QUALIFIED.sub(r"(\1 \2)", text) if "character" in text.lower() else text
    for inner in _INNERMOST.findall(text):
        if _is_reference(inner, edition):
            (unresolved if _codes_of(inner, edition) is None else read).append(inner)
    return tuple(read), tuple(unresolved)


@remembered
def _is_reference(inner: str, edition: Edition) -> bool:
    """Whether a text in parentheses names a category of the edition, or a chapter."""
    return any(map(edition.has_place, _CATEGORY.findall(inner))) or _CHAPTER.search(inner) is not None


@remembered
def _codes_of(reference: str, edition: Edition) -> CodeSet | None:
    """Return the codes of a reference; None where it cannot be read."""
    try:
        return _named_codes(reference, edition)
    except NotationError:
        return None


def _named_codes(reference: str, edition: Edition) -> CodeSet:
    """Return the codes of a reference, also where it needs the edition's own texts to be read."""
    fracture = _OPEN_FRACTURE.fullmatch(reference)
    if fracture:
        codes = parse(fracture["codes"]).resolve(edition)
        return CodeSet.of(i for i in codes if "open fracture" in (edition.titled_code(i)[1]))
    # The intent of a poisoning is always there, so asking for one narrows nothing.
    named = parse(_ANY_INTENT.sub("", reference)).resolve(edition)
    if not named and reference.endswith("0") and edition.is_billable(reference[:-1]):
        # The list names G31.90 where the code has been G31.9 all along.
        return edition.codeset(reference[:-1])
    return named


def read_line(text: str, edition: Edition) -> ResolvedLine:
    """Return a note line with the codes that it names."""
    references, unresolved = references_in(text, edition)
    if not references:
        return ResolvedLine(text, _NO_CODES, (), unresolved)
    named = [(reference, _codes_of(reference, edition) or _NO_CODES) for reference in references]
    if len(named) == 1 and named[0][1]:
        return ResolvedLine(text, named[0][1], references, unresolved)
    dangling = [reference for reference, codes in named if not codes]
    return ResolvedLine(
        text,
        CodeSet.joined(codes for _, codes in named),
        tuple([reference for reference, codes in named if codes]),
        (*unresolved, *dangling),
    )


@remembered
def read_note(note: Note, edition: Edition) -> tuple[ResolvedLine, ...]:
    """Return the lines of a note with the codes that each names."""
    return tuple(read_line(text, edition) for text in note.lines)


def union(lines: tuple[ResolvedLine, ...]) -> CodeSet:
    """Return every code that the lines name."""
    return CodeSet.joined(line.codes for line in lines)


@remembered
def holders(note: Note, edition: Edition) -> CodeSet:
    """Return the billable codes that a note holds for: all below its place, unless the note itself says which.

    The note at T36-T50 speaks "for adverse effects", so it does not reach poisoning and underdosing.
    """
    below = edition.billable_below(note.place)
    if _FOR_ADVERSE.match(note.lines[0].strip(" ,")):
        return below & edition.codeset("T36-T50 with fifth or sixth character 5")
    return below


@remembered
def manifestation_codes(edition: Edition) -> CodeSet:
    """Return the codes of "diseases (or conditions) classified elsewhere", by a title, with a code-first note.

    The title is theirs or one above. Such a code is a manifestation and never first-listed (Guidelines I.A.13). Titles
    that name a cause of such diseases (B95 to B97) are not manifestations, nor are codes without a code-first note
    (M14.6-, under M14).
    """
    noted = CodeSet.joined(edition.billable_below(note.place) for note in edition.all_notes("code_first"))
    candidates = edition.titles.having("classified elsewhere") & ~edition.of_kind("chapter", "section")
    elsewhere = [
        edition.names[index]
        for index in np.flatnonzero(candidates).tolist()
        if _MANIFESTATION.search(title := edition.title_at(index)) and not _CAUSE.search(title)
    ]
    return CodeSet.joined(map(edition.billable_below, elsewhere)) & noted


@remembered
def code_first(note: Note, edition: Edition) -> CodeFirst:
    """Return how a code-first block is to be taken; see `classify`."""
    return classify(note, read_note(note, edition), edition)


def classify(note: Note, lines: tuple[ResolvedLine, ...], edition: Edition) -> CodeFirst:
    """Read a code-first block as coders read it.

    Conditional when its words say so ("if applicable", "if known", "any"), when it lists circumstances that the
    condition may complicate, when it names what may be "associated" and may not, or when another note at the same
    place allows an adverse effect of a drug as the cause instead of the toxic substance asked for. Open when "such as"
    leads the list or no code is named for some alternative.
    """
    listed = union(lines)
    text = " ".join(note.lines)
    alternatives = [line for line in lines if not line.text.rstrip().endswith(":")] or list(lines)
    examples, prose = bool(_OPEN.search(text)), any(line.is_prose for line in alternatives)
    is_open = examples or prose
    condition = _condition(note, text, is_open, listed, edition)
    if examples:
        extent = "gives examples"
    else:
        extent = "names an alternative without a code" if prose else "gives a code for every alternative"
    return CodeFirst(not condition, is_open, listed, f"{condition or 'states no condition'}; {extent}")


def _condition(note: Note, text: str, is_open: bool, listed: CodeSet, edition: Edition) -> str | None:
    """Return why a code-first block is conditional, or None for a mandatory one."""
    reading = bundled_readings().conditional_at(note.place)
    if reading is not None:
        return reading
    conditions = [" ".join(words.lower().split()) for words in _CONDITIONAL.findall(text)]
    if conditions:
        words = next((words for words in conditions if words != "complicating"), None)
        return f'says "{words}"' if words else "lists what it may be complicating"
    if not is_open and _ASSOCIATED.match(note.lines[0].strip(" ,")):
        return "names what may be associated"
    if listed and not listed - edition.codeset("T36-T65"):
        others = edition.notes_reaching(note.place, "use_additional")
        if any(_ADVERSE.search(line) for other in others for line in other.lines):
            return "asks for a poisoning where another note allows an adverse effect"
    return None


@attrs.frozen
class NoteCount:
    """How the note lines of one kind were read."""

    kind: str
    lines: int
    compiled: int
    prose: int
    unresolved: int


def count(edition: Edition) -> tuple[NoteCount, ...]:
    """Return, for each kind of note, how many lines there are and how they were read."""
    counts = []
    for kind in NOTE_KINDS:
        lines = [line for note in edition.all_notes(kind) for line in read_note(note, edition)]
        unresolved = sum(bool(line.unresolved) for line in lines)
        prose = sum(line.is_prose for line in lines)
        counts.append(NoteCount(kind, len(lines), len(lines) - unresolved - prose, prose, unresolved))
    return tuple(counts)


def unresolved(edition: Edition) -> Iterator[tuple[str, str, str]]:
    """Yield (place, kind, reference) for every reference that names no code that could be found."""
    for kind in NOTE_KINDS:
        for note in edition.all_notes(kind):
            for line in read_note(note, edition):
                for reference in line.unresolved:
                    yield note.place, kind, reference


def codes_after(causes: str, edition: Edition) -> CodeSet:
    """Return the codes whose code-first note an injury of these can satisfy: it names one, or it gives examples."""
    named, injuries = edition.codeset(causes), edition.codeset("S00-T88")
    readings = ((note, code_first(note, edition)) for note in edition.all_notes("code_first"))
    held = (holders(note, edition) for note, reading in readings if reading.open or reading.listed & named)
    return CodeSet.joined(held) - injuries
