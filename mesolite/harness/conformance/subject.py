"""The scheduler that is tried, and how it is run: ours, in pymesos's shape, or a function that makes a driver."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
from attrs import field, frozen

from mesolite.actors.errors import NothingToWaitFor
from mesolite.callbacks import Executor, Scheduler
from mesolite.compat.pymesos import MesosSchedulerDriver, on
from mesolite.drivers import MesoliteSchedulerDriver
from mesolite.harness.conformance.jobs import JobOf, named
from mesolite.harness.conformance.verdict import CannotBeTried
from mesolite.harness.naming import name_of, scenario_of
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.wiring import DEFAULT_RESOURCES, Wiring

NAME = "scheduler"
FAILOVER_S = 3600.0
"""So long its tasks wait for a successor, unless its FrameworkInfo says otherwise."""

Store = dict[str, Any]
"""What outlives a scheduler's process: a successor is given that of its predecessor."""

Make = Callable[..., Any]
"""Makes a scheduler: a class or a function, of nothing or of a `Store`."""


def framework_info(framework: str | FrameworkInfo) -> FrameworkInfo:
    """As what it is run, if only a name is said."""
    if isinstance(framework, FrameworkInfo):
        return framework
    return FrameworkInfo(name=framework, failover_timeout_s=FAILOVER_S, checkpoint=True)


