"""The types of the native reader of FHIR."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

REFUSED: int
SOUND: int
ADDED: int
MORE: int
NO_DAY: int
ROW_WORDS: tuple[str, ...]
LINE_WORDS: tuple[str, ...]

Words = tuple[bytes, bytes, bytes]
"""The number of each word, and the ends and the text of the words."""
Line = tuple[int, Sequence[int], Sequence[bytes], float, float, int, int, bytes | None, bytes | None, bytes | None]

def holds(text: bytes, word: bytes) -> bool: ...

class Lines:
    def add(self, line: bytes) -> int: ...
    def add_at(self, text: bytes, at: int) -> tuple[int, int, bool]: ...
    def value_at(self, text: bytes, at: int) -> tuple[int, int]: ...

class Claims(Lines):
    count: int
    unknown_patients: int
    def __init__(
        self,
        systems: Sequence[str],
        kind_of: Callable[[bytes], tuple[bytes | None, str]],
        person_of: Callable[[str], tuple[bytes | None, bytes | None] | None] | None,
        poa_of: Callable[[bytes], bytes | None],
    ) -> None: ...
    def put(
        self,
        identity: bytes | None,
        order: int,
        service: int,
        birth: int,
        payers: Iterable[bytes],
        fields: Sequence[bytes | None],
        codes: Iterable[tuple[bytes, bytes | None]],
        lines: Iterable[Line],
        main_only: bool,
    ) -> None: ...
    def take(self) -> dict[str, Any]: ...
