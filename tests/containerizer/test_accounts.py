"""As whom commands run (http.md HT-245)."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Any

import attrs
import pytest

from mesolite import Cluster, CommandInfo, FrameworkInfo
from mesolite.actors.containerizer.accounts import account_of
from mesolite.messages.tasks import Uri
from tests.cluster.real_commands import command, run_to_the_end
from tests.logs import logged

IS_ROOT = os.geteuid() == 0
"""Only root may act for others."""

WHO = "id -u; id -g; stat -c %u . ./file; cat file; touch $MESOS_SANDBOX/mine"


def told_by(uid: int, gid: int) -> list[str]:
    """What it writes as that user."""
    return [str(uid), str(gid), str(uid), str(uid), "read"]


NOBODY = told_by(pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)
OURS = told_by(os.geteuid(), os.getegid())


def who(user: str, file: Path) -> Any:
    """A task that tells as whom it runs, and whose its sandbox is."""
    return attrs.evolve(
        command("t", ""), command=CommandInfo(value=WHO, user=user, uris=[Uri(value=file, output_file="file")])
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("read\n")
    path.chmod(0o600)
    return path


def told(cluster: Cluster) -> list[str]:
    return (cluster.sandbox("t") / "stdout").read_text().split()


@pytest.mark.parametrize("user", ["nobody", str(pwd.getpwnam("nobody").pw_uid)])
def test_a_command_runs_as_its_user(file: Path, user: str) -> None:
    """Whatever its framework's is; if we cannot be that user, it does not run."""
    with Cluster(agents=1) as cluster:
        scheduler, _ = run_to_the_end(cluster, who(user, file), framework=FrameworkInfo(name="f", user="root"))

        if IS_ROOT:
            assert (scheduler.states("t")[-1], told(cluster)) == ("FINISHED", NOBODY)
        else:
            assert "only root acts for others" in scheduler.updates("t")[-1].message


def test_a_command_that_names_no_user_runs_as_its_frameworks(file: Path) -> None:
    """The sandbox and what was fetched are that user's, who can get there; if we cannot be that user, ours."""
    with Cluster(agents=1) as cluster:
        scheduler, _ = run_to_the_end(cluster, who("", file), framework=FrameworkInfo(name="f", user="nobody"))

        assert scheduler.states("t")[-1] == "FINISHED"
        assert told(cluster) == (NOBODY if IS_ROOT else OURS)


def test_a_framework_whose_user_is_not_there_runs_as_we_do_which_is_said_once(file: Path) -> None:
    """It may have been written for other machines; a command that names its user means it."""
    with logged() as lines, Cluster(agents=1) as cluster:
        for _ in range(2):
            scheduler, _ = run_to_the_end(cluster, who("", file), framework=FrameworkInfo(name="f", user="no-such"))
            assert scheduler.states("t")[-1] == "FINISHED"

        assert told(cluster) == OURS
    assert len([line for line in lines if "'no-such' run as we do: " in line]) == 1


def test_a_command_whose_user_is_not_there_fails(file: Path) -> None:
    """With the reason."""
    with Cluster(agents=1) as cluster:
        scheduler, _ = run_to_the_end(cluster, who("no-such-user", file))

        assert scheduler.states("t") == ["STARTING", "FAILED"]
        assert "as user 'no-such-user', and there is no such user here" in scheduler.updates("t")[-1].message


def test_our_own_user_may_be_named_by_its_number() -> None:
    """Also where it has no name, as in many containers."""
    assert account_of(str(os.geteuid())) is None
