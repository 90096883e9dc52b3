"""What the server counts, in Prometheus' text format. Counts of all processes stand in memory that they share.

Nothing in it is about a claim: routes by their pattern, statuses, and how many claims and findings there were.
"""

from __future__ import annotations

import mmap
from bisect import bisect_left
from collections.abc import Iterable

import numpy as np

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
STATUSES = ("2xx", "3xx", "4xx", "5xx")
SEVERITIES = ("error", "warning", "info")
_CLAIMS = ("evaluated", "rejected")


class Metrics:
    """Counters for each process and route. Each process writes into its own row, so that none needs a lock."""

    def __init__(self, routes: Iterable[str], processes: int = 1) -> None:
        self._routes = {route: number for number, route in enumerate((*routes, "other"))}
        self._each = len(STATUSES) + len(SECONDS) + 2
        self._width = len(self._routes) * self._each + len(SEVERITIES) + len(_CLAIMS)
        memory = mmap.mmap(-1, max(1, processes) * self._width * 8)
        self._all = np.frombuffer(memory, np.float64).reshape(max(1, processes), self._width)
        self._memory = memoryview(memory).cast("d")
        self.join(0)

    def join(self, process: int) -> None:
        """Count for a process, by its number from 0, from now on."""
        self._own = self._memory[process * self._width : (process + 1) * self._width]

    def _blocks(self, row: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        ends = len(self._routes) * self._each
        return row[:ends].reshape(len(self._routes), self._each), row[ends:-2], row[-2:]

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        own, at = self._own, self._each * self._routes.get(route, len(self._routes) - 1)
        own[at + min(max(status // 100, 2), 5) - 2] += 1
        own[at + len(STATUSES) + bisect_left(SECONDS, seconds)] += 1
        own[at + self._each - 1] += seconds

    def claim(self, severities: Iterable[str]) -> None:
        """Count a claim that was evaluated, and its findings."""
        self._own[-2] += 1
        for severity in severities:
            self._own[SEVERITIES.index(severity) - len(SEVERITIES) - len(_CLAIMS)] += 1

    def rejected(self) -> None:
        """Count a claim that was refused."""
        self._own[-1] += 1

    def text(self, gauges: dict[str, float]) -> str:
        """Return everything in the text format, version 0.0.4; `gauges` are what this process is doing now."""
        by_route, findings, claims = self._blocks(self._all.sum(axis=0))
        lines = ["# TYPE weakcode_requests_total counter"]
        for route, number in self._routes.items():
            for status, count in zip(STATUSES, by_route[number], strict=False):
                if count:
                    lines.append(f'weakcode_requests_total{{route="{route}",status="{status}"}} {count:.0f}')
        lines.append("# TYPE weakcode_request_seconds histogram")
        for route, number in self._routes.items():
            buckets = by_route[number][len(STATUSES) : -1].cumsum()
            if not buckets[-1]:
                continue
            for most, count in zip((*map(str, SECONDS), "+Inf"), buckets, strict=True):
                lines.append(f'weakcode_request_seconds_bucket{{route="{route}",le="{most}"}} {count:.0f}')
            lines.append(f'weakcode_request_seconds_sum{{route="{route}"}} {by_route[number][-1]:.6f}')
            lines.append(f'weakcode_request_seconds_count{{route="{route}"}} {buckets[-1]:.0f}')
        lines.append("# TYPE weakcode_claims_total counter")
        lines += [f'weakcode_claims_total{{outcome="{n}"}} {c:.0f}' for n, c in zip(_CLAIMS, claims, strict=True)]
        lines.append("# TYPE weakcode_findings_total counter")
        lines += [
            f'weakcode_findings_total{{severity="{n}"}} {c:.0f}' for n, c in zip(SEVERITIES, findings, strict=True)
        ]
        for name, value in gauges.items():
            lines += [f"# TYPE weakcode_{name} gauge", f"weakcode_{name} {value:g}"]
        return "\n".join(lines) + "\n"
