"""Mended claims written back into the file that they came from."""

FHIR_EXTENSIONS = (".json",)
TABLE_EXTENSIONS = (".csv", ".tsv", ".psv", ".txt", ".tab", ".dat")
X12_EXTENSIONS = (".837", ".837p", ".837i", ".837d", ".x12", ".edi")
"""What files of claims are called in which mended claims are written in place."""
