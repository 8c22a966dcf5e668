"""What conformance says: a verdict that can be replayed and kept, a table, Markdown, tests of pytest."""

from __future__ import annotations

import subprocess
import sys
import uuid
from functools import cache
from typing import Any

import pytest

from mesolite import FrameworkInfo, Offer, Scheduler, SchedulerDriver, TaskInfo
from mesolite.harness import Failure, NotReplayed
from mesolite.harness.confirm import confirm
from mesolite.harness.conformance import SITUATIONS, Kind, NotHandled, Report, Verdict, check
from mesolite.harness.conformance.checking import Checking, subject_of
from mesolite.harness.conformance.situations import situation_named
from tests.harness import wrong
from tests.pytest_plugin.user_file import text_of, theirs

FIRST = ("nothing goes wrong", "agent lost for ever", "gone")


def verdict_on(make: Any, situation: str, **how: Any) -> Verdict:
    return Checking.of(*subject_of(make, wrong.job_of, **how)).verdict(situation_named(situation))


@cache
def lost() -> Verdict:
    """One that is not handled."""
    return verdict_on(wrong.Hopeful, "agent lost for ever")


@cache
def report() -> Report:
    """Two of three are not handled."""
    checking = Checking.of(*subject_of(wrong.Hopeful, wrong.job_of))
    return Report(scheduler="Hopeful", verdicts=tuple(checking.verdict(situation_named(name)) for name in FIRST))


# --- one verdict -------------------------------------------------------------------------------------------------


def test_a_failure_has_its_seed_and_says_what_was_done() -> None:
    """As any other, and what led to it."""
    failure = lost().failure
    assert failure is not None

    text = str(failure)

    assert text.startswith("seed 0: checker job lost\n")
    assert "what was done:\n  agent lost for ever: A machine with its tasks loses power, and never returns." in text
    assert "agent-1.power_off()" in text.replace("'", "")
    assert "shrunk" not in text


def test_a_failure_is_the_same_when_it_is_replayed() -> None:
    """It raises what it raised."""
    failure = lost().failure
    assert failure is not None

    with pytest.raises(NotHandled) as raised:
        failure.replay()

    assert raised.value.findings == lost().findings


def test_a_failure_is_kept_and_found_again(tmp_path: Any) -> None:
    """By the names of scheduler and job_of, with all that `check` was told."""
    info = FrameworkInfo(name="mine", checkpoint=True, failover_timeout_s=60, capabilities=["PARTITION_AWARE"])
    how = {"framework": info, "agents": 4, "resources": "cpus:3;mem:512", "seed": 5}
    failure = verdict_on(wrong.Hopeful, "agent lost for ever", **how).failure
    assert failure is not None
    assert failure.seed == 5

    kept = Failure.load(failure.save(tmp_path / "kept.json"))

    with pytest.raises(NotHandled) as raised:
        kept.replay()
    assert str(raised.value) == str(failure.error)
    assert kept.code == failure.code
    compile(failure.as_test(), "test_kept.py", "exec")
    assert "def test_trial_of_with_seed_5():" in failure.as_test()


@pytest.mark.slow
def test_a_failure_is_the_same_in_a_fresh_process() -> None:
    """Under another hash seed, too."""
    failure = lost().failure
    assert failure is not None

    assert confirm(failure) == ""


def test_a_failure_of_a_scheduler_that_nobody_finds_says_so(tmp_path: Any) -> None:
    """As one that was made inside a function; in this process it is replayed all the same."""

    class Local(wrong.Hopeful):
        pass

    failure = verdict_on(Local, "agent lost for ever").failure
    assert failure is not None

    with pytest.raises(NotReplayed, match="was made inside a function"):
        Failure.load(failure.save(tmp_path / "kept.json"))
    with pytest.raises(NotHandled):
        failure.replay()
    assert "no other process has tried it: its scenario cannot be found by name" in str(failure)


def test_a_partition_at_a_step_is_in_the_script() -> None:
    """So the failing step alone is replayed; when some have failed no more are tried."""
    verdict = verdict_on(wrong.Hopeful, "partition at each step")
    failure = verdict.failure
    assert failure is not None

    assert verdict.kind is Kind.JOB_LOST
    assert verdict.failed == 3
    assert verdict.summary == f"job lost (at 3 of {verdict.runs} steps tried)"
    (partition,) = failure.script.faults
    assert partition.kind == "partition"
    assert failure.code.endswith("# for 100 s")
    with pytest.raises(NotHandled):
        failure.replay()


def test_check_raises_what_was_found() -> None:
    """With the failure as a note; what was handled raises nothing."""
    with pytest.raises(NotHandled, match="job web does not run") as raised:
        lost().check()

    assert any("what was done:" in note for note in raised.value.__notes__)
    report()["nothing goes wrong"].check()