@frozen(kw_only=True)
class Subject:
    """A scheduler that is tried.

    Attributes:
        make: makes one, for every life of it anew.
        job_of: says which job a task is.
        framework: as what it is run.
        executors: which class or program runs a task whose ExecutorInfo has that name.
        agents, resources: how many agents there are, and what each offers.
        implicit_acknowledgements: whether an update is acknowledged when its callback returns.
    """

    make: Make
    job_of: JobOf = named
    framework: FrameworkInfo = field(factory=lambda: framework_info(NAME), converter=framework_info)
    executors: Mapping[str, Any] = field(factory=dict)
    agents: int = 3
    resources: str = DEFAULT_RESOURCES
    implicit_acknowledgements: bool = True

    def __attrs_post_init__(self) -> None:
        """Refuse what makes no scheduler."""
        if not callable(self.make):
            raise CannotBeTried(
                f"{self.make!r} is no class of schedulers: give the class itself, or a function that makes one, as "
                "every run, and every successor of a scheduler that dies, needs one of its own"
            )
        if not callable(self.job_of):
            raise CannotBeTried(f"job_of={self.job_of!r} cannot be called: give a function, as lambda task: task.name")
        if self.agents < 2:
            raise CannotBeTried(f"agents={self.agents}: one of them is lost, so there must be two or more")
        _ = self.takes_store

    @property
    def name(self) -> str:
        """What the scheduler is called."""
        return _called(self.make)

    @property
    def takes_store(self) -> bool:
        """Whether what makes it wants a dict that outlives it.

        Raises:
            CannotBeTried: it wants more than that.
        """
        try:
            parameters = inspect.signature(self.make).parameters.values()
        except ValueError:  # a class written in C has none
            return False
        needed = [one for one in parameters if one.default is one.empty and one.kind in _GIVEN]
        by_name = [one.name for one in parameters if one.default is one.empty and one.kind is one.KEYWORD_ONLY]
        if len(needed) > 1 or by_name:
            names = ", ".join([one.name for one in needed] + by_name)
            raise CannotBeTried(
                f"{_called(self.make)} wants {names}: give a function that makes it of nothing, as "
                f"lambda: {_called(self.make)}(...), or of one dict, which its successors are given, too"
            )
        return bool(needed)

    def begin(self, cluster: Wiring, store: Store, former: MesoliteSchedulerDriver | None) -> MesoliteSchedulerDriver:
        """Run one on that cluster, as the successor of a former one if there is one; returns its driver.

        Raises:
            CannotBeTried: it cannot be made, or what was made is no scheduler.
            Exception: making a successor raises it.
        """
        info = self.framework
        if former is not None and info.failover_timeout_s > 0:
            info = attrs.evolve(info, id=former.framework_id)
        known = len(cluster.frameworks)
        with on(cluster, self.executors), self._explained(former is None):
            made = self.make(store) if self.takes_store else self.make()
            if isinstance(made, Scheduler):
                self._run(cluster, made, info)
            elif isinstance(made, MesosSchedulerDriver):
                made.start()
            elif hasattr(made, "resourceOffers") and not isinstance(made, type):
                explicit = self.implicit_acknowledgements
                MesosSchedulerDriver(made, pymesos_info(info), cluster, True, explicit).start()
            else:
                raise CannotBeTried(
                    f"{_called(self.make)} makes {type(made).__name__}, which is no scheduler: derive it from "
                    "mesolite.Scheduler or mesolite.compat.pymesos.Scheduler, or return a MesosSchedulerDriver"
                )
        if len(cluster.frameworks) == known:
            raise CannotBeTried(
                f"{_called(self.make)} has run its driver to the end or stopped it: return it, started or not"
            )
        return list(cluster.frameworks.values())[-1]

    @contextlib.contextmanager
    def _explained(self, is_first: bool) -> Iterator[None]:
        """Say of the first one what its maker did wrong; what a successor raises is a fault to be found."""
        try:
            yield
        except CannotBeTried:
            raise
        except NothingToWaitFor as why:
            raise CannotBeTried(f"{self.name} waits for its driver's end: let it return the driver instead") from why
        except Exception as why:
            if not is_first:
                raise
            given = "an empty dict, which outlives it" if self.takes_store else "nothing"
            said = f"{type(why).__name__}: {why}"
            raise CannotBeTried(f"{self.name}, given {given}, makes no scheduler that can be run: {said}") from why

    def _run(self, cluster: Wiring, scheduler: Scheduler, info: FrameworkInfo) -> None:
        executors: dict[str, type[Executor]] = dict(self.executors)
        explicit = self.implicit_acknowledgements
        cluster.run(scheduler, framework=info, executors=executors, implicit_acknowledgements=explicit)

    # ---------------------------------------------------------------------------------------------------- kept, found

    def to_plain(self) -> dict[str, Any]:
        """It as JSON has it: what can be found by name, by its name; what is as ever is left out."""
        plain: dict[str, Any] = {"scheduler": name_of(self.make)}
        if self.job_of is not named:
            plain["job_of"] = name_of(self.job_of)  # the name of any function
        if self.framework != framework_info(NAME):
            values = attrs.asdict(self.framework, recurse=False)
            plain["framework"] = values | {"capabilities": [one.name for one in self.framework.capabilities]}
        if self.executors:
            plain["executors"] = {name: name_of(program) for name, program in self.executors.items()}
        usual = Subject(make=self.make)
        for name in ("agents", "resources", "implicit_acknowledgements"):
            if getattr(self, name) != getattr(usual, name):
                plain[name] = getattr(self, name)
        return plain

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Subject:
        """Make it of what `to_plain` gave.

        Raises:
            LookupError: the scheduler, or what belongs to it, is not found by its name.
        """
        given = dict(plain)
        make: Any = scenario_of(given.pop("scheduler"))
        if "job_of" in given:
            given["job_of"] = scenario_of(given["job_of"])
        if "framework" in given:
            given["framework"] = FrameworkInfo(**given["framework"])
        if "executors" in given:
            given["executors"] = {name: scenario_of(program) for name, program in given["executors"].items()}
        return cls(make=make, **given)


_GIVEN = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def pymesos_info(info: FrameworkInfo) -> dict[str, Any]:
    """The same framework as pymesos describes it."""
    plain: dict[str, Any] = {
        "user": info.user or "nobody",
        "name": info.name,
        "role": info.role,
        "failover_timeout": info.failover_timeout_s,
        "checkpoint": info.checkpoint,
        "capabilities": [{"type": one.name} for one in info.capabilities],
    }
    if info.principal:
        plain["principal"] = info.principal
    if info.id is not None:
        plain["id"] = {"value": info.id}
    return plain


def _called(make: Make) -> str:
    return getattr(make, "__qualname__", None) or type(make).__name__
