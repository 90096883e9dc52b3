"""The last words of a command are true, and no input, name or stream makes it end with status 70."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.forked import Forks

from weakcode.cli import main
from weakcode.scrub.write.files import Outputs

CLAIMS = "claim_id,codes\nA,M62.84 I10\n"
ODD = os.fsdecode(b"\xff\xfe")
PREPARED = "import sys; from weakcode.cli import main; main(sys.argv[1:])"


def shell(folder: Path, command: str) -> tuple[int, str, str]:
    """Run weakcode as a shell does, with its redirections."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
    done = subprocess.run(
        ["bash", "-c", command.replace("weakcode", f"{sys.executable} -c '{PREPARED}'")],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "c.csv").write_text(CLAIMS)
    return tmp_path


def test_with_standard_output_full_or_closed_it_says_what_is_written(folder: Path) -> None:
    for number, (stream, why) in enumerate(
        {">/dev/full": "standard output cannot be written: No space left", ">&-": "standard output is closed"}.items()
    ):
        output = f"f{number}.parquet"
        status, _, said = shell(folder, f"weakcode scrub c.csv --only weakness -o {output} {stream}")
        assert (status, said.count("\n")) == (2, 1), said
        assert why in said
        assert f"written before: {folder / output}" in said
        assert (folder / output).stat().st_size
        status, _, said = shell(folder, f"weakcode check I10 --only weakness {stream}")
        assert (status, said.count("\n")) == (2, 1), said
        assert "written" not in said.replace("cannot be written", "")


def test_with_standard_error_closed_or_full_the_work_is_done(folder: Path) -> None:
    for number, stream in enumerate(["2>&-", "2>/dev/full"]):
        output = f"g{number}.csv"
        status, out, _ = shell(folder, f"weakcode scrub c.csv --only weakness -o {output} {stream}")
        assert (status, "1 claim in" in out) == (1, True)
        assert (folder / output).exists()
    assert shell(folder, "weakcode check --age x I10 2>&-")[0] == 2
    assert shell(folder, "weakcode scrub none.csv <&- >&- 2>&-")[0] == 2
    # A file that is opened while standard output is closed does not get its number, and what is printed.
    shell(folder, "weakcode scrub c.csv --only weakness -o h.csv <&- >&- 2>&-")
    assert (folder / "h.csv").read_text().startswith('"claim_id",finding_id')


def test_text_that_is_not_utf8_is_not_a_bug(folder: Path, forks: Forks) -> None:
    name = f"c{ODD}.csv"
    (folder / name).write_text(CLAIMS)
    (folder / "s.jsonl").write_text('{"claim_id": "\\ud800", "codes": ["I10"]}\n{"claim_id": "A", "codes": "M62.84"}\n')
    weakness = ["--only", "weakness"]
    outputs = ["-o", f"f{ODD}.parquet", "--rejects", f"r{ODD}.csv", "--summary", f"s{ODD}.json"]
    commands = [
        ["scrub", name, *weakness, *outputs],
        ["scrub", name, *weakness, "--fix", f"m{ODD}.csv"],
        ["scrub", name, *weakness, "--format", "json"],
        ["scrub", "s.jsonl", *weakness, "-o", "s.csv", "--rejects", "sr.jsonl"],
        ["check", f"I10{ODD}", "M62.84", "--payer", ODD, *weakness],
        ["check", "I10", *weakness, "--age", ODD],
        ["check", "I10", "--profile", f"{ODD}.yaml"],
        ["check", "I10", "--documented", ODD],
        ["find", ODD],
        ["code", ODD],
        ["rules", "show", ODD],
        [ODD],
    ]
    said = [(one, forks.run(*one, folder=folder)) for one in commands]
    for variable, value, one in (
        ("WEAKCODE_CACHE_DIR", f"{folder}/k{ODD}", ["check", "I10", *weakness]),
        ("WEAKCODE_HASH_KEY", ODD, ["scrub", "c.csv", *weakness, "--hash-ids", "-o", "k.csv"]),
    ):
        said.append((one, forks.run(*one, folder=folder, environment={**os.environ, variable: value})))
    for one, done in said:
        assert done.returncode in (0, 1, 2), (one, done)
        assert "inside weakcode" not in done.stderr + done.stdout, (one, done)
    assert (folder / f"f{ODD}.parquet").exists()
    # The encoding is chosen while Python starts.
    command = "PYTHONIOENCODING=ascii weakcode scrub c$'\\xff\\xfe'.csv --only weakness"
    status, out, words = shell(folder, command)
    assert status in (0, 1, 2), (status, out, words)
    assert "inside weakcode" not in words + out


