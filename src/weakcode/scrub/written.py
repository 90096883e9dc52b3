"""The outputs that this process has put in their places, for its last words."""

from __future__ import annotations

WRITTEN: list[str] = []
"""Names of files and tables, in the order in which they appeared."""
