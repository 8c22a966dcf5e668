"""What a master knows and what it wants done: the data every part of the master's core works on, and the small moves
that several of them share. It decides nothing by itself.

Registry first (drain.md 0.2.4): a change is applied when `OperationApplied` comes back; what is being written about an
agent stands beside its state (membership/table.py), and the other transitions consult it (0.2.5).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import ParamSpec

from attrs import define, field, frozen

from mesolite.actors.decisions.allocator.allocator import Allocator
from mesolite.actors.decisions.contract import CancelTimer, Effect, Publish, Send, SetTimer, TimerKey
from mesolite.actors.decisions.detector import LeaderDetector
from mesolite.actors.decisions.master.maintenance.rule import Machine, Schedule
from mesolite.actors.decisions.master.membership.ping_batches import PingBatches
from mesolite.actors.decisions.master.membership.removal_limiter import RemovalLimiter
from mesolite.actors.decisions.master.membership.table import Member, Membership, MemberState
from mesolite.actors.decisions.master.offers.inverse_offer_queue import InverseOfferQueue
from mesolite.actors.decisions.master.records import (
    AgentRecord,
    FrameworkRecord,
    InverseOfferRecord,
    OfferRecord,
    ReclaimRecord,
    TaskEnd,
    TaskRecord,
)
from mesolite.actors.decisions.moves import Moves, moved
from mesolite.actors.decisions.rules.authorization import EVERYTHING, Acl
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.base import Message
from mesolite.messages.drains import DrainInfo
from mesolite.messages.facts import Fact
from mesolite.messages.ids import AgentId, DrainId, FrameworkId, OfferId, ReclaimId, WriteId
from mesolite.messages.infos import MasterInfo
from mesolite.messages.operator import (
    CallAnswered,
    StartMaintenanceCall,
    StopMaintenanceCall,
    UpdateMaintenanceScheduleCall,
)
from mesolite.messages.registrar import ApplyOperation, EndReclaim, Operation, Registry
from mesolite.messages.relayed import StatusUpdate
from mesolite.messages.resources import Resources
from mesolite.messages.scheduler import FrameworkError
from mesolite.messages.tasks import TaskState, TaskStatus
from mesolite.messages.watching import MasterStanding

NOT_BACK = "not back since the last master failed"
"""How agents and schedulers are away that a new leader knows of and has not heard, in words for operators."""


class Leadership(enum.Enum):
    """How far a master is on its way to lead (leadership.py)."""

    CONTENDING = "CONTENDING"
    RECOVERING = "RECOVERING"
    LEADING = "LEADING"
    ENDED = "ENDED"


LEADERSHIP_MOVES: Moves[Leadership] = {
    Leadership.CONTENDING: frozenset({Leadership.RECOVERING, Leadership.ENDED}),
    Leadership.RECOVERING: frozenset({Leadership.LEADING, Leadership.ENDED}),
    Leadership.LEADING: frozenset({Leadership.ENDED}),
    Leadership.ENDED: frozenset({Leadership.ENDED}),
}
"""From where to where; who ends may hear of a second reason before it is gone."""


@frozen
class AwaitedCall:
    """An operator's call that is answered when a write is durable; `made` is what the call made."""

    sender: str
    call_id: int
    made: str


@frozen
class PendingWrite:
    """An operation on its way to the registry, and the call that waits for it, if any."""

    operation: Operation
    call: AwaitedCall | None = None


MaintenanceCall = UpdateMaintenanceScheduleCall | StartMaintenanceCall | StopMaintenanceCall


