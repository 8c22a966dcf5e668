"""What stands on the stage of a story, and its verbs: a method each, by the verb's name.

A verb's parameters are the words after it, in order; what follows the star are options, `name=value`, or bare where the
answer is yes or no. A verb may return lines to be shown; all else it shows is what it caused.
"""

from __future__ import annotations

import math
import signal as signals
from collections.abc import Iterator
from typing import Any

import attrs

from mesolite import (
    Capability,
    CommandInfo,
    Filters,
    FrameworkInfo,
    InverseOffer,
    KillPolicy,
    Offer,
    Scheduler,
    SchedulerDriver,
    Settings,
    SimulatedWork,
    Simulation,
    TaskInfo,
    TaskState,
    TaskStatus,
    Unavailability,
    Window,
)
from mesolite import messages as said
from mesolite.actors.trace.values import brief, fields
from mesolite.machines import Machine
from mesolite.messages.ids import OfferId
from tests.scenarios.schedulers import EXECUTORS
from tests.stories.transcript import Exchange

STAGE_S = 10.0
LAUNCH_S = 30.0
FOR_GOOD_S = 1e6


class StoryError(Exception):
    """A line of a story cannot be played; the text begins with where it is and ends with what would work."""


class Player(Scheduler):
    """A framework on stage: starts a task when it is given one, and answers inverse offers when told to.

    Offers it has no task for are declined for good, or kept outstanding if it `keeps` offers.
    """

    def __init__(self, keeps: bool) -> None:
        self.keeps = keeps
        self.kept: list[Offer] = []
        self.waiting: list[TaskInfo] = []
        self.running: set[str] = set()
        self.asked: dict[OfferId, InverseOffer] = {}

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        for offer in offers:
            fitting = [task for task in self.waiting if task.agent_id == offer.agent_id][:1]
            if fitting:
                self.waiting.remove(fitting[0])
                driver.launch_tasks(offer, fitting, Filters(refuse_seconds=0.0))
            elif self.keeps:
                self.kept.append(offer)
            else:
                driver.decline_offer(offer, Filters(refuse_seconds=FOR_GOOD_S))

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        if status.state is TaskState.TASK_RUNNING:
            self.running.add(status.task_id)

    def inverse_offers(self, driver: SchedulerDriver, inverse_offers: tuple[InverseOffer, ...]) -> None:
        self.asked |= {inverse_offer.id: inverse_offer for inverse_offer in inverse_offers}

    def inverse_offer_rescinded(self, driver: SchedulerDriver, inverse_offer_id: OfferId) -> None:
        self.asked.pop(inverse_offer_id, None)


