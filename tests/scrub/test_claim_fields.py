"""What claims say of payer, provider and service lines, through files."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import attrs
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from pyarrow import csv

from weakcode import Claim, ServiceLine, Validator, read_claims
from weakcode.cli import main
from weakcode.errors import InputError
from weakcode.fields import FIELDS
from weakcode.scrub.read.tables.mapping import parse_mapping
from weakcode.scrub.run import scrub


@pytest.mark.parametrize("extension", ["jsonl", "parquet"])
@pytest.mark.parametrize(
    "wrong", [{"charge": "a lot"}, {"units": math.inf}, {"modifiers": ["25"], "start": "2026-02-30"}, {"place": True}]
)
def test_a_line_with_a_value_that_cannot_be_rejects_its_claim_from_every_format(
    tmp_path: Path, wrong: dict[str, Any], extension: str
) -> None:
    sound = {name: None if name != "modifiers" else ["59"] for name in wrong}
    claims = [
        {"claim_id": "good", "codes": ["M62.81"], "lines": [{"pointers": [1], **sound}]},
        {"claim_id": "bad", "codes": ["M62.81"], "lines": [{"pointers": [1], **wrong}]},
    ]
    validator = Validator(packs=["weakness"]).in_bulk()
    path, out = tmp_path / f"claims.{extension}", tmp_path / "findings.jsonl"
    if extension == "jsonl":
        path.write_text("".join(json.dumps(claim) + "\n" for claim in claims))
    else:
        pq.write_table(pa.Table.from_pylist(claims), path)
    summary = scrub([path], validator, columns=validator.columns(), output=out, rejects=tmp_path / "rejects.csv")
    assert (summary.evaluated, summary.rejected) == (1, 1)
    assert "bad" in (tmp_path / "rejects.csv").read_text()


def test_mended_claims_keep_all_that_is_known_of_payer_provider_and_lines(tmp_path: Path) -> None:
    validator = Validator(packs=["weakness"]).in_bulk()
    claim = Claim(
        ["M62.84", "I10"], "A", payer_id=["00435", "MCR01"], plan="MB", bill_type="131", frequency="7", place="11",
        provider="1234567893", provider_taxonomy="207Q00000X", rendering_provider="1999999992", state="CA",
        rendering_taxonomy="225100000X", pcs=["0SRC0J9", "5A1935Z"], discharge_status="20",
        lines=[ServiceLine(1, (1,), "97110", modifiers=["GP", "59"], units=2, charge=125.5, place="12", revenue="0420",
                           rendering_provider="1999999984", rendering_taxonomy="224Z00000X",
                           start="2026-05-01", end="2026-05-02")],
    )  # fmt: skip
    path = tmp_path / "claims.jsonl"
    path.write_text(json.dumps(claim.to_dict()) + "\n")
    for name in ("mended.jsonl", "mended.parquet", "mended.csv"):
        scrub([path], validator, columns=validator.columns(), fixed=tmp_path / name, mend=lambda claim: claim)
        lines = () if name.endswith("csv") else claim.lines
        assert list(read_claims(tmp_path / name)) == [attrs.evolve(claim, lines=lines)]


@pytest.mark.parametrize("options", [(), ("--map", "id=NR,codes=DX,payer_id=PAYER,place=POS,provider=NPI,state=ST")])
def test_columns_of_a_table_become_fields_of_the_claim(tmp_path: Path, options: tuple[str, ...]) -> None:
    header = "NR,DX,PAYER,POS,NPI,ST" if options else "claim_id,codes,payer_id,place,provider,state"
    path = tmp_path / "claims.csv"
    path.write_text(f"{header}\nA,M62.81,00435 MCR01,2,1234567893,ca\n")
    mapping = parse_mapping(options[1:]) if options else None
    (claim,) = read_claims(path, mapping)
    assert (claim.payer_id, claim.place) == (("00435", "MCR01"), "02")
    assert (claim.provider, claim.state) == ("1234567893", "CA")


def test_the_command_line_takes_every_field_of_a_claim() -> None:
    shown = CliRunner().invoke(main, ["check", "--help"]).output
    assert [field.option for field in FIELDS if field.option not in shown] == []
    said = ["--payer-id", "00435", "--payer-id", "MCR01", "--plan", "MB", "--place", "11", "--state", "CA"]
    assert CliRunner().invoke(main, ["check", "M62.81", "--only", "weakness", *said]).exit_code == 0


@pytest.mark.parametrize("form", ["csv", "parquet", "rows of diagnoses", "rif"])
def test_procedures_of_a_stay_may_have_a_column_each(tmp_path: Path, form: str) -> None:
    path, mapping = tmp_path / "t.csv", {"id": "NR", "codes": "D*", "pcs": "P*", "discharge": "OUT"}
    path.write_text("NR,D1,D2,P1,P2,P3,P4,OUT\nA,M17.11,I10,0src0j9,,5A1935Z,,2\nB,I10,,,,,,\n")
    wanted = [("A", ("0SRC0J9", "5A1935Z"), "02"), ("B", (), None)]
    if form == "parquet":
        table = csv.read_csv(path)
        path = tmp_path / "t.parquet"
        pq.write_table(table, path)
    elif form == "rows of diagnoses":
        path.write_text("NR,D,N,P1,P2,OUT\nA,M17.11,1,0SRC0J9,5A1935Z,2\nA,I10,2,0SRC0J9,5A1935Z,2\nB,I10,1,,,\n")
        mapping = {"id": "NR", "code": "D", "sequence": "N", "pcs": "P*", "discharge": "OUT"}
    elif form == "rif":
        head = "CLM_ID|NCH_CLM_TYPE_CD|ICD_DGNS_CD1|ICD_PRCDR_CD1|ICD_PRCDR_CD2|PTNT_DSCHRG_STUS_CD"
        path.write_text(f"{head}\nA|60|M1711|0SRC0J9|5A1935Z|2\nB|60|I10|||\n")
        mapping = None
    claims = list(read_claims(path, mapping))
    assert [(one.id, one.pcs, one.discharge_status) for one in claims] == wanted


def test_a_field_with_one_value_has_one_column(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("NR,D1,S1,S2\nA,I10,CA,NV\n")
    with pytest.raises(InputError, match=r"S\* is 2 columns; state is one"):
        list(read_claims(path, {"id": "NR", "codes": "D*", "state": "S*"}))
