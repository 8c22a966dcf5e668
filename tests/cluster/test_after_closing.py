"""What can still be asked of a cluster that is closed; everything else says at once what is wrong."""

from __future__ import annotations

import inspect
import signal
import threading
from queue import SimpleQueue
from typing import Any

import pytest

from mesolite import (
    Cluster,
    Drain,
    DriverStatus,
    Operator,
    Reclaim,
    Refused,
    SchedulerDriver,
    TaskInfo,
    TaskState,
    TaskStatus,
)
from mesolite.drivers import MesoliteSchedulerDriver
from mesolite.machines import AgentMachine, MasterMachine
from mesolite.names import ByName
from tests.cluster.real_commands import PATIENCE_S, until
from tests.scenarios.schedulers import Recorder

KINDS = (Cluster, Operator, AgentMachine, MasterMachine, MesoliteSchedulerDriver, Drain, Reclaim)

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "Cluster.wait_until": (lambda: False, 1.0),
    "Cluster.run_until": (lambda: False, 1.0),
    "Cluster.run": (Recorder(), "another"),
    "Cluster.allow_error": (ValueError,),
    "Operator.update_maintenance_schedule": ([],),
    "Operator.teardown": ("mine",),
    "AgentMachine.signal": (signal.SIGUSR1,),
    "MesoliteSchedulerDriver.launch_tasks": ("o1", TaskInfo(task_id="t1", resources="cpus:1", command="true")),
    "MesoliteSchedulerDriver.accept_offers": ("o1", ()),
    "MesoliteSchedulerDriver.acknowledge": (TaskStatus(task_id="t1", state=TaskState.TASK_RUNNING),),
    "MesoliteSchedulerDriver.call_later": (0.0, lambda: None),
}
"""What those verbs are given that want something else than names."""

OURS = {"begin", "prepare", "call", "user", "raised", "status_is", "framework_is"}
"""What actors and the wiring call."""

ANSWERS: dict[str, object] = {
    "Cluster.close": None,
    "Cluster.raise_user_errors": None,
    "MesoliteSchedulerDriver.stop": DriverStatus.DRIVER_STOPPED,
    "MesoliteSchedulerDriver.abort": DriverStatus.DRIVER_STOPPED,
}
"""They end what has ended, or ask nobody; `now()` answers, too."""


def public(kind: type) -> list[str]:
    """The public methods of a class, found by looking."""
    names = (name for name, _ in inspect.getmembers(kind, inspect.isfunction))
    return [name for name in names if not name.startswith("_") and name not in OURS]


VERBS = [f"{kind.__name__}.{name}" for kind in KINDS for name in public(kind) if name != "now"]


@pytest.fixture(scope="module")
def handles() -> dict[str, Any]:
    """Handles of all that was in a cluster that is closed, by class."""
    with Cluster(agents=2) as cluster:
        driver = cluster.run(Recorder(), "mine")
        until(cluster, lambda: driver.framework_id)
        agent, stopped = cluster.agents.values()
        stopped.stop()
        held = [
            cluster,
            cluster.operator,
            agent,
            cluster.masters["master-1"],
            driver,
            cluster.operator.drain(stopped),
            cluster.operator.reclaim("agent-1", "cpus:1"),
        ]
    return {"id": agent.id} | {type(handle).__name__: handle for handle in held}


def say(handles: dict[str, Any], verb: str) -> Any:
    """Call a verb with arguments that it would take of an open cluster."""
    owner, _, name = verb.partition(".")
    function = getattr(handles[owner], name)
    wanted = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD and parameter.default is parameter.empty
    ]
    return function(*ARGUMENTS.get(verb, ("agent-1",) * len(wanted)))


@pytest.mark.parametrize("verb", sorted(set(VERBS) - set(ANSWERS)))
def test_every_verb_says_that_the_cluster_is_closed(handles: dict[str, Any], verb: str) -> None:
    """At once, whatever it would have waited for."""
    with pytest.raises(Refused, match=r"this cluster is closed; make another one|the cluster was closed"):
        say(handles, verb)


