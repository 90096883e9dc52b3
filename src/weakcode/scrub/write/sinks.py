"""What findings are put into beside single files, and how they take the place of what is there."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import attrs

from weakcode.errors import InputError, did_you_mean
from weakcode.scrub.watching import Watcher
from weakcode.scrub.write.files import BatchWriter

if TYPE_CHECKING:
    import pyarrow as pa

    from weakcode.scrub.read.rows import Rejected
    from weakcode.scrub.summary import Summary

MODES = ("upsert", "run", "partition", "append", "replace")
"""What becomes of findings that are there: --into-mode."""
PARTITIONS = (
    "month",
    "service_date",
    "payer",
    "provider",
    "rule",
    "severity",
    "confidence",
    "edition",
    "denial_risk",
)
"""What findings are parted by: columns, and the month of the service date."""


def column_of(partition: str) -> str:
    """Return the column of findings that a partition is made of."""
    return "service_date" if partition == "month" else partition


class Sink(Watcher, BatchWriter):
    """Takes the findings of a run and puts them in their place together. Raises InputError in a sentence.

    It hears that the run starts before anything is written, and notes how it ends. Nobody sees what is written before
    `end`; `abandon` leaves everything as it was, but for the record of the run.
    """

    takes_changes: str | None = None
    """What is called by name where the findings of claims that are not judged stay as they are; None elsewhere."""
    wrote: str = ""
    """What `last_written` is when the run has ended."""

    def last_written(self) -> str:
        """Return what stands for the run that wrote there last; nothing where no earlier run is asked for."""
        return ""

    def judged(self, claim_ids: Iterable[str | None]) -> None:
        """Take down claims that were judged, where it matters which were."""

    def rejected(self, rejected: Rejected) -> None:
        """Write a rejected row, where those are asked for."""

    @abstractmethod
    def end(self, summary: Summary) -> None:
        """Put everything in its place, with the record of the run; of a run that is not kept, the record."""


@attrs.frozen
class Placing:
    """How findings take the place of others: a mode of `MODES`, and what `partition` parts them by.

    Raises InputError for what does not go together.
    """

    mode: str = "upsert"
    partition_by: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        for name in self.partition_by:
            if name not in PARTITIONS:
                raise InputError(
                    f'--partition-by cannot part findings by "{name}"{did_you_mean(name, PARTITIONS)}; it takes '
                    f"{', '.join(PARTITIONS)}"
                )
        if self.mode == "partition" and not self.partition_by:
            raise InputError("--into-mode partition needs --partition-by, which says what parts the findings")

    @classmethod
    def of(cls, mode: str | None, partition_by: str | None, *, is_folder: bool = False) -> Placing:
        """Read options; without a mode, tables are upserted and folders get the findings of the run."""
        names = tuple(name.strip() for name in (partition_by or "").split(",") if name.strip())
        if is_folder and mode == "upsert":
            raise InputError(
                "--into-mode upsert is for tables; a folder takes run, partition, append or replace, of which run is "
                "what it does unasked"
            )
        if not is_folder and names and mode != "partition":
            raise InputError("--partition-by goes with a folder, or with --into-mode partition")
        return cls(mode or ("run" if is_folder else "upsert"), tuple(dict.fromkeys(names)))


def partition_values(batch: pa.RecordBatch, names: Sequence[str]) -> list[pa.Array]:
    """Return what the findings of a batch are parted by, as text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = []
    for name in names:
        column = batch.column(column_of(name))
        if pa.types.is_dictionary(column.type):
            column = column.cast(pa.string())
        text = column.cast(pa.string())
        columns.append(pc.utf8_slice_codeunits(text, 0, 7) if name == "month" else text)
    return columns
