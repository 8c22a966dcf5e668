"""SIGUSR1 with real processes: through the agent's handle, and as a real signal to the host process (drain.md 2.1)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesolite import Cluster, Reason, Refused, TaskState
from tests.cluster.real_commands import PATIENCE_S, SHORT, Launching, Pipes, command, pipes_in, until
from tests.project.house_checks import ROOT

STAY = 'exec 9>"$LIFE"; echo ready > "$TOLD"; exec sleep 1000'


@pytest.fixture
def pipes(tmp_path: Path) -> Iterator[Pipes]:
    with pipes_in(tmp_path / "pipes") as pipes:
        yield pipes


@pytest.fixture
def kept_handler() -> Iterator[None]:
    """Whatever a test does to SIGUSR1, the next one finds it as it was."""
    before = signal.getsignal(signal.SIGUSR1)
    yield
    signal.signal(signal.SIGUSR1, before)


def test_a_drained_agent_ends_its_tasks_and_itself(pipes: Pipes) -> None:
    """The framework hears that its task and the agent are lost, the process is gone, the other agent goes on."""
    with Cluster(agents=2, settings=SHORT) as cluster:
        scheduler = Launching(command("t", STAY, **pipes.environment), on="agent-1")
        cluster.run(scheduler, "mine")
        assert pipes.hear() == ["ready"]

        cluster.agents["agent-1"].signal(signal.SIGUSR1)
        until(cluster, lambda: scheduler.ended("t") and scheduler.lost_agents)
        until(cluster, lambda: not cluster.agents["agent-1"].alive)
        pipes.all_gone()

        last = scheduler.updates("t")[-1]
        assert (last.state, last.reason) == (TaskState.TASK_LOST, Reason.REASON_AGENT_REMOVED)
        assert [last.agent_id] == scheduler.lost_agents
        assert cluster.processes("agent-1") == []
        assert cluster.agents["agent-2"].registered
        with pytest.raises(Refused, match="agent-1 is not running; start it again with restart"):
            cluster.agents["agent-1"].signal(signal.SIGUSR1)


def test_a_drained_agent_comes_back_under_its_id(tmp_path: Path) -> None:
    """Its id survives SIGUSR1 in its store (2.1.11)."""
    with Cluster(agents=1, work_dir=tmp_path) as cluster:
        agent = cluster.agents["agent-1"]
        agent_id = agent.id
        agent.signal(signal.SIGUSR1)
        until(cluster, lambda: not agent.alive)

        agent.restart()
        until(cluster, lambda: agent.registered)

        assert agent_id is not None
        assert [agent["hostname"] for agent in cluster.operator.state()["agents"]] == ["agent-1"]


def test_a_real_signal_drains_all_agents_of_the_host(pipes: Pipes, kept_handler: None) -> None:
    """SIGUSR1 to this very process, sent while the main thread waits; it survives, its agents do not."""
    with Cluster(agents=2, settings=SHORT, handle_signals=True) as cluster:
        scheduler = Launching(command("t", STAY, **pipes.environment))
        cluster.run(scheduler, "mine")
        assert pipes.hear() == ["ready"]

        os.kill(os.getpid(), signal.SIGUSR1)
        until(cluster, lambda: scheduler.ended("t") and len(scheduler.lost_agents) == 2)
        until(cluster, lambda: not any(agent.alive for agent in cluster.agents.values()))

        assert Reason.REASON_AGENT_REMOVED is scheduler.updates("t")[-1].reason
        pipes.all_gone()


def test_the_former_handler_hears_the_signal_too_and_is_back_afterwards(kept_handler: None) -> None:
    """A host that listens for SIGUSR1 itself goes on doing so."""
    heard: list[int] = []

    def former(signum: int, frame: object) -> None:
        heard.append(signum)

    signal.signal(signal.SIGUSR1, former)
    with Cluster(agents=1, handle_signals=True) as cluster:
        os.kill(os.getpid(), signal.SIGUSR1)
        until(cluster, lambda: not cluster.agents["agent-1"].alive)

    assert heard == [signal.SIGUSR1]
    assert signal.getsignal(signal.SIGUSR1) is former


@pytest.mark.parametrize("first", [0, 1])
def test_the_former_handler_is_back_whichever_cluster_closes_first(kept_handler: None, first: int) -> None:
    """Two clusters listen, and leave nothing behind."""
    former = signal.getsignal(signal.SIGUSR1)
    clusters = [Cluster(agents=1, handle_signals=True) for _ in range(2)]

    clusters[first].close()
    os.kill(os.getpid(), signal.SIGUSR1)
    until(clusters[1 - first], lambda: not clusters[1 - first].agents["agent-1"].alive)
    clusters[1 - first].close()

    assert signal.getsignal(signal.SIGUSR1) == former


HOST = """
import signal, sys
from mesolite import Cluster
from tests.cluster.real_commands import SHORT, Launching, command

signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background begin with Ctrl-C ignored
environment = dict(zip(("TOLD", "LIFE", "GO"), sys.argv[1:]))
task = command("t", 'exec 9>"$LIFE"; trap "" INT TERM; echo ready > "$TOLD"; sleep 1000 & wait; wait', **environment)
try:
    with Cluster(agents=2, settings=SHORT, handle_signals=True) as cluster:
        scheduler = Launching(task)
        driver = cluster.run(scheduler, "mine")
        cluster.runtime.wait(lambda: scheduler.ended("t"), None)
        print(scheduler.states("t")[-1], scheduler.updates("t")[-1].reason)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.fixture
def host(pipes: Pipes) -> Iterator[subprocess.Popen[str]]:
    """A process that hosts a cluster and one task that does not want to end; started, the task running."""
    arguments = [pipes.environment[name] for name in ("TOLD", "LIFE", "GO")]
    process = subprocess.Popen(
        [sys.executable, "-c", HOST, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            pipes.hear()
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("signum", "said", "status"),
    [
        (signal.SIGUSR1, "LOST REASON_AGENT_REMOVED\n", 0),
        (signal.SIGINT, "interrupted\n", 0),
        (signal.SIGTERM, "", -signal.SIGTERM),
        (signal.SIGKILL, "", -signal.SIGKILL),
    ],
    ids=["SIGUSR1", "Ctrl-C", "SIGTERM", "SIGKILL"],
)
def test_a_host_process_that_gets_a_signal_leaves_nothing_running(
    pipes: Pipes, host: subprocess.Popen[str], signum: int, said: str, status: int
) -> None:
    """Drained, interrupted, ended or killed: what its agents had started goes with it."""
    host.send_signal(signum)
    out, err = host.communicate(timeout=PATIENCE_S)
    pipes.all_gone()

    assert (said, status) == (out, host.returncode)
    assert "Traceback" not in err
