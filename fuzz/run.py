"""Fuzz readers: `python fuzz/run.py TARGET... --seconds N`. Needs atheris (extra dev) and Python 3.11 to 3.13.

Starts from the kept corpus and works in a folder of its own, which it names. What breaks a promise is written there as
`crash-*`, `timeout-*` or `oom-*`; put it into `fuzz/corpus/TARGET` once fixed, where the tests replay it. Several
targets are fuzzed one after the other, each in a folder below that one, with what the fuzzer says in its `log`.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

import atheris

with atheris.instrument_imports(
    include=["weakcode"],
    exclude=["weakcode.engines.kernel._kernel", "weakcode.scrub.read.fhir._claims", "weakcode.scrub.read.x12._reader"],
):
    from binary import FORMS, MOST, mutated
    from targets import CORPUS, TARGETS
from words import WORDS


def main() -> None:
    """Run the fuzzer; one target ends with the first broken promise or after the time given."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("targets", choices=TARGETS, nargs="+", metavar="TARGET", help=", ".join(TARGETS))
    reader.add_argument("--seconds", type=int, default=60, help="how long each target is fuzzed")
    reader.add_argument(
        "--timeout", type=int, default=20, help="seconds that one input may take; more on a busy machine"
    )
    reader.add_argument("--folder", type=Path, help="where the working corpus and what breaks are kept")
    reader.add_argument("--seed", type=int, default=0, help="where the search begins; another one each time without it")
    given = reader.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="fuzz-"))
    sys.stderr.write(f"working in {folder}\n")
    if len(given.targets) == 1:
        _fuzz(given.targets[0], folder, given)
    # The imports, which take longest, serve all targets; the fuzzer ends the process that it runs in.
    broken = [target for target in given.targets if _fuzz_in_a_fork(target, folder / target, given)]
    if broken:
        sys.exit(f"a promise is broken: {', '.join(broken)}")


def _fuzz_in_a_fork(target: str, folder: Path, given: argparse.Namespace) -> int:
    folder.mkdir(exist_ok=True)
    child = os.fork()
    if child == 0:
        log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(log, 1)
        os.dup2(log, 2)
        _fuzz(target, folder, given)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _fuzz(name: str, folder: Path, given: argparse.Namespace) -> NoReturn:
    work = folder / "corpus"
    work.mkdir(parents=True, exist_ok=True)
    words = folder / "words"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in WORDS.get(name, ())), "ascii")
    binary = name in FORMS
    target = TARGETS[name]
    # What is loaded and compiled once must not count as the first input's time.
    for seed in sorted((CORPUS / name).iterdir()):
        target(seed.read_bytes())
    arguments = [
        sys.argv[0],
        f"-max_total_time={given.seconds}",
        f"-timeout={given.timeout}",
        f"-seed={given.seed}",
        "-rss_limit_mb=3000",
        f"-max_len={MOST if binary else 8192}",
        "-print_final_stats=1",
        # A dictionary without words would end the fuzzer at once.
        *([f"-dict={words}"] if name in WORDS else []),
        f"-artifact_prefix={folder}/",
        str(work),
        str(CORPUS / name),
    ]
    mutator = {"custom_mutator": mutated(name, lambda data, most: atheris.Mutate(data, most))} if binary else {}
    atheris.Setup(arguments, target, **mutator)
    atheris.Fuzz()
    sys.exit()


def _escaped(word: str) -> str:
    """Return a word as a fuzzer's dictionary has it."""
    return "".join(chr(byte) if byte < 128 and chr(byte).isalnum() else f"\\x{byte:02x}" for byte in word.encode())


if __name__ == "__main__":
    main()
