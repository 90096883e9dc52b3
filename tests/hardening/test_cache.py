"""What happens to the cache folder while weakcode runs never changes a finding."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.forked import Forks

from weakcode.codes.storage import shape, store
from weakcode.rules.library import packs_folder

CODES = ("U09.9", "M62.84", "G20.A1", "E11.9", "I10", "I50.9")
# As if nothing were shipped, and with copies of two packs, which are compiled by themselves.
START = """
import sys
from pathlib import Path
from weakcode.codes.storage import shipped
shipped.folder = lambda: Path("nowhere")
shipped.is_checkout = lambda: False
PACKS = sys.argv[-2:]
"""
ONCE = f"""{START}
import weakcode
print([(f.rule, f.positions, f.message) for f in weakcode.check({CODES!r}, packs=PACKS)])
"""
# Judges a claim, says so, waits for a word, then judges again in the same process with all that it has in memory.
WAITING = f"""{START}
from weakcode import Claim, Validator
engine = sys.argv[1]
validator = Validator(PACKS, engine=engine)
def tell():
    print([(f.rule, f.positions, f.message) for f in validator.check(Claim(codes={CODES!r}))], flush=True)
tell()
sys.stdin.readline()
tell()
print(validator.rules_touching("J84.10"), flush=True)
"""


@pytest.fixture(scope="module", autouse=True)
def _copied(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("rules")
    PACKS[:] = [str(shutil.copy(packs_folder() / f"{name}.yaml", folder)) for name in ("weakness", "covid")]


PACKS: list[str] = []


def _environment(cache: Path) -> dict[str, str]:
    return {**os.environ, "WEAKCODE_CACHE_DIR": str(cache)}


def _findings(forks: Forks, cache: Path) -> str:
    done = forks.run(*PACKS, program=ONCE, folder=Path.cwd(), environment=_environment(cache))
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def cache(forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    _findings(forks, folder)
    return folder


@pytest.mark.parametrize(
    ("engine", "harm"), [("durable", "overwritten"), ("columnar", "cut short"), ("columnar", "emptied")]
)
def test_a_cache_that_is_damaged_under_a_running_process_changes_nothing(
    forks: Forks, cache: Path, engine: str, harm: str
) -> None:
    expected = _findings(forks, cache).strip()
    files = sorted(cache.glob("*.bin"))
    before = {path: path.read_bytes() for path in files}
    assert before
    with subprocess.Popen(
        [sys.executable, "-c", WAITING, engine, *PACKS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=_environment(cache),
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline().strip() == expected
        for path, content in before.items():
            # In place, so that whoever mapped the file would see it.
            with path.open("r+b") as file:
                if harm == "overwritten":
                    file.write(b"\xff" * len(content))
                else:
                    file.truncate(len(content) // 2 if harm == "cut short" else 0)
        second, touching = process.communicate("go\n")[0].splitlines()
    assert process.returncode == 0
    assert second == expected
    assert "('covid/post-covid-condition-first', 'object')" in touching
    assert _findings(forks, cache).strip() == expected, "the damaged cache is made anew"
    assert {path.name for path in cache.glob("*.bin")} >= {path.name for path in files}


def test_processes_that_fill_an_empty_cache_at_once_agree_and_leave_it_whole(
    forks: Forks, cache: Path, tmp_path: Path
) -> None:
    expected = _findings(forks, cache)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ONCE, *PACKS], stdout=subprocess.PIPE, text=True, env=_environment(tmp_path)
        )
        for _ in range(3)
    ]
    outputs = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert outputs == [expected] * 3
    assert not list(tmp_path.glob("*.tmp")), "nothing half-written stays"
    kinds = sorted(path.name.split("-")[0] for path in tmp_path.glob("*.bin"))
    assert kinds == ["edition", "program"], "one file of each kind, whoever came last"
    for path in tmp_path.glob("*.bin"):
        assert path.read_bytes()[:8] == b"WEAKCODE"
    assert _findings(forks, tmp_path) == expected


def test_a_cache_folder_that_may_not_be_written_is_done_without(forks: Forks, cache: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "a-file"
    blocked.write_text("no folder")
    assert _findings(forks, blocked / "cache") == _findings(forks, cache)


def _forged(content: bytes, at: int) -> bytes:
    """Return a container with another byte and the digest that goes with it, as anybody can work it out."""
    body = bytearray(content[40:])
    body[at] ^= 0x7F
    return b"".join(store.sealed(content[:40] + bytes(body), b""))


def test_what_somebody_else_made_to_fit_is_not_used(forks: Forks, cache: Path) -> None:
    expected = _findings(forks, cache)
    for path in cache.glob("*.bin"):
        content = path.read_bytes()
        assert store.open_bytes(_forged(content, len(content) // 2)) is not None, "whole, but for the secret"
        path.write_bytes(_forged(content, len(content) // 2))
        key = json.loads(content[48 : 48 + int.from_bytes(content[40:48], "little")])["key"]
        assert store.read(path, key) is None
    assert _findings(forks, cache) == expected


@pytest.mark.skipif(os.name != "posix", reason="needs owners and modes")
def test_folder_and_files_are_private_to_the_user(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "one.bin"
    before = os.umask(0)
    try:
        assert store.write(path, "key", {}, {})
    finally:
        os.umask(before)
    assert {one.name: one.stat().st_mode & 0o777 for one in path.parent.iterdir()} == {
        "one.bin": 0o600,
        "secret": 0o600,
    }
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.name != "posix", reason="needs owners and modes")
@pytest.mark.parametrize("what", ["", "one.bin", "secret"])
def test_what_others_may_write_is_not_used_and_reported_once(
    what: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "cache" / "one.bin"
    store.write(path, "key", {}, {})
    (path.parent / what).chmod(0o777)
    for _ in range(3):
        assert store.read(path, "key") is None
    assert len(caplog.messages) == 1
    assert f"chmod go-rwx {path.parent / what}" in caplog.text
    (path.parent / what).chmod(0o700)
    assert store.read(path, "key") is not None


@pytest.mark.skipif(os.name != "posix", reason="needs owners and modes")
def test_links_and_pipes_in_the_cache_are_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "one.bin"
    store.write(path, "key", {}, {})
    (tmp_path / "link.bin").symlink_to(path)
    os.mkfifo(tmp_path / "pipe.bin")
    assert store.read(tmp_path / "link.bin", "key") is None
    assert store.read(tmp_path / "pipe.bin", "key") is None


def test_compiled_files_have_the_declared_columns(forks: Forks, tmp_path: Path) -> None:
    _findings(forks, tmp_path)
    for path in tmp_path.glob("*.bin"):
        stored = store.open_bytes(path.read_bytes(), secret=(tmp_path / "secret").read_bytes())
        assert stored is not None
        declared = {"edition": shape.EDITION, "program": shape.PROGRAM}[path.name.split("-")[0]]
        assert shape.fits(stored.sections, declared)


@pytest.mark.parametrize("declared", [shape.EDITION, shape.PROGRAM])
def test_a_file_whose_columns_do_not_fit_each_other_is_not_there(declared: tuple[shape.Column, ...]) -> None:
    width = {"B": 1, "H": 2, "I": 4, "Q": 8}
    sections = {
        **{column.name: bytes(width[column.item] * column.more) for column in declared},
        **{column.ends: b"" for column in declared if column.ends},
    }
    sections |= {column.name: bytes(width[column.item]) for column in declared if column.ends}
    assert shape.fits(sections, declared)
    for column in declared:
        left = {name: part for name, part in sections.items() if name != column.name}
        assert not shape.fits(left, declared), column
        longer = {**sections, column.name: sections[column.name] + bytes(width[column.item])}
        others = [one for one in declared if column.name in (one.per, one.ends)]
        assert not shape.fits(longer, declared) or not (column.per or others), column
        assert width[column.item] == 1 or not shape.fits(
            {**sections, column.name: sections[column.name] + b"\1"}, declared
        )
        if column.ends:
            past = {**sections, column.name: (9).to_bytes(width[column.item], sys.byteorder)}
            assert not shape.fits(past, declared), column


def test_nothing_that_is_read_is_unpickled() -> None:
    project = Path(__file__).resolve().parents[2]
    for path in sorted((project / "src").rglob("*.py")):
        names = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {one.name.split(".")[0] for one in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add((node.module or "").split(".")[0])
        # Spark ships a validator from the driver to the workers of the same run.
        assert not names & {"pickle", "marshal", "shelve", "dill", "cloudpickle"} or path.parent.name == "spark", path
