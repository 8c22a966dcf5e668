"""What goes wrong around a real cluster: user code that raises or blocks, daemons that crash, leaders that die."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from mesolite import (
    ActorFailed,
    Cluster,
    DriverAborted,
    Executor,
    FrameworkInfo,
    Reason,
    Refused,
    Settings,
    TaskInfo,
    TaskState,
)
from mesolite.actors.runtime.store import StaleTerm, encoded
from mesolite.actors.threads.sqlite_store import SqliteStore
from mesolite.messages import RunTask, StatusUpdate, TaskCheckpoint
from mesolite.messages.infos import AgentInfo
from tests.cluster.real_commands import PATIENCE_S, SHORT, Launching, Pipes, command, pipes_in, run_to_the_end, until
from tests.scenarios.schedulers import EXECUTORS, Recorder, executor_task
from tests.scenarios.unstorable import LARGE, UNSTORABLE, broken, slip_in

FAST = SHORT.but(executor_reregistration_timeout_s=0.5)
WAIT_FOR_GO = 'exec 9>"$LIFE"; echo ready > "$TOLD"; read go < "$GO"; exit 7'


@pytest.fixture
def pipes(tmp_path: Path) -> Iterator[Pipes]:
    with pipes_in(tmp_path / "pipes") as pipes:
        yield pipes


# ---------------------------------------------------------------------------------------------------------- user code


class Raising(Recorder):
    """Raises in one of its callbacks."""

    def __init__(self, callback: str, error: BaseException) -> None:
        super().__init__()
        self._raise = (callback, error)

    def note(self, driver: Any, name: str, *arguments: Any) -> None:
        super().note(driver, name, *arguments)
        if name == self._raise[0]:
            raise self._raise[1]


@pytest.mark.parametrize("error", [ValueError("my bug"), SystemExit(3), KeyboardInterrupt()])
def test_a_scheduler_that_raises_aborts_its_own_driver_only(error: BaseException) -> None:
    """The error is in `driver.error` and the last callback; another framework runs its task as if nothing were."""
    with Cluster() as cluster:
        cluster.allow_error(type(error), "broken")
        broken = Raising("resource_offers", error)
        driver = cluster.run(broken, "broken")
        assert driver.join(PATIENCE_S).name == "DRIVER_ABORTED"
        until(cluster, lambda: broken.errors)

        text = f"resource_offers raised {type(error).__name__}: {error}"
        assert text in str(driver.error)
        assert broken.names[-1] == "error"
        driver.stop()  # gives back what it was offered
        healthy, _ = run_to_the_end(cluster, command("t", "exit 0"), framework="healthy")
        assert healthy.states("t")[-1] == "FINISHED"


def test_an_executor_that_raises_fails_its_tasks_only() -> None:
    """Its agent lives on and runs the next task."""
    with Cluster(settings=SHORT) as cluster:
        scheduler = Launching(executor_task("t"))
        driver = cluster.run(scheduler, "mine", executors=EXECUTORS)
        until(cluster, lambda: "RUNNING" in scheduler.states("t"))

        cluster.allow_error(RuntimeError, cluster.agents["agent-1"])
        driver.send_framework_message("e1", scheduler.updates("t")[0].agent_id or "", "raise")
        until(cluster, lambda: scheduler.ended("t") and scheduler.named("executor_lost"))

        assert scheduler.states("t") == ["RUNNING", "FAILED"]
        assert Reason.REASON_EXECUTOR_TERMINATED is scheduler.updates("t")[-1].reason
        assert scheduler.updates("t")[-1].message == "framework_message raised RuntimeError: told to"
        again, _ = run_to_the_end(cluster, command("t", "exit 0"), framework="another")
        assert again.states("t")[-1] == "FINISHED"


def test_an_executor_that_says_something_malformed_fails_its_tasks_only() -> None:
    """Its agent refuses it, lives on and runs the next task; the tasks say why they have failed."""
    with Cluster(settings=SHORT) as cluster:
        scheduler = Launching(executor_task("t"))
        driver = cluster.run(scheduler, "mine", executors=EXECUTORS)
        until(cluster, lambda: "RUNNING" in scheduler.states("t"))
        said = next(record.event for record in cluster.trace if isinstance(record.event, StatusUpdate))
        executor = cluster.runtime.directory.find(f"agent-1/{driver.framework_id}/e1")
        assert executor is not None

        wrong = broken(said, status=broken(said.status, state="TASK_FINISHED", uuid="another"))
        cluster.runtime.send(executor, "agent-1", wrong, -1)
        until(cluster, lambda: scheduler.ended("t") and scheduler.named("executor_lost"))

        assert scheduler.states("t") == ["RUNNING", "FAILED"]
        why = "executor e1 was shut down: its StatusUpdate was refused: StatusUpdate.status.state cannot be"
        assert scheduler.updates("t")[-1].message.startswith(why)
        again, _ = run_to_the_end(cluster, command("t", "exit 0"), framework="another")
        assert again.states("t")[-1] == "FINISHED"


class Unborn(Executor):
    """Cannot even be made."""

    def __init__(self) -> None:
        raise SystemExit("no licence")


def test_an_executor_that_cannot_be_made_fails_its_tasks_only() -> None:
    """Its constructor is user code, too."""
    with Cluster(settings=SHORT) as cluster:
        cluster.allow_error(SystemExit)
        scheduler = Launching(executor_task("t"))
        cluster.run(scheduler, "mine", executors={"obedient": Unborn})
        until(cluster, lambda: scheduler.ended("t"))

        assert scheduler.states("t") == ["FAILED"]
        assert cluster.agents["agent-1"].registered


def test_an_executor_nobody_knows_fails_its_tasks_only() -> None:
    """The message says what would have helped."""
    with Cluster(settings=SHORT) as cluster:
        scheduler, _ = run_to_the_end(cluster, executor_task("t"))

        last = scheduler.updates("t")[-1]
        assert (last.state, last.reason) == (TaskState.TASK_FAILED, Reason.REASON_CONTAINER_LAUNCH_FAILED)
        assert "no executor class is known under the name 'obedient'; give one with run(" in last.message


class Blocking(Recorder):
    """Blocks in a callback until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.opened = threading.Event(), threading.Event()

    def registered(self, driver: Any, *arguments: Any) -> None:
        self.reached.set()
        assert self.opened.wait(PATIENCE_S)