@define(eq=False)
class Counters:
    """How often something happened, with Mesos's metric names (core.md OP-10)."""

    tasks_finished: int = 0
    tasks_failed: int = 0
    tasks_killed: int = 0
    tasks_lost: int = 0
    tasks_error: int = 0
    tasks_dropped: int = 0
    tasks_gone: int = 0
    tasks_gone_by_operator: int = 0
    slave_registrations: int = 0
    slave_reregistrations: int = 0
    slave_removals: int = 0
    slave_removals_reason_registered: int = 0
    slave_removals_reason_unhealthy: int = 0
    slave_removals_reason_unregistered: int = 0
    slave_unreachable_scheduled: int = 0
    slave_unreachable_completed: int = 0
    slave_unreachable_canceled: int = 0
    recovery_slave_removals: int = 0
    outstanding_registry_writes: int = 0

    def task_ended(self, state: TaskState) -> None:
        """Count a task that has come to a terminal state, or that was refused before it was one (OP-12, OP-13)."""
        counter = state.name.lower().replace("task_", "tasks_", 1)
        setattr(self, counter, getattr(self, counter) + 1)


News = ParamSpec("News")


def in_order(*subscribers: Callable[News, None]) -> Callable[News, None]:
    """Tell each of them, the first first."""

    def tell(*news: News.args, **named: News.kwargs) -> None:
        for subscriber in subscribers:
            subscriber(*news, **named)

    return tell


@frozen(kw_only=True)
class Subscribers:
    """Who has to know when agents and frameworks come and go: one ordered list each, written down in core.py.

    So a flow that has to know of something is added to a list, and whoever makes it happen knows none of them.

    Attributes:
        agent_joined: an agent has been taken into memory, new or from wherever it was.
        agent_registered: it is registered, for the first time or again, and has been answered.
        agent_back: it is back with what it holds, and is about to be answered.
        agent_replaced: another is about to join at its address.
        agent_left: a registered agent is being taken out of memory, and this becomes of its tasks.
        agent_lost: an agent is registered no more, or will not come back: unreachable, removed, gone, forgotten.
        deactivated_agent_pinged: it is still there, and operators have decided something about it.
        registry_recovered: this master is about to lead, and has read what its predecessors have left.
        framework_registered: its scheduler has subscribed.
        framework_removed: it has ended.
        released_on: something was let go on that agent, which may be what somebody waits for.
    """

    agent_joined: Callable[[MasterState, AgentRecord, float], None]
    agent_registered: Callable[[MasterState, AgentRecord, float], None]
    agent_back: Callable[[MasterState, AgentRecord, float], None]
    agent_replaced: Callable[[MasterState, AgentRecord, float], None]
    agent_left: Callable[[MasterState, AgentRecord, TaskEnd, float], None]
    agent_lost: Callable[[MasterState, AgentId, float], None]
    deactivated_agent_pinged: Callable[[MasterState, AgentRecord, float], None]
    registry_recovered: Callable[[MasterState, Registry, float], None]
    framework_registered: Callable[[MasterState, FrameworkRecord, float], None]
    framework_removed: Callable[[MasterState, FrameworkId, float], None]
    released_on: Callable[[MasterState, AgentId, float], None]


