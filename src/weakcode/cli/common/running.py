"""While a long command runs: how far it is, and how it ends."""

from __future__ import annotations

import glob
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from weakcode.base.progress import doing
from weakcode.cli.common.output import is_logged, on_terminal, say
from weakcode.errors import InputError
from weakcode.scrub.watching import minutely, progress_text

_PACKED = (b"\x1f\x8b", b"\xfd7zX", b"PK\x03\x04")


_ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
_ARENAS = -8
"""M_ARENA_MAX of glibc's mallopt."""


def few_pools(threads: int) -> None:
    """Keep memory for columns in few pools: one of the C library, and of several threads jemalloc's for Arrow.

    Threads that take turns with batches leave each pool with memory that the next batch cannot have, hundreds of
    megabytes in all. The C library's also grows from batch to batch where Arrow's columns lie among others. Where
    ARROW_DEFAULT_MEMORY_POOL or MALLOC_ARENA_MAX says otherwise, that counts; Arrow's pool is chosen when it is
    imported.
    """
    if "ARROW_DEFAULT_MEMORY_POOL" not in os.environ:
        os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "jemalloc" if threads > 1 and _has_jemalloc() else "system"
    if "MALLOC_ARENA_MAX" not in os.environ:
        import ctypes

        with suppress(AttributeError, OSError, TypeError):  # another C library
            ctypes.CDLL(None).mallopt(_ARENAS, max(1, threads // 4))


def _has_jemalloc() -> bool:
    """Tell whether Arrow was built with jemalloc, without importing it: asked for what it lacks, it complains."""
    found = importlib.util.find_spec("pyarrow")
    for folder in (found.submodule_search_locations if found else None) or ():
        with suppress(OSError, UnicodeDecodeError):
            settings = Path(folder, "include", "arrow", "util", "config.h").read_text("utf-8")
            return "#define ARROW_JEMALLOC" in settings.splitlines()
    return False


class _HiddenPandas:
    """Finds no pandas for whoever imports it."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("pandas is hidden", name=name)


def without_pandas() -> None:
    """Have Arrow do without pandas, which no command needs: its import takes a quarter of a second where it is there.

    Arrow looks for pandas once, when it first converts something, and converts by itself where it finds none.
    """
    import pyarrow as pa

    sys.meta_path.insert(0, _HiddenPandas)
    try:
        pa.array([])
    finally:
        sys.meta_path.remove(_HiddenPandas)


@contextmanager
def shown_progress(inputs: Sequence[str], *, shown: bool) -> Iterator[Callable[[int, int, int], None] | None]:
    """Show a progress bar on a terminal, unless the findings are printed there; without one, a line a minute."""
    if is_logged():
        yield minutely(bytes_in(inputs))
        return
    if not shown:
        yield None
        return
    if not on_terminal(sys.stderr):
        yield minutely(bytes_in(inputs), lambda state, _: say(f"weakcode: {state}", err=True))
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("Scrubbing"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[state]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=bytes_in(inputs), state="")
        started = time.perf_counter()

        def tell(bytes_read: int, claims: int, findings: int) -> None:
            line = progress_text(claims, findings, time.perf_counter() - started)
            bar.update(task, completed=bytes_read, state=line)

        yield tell


def bytes_in(inputs: Sequence[str]) -> int | None:
    """Return the size of all files, or None where that does not tell how much there is to read."""
    from weakcode.scrub.read.places import Places, is_address

    if any(map(is_address, inputs)):
        return None
    try:
        files = Places.of(inputs).files
    except InputError:  # The run says what is wrong with them.
        return None
    total = 0
    for name in files:
        path = Path(name)
        if not path.is_file():
            return None
        try:
            with path.open("rb") as file:
                packed = file.read(4).startswith(_PACKED)
            size = path.stat().st_size
        except OSError:  # The reader says what is wrong with it.
            return None
        if packed:
            return None
        total += size
    return total or None


@contextmanager
def working(what: str) -> Iterator[None]:
    """Tell on a terminal what is being done once it has taken a second; elsewhere nothing."""
    with doing(what) if on_terminal(sys.stderr) else nullcontext():
        yield


@contextmanager
def terminable() -> Iterator[None]:
    """Make SIGTERM and SIGHUP end the command as Ctrl-C does, so that no half-written file stays.

    A signal that is ignored stays ignored, as SIGHUP is below nohup.
    """

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before: dict[int, Any] = {}
    try:
        with suppress(ValueError):  # not in the main thread, where signals cannot be handled
            for number in _ENDING:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    before[number] = signal.signal(number, stop)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def expanded(inputs: Sequence[str]) -> list[str]:
    """Return the inputs with patterns such as `claims-*.parquet` replaced by the files they match, in order."""
    paths: list[str] = []
    for text in inputs:
        found = sorted(glob.glob(text, recursive=True)) if glob.has_magic(text) and not os.path.exists(text) else []  # noqa: PTH110, PTH207
        paths += found or [text]
    return paths