def _run_on_a_new_agent(cluster: Cluster, scheduler: Launching) -> None:
    """Run a task while another framework sits on all there is."""
    cluster.run(scheduler, "another")
    until(cluster, lambda: scheduler.count("registered"))
    cluster.add_agent()
    until(cluster, lambda: scheduler.ended("t"))


def test_a_blocked_callback_stalls_nobody_else_and_closing_returns() -> None:
    """Another framework runs its task meanwhile; the thread that stays behind ends when the callback returns."""
    blocking, healthy = Blocking(), Launching(command("t", "exit 0"))
    with Cluster() as cluster:
        cluster.run(blocking, "blocking")
        assert blocking.reached.wait(PATIENCE_S)

        _run_on_a_new_agent(cluster, healthy)
        assert healthy.states("t")[-1] == "FINISHED"
    (left,) = [thread for thread in threading.enumerate() if thread.name == "mesolite blocking"]
    blocking.opened.set()
    left.join(PATIENCE_S)

    assert not left.is_alive()


def test_a_callback_may_wait_for_a_driver_of_another_framework() -> None:
    """Every scheduler has a thread of its own, so it may block on what others do."""
    with Cluster() as cluster:
        inner = Launching(command("t", "exit 0"))

        class Outer(Recorder):
            def registered(self, driver: Any, *arguments: Any) -> None:
                _run_on_a_new_agent(cluster, inner)
                driver.stop()

        assert cluster.run(Outer(), "outer").join(PATIENCE_S).name == "DRIVER_STOPPED"


def test_whoever_joins_a_driver_is_let_go_when_the_cluster_closes() -> None:
    """A thread in `driver.join()` does not outlive the cluster for ever."""
    with Cluster() as cluster:
        driver = cluster.run(Recorder(), "mine")
        joiner = threading.Thread(target=driver.join)
        joiner.start()
    joiner.join(PATIENCE_S)

    assert not joiner.is_alive()