@define(kw_only=True, eq=False)
class MasterState:
    """One master process."""

    settings: Settings
    registrar: str
    allocator: Allocator
    subscribers: Subscribers
    detector: LeaderDetector
    name: str = ""
    started_at: float = 0.0
    info: MasterInfo | None = None
    leadership: Leadership = Leadership.CONTENDING
    leading: bool = field(init=False, default=False)  # whether it decides: asked for every event, changed by `become`
    leading_since: float = 0.0
    effects: list[Effect] = field(factory=list)

    agents: dict[AgentId, AgentRecord] = field(factory=dict)
    agent_of_pid: dict[str, AgentId] = field(factory=dict)
    membership: Membership = field(factory=Membership)
    # Of those, as membership keeps them: who is known from the registry only and has not come back to this leader, who
    # was given up, and who was marked gone, the longest ago first.
    recovered: Mapping[AgentId, Member] = field(init=False)
    unreachable: Mapping[AgentId, Member] = field(init=False)
    gone: Mapping[AgentId, Member] = field(init=False)
    registering: dict[str, AgentId] = field(factory=dict)  # by pid, under the id that each will get

    # What operators have decided, as in the registry. A drain deactivates its agent too (4.3.4).
    deactivated: dict[AgentId, DrainInfo | None] = field(factory=dict)
    past_drains: dict[DrainId, DrainInfo] = field(factory=dict)
    schedule: Schedule = field(factory=Schedule)
    reclaims: dict[ReclaimId, ReclaimRecord] = field(factory=dict)
    reclaim_of: dict[str, ReclaimId] = field(factory=dict)  # the open one of each target
    past_reclaims: dict[ReclaimId, ReclaimRecord] = field(factory=dict)

    # What the registry was asked for and has not confirmed, in order; of drains and reclaims, by what it is about.
    pending_writes: dict[WriteId, PendingWrite] = field(factory=dict)
    ending_drains: dict[DrainId, None] = field(factory=dict)
    starting_reclaims: dict[str, ReclaimId] = field(factory=dict)
    ending_reclaims: dict[ReclaimId, EndReclaim] = field(factory=dict)
    # The schedule is written once at a time; these calls wait, with their senders, the first for its write.
    maintenance_calls: list[tuple[MaintenanceCall, str]] = field(factory=list)

    frameworks: dict[FrameworkId, FrameworkRecord] = field(factory=dict)
    framework_of_pid: dict[str, FrameworkId] = field(factory=dict)
    completed_frameworks: dict[FrameworkId, FrameworkRecord] = field(factory=dict)

    # The registered agents of each machine, and who is to be asked about which of them.
    machines: dict[Machine, dict[AgentId, None]] = field(factory=dict)
    inverse_offer_queue: InverseOfferQueue = field(init=False)

    offers: dict[OfferId, OfferRecord] = field(factory=dict)
    inverse_offers: dict[OfferId, InverseOfferRecord] = field(factory=dict)
    next_agent: int = 1
    next_framework: int = 1
    next_offer: int = 1
    next_drain: int = 1
    next_reclaim: int = 1
    next_write: int = 1

    # Who is pinged together (1.4), who is given up when (1.8), and when the registry's lists of absent agents are
    # looked at next (1.9).
    pings: PingBatches = field(init=False)
    removals: RemovalLimiter = field(init=False)
    pruning_at: float | None = None

    # Who may do what (core.md SEC-13).
    acl: Acl = EVERYTHING

    # What this master's HTTP endpoint wants to be told, and was told last (watching.py).
    standing_watched: bool = False
    standing_told: MasterStanding | None = None
    cluster_watched: bool = False

    # Agents on which something was let go since the last event: their drains and reclaims may have ended.
    released_on: dict[AgentId, None] = field(factory=dict)
    counters: Counters = field(factory=Counters)

    def __attrs_post_init__(self) -> None:
        """Look at the lists of membership, and ask on the same grid as offers are made."""
        self.recovered = self.membership.all_in(MemberState.RECOVERED)
        self.unreachable = self.membership.all_in(MemberState.UNREACHABLE)
        self.gone = self.membership.all_in(MemberState.GONE)
        self.inverse_offer_queue = InverseOfferQueue(self.settings.allocation_interval_s)
        self.pings = PingBatches(self.settings.agent_ping_timeout_s)
        self.removals = RemovalLimiter(self.settings.agent_removal_interval_s)

    # ------------------------------------------------------------------------------------------------- small moves

    def send(self, to: str, message: Message) -> None:
        """Want this said."""
        self.effects.append(Send(to, message))

    def set_timer(self, key: TimerKey, after_s: float) -> None:
        """Want to be woken."""
        self.effects.append(SetTimer(key, after_s))

    def cancel_timer(self, key: TimerKey) -> None:
        """Want not to be woken."""
        self.effects.append(CancelTimer(key))

    def publish(self, fact: Fact) -> None:
        """Want this known to whoever looks."""
        self.effects.append(Publish(fact))

    def become(self, leadership: Leadership) -> None:
        """Lead, or be on the way there, or not any more.

        Raises:
            ValueError: there is no way from where it stands.
        """
        self.leadership = moved(self.leadership, leadership, LEADERSHIP_MOVES)
        self.leading = leadership is Leadership.LEADING

    @property
    def term(self) -> int:
        """Of its election; 0 before the first."""
        return self.info.term if self.info is not None else 0

    def write(self, operation: Operation, call: AwaitedCall | None = None) -> None:
        """Want this durable; `OperationApplied` will say when it is, once."""
        write_id = WriteId(self.id_for("W", self.next_write))
        self.next_write += 1
        self.pending_writes[write_id] = PendingWrite(operation, call)
        self.counters.outstanding_registry_writes += 1
        self.send(self.registrar, ApplyOperation(write_id=write_id, operation=operation))

    def write_for(self, operation: Operation, sender: str, call_id: int, made: str = "") -> None:
        """Want this durable, and the operator's call answered when it is."""
        self.write(operation, AwaitedCall(sender, call_id, made))

    def answer(self, to: str, call_id: int, code: int = 200, refusal: str = "", made: str = "") -> None:
        """Answer an operator's call; a refusal says what was asked, why not, and what would work."""
        self.send(to, CallAnswered(call_id=call_id, code=code, refusal=refusal, made=made))

    def recover(
        self,
        framework_id: FrameworkId,
        role: str,
        agent_id: AgentId,
        resources: Resources,
        now: float,
        refuse_s: float | None = None,
    ) -> None:
        """Give resources back to the allocator, which may end a drain or a reclaim of that agent."""
        self.allocator.recover(framework_id, role, agent_id, resources, now, refuse_s)
        self.released_on[agent_id] = None

    def id_for(self, letter: str, number: int) -> str:
        """Make an id no other leader can have made: the term is in it (core.md EL-35)."""
        assert self.info is not None
        return f"m{self.info.term}-{letter}{number}"

    def send_to_framework(self, framework: FrameworkRecord, message: Message) -> None:
        """Say it to the scheduler if it is connected; otherwise it is lost (drain.md 0.2.7)."""
        if framework.connected and framework.pid is not None:
            self.send(framework.pid, message)

    def send_to_all_frameworks(self, message: Message) -> None:
        """Say it to every connected scheduler (core.md RC-36)."""
        for framework in self.frameworks.values():
            self.send_to_framework(framework, message)

    def tell(self, framework: FrameworkRecord, status: TaskStatus) -> None:
        """Send an update of the master's own: once, without uuid, never to be acknowledged (drain.md 0.2.8)."""
        self.send_to_framework(
            framework, StatusUpdate(framework_id=framework.id, status=status, latest_state=status.state)
        )

    def caller(self, framework_id: FrameworkId, sender: str) -> FrameworkRecord | None:
        """The framework a call is made for, if the caller is its connected scheduler (core.md FW-32, FW-33)."""
        framework = self.frameworks.get(framework_id)
        if framework is None or framework.pid != sender:
            return None
        if not framework.connected:
            # Its link broke, yet it speaks: it cannot know that what it says is not heard.
            self.send(sender, FrameworkError(message=f"framework {framework_id} disconnected; start a new driver"))
            return None
        return framework

    def out_of_reach(self, agent_id: AgentId) -> list[tuple[FrameworkRecord, TaskRecord]]:
        """The tasks that were on an agent when it became unreachable, as far as they are remembered."""
        return [
            (framework, task)
            for framework in self.frameworks.values()
            for task in framework.unreachable_tasks.values()
            if task.agent_id == agent_id
        ]

    def agent_at(self, agent_id: AgentId | None, sender: str) -> AgentRecord | None:
        """The registered agent of that id, if the sender is that agent (core.md SEC-32)."""
        agent = self.agents.get(agent_id) if agent_id is not None else None
        return agent if agent is not None and agent.pid == sender else None
