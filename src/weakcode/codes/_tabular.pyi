from collections.abc import Callable

from weakcode.codes.sources.tabular import TabularNode

class Reader:
    version: str | None
    chapters: list[TabularNode]
    places: dict[str, TabularNode]
    seventh: list[tuple[TabularNode, dict[str, str]]]
    def __init__(
        self, where: str, node: Callable[..., object], block: Callable[..., object], kinds: dict[str, str]
    ) -> None: ...
    def read(self, content: bytes) -> None: ...
