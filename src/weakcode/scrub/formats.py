"""The formats of files of claims, each declared once: what it is called, its extensions and its reader.

What a file is, its content tells first: how it begins, as far as that is declared here, or what
`weakcode.scrub.read.files` sees in it. Extensions say which files of a folder are read, what the service keeps of a
name, and what a file is whose content leaves it open.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import attrs


@attrs.frozen
class Format:
    """A format of files of claims.

    `title` is what users call it. `reader` is `module:class`; the class is called with an open file, its name and
    `ReadOptions`, or, where the format `needs_path`, with the path of the file and the options. It gives rows, and
    with a method `batches` columns. `is_table` says that it has named columns, which --map can name. A file is of the
    format whose `begins` matches its first bytes, and of one with `by_name` where its name has one of the extensions.
    """

    name: str
    title: str
    extensions: tuple[str, ...]
    reader: str
    is_table: bool = False
    needs_path: bool = False
    begins: re.Pattern[bytes] | None = None
    by_name: bool = False

    def is_begun(self, start: bytes) -> bool:
        """Tell whether the first bytes of a file show that it is of this format."""
        return self.begins is not None and self.begins.match(start.removeprefix(b"\xef\xbb\xbf")) is not None

    def open(self, *arguments: Any) -> Any:
        """Return its reader over a file. The module is imported here: a run imports the readers of its own formats."""
        module, _, name = self.reader.partition(":")
        return getattr(import_module(module), name)(*arguments)


_READERS = "weakcode.scrub.read"
FORMATS = {
    one.name: one
    for one in (
        Format(
            "csv",
            "CSV and other text tables",
            (".csv", ".tsv", ".psv", ".txt", ".tab", ".dat"),
            f"{_READERS}.csv.file:CsvSource",
            is_table=True,
        ),
        Format(
            "excel",
            "Excel workbooks",
            (".xlsx", ".xlsm", ".xls"),
            f"{_READERS}.excel.source:ExcelSource",
            is_table=True,
            needs_path=True,
        ),
        Format(
            "arrow",
            "Parquet, Arrow and Feather",
            (".parquet", ".pq", ".arrow", ".arrows", ".feather", ".ipc"),
            f"{_READERS}.arrow.file:ArrowSource",
            is_table=True,
            needs_path=True,
            begins=re.compile(rb"PAR1|ARROW1|\xff\xff\xff\xff"),
        ),
        Format("jsonl", "JSON Lines", (".jsonl", ".ndjson"), f"{_READERS}.jsonl.file:JsonlSource"),
        Format("json", "lists in JSON", (".json",), f"{_READERS}.jsonl.listed:JsonListSource"),
        Format(
            "x12",
            "X12 837",
            (".837", ".837p", ".837i", ".837d", ".x12", ".edi"),
            f"{_READERS}.x12.source:X12Source",
            begins=re.compile(rb"\s*(?:ISA[^A-Za-z0-9]|(?:GS|ST)([^A-Za-z0-9\s])(?:HC|837)\1)"),
            by_name=True,
        ),
        Format("fhir", "FHIR", (".json", ".ndjson"), f"{_READERS}.fhir:FhirSource"),
    )
}
"""The formats by their names, in the order in which messages and docs list them."""
PACKED = (".gz", ".xz")
"""Extensions of one packed file; the one before it is that of the format."""
ARCHIVES = (".zip",)
EXTENSIONS = tuple(dict.fromkeys(extension for one in FORMATS.values() for extension in one.extensions))
"""The extensions of all formats, plain."""
TITLES = (
    f"{', '.join(one.title for one in list(FORMATS.values())[:-1])} and {list(FORMATS.values())[-1].title}, plain or "
    "packed with gzip, xz or zip"
)
"""What is read, as users call it."""
READ = f"weakcode reads {TITLES}"
"""What is read, as a sentence of a message."""
_KNOWN = re.compile(f"(?:{'|'.join(map(re.escape, (*EXTENSIONS, *PACKED, *ARCHIVES)))})+$")


def known_extensions(name: str) -> str:
    """Return the extensions that a name ends in, in small letters: `.csv.gz` of `May.CSV.gz`, else nothing."""
    found = _KNOWN.search(name.lower())
    return found[0] if found else ""
