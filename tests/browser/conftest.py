"""A browser, the six runs as pages, and what must hold after every test: it has said nothing, and asked for nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import frozen
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from mesolite.actors.trace import Trace
from tests.browser.page import Page
from tests.browser.runs import RUNS

BROWSERS = ("chromium", "google-chrome", "chromium-browser")
DRIVERS = ("chromedriver",)
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--force-color-profile=srgb", "--window-size=1500,900")


def found(*names: str) -> str:
    """Where the first of these programs is; without it nothing here can be said to work."""
    for name in names:
        if path := shutil.which(name):
            return path
    missing = f"there is no {' or '.join(names)} here, so nothing about the page has been tested"
    raise pytest.UsageError(f"{missing}; on Debian: apt-get install chromium chromium-driver")


def pytest_configure() -> None:
    """Say so at once if there is no browser: that is no pass."""
    found(*BROWSERS)
    found(*DRIVERS)


@pytest.fixture(scope="session")
def browser() -> Iterator[webdriver.Chrome]:
    """One headless Chromium for all tests; by path, as selenium else looks for one on the network."""
    options = Options()
    options.binary_location = found(*BROWSERS)
    for option in OPTIONS:
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(found(*DRIVERS)))
    try:
        yield driver
    finally:
        driver.quit()


@frozen
class Run:
    """A trace and the page of it."""

    trace: Trace
    file: Path


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Run]:
    """Each run, lived through and written when it is first asked for."""
    folder = tmp_path_factory.mktemp("pages")
    made: dict[str, Run] = {}

    def run(name: str) -> Run:
        if name not in made:
            trace = RUNS[name]()
            made[name] = Run(trace, trace.html(folder / f"{name}.html"))
        return made[name]

    return run


@pytest.fixture
def page(browser: webdriver.Chrome) -> Iterator[Page]:
    """The browser, to open pages in: at the end it has written nothing to its console and requested nothing."""
    opened = Page(browser)
    opened.resize(1500, 900)
    yield opened
    assert opened.asked_for() == []
    assert browser.get_log("browser") == []