def test_an_actor_that_fails_is_raised_when_the_cluster_closes() -> None:
    """Our own bug is not swept under the carpet, and whoever joins such an actor's driver does not wait for ever."""

    def broken(*arguments: object) -> Any:
        raise ZeroDivisionError("our bug")

    def run() -> None:
        with Cluster() as cluster:
            driver = cluster.run(Recorder(), "mine")
            context: Any = cluster.runtime.directory.find("mine")
            context.actor.core.handle = broken
            driver.revive_offers()

            with pytest.raises(DriverAborted, match="mine was aborted: the driver itself failed: our bug"):
                driver.join(PATIENCE_S)
            assert driver.status.name == "DRIVER_ABORTED"

    with pytest.raises(ActorFailed, match="mine failed: ZeroDivisionError: our bug"):
        run()


# ------------------------------------------------------------------------------------------------ agents and masters


def test_a_restarted_agent_finds_its_commands_and_their_exit_statuses_again(pipes: Pipes) -> None:
    """With checkpointing a command outlives its agent, and what it returned in between is told (drain.md 3.1.11)."""
    with Cluster(settings=FAST) as cluster:
        agent = cluster.agents["agent-1"]
        scheduler = Launching(command("t", WAIT_FOR_GO, **pipes.environment))
        cluster.run(scheduler, FrameworkInfo(name="mine", checkpoint=True))
        pipes.hear()
        until(cluster, lambda: "RUNNING" in scheduler.states("t"))
        before, pids = agent.id, cluster.processes("agent-1")

        agent.crash()
        until(cluster, lambda: not agent.alive)
        assert pids == cluster.processes("agent-1")
        pipes.go()
        pipes.all_gone()
        agent.restart()
        until(cluster, lambda: scheduler.ended("t"))

        # The same update may come more than once: the agent forwards anew what was not acknowledged (TK-10).
        assert list(dict.fromkeys(scheduler.states("t"))) == ["STARTING", "RUNNING", "FAILED"]
        assert scheduler.updates("t")[-1].message == "Command exited with status 7"
        assert before == agent.id


def test_a_restarted_agent_takes_over_commands_that_run_on(pipes: Pipes) -> None:
    """Nothing is told of a crash that was over before anybody minded."""
    with Cluster(settings=FAST) as cluster:
        agent = cluster.agents["agent-1"]
        scheduler = Launching(command("t", WAIT_FOR_GO, **pipes.environment))
        driver = cluster.run(scheduler, FrameworkInfo(name="mine", checkpoint=True))
        pipes.hear()
        until(cluster, lambda: "RUNNING" in scheduler.states("t"))
        pids = cluster.processes("agent-1")

        agent.crash()
        agent.restart()
        until(cluster, lambda: agent.registered)
        assert pids == cluster.processes("agent-1")
        driver.kill_task("t")
        until(cluster, lambda: scheduler.ended("t"))

        assert list(dict.fromkeys(scheduler.states("t"))) == ["STARTING", "RUNNING", "KILLED"]


def test_without_checkpointing_a_crashed_agent_loses_its_tasks_at_once(pipes: Pipes) -> None:
    """The broken link tells the master, the master the framework; the processes go as well (drain.md 1.5.2)."""
    with Cluster(settings=FAST) as cluster:
        scheduler = Launching(command("t", WAIT_FOR_GO, **pipes.environment))
        cluster.run(scheduler, "mine")
        pipes.hear()
        until(cluster, lambda: "RUNNING" in scheduler.states("t"))

        cluster.agents["agent-1"].crash()
        until(cluster, lambda: scheduler.ended("t"))
        pipes.all_gone()

        last = scheduler.updates("t")[-1]
        assert (last.state, last.reason) == (TaskState.TASK_LOST, Reason.REASON_AGENT_DISCONNECTED)