class Stage:
    """The verbs of stories, on one simulation. Those of an operator are in `Operating`."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.exchange = Exchange()
        self.sim = Simulation(seed)
        self._cluster: Any = None
        self._drivers: dict[str, Any] = {}
        self._players: dict[str, Player] = {}
        self._holds: list[Any] = []
        self.handle: Any = None
        """The drain or reclaim that was asked for last."""

    # ------------------------------------------------------------------------------------------- setting the stage

    def cluster(
        self, *, agents: int = 1, masters: int = 1, resources: str = "cpus:4;mem:4096", **settings: str
    ) -> None:
        known = {field.name: field.default for field in attrs.fields(Settings)}
        if unknown := sorted(settings.keys() - known.keys()):
            raise StoryError(f"there is no setting {unknown[0]!r}; there are {', '.join(known)}")
        changes = {name: type(known[name] or 0.0)(value) for name, value in settings.items()}
        self.sim = Simulation(self.seed, settings=Settings.mesos().but(**changes), trace_records=200_000)
        self._cluster = self.sim.cluster(agents, masters, resources)
        self._curtain()

    def agent(self, name: str, *, hostname: str | None = None, ip: str = "", resources: str | None = None) -> None:
        machine = self._there.add_agent(name, resources, hostname=hostname, ip=ip)
        self.sim.run_until(lambda: machine.registered, LAUNCH_S)
        self._curtain()

    def framework(
        self,
        name: str,
        *,
        PARTITION_AWARE: bool = False,  # noqa: N803  # as Mesos writes it
        TASK_KILLING_STATE: bool = False,  # noqa: N803
        checkpoint: bool = False,
        failover_timeout: float = 0.0,
        keeps_offers: bool = False,
    ) -> None:
        declared = {Capability.PARTITION_AWARE: PARTITION_AWARE, Capability.TASK_KILLING_STATE: TASK_KILLING_STATE}
        info = FrameworkInfo(
            name=name,
            checkpoint=checkpoint,
            failover_timeout_s=failover_timeout,
            capabilities=tuple(capability for capability, wanted in declared.items() if wanted),
        )
        self._players[name] = Player(keeps_offers)
        self._drivers[name] = self._there.run(self._players[name], info, executors=EXECUTORS)
        self._curtain()

    def task(
        self,
        framework: str,
        name: str,
        agent: str,
        *,
        cpus: float = 1.0,
        mem: float = 128.0,
        on_sigterm: str = "0",
        grace: float | None = None,
        lasts: float | None = None,
    ) -> None:
        driver, player = self._driver(framework), self._players[framework]
        stubborn = on_sigterm == "ignored"
        player.waiting.append(
            TaskInfo(
                task_id=name,
                name=name,
                agent_id=self._there.agents[self._machine(agent).name].id,
                resources={"cpus": cpus, "mem": mem},
                command=CommandInfo(value="work"),
                kill_policy=None if grace is None else KillPolicy(grace_period_s=grace),
                work=SimulatedWork(duration=lasts, on_sigterm=None if stubborn else float(on_sigterm)),
            )
        )
        for each in self._drivers:
            kept, self._players[each].kept = self._players[each].kept, []
            self._drivers[each].decline_offer(kept, Filters(refuse_seconds=0.0 if each == framework else FOR_GOOD_S))
        driver.revive_offers()
        self.sim.run_until(lambda: name in player.running, LAUNCH_S)
        for each, other in self._players.items():
            if other.keeps:
                self._drivers[each].revive_offers()
        self._curtain()

    def _curtain(self) -> None:
        """Let the stage settle, to a whole multiple of ten seconds, so that times are easy to read."""
        self.sim.settle()
        self.sim.advance(math.floor(self.sim.now / STAGE_S + 1) * STAGE_S - self.sim.now)
        self.exchange.skip(self.sim.trace)

    # ----------------------------------------------------------------------------------------- time, and what to see

    def settle(self) -> None:
        self.sim.settle()

    def advance(self, seconds: float) -> None:
        self.sim.advance(seconds)

    def show(self, *kinds: str) -> None:
        for name in map(self._kind_name, kinds):
            self.exchange.shown.add(name)
            self.exchange.hidden.discard(name)

    def hide(self, *kinds: str) -> None:
        for name in map(self._kind_name, kinds):
            self.exchange.hidden.add(name)
            self.exchange.shown.discard(name)

    def state(self, what: str, *columns: str) -> Iterator[str]:
        """Show a part of the leader's books, `maintenance.status` being a part of a part; with columns, only those."""
        part = self._there.operator.state()
        for name in what.split("."):
            if name not in part:
                raise StoryError(f"the leader's state has no {name!r}; it has {', '.join(part)}")
            part = part[name]
        rows = part if isinstance(part, list) else [part]
        yield from sorted(" ".join(_columns(row, columns)) if isinstance(row, dict) else str(row) for row in rows)

    def look(self) -> Iterator[str]:
        """Show where the drain or reclaim stands that was asked for last, and what it waits for."""
        if self.handle is None:
            raise StoryError("nothing was asked for yet; begin with: operator drain agent-1")
        yield f"{self.handle.id} {self.handle.state}"
        for asked in getattr(self.handle, "asked", ()):
            answer = " ".join(fields(asked)[3:]) or "no answer"
            yield f"- {asked.framework} was asked for {asked.share or 'everything'}: {answer}"
        if revoked := getattr(self.handle, "revoked_tasks", ()):
            yield f"- revoked: {', '.join(revoked)}"
        yield from (f"- {blocker}" for blocker in self.handle.blocked_by)

    # ------------------------------------------------------------------------------------------- machines and network

    def signal(self, agent: str, name: str) -> None:
        if name not in signals.Signals.__members__:
            raise StoryError(f"there is no signal {name!r}; SIGUSR1 is the one that drains")
        self._there.agents[self._machine(agent).name].signal(signals.Signals[name])

    def crash(self, machine: str) -> None:
        self._machine(machine).crash()

    def power_off(self, machine: str) -> None:
        self._machine(machine).power_off()

    def restart(self, machine: str) -> None:
        self._machine(machine).restart()  # type: ignore[attr-defined]

    def partition(self, one: str, other: str) -> None:
        self.sim.partition(*(name if name in self._drivers else self._machine(name) for name in (one, other)))

    def heal(self) -> None:
        self.sim.heal()

    def hold(self, kind: str) -> None:
        self._holds.append(self.sim.hold(getattr(said, self._kind_name(kind))))

    def drop(self, kind: str, *, times: int = 1) -> None:
        self.sim.drop(getattr(said, self._kind_name(kind)), times=times)

    def release(self) -> None:
        while self._holds:
            self._holds.pop(0).release()

    # ----------------------------------------------------------------------------------------------------- frameworks

    def kill(self, framework: str, task: str) -> None:
        self._driver(framework).kill_task(task)

    def accept_inverse(self, framework: str, *, returning: str = "") -> None:
        driver = self._driver(framework)
        driver.accept_inverse_offers(self._asked(framework), returning=returning.split(",") if returning else None)

    def decline_inverse(self, framework: str, *, reason: str | None = None) -> None:
        driver = self._driver(framework)
        driver.decline_inverse_offers(self._asked(framework), reason=reason)

    def _asked(self, framework: str) -> list[OfferId]:
        asked, self._players[framework].asked = self._players[framework].asked, {}
        if not asked:
            raise StoryError(f"{framework} has no inverse offer to answer; wait until it was asked")
        return list(asked)

    # --------------------------------------------------------------------------------------------------------- inside

    @property
    def _there(self) -> Any:
        if self._cluster is None:
            raise StoryError("there is no cluster yet; begin with: cluster agents=2")
        return self._cluster

    def _machine(self, name: str) -> Machine:
        machines: dict[str, Machine] = {**self._there.masters, **self._there.agents}
        if name == "leader" and self._there.leader is not None:
            return self._there.leader  # type: ignore[no-any-return]
        if name not in machines:
            raise StoryError(f"there is no machine {name!r}; there are {', '.join(machines)}, and leader")
        return machines[name]

    def _driver(self, name: str) -> Any:
        if name not in self._drivers:
            raise StoryError(f"there is no framework {name!r}; there are {', '.join(self._drivers) or 'none'}")
        return self._drivers[name]

    def _kind_name(self, name: str) -> str:
        kinds = [kind for kind in said.__all__ if isinstance(getattr(said, kind), type)]
        kinds = [kind for kind in kinds if issubclass(getattr(said, kind), said.Message)]
        if name not in kinds:
            raise StoryError(f"there is no message {name!r}; there are {', '.join(kinds)}")
        return name


