"""Mended claims in their own FHIR: sequences, pointers and the principal's type move, and no other byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weakcode import Claim, InputError, Validator, read_claims
from weakcode.scrub.read.fhir.resource import KnownResources, read_resource
from weakcode.scrub.run import scrub
from weakcode.scrub.write.inplace.fhirclaim import rewrite

SYSTEM = "http://hl7.org/fhir/sid/icd-10-cm"
VALIDATOR = Validator(packs=["icd10cm"]).in_bulk()


def entry(sequence: int, code: str, kind: str = "", poa: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {
        "sequence": sequence,
        "diagnosisCodeableConcept": {"coding": [{"system": SYSTEM, "code": code}]},
    }
    if kind:
        found["type"] = [{"coding": [{"code": kind}]}]
    if poa:
        found["onAdmission"] = {"coding": [{"code": poa}]}
    return found


def resource(name: str, diagnosis: list[dict[str, Any]], *pointers: list[int]) -> dict[str, Any]:
    items = [{"sequence": at, "diagnosisSequence": to} for at, to in enumerate(pointers, start=1)]
    return {"resourceType": "Claim", "id": name, "diagnosis": diagnosis, "item": items, "note": "é"}


def mended(path: Path, out: Path) -> int:
    return scrub(
        [path], VALIDATOR, columns=VALIDATOR.columns(), fixed=out, mend=lambda one: VALIDATOR.fix(one).claim
    ).fixed


GASTROPARESIS = [entry(1, "K31.84", "principal"), entry(2, "I10"), entry(3, "E11.43", poa="Y")]


def test_sequences_pointers_and_the_principals_type_move_and_no_other_byte(tmp_path: Path) -> None:
    path, out = tmp_path / "in.json", tmp_path / "out.json"
    path.write_text(json.dumps(resource("A", GASTROPARESIS, [1, 3], [2]), ensure_ascii=False), "utf-8")
    (before,) = read_claims(path)
    assert mended(path, out) == 1
    (after,) = read_claims(out)
    assert after == VALIDATOR.fix(before).claim
    assert after.codes == ("E11.43", "K31.84", "I10")
    assert [line.pointers for line in after.lines] == [(2, 1), (3,)]
    kept = json.loads(out.read_text("utf-8"))
    assert [one["diagnosisCodeableConcept"] for one in kept["diagnosis"]] == [
        one["diagnosisCodeableConcept"] for one in GASTROPARESIS
    ]
    assert {name: value for name, value in kept.items() if name not in ("diagnosis", "item")} == {
        "resourceType": "Claim",
        "id": "A",
        "note": "é",
    }


def test_the_claims_of_a_bundle_and_lines_of_ndjson_are_mended_where_they_stand(tmp_path: Path) -> None:
    sound = resource("OK", [entry(1, "I10")], [1])
    wrong = [resource(name, GASTROPARESIS, [1], [3]) for name in ("A", "B")]
    bundle = {"resourceType": "Bundle", "entry": [{"fullUrl": "é", "resource": one} for one in (sound, *wrong)]}
    whole = [bundle]
    texts = {
        "bundle.json": json.dumps(bundle, indent=3, ensure_ascii=False),
        "whole.json": json.dumps(whole),
        "list.json": json.dumps([sound, *wrong]),
        "lines.json": "".join(json.dumps(one) + "\r\n" for one in (wrong[0], sound, wrong[1])),
    }
    for name, text in texts.items():
        path, out = tmp_path / name, tmp_path / f"out-{name}"
        path.write_bytes(text.encode())
        claims = list(read_claims(path))
        assert mended(path, out) == 2
        assert list(read_claims(out)) == [VALIDATOR.fix(one).claim for one in claims]
        # Order of members, blanks and line ends are as they were: every changed part is a number or a type.
        assert len(out.read_text().splitlines()) == len(text.splitlines())


def test_a_repeat_that_is_dropped_takes_its_entry_along(tmp_path: Path) -> None:
    path, out = tmp_path / "in.json", tmp_path / "out.json"
    path.write_text(json.dumps(resource("A", [entry(1, "I10"), entry(2, "E11.9"), entry(3, "I10")], [3, 2])))
    (before,) = read_claims(path)
    everything = Validator().in_bulk()
    scrub([path], everything, columns=everything.columns(), fixed=out, mend=lambda one: everything.fix(one).claim)
    (after,) = read_claims(out)
    assert after == everything.fix(before).claim
    assert after.codes == ("I10", "E11.9")


def test_a_file_without_anything_to_mend_is_copied_byte_for_byte(tmp_path: Path) -> None:
    path, out = tmp_path / "in.json", tmp_path / "out.json"
    path.write_bytes(
        json.dumps(resource("A", [entry(7, "I10")]), indent=1).replace("\n", "\r\n").encode() + b"\n {broken"
    )
    assert mended(path, out) == 0
    assert out.read_bytes() == path.read_bytes()


def test_what_is_not_fhir_is_reported_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "claims.csv"
    path.write_text("claim_id,codes\nA,I10\n")
    with pytest.raises(InputError, match="is not a file of FHIR resources"):
        scrub([path], VALIDATOR, columns=VALIDATOR.columns(), fixed=tmp_path / "out.json", mend=lambda one: one)


@settings(deadline=None)
@given(data=st.data())
def test_a_resource_in_any_order_reads_as_it_was_mended(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 5))
    codes = data.draw(st.lists(st.sampled_from(["I10", "E11.9", "M62.84", "R54"]), min_size=size, max_size=size))
    sequences = data.draw(st.permutations(range(1, 9)))[:size]
    kinds = data.draw(st.lists(st.sampled_from(["", "principal", "admitting", "other"]), min_size=size, max_size=size))
    given_ = [entry(sequence, code, kind) for sequence, code, kind in zip(sequences, codes, kinds, strict=True)]
    value = resource("A", given_, *data.draw(st.lists(st.lists(st.integers(1, 9), max_size=3), max_size=3)))
    text = json.dumps(value, indent=data.draw(st.sampled_from([None, 2])))
    if all(kind == "admitting" for kind in kinds):
        return
    read = read_resource(json.loads(text), KnownResources())
    claim = read.claim
    order = data.draw(st.permutations(range(len(claim.diagnoses))))
    moved = {old + 1: new for new, old in enumerate(order, start=1)}
    other: Claim = attrs.evolve(
        claim,
        codes=[claim.diagnoses[at] for at in order],
        lines=[attrs.evolve(line, pointers=tuple(moved.get(to, to) for to in line.pointers)) for line in claim.lines],
    )
    written = rewrite(text, (), claim, read.indexes, other)
    if written is None:
        # Two that are called principal, or a code once more behind the principal: it would be read as another claim.
        assert "principal" in kinds
        assert kinds.count("principal") > 1 or len(set(codes)) < len(codes)
        return
    assert read_resource(json.loads(written), KnownResources()).claim == other


def test_a_claim_of_which_fewer_codes_would_be_named_as_principal_stays_as_it_was() -> None:
    listed = [("I10", ""), ("I10", "admitting"), ("E11.9", "principal"), ("I10", "principal")]
    given_ = [entry(sequence, code, kind) for sequence, (code, kind) in enumerate(listed, start=1)]
    text = json.dumps(resource("A", given_))
    read = read_resource(json.loads(text), KnownResources())
    first, second, *others = read.claim.diagnoses
    assert (first.code, second.code, read.claim.principals) == ("E11.9", "I10", 2)
    other = attrs.evolve(read.claim, codes=[second, first, *others])
    assert rewrite(text, (), read.claim, read.indexes, other) is None
