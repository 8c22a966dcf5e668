"""Who gets what: the allocation cycle Mesos published, and a cluster of mixed frameworks.

    the cycle         n agents, all free, and n/10 frameworks in one role, no filters: one run that gives every agent
                      to the framework that is poorest at that moment. Mesos 1.8 published about 1.1 s for 10,000
                      agents and 1,000 frameworks and about 3.8 s for 20,000 and 2,000, in C++ and on another machine.
                      What counts here is how the time grows: each size stands beside the one before, as rounds in turn.
    mixed profiles    the frameworks of Mesos's MultiFrameworkAllocations: 80 agents of 64 cpus; 4 frameworks with 4,000
                      small tasks each, in roles of their own, at most 100 to an offer; 500 with 5 tasks each in one
                      role, 1 to an offer; 50 with 20 larger tasks each, in roles of their own, 5 to an offer. Who has
                      launched all its tasks suppresses, and runs go on until all tasks have been placed.
    nobody suppresses the same, as it is in Mesos: who is content stays poor, is offered most of the cluster in every
                      run and hands it back, so others starve. Runs go on until 20 in a row have placed nothing.

Only the allocator is measured, on the processor: no messages, no master. Beside the mixed cluster: what the same tasks
cost when nobody has to decide, that is the arithmetic on resources alone.
"""

from __future__ import annotations

import functools
import time

from attrs import define

from benchmarks.measuring import Figure, Goal, Result, Stopwatch, in_turn
from mesolite import Settings
from mesolite.actors.decisions.allocator.allocator import Allocator
from mesolite.messages.ids import AgentId, FrameworkId
from mesolite.messages.resources import Resources

SIZES = (1_000, 5_000, 10_000, 20_000)
ROUNDS = 5
AGENT = Resources.of("cpus:24;mem:4096;disk:4096;ports:[31000-32000]")
MIXED_AGENTS = 80
MIXED_AGENT = Resources.of("cpus:64;mem:488000")
IDLE_RUNS = 20


