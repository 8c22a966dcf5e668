"""The allocator under any sequence of calls: nothing is granted twice, nothing is lost, idling costs nothing."""

from __future__ import annotations

import copy

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mesolite.actors.decisions.allocator.allocator import Allocator
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.ids import AgentId, FrameworkId
from mesolite.messages.resources import Resources
from tests.effort import examples

SIZES = ("cpus:1;mem:64", "cpus:3;mem:32;ports:[1-9]", "cpus:0.004;mem:20", "mem:512;disk:7")
FRAMEWORKS = tuple(FrameworkId(f"framework{n}") for n in (1, 2, 3, 4))
AGENTS = tuple(AgentId(f"agent{n}") for n in (1, 2, 3, 4, 5))


class AnySequence(RuleBasedStateMachine):
    """Random calls, beside a plain account of who was granted what."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.allocator = Allocator(Settings.mesos())
        self.wants: dict[FrameworkId, bool] = {}
        self.active: dict[AgentId, bool] = {}
        self.held: dict[tuple[FrameworkId, AgentId], Resources] = {}
        self.withheld: dict[AgentId, Resources | None] = {}
        self.blocked: dict[FrameworkId, bool] = {}

    @rule(seconds=st.sampled_from([0.25, 1.0, 3.1, 5.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(framework_id=st.sampled_from(FRAMEWORKS), role=st.sampled_from(["x", "y"]), suppressed=st.booleans())
    def framework_comes(self, framework_id: FrameworkId, role: str, suppressed: bool) -> None:
        if framework_id in self.wants:
            self.allocator.activate_framework(framework_id, role, self.now, suppressed=suppressed)
        else:
            self.allocator.add_framework(framework_id, role, self.now, suppressed=suppressed)
        self.wants[framework_id] = not suppressed

    @precondition(lambda self: self.wants)
    @rule(data=st.data(), what=st.sampled_from(["revive", "suppress", "deactivate", "remove"]))
    def framework_changes(self, data: st.DataObject, what: str) -> None:
        framework_id = data.draw(st.sampled_from(sorted(self.wants)))
        self.wants[framework_id] = False
        if what == "revive":
            self.allocator.activate_framework(framework_id, "x", self.now, suppressed=True)
            self.allocator.revive(framework_id, self.now)
            self.wants[framework_id] = True
        elif what == "suppress":
            self.allocator.suppress(framework_id)
        elif what == "deactivate":
            self.allocator.deactivate_framework(framework_id)
        else:
            for owner, agent_id in [key for key in self.held if key[0] == framework_id]:
                held, role = self.held.pop((owner, agent_id)), self.allocator.role(owner)
                self.allocator.recover(owner, role, agent_id, held, self.now)
            self.allocator.remove_framework(framework_id)
            del self.wants[framework_id]
            self.blocked.pop(framework_id, None)

    @precondition(lambda self: self.wants)
    @rule(data=st.data(), in_or_out=st.booleans())
    def framework_is_barred(self, data: st.DataObject, in_or_out: bool) -> None:
        framework_id = data.draw(st.sampled_from(sorted(self.wants)))
        self.blocked[framework_id] = not in_or_out
        if in_or_out:
            self.allocator.unblock(framework_id, self.now)
        else:
            self.allocator.block(framework_id)

    @precondition(lambda self: self.active)
    @rule(data=st.data(), amount=st.sampled_from([None, "", "cpus:2", "cpus:0.5;mem:16", "cpus:9;mem:9999;gpus:1"]))
    def resources_are_withheld(self, data: st.DataObject, amount: str | None) -> None:
        agent_id = data.draw(st.sampled_from(sorted(self.active)))
        self.withheld[agent_id] = None if amount is None else Resources.of(amount)
        self.allocator.withhold(agent_id, self.withheld[agent_id], self.now)

    @rule(agent_id=st.sampled_from(AGENTS), size=st.sampled_from(SIZES), user=st.sampled_from(FRAMEWORKS))
    def agent_comes(self, agent_id: AgentId, size: str, user: FrameworkId) -> None:
        """It is bigger than `size` by what one framework, known or not, already uses there."""
        if agent_id not in self.active:
            used = Resources.of("cpus:1;mem:16")
            self.allocator.add_agent(agent_id, Resources.of(size) + used, {user: used}, self.now)
            self.held[user, agent_id] = used
        else:
            self.allocator.activate_agent(agent_id, self.now)
        self.active[agent_id] = True

    @precondition(lambda self: self.active)
    @rule(data=st.data(), stays=st.booleans())
    def agent_goes(self, data: st.DataObject, stays: bool) -> None:
        agent_id = data.draw(st.sampled_from(sorted(self.active)))
        if stays:
            self.allocator.deactivate_agent(agent_id)
            self.active[agent_id] = False
        else:
            self.allocator.remove_agent(agent_id)
            del self.active[agent_id]
            self.withheld.pop(agent_id, None)
            self.held = {key: held for key, held in self.held.items() if key[1] != agent_id}

    @precondition(lambda self: self.held)
    @rule(data=st.data(), whole=st.booleans(), refuse_s=st.sampled_from([None, 0.0, 0.5, 1.0, 5.0, -1.0, 30.0]))
    def resources_return(self, data: st.DataObject, whole: bool, refuse_s: float | None) -> None:
        key = data.draw(st.sampled_from(sorted(self.held)))
        held = self.held.pop(key)
        part = Resources.of("cpus:0.004;mem:16")
        if not whole and part in held and part != held:
            self.held[key] = held - part
            held = part
        owner, agent_id = key
        role = self.allocator.role(owner) if owner in self.wants else "x"
        self.allocator.recover(owner, role, agent_id, held, self.now, refuse_s)

    @rule(wait=st.booleans())
    def run(self, wait: bool) -> None:
        due = self.allocator.next_run(self.now)
        if wait and due is not None:
            self.now = due
        before = repr(vars(self.allocator))
        shares = self.allocator.shares()
        grants = self.allocator.run(self.now)
        for grant in grants:
            key = grant.framework_id, grant.agent_id
            assert self.wants[grant.framework_id], "granted to one who wants nothing"
            assert self.active[grant.agent_id], "granted on an agent that is not active"
            assert not self.blocked.get(grant.framework_id), "granted to one who is blocked"
            assert self.grantable(grant.agent_id) == Resources(), "granted in part"
            assert self.kept_back(grant.agent_id, grant.resources), "granted what is withheld"
            self.held[key] = self.held.get(key, Resources()) + grant.resources
        assert len({grant.agent_id for grant in grants}) == len(grants), "granted twice"
        owners = [grant.framework_id for grant in grants]
        assert len([a for a, b in zip([None, *owners], owners, strict=False) if a != b]) == len(set(owners))
        if due is None or due > self.now:
            assert grants == []
            assert repr(vars(self.allocator)) == before, "an idle run has left a mark"
            assert self.allocator.shares() == shares
        again = self.allocator.next_run(self.now)
        assert again is None or again > self.now, "still due after it has run"

    @invariant()
    def all_adds_up(self) -> None:
        self.allocator.check()
        for (framework_id, agent_id), held in self.held.items():
            assert self.allocator.allocated(framework_id, agent_id) == held

    @invariant()
    def left_alone_everything_is_granted_in_the_end(self) -> None:
        """Nobody's timer is forgotten, and none fires for ever: filters go, and then all is somebody's."""
        future = copy.deepcopy(self.allocator)
        now = self.now
        runs = 0
        while (due := future.next_run(now)) is not None:
            now = due
            future.run(now)
            runs += 1
            assert runs <= 50, "runs without end"
        left = [a for a, active in self.active.items() if active and worth_an_offer(self.grantable(a, future))]
        assert left == [] or not any(wants and not self.blocked.get(f) for f, wants in self.wants.items())

    def grantable(self, agent_id: AgentId, of: Allocator | None = None) -> Resources:
        """What is free and not withheld."""
        free = (of or self.allocator).free(agent_id)
        withheld = self.withheld.get(agent_id, Resources())
        if withheld is None:
            return Resources()
        amounts = {name: max(0.0, free.scalar(name) - withheld.scalar(name)) for name in free.scalars}
        return Resources.of(amounts) + Resources.parse(";".join(f"{n}:{v}" for n, v in pools(free)))

    def kept_back(self, agent_id: AgentId, granted: Resources) -> bool:
        """Whether a grant has left what is withheld, as far as it was there."""
        withheld = self.withheld.get(agent_id, Resources())
        free = self.allocator.free(agent_id)
        if withheld is None:
            return False
        return all(free.scalar(name) >= withheld.scalar(name) for name in both(granted, withheld))


def pools(resources: Resources) -> list[tuple[str, str]]:
    """The ranges, as text."""
    entries = [entry.partition(":") for entry in str(resources).split(";") if entry]
    return [(name, value) for name, _, value in entries if value.startswith("[")]


def both(one: Resources, other: Resources) -> list[str]:
    return [name for name in one.scalars if name in other.scalars]


def worth_an_offer(free: Resources) -> bool:
    return free.cpus >= 0.01 or free.mem >= 32


TestAnySequence = AnySequence.TestCase
TestAnySequence.settings = settings(
    max_examples=examples(100), stateful_step_count=40, deadline=None, derandomize=True, database=None
)
