"""What goes wrong in a seed, and how it is mended.

libprocess delivers at most once and in order per pair. So messages are held back (all of a pair, in order), lost, or
said twice where the protocol claims to survive that:

* disks: slow, full, or the last thing a daemon uses (`machine.disk`).
* held: any pair of machines, and the registrar's answers, which is a slow store. What is held for somebody who has died
  meanwhile is lost.
* cut: any pair of machines. A connection that has lost something does not come back: when the cut heals, both see it
  broken (mesolite/simulation/network.py). Without that a lost RunTask would stay STAGING for ever, in Mesos too.
* lost without a broken link: only what somebody says again by himself (`LOST`).
* twice: only what people say again anyway (`TWICE`).

What an agent and its executors say to each other is on one machine, has no repetition, and is left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import define, field

from mesolite.messages import (
    AgentDrained,
    AgentLost,
    AgentRegistered,
    AgentReregistered,
    DrainAgent,
    InverseOffers,
    KillTask,
    OperationApplied,
    PingAgent,
    PongAgent,
    RegisterAgent,
    ReregisterAgent,
    RescindInverseOffer,
    RescindOffer,
    StatusUpdate,
    StatusUpdateAcknowledgement,
    Subscribe,
    UnregisterAgent,
)
from mesolite.simulation.network import Rule, Verdict
from tests.seeds.workload import VERBS, mark_gone

if TYPE_CHECKING:
    from tests.seeds.frameworks import View
    from tests.seeds.workload import World

Fault = Callable[["World"], None]

LOST = (
    PingAgent,
    PongAgent,
    RegisterAgent,
    AgentRegistered,
    ReregisterAgent,
    AgentReregistered,
    StatusUpdate,
    StatusUpdateAcknowledgement,
    DrainAgent,
    AgentDrained,
    Subscribe,
    RescindOffer,
    InverseOffers,
    RescindInverseOffer,
    AgentLost,
)
"""Said again until it is answered, or of no consequence."""

TWICE = (
    PingAgent,
    PongAgent,
    RegisterAgent,
    ReregisterAgent,
    UnregisterAgent,
    StatusUpdate,
    StatusUpdateAcknowledgement,
    DrainAgent,
    AgentDrained,
    KillTask,
    Subscribe,
    RescindOffer,
    RescindInverseOffer,
)
"""Said again by retries, so whoever hears it must bear it twice."""

FAULT_S = 12.0
"""How long a fault lasts at most."""


@define(eq=False)
class Held:
    """Messages to one party that are kept back, in order, and which life of it each was meant for."""

    world: World
    kind: Any
    sender: str | None
    receiver: str
    lives: list[int] = field(factory=list)
    rule: Rule | None = None

    def begin(self) -> None:
        """Keep back from now on; a rule asks `where` last, so it is asked about what is held and nothing else."""
        rule = Rule(self.kind, self.sender, self.receiver, self._note_life, Verdict.HOLD)
        self.rule = self.world.sim.runtime.network.add(rule)

    def _note_life(self, event: object) -> bool:
        self.lives.append(self.world.sim.runtime.directory.incarnation(self.receiver))
        return True

    def release(self) -> None:
        """Deliver what was held, unless whoever it was for has died."""
        assert self.rule is not None
        runtime = self.world.sim.runtime
        runtime.network.remove(self.rule)
        life = runtime.directory.incarnation(self.receiver)
        held = zip(self.rule.matched, self.lives, strict=True)
        runtime.release([parcel for parcel, meant_for in held if meant_for == life])


def hold(world: World, kind: Any, sender: str | None, receiver: str) -> None:
    """Keep these messages back for a while."""
    held = Held(world, kind, sender, receiver)
    held.begin()
    world.end_later(held.release, FAULT_S)


def slow_store(world: World) -> None:
    """A registrar's answers take their time."""
    hold(world, OperationApplied, None, world.a_leader())


def slow_link(world: World) -> None:
    """Everything from one machine to another takes its time."""
    one, other = _pair(world)
    hold(world, None, one, other)


def cut(world: World) -> None:
    """Nothing passes between two machines, or not in one direction."""
    one, other = _pair(world)
    both_ways = world.random.random() < 0.5
    world.sim.partition(one, other, both_ways=both_ways)
    world.end_later(lambda: world.sim.heal(one, other), 2 * FAULT_S)


