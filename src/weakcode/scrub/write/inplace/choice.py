"""What writes mended claims: as a code list, or in the format that they came in, by the name of the output."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import attrs

from weakcode.errors import InputError
from weakcode.scrub.read.inputs import PIPE
from weakcode.scrub.read.options import ReadOptions
from weakcode.scrub.read.places import is_address, partitions_of
from weakcode.scrub.write.claims import CLAIMS_EXTENSIONS, claims_writer
from weakcode.scrub.write.fixed import FixedClaims, Mend, MendedWriter
from weakcode.scrub.write.inplace import EXCEL_EXTENSIONS, FHIR_EXTENSIONS, TABLE_EXTENSIONS, X12_EXTENSIONS

_AS_CODE_LIST = (
    "the claims stand there as a code list: what is in object storage is not written again in its own layout; copy the "
    "file to this machine for that"
)


def mended_writer(
    target: Path,
    file: BinaryIO,
    mend: Mend,
    inputs: Sequence[str | os.PathLike[str]],
    options: ReadOptions,
    *,
    raw_csv: bool,
) -> MendedWriter:
    """Return the writer for an output; raises InputError where the inputs cannot be written again."""
    extension = target.suffix.lower()
    if extension in X12_EXTENSIONS:
        from weakcode.scrub.write.inplace.x12 import MendedX12

        return MendedX12(target, file, mend, inputs)
    one = inputs[0] if len(inputs) == 1 and inputs[0] != PIPE else None
    if one is not None:
        # Read again, a claim is to say what the folders of its file say too.
        options = attrs.evolve(options, constants=partitions_of(one))
    if extension in FHIR_EXTENSIONS or (extension == ".ndjson" and one is not None and _is_fhir(one)):
        from weakcode.scrub.write.inplace.fhir import MendedFhir

        return MendedFhir(target, file, mend, inputs)
    if extension in EXCEL_EXTENSIONS:
        from weakcode.scrub.read.archives import is_workbook
        from weakcode.scrub.write.inplace.excel import MendedExcel

        if one is None or not is_workbook(one):
            raise InputError(
                f"{target.name} is to be the input again with its claims mended, for which that has to be one Excel "
                "workbook; give one, or write the mended claims to .csv, .jsonl or .parquet"
            )
        return MendedExcel(target, file, mend, one, options)
    if extension in TABLE_EXTENSIONS and one is not None and _is_text_table(one, options):
        from weakcode.scrub.write.inplace.csv import MendedCsv

        return MendedCsv(target, file, mend, one, options)
    if extension in CLAIMS_EXTENSIONS:
        is_far = one is not None and is_address(one) and extension in TABLE_EXTENSIONS
        return FixedClaims(claims_writer(target, file, raw_csv=raw_csv), mend, _AS_CODE_LIST if is_far else "")
    raise InputError(
        f"{target.name} is to be the input again with its claims mended, for which that has to be one text table in "
        "UTF-8; give one, or write the mended claims to .csv, .jsonl or .parquet"
    )


def _is_text_table(path: str | os.PathLike[str], options: ReadOptions) -> bool:
    from weakcode.scrub.read.files import is_text_table

    return is_text_table(path, options)


def _is_fhir(path: str | os.PathLike[str]) -> bool:
    """Tell whether a path holds one file of FHIR resources."""
    from weakcode.scrub.read.archives import members_of
    from weakcode.scrub.read.inputs import Stream, looks_like_fhir

    if isinstance(path, Stream) or not Path(path).is_file():
        return False
    try:
        members = members_of(path)
    except InputError:
        return False
    if len(members) != 1:
        return False
    with members[0].open() as file:
        return looks_like_fhir(file.peek(4096) if hasattr(file, "peek") else b"", "")
