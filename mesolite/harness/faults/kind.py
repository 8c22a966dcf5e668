"""What a kind of fault is, and where it is drawn from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

from attrs import frozen

from mesolite.harness.script import Arguments
from mesolite.machines import AgentMachine, MasterMachine
from mesolite.simulation.choices import draw, stream
from mesolite.simulation.simulation import SimulatedCluster, Simulation

T = TypeVar("T")


class Draws:
    """The draws of one fault: a stream of its own, so that one fault more or less changes no other."""

    def __init__(self, seed: int, *key: object) -> None:
        """Draw for that fault of that seed."""
        self._begin = stream(seed, "fault", *key)
        self._drawn = 0

    def unit(self) -> float:
        """Draw a number from 0 to 1."""
        self._drawn += 1
        return draw(self._begin, self._drawn)

    def between(self, low: float, high: float) -> float:
        """Draw a number, to the millisecond: scripts are read."""
        return round(low + (high - low) * self.unit(), 3)

    def chance(self, share: float) -> bool:
        """Draw yes or no."""
        return self.unit() < share

    def one_of(self, things: Sequence[T]) -> T:
        """Draw one of several."""
        return things[int(self.unit() * len(things))]

    def some_of(self, things: Sequence[T], count: int) -> list[T]:
        """Draw so many of several, in the order drawn."""
        left, drawn = list(things), list[T]()
        while left and len(drawn) < count:
            drawn.append(left.pop(int(self.unit() * len(left))))
        return drawn


@frozen
class Scene:
    """Where a fault happens: the simulation, its cluster, and the draws of this fault; which targets are allowed."""

    sim: Simulation
    cluster: SimulatedCluster
    draws: Draws
    targets: tuple[str, ...] = ()

    def allowed(self, names: Sequence[str]) -> list[str]:
        """Those of them that may be targets."""
        return [name for name in names if not self.targets or name in self.targets]

    def agents(self) -> list[str]:
        """The agents that are alive, as far as they may be targets."""
        return self.allowed([name for name, agent in self.cluster.agents.items() if agent.alive])

    def masters(self) -> list[str]:
        """The masters that are alive, as far as they may be targets."""
        return self.allowed([name for name, master in self.cluster.masters.items() if master.alive])

    def daemons(self) -> list[str]:
        """The agents and masters that are alive; the leader twice, as most goes through it."""
        leader = self.cluster.leader
        again = self.allowed([leader.name]) if leader is not None else []
        return self.agents() + self.masters() + again

    def schedulers(self) -> list[str]:
        """The schedulers that are alive."""
        return self.allowed([name for name, driver in self.cluster.frameworks.items() if is_alive(self.sim, name)])

    def leader(self) -> str | None:
        """The master that leads."""
        leader = self.cluster.leader
        return None if leader is None else leader.name


def is_alive(sim: Simulation, name: str) -> bool:
    """Whether there is an actor of that name."""
    return sim.runtime.directory.find(name) is not None


def machine_of(cluster: SimulatedCluster, name: str) -> AgentMachine | MasterMachine:
    """The machine with that daemon.

    Raises:
        DoesNotFit: there is none.
    """
    if name in cluster.agents:
        return cluster.agents[name]
    if name in cluster.masters:
        return cluster.masters[name]
    raise DoesNotFit(f"there is no machine {name}")


class DoesNotFit(Exception):
    """What a script wants done cannot be done: its target is not there, or not in the state it was in."""


@frozen
class Ongoing:
    """A fault that has begun.

    `end`: ends it. `had_effect`: whether it had one, once it has ended. `undo`: takes back an operator's wish, None: it
    is none. `hits`: the machines that it, or what follows from it, may end; when its time is over they are started
    again, unless another fault keeps them down. When all faults stop that is left to `recover()`: some of the dead
    never return.
    """

    end: Callable[[], object] = lambda: None
    had_effect: Callable[[], bool] = lambda: True
    undo: Callable[[], object] | None = None
    hits: tuple[str, ...] = ()


class Kind(ABC):
    """A kind of fault. It draws what it is done to, and does it with the verbs of the simulation.

    Attributes:
        name: as in `Faults` and in scripts.
        lasts: whether it lasts; if not, it is over at once.
        keeps_down: whether whom it hits stays dead until it has ended.
        waits: whether it waits for something that may be long in coming, as the next write; then it lasts long.
    """

    name: ClassVar[str]
    lasts: ClassVar[bool] = False
    keeps_down: ClassVar[bool] = False
    waits: ClassVar[bool] = False

    @abstractmethod
    def draw(self, scene: Scene) -> Arguments | None:
        """Draw whom it hits, and how; None: there is nobody it could hit now."""

    @abstractmethod
    def begin(self, sim: Simulation, cluster: SimulatedCluster, arguments: dict[str, Any]) -> Ongoing:
        """Do it.

        Raises:
            DoesNotFit: its target is not there, or not so.
        """

    @abstractmethod
    def code(self, arguments: dict[str, Any]) -> str:
        """The line of code that does it."""
