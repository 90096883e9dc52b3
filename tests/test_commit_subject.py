"""Commit subjects are checked before a commit is made."""

from __future__ import annotations

import pytest

from tests.commit_subject import complaint


@pytest.mark.parametrize(
    "subject", ["rules: cite the guideline section", "scrub, docs: read folders", "Merge branch 'main'"]
)
def test_a_subject_of_area_verb_and_object_passes(subject: str) -> None:
    assert complaint(f"{subject}\n\nwhy\n") is None


@pytest.mark.parametrize("subject", ["", "What was written twice stands once", "rules:", f"rules: {'x' * 72}"])
def test_any_other_subject_is_refused_with_what_would_be_right(subject: str) -> None:
    assert complaint(subject)
