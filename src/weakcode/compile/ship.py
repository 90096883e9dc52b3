"""Compiles what weakcode ships: the bundled Tabular List and the bundled packs.

`python -m weakcode.compile.ship` is run by setup.py when weakcode is built, from its sources, and fills their folder of
compiled files. Nothing that the user installed has a part in it.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from weakcode.codes.sources.kept import DATA_VARIABLE
from weakcode.codes.storage import shipped, store


def main() -> None:
    """Make anew what is shipped. Raises EditionError where the Tabular List is not installed."""
    from weakcode.codes.catalog import bundled
    from weakcode.codes.search.index import index_of
    from weakcode.compile.build import base_program

    for path in shipped.folder().glob("*.bin"):
        path.unlink()
    with tempfile.TemporaryDirectory() as empty:
        os.environ |= {store.CACHE_VARIABLE: str(Path(empty, "cache")), DATA_VARIABLE: str(Path(empty, "data"))}
        base_program(bundled())
        index_of(bundled(), ships=True)
    if len(list(shipped.folder().glob("*.bin"))) < 3:
        raise SystemExit(f"{shipped.folder()} cannot be written; what is bundled was not compiled")


if __name__ == "__main__":
    main()
