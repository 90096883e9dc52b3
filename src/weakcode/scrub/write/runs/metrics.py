"""The counts of a run in the text format of OpenMetrics, for Prometheus and what reads the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from weakcode.scrub.summary import Summary

METRICS_EXTENSIONS = (".prom", ".txt")


def openmetrics(summary: Summary) -> str:
    """Return the counts of a run as OpenMetrics text, which ends with `# EOF`. No claim is named in it."""
    lines: list[str] = []

    def family(name: str, help_: str, samples: list[tuple[Mapping[str, str], float]], unit: str = "") -> None:
        lines.append(f"# TYPE weakcode_{name} gauge")
        if unit:
            lines.append(f"# UNIT weakcode_{name} {unit}")
        lines.append(f"# HELP weakcode_{name} {help_}")
        for labels, value in samples:
            named = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
            lines.append(f"weakcode_{name}{{{named}}} {value:.15g}" if named else f"weakcode_{name} {value:.15g}")

    outcomes = {"evaluated": summary.evaluated, "rejected": summary.rejected}
    family("claims", "Claims of the last run by outcome.", [({"outcome": key}, n) for key, n in outcomes.items()])
    family("claims_clean", "Evaluated claims without a finding.", [({}, summary.clean)])
    family("claims_with_errors", "Evaluated claims with a finding that is an error.", [({}, summary.with_errors)])
    family("findings", "Findings by severity.", [({"severity": key}, n) for key, n in summary.by_severity.items()])
    family("findings_by_rule", "Findings by rule.", [({"rule": key}, n) for key, n in summary.by_rule.items()])
    family("findings_waived", "Waived findings, which are in no other count.", [({}, summary.waived)])
    family("run_kept", "1 where the findings of the run were put in their place.", [({}, int(summary.is_kept))])
    family("run_over_gate", "1 for each gate that the run is over.", [({"gate": gate}, 1) for gate in summary.over])
    family("run_duration_seconds", "How long the run took.", [({}, round(summary.seconds, 3))], "seconds")
    if summary.run is not None:
        ended = dt.datetime.fromisoformat(summary.run.ended).timestamp()
        family("run_ended_seconds", "When the run ended, in seconds since 1970.", [({}, ended)], "seconds")
    return "\n".join([*lines, "# EOF", ""])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
