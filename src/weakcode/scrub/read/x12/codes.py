"""The code lists of the 837 that reading a claim needs, for 5010 and, where the qualifiers differ, 4010."""

from __future__ import annotations

import re

import attrs

from weakcode.claims import Setting

PRINCIPAL, OTHER, EXTERNAL = 0, 1, 2
"""Roles of listed diagnoses, in the order in which a claim has them."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@attrs.frozen
class DiagnosisKind:
    """What a qualifier of the HI segment says: the role of a listed diagnosis, or under which name it stands apart."""

    role: int = OTHER
    apart: str = ""
    icd9: bool = False


_LISTED = {"BK": PRINCIPAL, "BF": OTHER, "BN": EXTERNAL}
_APART = {"BJ": "admitting", "PR": "reason-for-visit"}
DIAGNOSES = {
    **{f"A{name}": DiagnosisKind(role) for name, role in _LISTED.items()},
    **{f"A{name}": DiagnosisKind(apart=apart) for name, apart in _APART.items()},
    **{name: DiagnosisKind(role, icd9=True) for name, role in _LISTED.items()},
    **{name: DiagnosisKind(apart=apart, icd9=True) for name, apart in _APART.items()},
    # 4010 writes the reason for visit so.
    "ZZ": DiagnosisKind(apart="reason-for-visit", icd9=True),
}
NO_DIAGNOSES = _words(
    "BBR BBQ BR BQ CAH BP BO BG BH BI BE DR TC TQ AAU AAV AAX ABR ABU ABV GR GU NUB LOI SJ SD GW HO EM"
)
"""Qualifiers of the HI segment for procedures, conditions, occurrences, values, treatments and groups."""

SEGMENTS = _words(
    "AMT CAS CL1 CLM CN1 CR1 CR2 CR3 CR4 CR5 CR6 CR7 CR8 CRC CTP CUR DMG DN1 DN2 DTP FRM HCP HI HL HSD IMM K3 LIN LQ "
    "LS LE LX MEA MIA MOA N1 N2 N3 N4 NM1 NTE OI PAT PER PRV PS1 PWK QTY REF SBR SV1 SV2 SV3 SV4 SV5 SV6 SV7 SVD TOO UR"
)
"""Segments that a claim of an 837 may have. Another one is a garbled one, and with it the claim is."""
CLAIM_ONLY = SEGMENTS - _words("AMT CLM CUR DMG HL N1 N2 N3 N4 NM1 PAT PER PRV REF SBR")
"""Those that stand nowhere but in a claim. Where no claim has begun, its beginning was lost."""

_KINDS = {
    "222": "professional", "098": "professional", "223": "institutional", "096": "institutional",
    "224": "dental", "097": "dental",
}  # fmt: skip
_INPATIENT = _words("11 12 18 21 22 28 41 65 66 86")


def kind_of(version: str) -> str:
    """Return professional, institutional or dental by the implementation guide's name, empty where it tells none."""
    match = re.search(r"X(\d{3})", version)
    return _KINDS.get(match[1], "") if match else ""


def setting_of(kind: str, facility: str) -> Setting | None:
    """Return the setting by the kind of transaction and, for institutions, the first two digits of the type of bill."""
    if kind in ("professional", "dental"):
        return "professional"
    if kind != "institutional" or not re.fullmatch(r"\d\d", facility):
        return None
    return "inpatient" if facility in _INPATIENT else "outpatient"


def icd9(code: str) -> str:
    """Return an ICD-9-CM code so that it cannot be taken for one of ICD-10-CM, which also has codes with V and E."""
    code = code.strip().upper().replace(".", "")
    if not code[:1].isalpha():
        return code
    whole = 4 if code[0] == "E" else 3
    return f"ICD9:{code[:whole]}.{code[whole:]}".rstrip(".")
