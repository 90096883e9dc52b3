"""Try mutated inputs on a target, for the build with sanitizers: `make fuzz TARGET=x12-columns SECONDS=1200`.

Starts from the kept corpus, and from the folder of a search by `fuzz/run.py` (`--from`). Under the sanitizers of a
compiler the fuzzer of atheris sees no coverage, so inputs are only mutated here: bytes and numbers changed, words of
the format put in, stretches repeated, moved, joined or cut off. What breaks a promise is written to `--folder`, before
a sanitizer can end the process.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from targets import CORPUS, TARGETS
from words import WORDS

MOST = 1 << 14
"""Bytes of an input."""
SIGNS = b'*~:^>|\n\r{}[]",\\ 0123456789\x00\x7f\x80\xff'


def mutated(dice: random.Random, seeds: list[bytes], words: list[bytes]) -> bytes:
    """Return some input with one to eight changes."""
    data = bytearray(dice.choice(seeds))
    for _ in range(dice.choice((1, 1, 1, 2, 2, 3, 5, 8))):
        at, to = sorted(dice.randrange(len(data) + 1) for _ in range(2))
        to = min(to, at + dice.choice((1, 4, 16, 64, 512)))
        kind = dice.randrange(7)
        if kind == 0 and data:
            data[min(at, len(data) - 1)] = dice.choice(SIGNS) if dice.random() < 0.7 else dice.randrange(256)
        elif kind == 1:
            data[at:at] = dice.choice(words)
        elif kind == 2:
            del data[at:to]
        elif kind == 3:
            data[at:at] = data[at:to] * dice.choice((1, 1, 2, 20))
        elif kind == 4:
            other = dice.choice(seeds)
            start = dice.randrange(len(other) + 1)
            data[at:to] = other[start : start + dice.choice((8, 64, 512, MOST))]
        elif kind == 5:
            data[at:to] = bytes(dice.choice(SIGNS) for _ in range(dice.randrange(1, 20)))
        else:
            del data[at + dice.randrange(200) :]
    return bytes(data[:MOST])


def main() -> None:
    """Run until the time is over, or a promise is broken."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("target", choices=sorted(TARGETS))
    reader.add_argument("--seconds", type=float, default=60)
    reader.add_argument("--seed", type=int, default=0)
    reader.add_argument("--from", dest="search", type=Path, help="a folder of inputs beside the kept corpus")
    reader.add_argument("--folder", type=Path, help="where what breaks is kept")
    given = reader.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix=f"sanitized-{given.target}-"))
    folder.mkdir(parents=True, exist_ok=True)
    found = [*(CORPUS / given.target).iterdir(), *(given.search.iterdir() if given.search else ())]
    seeds = [path.read_bytes()[:MOST] for path in sorted(found)]
    words = [word.encode() for word in WORDS.get(given.target, ("I10",))]
    dice, target, tried = random.Random(given.seed), TARGETS[given.target], 0
    ends = time.monotonic() + given.seconds
    while time.monotonic() < ends:
        data = mutated(dice, seeds, words)
        (folder / "last").write_bytes(data)
        try:
            target(data)
        except BaseException:
            (folder / f"crash-{tried}").write_bytes(data)
            raise
        tried += 1
    sys.stdout.write(f"{given.target}: {tried:,} inputs from {len(seeds)} kept every promise\n")


if __name__ == "__main__":
    main()