def test_a_machine_without_power_takes_its_processes_along(pipes: Pipes) -> None:
    """Nothing on it survives, and nobody is told."""
    with Cluster(agents=2, settings=FAST) as cluster:
        scheduler = Launching(command("t", WAIT_FOR_GO, **pipes.environment), on="agent-1")
        cluster.run(scheduler, FrameworkInfo(name="mine", checkpoint=True))
        pipes.hear()
        until(cluster, lambda: "RUNNING" in scheduler.states("t"))

        cluster.agents["agent-1"].power_off()
        pipes.all_gone()
        other = Launching(command("t", "exit 0"), on="agent-2")
        cluster.run(other, "other")
        until(cluster, lambda: other.ended("t"))

        assert scheduler.states("t") == ["STARTING", "RUNNING"]
        assert scheduler.lost_agents == []


@pytest.mark.slow
def test_a_standby_takes_over_and_tasks_run_on(pipes: Pipes) -> None:
    """The framework is told, re-registers, and hears the end of its task from the new leader (core.md 2.4)."""
    with Cluster(agents=1, masters=3, settings=FAST) as cluster:
        scheduler = Launching(command("t", WAIT_FOR_GO, **pipes.environment))
        cluster.run(scheduler, FrameworkInfo(name="mine", failover_timeout_s=60.0))
        pipes.hear()
        until(cluster, lambda: "RUNNING" in scheduler.states("t"))
        old = cluster.leader
        assert old is not None

        old.crash()
        until(cluster, lambda: cluster.leader not in (None, old))
        until(cluster, lambda: scheduler.count("disconnected") and cluster.agents["agent-1"].registered)
        until(cluster, lambda: scheduler.count("reregistered") + scheduler.count("registered") >= 2)
        pipes.go()
        until(cluster, lambda: scheduler.ended("t"))

        assert scheduler.updates("t")[-1].message == "Command exited with status 7"
        old.restart()
        new, _ = run_to_the_end(cluster, command("t2", "exit 0"), framework="another")
        assert new.states("t2")[-1] == "FINISHED"
        assert cluster.leader is not old


# ------------------------------------------------------------------------------------------------- what stays, what not


def test_a_later_cluster_goes_on_where_an_earlier_one_ended(tmp_path: Path) -> None:
    """In the same folder: agents keep their ids, terms grow, framework ids do not come twice."""
    ids, frameworks, terms = [], [], []
    for _ in range(3):
        with Cluster(agents=2, work_dir=tmp_path) as cluster:
            _, driver = run_to_the_end(cluster, command("t", "exit 0"))
            ids.append([agent.id for agent in cluster.agents.values()])
            frameworks.append(driver.framework_id)
        store = SqliteStore(str(tmp_path / "store.sqlite"))
        terms.append(store.term("registry"))
        store.close()

    assert ids[0] == ids[1] == ids[2]
    assert len(dict.fromkeys(frameworks)) == 3
    assert sorted(dict.fromkeys(terms)) == terms


def test_the_registry_is_fenced_across_processes(tmp_path: Path) -> None:
    """Who claims the file with a later term, through whatever connection, fences off the earlier one (EL-37)."""
    path = str(tmp_path / "store.sqlite")
    first, second = SqliteStore(path), SqliteStore(path)
    record = AgentInfo(hostname="h", resources="cpus:1")
    first.load("registry", 1)
    first.save("registry", encoded("registry", [("a", record)]), 1)

    assert {"a": record} == second.load("registry", 2)
    with pytest.raises(StaleTerm, match="registry: term 1 came too late, term 2 has claimed the store"):
        first.save("registry", encoded("registry", [("a", None), ("b", record)]), 1)
    assert {"a": record} == second.load("registry", 2)
    first.close()
    second.close()


def live_with_an_agent_that_cannot_checkpoint(folder: Path) -> None:
    """Agent-1 is slipped a task that cannot be stored; the masters and another agent go on."""
    with Cluster(masters=2, work_dir=folder) as cluster:
        framework = Launching(TaskInfo(task_id="t1", resources="cpus:1;mem:32", command="sleep 60", data=LARGE))
        cluster.run(framework, FrameworkInfo(name="checkpointed", checkpoint=True))
        until(cluster, lambda: framework.states("t1")[-1:] == ["RUNNING"])
        launches = [record.event for record in cluster.trace if isinstance(record.event, RunTask)]

        slip_in(cluster, launches[0], data={"not": "data"})
        until(cluster, lambda: not cluster.agents["agent-1"].alive)

        assert all(master.alive for master in cluster.masters.values())
        added = cluster.add_agent()
        until(cluster, lambda: added.registered)


