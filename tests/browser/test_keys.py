"""Every key does what `?` says of it, and the mouse does the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import Run
from tests.browser.page import Page


@pytest.fixture
def opened(page: Page, runs: Callable[[str], Run]) -> Page:
    """The run with a partition, as it opens."""
    page.open(runs("partition").file)
    return page


def places(page: Page) -> list[int]:
    found: list[int] = page.run(
        "return [...document.querySelectorAll('.row[data-at]')].map((row) => Number(row.dataset.at))"
    )
    return found


def pressed(page: Page, name: str) -> bool:
    return bool(page.run("return document.getElementById(arguments[0]).getAttribute('aria-pressed') === 'true'", name))


def test_down_and_up_go_from_row_to_row(opened: Page) -> None:
    """`↓` and `j` select the next row, `↑` and `k` the previous one, and the first is the first that is shown."""
    rows = places(opened)
    seen = []
    for key in ("ArrowDown", "j", "j", "ArrowUp", "k"):
        opened.press(key)
        seen.append(opened.selected())

    assert seen == [rows[0], rows[1], rows[2], rows[1], rows[0]]


def test_left_goes_to_the_cause_and_right_to_an_effect(opened: Page) -> None:
    """From the failure to what made it so, and back."""
    opened.press("f")
    failure = opened.selected()
    opened.press("ArrowLeft")
    cause = opened.selected()
    opened.press("ArrowRight")

    assert 0 <= cause < failure
    assert opened.selected() > cause


def test_n_and_p_go_through_what_happened(opened: Page, runs: Callable[[str], Run]) -> None:
    """`n` selects the next thing that happened, `p` the previous one."""
    indexes = [record.index for record in runs("partition").trace]
    moments = list(dict.fromkeys(indexes.index(moment.index) for moment in runs("partition").trace.moments()))
    seen = []
    for key in "nnnp":
        opened.press(key)
        seen.append(opened.selected())

    assert seen == [moments[0], moments[1], moments[2], moments[1]]


def test_what_happened_is_seen_where_nothing_need_be_shown_for_it(page: Page, runs: Callable[[str], Run]) -> None:
    """A verb is seen at its message, and going through all that happened turns nothing on."""
    page.open(runs("failover").file)
    page.press("n")
    assert page.text(".row.selected").split()[1] == "DrainAgentCall"
    steps = 0
    while page.run("return document.querySelector('#moments')") is None and steps < 30:
        place = page.selected()
        page.press("n")
        steps += 1
        if page.selected() == place:
            break

    assert 4 < steps < 30
    assert not pressed(page, "timers")


def test_slash_searches_and_marks(opened: Page) -> None:
    """`/` goes to the search; `Enter` walks through what is found, and only `Shift-Enter` leaves out all else."""
    before = len(places(opened))
    opened.press("/")
    search = opened.driver.find_element(By.ID, "search")
    assert opened.driver.switch_to.active_element == search
    search.send_keys("reregister")
    opened.frames()
    assert opened.text("#found").endswith(" found")

    search.send_keys(Keys.ENTER)
    opened.frames()
    assert "ReregisterAgent" in opened.text(".row.selected")
    assert opened.run("return document.querySelectorAll('.row mark').length") > 0
    assert len(places(opened)) >= before - 4

    search.send_keys(Keys.SHIFT, Keys.ENTER)
    opened.frames()
    said = opened.run("return [...document.querySelectorAll('.row[data-at] .said')].map((each) => each.textContent)")
    assert said
    assert all("reregister" in each.lower() for each in said)


def test_s_shows_one_story_and_all_again(opened: Page, runs: Callable[[str], Run]) -> None:
    """`s` leaves the story of the task that the row is about; pressed again, everything is back."""
    opened.press("f")
    all_rows = opened.run("return mesolite.rowsText()")
    opened.press("s")
    assert opened.run("return mesolite.rowsText()") == runs("partition").trace.story("t1")
    opened.press("s")

    assert opened.run("return mesolite.rowsText()") == all_rows


@pytest.mark.parametrize(("key", "name"), [("t", "timers"), ("h", "heartbeats")])
def test_t_and_h_show_what_is_hidden(key: str, name: str, opened: Page) -> None:
    """Timers and heartbeats appear, the button says so, and they are gone when it is pressed again."""
    before = opened.run("return mesolite.rowsText()")
    opened.press(key)
    assert pressed(opened, name)
    assert len(opened.run("return mesolite.rowsText()")) > len(before)
    opened.press(key)

    assert not pressed(opened, name)
    assert opened.run("return mesolite.rowsText()") == before


def test_a_makes_time_linear(opened: Page) -> None:
    """Silences are as long as they were, and have no label then."""
    assert any("↔" in label[4] for label in opened.run("return mesolite.written"))
    opened.press("a")

    assert pressed(opened, "linear")
    assert not any("↔" in label[4] for label in opened.run("return mesolite.written"))


def test_l_switches_the_theme(opened: Page) -> None:
    """Light to dark and back; the button names the other one."""
    ground = "return getComputedStyle(document.body).backgroundColor"
    light = opened.run(ground)
    opened.press("l")
    assert opened.run(ground) != light
    assert opened.text("#theme") == "Light"
    opened.press("l")

    assert opened.run(ground) == light


def test_c_copies_and_says_so(opened: Page) -> None:
    """What is selected is copied with its causes, and it is said how many lines that were."""
    opened.press("f")
    lines = opened.run("return mesolite.copyText()").splitlines()
    opened.press("c")

    assert opened.text("#found") == f"Copied {len(lines)} lines."


def test_escape_goes_back(opened: Page) -> None:
    """From the filter first, then from the selection to what happened."""
    opened.press("f")
    opened.press("s")
    opened.press("Escape")
    assert opened.text("#filters") == ""
    assert opened.selected() >= 0
    opened.press("Escape")

    assert opened.selected() == -1
    assert opened.text("#side h2").lower() == "what happened"


def test_question_mark_shows_every_key(opened: Page) -> None:
    """All keys are in the list, and `Esc` closes it."""
    opened.press("?")
    keys = opened.run("return [...document.querySelectorAll('#help kbd')].map((each) => each.textContent)")
    assert keys == ["↓ j", "↑ k", "←", "→", "n", "p", "f", "/", "s", "t", "h", "a", "l", "c", "Esc", "?"]
    opened.press("Escape")

    assert not opened.run("return document.getElementById('help').open")


def test_a_link_opens_where_it_was_made(opened: Page, runs: Callable[[str], Run]) -> None:
    """Selection, switches and theme are in the address; the page opens there."""
    opened.press("f")
    opened.press("t")
    opened.press("l")
    place, address = opened.selected(), opened.address()
    opened.driver.get("about:blank")
    opened.driver.get(f"file://{runs('partition').file}{address}")
    opened.frames()

    assert opened.selected() == place
    assert pressed(opened, "timers")
    assert opened.run("return document.documentElement.dataset.theme") == "dark"


def test_a_link_opens_at_the_failure(page: Page, runs: Callable[[str], Run]) -> None:
    """`#failure`, as a report of a failed test names it."""
    page.open(runs("partition").file, failure="")
    place = page.selected()
    page.press("f")

    assert page.selected() == place >= 0


def test_clicks_select_unfold_and_filter(opened: Page) -> None:
    """A row, what happened, the folded beginning, a lane's name: each can be clicked."""
    rows = places(opened)
    opened.driver.find_element(By.CSS_SELECTOR, f".row[data-at='{rows[2]}'] .said").click()
    assert opened.selected() == rows[2]
    opened.press("Escape")
    opened.driver.find_element(By.CSS_SELECTOR, "#moments li:nth-child(2) button").click()
    assert opened.selected() >= 0
    opened.press("Escape")
    opened.scroll(0)
    opened.driver.find_element(By.ID, "unfold").click()
    opened.frames()
    assert places(opened)[0] < rows[0]
    opened.driver.find_element(By.CSS_SELECTOR, "#names button.master").click()
    opened.frames()

    assert opened.text("#filters").startswith("Shown:\nonly master-")


def test_a_click_in_the_overview_goes_there(opened: Page) -> None:
    """The row under the hand is selected, and the rows around it are in view."""
    glass = opened.driver.find_element(By.ID, "window")
    ActionChains(opened.driver).move_to_element_with_offset(glass, 400, 0).click().perform()
    opened.frames()

    assert opened.selected() > places(opened)[0] > 0
