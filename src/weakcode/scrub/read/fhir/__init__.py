"""Claims from FHIR R4: Claim and ExplanationOfBenefit resources, in Bundles, lists or one a line."""

from __future__ import annotations

from weakcode.scrub.read.fhir.source import FhirSource

__all__ = ["FhirSource"]
