from collections.abc import Iterable, Sequence
from typing import Final

from numpy import int32, int64, uint8
from numpy.typing import NDArray

NO_DAY: Final[int]
ID_TEXT: Final[int]
ID_ENDS: Final[int]
SERVICE: Final[int]
BIRTH: Final[int]
SEX: Final[int]
SETTING: Final[int]
ENVELOPE: Final[int]
SEGMENT: Final[int]
AT_LINE: Final[int]
AT_COLUMN: Final[int]
START: Final[int]
STOP: Final[int]
DX_ENDS: Final[int]
CODE_TEXT: Final[int]
CODE_ENDS: Final[int]
POA_TEXT: Final[int]
POA_ENDS: Final[int]
DX_SEGMENT: Final[int]
DX_ELEMENT: Final[int]
DX_LINE: Final[int]
DX_COLUMN: Final[int]
LINE_ENDS: Final[int]
LINE_NUMBER: Final[int]
POINTER_ENDS: Final[int]
POINTERS: Final[int]
MODIFIER_ENDS: Final[int]
MODIFIERS: Final[int]
UNITS: Final[int]
CHARGES: Final[int]
LINE_START: Final[int]
LINE_END: Final[int]
LINE_WORDS: Final[int]
WORDS: Final[int]
TABLES: Final[int]
PARTIES: Final[int]
ROW_FIELDS: Final[tuple[str, ...]]
LINE_FIELDS: Final[tuple[str, ...]]
ENVELOPE_TEXT: Final[int]
ENVELOPE_ENDS: Final[int]
ENVELOPE_KIND: Final[int]

Line = tuple[int, Sequence[int], Sequence[bytes], Sequence[bytes], float, float, int, int]

class Block:
    def __len__(self) -> int: ...
    def __buffer__(self, flags: int) -> memoryview: ...

class Reader:
    def __len__(self) -> int: ...
    def delimiters(self, signs: bytes) -> None: ...
    def place(self, offset: int, line: int, column: int, last_line: int) -> None: ...
    def placed(self) -> tuple[int, int, int, int]: ...
    def envelopes(self) -> int: ...
    def transaction(
        self,
        number: int,
        claims: int,
        sets: int,
        last_level: int,
        levels_counted: bool,
        in_837: bool,
        in_other: bool,
        kind: int,
        guide: int,
        control: bytes,
    ) -> None: ...
    def transacted(self) -> tuple[tuple[int, int, int, int, bool, bool, bool, int, int, bytes], int]: ...
    def patient(self, birth: int, sex: int, is_plain: bool, billing: bool, parties: Sequence[bytes]) -> None: ...
    def known_patient(self) -> tuple[int, int, bool, bool, tuple[bytes, ...]]: ...
    def read(self, text: bytes | memoryview) -> bool: ...
    def put(
        self,
        claim_id: bytes,
        service: int,
        birth: int,
        sex: int,
        setting: int,
        words: Sequence[bytes],
        diagnoses: Iterable[tuple[bytes, bytes]],
        lines: Iterable[Line],
    ) -> None: ...
    def take(self) -> list[Block]: ...

def places(
    columns: list[Block],
    rows: NDArray[int32],
    positions: NDArray[int32],
    prefixes: NDArray[uint8],
    prefix_ends: NDArray[int32],
    lines_out: NDArray[int64],
    index_out: NDArray[int32],
) -> tuple[Block, Block]: ...