def cycle_s(agents: int) -> float:
    """Seconds of one run over so many free agents."""
    settings = Settings.mesos()
    allocator = Allocator(settings)
    for number in range(agents // 10):
        allocator.add_framework(FrameworkId(f"framework-{number}"), "role", 0.0)
    for number in range(agents):
        allocator.add_agent(AgentId(f"agent-{number}"), AGENT, {}, 0.0)
    watch = Stopwatch(time.process_time)
    grants = allocator.run(0.0)
    seconds = watch.s
    assert len(grants) == agents, f"{len(grants)} of {agents} agents were granted"
    return seconds


@define
class Profile:
    """A framework that launches tasks of one size."""

    role: str
    task: Resources
    left: int
    per_offer: int


def profiles() -> dict[FrameworkId, Profile]:
    """All frameworks of the mixed cluster."""
    small, build, large = map(Resources.of, ("cpus:0.07;mem:400", "cpus:0.1;mem:4000", "cpus:1;mem:1000"))
    made = {FrameworkId(f"apps-{n}"): Profile(f"apps-{n}", small, 4_000, 100) for n in range(4)}
    made.update({FrameworkId(f"builds-{n}"): Profile("builds", build, 5, 1) for n in range(500)})
    made.update({FrameworkId(f"batch-{n}"): Profile(f"batch-{n}", large, 20, 5) for n in range(50)})
    return made


@define
class Mixed:
    """How it went: seconds, of which inside the allocator's runs; runs; the share of all cpus and memory in use."""

    seconds: float
    in_runs_s: float
    runs: int
    placed: int
    cpus: float
    mem: float

    def __str__(self) -> str:
        """Say it in a sentence."""
        return (
            f"{self.placed:,} tasks placed in {self.runs} runs of {1000 * self.in_runs_s / self.runs:.2f} ms;"
            f" in use at the end {100 * self.cpus:.1f} % of the cpus, {100 * self.mem:.1f} % of the memory"
        )


def place(profile: Profile, offered: Resources) -> tuple[int, Resources]:
    """Take as many tasks as the profile wants of an offer; returns how many, and what is left of it."""
    placed = 0
    while profile.left and placed < profile.per_offer and offered.contains(profile.task):
        offered -= profile.task
        profile.left -= 1
        placed += 1
    return placed, offered


def mixed(*, suppress: bool) -> Mixed:
    """Run and place until all tasks have a place, or no more find one."""
    settings = Settings.mesos()
    allocator = Allocator(settings)
    frameworks = profiles()
    for framework_id, profile in frameworks.items():
        allocator.add_framework(framework_id, profile.role, 0.0)
    for number in range(MIXED_AGENTS):
        allocator.add_agent(AgentId(f"agent-{number}"), MIXED_AGENT, {}, 0.0)
    wanted = left = sum(profile.left for profile in frameworks.values())
    runs, idle, now, in_runs_s, used = 0, 0, 0.0, 0.0, Resources.of("")
    total = Stopwatch(time.process_time)
    while left and idle < IDLE_RUNS:
        watch = Stopwatch(time.process_time)
        grants = allocator.run(now)
        in_runs_s += watch.s
        runs, idle, now = runs + 1, idle + 1, now + settings.allocation_interval_s
        for grant in grants:
            profile = frameworks[grant.framework_id]
            placed, rest = place(profile, grant.resources)
            if placed:
                left, idle, used = left - placed, 0, used + (grant.resources - rest)
            allocator.recover(grant.framework_id, grant.role, grant.agent_id, rest, now)
            if suppress and not profile.left:
                allocator.suppress(grant.framework_id)
    capacity = {name: MIXED_AGENTS * amount for name, amount in MIXED_AGENT.scalars.items()}
    shares = {name: used.scalars[name] / capacity[name] for name in capacity}
    return Mixed(total.s, in_runs_s, runs, wanted - left, shares["cpus"], shares["mem"])


def arithmetic_s() -> float:
    """Seconds to take the same tasks from the same agents, one after another, when nobody has to decide."""
    watch = Stopwatch(time.process_time)
    agents = [MIXED_AGENT] * MIXED_AGENTS
    for number, profile in enumerate(profiles().values()):
        for task in range(profile.left):
            agents[(number + task) % MIXED_AGENTS] -= profile.task
    return watch.s


def measure() -> Result:
    """Measure all in turn."""
    *cycles, mixes, arithmetic = in_turn(
        ROUNDS, *(functools.partial(cycle_s, size) for size in SIZES), lambda: mixed(suppress=True), arithmetic_s
    )
    figures = [
        Figure(
            what=f"one cycle, {size:,} agents, {size // 10:,} frameworks",
            unit="s",
            ours=ours,
            beside=f"{smaller:,} agents, {smaller // 10:,} frameworks",
            theirs=theirs,
            goal=Goal("at most", 2.3, ratio=True) if size == 2 * smaller else None,
        )
        for size, ours, smaller, theirs in zip(SIZES[1:], cycles[1:], SIZES, cycles, strict=False)
    ]
    published = {10_000: 1.1, 20_000: 3.8}
    figures += [
        Figure(
            what=f"one cycle, {size:,} agents, {size // 10:,} frameworks",
            unit="s",
            ours=ours,
            beside="Mesos 1.8 as published, another machine",
            theirs=[published[size]] * ROUNDS,
            goal=Goal("under", 0.5) if size == 10_000 else None,
        )
        for size, ours in zip(SIZES, cycles, strict=True)
        if size in published
    ]
    figures.append(
        Figure(
            what="mixed profiles, until 19,500 tasks are placed",
            unit="s",
            ours=[mix.seconds for mix in mixes],
            beside="the arithmetic alone",
            theirs=arithmetic,
        )
    )
    return Result(
        title="The allocator",
        settings="Settings.mesos()",
        figures=figures,
        remarks=[f"mixed profiles: {mixes[0]}", f"nobody suppresses: {mixed(suppress=False)}"],
    )
