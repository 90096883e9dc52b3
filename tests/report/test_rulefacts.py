"""What a report says of a rule, from a rule file of the tests' own."""

from __future__ import annotations

from pathlib import Path

from weakcode.report.rulefacts import rule_facts

FILE = """\
pack: demo
title: Demonstration
sources:
  book: {title: The book, edition: 3rd}
rules:
  - id: first-pointer
    title: A rule about pointers
    severity: error
    subject: W01.0XXA
    pointed: first
    sources:
      - {source: book, at: p. 4}
    examples:
      pass: [I10 W01.0XXA]
      fail:
        - {codes: I10 W01.0XXA, age: 70, lines: ["2 1", "1"], note: The first line.}
"""


def test_examples_are_reported_with_their_note_and_all_that_is_known_of_the_claim(tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").write_text(FILE)
    (facts,) = rule_facts(["demo/first-pointer"], [str(tmp_path / "demo.yaml")]).values()
    assert facts.passing == (("I10 W01.0XXA", ""),)
    assert facts.failing == (("I10 W01.0XXA", "The first line; age 70, service lines pointing to 2 1 and 1"),)


def test_sources_are_reported_with_their_edition_as_findings_tell_them(tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").write_text(FILE)
    (facts,) = rule_facts(["demo/first-pointer"], [str(tmp_path / "demo.yaml")]).values()
    assert facts.sources == ("The book (3rd), p. 4",)
