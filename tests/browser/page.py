"""A page in a browser, as tests use it: open it, press keys, scroll, read what is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

READY_S = 30
TWO_FRAMES = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()));"
PRESS = """
const [key, shift, done] = arguments;
const before = performance.now();
const at = document.activeElement || document.body;
at.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey: shift, bubbles: true, cancelable: true }));
requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - before)));
"""
ROWS = """
return [...document.querySelectorAll(".row")].map((row) => ({
  at: Number(row.dataset.at ?? -1), label: row.getAttribute("aria-label") ?? "",
  place: Number(row.getAttribute("aria-posinset") ?? 0),
}));
"""


class Page:
    """One browser window with a page in it."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, file: Path, theme: str = "light", **said: object) -> None:
        """Load the page anew, and wait until its first picture is painted."""
        address = "&".join(f"{name}={value}" for name, value in {"theme": theme, **said}.items())
        self.driver.get("about:blank")
        self.driver.get(f"file://{file}#{address}")
        WebDriverWait(self.driver, READY_S, poll_frequency=0.02).until(lambda _: self.ready_ms() > 0)

    def resize(self, width: int, height: int) -> None:
        self.driver.set_window_size(width, height)

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)  # type: ignore[no-untyped-call]

    def frames(self) -> None:
        """Wait until what was done is painted."""
        self.driver.execute_async_script(TWO_FRAMES)  # type: ignore[no-untyped-call]

    def press(self, key: str, *, shift: bool = False) -> float:
        """Press a key; returns how many milliseconds later its picture was there."""
        return float(self.driver.execute_async_script(PRESS, key, shift))  # type: ignore[no-untyped-call]

    def ready_ms(self) -> float:
        return float(self.run("return document.documentElement.dataset.ready || 0"))

    def asked_for(self) -> list[str]:
        """What the page has requested beside itself."""
        names: list[str] = self.run("return performance.getEntriesByType('resource').map((each) => each.name)")
        return names

    def scroll(self, top: int) -> None:
        self.run("document.getElementById('scroller').scrollTop = arguments[0]", top)
        self.frames()

    def rows(self) -> Iterator[dict[str, Any]]:
        """All rows from the first to the last, read while scrolling."""
        high = self.run("const all = document.getElementById('scroller'); return [all.clientHeight, all.scrollHeight]")
        seen: dict[int, None] = {}
        for top in range(0, high[1], max(20, high[0] - 60)):
            self.scroll(top)
            for row in self.run(ROWS):
                if row["at"] >= 0 and row["at"] not in seen:
                    seen[row["at"]] = None
                    yield row

    def text(self, selector: str) -> str:
        return str(self.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector))

    def selected(self) -> int:
        """The place of the record that is selected, -1 if none is."""
        return int(self.run("return Number(document.querySelector('.row.selected')?.dataset.at ?? -1)"))

    def address(self) -> str:
        return str(self.run("return location.hash"))