def test_odd_files_are_one_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)

    def ended(command: str) -> tuple[int | str | None, str]:
        """Run weakcode in this process, whose streams are as they should be."""
        with pytest.raises(SystemExit) as end:
            main(command.split())
        return end.value.code, capfd.readouterr().err

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "socket.csv"))
        with (folder / "sparse.csv").open("wb") as file:
            file.truncate(1 << 42)
        (folder / "locked.csv").write_text(CLAIMS)
        (folder / "locked.csv").chmod(0)
        (folder / "loop.csv").symlink_to("loop.csv")
        (folder / "folder.csv").mkdir()
        names = ["socket.csv", "sparse.csv", "loop.csv", "folder.csv", "/dev/null", "/dev/zero", "/proc/self/mem"]
        for name in [*names, *([] if os.geteuid() == 0 else ["locked.csv"])]:
            for command in (
                f"scrub {name} -o f.csv",
                f"scrub {name} --map id=A,codes=B",
                f"check I10 --waivers {name}",
            ):
                status, said = ended(command)
                assert (status, said.count("\n")) == (2, 1), (command, said)
                assert said.startswith("weakcode: ")
        for name in ("socket.csv", "/dev/null", "loop.csv"):
            assert ended(f"scrub c.csv -o {name}")[0] == 2
    assert not (folder / "f.csv").exists()


def test_a_pipe_whose_reader_has_gone_is_not_a_bug(folder: Path) -> None:
    (folder / "many.csv").write_text("claim_id,codes\n" + "A,M62.84 I10\n" * 3000)
    status, out, said = shell(
        folder, "set -o pipefail; weakcode scrub many.csv --only weakness | head -1; exit ${PIPESTATUS[0]}"
    )
    assert (status, out.count("\n"), said) == (141, 1, "")


def test_partial_files_are_their_users_alone_and_dead_ones_go_with_the_next_run(tmp_path: Path) -> None:
    target = tmp_path / "f.csv"
    with Outputs() as alive:
        alive.open(target).write(b"x")
        (living,) = tmp_path.iterdir()
        assert living.stat().st_mode & 0o777 == 0o600
        # What a killed run leaves has no lock.
        dead = tmp_path / f".other.csv.weakcode-{'0' * 8}.partial"
        dead.write_bytes(b"claims")
        theirs = [tmp_path / ".f.csv.abcdefgh.partial", tmp_path / "f.csv.weakcode-00000000.partial"]
        for path in theirs:
            path.write_bytes(b"not weakcode's")
        link = tmp_path / f".link.weakcode-{'1' * 8}.partial"
        link.symlink_to(theirs[0])
        with Outputs() as following:
            following.open(tmp_path / "g.csv").write(b"y")
            assert not dead.exists()
            assert living.exists()
            following.commit()
        assert link.is_symlink()
        assert all(path.exists() for path in theirs)
        alive.commit()
    assert (target.read_bytes(), (tmp_path / "g.csv").read_bytes()) == (b"x", b"y")
    umask = os.umask(0)
    os.umask(umask)
    assert target.stat().st_mode & 0o777 == 0o666 & ~umask
    target.chmod(0o640)
    with Outputs() as replacing:
        replacing.open(target).write(b"z")
        replacing.commit()
    assert (target.read_bytes(), target.stat().st_mode & 0o777) == (b"z", 0o640)


def test_a_killed_run_leaves_nothing_that_others_can_read(folder: Path) -> None:
    script = (
        "import os, signal\nfrom pathlib import Path\nfrom weakcode.scrub.write.files import Outputs\n"
        "with Outputs() as outputs:\n file = outputs.open(Path('f.csv'))\n file.write(b'claims')\n file.flush()\n"
        " os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=folder, check=False)
    (left,) = folder.glob(".f.csv.*")
    assert left.stat().st_mode & 0o777 == 0o600
    with left.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # as a run that is alive does
        with Outputs() as outputs:
            outputs.open(folder / "g.csv")
        assert left.exists()
    with Outputs() as outputs:
        outputs.open(folder / "g.csv")
    assert not left.exists()