def _pair(world: World) -> tuple[str, str]:
    """Two parties on different machines that speak to each other."""
    draw = world.random
    master = world.a_leader()
    other = draw.choice([*world.cluster.agents, *world.cluster.agents, *world.framework_parties(), "elector"])
    pair = [master, other]
    draw.shuffle(pair)
    return pair[0], pair[1]


def _end(world: World) -> tuple[str | None, str | None]:
    """From the leader, or to it: nothing that stays on one machine."""
    leader = world.a_leader()
    return (leader, None) if world.random.random() < 0.5 else (None, leader)


def lose(world: World) -> None:
    """A few messages of one kind are lost."""
    sender, receiver = _end(world)
    rule = world.sim.drop(world.random.choice(LOST), sender, receiver, times=world.random.randint(1, 3))
    world.end_later(lambda: world.sim.forget(rule), FAULT_S)


def repeat(world: World) -> None:
    """A few messages of one kind are said twice."""
    sender, receiver = _end(world)
    rule = world.sim.duplicate(world.random.choice(TWICE), sender, receiver, times=world.random.randint(1, 4))
    world.end_later(lambda: world.sim.forget(rule), FAULT_S)


def agent_dies(world: World) -> None:
    """An agent's process or machine goes, and mostly comes back."""
    alive = [agent for agent in world.cluster.agents.values() if agent.alive]
    if not alive:
        return
    agent = world.random.choice(alive)
    world.random.choice((agent.crash, agent.power_off, agent.stop, agent.restart))()
    if world.random.random() < 0.7:
        world.end_later(lambda: None if agent.alive else agent.restart(), 2 * FAULT_S)


def executor_dies(world: World) -> None:
    """An executor's process goes."""
    executors = [seat for seat in world.sim.runtime.directory if seat.host in world.cluster.agents and "/" in seat.name]
    if executors:
        world.sim.runtime.end(world.random.choice(executors), 1)


def master_dies(world: World) -> None:
    """A master goes, most often the leader; somebody restarts it."""
    alive = [master for master in world.cluster.masters.values() if master.alive]
    if not alive:
        return
    leader = world.cluster.leader
    master = leader if leader is not None and world.random.random() < 0.7 else world.random.choice(alive)
    world.random.choice((master.crash, master.power_off, master.restart))()
    world.end_later(lambda: None if master.alive else master.restart(), FAULT_S)


def scheduler_dies(world: World) -> None:
    """A framework's scheduler aborts, stops, crashes or is replaced; mostly a successor comes."""
    views = [view for view in world.views if view.driver.framework_id is not None]
    dying = [view for view in views if view.kind == "dying"] or views
    if not dying:
        return
    view = world.random.choice(dying)
    seat = world.sim.runtime.directory.find(view.driver.name)
    match world.random.choice(("abort", "stop", "fail over", "crash", "replace", "replace")):
        case "abort":
            view.driver.abort()
        case "stop":
            view.driver.stop()
            return  # that ends the framework
        case "fail over":
            view.driver.stop(failover=True)
        case "crash" if seat is not None:
            world.sim.runtime.end(seat, -9)
        case "replace":
            world.succeed(view)
            return
    if world.random.random() < 0.8:
        world.end_later(lambda: world.succeed(view), FAULT_S)


def bad_disk(world: World) -> None:
    """A machine's disk is slow, or full, or its daemon dies at one of the next writes."""
    draw = world.random
    agents, masters = list(world.cluster.agents.values()), list(world.cluster.masters.values())
    machine = draw.choice([*agents, *agents, *masters])
    match draw.choice(("slow", "slow", "full", "last", "last")):
        case "slow":
            machine.disk.slow(draw.uniform(0.1, 5.0))
        case "full":
            machine.disk.fail()
        case "last":
            machine.disk.crash_at(draw.randint(1, 4), stored=draw.random() < 0.5)

    def mend() -> None:
        machine.disk.mend()
        if not machine.alive and machine.name not in world.unregistered:
            machine.restart()

    world.end_later(mend, FAULT_S)


def agent_restarts_again(world: World) -> None:
    """An agent's process is restarted while it is still starting, or coming back."""
    agent = world.random.choice(list(world.cluster.agents.values()))
    for _ in range(world.random.randint(2, 3)):
        world.end_later(lambda: agent.restart() if agent.alive else None, 4.0)


