"""Every flow as a story one can read: verbs, and beneath each the whole exchange it caused (teller.py says how).

After a change that is meant to show, look at the difference this makes: MESOLITE_REWRITE=1 pytest tests/stories
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stories.runner import tell
from tests.stories.verbs import StoryError

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
STORIES = sorted(HERE.glob("*.txt"))
PAGE = ROOT / "docs" / "drain.md"
PAGE_TO_STORIES = "../tests/stories"

EVERY_STORY = pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)

DRAWN = frozenset({"drain-through-failover", "reclaim-through-failover", "removal-rate-limit"})
"""Stories in which the seed draws also how often somebody tries again, or who comes first."""

TELL_ALL = """
import sys
from pathlib import Path
from tests.stories.runner import tell
for name in sys.argv[1:]:
    sys.stdout.write(tell(Path(name).read_text(encoding="utf-8"), name))
"""


@EVERY_STORY
def test_story_is_as_told(path: Path) -> None:
    """What is written beneath each verb is what it causes now, and all books are in order."""
    told = tell(path.read_text(encoding="utf-8"), path.name)

    if "MESOLITE_REWRITE" in os.environ:
        path.write_text(told, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == told


def what_is_said(story: str) -> list[str]:
    """A story's lines without what the seed draws: in which order, at which fraction of a second, under which id."""
    said = re.sub(r"^ +(\d+\.\d{3})?", "", story, flags=re.MULTILINE)
    return sorted(line.strip() for line in re.sub(r"\d+\.\d+|m\d+-O\d+", "#", said).splitlines())


@EVERY_STORY
def test_story_says_the_same_whatever_the_seed(path: Path, mesolite_seed: int) -> None:
    """Every verb can be played, the same is said, and the books are in order, whatever comes first if it is free to."""
    story = path.read_text(encoding="utf-8")

    told = tell(story, path.name, seed=mesolite_seed)

    if path.stem not in DRAWN:
        assert what_is_said(told) == what_is_said(story)


@pytest.mark.slow
def test_stories_are_the_same_in_another_process() -> None:
    """They depend on the seed alone: not on how strings are hashed."""
    process = subprocess.run(
        [sys.executable, "-c", TELL_ALL, *map(str, STORIES)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "4242", "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    )

    assert process.stdout == "".join(path.read_text(encoding="utf-8") for path in STORIES)


@EVERY_STORY
def test_story_fits_the_page_and_says_what_it_is_about(path: Path) -> None:
    """No line is wider than 120 characters, and the first is a comment that begins with the story's name."""
    lines = path.read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if len(line) > 120] == []
    assert lines[0].startswith(f"# {path.stem}: ")


COPY = re.compile(r"<!-- tests/stories/([\w-]+\.txt) -->\n```text\n(.*?)```\n", re.DOTALL)


def test_page_about_drains_tells_stories_as_they_are() -> None:
    """The stories on docs/drain.md are the files, to the letter, and every story is named there."""

    def as_it_is(found: re.Match[str]) -> str:
        story = (HERE / found[1]).read_text(encoding="utf-8")
        return f"<!-- tests/stories/{found[1]} -->\n```text\n{story}```\n"

    if "MESOLITE_REWRITE" in os.environ:
        PAGE.write_text(COPY.sub(as_it_is, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")

    assert len(COPY.findall(page)) == 2
    assert page == COPY.sub(as_it_is, page)
    assert [path.name for path in STORIES if f"({PAGE_TO_STORIES}/{path.name})" not in page] == []


STAGE = "cluster agents=2\nframework web\n"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("explode agent-1", r"no verb 'explode'; there are .*operator drain.*settle"),
        ("operator dance", r"no verb 'operator dance'; there are .*operator drain"),
        ("operator drain agent-1 grace=5", r"`operator drain` has no option 'grace'; .*max_grace_period="),
        ("operator drain", r"`operator drain` does not go with nothing; it is used so: operator drain agent"),
        ("operator drain agent-9", r"no machine 'agent-9'; there are master-1, agent-1, agent-2"),
        ("crash nobody", r"no machine 'nobody'; there are master-1, agent-1, agent-2"),
        ("task shop t1 agent-1", r"no framework 'shop'; there are web"),
        ("advance soon", r"`advance` wants seconds as float, not 'soon'"),
        ("advance 5 6", r"`advance` does not go with 5 6; it is used so: advance seconds"),
        ("hold Everything", r"no message 'Everything'; there are .*DrainAgent"),
        ("signal agent-1 SIGFOO", r"no signal 'SIGFOO'; SIGUSR1"),
        ("state weather", r"no 'weather'; it has .*agents"),
        ("state agents colour", r"no column 'colour'; there are id, name"),
        ("cluster agents=2 speed=9", r"no setting 'speed'; there are agent_ping_timeout_s"),
        ("kill web 'unfinished", r"No closing quotation"),
    ],
)
def test_what_cannot_be_played_is_refused_with_its_line_and_what_would_work(line: str, says: str) -> None:
    """A story never goes on past a line that it does not understand."""
    with pytest.raises(StoryError) as raised:
        tell(f"{STAGE}\n{line}\n", "tale.txt")

    assert re.match(r"tale\.txt:4: ", str(raised.value))
    assert re.search(says, str(raised.value))


def test_a_story_begins_with_a_cluster() -> None:
    """Without one no other verb can be played."""
    with pytest.raises(StoryError, match=r"^tale\.txt:1: .*begin with: cluster"):
        tell("crash agent-1\n", "tale.txt")


def test_what_was_told_before_is_told_anew() -> None:
    """Indented lines are replaced; comments and blank lines stay where they are."""
    text = f"# tale: of nothing\n{STAGE}\n# here\nsettle\n      20.000  nobody -> anybody  Nothing\n\nsettle\n"

    assert tell(text, "tale.txt") == f"# tale: of nothing\n{STAGE}\n# here\nsettle\n\nsettle\n"