class ByChance(Scheduler):
    """Launches a task with an id that nobody can foresee."""

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        driver.launch_tasks(offers[0], TaskInfo(task_id=uuid.uuid4().hex, resources="cpus:1", command="sleep infinity"))


def test_who_is_not_the_same_twice_is_told_so() -> None:
    """With the place; nobody else is."""
    found = " ".join(Checking.of(*subject_of(ByChance, lambda task: "one")).verdict(situation_named(FIRST[0])).found)

    assert "its runs are not the same with the same seed" in found
    assert "it uses random numbers, at" in found
    assert report()[FIRST[0]].found == ("(runs for ever: web, api, mail)",)


# --- the report --------------------------------------------------------------------------------------------------


def test_the_table_has_a_line_for_each_situation() -> None:
    """And below what was not handled what was found."""
    lines = report().text().splitlines()

    assert lines[0] == "Hopeful: 1 of 3 situations handled"
    assert lines[1:3] == ["  nothing goes wrong                  handled", "      (runs for ever: web, api, mail)"]
    assert lines[3] == "  agent lost for ever                 job lost"
    assert lines[4].startswith("      job web does not run at ")
    assert str(report()) == report().text()


def test_markdown_can_be_put_into_an_issue() -> None:
    """A table whose cells are closed, and each failure folded below it, in a fence that nothing inside ends."""
    text = report().markdown()

    head, *failures = text.split("<details>")
    rows = [line for line in head.splitlines() if line.startswith("|")]
    assert [row.replace("\\|", "").count("|") for row in rows] == [4] * 5
    assert rows[2] == "| nothing goes wrong | handled | (runs for ever: web, api, mail) |"
    assert len(failures) == 2
    assert all(failure.count("\n```") == 2 and "seed 0" in failure for failure in failures)


def test_a_report_is_data() -> None:
    """What was found by situation."""
    assert not report().ok
    assert [verdict.situation for verdict in report().not_handled] == ["agent lost for ever", "gone"]
    assert report()["gone"].findings[0].kind is Kind.JOB_LOST
    with pytest.raises(KeyError, match="no situation 'flood'; there are nothing goes wrong"):
        _ = report()["flood"]
    with pytest.raises(NotHandled) as raised:
        report().check()
    assert any("1 of 3 situations handled" in note for note in raised.value.__notes__)


@pytest.mark.long
def test_progress_is_told_after_each_situation() -> None:
    """Its name and the verdict, in the order of the report; the same run again says the same."""
    told: list[tuple[str, Verdict]] = []

    first = check(wrong.Hopeful, wrong.job_of, on_progress=lambda *news: told.append(news))
    again = check(wrong.Hopeful, wrong.job_of)

    assert told == [(verdict.situation, verdict) for verdict in first.verdicts]
    assert [name for name, _ in told] == [situation.name for situation in SITUATIONS]
    assert again.text() == first.text()
    assert first.scheduler == "Hopeful"


# --- tests of pytest ---------------------------------------------------------------------------------------------

THEIRS = """
import pytest
from mesolite.harness.conformance import SchedulerConformance
from tests.harness import wrong

class TestMine(SchedulerConformance):
    @pytest.fixture
    def scheduler(self):
        return wrong.Hopeful

    @pytest.fixture
    def job_of(self):
        return wrong.job_of

    @pytest.fixture
    def options(self):
        return {"seed": 3}
"""


def test_conformance_is_a_class_of_tests(pytester: pytest.Pytester) -> None:
    """One for each situation, by its name; which scheduler is tried a fixture says."""
    result = theirs(pytester, THEIRS, "-k", "registered or ever or gone")

    result.assert_outcomes(passed=1, failed=2, deselected=len(SITUATIONS) - 3)
    text = text_of(result)
    assert "TestMine::test_situation[agent-lost-for-ever]" in text
    assert "seed 3: checker job lost" in text
    assert "agent lost for ever: A machine with its tasks loses power" in text


def test_a_class_that_names_no_scheduler_is_told_what_is_missing(pytester: pytest.Pytester) -> None:
    """And how it is done."""
    empty = "from mesolite.harness.conformance import *\nclass TestMine(SchedulerConformance): pass\n"

    result = theirs(pytester, empty, "-k", "gone")

    result.assert_outcomes(errors=1, deselected=len(SITUATIONS) - 1)
    assert "TestMine does not say which scheduler it tests: give it a fixture `scheduler`" in text_of(result)


def test_who_only_checks_needs_no_pytest() -> None:
    """It is loaded with the class of tests."""
    code = (
        "import sys; sys.modules['pytest'] = None\n"
        "import mesolite.harness.conformance as c\n"
        "assert c.check and c.SITUATIONS\n"
    )
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert outcome.returncode == 0, outcome.stderr
