"""Limits on rejected claims and on claims with errors, beyond which a run has not gone well."""

from __future__ import annotations

import re

import attrs

from weakcode.errors import InputError

_LIMIT = re.compile(r"(\d{1,18})|(\d{1,3}(?:\.\d{1,6})?)\s*%")


@attrs.frozen
class Gate:
    """A limit: a number of claims, or a percentage of them. `name` is that of its option."""

    name: str
    limit: float
    is_share: bool

    @classmethod
    def of(cls, name: str, text: str) -> Gate:
        """Read `N` or `P%`; raises InputError for what is neither."""
        match = _LIMIT.fullmatch(text.strip())
        if match is None or (match[2] and float(match[2]) > 100):
            raise InputError(
                f'--{name} is a number of claims such as 10, or a percentage up to 100 such as 0.5%, found "{text}"'
            )
        return cls(name, float(match[2] or match[1]), match[2] is not None)

    def is_over(self, number: int, of: int) -> bool:
        """Tell whether so many of so many claims are more than the limit. Of no claims nothing is too much."""
        return number * 100 > self.limit * of if self.is_share else number > self.limit

    def __str__(self) -> str:
        return f"--{self.name} {self.limit:g}{'%' * self.is_share}"
