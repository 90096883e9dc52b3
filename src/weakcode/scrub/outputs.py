"""The outputs of a run: where they will be written, and the writers that are open meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from weakcode.errors import InputError
from weakcode.scrub.read.rows import Rejected
from weakcode.scrub.summary import JudgedBy, Summary
from weakcode.scrub.write.claims import CLAIMS_EXTENSIONS
from weakcode.scrub.write.files import BatchWriter, Outputs
from weakcode.scrub.write.findings import FINDINGS_EXTENSIONS, findings_writer
from weakcode.scrub.write.inplace import EXCEL_EXTENSIONS, FHIR_EXTENSIONS, TABLE_EXTENSIONS, X12_EXTENSIONS
from weakcode.scrub.write.inplace.choice import mended_writer
from weakcode.scrub.write.pseudonyms import HashedIds
from weakcode.scrub.write.rejects import REJECTS_EXTENSIONS, RejectsWriter
from weakcode.scrub.write.runs.metrics import METRICS_EXTENSIONS, openmetrics
from weakcode.scrub.write.uploads import ObjectStorage, checked_target, usual_name

if TYPE_CHECKING:
    import pyarrow as pa

    from weakcode.scrub.run import Plan
    from weakcode.scrub.unchanged import UnchangedClaims
    from weakcode.scrub.write.digests import DigestsWriter
    from weakcode.scrub.write.fixed import MendedWriter
    from weakcode.scrub.write.sinks import Sink


_USUAL = {
    "output": "findings.parquet", "rejects": "rejects.jsonl", "summary": "summary.json", "metrics": "metrics.prom",
    "digests": "digests.parquet",
}  # fmt: skip
"""What outputs are called in a folder."""


@attrs.frozen
class Targets:
    """Where what is asked for will be written: findings, as `output`, and what else there is."""

    output: Path | None
    rejects: Path | None
    summary: Path | None
    fixed: Path | None
    metrics: Path | None
    addresses: Mapping[Path, str]
    """What goes into object storage, by the files that are written."""
    digests: Path | None = None

    @classmethod
    def of(cls, plan: Plan) -> Targets:
        """Check the outputs before any work is done; raises InputError for one that cannot be."""
        allowed = {
            "output": FINDINGS_EXTENSIONS,
            "rejects": REJECTS_EXTENSIONS,
            "summary": (".json",),
            "metrics": METRICS_EXTENSIONS,
            "digests": (".parquet",),
            "fixed": tuple(
                dict.fromkeys(
                    (*CLAIMS_EXTENSIONS, *X12_EXTENSIONS, *FHIR_EXTENSIONS, *TABLE_EXTENSIONS, *EXCEL_EXTENSIONS)
                )
            ),
        }
        inputs = [os.fspath(path) for path in plan.inputs]
        values = {name: getattr(plan, name) for name in allowed}
        usual = {**_USUAL, "fixed": usual_name(inputs, allowed["fixed"])}
        checked: dict[str, Path | None] = dict.fromkeys(allowed)
        addresses: dict[Path, str] = {}
        for name, path in values.items():
            if path is not None:
                target, address = checked_target(path, allowed[name], inputs, usual[name])
                checked[name] = target
                if address is not None:
                    addresses[target] = address
        targets = [target for target in checked.values() if target is not None]
        for target in targets:
            if targets.count(target) > 1:
                raise InputError(f"{target} is named for two outputs; give each a name of its own")
        findings, digests = checked["output"], checked["digests"]
        table = None if plan.sink is None else plan.sink.takes_changes
        if digests is not None and table is None and (findings is None or findings.suffix.lower() != ".parquet"):
            raise InputError(
                "--digests goes with -o FILE.parquet, from which the next run takes findings, or with --into TABLE "
                "(upsert), in which they stay"
            )
        if table is not None and findings is not None and (digests is not None or plan.since is not None):
            raise InputError("--digests and --since go with -o FILE.parquet or with --into TABLE, not with both")
        if digests is not None and (digests in addresses or findings in addresses):
            raise InputError("--digests goes with -o FILE.parquet on this machine, not in object storage")
        return cls(**checked, addresses=addresses)

    @contextmanager
    def opened(self, plan: Plan) -> Iterator[OpenOutputs]:
        """Open the outputs; what is not finished when the block is left is removed."""
        judged_by, raw_csv = plan.judged_by or JudgedBy(), plan.raw_csv
        with ExitStack() as stack:
            outputs = stack.enter_context(Outputs(self.addresses, ObjectStorage()))
            table = self.output and findings_writer(
                self.output, outputs.open(self.output), judged_by.columns(), raw_csv=raw_csv
            )
            tables = [writer for writer in (table, plan.sink) if writer]
            for writer in tables:
                stack.callback(writer.abandon)
            aside = None
            if self.rejects:
                aside = RejectsWriter(self.rejects, outputs.open(self.rejects), raw_csv=raw_csv)
                stack.callback(aside.abandon)
            corrected: MendedWriter | None = None
            if self.fixed is not None and plan.mend is not None:
                options = plan.options if plan.mapping is None else attrs.evolve(plan.options, mapping=plan.mapping)
                corrected = mended_writer(
                    self.fixed,
                    outputs.open(self.fixed),
                    plan.mend,
                    () if plan.query else plan.inputs,
                    options,
                    raw_csv=raw_csv,
                )
                stack.callback(corrected.abandon)
            digests = None
            since = _since(plan)
            where = self.output or (plan.sink.takes_changes if plan.sink is not None else None)
            if self.digests and where:
                from weakcode.scrub.write.digests import DigestsWriter

                digests = DigestsWriter(
                    self.digests, outputs.open(self.digests), where, None if since is None else since.stays_in_table
                )
                stack.callback(digests.abandon)
            hide = None if plan.hash_key is None else HashedIds(plan.hash_key)
            yield OpenOutputs(
                outputs,
                tables,
                aside,
                self.summary,
                corrected,
                hide,
                [path for path in (self.output, self.fixed, self.digests) if path],
                plan.run_id is not None,
                plan.sink,
                self.metrics,
                digests,
                since,
            )


def _since(plan: Plan) -> UnchangedClaims | None:
    """Return what tells which claims of a run are unchanged, where it is asked to tell."""
    if plan.columns is None or plan.of_run is None or (plan.digests is None and plan.since is None):
        return None
    from weakcode.scrub.unchanged import UnchangedClaims
    from weakcode.scrub.write.digests import earlier_claims

    table = None if plan.sink is None else plan.sink.takes_changes
    earlier = None if plan.since is None else earlier_claims(plan.since, table)
    if earlier is not None and plan.sink is not None and plan.sink.last_written() != earlier.wrote:
        raise InputError(
            f"--since goes with the run that wrote last into the table {table}, and another one did; run once without "
            "--since"
        )
    return UnchangedClaims(plan.columns, plan.of_run, earlier)


@attrs.frozen
class OpenOutputs:
    """The open outputs of a scrub."""

    _outputs: Outputs
    tables: Sequence[BatchWriter]
    _aside: RejectsWriter | None
    _summary: Path | None
    corrected: MendedWriter | None
    hide: HashedIds | None
    _kept: Sequence[Path]
    """Outputs that appear only where the run is kept."""
    _names_run: bool
    sink: Sink | None
    _metrics: Path | None
    digests: DigestsWriter | None
    since: UnchangedClaims | None = None

    def findings(self, batches: Iterable[pa.RecordBatch]) -> None:
        for batch in batches:
            for writer in self.tables:
                writer.write(batch)
            if self.digests:
                self.digests.findings(batch)

    def rejected(self, rejected: Iterable[Rejected]) -> None:
        if self._aside or self.sink:
            for one in rejected:
                row = self.hide.rejected(one) if self.hide else one
                if self._aside:
                    self._aside.write(row)
                if self.sink:
                    self.sink.rejected(row)

    def ready(self, summary: Summary) -> None:
        """Write what is left to write of files, so that a full disk shows before anything is in its place."""
        metadata = summary.metadata(run=self._names_run)
        for writer in self.tables:
            if summary.is_kept:
                writer.finish(metadata)
            elif writer is not self.sink:
                writer.abandon()
        if self.corrected:
            if summary.is_kept:
                self.corrected.finish(metadata)
            else:
                self.corrected.abandon()
        if not summary.is_kept:
            if self.digests:
                self.digests.abandon()
            self._outputs.drop(self._kept)
        elif self.digests and self.sink is None:
            self.digests.finish(metadata, "")
        if self._aside:
            self._aside.finish()
        if self._summary:
            self._outputs.write(self._summary, summary.to_json().encode("utf-8", "backslashreplace") + b"\n")
        if self._metrics:
            self._outputs.write(self._metrics, openmetrics(summary).encode("utf-8", "backslashreplace"))
        self._outputs.flush()

    def finish(self, summary: Summary) -> None:
        """Put everything in its place; of a run that is not kept, what tells why."""
        if self.sink:
            self.sink.end(summary)
        if self.digests and self.sink and summary.is_kept:
            # They say as which of its runs the table has this one.
            self.digests.finish(summary.metadata(run=self._names_run), self.sink.wrote)
        self._outputs.commit()
