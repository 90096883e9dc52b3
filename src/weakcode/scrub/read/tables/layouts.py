"""Tables of known publishers, known by their headers: which of their columns holds what."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

_ICD9 = frozenset({"9", "09", "icd9", "icd9cm"})


@attrs.frozen
class Layout:
    """A publisher's table. `signature` are columns that its header has, `columns` what each part of a claim stands in.

    `*` stands for a number and `+` joins columns, as in --map; of columns parted by `/` the first that is there is
    read, and a part whose columns are not there is left out. `other_codes` are codes that are not among the diagnoses.
    `days` are columns of the first and the last day, `kind` and `facility` tell the setting. `nines` are the marks of
    ICD-9-CM beside a code; with `icd9` every code is one. `note` is reported of each file.
    """

    name: str
    signature: tuple[str, ...]
    columns: Mapping[str, str]
    other_codes: Mapping[str, str] = attrs.field(factory=dict)
    days: tuple[str, ...] = ()
    kind: str = ""
    facility: str = ""
    nines: frozenset[str] = _ICD9
    icd9: bool = False
    note: str = ""


RIF = Layout(
    "CMS research files",
    ("CLM_ID",),
    {
        "claim_id": "CLM_ID",
        "principal": "PRNCPAL_DGNS_CD",
        "codes": "ICD_DGNS_CD*",
        "poa": "CLM_POA_IND_SW*",
        "version": "ICD_DGNS_VRSN_CD*",
        "principal_version": "PRNCPAL_DGNS_VRSN_CD",
        "birth_date": "DOB_DT",
        "sex": "GNDR_CD",
        "pcs": "ICD_PRCDR_CD*",
        "discharge_status": "PTNT_DSCHRG_STUS_CD",
        "line": "LINE_NUM/CLM_LINE_NUM",
        "procedure": "HCPCS_CD",
        "pointer": "LINE_ICD_DGNS_CD",
    },
    {
        "admitting": "ADMTG_DGNS_CD",
        "reason-for-visit": "RSN_VISIT_CD*",
        "external-cause": "FST_DGNS_E_CD+ICD_DGNS_E_CD*",
    },
    days=("CLM_FROM_DT", "CLM_THRU_DT"),
    kind="NCH_CLM_TYPE_CD",
)
"""A file of it also has the principal diagnosis or the first of the others; see `header.resolve`."""

LAYOUTS = (
    Layout(
        "SynPUF",
        ("DESYNPUF_ID", "CLM_ID", "ICD9_DGNS_CD_1"),
        {"claim_id": "CLM_ID", "codes": "ICD9_DGNS_CD_*", "service_date": "CLM_FROM_DT"},
        {"admitting": "ADMTNG_ICD9_DGNS_CD"},
        icd9=True,
    ),
    Layout(
        "CCLF4",
        ("CUR_CLM_UNIQ_ID", "CLM_DGNS_CD", "CLM_VAL_SQNC_NUM"),
        {
            "claim_id": "CUR_CLM_UNIQ_ID",
            "code": "CLM_DGNS_CD",
            "sequence": "CLM_VAL_SQNC_NUM",
            "codetype": "DGNS_PRCDR_ICD_IND",
            "poa": "CLM_POA_IND",
            "service_date": "CLM_THRU_DT/CLM_FROM_DT",
        },
    ),
    Layout(
        "CCLF5",
        ("CUR_CLM_UNIQ_ID", "CLM_DGNS_1_CD"),
        {
            "claim_id": "CUR_CLM_UNIQ_ID",
            "codes": "CLM_DGNS_*_CD",
            "version": "DGNS_PRCDR_ICD_IND",
            "line": "CLM_LINE_NUM",
            "procedure": "CLM_LINE_HCPCS_CD",
            "pointer": "CLM_LINE_DGNS_CD",
            "service_date": "CLM_FROM_DT",
        },
    ),
    Layout(
        "CCLF1",
        ("CUR_CLM_UNIQ_ID", "PRNCPL_DGNS_CD"),
        {
            "claim_id": "CUR_CLM_UNIQ_ID",
            "codes": "PRNCPL_DGNS_CD",
            "version": "DGNS_PRCDR_ICD_IND",
            "service_date": "CLM_THRU_DT/CLM_FROM_DT",
        },
        {"admitting": "ADMTG_DGNS_CD"},
    ),
    Layout(
        "PCORnet DIAGNOSIS",
        ("ENCOUNTERID", "DX", "DX_TYPE"),
        {
            "claim_id": "ENCOUNTERID",
            "code": "DX",
            "codetype": "DX_TYPE",
            "sequence": "PDX",
            "poa": "DX_POA",
            "service_date": "ADMIT_DATE/DX_DATE",
        },
    ),
    Layout(
        "OMOP condition_occurrence",
        ("CONDITION_OCCURRENCE_ID", "CONDITION_SOURCE_VALUE"),
        {
            "claim_id": "VISIT_OCCURRENCE_ID/PERSON_ID",
            "code": "CONDITION_SOURCE_VALUE",
            "service_date": "CONDITION_START_DATE",
        },
        note="OMOP keeps no order of the diagnoses of a visit; they are taken in the order of the rows",
    ),
    Layout(
        "MIMIC-IV diagnoses_icd",
        ("HADM_ID", "SEQ_NUM", "ICD_CODE", "ICD_VERSION"),
        {"claim_id": "HADM_ID", "code": "ICD_CODE", "sequence": "SEQ_NUM", "codetype": "ICD_VERSION"},
    ),
    Layout(
        "MIMIC-III DIAGNOSES_ICD",
        ("HADM_ID", "SEQ_NUM", "ICD9_CODE"),
        {"claim_id": "HADM_ID", "code": "ICD9_CODE", "sequence": "SEQ_NUM"},
        icd9=True,
    ),
    Layout(
        "i2b2 observation_fact",
        ("ENCOUNTER_NUM", "CONCEPT_CD", "START_DATE"),
        {
            "claim_id": "ENCOUNTER_NUM",
            "code": "CONCEPT_CD",
            "codetype": "CONCEPT_CD",
            "service_date": "START_DATE",
        },
        note="i2b2 keeps no order of the diagnoses of an encounter; they are taken in the order of the rows",
    ),
    Layout(
        "APCD medical claims",
        ("MC004", "MC041"),
        {
            "claim_id": "MC004",
            "principal": "MC041",
            "codes": "+".join(f"MC{number:03}" for number in range(42, 54)),
            "line": "MC005",
            "procedure": "MC055",
            "sex": "MC012",
            "birth_date": "MC013",
            "service_date": "MC059",
        },
        {"admitting": "MC039", "external-cause": "MC040"},
    ),
    Layout(
        "Tuva medical_claim",
        ("CLAIM_ID", "CLAIM_LINE_NUMBER", "DIAGNOSIS_CODE_1"),
        {
            "claim_id": "CLAIM_ID",
            "codes": "DIAGNOSIS_CODE_*",
            "poa": "DIAGNOSIS_POA_*",
            "version": "DIAGNOSIS_CODE_TYPE",
            "line": "CLAIM_LINE_NUMBER",
            "procedure": "HCPCS_CODE",
            "payer": "PAYER",
        },
        days=("CLAIM_START_DATE", "CLAIM_END_DATE"),
        kind="CLAIM_TYPE",
        facility="BILL_TYPE_CODE",
    ),
    Layout(
        "Synthea claims",
        ("PATIENTID", "PROVIDERID", "DIAGNOSIS1", "SERVICEDATE"),
        {"claim_id": "ID", "codes": "DIAGNOSIS*", "service_date": "SERVICEDATE"},
        note="Synthea writes diagnoses as codes of SNOMED CT, which are not ICD-10-CM",
    ),
    Layout(
        "Synthea conditions",
        ("START", "PATIENT", "ENCOUNTER", "CODE", "DESCRIPTION"),
        {"claim_id": "ENCOUNTER", "code": "CODE", "codetype": "SYSTEM", "service_date": "START"},
        note="Synthea writes diagnoses as codes of SNOMED CT, which are not ICD-10-CM",
    ),
    Layout(
        "T-MSIS analytic files",
        ("CLM_ID", "DGNS_1_CD"),
        {
            "claim_id": "CLM_ID",
            "codes": "DGNS_*_CD",
            "poa": "DGNS_POA_*_CD_IND",
            "service_date": "DSCHRG_DT/SRVC_BGN_DT/SRVC_END_DT",
            "birth_date": "BIRTH_DT",
            "age": "AGE_NUM",
            "sex": "SEX_CD",
        },
        {"admitting": "ADMTG_DGNS_CD"},
    ),
    Layout(
        "T-MSIS",
        ("ICN_ORIG", "DIAGNOSIS_CODE_1"),
        {
            "claim_id": "ICN_ORIG",
            "codes": "DIAGNOSIS_CODE_*",
            "version": "DIAGNOSIS_CODE_FLAG_*",
            "poa": "DIAGNOSIS_POA_FLAG_*",
            "service_date": "DISCHARGE_DATE/BEGINNING_DATE_OF_SERVICE",
            "birth_date": "DATE_OF_BIRTH",
            "sex": "SEX",
        },
        {"admitting": "ADMITTING_DIAGNOSIS_CODE"},
        nines=frozenset({"1"}),
    ),
)
"""In the order in which they are tried; research files (RIF) come before them all."""