def scheduler_returns_twice(world: World) -> None:
    """A scheduler goes and returns, and again, within its failover time-out, mostly."""
    view = world.random.choice(world.views)
    for _ in range(2):
        if world.random.random() < 0.7:
            world.end_later(lambda: _leave(world, view), 3.0)
        world.end_later(lambda: world.succeed(view), 6.0)


def _leave(world: World, view: View) -> None:
    """Go without ending the framework."""
    seat = world.sim.runtime.directory.find(view.driver.name)
    if seat is not None:
        world.sim.runtime.end(seat, -9)


def kills_in_the_dark(world: World) -> None:
    """An agent is away while its frameworks want tasks killed that run there."""
    agent = world.an_agent()
    if not agent.alive:
        return
    agent.crash()
    for view in world.views:
        for task_id in [task_id for task_id in view.open_tasks if view.agents[task_id] == agent.id][:2]:
            if view.driver.still_running:
                view.driver.kill_task(task_id)
    world.end_later(lambda: None if agent.alive or agent.name in world.unregistered else agent.restart(), FAULT_S)


def leader_loses_the_elector(world: World) -> None:
    """The leader's session ends while it thinks that it leads: for a while there are two."""
    leader = world.a_leader()
    world.sim.partition(leader, "elector")
    world.end_later(lambda: world.sim.heal(leader, "elector"), 2 * FAULT_S)


def agents_fall_silent(world: World) -> None:
    """Some agents hear no pings of the leader for a while, about as long as it takes to give them up."""
    leader, draw, settings = world.a_leader(), world.random, world.sim.settings
    silent_s = settings.total_ping_timeout_s + 2 * settings.agent_ping_timeout_s
    agents = list(world.cluster.agents)
    for agent in draw.sample(agents, draw.randint(1, min(3, len(agents)))):
        world.sim.partition(leader, agent, both_ways=draw.random() < 0.5)
        world.end_later(lambda agent=agent: world.sim.heal(leader, agent), silent_s)  # type: ignore[misc]


def leader_pauses(world: World) -> None:
    """The leader's process stands still, its registrar with it, and goes on as if nothing had happened."""
    leader = world.cluster.leader
    if leader is None:
        return
    world.sim.pause(leader)
    world.end_later(lambda: world.sim.resume(leader) if leader.alive else None, 3 * FAULT_S)


def link_breaks(world: World) -> None:
    """The connection of the leader to an agent or a driver breaks, with what is in flight on it."""
    leader, seat = world.a_leader(), world.checkers.reader.seat
    others = [name for name in (*world.cluster.agents, *world.framework_parties()) if seat(name) is not None]
    if others and seat(leader) is not None:
        world.sim.break_link(leader, world.random.choice(others))
        world.checkers.disturbed()


def session_expires(world: World) -> None:
    """The elector ends the session of a master."""
    alive = [master for master in world.cluster.masters.values() if master.alive]
    if alive:
        master = world.random.choice(alive)
        world.sim.expire_session(master)
        world.end_later(lambda: None if master.alive else master.restart(), FAULT_S)


def all_at_once(world: World) -> None:
    """The leader's disk is slow, and operators ask for several things without waiting."""
    leader, draw = world.cluster.leader, world.random
    if leader is None:
        return
    leader.disk.slow(draw.uniform(0.5, 4.0))
    world.end_later(leader.disk.mend, FAULT_S)
    world.in_a_hurry = True
    for verb in draw.choices(list(VERBS), list(VERBS.values()), k=draw.randint(3, 6)):
        verb(world)
    world.in_a_hurry = False


def gone_while_away(world: World) -> None:
    """An agent dies, is marked gone, and comes back."""
    agent = world.an_agent()
    if agent.alive:
        agent.crash()
    mark_gone(world)
    world.end_later(lambda: None if agent.alive or agent.name in world.unregistered else agent.restart(), FAULT_S)


FAULTS: tuple[Fault, ...] = (
    bad_disk,
    bad_disk,
    agent_restarts_again,
    scheduler_returns_twice,
    kills_in_the_dark,
    leader_loses_the_elector,
    agents_fall_silent,
    leader_pauses,
    all_at_once,
    gone_while_away,
    link_breaks,
    session_expires,
    slow_store,
    slow_store,
    slow_link,
    slow_link,
    cut,
    cut,
    lose,
    repeat,
    agent_dies,
    agent_dies,
    executor_dies,
    master_dies,
    scheduler_dies,
    scheduler_dies,
)
