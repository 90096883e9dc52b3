"""The native reader of FHIR lines has one outcome with the reader in Python, on every file."""

from __future__ import annotations

import copy
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scrub.fhir_agreement import outcome

from weakcode.errors import InputError
from weakcode.scrub.read.fhir import FhirSource, _claims
from weakcode.scrub.read.fhir.batch import FhirBatch
from weakcode.scrub.read.fhir.lines import Resources
from weakcode.scrub.read.fhir.references import References
from weakcode.scrub.read.fhir.stream import Elements
from weakcode.scrub.read.options import ReadOptions

ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
NPI = "http://hl7.org/fhir/sid/us-npi"


def concept(code: Any, system: Any = "urn:x") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def resource(number: int, dice: random.Random) -> dict[str, Any]:
    """Return a resource as payers write them: full of what claims have, and of what nobody asks for."""
    many = dice.randrange(1, 6)
    diagnoses = [
        {
            "sequence": place,
            "diagnosisCodeableConcept": concept(dice.choice(["M62.84", "I10", "e119", "G72.9", "Z99.9x"]), ICD10),
            "type": [concept(dice.choice(["principal", "Secondary", "admitting", "other"]))],
        }
        for place in range(1, many + 1)
    ]
    if dice.random() < 0.3:
        diagnoses[-1]["onAdmission"] = concept(dice.choice("YNUWyn1x"))
    items = [
        {
            "sequence": place,
            "diagnosisSequence": [dice.randrange(1, many + 2) for _ in range(dice.randrange(3))],
            "productOrService": concept("99213"),
            "modifier": [concept("25"), concept("59")],
            "servicedPeriod": {"start": "2026-05-02", "end": "2026-05-03"},
            "locationCodeableConcept": concept("11"),
            "revenue": concept("0450"),
            "quantity": {"value": 2},
            "adjudication": [{"category": concept("Submitted"), "amount": {"value": 120.5}}],
            "locationAddress": {"state": dice.choice(["TX", "CA"])},
        }
        for place in range(1, dice.randrange(4))
    ]
    return {
        "resourceType": dice.choice(["Claim", "ExplanationOfBenefit"]),
        "id": f"E{number}",
        "meta": {"lastUpdated": "2026-06-01T04:00:00Z"},
        "type": {
            "coding": [{"code": "71"}, {"code": dice.choice(["professional", "inpatient", "CARRIER", "hospice"])}]
        },
        "patient": {"reference": f"Patient/{number % 3}"},
        "billablePeriod": {"start": "2026-05-01", "end": "2026-05-04T10:00:00Z"},
        "insurer": {"display": "ACME", "identifier": {"value": dice.choice(["00435", "A, B"])}},
        "provider": {"identifier": [{"system": NPI, "value": "1234567893"}]},
        "careTeam": [
            {
                "role": concept("performing"),
                "provider": {"identifier": {"system": dice.choice([NPI, "tax"]), "value": "1992903371"}},
                "qualification": {
                    "coding": [
                        {"system": "s", "code": "41"},
                        {"system": "http://nucc.org/provider-taxonomy", "code": "207Q00000X"},
                    ]
                },
            },
            {
                "role": concept("rendering"),
                "qualification": {"coding": [{"system": dice.choice(["provider-taxonomy", "s"]), "code": "1 "}]},
            },
        ],
        "insurance": [{"focal": True, "coverage": {"display": "MEDICARE"}}],
        "supportingInfo": [
            {"category": concept("typeofbill"), "code": concept(dice.choice(["131", "1", "13", "117", "8"]))},
            {"category": concept("discharge-status"), "code": concept(dice.choice(["1", "20", " "]))},
        ],
        **dice.choice(
            [
                *[{}] * 9,
                {
                    "procedure": [
                        {
                            "sequence": 2,
                            "procedureCodeableConcept": {"coding": [{"system": "x/sid/icd-10-pcs", "code": "0SRC0J9"}]},
                        },
                        {
                            "sequence": 1,
                            "procedureCodeableConcept": {"coding": [{"system": "x/sid/icd-10", "code": "5A1935Z"}]},
                        },
                    ]
                },
            ]
        ),
        **dice.choice([*[{}] * 9, {"related": [{"relationship": concept("prior"), "reference": {"value": "ICN1"}}]}]),
        "diagnosis": diagnoses,
        "item": items,
    }


