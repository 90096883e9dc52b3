from collections.abc import Callable
from typing import Any

EMPTY: int
NO_TEXT: int

class CodeIndex:
    billable: int
    def __init__(self, keys: Any) -> None: ...

class Reading:
    names: list[str]
    def __init__(self, index: CodeIndex) -> None: ...
    def tokens(self, data: Any, low: Any, high: Any, out: Any, canonical: Callable[[str], str]) -> None: ...

def pick_lists(bounds: Any, values: Any, picked: Any) -> tuple[Any, Any]: ...
def pick_texts(bounds: Any, data: Any, picked: Any) -> tuple[Any, Any]: ...
def pick_above_zero(one: Any, other: Any) -> tuple[Any, Any]: ...
def split(data: Any, bounds: Any, counts: Any) -> Any: ...

class Tables:
    classes: int
    words: int
    def __init__(
        self,
        column: Callable[[str], memoryview],
        active: Any,
        spoken: Any,
        about_claim: Any,
        about_codes: Any,
        code_conditions: Any,
        condition_sets: Any,
        whole: Any,
        wide: Any,
        universe: int,
        conditions: int,
    ) -> None: ...
    def judge(self, tokens: list[int], ids: tuple[int, ...], held: int) -> list[tuple[int, int, int]]: ...
    def judge_batch(self, tokens: Any, bounds: Any, chosen: Any, about: Any, billable: int, strange: Any) -> Any: ...

class Report:
    def __init__(self, rule_of: Any, either_way: Any, rank: Any, replaces_at: Any, replaces: Any) -> None: ...
    def findings(self, hits: Any, tokens: Any, bounds: Any, payer: Any, severity: Any) -> tuple[Any, int]: ...
    def new_variants(self) -> list[tuple[tuple[int, ...], int, int, int, int]]: ...
