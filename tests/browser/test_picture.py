"""The picture: arrows end on the right lanes, no two labels touch, and every colour can be seen."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Run
from tests.browser.page import Page
from tests.browser.runs import RUNS
from tests.project.house_checks import ROOT

THEMES = ("light", "dark")
KEPT = ROOT / "build" / "pages"
TEXT, SHAPE = 4.5, 3.0
"""Contrast with the ground that text needs, and a shape."""

ARROWS = """
const lines = [...document.querySelectorAll(".lane")];
const lanes = new Map(lines.map((line) => [line.dataset.lane, line.x1.baseVal.value]));
return [...document.querySelectorAll("path.arrow[data-from]")].filter(
  (path) => lanes.has(path.dataset.from) && lanes.has(path.dataset.to)).map((path) => {
  const numbers = path.getAttribute("d").match(/M (\\S+) \\S+ L (\\S+) \\S+/).slice(1).map(Number);
  return { from: numbers[0], to: numbers[1], sender: lanes.get(path.dataset.from), receiver: lanes.get(path.dataset.to),
    kind: path.getAttribute("class").split(" ")[1] };
});
"""
SIZES = ((1000, 900), (1500, 900), (2500, 1300))
BOXES = """
const boxes = (selector) => [...document.querySelectorAll(selector)].map((each) => {
  const box = each.getBoundingClientRect();
  return [box.left, box.top, box.width, box.height, each.textContent.slice(0, 40)];
}).filter((box) => box[2] && box[3]);
return { header: boxes("#top > *"), rows: boxes(".row .said"), stamps: boxes(".row time"),
  side: boxes("#side li > button"), notices: boxes(".notice > *"), legend: boxes("#legend > span"),
  overview: mesolite.written,
  names: [...document.querySelectorAll("#names button")].map((each) => {
    const { offsetLeft, offsetTop, offsetWidth, offsetHeight } = each;
    return [offsetLeft, offsetTop, offsetWidth, offsetHeight, each.textContent, each.style.transform];
  }) };
"""


@pytest.mark.parametrize("name", RUNS)
def test_arrows_end_on_the_lanes_of_sender_and_receiver(name: str, page: Page, runs: Callable[[str], Run]) -> None:
    """One that arrived reaches its receiver's lane; one that was lost or held stops short of it, on its side."""
    page.open(runs(name).file)
    for top in (0, 400, 2000):
        page.scroll(top)
        arrows = page.run(ARROWS)
        for arrow in arrows:
            assert arrow["from"] == pytest.approx(arrow["sender"], abs=0.01)
            if arrow["kind"] in ("lost", "disturbed"):
                low, high = sorted((arrow["sender"], arrow["receiver"]))
                assert low <= arrow["to"] <= high
            else:
                assert arrow["to"] == pytest.approx(arrow["receiver"], abs=0.01)
        if top == 0:
            assert len(arrows) > 4


def touching(boxes: list[list[Any]]) -> list[tuple[Any, Any]]:
    return [
        (one[4], other[4])
        for one, other in itertools.combinations(boxes, 2)
        if one[0] + one[2] > other[0] + 0.5
        and other[0] + other[2] > one[0] + 0.5
        and one[1] + one[3] > other[1] + 0.5
        and other[1] + other[3] > one[1] + 0.5
    ]


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}px")
def test_no_two_labels_touch(name: str, size: tuple[int, int], page: Page, runs: Callable[[str], Run]) -> None:
    """In the head, the overview, the rows, the list and the names of lanes, at three widths."""
    page.resize(*size)
    page.open(runs(name).file)

    found = page.run(BOXES)
    for part in ("header", "notices", "overview", "rows", "stamps", "side", "legend"):
        assert touching(found[part]) == [], part
    slanted = [name for name in found["names"] if name[5]]
    if slanted:
        # Parallel lines of text: what counts is how far apart they are.
        apart = [math.sin(math.radians(55)) * (two[0] - one[0]) for one, two in itertools.pairwise(slanted)]
        assert min(apart, default=99) >= 14
    else:
        assert touching([name[:5] for name in found["names"]]) == []
    assert page.run("return document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("theme", THEMES)
def test_every_colour_can_be_seen(theme: str, page: Page, runs: Callable[[str], Run]) -> None:
    """Text has a contrast of 4.5 with its ground, shapes of 3, in both themes."""
    page.open(runs("failover").file, theme=theme)
    names: tuple[str, ...] = (
        "page",
        "panel",
        "ink",
        "ink-2",
        "ink-3",
        "message",
        "tell",
        "up",
        "leaving",
        "rest",
        "away",
        "bad",
        "fault",
    )
    names += ("selected", "chain", "on-leaving", "on-bad")
    found = page.run(
        """
      const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
      const shown = document.createElement("i");
      document.body.append(shown);
      const colours = {};
      for (const name of arguments[0]) {
        shown.style.color = `var(--${name})`;
        probe.fillStyle = getComputedStyle(shown).color;
        probe.fillRect(0, 0, 1, 1);
        colours[name] = [...probe.getImageData(0, 0, 1, 1).data].slice(0, 3);
      }
      shown.remove();
      return colours;""",
        names,
    )

    for ground in ("page", "panel"):
        for name in ("ink", "ink-2", "ink-3", "message", "tell", "bad", "fault"):
            assert contrast(found[name], found[ground]) >= TEXT, (name, ground)
        for name in ("up", "leaving", "rest", "away"):
            assert contrast(found[name], found[ground]) >= SHAPE, (name, ground)
    for ground in ("selected", "chain"):
        for name in ("ink", "ink-2"):
            assert contrast(found[name], found[ground]) >= TEXT, (name, ground)
    assert contrast(found["on-leaving"], found["leaving"]) >= TEXT
    assert contrast(found["on-bad"], found["bad"]) >= TEXT


def contrast(one: list[int], other: list[int]) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: list[int]) -> float:
    linear = [(each / 255 / 12.92 if each <= 10 else ((each / 255 + 0.055) / 1.055) ** 2.4) for each in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", RUNS)
def test_pictures_are_kept_for_somebody_to_look_at(name: str, page: Page, runs: Callable[[str], Run]) -> None:
    """Each run in both themes, as it opens and with an event selected, below build/pages; all of them differ."""
    KEPT.mkdir(parents=True, exist_ok=True)
    seen = set()
    for theme in THEMES:
        page.open(runs(name).file, theme=theme)
        for what, key in (("", ""), ("-selected", "n")):
            if key:
                page.press(key)
            file = Path(KEPT, f"{name}{what}-{theme}.png")
            assert page.driver.save_screenshot(str(file))
            seen.add(file.read_bytes())
    assert len(seen) == 4