@pytest.mark.slow
def test_an_agent_that_cannot_checkpoint_a_task_fails_alone(tmp_path: Path) -> None:
    """20 MB of bytes can be stored; what cannot fails the agent that wanted it saved, by name, and nobody else."""
    with pytest.raises(ActorFailed, match=UNSTORABLE):
        live_with_an_agent_that_cannot_checkpoint(tmp_path)

    with closing(SqliteStore(str(tmp_path / "store.sqlite"))) as store:
        kept = [record.task for record in store.load("agent-1", 0).values() if type(record) is TaskCheckpoint]
        assert [task.task_id for task in kept] == ["t1"]
        assert kept[0].data == LARGE


def test_a_leader_whose_registry_was_claimed_by_another_cluster_steps_down(tmp_path: Path) -> None:
    """Its next write is refused, and it does not go on deciding (EL-37)."""
    with Cluster(agents=1, work_dir=tmp_path) as cluster:
        other = SqliteStore(str(tmp_path / "store.sqlite"))
        other.load("registry", other.term("registry") + 100)
        other.close()
        cluster.add_agent()

        until(cluster, lambda: cluster.leader is None or not cluster.masters["master-1"].alive)


def test_two_clusters_in_one_process_do_not_know_each_other() -> None:
    """The same names in both; what ends in one does not end in the other."""
    with Cluster(agents=1) as one, Cluster(agents=1) as two:
        run_to_the_end(one, command("t", "echo one"))
        run_to_the_end(two, command("t", "echo two"))
        one.agents["agent-1"].crash()
        until(one, lambda: not one.agents["agent-1"].alive)

        assert tuple((c.sandbox("t") / "stdout").read_text() for c in (one, two)) == ("one\n", "two\n")
        assert two.agents["agent-1"].alive
        one.close()
        third, _ = run_to_the_end(two, command("t3", "exit 0"), framework="another")
        assert third.states("t3")[-1] == "FINISHED"


def test_a_closed_cluster_leaves_nothing_behind(pipes: Pipes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread, no process, no open file, no temporary folder; closing twice is harmless."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    this = psutil.Process()
    threads, fds, children = threading.enumerate(), sorted(os.listdir("/proc/self/fd")), this.children(recursive=True)

    cluster = Cluster(agents=2, masters=2, settings=SHORT)
    cluster.ready()
    scheduler = Launching(command("t", WAIT_FOR_GO, **pipes.environment), executor_task("e"))
    cluster.run(scheduler, "mine", executors=EXECUTORS)
    pipes.hear()
    until(cluster, lambda: "RUNNING" in scheduler.states("e"))
    assert os.listdir(tmp_path / "temporary")
    cluster.close()
    cluster.close()
    pipes.all_gone()

    assert threads == threading.enumerate()
    assert children == this.children(recursive=True)
    assert fds == sorted(os.listdir("/proc/self/fd"))
    assert os.listdir(tmp_path / "temporary") == []


def test_what_is_asked_of_a_closed_cluster_is_refused() -> None:
    """The text says so."""
    with Cluster() as cluster:
        pass

    with pytest.raises(Refused, match="this cluster is closed; make another one"):
        cluster.run(Recorder(), "mine")
    with pytest.raises(Refused, match="this cluster is closed; make another one"):
        cluster.operator.state()


def test_a_cluster_that_does_not_get_ready_says_who_is_missing() -> None:
    """And leaves nothing behind."""
    cluster = Cluster(agents=2, settings=Settings.local().but(registration_backoff_factor_s=3600.0))

    with pytest.raises(TimeoutError, match=r"not ready after 0.05 s: .*, not registered: \['agent-1', 'agent-2'\]"):
        cluster.ready(timeout=0.05)
    cluster.close()
