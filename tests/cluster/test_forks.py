"""`os.fork()` beside a cluster: the cluster lives in the process that made it, and what is forked touches nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

HOST = """
import gc, multiprocessing, os, signal, sys, threading
from mesolite import Cluster, FrameworkInfo, Refused
from tests.cluster.real_commands import Launching, command, pipes_in, run_to_the_end, until
import pathlib

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def fork(child):
    pid = os.fork()
    if pid == 0:
        child()
        sys.exit(0)
    say(os.waitpid(pid, 0)[1])

with pipes_in(pathlib.Path(sys.argv[1])) as pipes, Cluster(agents=2, handle_signals=True) as cluster:
    wait = 'echo ready > "$TOLD"; read go < "$GO"; echo done > result; cat result'
    scheduler = Launching(command("t", wait, **pipes.environment), on="agent-1")
    driver = cluster.run(scheduler, "mine")
    pipes.hear()
    until(cluster, lambda: "RUNNING" in scheduler.states("t"))
    sandbox = cluster.sandbox("t")
    drain = cluster.operator.drain("agent-2")
    {child}
    pipes.go()
    until(cluster, lambda: scheduler.ended("t"))
    say(scheduler.states("t")[-1], (sandbox / "stdout").read_text().strip())
    other, _ = run_to_the_end(cluster, command("u", "true"), framework=FrameworkInfo(name="g", checkpoint=True))
    say(other.states("u")[-1], drain.wait(30.0))
say(sandbox.exists(), len([thread for thread in threading.enumerate() if "mesolite" in thread.name]))
"""
WELL = ["FINISHED done", "FINISHED DRAINED", "False 0"]


def run(folder: Path, child: str) -> list[str]:
    """What a process with a cluster says that does this in the middle."""
    script = HOST.replace("{child}", child.replace("\n", "\n    "))
    environment = {**os.environ, "TMPDIR": str(folder)}
    command = [sys.executable, "-c", script, str(folder / "pipes")]
    ran = subprocess.run(command, capture_output=True, check=True, text=True, env=environment)
    assert "Error" not in ran.stderr
    assert [path.name for path in folder.iterdir()] == ["pipes"]
    return ran.stdout.splitlines()


@pytest.mark.parametrize(
    "child",
    [
        "fork(lambda: None)",
        "fork(cluster.close)",
        "fork(lambda: (cluster.close(), cluster.close()))",
        "fork(lambda: cluster.__exit__(None, None, None))",
        "fork(lambda: (globals().pop('cluster'), gc.collect()))",
        "fork(lambda: os._exit(0))",
        "fork(lambda: os.execv('/bin/true', ['true']))",
        "fork(lambda: fork(lambda: cluster.close()))",
    ],
)
def test_a_child_that_leaves_takes_nothing_along(tmp_path: Path, child: str) -> None:
    """However it leaves, the parent's task, folder, registry and agents are as before."""
    told = run(tmp_path, child)

    assert told[: -len(WELL)] == ["0"] * (len(told) - len(WELL))
    assert told[-len(WELL) :] == WELL


def test_a_child_that_leaves_through_with_takes_nothing_along(tmp_path: Path) -> None:
    """`SystemExit` goes through the `with` of the child as well."""
    child = "pid = os.fork()\nif pid == 0:\n    sys.exit(0)\nsay(os.waitpid(pid, 0)[1])"

    assert run(tmp_path, child) == ["0", *WELL]


def test_a_worker_of_multiprocessing_takes_nothing_along(tmp_path: Path) -> None:
    """A forked one that closes the cluster it was given."""
    child = "worker = multiprocessing.get_context('fork').Process(target=cluster.close)\n"
    child += "worker.start()\nworker.join()\nsay(worker.exitcode)"

    assert run(tmp_path, child) == ["0", *WELL]


VERBS = [
    "cluster.ready()",
    "cluster.wait_until(lambda: False, timeout=60)",
    "cluster.run(Launching(), 'other')",
    "cluster.add_agent()",
    "cluster.sandbox('t')",
    "cluster.processes('agent-1')",
    "cluster.agents['agent-1'].signal(signal.SIGUSR1)",
    "cluster.agents['agent-1'].signal(signal.SIGTERM)",
    "cluster.agents['agent-1'].stop()",
    "cluster.agents['agent-1'].crash()",
    "cluster.agents['agent-1'].power_off()",
    "cluster.agents['agent-1'].restart()",
    "cluster.masters['master-1'].crash()",
    "cluster.masters['master-1'].restart()",
    "cluster.operator.state()",
    "cluster.operator.drain('agent-1')",
    "cluster.operator.reclaim('agent-1')",
    "cluster.operator.update_maintenance_schedule([])",
    "cluster.operator.teardown(driver)",
    "drain.wait()",
    "driver.join()",
    "driver.stop()",
    "driver.abort()",
    "driver.kill_task('t')",
    "driver.call_later(0.0, print)",
    "driver.now() and cluster.__enter__()",
]


def test_every_verb_is_refused_in_a_child(tmp_path: Path) -> None:
    """At once, with the reason and what would work; and nothing of it has reached the parent's cluster."""
    child = f"""
def attempt():
    for verb in {VERBS!r}:
        try:
            eval(verb, globals())
            say(verb, "was not refused")
        except Refused as why:
            say(str(why).replace(str(os.getpid()), "CHILD").replace(str(os.getppid()), "PARENT"))
fork(attempt)""".strip()

    told = run(tmp_path, child)

    refusal = (
        "this cluster lives in process PARENT, and process CHILD was forked from it: nothing can be asked of it here; "
        "ask there, or make another cluster here"
    )
    assert told == [refusal] * len(VERBS) + ["0", *WELL]


def test_a_child_may_have_a_cluster_of_its_own(tmp_path: Path) -> None:
    """Beside its parent's, with a folder of its own that goes with it."""
    child = """
def own():
    with Cluster() as mine:
        scheduler, _ = run_to_the_end(mine, command("v", "true"))
        say(scheduler.states("v")[-1], mine.sandbox("v").parents[4] != sandbox.parents[4])
fork(own)""".strip()

    assert run(tmp_path, child) == ["FINISHED True", "0", *WELL]
