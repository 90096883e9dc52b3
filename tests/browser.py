"""A Chromium without a window for tests that look at pages; they are skipped where there is none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def headless(resolving: str) -> Iterator[Any]:
    """Run Chromium with these rules for the names of hosts, keeping what its console and its network say."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium, of the extra dev")
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("needs chromium and chromedriver (Debian: chromium, chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in (
        "--headless=new",
        # Chromium refuses its own sandbox to root, which is who runs this in a container; the pages are ours.
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        f"--host-resolver-rules={resolving}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    running = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=driver))
    try:
        yield running
    finally:
        running.quit()
