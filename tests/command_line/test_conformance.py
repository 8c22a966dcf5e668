"""`mesolite conformance`: a table, a report for an issue, and a status."""

from __future__ import annotations

import pathlib

import pytest

from tests.command_line.calling import file_in, mesolite

SCHEDULERS = """
    from mesolite import Scheduler, TaskInfo

    class Forgetful(Scheduler):
        def __init__(self):
            self.wanted = ["a"]

        def resource_offers(self, driver, offers):
            for offer in offers:
                names, self.wanted = self.wanted, []
                tasks = [TaskInfo(task_id=n, name=n, resources="cpus:1;mem:32", command="sleep 5") for n in names]
                driver.launch_tasks(offer, tasks)

    class Interrupted(Forgetful):
        made = 0

        def __init__(self):
            super().__init__()
            Interrupted.made += 1
            if Interrupted.made == 4:
                raise KeyboardInterrupt

    def no_scheduler():
        return 3
"""


@pytest.mark.long
def test_a_scheduler_that_forgets_is_found_out(tmp_path: pathlib.Path) -> None:
    """By the status, the table and the report."""
    file = file_in(tmp_path, SCHEDULERS)

    ran = mesolite("conformance", f"{file}::Forgetful", "--markdown", tmp_path / "report.md")

    assert ran.exit_code == 1
    assert "situations handled" in ran.stdout.splitlines()[0]
    assert "job lost" in ran.stdout
    assert (tmp_path / "report.md").read_text(encoding="utf-8").startswith("**Forgetful**: ")


def test_ctrl_c_prints_the_verdicts_so_far(tmp_path: pathlib.Path) -> None:
    """As many as there are."""
    ran = mesolite("conformance", f"{file_in(tmp_path, SCHEDULERS)}::Interrupted")

    assert ran.exit_code == 130
    assert "nothing goes wrong: handled" in ran.stdout
    assert "interrupted after " in ran.stderr


def test_what_makes_no_scheduler_is_refused(tmp_path: pathlib.Path) -> None:
    """In a sentence."""
    ran = mesolite("conformance", f"{file_in(tmp_path, SCHEDULERS)}::no_scheduler")

    assert ran.exit_code == 2
    assert "makes int, which is no scheduler" in ran.stderr
