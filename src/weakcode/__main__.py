"""`python -m weakcode` is the command `weakcode`."""

from __future__ import annotations

from weakcode.cli import main

main(prog_name="weakcode")