ODD = [
    None, True, False, 0, -1, 3, 1e300, 2.5, 10**18, 10**20, "", " ", "x", "é", "\\u00e9", "principal", "2026-02-30",
    "2026-05-0a", "20260501", "2026-05-01T", "#p", [], {}, [1], [{}], {"coding": []}, {"coding": [{"code": " I10 "}]},
    {"reference": "#p"}, {"reference": "Patient/1"}, {"identifier": []}, [None], "ICD", 1, "M6284.", "M62 84",
]  # fmt: skip
"""What stands in the place of values. What begins with a backslash is written as it is, an escape."""


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all values in a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [path] if path else []
    for key, one in inner:
        found += places(one, (*path, key))
    return found


def changed(value: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """Return a resource with another value somewhere, or without one, or with the same twice."""
    value = copy.deepcopy(value)
    path = dice.choice(places(value))
    holder: Any = value
    for step in path[:-1]:
        holder = holder[step]
    kind = dice.randrange(4)
    if kind == 0:
        del holder[path[-1]]
    elif kind == 1 and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[path[-1]]))
    else:
        holder[path[-1]] = copy.deepcopy(dice.choice(ODD))
    return value


def written(value: dict[str, Any], dice: random.Random) -> bytes:
    """Return a resource as a line, in one of the ways in which programs write lines."""
    text = json.dumps(
        value,
        ensure_ascii=dice.random() < 0.5,
        separators=dice.choice([(",", ":"), (", ", ": "), (" ,\t", " : ")]),
    )
    return text.replace("\\\\u00e9", "\\u00e9").encode()


