"""FHIR: how fast ExplanationOfBenefit resources are scrubbed, beside parsers of JSON alone.

    python benchmarks/fhir.py [RESOURCES]

The resources are invented, by CARIN's profile: random lists of sixteen usual codes, 1 to 4 items with four
adjudications each, about 7 kB, all bundled packs. Every figure is megabytes of the file for a second of processor time,
of the same run: of the whole process, of its start alone taken off, of reading into columns (of FEW resources also with
many lines each, in a list, and in a Bundle of one line or many), and of each parser that is installed (msgspec and
pysimdjson are not among the dependencies). hccinfhir, where it is installed, extracts the service lines of 2,000.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
CODES = (
    "M62.84", "I10", "E11.9", "N18.30", "J44.9", "F17.210", "Z79.4", "E78.5", "I25.10", "K21.9", "M54.50", "G72.9",
    "R07.9", "I50.9", "D64.9", "F32.A",
)  # fmt: skip
PROFILE = "http://hl7.org/fhir/us/carin-bb/StructureDefinition/C4BB-ExplanationOfBenefit-Professional-NonClinician"
FEW = 2_000


def concept(code: str, system: str = "https://bluebutton.cms.gov/resources/codesystem/hcpcs") -> dict[str, Any]:
    """Return a CodeableConcept with one coding."""
    return {"coding": [{"system": system, "code": code, "display": "What the payer calls it, in some words"}]}


def amount(category: str, value: float) -> dict[str, Any]:
    """Return an adjudication."""
    system = "http://terminology.hl7.org/CodeSystem/adjudication"
    return {"category": concept(category, system), "amount": {"value": value, "currency": "USD"}}


def explanation(number: int, dice: random.Random) -> dict[str, Any]:
    """Return an ExplanationOfBenefit in the shape in which CMS gives those of carriers."""
    codes = dice.sample(CODES, dice.randrange(2, 9))
    types = "http://terminology.hl7.org/CodeSystem/ex-diagnosistype"
    npi = "http://hl7.org/fhir/sid/us-npi"
    items = [
        {
            "sequence": place,
            "diagnosisSequence": [dice.randrange(1, len(codes) + 1)],
            "productOrService": concept("99213"),
            "modifier": [concept("25")],
            "servicedPeriod": {"start": "2026-05-01", "end": "2026-05-01"},
            "locationCodeableConcept": concept("11"),
            "quantity": {"value": 1},
            "adjudication": [amount(name, 37.5 + place) for name in ("submitted", "eligible", "deductible", "benefit")],
        }
        for place in range(1, dice.randrange(2, 6))
    ]
    return {
        "resourceType": "ExplanationOfBenefit",
        "id": f"carrier-{number:09}",
        "meta": {"lastUpdated": "2026-06-01T04:00:00.000-04:00", "profile": [PROFILE]},
        "contained": [
            {
                "resourceType": "Organization",
                "id": "provider-org",
                "identifier": [
                    {"type": concept("npi", "http://hl7.org/fhir/us/carin-bb"), "system": npi, "value": "1"}
                ],
                "active": True,
            }
        ],
        "identifier": [{"system": "https://bluebutton.cms.gov/resources/variables/clm_id", "value": f"{number:09}"}],
        "status": "active",
        "type": {"coding": [{"code": "CARRIER"}, {"code": "professional", "display": "Professional"}]},
        "use": "claim",
        "patient": {"reference": f"Patient/{number % 1000}"},
        "billablePeriod": {"start": "2026-05-01", "end": "2026-05-04"},
        "insurer": {"identifier": {"value": "CMS"}},
        "provider": {"reference": "#provider-org"},
        "careTeam": [
            {"role": concept("performing"), "provider": {"identifier": {"system": npi, "value": "1992903371"}}}
        ],
        "insurance": [{"focal": True, "coverage": {"reference": f"Coverage/part-b-{number % 1000}"}}],
        "diagnosis": [
            {
                "sequence": place,
                "diagnosisCodeableConcept": concept(code, ICD10),
                "type": [concept("principal" if place == 1 else "secondary", types)],
            }
            for place, code in enumerate(codes, start=1)
        ],
        "item": items,
    }


def write(path: Path, count: int) -> None:
    """Write a file of this many resources."""
    dice = random.Random(62)
    with path.open("w", encoding="ascii") as file:
        for number in range(count):
            file.write(json.dumps(explanation(number, dice), separators=(",", ":")) + "\n")


def scrubbed(path: Path) -> float:
    """Scrub a file into Parquet in a process of its own; return seconds of its processor time."""
    command = [sys.executable, "-m", "weakcode", "scrub", str(path), "-o", str(path.with_suffix(".parquet"))]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*command, "--fail-on", "never", "--format", "json"], capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    return after.ru_utime - before.ru_utime


def natively(path: Path) -> float:
    """Read a file into columns; return seconds of processor time."""
    from weakcode.scrub.read.fhir import FhirSource

    start = time.process_time()
    with path.open("rb") as file:
        for batch in FhirSource(file, path.name).batches():
            assert batch.batch is not None
    return time.process_time() - start


def parsers() -> dict[str, Callable[[bytes], Any]]:
    """Return the parsers that are installed."""
    import orjson

    found: dict[str, Callable[[bytes], Any]] = {"json": json.loads, "orjson": orjson.loads}
    try:
        import msgspec

        found["msgspec"] = msgspec.json.Decoder().decode
    except ImportError:
        pass
    try:
        import simdjson

        parser = simdjson.Parser()
        found["pysimdjson, as objects"] = lambda line: parser.parse(line, True)
    except ImportError:
        pass
    return found


def by_hccinfhir(lines: list[bytes]) -> float | None:
    """Extract the service lines of resources with hccinfhir; return seconds of processor time, or None."""
    try:
        from hccinfhir.extractor_fhir import extract_sld_fhir
    except ImportError:
        return None
    resources = [json.loads(line) for line in lines]
    start = time.process_time()
    for one in resources:
        extract_sld_fhir(one)
    return time.process_time() - start


def shapes(values: list[dict[str, Any]]) -> dict[str, str]:
    """Return files of resources that are no lines."""
    bundle = {
        "resourceType": "Bundle",
        "entry": [{"fullUrl": f"urn:uuid:{number}", "resource": value} for number, value in enumerate(values)],
    }
    return {
        "indented": "\n".join(json.dumps(value, indent=2) for value in values),
        "a list": json.dumps(values, indent=1),
        "a Bundle in one line": json.dumps(bundle, separators=(",", ":")),
        "a Bundle, indented": json.dumps(bundle, indent=2),
    }


def main() -> None:
    """Print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        path, few = Path(folder, "eob.ndjson"), Path(folder, "few.ndjson")
        write(path, count)
        write(few, FEW)
        size, whole, begun = path.stat().st_size / 1e6, scrubbed(path), scrubbed(few)
        print(f"{count:,} resources, {size:.0f} MB, {size / count * 1e3:.1f} kB each; MB a second of processor time:")
        print(f"  weakcode scrub, the whole process    {size / whole:6.0f}")
        print(f"  weakcode scrub, without its start    {(size - few.stat().st_size / 1e6) / (whole - begun):6.0f}")
        print(f"  read into columns                    {size / natively(path):6.0f}")
        lines = few.read_bytes().splitlines()
        for name, text in shapes([json.loads(line) for line in lines]).items():
            path.write_text(text, "ascii")
            print(f"  {name + ' into columns':<37}{len(text) / 1e6 / natively(path):6.0f}")
        size = few.stat().st_size / 1e6
        for name, parse in parsers().items():
            start = time.process_time()
            for line in lines:
                parse(line)
            print(f"  {name + ' alone':<37}{size / (time.process_time() - start):6.0f}")
        took = by_hccinfhir(lines)
        print("  hccinfhir is not installed" if took is None else f"  hccinfhir {size / took:6.1f}")


if __name__ == "__main__":
    main()
