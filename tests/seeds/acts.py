"""What is done in a seed: what operators ask for, and what becomes of schedulers. The rest goes wrong by itself."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from mesolite import Reclaim, Unavailability, Window
from mesolite.machines import AgentMachine

if TYPE_CHECKING:
    from tests.seeds.scenario import World

Act = Callable[["World"], object]


def deactivate(world: World) -> None:
    """Take an agent out of the offers."""
    world.ask(world.operator.deactivate, world.an_agent())


def reactivate(world: World) -> None:
    """Put one back, preferably one that was taken out."""
    state = world.sim.view.state
    out = [] if state is None else state["deactivated_agents"]
    world.ask(world.operator.reactivate, _one_of(world, lambda agent: agent.id in out))


def drain(world: World) -> None:
    """Drain an agent, with or without a grace, now and then for good."""
    grace_s, gone = world.draw.choice((None, None, 0.0, 2.0, 10.0)), world.draw.random() < 0.25
    world.ask(world.operator.drain, world.an_agent(), grace_s, mark_gone=gone)


def mark_gone(world: World) -> None:
    """Give an agent up for good; one that is away, if there is one."""
    world.ask(world.operator.mark_gone, _one_of(world, lambda agent: not agent.alive))


def gone_while_away(world: World) -> None:
    """An agent dies, is marked gone, and comes back."""
    world.away_for_a_while(world.an_agent())
    mark_gone(world)


def schedule(world: World) -> None:
    """Post a maintenance schedule of some machines, or of none."""
    draw = world.draw
    agents = draw.sample(list(world.cluster.agents.values()), draw.randint(0, 2))
    start = world.sim.now + draw.uniform(-2.0, 15.0)
    windows = [
        Window(
            machines=[machine],
            unavailability=Unavailability(start=start, duration_s=draw.choice((None, 5.0, 30.0))),
            enforce=draw.random() < 0.4,
        )
        for machine in dict.fromkeys(agent.machine_id for agent in _with_the_down(world, agents))
    ]
    world.ask(world.operator.update_maintenance_schedule, windows)


def _with_the_down(world: World, agents: list[AgentMachine]) -> list[AgentMachine]:
    """With those whose machines are down, mostly: a schedule that leaves one out is refused."""
    down = world.down()
    if not down or world.draw.random() < 0.3:
        return agents
    return [*agents, *(agent for agent in world.cluster.agents.values() if agent.machine_id.ip in down)]


def machine_down(world: World) -> None:
    """Take a machine down; a scheduled one, mostly."""
    state = world.sim.view.state
    windows = [] if state is None else state["maintenance"]["schedule"]
    scheduled = [machine["ip"] for window in windows for machine in window["machines"]]
    world.ask(world.operator.machine_down, [_on_machine(world, scheduled)])


def machine_up(world: World) -> None:
    """Bring a machine back; one that is down, mostly."""
    world.ask(world.operator.machine_up, [_on_machine(world, world.down())])


def reclaim(world: World) -> None:
    """Ask an agent or a framework for resources back."""
    draw = world.draw
    resources = draw.choice((None, "cpus:1", "cpus:2", "cpus:3;mem:128"))
    target = world.an_agent() if draw.random() < 0.6 else draw.choice(world.views).driver
    made = world.ask(world.operator.reclaim, target, resources, within=draw.choice((0.5, 3.0, 10.0)))
    if isinstance(made, Reclaim):
        world.reclaims.append(made)


def release(world: World) -> None:
    """Give up a reclaim."""
    if world.reclaims:
        world.ask(world.draw.choice(world.reclaims).release)


def teardown(world: World) -> None:
    """End a framework."""
    world.ask(world.operator.teardown, world.draw.choice(world.views).driver)


def all_at_once(world: World) -> None:
    """The leader's disk is slow, and operators ask for several things without waiting."""
    leader, draw = world.cluster.leader, world.draw
    if leader is None:
        return
    leader.disk.slow(draw.uniform(0.5, 4.0))
    world.later(leader.disk.mend, 12.0)
    for verb in draw.choices(list(VERBS), list(VERBS.values()), k=draw.randint(3, 6)):
        world.later(lambda verb=verb: verb(world), 0.0)  # type: ignore[misc]


def _one_of(world: World, preferred: Callable[[AgentMachine], object]) -> AgentMachine:
    """One of those agents, if there are any; else any."""
    agents = list(world.cluster.agents.values())
    return world.draw.choice([agent for agent in agents if preferred(agent)] or agents)


def _on_machine(world: World, ips: Collection[str]) -> AgentMachine:
    """An agent on one of these machines, mostly; else any."""
    return _one_of(world, lambda agent: agent.machine_id.ip in ips) if world.draw.random() < 0.8 else world.an_agent()


def scheduler_dies(world: World) -> None:
    """A framework's scheduler aborts, stops, crashes or is replaced; mostly a successor comes."""
    views = [view for view in world.views if view.driver.framework_id is not None]
    if not views:
        return
    view = world.draw.choice([view for view in views if view.kind == "dying"] or views)
    match world.draw.choice(("abort", "stop", "fail over", "crash", "replace", "replace")):
        case "abort":
            view.driver.abort()
        case "stop":
            view.driver.stop()
            return  # that ends the framework
        case "fail over":
            view.driver.stop(failover=True)
        case "crash":
            world.kill(view)
        case "replace":
            world.succeed(view)
            return
    if world.draw.random() < 0.8:
        world.later(lambda: world.succeed(view), 12.0)


def scheduler_returns_twice(world: World) -> None:
    """A scheduler goes and returns, and again, within its failover time-out, mostly."""
    view = world.draw.choice(world.views)
    for _ in range(2):
        if world.draw.random() < 0.7:
            world.later(lambda: world.kill(view), 3.0)
        world.later(lambda: world.succeed(view), 6.0)


def kills_in_the_dark(world: World) -> None:
    """An agent is away while its frameworks want tasks killed that run there."""
    agent = world.an_agent()
    if not agent.alive:
        return
    agent_id = agent.id
    world.away_for_a_while(agent)
    for view in world.views:
        for task_id in [task_id for task_id in view.open_tasks if view.agents[task_id] == agent_id][:2]:
            if view.driver.still_running:
                view.driver.kill_task(task_id)


VERBS: dict[Act, int] = {
    deactivate: 2,
    reactivate: 3,
    drain: 8,
    mark_gone: 1,
    schedule: 3,
    machine_down: 2,
    machine_up: 2,
    reclaim: 5,
    release: 2,
    teardown: 1,
}
"""What operators ask for, and how often."""

TROUBLES: dict[Act, int] = {
    all_at_once: 1,
    gone_while_away: 1,
    kills_in_the_dark: 1,
    scheduler_dies: 2,
    scheduler_returns_twice: 1,
}
"""What befalls frameworks and agents just when it is most awkward, and how often; faults of all kinds come besides."""
