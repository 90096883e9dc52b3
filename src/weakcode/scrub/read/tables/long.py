"""Tables of which each row is one diagnosis: the rows of an id, wherever they stand, are one claim.

They are grouped by DuckDB, which has a limit of memory and writes what goes beyond it into temporary files.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from weakcode.errors import InputError
from weakcode.scrub.columns.arrow import filled, listed, numbers
from weakcode.scrub.columns.claims import RICH
from weakcode.scrub.read.batch import ClaimBatch, Located, RefusedRow, first_positions, no_place, row_of
from weakcode.scrub.read.rows import Record, Rejected
from weakcode.scrub.read.tables.around import PASSED_OVER, is_trailer
from weakcode.scrub.read.tables.cells import BETWEEN, icd9_of, is_code, parts_of
from weakcode.scrub.read.tables.columns import as_cells, joined
from weakcode.scrub.read.tables.header import Header
from weakcode.scrub.read.tables.names import squeezed
from weakcode.scrub.read.tables.rows import poa_of
from weakcode.scrub.read.tables.tidy import Tidy

BATCH_CLAIMS = 65_536
MEMORY = "1GB"
TEMPORARY = "50GB"
_PRINCIPAL = frozenset({"p", "principal", "primary", "pdx", "main"})
_SECONDARY = frozenset({"s", "secondary", "other", "o", "sdx"})
# Ranks of words: no number that a table counts by.
_FIRST, _SECOND, _LAST = -0.5, 1e9 - 1, 1e9
_PRINCIPALS = (
    f", CASE WHEN bool_or(code IS NOT NULL AND rank = {_FIRST}) THEN count(DISTINCT code) FILTER (rank = {_FIRST}) "
    f"WHEN bool_and(code IS NULL OR coalesce(rank = {_SECOND}, false)) THEN 0 END AS principals"
)
"""How many codes of a claim the words in the place of a sequence name as principal, null where they do not tell."""
_TEN = frozenset({"", "10", "0", "d10", "10d", "dx", "diagnosis", "diag", "d", "abk", "abf"})
_NINE = frozenset({"9", "09", "d9", "d09", "bk", "bf"})


class LongClaims:
    """Takes the rows of a table as columns, and gives claims when all were taken."""

    def __init__(self, tidy: Tidy, name: str) -> None:
        self._tidy, self._name = tidy, name
        self._about = [*dict.fromkeys(field for field, _ in tidy.header.about)]
        self._opened = ExitStack()
        self._connection: Any = None

    def __enter__(self) -> LongClaims:
        import duckdb

        folder = self._opened.enter_context(tempfile.TemporaryDirectory(prefix="weakcode-"))
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": MEMORY,
            "temp_directory": folder,
            "max_temp_directory_size": TEMPORARY,
            "preserve_insertion_order": False,
            "threads": 1,
        }
        self._connection = self._opened.enter_context(closing(duckdb.connect(":memory:", config=settings)))
        about = "".join(f", {field} VARCHAR" for field in self._about)
        self._connection.execute(
            "CREATE TABLE diagnoses "
            f"(line BIGINT, place INTEGER, id VARCHAR, code VARCHAR, poa VARCHAR, rank DOUBLE{about})"
        )
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.close()

    def add(self, columns: Mapping[int, pa.Array], lines: NDArray[np.int64]) -> None:
        """Take rows as the columns that the header knows, by position, with the line of each."""
        header = self._tidy.header
        assert header.claim_id is not None
        assert header.code is not None
        ids, codes = _text(columns[header.claim_id]), self._codes(columns)
        around = self._around(columns, codes)
        about: dict[str, pa.Array] = {}
        for name, at in header.about:
            column = self._plain(columns, at, len(lines))
            about[name] = joined(about[name], column) if name in about else column
        rows = pa.RecordBatch.from_pydict(
            {
                "line": numbers(lines),
                "place": numbers(np.zeros(len(lines), np.int32)),
                "id": ids,
                "code": codes,
                "poa": self._indicators(columns, len(lines)),
                "rank": self._ranks(columns, len(lines)),
                **about,
            }
        )
        if around:
            self._tidy.log.count(PASSED_OVER, len(around))
            rows = rows.take(numbers(np.delete(np.arange(len(lines)), around)))
        if pc.any(pc.match_substring(codes, BETWEEN)).as_py():
            rows = _parted(rows)
        with _input_errors(self._name):
            self._connection.register("rows_given", rows)
            self._connection.execute("INSERT INTO diagnoses SELECT * FROM rows_given")
            self._connection.unregister("rows_given")

    def add_cells(self, rows: Sequence[Sequence[str]], lines: Sequence[int]) -> None:
        """Take rows as cells of text, all under the header, with the line of each."""
        columns = {at: pa.array([cells[at] for cells in rows], pa.string()) for at in self._tidy.header.known}
        self.add(columns, np.array(lines, np.int64))

    def _around(self, columns: Mapping[int, pa.Array], codes: pa.Array) -> list[int]:
        """Return the rows that are no diagnoses: lines of totals and counts, and rows of nothing."""
        read = codes.dictionary_encode()
        has_code = np.array([is_code(parts_of(text)[0]) for text in listed(read.dictionary)] + [False], np.bool_)
        without_code = np.flatnonzero(~has_code[filled(read.indices, -1)])
        if not len(without_code):
            return []
        known = [_text(columns[at].take(numbers(without_code))).to_pylist() for at in self._tidy.header.known]
        return [
            row
            for row, *cells in zip(without_code.tolist(), *known, strict=True)
            if is_trailer([one or "" for one in cells])
        ]

    def _plain(self, columns: Mapping[int, pa.Array], position: int | None, rows: int) -> pa.Array:
        if position is None:
            return pa.nulls(rows, pa.string())
        return self._tidy.column(position, _text(columns[position])).cast(pa.string())

    def _indicators(self, columns: Mapping[int, pa.Array], rows: int) -> pa.Array:
        header = self._tidy.header
        if not header.poa or header.poa[0] is None:
            return pa.nulls(rows, pa.string())
        column = self._tidy.column(header.poa[0], _text(columns[header.poa[0]]))
        known = pa.array([one and poa_of(one) for one in listed(column.dictionary)], pa.string())
        return pa.DictionaryArray.from_arrays(column.indices, known).cast(pa.string())

    def _codes(self, columns: Mapping[int, pa.Array]) -> pa.Array:
        """Return the codes; null where the row is of another code type."""
        header = self._tidy.header
        assert header.code is not None
        read = self._tidy.column(header.code, _text(columns[header.code]))
        codes = read.cast(pa.string())
        if header.icd9:
            return pa.array([one and icd9_of(one) for one in codes.to_pylist()], pa.string())
        if header.codetype is None:
            return codes
        if header.codetype == header.code:
            # A prefix of the code says what it is.
            said = _text(columns[header.code]).dictionary_encode()
        else:
            said = self._tidy.column(header.codetype, _text(columns[header.codetype]))
        kinds = np.array([_kind(one or "", header) for one in listed(said.dictionary)] + [10], np.int8)
        kind = kinds[filled(said.indices.cast(pa.int32()), -1)]
        if (kind == 9).any():
            old = pa.array([one and icd9_of(one) for one in listed(read.dictionary)], pa.string())
            nine = pa.DictionaryArray.from_arrays(read.indices, old).cast(pa.string())
            codes = pc.if_else(pa.array(kind == 9), nine, codes)
        self._tidy.log.count("other code types", int((kind == 0).sum()))
        return pc.if_else(pa.array(kind == 0), pa.scalar(None, pa.string()), codes)

    def _ranks(self, columns: Mapping[int, pa.Array], rows: int) -> pa.Array:
        at = self._tidy.header.sequence
        if at is None:
            return pa.nulls(rows, pa.float64())
        column = self._tidy.column(at, _text(columns[at]))
        ranks = pa.array([rank_of(one) for one in listed(column.dictionary)], pa.float64())
        return pa.DictionaryArray.from_arrays(column.indices, ranks).cast(pa.float64())

    @property
    def _principals(self) -> str:
        """What tells the principal diagnoses of a claim, where no column counts them."""
        return "" if self._tidy.header.sequence is None or "principals" in self._about else _PRINCIPALS

    def batches(self) -> Iterator[LongBatch]:
        """Give the claims, in the order of their first rows."""
        header = self._tidy.header
        order = "ORDER BY rank NULLS LAST, line, place"
        code = "{'code': code, 'text': NULL::VARCHAR, 'poa': poa}" if header.poa else "code"
        about = "".join(f", arg_min({name}, line) AS {name}" for name in self._about)
        differ = " OR ".join(f"min({name}) <> max({name})" for name in self._about) or "false"
        named = self._principals
        with _input_errors(self._name):
            reader = self._connection.sql(
                f"SELECT id AS claim_id, list({code} {order}) FILTER (code IS NOT NULL) AS codes{about}{named}, "  # noqa: S608
                f"list(line {order}) FILTER (code IS NOT NULL) AS lines_of_codes, min(line) AS first_line, "
                f"coalesce({differ}, false) AS differ FROM diagnoses "
                "GROUP BY id, CASE WHEN id IS NULL THEN line END ORDER BY first_line"
            )
            # DuckDB renamed it.
            read = reader.to_arrow_reader if hasattr(reader, "to_arrow_reader") else reader.fetch_arrow_reader
            for batch in read(BATCH_CLAIMS):
                for name, text in self._tidy.forms.constants.items():
                    if name not in batch.schema.names:
                        batch = batch.append_column(name, pa.array([text] * batch.num_rows, pa.string()))
                self._tidy.log.count("rows that disagree", pc.sum(batch["differ"]).as_py() or 0)
                yield _claims(batch, self._name, rich=bool(header.poa))


def _claims(batch: pa.RecordBatch, name: str, *, rich: bool) -> LongBatch:
    places = batch["lines_of_codes"]
    first = filled(batch["first_line"], 0).astype(np.int64)
    claims = batch.drop_columns(["lines_of_codes", "first_line", "differ"])
    if rich:
        at = claims.schema.get_field_index("codes")
        claims = claims.set_column(at, "codes", claims.column(at).cast(RICH))
    return LongBatch(name, claims, first, places)


@attrs.frozen(eq=False)
class LongBatch(ClaimBatch):
    """Claims of several rows each. `first` is the line of the first row of each, `places` the lines of its codes."""

    name: str
    batch: pa.RecordBatch
    first: NDArray[np.int64]
    places: pa.ListArray

    @property
    def rejected(self) -> Sequence[tuple[int, Rejected]]:
        """Nothing: what is wrong with a claim shows where its columns are looked at."""
        return ()

    def rows(self) -> Iterator[Record | Rejected]:
        """Give the claims one by one."""
        for row, values in enumerate(self.batch.to_pylist()):
            yield self._row(row, values)

    def _row(self, row: int, values: dict[str, Any]) -> Record | Rejected:
        found = row_of(values, self.name, int(self.first[row]))
        if isinstance(found, Rejected):
            return found
        return attrs.evolve(found, lines=tuple(self.places[row].as_py() or ()))

    def reread(self, refused: RefusedRow) -> Sequence[Record | Rejected]:
        """Return what the reader of single claims says of a claim."""
        (values,) = self.batch.slice(refused.row, 1).to_pylist()
        return [self._row(refused.row, values)]

    def located(self, rows: NDArray[np.int32], positions: pa.ListArray) -> Located:
        """Return the line of the first of the codes of each finding, or of the claim."""
        at = first_positions(positions)
        bounds = filled(self.places.offsets, 0)
        flat = filled(self.places.values, 0)
        lines = self.first[rows]
        some = at > 0
        lines[some] = flat[bounds[rows[some]] + at[some] - 1]
        return lines.astype(np.int64), no_place(len(rows))


def _text(column: pa.Array) -> pa.Array:
    """Return a column as text; empty text is null."""
    cells = as_cells(column)
    if cells is None:
        kind = column.type
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            column = column.cast(pa.date32(), safe=False)
        cells = column.cast(pa.string())
    if pa.types.is_dictionary(cells.type):
        values = pc.if_else(
            pc.equal(cells.dictionary, ""), pa.scalar(None, pa.string()), cells.dictionary.cast(pa.string())
        )
        return pa.DictionaryArray.from_arrays(cells.indices, values).cast(pa.string())
    cells = cells.cast(pa.string())
    return pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.string()), cells)


def _parted(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Return the rows with those of several codes as so many, which their place in the cell tells."""
    parts = [[None] if text is None else parts_of(text) for text in rows["code"].to_pylist()]
    many = np.array(list(map(len, parts)), np.int64)
    rows_taken = rows.take(pa.array(np.repeat(np.arange(len(parts)), many)))
    place = np.concatenate([np.arange(count, dtype=np.int32) for count in many.tolist()])
    codes = pa.array([code for one in parts for code in one], pa.string())
    rows_taken = rows_taken.set_column(rows_taken.schema.get_field_index("place"), "place", numbers(place))
    return rows_taken.set_column(rows_taken.schema.get_field_index("code"), "code", codes)


def _kind(text: str, header: Header) -> int:
    """Return 10 for a diagnosis of ICD-10-CM, 9 for one of ICD-9-CM, 0 for anything else."""
    kind = squeezed(text)
    if "pcs" in kind or "proc" in kind:
        return 0
    if kind in _NINE or "icd9" in kind or (header.layout and kind in header.nines):
        return 9
    return 10 if kind in _TEN or "icd10" in kind else 0


def rank_of(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        word = squeezed(text)
        return _FIRST if word in _PRINCIPAL else _SECOND if word in _SECONDARY else _LAST


@contextmanager
def _input_errors(name: str) -> Iterator[None]:
    """Turn what DuckDB says while rows are grouped into one sentence, without a value of any row."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        raise InputError(
            f"{name}: its rows cannot be grouped into claims ({type(error).__name__}); they may take "
            f"{MEMORY} of memory and {TEMPORARY} of temporary files"
        ) from None