DAMAGE = [
    lambda line, at: line[:at],
    lambda line, at: line[:at] + b"\xff" + line[at:],
    lambda line, at: line[:at] + b"\n" + line[at:],
    lambda line, at: line[:at] + b"{" + line[at:],
    lambda line, at: line[:at] + b"\x00" + line[at:],
    lambda line, at: line.replace(b'"id"', b'"id": "twice", "id"', 1),
    lambda line, at: line.replace(b'"sequence"', b'"sequence": 1, "sequence"', 1),
    lambda line, at: line.replace(b'"E', b'"\\ud800', 1),
    lambda line, at: line.replace(b'"E', b'"\xed\xa0\x80', 1),
    lambda line, at: line.replace(b"120.5", b"NaN", 1),
    lambda line, at: line.replace(b"120.5", b"1e400", 1),
    lambda line, at: line.replace(b'"value": 2', b'"value": 123456789012345678901234567890', 1),
    lambda line, at: line.replace(b"99213", b"9\\t\\/\\u00e9", 1),
    lambda line, at: b"\xef\xbb\xbf" + line,
    lambda line, at: b"[" + line + b"]",
    lambda line, at: line + b" " + line,
    lambda line, at: b'{"resourceType": "Bundle", "entry": [{"resource": ' + line + b"}]}",
    lambda line, at: b"   \t" + line + b" \r",
    lambda line, at: line.replace(b"{", b"{\n", 3),
    lambda line, at: b"[" * 90 + b"]" * 90,
    lambda line, at: b"",
    lambda line, at: b"null",
]  # fmt: skip


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Files of lines, some of which are damaged or say something unusual."""
    dice = draw(st.randoms(use_true_random=False))
    lines = []
    for number in range(draw(st.integers(1, 6))):
        value = resource(number, dice)
        for _ in range(dice.choice([0, 0, 1, 1, 2, 4])):
            value = changed(value, dice)
        line = written(value, dice)
        if dice.random() < 0.3:
            line = dice.choice(DAMAGE)(line, dice.randrange(len(line) + 1))
        lines.append(line)
    patient = b'{"resourceType":"Patient","id":"1","gender":"female","birthDate":"1950-05-01"}'
    lines += [patient] * dice.randrange(2)
    return dice.choice([b"\n", b"\r\n"]).join(lines) + dice.choice([b"", b"\n", b"\n\n"])


def together(values: list[bytes], dice: random.Random) -> bytes:
    """Return resources as one value, a list or a Bundle, with what else Bundles have."""
    between = dice.choice([b",", b",\n", b" ,\r\n  ", b",\xef\xbb\xbf", b"\n\n,"])
    if dice.random() < 0.25:
        return b"[" + dice.choice([b"", b"\n"]) + between.join(values) + dice.choice([b"]", b"\n ]", b"", b",]"])
    entries = [b'{"fullUrl": "urn:uuid:%d", "resource": %s}' % one for one in enumerate(values)]
    kind = dice.choice([b'"Bundle"', b'"Bundle"', b'"Bundle"', b'"Bund\\u006ce"', b'"Parameters"'])
    keys = [b'"resourceType": ' + kind, b'"entry": [' + between.join(entries) + b"]"]
    if dice.random() < 0.5:
        others = [
            b'"total": 12', b'"type": "batch"', b'"link": [{"url": "x"}]', b'"meta": {"tag": [1e5, 2]}',
            b'"score": 0.10', b'"\\u0065ntry": []', b'"timestamp": "2026"', b'"a": 1, "a": 2',
            b'"big": 1' + b"0" * 30, b'"entry": 7',
            b'"none": null, "yes": true',
        ]  # fmt: skip
        for _ in range(dice.randrange(1, 4)):
            keys.insert(dice.randrange(len(keys) + 1), dice.choice(others))
    return (
        b"{" + dice.choice([b"", b"\n  "]) + dice.choice([b",", b",\n  "]).join(keys) + dice.choice([b"}", b"\n}", b""])
    )


@st.composite
def collections(draw: st.DrawFn) -> bytes:
    """Files whose resources have many lines or stand in lists and Bundles, some of them damaged."""
    dice = draw(st.randoms(use_true_random=False))
    parts = []
    for number in range(draw(st.integers(1, 3))):
        values = []
        for one in range(dice.randrange(4)):
            value = resource(10 * number + one, dice)
            for _ in range(dice.choice([0, 0, 0, 1, 2])):
                value = changed(value, dice)
            text = json.dumps(value, indent=dice.choice([None, 2, "\t"]), ensure_ascii=dice.random() < 0.5)
            text = text.replace("\\\\u00e9", "\\u00e9").replace("\n", dice.choice(["\n", "\r\n"]))
            values.append(text.encode())
        if values and dice.random() < 0.2:
            at = dice.randrange(len(values))
            values[at] = dice.choice(DAMAGE)(values[at], dice.randrange(len(values[at]) + 1))
        if dice.random() < 0.2:
            values.append(b'{"resourceType":"Patient","id":"1","gender":"female","birthDate":"1950-05-01"}')
        if values and dice.random() < 0.4:
            parts += values
        else:
            parts.append(together(values, dice))
    content = dice.choice([b"\n", b"\r\n", b"", b" "]).join(parts)
    if dice.random() < 0.2:
        content = dice.choice(DAMAGE)(content, dice.randrange(len(content) + 1))
    return dice.choice([b"", b"", b"\xef\xbb\xbf"]) + content + dice.choice([b"", b"\n", b" \n\n"])


@settings(max_examples=150)
@given(files() | collections())
def test_both_readers_have_one_outcome(content: bytes) -> None:
    assert outcome(content, natively=True) == outcome(content, natively=False)


@settings(max_examples=30)
@given(files() | collections(), st.integers(1, 400))
def test_where_blocks_end_makes_no_difference(content: bytes, size: int) -> None:
    from weakcode.scrub.read.fhir import lines, values

    def read(elements: Resources | Elements) -> list[Any]:
        return [(one.value, one.text, one.line, one.path, one.start, one.problem) for one in elements]

    whole = read(Resources(io.BytesIO(content)))
    before = lines.BLOCK_BYTES, values.BLOCK_BYTES
    lines.BLOCK_BYTES = values.BLOCK_BYTES = size
    try:
        assert read(Resources(io.BytesIO(content))) == whole
    finally:
        lines.BLOCK_BYTES, values.BLOCK_BYTES = before
    # Values where no key stands twice are the same; others are of a class of their own.
    assert [one[1:] for one in read(Elements(io.BytesIO(content)))] == [one[1:] for one in whole]


def indented(values: list[bytes]) -> bytes:
    return b"\n".join(json.dumps(json.loads(one), indent=2).encode() for one in values)


def bundled(values: list[bytes], indent: int | None = None) -> bytes:
    entries = [{"fullUrl": f"urn:uuid:{number}", "resource": json.loads(one)} for number, one in enumerate(values)]
    return json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": entries}, indent=indent).encode()


@pytest.mark.parametrize(
    "file",
    [
        b"\n".join,
        indented,
        bundled,
        lambda values: bundled(values, 4),
        lambda values: b"\n".join(map(bundled, (values[:90], values[90:]))),
        lambda values: b"[" + b",".join(values) + b"]",
        lambda values: b"\xef\xbb\xbf[\r\n" + b",\r\n".join(values) + b"\r\n]",
    ],
    ids=["lines", "indented", "bundle", "indented-bundle", "bundles", "list", "list-by-lines"],
)
def test_plain_resources_are_taken_natively(file: Callable[[list[bytes]], bytes]) -> None:
    dice = random.Random(62)
    content = file([written(resource(number, dice), dice) for number in range(200)])
    source = FhirSource(io.BytesIO(content), "f.ndjson", ReadOptions(references=References()))
    batches = list(source.batches())
    assert all(isinstance(batch, FhirBatch) for batch in batches)
    read = sum(len(batch.records) + len(batch.rejected) for batch in batches if isinstance(batch, FhirBatch))
    # A claim with only a diagnosis outside its list is for the reader in Python.
    assert read < 60
    assert sum(batch.count for batch in batches) + sum(len(batch.rejected) for batch in batches) == 200


def test_the_files_of_payers_have_one_outcome_as_lines(shared: Path) -> None:
    for path in sorted((shared / "fhir").glob("*.json")):
        whole = json.loads(path.read_text())
        resources = [entry["resource"] for entry in whole["entry"]] if "entry" in whole else [whole]
        content = b"\n".join(json.dumps(one).encode() for one in resources)
        assert outcome(content, natively=True) == outcome(content, natively=False)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"a": 1, "b": [true, false, null, -0.5e3, "\\u00e9\\n"]}', _claims.SOUND),
        (b'{"a": {"b": 1, "c": {}}, "b": 1}', _claims.SOUND),
        (b'{"a": 1, "b": 2, "a": 3}', _claims.REFUSED),
        (b'{"a": [{"b": 1, "b": 1}]}', _claims.REFUSED),
        (b'{"a": 01}', _claims.REFUSED),
        (b'{"a": 1.}', _claims.REFUSED),
        (b'{"a": NaN}', _claims.REFUSED),
        (b'{"a": "\\ud83d"}', _claims.REFUSED),
        (b'{"a": "\xff"}', _claims.REFUSED),
        (b'{"a": "\t"}', _claims.REFUSED),
        (b'{"a": 1,}', _claims.REFUSED),
        (b'{"a": [1,]}', _claims.REFUSED),
        (b'{"a" 1}', _claims.REFUSED),
        (b'{"a": 1} x', _claims.REFUSED),
        (b'{"a": 1', _claims.REFUSED),
        (b'{"a": tru', _claims.REFUSED),
        (b'"a"', _claims.REFUSED),
        (b"", _claims.REFUSED),
        (b"{" * 70, _claims.REFUSED),
        (b'{"a": 1234567890123456789}', _claims.REFUSED),
    ],
)
def test_a_line_is_sound_where_every_reader_of_json_has_the_same_value(line: bytes, said: int) -> None:
    assert _claims.Lines().add(line) == said


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_is_sound_is_json_and_what_json_writes_is_mostly_sound(value: Any) -> None:
    line = json.dumps({"a": value}, ensure_ascii=False).encode("utf-8", "surrogatepass")
    if _claims.Lines().add(line) == _claims.SOUND:
        assert json.loads(line) == {"a": value}


@given(st.binary(max_size=60).map(lambda text: b'{"a":' + text))
def test_no_bytes_are_sound_that_are_not_json(line: bytes) -> None:
    if _claims.Lines().add(line) == _claims.SOUND:
        assert isinstance(json.loads(line), dict)


def test_a_claim_before_a_bundle_on_the_next_line_is_read() -> None:
    dice = random.Random(1)
    line = json.dumps(resource(1, dice))
    bundle = json.dumps({"resourceType": "Bundle", "entry": [{"resource": resource(2, dice)}]})
    for natively in (True, False):
        rows, _ = outcome(f"{line}\n{bundle}".encode(), natively=natively)
        assert len(rows) == 2


def test_a_file_without_claims_is_refused_in_batches_too() -> None:
    source = FhirSource(io.BytesIO(b'{"resourceType":"Patient","id":"1"}\n'), "f.ndjson")
    with pytest.raises(InputError, match="holds no Claim"):
        list(source.batches())