def test_what_was_known_can_still_be_read(handles: dict[str, Any]) -> None:
    """Names, ids, times, the trace; a leader there is not."""
    cluster, agent, driver = (handles[name] for name in ("Cluster", "AgentMachine", "MesoliteSchedulerDriver"))

    assert (agent.name, agent.id, agent.history) == ("agent-1", handles["id"], ())
    assert not agent.alive
    assert not agent.registered
    assert (cluster.leader, cluster.user_errors, driver.framework_id) == (None, (), "m1-F1")
    assert cluster.trace.text()
    assert 0.0 < driver.now() <= cluster.now
    assert repr(handles["Drain"]).endswith(": this cluster is closed; make another one>")


def test_what_has_ended_may_be_ended_again(handles: dict[str, Any]) -> None:
    """As tidy programs do; a driver that was stopped answers like one that was stopped before."""
    for verb, answer in ANSWERS.items():
        assert say(handles, verb) is answer
    driver = handles["MesoliteSchedulerDriver"]
    assert driver.join() is driver.revive_offers() is DriverStatus.DRIVER_STOPPED


def test_a_drain_whose_end_was_seen_is_known_for_ever() -> None:
    """Waiting for it does not even wait."""
    with Cluster() as cluster:
        drain = cluster.operator.drain("agent-1")
        state = drain.wait(PATIENCE_S)

    assert drain.wait() is drain.state is state


def test_a_callback_that_closing_overtakes_is_not_told() -> None:
    """What it asks for does nothing, as on any driver that has ended, so leaving the `with` raises nothing."""
    answers: SimpleQueue[object] = SimpleQueue()
    called, closing = threading.Event(), threading.Event()

    class Slow(Recorder):
        def registered(self, driver: SchedulerDriver, *arguments: Any) -> None:
            called.set()
            assert closing.wait(PATIENCE_S)
            answers.put(driver.revive_offers())

    with Cluster() as cluster:
        cluster.run(Slow(), "slow")
        assert called.wait(PATIENCE_S)
        cluster.close()  # it waits only so long for user code
        closing.set()
        assert answers.get(timeout=PATIENCE_S) is DriverStatus.DRIVER_RUNNING

    assert cluster.user_errors == ()


@pytest.mark.parametrize("by_name", ["agents", "masters", "frameworks"])
def test_an_unknown_name_is_an_error_that_names_those_there_are(by_name: str) -> None:
    """It is a `KeyError` as of any dictionary, and reads as a sentence."""
    with Cluster(agents=2, masters=2) as cluster:
        cluster.run(Recorder(), "mine")
        names = getattr(cluster, by_name)
        for wrong in ("nobody", 1, None):
            with pytest.raises(KeyError) as caught:
                names[wrong]
            assert isinstance(caught.value, Refused)
            assert str(caught.value) == f"there is no {by_name[:-1]} named {wrong!r}, only {', '.join(names)}"
        assert names.get("nobody") is None
        assert "nobody" not in names
        with pytest.raises(KeyError, match="there is no agent named 'nobody', only agent-1, agent-2"):
            cluster.processes("nobody")


def test_of_very_many_names_the_nearest_are_shown() -> None:
    """Or the first, if none is near."""
    names: ByName[int] = ByName("agent")
    assert str(error_of(names, "a")) == "there is no agent named 'a', nor any other"
    names |= {f"agent-{number}": number for number in range(1, 1001)}

    assert "'agent-1001', only agent-101, agent-100," in str(error_of(names, "agent-1001"))
    assert str(error_of(names, 5)).endswith("agent-9, agent-10 and 990 more")


def error_of(names: Any, name: object) -> KeyError:
    """What looking that up raises."""
    with pytest.raises(KeyError) as caught:
        names[name]
    return caught.value
