"""What the tests of codes share: the bundled edition, compiled into a folder of its own."""

from __future__ import annotations

import lzma
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from weakcode.codes import catalog
from weakcode.codes.edition import Edition


@pytest.fixture(scope="session")
def edition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edition]:
    """The April 2026 edition."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WEAKCODE_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield catalog.edition_for(date(2026, 4, 1))


@pytest.fixture(scope="session")
def order_file(shared: Path) -> Callable[[int], dict[str, tuple[bool, str]]]:
    """Reads CMS's order file of a year: for each compact code whether it is billable, and its long title."""

    def read(year: int) -> dict[str, tuple[bool, str]]:
        text = lzma.decompress((shared / "icd10cm" / f"icd10cm_order_{year}.txt.xz").read_bytes()).decode()
        return {line[6:14].strip(): (line[14] == "1", line[77:].strip()) for line in text.splitlines()}

    return read
