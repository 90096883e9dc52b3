"""A profile with the denial risks that were learnt."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from weakcode.report.learning.measure import Lesson
from weakcode.rules.profile import profile_text

SOURCE = "remittances"


def learnt_profile(lesson: Lesson, name: str, day: dt.date, known: Collection[str], extends: str | None = None) -> str:
    """Return the text of a profile that says of each rule and payer how likely its findings are denied.

    Rules of which too few claims were answered are not in it, nor are those that are not among the `known`.
    """
    general: dict[str, Any] = {}
    payers: dict[str, Any] = {}
    for one in lesson.risks:
        if one.level is not None and one.rule in known:
            low, high = one.interval
            at = f"{one.denied} of {one.answered} claims denied, {100 * low:.0f}% to {100 * high:.0f}%"
            into = payers.setdefault(one.payer, {"denial_risk": {}})["denial_risk"] if one.payer else general
            into[one.rule] = {"risk": one.level, "source": SOURCE, "at": at}
    content: dict[str, Any] = {"name": name}
    if extends is not None:
        content["extends"] = extends
    if general or payers:
        title = f"Denials of our own claims, {lesson.answers:,} answers"
        content["sources"] = {SOURCE: {"title": title, "publisher": "learned by weakcode", "edition": day.isoformat()}}
    if general:
        content["denial_risk"] = general
    if payers:
        content["payers"] = payers
    return profile_text(content)
