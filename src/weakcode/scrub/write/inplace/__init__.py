"""Mended claims written back into the file that they came from."""

from weakcode.scrub.formats import FORMATS

EXCEL_EXTENSIONS = (".xlsx", ".xlsm")
FHIR_EXTENSIONS = (".json",)
TABLE_EXTENSIONS = FORMATS["csv"].extensions
X12_EXTENSIONS = FORMATS["x12"].extensions
"""What files of claims are called in which mended claims are written in place."""
