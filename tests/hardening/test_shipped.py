"""What is shipped compiled is used only where it is whole and made of what is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from weakcode.codes.storage import shipped, store


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "shipped").mkdir()
    monkeypatch.setattr(shipped, "folder", lambda: tmp_path / "shipped")
    return tmp_path / "cache" / "program-1.bin"


def test_a_shipped_file_that_is_damaged_or_made_of_something_else_is_not_there(place: Path) -> None:
    content = store.pack("of these sources", {"rules": 1}, {"column": b"12345678"})
    file = shipped.folder() / place.name
    file.write_bytes(content)
    stored = shipped.read(place, "of these sources")
    assert stored is not None
    assert dict(stored.meta) == {"rules": 1}
    assert shipped.read(place, "of other sources") is None
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert shipped.read(place, "of these sources") is None


def test_only_a_checkout_writes_where_shipped_files_lie(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = store.pack("of these sources", {}, {})
    monkeypatch.setattr(shipped, "is_checkout", lambda: False)
    assert shipped.keep(place, content, ships=True)
    assert not list(shipped.folder().iterdir())
    monkeypatch.setattr(shipped, "is_checkout", lambda: True)
    shipped.keep(place, content, ships=True)
    assert [path.name for path in shipped.folder().iterdir()] == [place.name]
