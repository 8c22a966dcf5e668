"""The pictures of the README show what happens and what is there now."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from pages import drain, house
from pages.pictures import FOLDER, pictures

PICTURES = pictures()


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_as_drawn_today(name: str) -> None:
    """After a change that is meant to show: make pictures, and look at them."""
    assert (FOLDER / name).read_text(encoding="utf-8") == PICTURES[name]


@pytest.mark.parametrize("name", PICTURES)
def test_picture_can_be_read_without_seeing_it(name: str) -> None:
    """It is well-formed, and says in words what it shows."""
    svg = ElementTree.fromstring(PICTURES[name])

    title, description = (svg.find(f"{{http://www.w3.org/2000/svg}}{tag}") for tag in ("title", "desc"))
    assert svg.get("aria-labelledby") == "title description"
    assert title is not None
    assert title.text
    assert description is not None
    assert description.text


def test_no_picture_is_left_that_nobody_draws() -> None:
    """What is not drawn any more is deleted."""
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(PICTURES)


def test_drain_shows_a_message_on_its_way() -> None:
    """Each leaves before it arrives, and both ends of each have a lane."""
    story = drain.happen()

    assert all(arrow.sent_s < arrow.arrived_s for arrow in story.arrows)
    assert {arrow.sender for arrow in story.arrows} | {arrow.receiver for arrow in story.arrows} <= set(drain.LANES)
    assert set(story.lives) <= set(drain.LANES)
    assert {arrow.words for arrow in story.arrows} >= {"DrainAgentCall", "DrainAgent", "KillTask", "AgentDrained"}


def test_house_has_a_brick_for_every_module() -> None:
    """No module is left out of the contracts, and so of the picture; `decisions` and `messages` are the pure ones."""
    storeys = house.storeys()

    for name, folder in (("mesolite/", "mesolite"), ("actors/", "actors"), ("messages/", "messages")):
        drawn = {module for row in storeys[name] if not (name == "actors/" and row.pure) for module in row.modules}
        there = {path.stem for path in (house.ROOT / folder).iterdir() if path.suffix == ".py" or path.is_dir()}
        assert there - {"__init__", "__pycache__", "actors", "messages", "decisions"} == drawn
    cores = {module for row in storeys["actors/"] if row.pure for module in row.modules}
    there = {path.stem for path in (house.ROOT / "actors/decisions").iterdir()}
    assert there - {"__init__", "__pycache__"} == cores
