"""Threads that judge claims one by one, in turn: `give_way` stands before each claim."""

from __future__ import annotations

import os

from weakcode.engines.kernel._kernel import forget_turns
from weakcode.engines.kernel._kernel import give_way as give_way

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_turns)
