"""Reclaims and enforced maintenance windows: nothing withheld is offered, nothing is taken from the wrong ones, and
what is due is free in time (docs/reclaim.md).

Which reclaims and windows there are is taken from what the registry stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mesolite import Resources
from mesolite.messages import EndReclaim, ReclaimInfo, ReclaimState, StartDrain, StartReclaim, UpdateMaintenance, Window
from mesolite.messages.ids import AgentId, FrameworkId, ReclaimId
from mesolite.messages.resources import NOTHING

if TYPE_CHECKING:
    from tests.seeds.checkers import Watch

OFFERS = "(b) nothing is offered from an agent that is deactivated, draining, away or down, nor what is withheld"
FREE = "(g) what was reclaimed is free, soon after the deadline at the latest"
ASKED = "(h) only what asked frameworks hold is revoked, and not before the deadline"

GRACE = "(m) nothing outlives the longest grace of a drain, by more than its executor's own"

OUTLIVE_S = 7.0
"""A margin, the grace of an executor in a seed, and a margin."""

BITE_S = 24.0
"""The longest that teeth take: a task's own grace and a margin, its executor's grace and a margin, a second look."""

EARLY_S = 1e-6


class Teeth:
    """What operators want back, and since when."""

    def __init__(self, watch: Watch) -> None:
        """Start with nothing wanted."""
        self.watch = watch
        self.reclaims: dict[ReclaimId, ReclaimInfo] = {}
        self.windows: tuple[Window, ...] = ()
        self.windows_since = 0.0
        self.quiet_from = 0.0
        self.drained_at: dict[AgentId, float] = {}
        self.latency_s = 0.0

    @property
    def wanted(self) -> bool:
        """Whether anything is wanted back, now or some day."""
        return bool(self.reclaims) or any(window.enforce for window in self.windows)

    # ------------------------------------------------------------------------------------------- what is wanted back

    def recovered(self, registry: Any) -> None:
        """Another leader has read the registry."""
        self.reclaims = {reclaim.id: reclaim for reclaim in registry.reclaims if reclaim.ended_at is None}
        self.windows = registry.maintenance.windows
        self.quiet_from = max(self.quiet_from, self.watch.sim.now)

    def applied(self, operation: Any) -> None:
        """The registry holds something new."""
        match operation:
            case StartDrain(drain=drain):
                self.drained_at[drain.agent_id] = self.watch.sim.now
            case StartReclaim(reclaim=reclaim):
                self.reclaims[reclaim.id] = reclaim
            case EndReclaim(reclaim=reclaim):
                self.reclaims.pop(reclaim.id, None)
                self.watch.tally[f"reclaim ended {reclaim.state}"] += 1
            case UpdateMaintenance(maintenance=maintenance):
                self.windows, self.windows_since = maintenance.windows, self.watch.sim.now

    def _in_force(self, agent: Any) -> Window | None:
        """The enforced window that has begun for the agent's machine."""
        machine, now = (agent.info.hostname.casefold(), agent.info.ip), self.watch.sim.now
        for window in self.windows:
            when = window.unavailability
            over = when.duration_s is not None and now >= when.start + when.duration_s - EARLY_S
            if window.enforce and when.start <= now + EARLY_S and not over and machine in _machines(window):
                return window
        return None

    # --------------------------------------------------------------------------------------------------- at each step

    def offered(self, state: Any, offer: Any) -> None:
        """(b) What is withheld is not offered, and a framework that has to give back is offered nothing."""
        agent = state.agents[offer.agent_id]
        if self._in_force(agent) is not None:
            self.watch.violated(OFFERS, f"{offer.id} is of {agent.id}, whose window is enforced", agent.id)
        for reclaim in self.reclaims.values():
            if reclaim.framework_id == offer.framework_id:
                self.watch.violated(OFFERS, f"{offer.id} is for {offer.framework_id}, {reclaim.id} is open", reclaim.id)
            if reclaim.agent_id != offer.agent_id:
                continue
            if reclaim.resources is None:
                self.watch.violated(OFFERS, f"{offer.id} is of {agent.id}, of which all is reclaimed", reclaim.id)
                continue
            offered = Resources.sum(state.offers[offer_id].resources for offer_id in agent.offers)
            left = _left(agent.info.resources, _used(agent) + offered)
            named = _scalars(offer.resources)
            short = [name for name, amount in _scalars(reclaim.resources).items() if left.get(name, 0) < amount]
            if [name for name in short if named.get(name)]:
                text = f"{offer.id} of {agent.id} leaves {left} of what {reclaim.id} withholds: {reclaim.resources}"
                self.watch.violated(OFFERS, text, reclaim.id, agent.id)

    def revoked(self, state: Any, party: str, framework_id: FrameworkId, what: str) -> None:
        """(h) A revocation needs a reclaim that asked that framework and whose deadline has passed, or a window."""
        agent = next((agent for agent in state.agents.values() if agent.party == party), None)
        if agent is None:
            self.watch.violated(ASKED, f"{what} is revoked on {party}, which is not registered", what)
            return
        if self._in_force(agent) is not None:
            return
        for reclaim in self.reclaims.values():
            here = reclaim.agent_id == agent.id or reclaim.framework_id == framework_id
            asked = any(demand.framework_id == framework_id for demand in reclaim.demands)
            if here and asked and self.watch.sim.now >= reclaim.deadline - EARLY_S:
                return
        self.watch.violated(ASKED, f"{what} of {framework_id} is revoked on {agent.id}, and nobody asked", what)

    def ends(self, state: Any, reclaim: ReclaimInfo) -> None:
        """(g) A reclaim that ends as DONE has what it wanted."""
        if reclaim.state is ReclaimState.DONE and (held := self._held(state, reclaim)):
            self.watch.violated(FREE, f"{reclaim.id} ends as DONE, but {held}", reclaim.id)

    # -------------------------------------------------------------------------------------------------------- in time

    def late(self, state: Any) -> list[tuple[str, tuple[object, ...]]]:
        """(g) What should be free by now, and is not: why, and whom it is about."""
        now = self.watch.sim.now
        found: list[tuple[str, tuple[object, ...]]] = []
        for reclaim in self.reclaims.values():
            due = max(reclaim.deadline, reclaim.asked_at, self.quiet_from) + BITE_S
            held = self._held(state, reclaim) if now > due else ""
            if held:
                found.append((f"{reclaim.id} was due at {reclaim.deadline:.3f} s, but {held}", (reclaim.id,)))
        for agent in state.agents.values():
            window = self._in_force(agent)
            if window is None or not agent.connected:
                continue
            due = max(window.unavailability.start, self.windows_since, self.quiet_from) + BITE_S
            if now > due and (used := _used(agent)):
                text = f"the window of {agent.id} began at {window.unavailability.start:.3f} s, but {used} is held"
                found.append((text, (agent.id, *(task.task_id for task in agent.tasks.values()))))
        return found

    def outlived(self, state: Any) -> list[tuple[str, tuple[object, ...]]]:
        """(m) What lives on a draining agent after the longest grace and its executor's own: why, and about whom."""
        found: list[tuple[str, tuple[object, ...]]] = []
        for agent in state.agents.values():
            drain = state.deactivated.get(agent.id)
            grace_s = drain.config.max_grace_period_s if drain is not None else None
            if grace_s is None or drain.ended_at is not None or not agent.connected or agent.drain_told_at is None:
                continue
            told_at = max(agent.drain_told_at, self.drained_at.get(agent.id, 0.0), self.quiet_from)
            if self.watch.sim.now > told_at + grace_s + OUTLIVE_S + 4 * self.latency_s:
                for task_id in self.watch.alive_on(agent.party):
                    text = f"{drain.id} of {agent.id} gave {grace_s:g} s at {told_at:.3f} s, and {task_id} lives"
                    found.append((text, (task_id, agent.id)))
        return found

    def _held(self, state: Any, reclaim: ReclaimInfo) -> str:
        """What is still missing of a reclaim, in words; '' if nothing is, or nobody can know."""
        if reclaim.framework_id is not None:
            if reclaim.framework_id not in state.frameworks or state.recovered:
                return ""
            parts = [agent.used().get(reclaim.framework_id, NOTHING) for agent in state.agents.values()]
            held = _scalars(Resources.sum(parts))
            keep = _scalars(reclaim.demands[0].keep) if reclaim.demands else {}
            wanted = held if reclaim.resources is None else _scalars(reclaim.resources)
            over = {name: held[name] for name in wanted if held.get(name, 0) > keep.get(name, 0)}
            return f"{reclaim.framework_id} still holds {over} and may keep {keep}" if over else ""
        agent = state.agents.get(reclaim.agent_id)
        if agent is None or not agent.connected:
            return ""
        used = _used(agent)
        if reclaim.resources is None:
            return f"{used} is in use on {agent.id}" if used else ""
        left = _left(agent.info.resources, used)
        short = {name: left.get(name, 0) for name, n in _scalars(reclaim.resources).items() if left.get(name, 0) < n}
        return f"only {short} is free on {agent.id}, of {reclaim.resources}" if short else ""


def _machines(window: Window) -> list[tuple[str, str]]:
    return [(machine.hostname.casefold(), machine.ip) for machine in window.machines]


def _used(agent: Any) -> Resources:
    return Resources.sum(agent.used().values())


def _scalars(resources: Resources) -> dict[str, int]:
    return dict(resources.scalars)


def _left(total: Resources, used: Resources) -> dict[str, int]:
    taken = _scalars(used)
    return {name: amount - taken.get(name, 0) for name, amount in total.scalars.items()}
