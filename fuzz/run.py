"""Fuzz one reader: `python fuzz/run.py TARGET --seconds N`. Needs atheris (extra dev) and Python 3.11 to 3.13.

Starts from the kept corpus and works in a folder of its own, which it names. What breaks a promise is written there as
`crash-*`, `timeout-*` or `oom-*`; put it into `fuzz/corpus/TARGET` once mended, where the tests replay it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["weakcode"],
    exclude=["weakcode.engines.kernel._kernel", "weakcode.scrub.read.fhir._claims", "weakcode.scrub.read.x12._reader"],
):
    from binary import FORMS, MOST, mutated
    from targets import CORPUS, TARGETS
from words import WORDS


def main() -> None:
    """Run the fuzzer; ends with the first broken promise or after the time given."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("target", choices=TARGETS)
    reader.add_argument("--seconds", type=int, default=60)
    reader.add_argument(
        "--timeout", type=int, default=20, help="seconds that one input may take; more on a busy machine"
    )
    reader.add_argument("--folder", type=Path, help="where the working corpus and what breaks are kept")
    reader.add_argument("--seed", type=int, default=0, help="where the search begins; another one each time without it")
    given = reader.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix=f"fuzz-{given.target}-"))
    work = folder / "corpus"
    work.mkdir(parents=True, exist_ok=True)
    words = folder / "words"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in WORDS.get(given.target, ())), "ascii")
    binary = given.target in FORMS
    sys.stderr.write(f"working in {folder}\n")
    target = TARGETS[given.target]
    # What is loaded and compiled once must not count as the first input's time.
    for seed in sorted((CORPUS / given.target).iterdir()):
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
        *([f"-dict={words}"] if given.target in WORDS else []),
        f"-artifact_prefix={folder}/",
        str(work),
        str(CORPUS / given.target),
    ]
    mutator = {"custom_mutator": mutated(given.target, lambda data, most: atheris.Mutate(data, most))} if binary else {}
    atheris.Setup(arguments, target, **mutator)
    atheris.Fuzz()


def _escaped(word: str) -> str:
    """Return a word as a fuzzer's dictionary has it."""
    return "".join(chr(byte) if byte < 128 and chr(byte).isalnum() else f"\\x{byte:02x}" for byte in word.encode())


if __name__ == "__main__":
    main()
