"""What a claim says beside its codes: each field declared once, with how it is read and written, and the option for it.

Columns of a code list, keys of JSON Lines, names of --map, options of the command line, types of Arrow columns and the
columns of written claims follow from here. A new field is one entry of `FIELDS` and an attribute of `Claim`, or one of
`LINE_FIELDS` and an attribute of `ServiceLine`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from weakcode.fields.parsers import (
    NO_REFERENCE,
    parse_age,
    parse_bill_type,
    parse_birth_date,
    parse_charge,
    parse_discharge,
    parse_end,
    parse_facts,
    parse_frequency,
    parse_line_number,
    parse_main_only,
    parse_modifiers,
    parse_original_reference,
    parse_payer,
    parse_payer_ids,
    parse_pcs,
    parse_place,
    parse_plan,
    parse_pointers,
    parse_principals,
    parse_procedure,
    parse_provider,
    parse_rendering_provider,
    parse_rendering_taxonomy,
    parse_revenue,
    parse_service_date,
    parse_setting,
    parse_sex,
    parse_start,
    parse_state,
    parse_taxonomy,
    parse_units,
)


@attrs.frozen
class Field:
    """A field of a claim or of a service line.

    `parse` takes what a caller or a file gives and raises InputError for what cannot be.

    `blank` is what a blank cell of a table that has the field says, where that is more than nothing.

    `arrow` is the name of its Arrow type, of the items where it `is_list`. `metavar` and `help` are those of its
    option; `short` is what the option and --map call it, where that is not its name.
    """

    name: str
    parse: Callable[[Any], Any]
    arrow: str
    metavar: str = ""
    help: str = ""
    is_list: bool = False
    short: str = ""
    blank: str = ""

    @property
    def option(self) -> str:
        """The option of the command line: `--birth-date`."""
        return f"--{(self.short or self.name).replace('_', '-')}"


FIELDS = (
    Field("service_date", parse_service_date, "date32", "YYYY-MM-DD", "The service date.", short="date"),
    Field("age", parse_age, "int32", "N", "The patient's age in years."),
    Field("birth_date", parse_birth_date, "date32", "YYYY-MM-DD", "The patient's birth date, instead of an age."),
    Field("sex", parse_sex, "string", "F|M", "The patient's sex."),
    Field("setting", parse_setting, "string", "S", "professional, outpatient or inpatient."),
    Field("payer", parse_payer, "string", "P", "The payer's name, for rules and profiles that depend on it."),
    Field("documented", parse_facts, "string", "FACT", "A documented fact; may be given several times.", is_list=True),
    Field("payer_id", parse_payer_ids, "string", "ID", "An id of the payer; may be given several times.", is_list=True),
    Field("plan", parse_plan, "string", "TYPE", "The type of plan, such as the claim filing indicator MB."),
    Field("bill_type", parse_bill_type, "string", "131", "The type of bill of an institutional claim."),
    Field("frequency", parse_frequency, "string", "N", "The claim frequency code: 1 original, 7 replacement, 8 void."),
    Field(
        "original_reference",
        parse_original_reference,
        "string",
        "NUMBER",
        "The payer's number of the claim that this one replaces or voids, or missing.",
        blank=NO_REFERENCE,
    ),
    Field("principals", parse_principals, "int32", "N", "The number of diagnoses marked as principal."),
    Field("place", parse_place, "string", "NN", "The place of service of a professional claim."),
    Field("provider", parse_provider, "string", "NPI", "The billing provider's NPI."),
    Field("provider_taxonomy", parse_taxonomy, "string", "CODE", "The billing provider's taxonomy code."),
    Field("rendering_provider", parse_rendering_provider, "string", "NPI", "The rendering provider's NPI."),
    Field("rendering_taxonomy", parse_rendering_taxonomy, "string", "CODE", "The rendering provider's taxonomy code."),
    Field("state", parse_state, "string", "XX", "The state in which the service was given."),
    Field(
        "pcs",
        parse_pcs,
        "string",
        "CODE",
        "An ICD-10-PCS procedure of an inpatient stay, for --drg; may be given several times.",
        is_list=True,
    ),
    Field(
        "discharge_status",
        parse_discharge,
        "string",
        "NN",
        "The discharge status of an inpatient stay, for --drg; 01 is home.",
        short="discharge",
    ),
)
"""In the order in which they are written."""
ABOUT_THE_CLAIM = tuple(field.name for field in FIELDS)
"""The optional columns of a code list, beside `claim_id` and `codes`."""
LINE_FIELDS = (
    Field("number", parse_line_number, "int64"),
    Field("pointers", parse_pointers, "int32", is_list=True),
    Field("procedure", parse_procedure, "string"),
    Field("modifiers", parse_modifiers, "string", is_list=True),
    Field("units", parse_units, "float64"),
    Field("charge", parse_charge, "float64"),
    Field("place", parse_place, "string"),
    Field("revenue", parse_revenue, "string"),
    Field("rendering_provider", parse_rendering_provider, "string"),
    Field("rendering_taxonomy", parse_rendering_taxonomy, "string"),
    Field("start", parse_start, "date32"),
    Field("end", parse_end, "date32"),
    Field("main_only", parse_main_only, "bool"),
)
"""Of a service line, in the order in which they are written."""
LINES = "lines"
"""The optional column of service lines, where the format has lists."""
BY_NAME = {field.name: field for field in FIELDS}
