"""The code lists of the 837 that reading a claim needs, for 5010 and, where the qualifiers differ, 4010."""

from __future__ import annotations

import re
from collections.abc import Set

import attrs

from weakcode.fields.parsers import Setting

PRINCIPAL, OTHER, EXTERNAL = 0, 1, 2
"""Roles of listed diagnoses, in the order in which a claim has them."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@attrs.frozen
class DiagnosisKind:
    """What a qualifier of the HI segment says: the role of a listed diagnosis, or the kind of another code."""

    role: int = OTHER
    other_kind: str = ""
    icd9: bool = False


_LISTED = {"BK": PRINCIPAL, "BF": OTHER, "BN": EXTERNAL}
_APART = {"BJ": "admitting", "PR": "reason-for-visit"}
DIAGNOSES = {
    **{f"A{name}": DiagnosisKind(role) for name, role in _LISTED.items()},
    **{f"A{name}": DiagnosisKind(other_kind=name_outside) for name, name_outside in _APART.items()},
    **{name: DiagnosisKind(role, icd9=True) for name, role in _LISTED.items()},
    **{name: DiagnosisKind(other_kind=name_outside, icd9=True) for name, name_outside in _APART.items()},
    # 4010 writes the reason for visit so.
    "ZZ": DiagnosisKind(other_kind="reason-for-visit", icd9=True),
}
NO_DIAGNOSES = _words(
    "BBR BBQ BR BQ CAH BP BO BG BH BI BE DR TC TQ AAU AAV AAX ABR ABU ABV GR GU NUB LOI SJ SD GW HO EM"
)
"""Qualifiers of the HI segment for procedures, conditions, occurrences, values, treatments and groups."""

PROCEDURES = _words("BBR BBQ")
"""Those of ICD-10-PCS among them: the principal procedure of a stay, and others."""
SEGMENTS = _words(
    "AMT CAS CL1 CLM CN1 CR1 CR2 CR3 CR4 CR5 CR6 CR7 CR8 CRC CTP CUR DMG DN1 DN2 DTP FRM HCP HI HL HSD IMM K3 LIN LQ "
    "LS LE LX MEA MIA MOA N1 N2 N3 N4 NM1 NTE OI PAT PER PRV PS1 PWK QTY REF SBR SV1 SV2 SV3 SV4 SV5 SV6 SV7 SVD TOO UR"
)
"""Segments that a claim of an 837 may have. Another one is a garbled one, and with it the claim is."""
CLAIM_ONLY = SEGMENTS - _words("AMT CLM CUR DMG HL N1 N2 N3 N4 NM1 PAT PER PRV REF SBR")
"""Those that stand nowhere but in a claim. Where no claim has begun, its beginning was lost."""

# By the guide's number: of 5010, of 4010, of post-adjudicated claims (X298 to X300), and of 8020.
_KINDS = {
    **dict.fromkeys(("222", "098", "298", "323"), "professional"),
    **dict.fromkeys(("223", "096", "299", "324"), "institutional"),
    **dict.fromkeys(("224", "097", "300", "325"), "dental"),
}
_KINDS_BY_SERVICE = {("SV1", "B"): "professional", ("SV2", "A"): "institutional"}
# E000 to E030 and E800 to E999 are the external causes of ICD-9-CM.
_ICD9 = re.compile(r"\d{3,5}|V\d{2,4}|E(?:0[0-2]\d|030|[89]\d\d)\d?")
_ICD10 = re.compile(r"[A-Z]\d[0-9A-Z]{1,5}")
_PARTING = re.compile(r"[^0-9A-Za-z.]+")
_INPATIENT = _words("11 12 18 21 22 28 41 65 66 86")


def kind_of(version: str) -> str:
    """Return professional, institutional or dental by the implementation guide's name, empty where it tells none."""
    match = re.search(r"X(\d{3})", version)
    return _KINDS.get(match[1], "") if match else ""


def kind_by_services(services: Set[str], facility_form: str) -> str:
    """Return the same by what a claim holds: the segments of its services and CLM05-2, the form of its place."""
    if len(services) != 1:
        return ""
    (service,) = services
    return "dental" if service == "SV3" else _KINDS_BY_SERVICE.get((service, facility_form), "")


def setting_of(kind: str, facility: str) -> Setting | None:
    """Return the setting by the kind of transaction and, for institutions, the first two digits of the type of bill."""
    if kind in ("professional", "dental"):
        return "professional"
    if kind != "institutional" or not re.fullmatch(r"\d\d", facility):
        return None
    return "inpatient" if facility in _INPATIENT else "outpatient"


def is_only_icd10(code: str) -> bool:
    """Tell whether a code has a form of ICD-10-CM that no code of ICD-9-CM has."""
    code = code.strip().upper().replace(".", "")
    return bool(_ICD10.fullmatch(code)) and not _ICD9.fullmatch(code)


def codes_in(text: str) -> list[str]:
    """Return what has the form of a code among the parts of a text that signs or blanks part."""
    parts = _PARTING.split(text.upper())
    return [part for part in parts if _ICD10.fullmatch(plain := part.replace(".", "")) or _ICD9.fullmatch(plain)]


def icd9(code: str) -> str:
    """Return an ICD-9-CM code so that it cannot be taken for one of ICD-10-CM, which also has codes with V and E."""
    code = code.strip().upper().replace(".", "")
    if not code[:1].isalpha():
        return code
    whole = 4 if code[0] == "E" else 3
    return f"ICD9:{code[:whole]}.{code[whole:]}".rstrip(".")
