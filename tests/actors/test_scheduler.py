"""What a scheduler driver does with what is said to it: lists of events with the exact effects each must have."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mesolite.actors.decisions.contract import Callback, ExecutorStart, Send, Started
from mesolite.actors.decisions.driver_calls import IMPLICIT_ACKNOWLEDGEMENTS, AcknowledgeCall
from mesolite.actors.decisions.executor.command import CommandExecutorCore
from mesolite.actors.decisions.scheduler.core import SchedulerCore
from mesolite.messages.executor import ExecutorRegistered
from mesolite.messages.infos import AgentInfo
from mesolite.messages.offers import Filters
from mesolite.messages.relayed import ExecutorToFramework, RunTask, StatusUpdate, StatusUpdateAcknowledgement
from mesolite.messages.scheduler import AgentLost, DeclineOffers, RescindOffer, ResourceOffers
from mesolite.messages.tasks import ExecutorInfo, Source, TaskState, TaskStatus
from tests.actors.drivers import (
    DEACTIVATED,
    DRIVER,
    KNOWN,
    MASTER,
    NEWS,
    OFFER,
    RUNNING,
    SETTINGS,
    TASK,
    UPDATE,
    ask,
    connected,
    detect,
    hear,
    parted,
    returned,
    started,
)

ACKNOWLEDGED = StatusUpdateAcknowledgement(
    framework_id="m1-F1", agent_id="m1-S1", task_id="t1", uuid="x:1"
)
MESSAGES = pytest.mark.parametrize("message", [pytest.param(row[0], id=row[1]) for row in NEWS])


@pytest.mark.parametrize(("message", "callback", "arguments"), [pytest.param(*row, id=row[1]) for row in NEWS])
def test_what_the_leader_says_is_a_callback(message: object, callback: str, arguments: tuple[object]) -> None:
    """Each message has its callback, with the arguments of the driver API (2.6.1)."""
    assert hear(connected(), message) == [Callback(callback, arguments, 2)]


@MESSAGES
def test_what_anybody_else_says_is_ignored(message: object) -> None:
    """Two leaders may overlap; a driver believes the one it detected (EL-58, EL-61, 2.6.2)."""
    assert hear(connected(), message, "master-2") == []


@MESSAGES
def test_what_the_leader_says_before_it_has_registered_the_framework_is_ignored(message: object) -> None:
    """Being detected is not enough: the driver must be connected (EL-58, 2.6.2). Offers go back, or nobody has them."""
    core = started()
    detect(core)

    offers = [offer.id for offer in message.offers] if isinstance(message, ResourceOffers) else []
    unused = DeclineOffers(framework_id="m1-F1", offer_ids=("m1-O1",), filters=Filters(refuse_seconds=0.0))
    assert hear(core, message) == [Send(MASTER.name, unused) for _ in offers]
    assert core.offers == {}


@pytest.mark.parametrize("driver", [connected, parted])
def test_executors_are_heard_from_wherever_they_speak(driver: Callable[[], SchedulerCore]) -> None:
    """Framework messages come straight from agents, and do not need a master (EL-58, TK-72)."""
    message = ExecutorToFramework(framework_id="m1-F1", agent_id="m1-S1", executor_id="e1", data="hi")

    callback = hear(driver(), message, "agent-1")[-1]

    assert isinstance(callback, Callback)
    assert (callback.callback, callback.arguments) == ("framework_message", ("e1", "m1-S1", "hi"))


def test_callbacks_come_one_at_a_time_in_order() -> None:
    """What arrives while user code runs waits for its turn; serials grow."""
    core = connected()
    offers = Callback("resource_offers", ((OFFER,),), 2)
    rescinded = Callback("offer_rescinded", ("m1-O1",), 3)
    lost = Callback("agent_lost", ("m1-S1",), 4)

    assert hear(core, ResourceOffers(offers=(OFFER,))) == [offers]
    assert hear(core, RescindOffer(offer_id="m1-O1")) == []
    assert hear(core, AgentLost(agent_id="m1-S1")) == []
    assert returned(core, offers) == [rescinded]
    assert returned(core, rescinded) == [lost]
    assert returned(core, lost) == []


# --- acknowledgements ----------------------------------------------------------------------------------


def test_an_update_is_acknowledged_when_its_callback_has_returned() -> None:
    """Not before: what the scheduler has not seen is not taken (TK-31)."""
    core = connected()

    callback = hear(core, UPDATE)
    assert callback == [Callback("status_update", (RUNNING,), 2)]
    assert returned(core, callback[0]) == [Send("master-1", ACKNOWLEDGED)]


def test_an_update_is_not_acknowledged_if_its_callback_stopped_the_driver() -> None:
    """The agent will send it again, to the successor (TK-31)."""
    core = connected()
    callback = hear(core, UPDATE)[-1]

    assert returned(core, callback, still_running=False) == []


def test_an_update_is_not_acknowledged_to_a_master_that_is_gone() -> None:
    """While disconnected nothing is sent; the agent will send the update again (FW-43)."""
    core = connected()
    callback = hear(core, UPDATE)[-1]
    detect(core, None)

    assert returned(core, callback) == [Callback("disconnected", (), 3)]


def test_an_update_made_by_a_master_is_not_acknowledged() -> None:
    """It has no uuid, and nobody waits for an answer (TK-21, drain.md 0.2.8)."""
    core = connected()
    status = TaskStatus(task_id="t1", state=TaskState.TASK_LOST, source=Source.SOURCE_MASTER, agent_id="m1-S1")
    update = StatusUpdate(framework_id="m1-F1", status=status, latest_state=TaskState.TASK_LOST)

    assert returned(core, hear(core, update)[-1]) == []


@pytest.mark.scenario("MesosSchedulerDriverTest.ExplicitAcknowledgements")
def test_in_explicit_mode_only_the_scheduler_acknowledges() -> None:
    """Nothing is sent until it calls acknowledge, and then exactly one message (TK-32)."""
    core = connected(implicit_acknowledgements=False)

    # TASK_RUNNING arrives, and its callback returns.
    assert returned(core, hear(core, UPDATE)[-1]) == []
    # Later the scheduler acknowledges.
    assert ask(core, AcknowledgeCall(RUNNING)) == [Send("master-1", ACKNOWLEDGED)]


@pytest.mark.scenario("HTTPCommandExecutorTest.ExplicitAcknowledgements")
def test_the_first_update_of_a_command_task_can_be_acknowledged_explicitly() -> None:
    """TASK_STARTING names its agent, and is acknowledged only when the scheduler says so (TK-32)."""
    start = ExecutorStart(
        framework_id="m1-F1",
        executor_id="t1",
        agent="agent-1",
        agent_id="m1-S1",
        info=None,
        checkpoint=False,
        shutdown_grace_s=5.0,
        sandbox="/s",
    )
    executor = CommandExecutorCore(start, SETTINGS)
    executor.handle(Started("t1@agent-1", 1), "t1@agent-1", 0.0)
    agent = AgentInfo(hostname="h1", resources="cpus:1")
    about = ExecutorRegistered(
        executor_info=ExecutorInfo(executor_id="t1"), framework_info=KNOWN, agent_info=agent
    )
    executor.handle(about, "agent-1", 0.0)
    run = RunTask(framework_id="m1-F1", framework_info=KNOWN, scheduler=DRIVER, task=TASK)
    starting = executor.handle(run, "agent-1", 0.0)[0]
    assert isinstance(starting, Send)
    assert isinstance(starting.message, StatusUpdate)
    status = starting.message.status
    core = connected(implicit_acknowledgements=False)

    # The executor's TASK_STARTING reaches the driver, as it was sent.
    assert status.state is TaskState.TASK_STARTING
    assert returned(core, hear(core, starting.message)[-1]) == []
    # The scheduler acknowledges it.
    taken = StatusUpdateAcknowledgement(
        framework_id="m1-F1", agent_id="m1-S1", task_id="t1", uuid="t1@agent-1.1:1"
    )
    assert ask(core, AcknowledgeCall(status)) == [Send("master-1", taken)]


@pytest.mark.parametrize("missing", [{"uuid": None}, {"agent_id": None}], ids=["no-uuid", "no-agent"])
def test_what_cannot_be_acknowledged_is_not(missing: dict[str, None]) -> None:
    """An explicit acknowledgement needs the update's uuid and its agent (TK-32)."""
    core = connected(implicit_acknowledgements=False)
    parts = {"agent_id": "m1-S1", "uuid": "x:1", **missing}
    status = TaskStatus(task_id="t1", state=TaskState.TASK_ERROR, **parts)

    assert ask(core, AcknowledgeCall(status)) == []


def test_acknowledging_in_implicit_mode_aborts_the_driver_and_says_why() -> None:
    """In Mesos this mistake ends the whole process (TK-32); here it ends its own driver, with an explanation."""
    core = connected()

    assert ask(core, AcknowledgeCall(RUNNING)) == [
        DEACTIVATED,
        Callback("error", (IMPLICIT_ACKNOWLEDGEMENTS,), 2),
    ]
    assert core.error == IMPLICIT_ACKNOWLEDGEMENTS
