"""A master's core, brought to where a test begins, and what is said to it and by it.

One framework, `web`, and agents of four cpus each: `agent-1` gets the id m1-S1, `web` the id m1-F1.
"""

from __future__ import annotations

from typing import Any

from mesolite.actors.decisions.contract import CancelTimer, Effect, PeerExited, Send, SetTimer, Started, TimerFired
from mesolite.actors.decisions.master.core import MasterCore
from mesolite.actors.decisions.master.timers import Allocation, PingBatch
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.agent import PongAgent, RegisterAgent, ReregisterAgent
from mesolite.messages.election import ELECTOR, ElectionJoined, LeaderDetected, SessionKept
from mesolite.messages.frameworks import Capability, FrameworkInfo
from mesolite.messages.infos import AgentInfo, MasterInfo
from mesolite.messages.maintenance import Unavailability
from mesolite.messages.offers import InverseOffer, Launch, Offer
from mesolite.messages.operator import OPERATOR, CallAnswered
from mesolite.messages.registrar import (
    AdmitAgent,
    ApplyOperation,
    Operation,
    OperationApplied,
    Registry,
    RegistryRecovered,
)
from mesolite.messages.relayed import RunTask, StatusUpdate, StatusUpdateAcknowledgement
from mesolite.messages.resources import Resources
from mesolite.messages.scheduler import AcceptOffers, InverseOffers, ResourceOffers, Subscribe
from mesolite.messages.tasks import Reason, Source, Task, TaskInfo, TaskState, TaskStatus

SETTINGS = Settings.mesos()
ME = MasterInfo(name="master-1", term=1)
REGISTRAR = "registrar-1"
NEWCOMER = AgentInfo(hostname="host-1", resources="cpus:4;mem:4096")
A1 = AgentInfo(id="m1-S1", hostname="host-1", resources="cpus:4;mem:4096")
A2 = AgentInfo(id="m1-S2", hostname="host-2", resources="cpus:4;mem:4096")
ALL = Resources.parse("cpus:4;mem:4096")
WEB = FrameworkInfo(name="web", failover_timeout_s=100.0, checkpoint=True, capabilities=(Capability.PARTITION_AWARE,))
KNOWN = FrameworkInfo(
    name="web", id="m1-F1", failover_timeout_s=100.0, checkpoint=True, capabilities=(Capability.PARTITION_AWARE,)
)
OLD = FrameworkInfo(name="old", failover_timeout_s=100.0)
"""A framework that neither checkpoints nor knows of partitions."""

BACK = ReregisterAgent(
    agent=A1,
    frameworks=(KNOWN,),
    tasks=(
        Task(
            task_id="t1",
            framework_id="m1-F1",
            agent_id="m1-S1",
            state=TaskState.TASK_RUNNING,
            resources=Resources.parse("cpus:1;mem:100"),
            launched_at=1.0,
            status_update_state=TaskState.TASK_RUNNING,
            status_update_uuid="t1:1",
        ),
    ),
)
"""What an agent says of itself that still runs t1."""

ALLOCATE = TimerFired(Allocation())
NEVER_ALLOCATE = CancelTimer(Allocation())
PING = TimerFired(PingBatch(1))
PONG = PongAgent()
PING_AGAIN = SetTimer(PingBatch(1), 15.0)


