"""The rule file of a practice, for tests of rules that are not bundled."""

RULES = """\
pack: practice
title: Rules of our own
rules:
  - id: hypertension-first
    title: Hypertension not first
    severity: warning
    subject: I10
    position: first
    message: "{subject} stands first in this practice."
    why: So that the list reads alike.
    examples:
      pass: [I10 M62.84]
      fail: [M62.84 I10]
"""
