"""The charts of a report as Vega-Lite specifications. Colours are variables of the page's style sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from weakcode.report.model import SEVERITIES, ReportData, Severities, Slice, Trend

LABELS = {"error": "Errors", "warning": "Warnings", "info": "Info"}
_INK, _QUIET, _RULE = "var(--ink)", "var(--quiet)", "var(--line)"
_COLOURS = {
    "field": "part",
    "type": "nominal",
    "legend": None,
    "scale": {
        "domain": [*LABELS.values(), "Clean"],
        "range": [f"var(--{name})" for name in (*SEVERITIES, "clean")],
    },
}
_CONFIG = {
    "font": "system-ui, sans-serif",
    "background": None,
    "view": {"stroke": None},
    "axis": {"labelColor": _QUIET, "gridColor": _RULE, "domain": False, "ticks": False, "labelFontSize": 12},
    "text": {"fill": _INK, "fontSize": 13},
}
_SCALE = {"tickCount": 4, "titleColor": _QUIET, "titleFontWeight": "normal", "titleFontSize": 12}
_PER_100 = "findings per 100 claims"
RULES = 8
"""Rules in the chart."""


@attrs.frozen
class Chart:
    """A chart by the id of its place on the page."""

    id: str
    spec: dict[str, Any]


def charts(data: ReportData, titles: dict[str, str]) -> list[Chart]:
    """Return the charts that the data allow; `titles` names rules by id."""
    if not data.findings:
        return []
    found = [Chart("by-severity", _severities(data)), Chart("by-rule", _rules(data, titles))]
    if data.payers:
        found.append(Chart("by-payer", _payers(data.payers)))
        found.append(Chart("clean-by-payer", _clean_payers(data.payers)))
    if data.months:
        dated = [one for one in data.months if len(one.name) == 7]
        found.append(Chart("by-month", _stacked([(one.name, _rates(one)) for one in dated], "month", _PER_100, ".1f")))
        found.append(Chart("clean-by-month", _clean(dated, "month")))
    if data.trend:
        found += _runs(data.trend)
    return found


def _severities(data: ReportData) -> dict[str, Any]:
    numbers = _numbers(data.by_severity)
    rows = [
        _Bar(LABELS[name], LABELS[name], f"{number:,.0f}  ·  {percent(number / data.findings)}", {name: number})
        for name, number in numbers.items()
        if number
    ]
    return _bars("Findings by severity", rows)


def _rules(data: ReportData, titles: dict[str, str]) -> dict[str, Any]:
    return _bars(
        f"Findings by rule, the {min(RULES, len(data.rules))} most frequent",
        [
            _Bar(
                one.rule,
                titles.get(one.rule, one.rule),
                f"{one.by_severity.total:,}",
                _numbers(one.by_severity),
            )
            for one in data.rules[:RULES]
        ],
    )


def _payers(payers: Sequence[Slice]) -> dict[str, Any]:
    rows = [_Bar(one.name, one.name, f"{sum(_rates(one).values()):.1f}", _rates(one)) for one in payers]
    return _bars("Findings per 100 claims by payer", rows, unit=_PER_100, digits=".1f")


def _clean_payers(payers: Sequence[Slice]) -> dict[str, Any]:
    rows = [_Bar(one.name, one.name, percent(one.share), {"clean": one.share}) for one in payers]
    return _bars("Share of clean claims by payer", rows, unit="share of claims", digits=".1%", whole=True)


def is_rated(trend: Trend | None) -> bool:
    """Tell whether all runs say how many claims they had."""
    return trend is not None and all(run.claims and run.clean is not None for run in trend.runs)


def _runs(trend: Trend) -> list[Chart]:
    """Return the charts of several runs: findings per 100 claims, or findings where claims are not known."""
    names = trend.labels
    if not is_rated(trend):
        numbers = [(name, _numbers(run.by_severity)) for name, run in zip(names, trend.runs, strict=True)]
        return [Chart("by-run", _stacked(numbers, "run", "findings", ","))]
    slices = [
        Slice(name, run.claims or 0, run.clean or 0, run.by_severity)
        for name, run in zip(names, trend.runs, strict=True)
    ]
    rates = [(one.name, _rates(one)) for one in slices]
    return [
        Chart("by-run", _stacked(rates, "run", _PER_100, ".1f")),
        Chart("clean-by-run", _clean(slices, "run")),
    ]


def _stacked(values: Sequence[tuple[str, dict[str, float]]], by: str, unit: str, digits: str) -> dict[str, Any]:
    rows = [
        {by: key, "part": LABELS[name], "order": place, "value": parts[name]}
        for key, parts in values
        for place, name in enumerate(SEVERITIES)
    ]
    return _spec(
        f"{unit.capitalize()} by {by}, stacked by severity",
        data={"values": rows},
        height=220,
        mark={"type": "bar", "width": {"band": 0.7}},
        encoding={
            "x": _axis_of(by),
            "y": {"field": "value", "type": "quantitative", "axis": {**_SCALE, "title": unit}},
            "color": _COLOURS,
            "order": {"field": "order"},
            "tooltip": [
                {"field": by, "title": by.capitalize()},
                {"field": "part", "title": "Which"},
                {"field": "value", "title": unit.capitalize(), "format": digits},
            ],
        },
    )


def _clean(slices: Sequence[Slice], by: str) -> dict[str, Any]:
    rows = [{by: one.name, "share": one.share, "claims": one.claims} for one in slices]
    return _spec(
        f"Share of clean claims by {by}",
        data={"values": rows},
        height=220,
        mark={
            "type": "line",
            "stroke": "var(--clean)",
            "strokeWidth": 2.5,
            "point": {"fill": "var(--clean)", "stroke": "var(--paper)", "size": 60},
        },
        encoding={
            "x": _axis_of(by),
            "y": {
                "field": "share",
                "type": "quantitative",
                "scale": {"zero": False, "nice": True},
                "axis": {**_SCALE, "title": "share of claims (does not begin at 0 %)", "format": ".1~%"},
            },
            "tooltip": [
                {"field": by, "title": by.capitalize()},
                {"field": "share", "title": "Clean", "format": ".1%"},
                {"field": "claims", "title": "Claims", "format": ","},
            ],
        },
    )


def _axis_of(by: str) -> dict[str, Any]:
    axis = {
        "title": None,
        "labelAngle": 0,
        "labelOverlap": True,
        "labelSeparation": 8,
        "labelPadding": 9,
        "grid": False,
    }
    return {"field": by, "type": "ordinal", "sort": None, "axis": axis}


@attrs.frozen
class _Bar:
    """One bar, in parts by severity (or `clean`), with its name and figure above it; names may repeat, keys do not."""

    key: str
    name: str
    figure: str
    parts: dict[str, float]


def _bars(
    title: str, rows: Sequence[_Bar], unit: str = "findings", digits: str = ",", *, whole: bool = False
) -> dict[str, Any]:
    """Return bars across the page, each under its name and figure, so that long names fit a narrow screen.

    The axis says what `unit` is; of shares of a `whole` it ends at all of it.
    """
    order = [row.key for row in rows]
    parts = [
        {"key": row.key, "name": row.name, "part": LABELS.get(part, "Clean"), "order": place, "value": value}
        for row in rows
        for place, (part, value) in enumerate(row.parts.items())
    ]
    # Bars of no length are left out, but not all of them: Vega wants an extent.
    parts = [part for part in parts if part["value"]] or parts
    heads = [{"key": row.key, "name": row.name, "figure": row.figure} for row in rows]
    place = {"field": "key", "type": "nominal", "sort": order, "axis": None}
    scale = {"scale": {"domain": [0, 1]}} if whole else {}
    axis = {**_SCALE, "title": unit, "format": digits.replace(".1", ".0") if whole else "~s", "grid": True}
    text = {"type": "text", "baseline": "middle", "dy": -8, "aria": False}
    return _spec(
        title,
        height=40 * len(rows) + 6,
        layer=[
            {
                "data": {"values": parts},
                "mark": {"type": "bar", "height": 9, "yOffset": 8},
                "encoding": {
                    "y": place,
                    "x": {"field": "value", "type": "quantitative", "stack": "zero", "axis": axis, **scale},
                    "color": _COLOURS,
                    "order": {"field": "order"},
                    "tooltip": [
                        {"field": "name", "title": "Of"},
                        {"field": "part", "title": "Which"},
                        {"field": "value", "title": unit.capitalize(), "format": digits},
                    ],
                },
            },
            {
                "data": {"values": heads},
                "mark": {**text, "align": "left", "x": 0, "limit": {"expr": "width - 90"}},
                "encoding": {"y": place, "text": {"field": "name"}},
            },
            {
                "data": {"values": heads},
                "mark": {**text, "align": "right", "x": "width", "fontWeight": 600},
                "encoding": {"y": place, "text": {"field": "figure"}},
            },
        ],
    )


def _spec(title: str, **parts: Any) -> dict[str, Any]:
    fitted = {"type": "fit-x", "contains": "padding"}
    return {"description": title, "width": "container", "autosize": fitted, "padding": 0, "config": _CONFIG, **parts}


def _numbers(sums: Severities) -> dict[str, float]:
    return {name: getattr(sums, name) for name in SEVERITIES}


def _rates(one: Slice) -> dict[str, float]:
    """Return findings per 100 claims."""
    return {name: round(100 * number / one.claims, 3) for name, number in _numbers(one.by_severity).items()}


def percent(share: float) -> str:
    """Return a share as `93.4 %`; never 100 % or 0 % where that is only nearly so."""
    if share in (0.0, 1.0):
        return f"{share:.0%}".replace("%", " %")
    shown = min(max(share * 100, 0.1), 99.9)
    return f"{shown:.1f} %"