class Master:
    """A core to be told what happens, event by event. After each its books are compared with each other."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        self.core = MasterCore(settings, REGISTRAR)
        self.written: list[Operation] = []
        """What it has asked its registrar for: the first under the id m1-W1, and so on."""
        self._confirmed: list[int] = []

    def hear(self, event: Any, sender: str, now: float) -> list[Effect]:
        effects = self.core.handle(event, sender, now)
        self.core.check()
        for effect in effects:
            if isinstance(effect, Send) and isinstance(effect.message, ApplyOperation):
                self.written.append(effect.message.operation)
        return effects

    def fire(self, event: TimerFired, now: float) -> list[Effect]:
        return self.hear(event, ME.name, now)

    def exit_of(self, name: str, now: float) -> list[Effect]:
        """Hear that the actor of that name has gone."""
        return self.hear(PeerExited(name, 1), name, now)

    def writes(self, operation: Operation) -> Send:
        """What it says to its registrar to have this durable, if that was the newest of its kind."""
        return Send(REGISTRAR, ApplyOperation(write_id=f"m1-W{self._places(operation)[-1]}", operation=operation))

    def durable(self, operation: Operation, now: float) -> list[Effect]:
        """Hear from its registrar that this is durable; once more, if that has been confirmed already."""
        places = self._places(operation)
        place = next((place for place in places if place not in self._confirmed), places[-1])
        self._confirmed.append(place)
        return self.hear(OperationApplied(write_id=f"m1-W{place}", operation=operation), REGISTRAR, now)

    def _places(self, operation: Operation) -> list[int]:
        places = [place for place, written in enumerate(self.written, start=1) if written == operation]
        assert places, f"{operation} was never asked for, but {self.written}"
        return places


def elected(settings: Settings = SETTINGS) -> Master:
    """A master that has won the election and waits for the registry."""
    master = Master(settings)
    master.hear(Started(ME.name, 1), ME.name, 0.0)
    master.hear(SessionKept(session=1, sent_at=0.0, opened=True), ELECTOR, 0.0)
    master.hear(ElectionJoined(sequence=1), ELECTOR, 0.0)
    master.hear(LeaderDetected(leader=ME), ELECTOR, 0.0)
    return master


def leading(registry: Registry | None = None, settings: Settings = SETTINGS) -> Master:
    """A master that leads since second 0 and has found that in its registry."""
    master = elected(settings)
    master.hear(RegistryRecovered(registry=registry or Registry()), REGISTRAR, 0.0)
    return master


def admit(master: Master, *agents: AgentInfo, now: float = 0.0) -> Master:
    """Let these register, each at the address `agent-` and its number."""
    for info in agents:
        assert info.id is not None
        sender = agent_at(info)
        master.hear(RegisterAgent(agent=AgentInfo(hostname=info.hostname, resources=info.resources)), sender, now)
        master.durable(AdmitAgent(agent=info), now)
    return master


def agent_at(info: AgentInfo) -> str:
    """Where the agent is, by the host that it is on."""
    return info.hostname.replace("host", "agent")


def subscribe(master: Master, info: FrameworkInfo = WEB, now: float = 0.0) -> Master:
    master.hear(Subscribe(framework_info=info), info.name, now)
    return master


def working(*, agents: tuple[AgentInfo, ...] = (A1,), framework: FrameworkInfo = WEB) -> Master:
    """A leader with these agents and that framework, which has not been offered anything yet."""
    return subscribe(admit(leading(), *agents), framework)


def offered(master: Master, now: float = 1.0, framework: str = "web") -> tuple[Offer, ...]:
    """What is offered to the framework when the time for it has come."""
    return next(
        effect.message.offers
        for effect in master.fire(ALLOCATE, now)
        if isinstance(effect, Send) and effect.to == framework and isinstance(effect.message, ResourceOffers)
    )


def task(task_id: str, resources: str = "cpus:1;mem:100", **more: Any) -> TaskInfo:
    return TaskInfo(task_id=task_id, agent_id="m1-S1", resources=resources, command="true", **more)


def accept(*tasks: TaskInfo, offer: str = "m1-O1") -> AcceptOffers:
    return AcceptOffers(framework_id="m1-F1", offer_ids=(offer,), operations=(Launch(tasks=tasks),))


def running(*task_ids: str, framework: FrameworkInfo = WEB, agents: tuple[AgentInfo, ...] = (A1,)) -> Master:
    """A leader, and a framework that launched these on the first agent at second 1; all run at 2."""
    master = working(framework=framework, agents=agents[:1])
    offered(master, framework=framework.name)
    master.hear(accept(*map(task, task_ids)), framework.name, 1.0)
    for task_id in task_ids:
        master.hear(update(task_id, TaskState.TASK_RUNNING), "agent-1", 2.0)
        master.hear(acknowledgement(task_id), framework.name, 2.0)
    return admit(master, *agents[1:], now=2.0)


# --- what is said, in short ---


def update(task_id: str, state: TaskState, number: int = 1, **more: Any) -> StatusUpdate:
    """An executor's update, as the agent passes it on; `number` makes its uuid."""
    status = TaskStatus(task_id=task_id, agent_id="m1-S1", state=state, uuid=f"{task_id}:{number}", **more)
    return StatusUpdate(framework_id="m1-F1", status=status, latest_state=state)


def acknowledgement(task_id: str, number: int = 1) -> StatusUpdateAcknowledgement:
    return StatusUpdateAcknowledgement(
        framework_id="m1-F1", agent_id="m1-S1", task_id=task_id, uuid=f"{task_id}:{number}"
    )


def run(info: TaskInfo, at: float, *, framework: FrameworkInfo = KNOWN) -> Send:
    """The first agent is told to run it."""
    return Send(
        "agent-1",
        RunTask(
            framework_id="m1-F1",
            framework_info=framework,
            scheduler=framework.name,
            task=info,
            launch_executor=True,
            launched_at=at,
        ),
    )


def tell(task_id: str, state: TaskState, reason: Reason, *, to: str = "web", **more: Any) -> Send:
    """An update of the master's own: without a uuid, not to be acknowledged (drain.md 0.2.8)."""
    status = TaskStatus(
        **{"task_id": task_id, "agent_id": "m1-S1", "state": state, "source": Source.SOURCE_MASTER, "reason": reason}
        | more
    )
    return Send(to, StatusUpdate(framework_id="m1-F1", status=status, latest_state=state))


def offering(offer_id: str, resources: str, *, to: str = "web", **more: Any) -> Send:
    """These resources of the first agent are offered, in a message of their own."""
    made = Offer(
        **{"id": offer_id, "framework_id": "m1-F1", "agent_id": "m1-S1", "hostname": "host-1"} | more,
        resources=Resources.parse(resources),
    )
    return Send(to, ResourceOffers(offers=(made,)))


def asking_back(offer_id: str, unavailability: Unavailability, **more: Any) -> Send:
    """The framework is asked for what it holds on the first agent, or for that much of it."""
    asked = InverseOffer(
        **{"id": offer_id, "framework_id": "m1-F1", "hostname": "host-1", "agent_id": "m1-S1"} | more,
        unavailability=unavailability,
    )
    return Send("web", InverseOffers(inverse_offers=(asked,)))


def done(call_id: int, made: str = "") -> Send:
    """The operator's call has been carried out."""
    return Send(OPERATOR, CallAnswered(call_id=call_id, code=200, made=made))


def refused(call_id: int, code: int, why: str) -> Send:
    return Send(OPERATOR, CallAnswered(call_id=call_id, code=code, refusal=why))
