"""Refuses a commit whose subject is not `area: verb object` of under 72 characters; run by the commit hook."""

from __future__ import annotations

import re
import sys
from pathlib import Path

SUBJECT = re.compile(r"(?:fixup! )?[a-z0-9_./, -]+: [A-Za-z].*")


def complaint(message: str) -> str | None:
    """Return what is wrong with the subject of a commit message, or None."""
    subject = message.splitlines()[0] if message.strip() else ""
    if subject.startswith(("Merge ", "Revert ")):
        return None
    if not SUBJECT.fullmatch(subject):
        return f"{subject!r} is not `area: verb object`, as in `rules: cite the guideline section`"
    if len(subject) >= 72:
        return f"the subject has {len(subject)} characters; keep it under 72 and put the why in the body"
    return None


if __name__ == "__main__":
    wrong = complaint(Path(sys.argv[1]).read_text("utf-8"))
    if wrong:
        print(wrong, file=sys.stderr)
        sys.exit(1)
