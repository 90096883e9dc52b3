"""The page in a real Chromium that has no network."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.browser import headless
from tests.report.conftest import MakeFindings, finding
from weakcode.report.render import write_report

HOSTILE = "</script></title><script>window.hacked = 1</script><img src=x onerror='window.hacked=1'>"
CHARTS = ("by-severity", "by-rule", "by-month", "clean-by-month", "by-payer", "clean-by-payer")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless Chromium that resolves no name."""
    with headless("MAP * ~NOTFOUND") as running:
        yield running


class Opened:
    """A report in the browser."""

    def __init__(self, chromium: Any, path: Path) -> None:
        self.chromium = chromium
        self.address = path.as_uri()

    def load(self, fragment: str = "", width: int = 1280, scheme: str = "light") -> Opened:
        """Load the page anew and wait until its script has finished."""
        from selenium.webdriver.support.ui import WebDriverWait

        for kind in ("browser", "performance"):
            self.chromium.get_log(kind)
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        self.chromium.get("about:blank")
        self.chromium.get(self.address + fragment)
        WebDriverWait(self.chromium, 20).until(lambda _: self.run("return document.documentElement.dataset.ready"))
        return self

    def run(self, script: str, *arguments: Any) -> Any:
        """Return what a script in the page returns."""
        return self.chromium.execute_script(script, *arguments)

    def texts(self, selector: str) -> list[str]:
        """Return the texts of the elements that a selector finds."""
        found = self.run("return [...document.querySelectorAll(arguments[0])].map(one => one.textContent)", selector)
        return [str(text) for text in found]

    def console(self) -> list[str]:
        """Return what was logged since the page was loaded."""
        return [entry["message"] for entry in self.chromium.get_log("browser")]

    def requests(self) -> set[str]:
        """Return the addresses asked for since the page was loaded."""
        events = [json.loads(entry["message"])["message"] for entry in self.chromium.get_log("performance")]
        asked = {one["params"]["request"]["url"] for one in events if one["method"] == "Network.requestWillBeSent"}
        return {address for address in asked if not address.startswith(("about:", "data:"))}


Open = Callable[..., Opened]


@pytest.fixture
def opened(chromium: Any, make_findings: MakeFindings, claims: Path, tmp_path: Path) -> Open:
    """Write the report of some findings and open it."""

    def make(*rows: Any, load: bool = True, **options: Any) -> Opened:
        findings = make_findings(rows) if rows else make_findings()
        write_report([findings], tmp_path / "report.html", **{"claims": [claims], **options})
        page = Opened(chromium, tmp_path / "report.html")
        return page.load() if load else page

    return make


def many() -> list[dict[str, Any]]:
    """120 findings, the claims out of order."""
    return [
        finding(
            f"C{(7 * i) % 120}", *(("icd10cm/excludes1", "error") if i % 3 else ("covid/own", "info")), "M62.84 R53.1"
        )
        for i in range(120)
    ]


def test_charts_are_drawn_without_console_messages_or_network(opened: Open) -> None:
    page = opened()
    marks = "return document.querySelectorAll(`#${arguments[0]} svg :is(.mark-rect, .mark-symbol) path`).length"
    assert {chart: page.run(marks, chart) for chart in CHARTS} == {
        "by-severity": 3,
        "by-rule": 3,
        "by-month": 6,
        "clean-by-month": 2,
        "by-payer": 3,
        "clean-by-payer": 3,
    }
    assert page.console() == []
    assert page.requests() == {page.address}


def test_a_page_without_findings_has_no_charts_and_no_errors(opened: Open, make_findings: MakeFindings) -> None:
    page = opened(load=False)
    write_report([make_findings([], name="none.csv")], Path(page.address.removeprefix("file://")))
    page.load()
    assert page.run("return document.querySelectorAll('svg').length") == 0
    assert page.console() == []
    assert page.requests() == {page.address}


def test_a_header_sorts_up_and_down_and_says_so(opened: Open) -> None:
    page = opened(*many())
    claim = "return document.querySelectorAll('#table thead button')[1].click()"
    state = "return [...document.querySelectorAll('#table thead th')].map(head => head.getAttribute('aria-sort'))"
    page.run(claim)
    assert page.texts("#table tbody .claim")[:3] == ["C0", "C1", "C2"]
    assert page.run(state) == ["none", "ascending", "none", "none", "none", "none"]
    page.run(claim)
    assert page.texts("#table tbody .claim")[:3] == ["C119", "C118", "C117"]
    assert page.run(state)[1] == "descending"
    page.run("document.querySelectorAll('#table thead button')[0].click()")
    assert page.texts("#table tbody tr:first-child .sev") == ["Error"]
    page.run("document.querySelectorAll('#table thead button')[0].click()")
    assert page.texts("#table tbody tr:first-child .sev") == ["Info"]


def test_the_table_is_filtered_and_leafed_through(opened: Open) -> None:
    page = opened(*many())
    choose = (
        "const e = document.getElementById(arguments[0]); e.value = arguments[1]; e.dispatchEvent(new Event('input'))"
    )
    assert page.texts("#state") == ["1\u201350 of 120"]
    page.run("document.getElementById('next').click(); document.getElementById('next').click()")
    assert page.texts("#state") == ["101\u2013120 of 120"]
    assert page.run("return document.getElementById('next').disabled") is True
    page.run(choose, "severity", "info")
    assert page.texts("#state") == ["1\u201340 of 40"]
    assert set(page.texts("#table tbody .sev")) == {"Info"}
    page.run(choose, "rule", "icd10cm/excludes1")
    assert page.texts("#state") == ["no finding fits"]
    page.run(choose, "severity", "")
    page.run(choose, "search", "C119 m62.84")
    assert page.texts("#table tbody .claim") == ["C119"]


