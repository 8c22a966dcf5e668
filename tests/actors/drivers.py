"""A scheduler driver's core, brought to where a test begins, and what is said to it and by it."""

from __future__ import annotations

from mesolite.actors.decisions.contract import (
    Callback,
    CallbackReturned,
    CancelTimer,
    Effect,
    Send,
    Started,
    TimerFired,
)
from mesolite.actors.decisions.scheduler.core import SchedulerCore
from mesolite.actors.decisions.scheduler.subscribing import SubscribeRetry
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.agent import ExitedExecutor
from mesolite.messages.election import ELECTOR, LeaderDetected
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.infos import MasterInfo
from mesolite.messages.offers import Offer
from mesolite.messages.relayed import StatusUpdate
from mesolite.messages.resources import Resources
from mesolite.messages.scheduler import (
    AgentLost,
    DeactivateFramework,
    FrameworkRegistered,
    RescindOffer,
    ResourceOffers,
)
from mesolite.messages.tasks import CommandInfo, TaskInfo, TaskState, TaskStatus

SETTINGS = Settings.mesos()
DRIVER = "web"
MASTER = MasterInfo(name="master-1", term=1)
OTHER = MasterInfo(name="master-2", term=2)
INFO = FrameworkInfo(name="web")
KNOWN = FrameworkInfo(name="web", id="m1-F1")
REGISTERED = FrameworkRegistered(framework_id="m1-F1", master=MASTER)
SUBSCRIBE = TimerFired(SubscribeRetry())
NO_SUBSCRIBE_RETRY = CancelTimer(SubscribeRetry())
OFFER = Offer(
    id="m1-O1", framework_id="m1-F1", agent_id="m1-S1", hostname="h1", resources=Resources.parse("cpus:4")
)
RUNNING = TaskStatus(task_id="t1", state=TaskState.TASK_RUNNING, agent_id="m1-S1", uuid="x:1")
UPDATE = StatusUpdate(framework_id="m1-F1", status=RUNNING, latest_state=TaskState.TASK_RUNNING)
TASK = TaskInfo(task_id="t1", command=CommandInfo(value="true"))
DEACTIVATED = Send("master-1", DeactivateFramework(framework_id="m1-F1"))


def hear(core: SchedulerCore, event: object, sender: str = "master-1", now: float = 0.0) -> list[Effect]:
    effects = core.handle(event, sender, now)
    core.check()
    return effects


def ask(core: SchedulerCore, call: object, now: float = 0.0) -> list[Effect]:
    return hear(core, call, DRIVER, now)


def started(info: FrameworkInfo = INFO, implicit_acknowledgements: bool = True) -> SchedulerCore:
    """A driver that has started and knows no master."""
    core = SchedulerCore(SETTINGS, info, implicit_acknowledgements)
    hear(core, Started(DRIVER, 1), DRIVER)
    return core


def detect(core: SchedulerCore, leader: MasterInfo | None = MASTER) -> list[Effect]:
    return hear(core, LeaderDetected(leader=leader), ELECTOR)


def returned(
    core: SchedulerCore, callback: Effect, error: str | None = None, still_running: bool = True
) -> list[Effect]:
    """The user's code has returned from this callback."""
    assert isinstance(callback, Callback)
    event = CallbackReturned(callback.callback, callback.serial, error, still_running)
    return hear(core, event, DRIVER)


def connected(info: FrameworkInfo = INFO, implicit_acknowledgements: bool = True) -> SchedulerCore:
    """A driver whose scheduler has returned from `registered`, its first callback."""
    core = started(info, implicit_acknowledgements)
    detect(core)
    returned(core, hear(core, REGISTERED)[-1])
    return core


def parted(info: FrameworkInfo = INFO) -> SchedulerCore:
    """A driver that held an offer and lost its master; its scheduler has returned from `disconnected`."""
    core = connected(info)
    returned(core, hear(core, ResourceOffers(offers=(OFFER,)))[-1])
    returned(core, detect(core, None)[-1])
    return core


# --- what the leader says ------------------------------------------------------------------------------

NEWS = [
    (ResourceOffers(offers=(OFFER,)), "resource_offers", ((OFFER,),)),
    (RescindOffer(offer_id="m1-O1"), "offer_rescinded", ("m1-O1",)),
    (UPDATE, "status_update", (RUNNING,)),
    (AgentLost(agent_id="m1-S1"), "agent_lost", ("m1-S1",)),
    (
        ExitedExecutor(agent_id="m1-S1", framework_id="m1-F1", executor_id="e1", status=9),
        "executor_lost",
        ("e1", "m1-S1", 9),
    ),
]


def rescinded() -> SchedulerCore:
    """A driver whose only offer was rescinded."""
    core = connected()
    returned(core, hear(core, ResourceOffers(offers=(OFFER,)))[-1])
    returned(core, hear(core, RescindOffer(offer_id="m1-O1"))[-1])
    return core
