from __future__ import annotations

import os
from pathlib import Path

import pytest

from weakcode.codes.sources import kept
from weakcode.codes.storage import store

SECTIONS = {"one": b"12345", "two": (7).to_bytes(8, "little") * 3, "none": b""}


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.bin"
    assert store.write(path, "key", {"a": [1, "é"]}, SECTIONS)
    stored = store.read(path, "key")
    assert stored is not None
    assert stored.meta == {"a": [1, "é"]}
    assert {name: bytes(view) for name, view in stored.sections.items()} == SECTIONS
    assert sorted(path.name for path in path.parent.iterdir()) == ["file.bin", "secret"]


def test_a_user_without_a_home_has_no_cache_and_nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: int) -> None:
        raise KeyError("no user of this number")

    # As in a container that runs under any number.
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", store.CACHE_VARIABLE, kept.DATA_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    assert not store.write(store.cache_dir() / "file.bin", "key", {}, SECTIONS)
    assert kept.installed(kept.folder()) == []
    assert not store.write_bytes(kept.folder() / "file.xml.xz", b"")


def test_sections_can_be_read_as_numbers(tmp_path: Path) -> None:
    stored = store.open_bytes(store.pack("key", {}, SECTIONS))
    assert stored is not None
    assert len(stored.sections["two"].cast("Q")) == 3


def test_any_single_changed_byte_is_noticed() -> None:
    good = store.pack("key", {"a": 1}, SECTIONS)
    for at in range(len(good)):
        bad = bytearray(good)
        bad[at] ^= 1
        assert store.open_bytes(bytes(bad), "key") is None


def test_a_truncated_file_is_not_there(tmp_path: Path) -> None:
    good = store.pack("key", {"a": 1}, SECTIONS)
    path = tmp_path / "file.bin"
    for size in range(len(good)):
        path.write_bytes(good[:size])
        assert store.read(path, "key") is None


def test_a_file_for_another_key_is_not_there(tmp_path: Path) -> None:
    store.write(tmp_path / "file.bin", "key", {}, SECTIONS)
    assert store.read(tmp_path / "file.bin", "other") is None


def test_a_missing_file_or_a_folder_is_not_there(tmp_path: Path) -> None:
    assert store.read(tmp_path / "nothing", "key") is None
    assert store.read(tmp_path, "key") is None


def test_a_folder_that_cannot_be_made_gives_false(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert not store.write(tmp_path / "file" / "deep.bin", "key", {}, SECTIONS)


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert not store.write(tmp_path / "file.bin", "key", {}, SECTIONS)
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_the_least_recently_used_file_is_removed_when_the_folder_grows_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = len(store.pack("key", {}, SECTIONS))
    monkeypatch.setattr(store, "MOST_KEPT", 3 * size)
    monkeypatch.setattr(store, "_WORTH_ROOM", size)
    for age, name in enumerate(("used", "older", "newer")):
        store.write(tmp_path / f"{name}.bin", "key", {}, SECTIONS)
        os.utime(tmp_path / f"{name}.bin", (age, age))
    (tmp_path / "of-somebody-else.txt").write_text("kept")
    assert store.read(tmp_path / "used.bin", "key")
    assert store.write(tmp_path / "newest.bin", "key", {}, SECTIONS)
    assert {path.name for path in tmp_path.iterdir()} == {
        *("newest.bin", "newer.bin", "used.bin"),
        *("of-somebody-else.txt", "secret"),
    }
    assert store.write(tmp_path / "large.bin", "key", {}, {**SECTIONS, "more": bytes(4 * size)})
    assert {path.name for path in tmp_path.glob("*.bin")} == {"large.bin"}


def test_the_cache_folder_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEAKCODE_CACHE_DIR", str(tmp_path))
    assert store.cache_dir() == tmp_path
    monkeypatch.delenv("WEAKCODE_CACHE_DIR")
    assert store.cache_dir().name == "weakcode"