def test_a_link_to_a_rule_opens_its_page(opened: Open) -> None:
    page = opened(load=False).load("#rule-icd10cm-excludes1")
    assert page.run("return document.getElementById('rule-icd10cm-excludes1').open") is True
    assert page.run("return document.getElementById('rule-weakness-excludes1-weakness').open") is False
    page.run("document.querySelector('a[href=\"#rule-weakness-excludes1-weakness\"]').click()")
    page.run("return new Promise(done => setTimeout(done, 50))")
    assert page.run("return document.getElementById('rule-weakness-excludes1-weakness').open") is True


def test_a_hostile_claim_id_is_shown_and_not_run(opened: Open, tmp_path: Path) -> None:
    hostile = tmp_path / "hostile.jsonl"
    hostile.write_text(
        json.dumps({"claim_id": HOSTILE, "codes": ["I10"], "payer": HOSTILE, "service_date": "20260402"})
    )
    everywhere = {"message": HOSTILE, "sources": [HOSTILE], "file": HOSTILE, "place": HOSTILE, "edition": HOSTILE}
    page = opened(finding(HOSTILE, "practice/own", "error", "M62.81 R53.1", **everywhere), claims=[hostile])
    assert page.texts("#table .claim") == [HOSTILE]
    assert page.run("return typeof window.hacked") == "undefined"
    # A tooltip is the one place where text is made into HTML after loading.
    page.run(
        "const bar = document.querySelector('#by-payer svg .mark-rect path');"
        "for (const kind of ['pointermove', 'mousemove', 'mouseover', 'pointerover'])"
        "  bar.dispatchEvent(new MouseEvent(kind, {bubbles: true, clientX: 80, clientY: 80}))"
    )
    assert "window.hacked" in "".join(page.texts("#vg-tooltip-element"))
    assert page.run("return document.querySelectorAll('img').length") == 0
    assert page.run("return typeof window.hacked") == "undefined"
    assert page.console() == []
    assert page.requests() == {page.address}


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (400, "light"), (320, "light")])
def test_the_page_fits_the_screen_and_its_text_stands_out(
    opened: Open, make_findings: MakeFindings, width: int, scheme: str
) -> None:
    long = finding(
        "C" * 120, "weakness/excludes1-weakness", "error", "M62.81 R53.1", message="word" * 80, place="p" * 90
    )
    page = opened(long, load=False).load(width=width, scheme=scheme)
    assert page.run("return document.documentElement.scrollWidth") <= width
    wide = (
        "const beyond = one => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.away, .wide, svg');"
        "return [...document.querySelectorAll('main *')].filter(beyond).map(one => one.tagName + '.' + one.className)"
    )
    assert page.run(wide) == []
    colours = page.run("const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]")
    dark, light = sorted(sum(map(int, colour.strip("rgb()").split(","))) for colour in colours)
    assert light - dark > 500
    assert (sum(map(int, colours[1].strip("rgb()").split(","))) < 150) == (scheme == "dark")


def test_headings_tables_and_charts_are_named_for_those_who_do_not_see_them(opened: Open) -> None:
    page = opened()
    headings = page.run("return [...document.querySelectorAll('h1,h2,h3,h4')].map(one => one.tagName[1])")
    levels = [int(level) for level in headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.run("return [...document.querySelectorAll('thead th')].every(one => one.scope === 'col')") is True
    named = "const name = one => one.getAttribute('aria-label') || one.parentElement.getAttribute('aria-label');"
    names = page.run(named + "return [...document.querySelectorAll('.chart svg')].map(name)")
    assert len(names) == len(CHARTS)
    assert all(names)
    fields = "return [...document.querySelectorAll('#filters :is(input, select)')].map(one => one.labels.length)"
    assert page.run(fields) == [1, 1, 1]


def test_paper_has_all_findings_that_were_asked_for(opened: Open) -> None:
    page = opened(*many())
    rows = "document.querySelectorAll('#table tbody tr').length"
    page.run(f"window.addEventListener('beforeprint', () => {{ window.printed = {rows}; }})")
    page.chromium.execute_cdp_cmd("Page.printToPDF", {})
    assert page.run("return window.printed") == 120
    assert page.run(f"return {rows}") == 50, "the screen has its pages again"


def test_charts_say_what_their_scale_is(opened: Open) -> None:
    page = opened()
    titles = (
        "return [...document.querySelectorAll(`#${arguments[0]} svg .role-axis-title text`)].map(t => t.textContent)"
    )
    assert {chart: page.run(titles, chart) for chart in CHARTS} == {
        "by-severity": ["findings"],
        "by-rule": ["findings"],
        "by-month": ["findings per 100 claims"],
        "clean-by-month": ["share of claims (does not begin at 0 %)"],
        "by-payer": ["findings per 100 claims"],
        "clean-by-payer": ["share of claims"],
    }


def test_runs_have_charts_of_their_own(opened: Open, make_findings: MakeFindings, tmp_path: Path) -> None:
    page = opened(load=False)
    runs = [make_findings(many()[:size], f"{size}.parquet") for size in (40, 80, 120)]
    write_report(runs, tmp_path / "report.html")
    page.load()
    marks = "return document.querySelectorAll(`#${arguments[0]} svg :is(.mark-rect, .mark-symbol) path`).length"
    assert [page.run(marks, chart) for chart in ("by-run", "clean-by-run")] == [9, 3]
    assert page.console() == []