class Operating(Stage):
    """The verbs that begin with `operator`."""

    def operator_deactivate(self, agent: str) -> None:
        self._there.operator.deactivate(self._target(agent))

    def operator_reactivate(self, agent: str) -> None:
        self._there.operator.reactivate(self._target(agent))

    def operator_drain(
        self,
        agent: str,
        *,
        max_grace_period: float | None = None,
        mark_gone: bool = False,
        message: str | None = None,
        initiator: str | None = None,
    ) -> None:
        self.handle = self._there.operator.drain(
            self._target(agent), max_grace_period, mark_gone=mark_gone, message=message, initiator=initiator
        )

    def operator_mark_gone(self, agent: str) -> None:
        self._there.operator.mark_gone(self._target(agent))

    def operator_schedule(
        self, *machines: str, within: float = 0.0, lasting: float | None = None, enforce: bool = False
    ) -> None:
        when = Unavailability(start=self.sim.now + within, duration_s=lasting)
        ids = [self._there.agents[self._machine(name).name].machine_id for name in machines]
        windows = [Window(machines=ids, unavailability=when, enforce=enforce)] if ids else []
        self._there.operator.update_maintenance_schedule(windows)

    def operator_machine_down(self, *machines: str) -> None:
        self._there.operator.machine_down([self._there.agents[self._machine(name).name] for name in machines])

    def operator_machine_up(self, *machines: str) -> None:
        self._there.operator.machine_up([self._there.agents[self._machine(name).name] for name in machines])

    def operator_reclaim(self, target: str, resources: str | None = None, *, within: float) -> None:
        wanted = self._drivers.get(target) or self._target(target)
        self.handle = self._there.operator.reclaim(wanted, resources, within=within)

    def operator_release(self) -> None:
        if self.handle is None:
            raise StoryError("no reclaim was asked for; begin with: operator reclaim agent-1 cpus:1 within=60")
        self.handle.release()

    def operator_teardown(self, framework: str) -> None:
        self._there.operator.teardown(self._driver(framework))

    def _target(self, agent: str) -> Any:
        return self._there.agents[self._machine(agent).name]


def _columns(row: dict[str, Any], columns: tuple[str, ...]) -> Iterator[str]:
    """Some columns of a row of the books, or all that hold something."""
    if unknown := [name for name in columns if name not in row]:
        raise StoryError(f"there is no column {unknown[0]!r}; there are {', '.join(row)}")
    for name, value in row.items():
        if name in columns or not (columns or value in (None, "", [], {})):
            yield f"{name}={_value(value)}"


def _value(value: Any) -> str:
    match value:
        case dict():
            return "{" + " ".join(_columns(value, ())) + "}"
        case list() | tuple():
            return "[" + ", ".join(_value(each) for each in value) + "]"
    return brief(value)
