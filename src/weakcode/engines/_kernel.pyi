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
    roles: int
    words: int
    def __init__(
        self,
        verb: Any,
        where: Any,
        spoken: Any,
        active: Any,
        about_claim: Any,
        about_codes: Any,
        code_conditions: Any,
        spans: Any,
        sets: int,
        universe: int,
        conditions: int,
        whole: Any,
        starts: Any,
        members: Any,
        subject_pointers: Any,
        subject_edits: Any,
        object_pointers: Any,
        object_edits: Any,
    ) -> None: ...
    def judge(
        self, tokens: list[int], classes: list[int], ids: tuple[int, ...], held: int
    ) -> list[tuple[int, int, int]]: ...
    def judge_batch(
        self,
        tokens: Any,
        bounds: Any,
        chosen: Any,
        about: Any,
        class_of: Any,
        billable: int,
        strange_class: Any,
        strange_id: Any,
    ) -> Any: ...

class Report:
    def __init__(self, rule_of: Any, either_way: Any, rank: Any, replaces_at: Any, replaces: Any) -> None: ...
    def findings(self, hits: Any, tokens: Any, bounds: Any, payer: Any, severity: Any) -> tuple[Any, int]: ...
    def new_variants(self) -> list[tuple[tuple[int, ...], int, int, int, int]]: ...
