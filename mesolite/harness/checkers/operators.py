"""Calls of operators: answered once, and what was answered is in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import define

from mesolite.actors.decisions.master.membership.table import Change
from mesolite.actors.decisions.rules.authorization import ACTIONS
from mesolite.actors.decisions.rules.registry import changes_of
from mesolite.actors.runtime.port import ActorContext
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Assumption, Checker, Finding, hears, says
from mesolite.harness.checkers.models import key_of
from mesolite.harness.checkers.registry import OWNER
from mesolite.messages.base import OperatorCall
from mesolite.messages.drains import DrainState
from mesolite.messages.maintenance import Maintenance
from mesolite.messages.operator import (
    CallAnswered,
    DeactivateAgentCall,
    DrainAgentCall,
    MarkAgentGoneCall,
    ReactivateAgentCall,
    ReclaimResourcesCall,
    ReleaseReclaimCall,
    StartMaintenanceCall,
    StopMaintenanceCall,
    UpdateMaintenanceScheduleCall,
)
from mesolite.messages.registrar import ApplyOperation, OperationApplied, UpdateMaintenance

CALLS = tuple(call for call in ACTIONS if issubclass(call, OperatorCall))
"""What an operator asks a leader to do."""


class CallsAreAnswered(Checker):
    """An operator waits for one answer."""

    name = "calls_are_answered"
    statement = "A call of an operator that a leader heard is answered, once."

    def __init__(self) -> None:
        """Start with no call."""
        self._open: dict[tuple[str, int], list[ActorContext]] = {}  # two may have given theirs the same number
        self._answered: dict[tuple[str, int], None] = {}

    @hears(ActorRole.MASTER, *CALLS)
    def called(self, record: Record, core: Any) -> None:
        """An operator calls."""
        context = self.watch.reader.context(record.actor)
        if core.state.leading and context is not None:
            self._open.setdefault((record.actor, record.event.call_id), []).append(context)

    @says(ActorRole.MASTER, CallAnswered)
    def answered(self, record: Record, core: Any, message: CallAnswered, to: str) -> None:
        """A call is answered."""
        call = (record.actor, message.call_id)
        contexts = self._open.get(call)
        unasked = not contexts and (call in self._answered or not self.watch.is_late)
        if contexts:
            contexts.pop()
        self._answered[call] = None
        if unasked:
            self.violated(f"{record.actor} answered call {message.call_id} again, or unasked", record.actor)

    def calm(self) -> Iterator[Finding]:
        """All are answered by now, unless their master is dead."""
        for (actor, call_id), contexts in self._open.items():
            if any(context.alive for context in contexts):
                yield f"{actor} has not answered call {call_id}", (actor,)


class RefusedForAReason(Checker):
    """What can be done is done."""

    name = "refused_for_a_reason"
    statement = "No operator is refused what is possible: to deactivate, reactivate or give up an agent that is there."

    @says(ActorRole.MASTER, CallAnswered)
    def answered(self, record: Record, core: Any, message: CallAnswered, to: str) -> None:
        """A call is refused: nothing is in flight about that agent, and what is recorded allows it?"""
        event, m = record.event, core.state
        about = isinstance(event, DeactivateAgentCall | ReactivateAgentCall | MarkAgentGoneCall)
        calls = [write for write in m.pending_writes.values() if write.call is not None]
        if message.code == 200 or not about or not self.watch.leads(core) or calls:
            return
        agent_id, decided = event.agent_id, self.watch.decided
        if m.membership.is_pending(agent_id, *Change):
            return
        drain = decided.deactivated.get(agent_id)
        is_open = drain is not None and drain.state is DrainState.DRAINING
        possible = agent_id in decided.admitted or agent_id in decided.unreachable
        if isinstance(event, ReactivateAgentCall):
            possible = possible and agent_id in decided.deactivated and not is_open
        if possible:
            self.violated(f"{type(event).__name__} of {agent_id} was refused: {message.refusal}", agent_id)


@define(eq=False)
class Call:
    """A call, what it was answered for, and whether that was stored at a moment since."""

    event: Any
    done: bool


class AnsweredIsStored(Checker):
    """Whoever was told that it is done can rely on it."""

    name = "answered_is_stored"
    statement = "What an operator was told is done was stored when it was said."
    assumes = frozenset({Assumption.HONEST})

    def __init__(self) -> None:
        """Start with no call."""
        self._calls: dict[tuple[str, int], Call] = {}

    @hears(ActorRole.MASTER, *CALLS)
    def called(self, record: Record, core: Any) -> None:
        """An operator calls."""
        if core.state.leading:
            done = _is_so(record.event, self._stored(record.event))
            self._calls[record.actor, record.event.call_id] = Call(record.event, done)

    @says(ActorRole.REGISTRAR, OperationApplied)
    def confirmed(self, record: Record, core: Any, message: OperationApplied, to: str) -> None:
        """Something is durable that somebody may have waited for."""
        for (actor, _), call in self._calls.items():
            if actor == core.master and not call.done:
                call.done = _is_so(call.event, dict(changes_of(message.operation)), partly=True)

    @says(ActorRole.MASTER, CallAnswered)
    def answered(self, record: Record, core: Any, message: CallAnswered, to: str) -> None:
        """A call is answered: is it so?"""
        call = self._calls.pop((record.actor, message.call_id), None)
        if call is None or message.code != 200 or call.done:
            return
        if type(record.event) is type(call.event) and not self.watch.leads(core):
            return  # it has written nothing, and does not know yet that others have
        if type(record.event) is OperationApplied:
            operation = record.event.operation
            is_so = type(operation) is not UpdateMaintenance or _maintained(call.event, operation.maintenance)
        else:
            is_so = _is_so(call.event, self._stored(call.event, message.made))
        if not is_so:
            text = f"{record.actor} says that {type(call.event).__name__} {message.call_id} is done, "
            self.violated(text + "and it is not stored", record.actor)

    def _stored(self, call: Any, made: str = "") -> Mapping[str, Any]:
        """What is stored that a call may be about, or has made."""
        agent_id, reclaim_id = getattr(call, "agent_id", None), getattr(call, "reclaim_id", made)
        keys = ("maintenance", f"reclaim/{reclaim_id}", f"deactivated/{agent_id}", f"gone/{agent_id}")
        return self.watch.sim.runtime.store.look(OWNER, keys)


class MachinesStayDown(Checker):
    """A schedule says when, and not that somebody is back (drain.md 5.2.4, 5.2.5)."""

    name = "machines_stay_down"
    statement = "A new maintenance schedule changes nothing about which machines are down."
    assumes = frozenset({Assumption.HONEST})

    @says(ActorRole.MASTER, ApplyOperation)
    def written(self, record: Record, core: Any, message: ApplyOperation, to: str) -> None:
        """A leader writes another schedule."""
        operation = message.operation
        if type(operation) is not UpdateMaintenance or type(record.event) is not UpdateMaintenanceScheduleCall:
            return
        down = {key_of(machine): None for machine in operation.maintenance.down}
        if self.watch.leads(core) and down.keys() != self.watch.decided.down.keys():
            text = f"{list(self.watch.decided.down)} are down, and {list(down)} after another schedule"
            self.violated(text, record.actor)


def _is_so(call: Any, records: Mapping[str, Any], *, partly: bool = False) -> bool:
    """Whether these records say that what was called for is done; `partly`: they are only what has changed."""
    look: Callable[[str], bool] = records.__contains__
    match call:
        case DeactivateAgentCall(agent_id=agent_id) | DrainAgentCall(agent_id=agent_id):
            return records.get(f"deactivated/{agent_id}") is not None
        case ReactivateAgentCall(agent_id=agent_id):
            key = f"deactivated/{agent_id}"
            return records.get(key) is None and (not partly or look(key))
        case MarkAgentGoneCall(agent_id=agent_id):
            return records.get(f"gone/{agent_id}") is not None
        case UpdateMaintenanceScheduleCall() | StartMaintenanceCall() | StopMaintenanceCall():
            maintenance = records.get("maintenance") or Maintenance()
            return (not partly or look("maintenance")) and _maintained(call, maintenance)
        case ReclaimResourcesCall():
            return any(key.startswith("reclaim/") and each is not None for key, each in records.items())
        case ReleaseReclaimCall(reclaim_id=reclaim_id):
            reclaim = records.get(f"reclaim/{reclaim_id}")
            return reclaim is None or reclaim.ended_at is not None
    return True


def _maintained(call: Any, maintenance: Maintenance) -> bool:
    down = [key_of(machine) for machine in maintenance.down]
    match call:
        case UpdateMaintenanceScheduleCall(windows=windows):
            return maintenance.windows == windows
        case StartMaintenanceCall(machines=machines):
            return all(key_of(machine) in down for machine in machines)
        case StopMaintenanceCall(machines=machines):
            scheduled = [machine for window in maintenance.windows for machine in window.machines]
            left = [*down, *(key_of(machine) for machine in scheduled)]
            return not any(key_of(machine) in left for machine in machines)
    return True
