"""What day it is: claims without a date are judged by the codes of the day of the run."""

from __future__ import annotations

import datetime as dt
import os

from weakcode.errors import InputError

VARIABLE = "WEAKCODE_TODAY"


def today() -> dt.date:
    """Return the day of the run: ``WEAKCODE_TODAY`` (YYYY-MM-DD), so that a run can be repeated, or else today."""
    variable = os.environ.get(VARIABLE)
    if not variable:
        return dt.date.today()
    try:
        return dt.date.fromisoformat(variable)
    except ValueError:
        raise InputError(f'{VARIABLE} is "{variable}", which is not a date; write it as YYYY-MM-DD') from None
