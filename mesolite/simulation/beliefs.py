"""Belief against truth: what scheduler, leader and agent each believe of a task, and since when they disagree.

What they believe now is read from the actors; since when, and what made it so, from the trace (courses.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import frozen

from mesolite.actors.decisions.agent.core import AgentCore
from mesolite.actors.errors import InvalidValue
from mesolite.actors.trace import Record, Trace, rows
from mesolite.callbacks import PassedOn
from mesolite.drivers import MesoliteSchedulerDriver
from mesolite.messages.checking.misfits import shown
from mesolite.messages.ids import FrameworkId, TaskId
from mesolite.messages.tasks import TaskState
from mesolite.simulation.courses import Course, Courses, TaskCourses
from mesolite.simulation.view import TaskView, View
from mesolite.simulation.virtual import VirtualRuntime
from mesolite.wiring import Wiring

BeliefOf = Callable[[Any], Mapping[str, TaskState | str]]
"""What a scheduler believes: of each task that it knows of the state, or the name of the state."""

ALIVE, OVER, OUT_OF_REACH = "alive", "over", "out of reach"
"""What a state comes to. Who believes different states that come to the same does not disagree."""

UNHEARD = ""
"""Of a leader: it cannot know yet, so it does not disagree."""

NOT_KEPT = -1


def _comes_to(state: TaskState | None) -> str:
    if state in (TaskState.TASK_UNREACHABLE, TaskState.TASK_UNKNOWN):
        return OUT_OF_REACH
    return ALIVE if state is not None and state.holds_resources else OVER


@frozen(kw_only=True)
class Belief:
    """What one actor believes of a task.

    Attributes:
        believer: whose belief it is: a driver, a master or an agent; empty for a leader where nobody leads.
        state: None if it has nothing of that task.
        since: from when on, in virtual seconds, as far as the trace tells.
        message: what made it so, as in the trace; empty if the trace does not tell.
        index: the record of that, for `trace.why`; -1 if the trace does not tell.
        unheeded: what a scheduler was told later and does not believe; empty if there is nothing of that kind.
    """

    believer: str
    state: TaskState | None
    since: float = 0.0
    message: str = ""
    index: int = NOT_KEPT
    unheeded: str = ""

    @property
    def is_alive(self) -> bool:
        """Whether the task is alive, as far as this actor knows."""
        return _comes_to(self.state) == ALIVE

    def __str__(self) -> str:
        """Say who believes what, since when and why."""
        if not self.believer:
            return "nobody leads"
        since = f" since {self.since:.3f}" if self.message else ""
        because = [self.message] if self.message else []
        because += [f"unheeded: {self.unheeded}"] if self.unheeded else []
        reason = f" ({', '.join(because)})" if because else ""
        return f"{self.believer} {self.state or 'has nothing of it'}{since}{reason}"


@frozen(kw_only=True)
class Disagreement:
    """A task of which scheduler, leader and agent do not agree whether it is alive, over or out of reach.

    STAGING and RUNNING are no disagreement, nor are FINISHED and nothing any more.

    Attributes:
        task_id: the task.
        since: since when they disagree, in virtual seconds.
        age: for how many seconds they have by now.
        scheduler: what the scheduler believes.
        leader: what the master believes that leads.
        agent: what its agent believes; of a task that this does not have, whether it really runs.
        lost: the first message about the task that was lost since then, as in the trace; empty if none was.
    """

    task_id: TaskId
    since: float
    age: float
    scheduler: Belief
    leader: Belief
    agent: Belief
    lost: str = ""

    def __str__(self) -> str:
        """Tell it in one line."""
        lost = f"; lost: {self.lost}" if self.lost else ""
        return f"{self.task_id}, for {self.age:.3f} s: {self.scheduler}; {self.leader}; {self.agent}{lost}"


class Beliefs:
    """Compares what the actors of one simulation believe. Nothing of it is an event."""

    def __init__(self, runtime: VirtualRuntime, view: View) -> None:
        """Look at that simulation."""
        self._runtime = runtime
        self._trace: Trace = runtime.trace
        self._view = view
        self._courses = Courses(runtime.trace)

    def disagreements(
        self, cluster: Wiring, driver: MesoliteSchedulerDriver, belief: BeliefOf | None, older_than_s: float
    ) -> tuple[Disagreement, ...]:
        """What is disagreed about of that driver's framework, for longer than that, the oldest first.

        Raises:
            InvalidValue: what `belief` returns is none.
        """
        if driver.framework_id is None or not driver.still_running:
            return ()  # nobody believes anything
        self._courses.read(cluster)
        believed = self._told(driver) if belief is None else _checked(belief(user_of(driver)))
        books: dict[str, TaskView] = {task.task_id: task for task in self._view.tasks(driver)}
        held = self._held(cluster, driver.framework_id)
        leader, awaited = self._view.leader or "", [self._machine(agent_id) for agent_id in self._view.awaited]
        found = []
        for task_id in dict.fromkeys((*believed, *books, *held)):
            courses = self._courses.tasks.get((driver.framework_id, task_id)) or TaskCourses()
            agent, state = held.get(task_id, (courses.agent_name, None))
            states = believed.get(task_id), books[task_id].state if task_id in books else None, state
            # A leader that waits for an agent cannot know yet what there is on it.
            knows = leader and (task_id in books or agent not in awaited)
            standings = [_comes_to(each) for each in states]
            if not knows:
                standings[1] = UNHEARD
            if _disagree(standings):
                names = driver.name, leader, agent or "no agent"
                told = self._courses.schedulers.get((driver.name, task_id)) or Course()
                three = (told, courses.leader, courses.agent)
                found.append(self._disagreement(TaskId(task_id), names, states, standings, three, courses.lost))
        return tuple(sorted((each for each in found if each.age >= older_than_s), key=lambda each: each.since))

    # ----------------------------------------------------------------------------------------- what is believed now

    def _told(self, driver: MesoliteSchedulerDriver) -> dict[str, TaskState | None]:
        """What that driver's scheduler was told, and has launched."""
        courses = self._courses.schedulers.items()
        return {task_id: course.turns[-1].state for (name, task_id), course in courses if name == driver.name}

    def _held(self, cluster: Wiring, framework_id: FrameworkId) -> dict[str, tuple[str, TaskState | None]]:
        """By task the agent it is on, and its state there: as that agent has it, or else whether it really runs."""
        held: dict[str, tuple[str, TaskState | None]] = {
            task.task_id: (task.agent, TaskState.TASK_RUNNING)
            for task in self._view.running()
            if task.framework_id == framework_id
        }
        for name in cluster.agents:
            context = self._runtime.directory.find(name)
            core: Any = None if context is None else context.actor.core
            framework = core.state.frameworks.get(framework_id) if isinstance(core, AgentCore) else None
            for executor in framework.executors.values() if framework is not None else ():
                held |= {task_id: (name, task.state) for task_id, task in executor.tasks.items()}
        return held

    def _machine(self, agent_id: str) -> str:
        """The name of the machine of an agent, which may have had several ids."""
        return self._trace.names.of(agent_id).partition("#")[0]

    # ------------------------------------------------------------------------------------------- how it came to that

    def _disagreement(
        self,
        task_id: TaskId,
        names: tuple[str, str, str],
        states: tuple[TaskState | None, TaskState | None, TaskState | None],
        standings: list[str],
        courses: tuple[Course, Course, Course],
        lost: Iterable[Record],
    ) -> Disagreement:
        told = courses[0].turns
        heeded = not told or _comes_to(told[-1].state) == _comes_to(states[0])
        beliefs = [self._belief(*each) for each in zip(names, states, courses, strict=True)]
        if not heeded:
            beliefs[0] = self._belief(names[0], states[0], courses[0], unheeded=told[-1].record)
        nothing = (OVER, UNHEARD, OVER)  # whoever leads anew has nothing of any task until it is told
        began = _beginning([_standings(*each) for each in zip(courses, standings, nothing, strict=True)])
        since, index = (0.0, NOT_KEPT) if began is None else (began.time, began.index)
        lost_since = next((record for record in lost if record.index >= index), None)
        return Disagreement(
            task_id=task_id,
            since=since,
            age=self._runtime.now() - since,
            scheduler=beliefs[0],
            leader=beliefs[1],
            agent=beliefs[2],
            lost="" if lost_since is None else f"{self._words(lost_since)} at {lost_since.time:.3f}",
        )

    def _belief(
        self, name: str, state: TaskState | None, course: Course, *, unheeded: Record | None = None
    ) -> Belief:
        """With the newest turn that explains it; there is none of what an agent has read from its disk, for example."""
        same = [turn.record for turn in course.turns if turn.state is state]
        alike = [turn.record for turn in course.turns if _comes_to(turn.state) == _comes_to(state)]
        passed_over = "" if unheeded is None else f"{self._words(unheeded)} at {unheeded.time:.3f}"
        if not (same or alike):
            return Belief(believer=name, state=state, unheeded=passed_over)
        record = (same or alike)[-1]
        message = self._words(record)
        return Belief(
            believer=name,
            state=state,
            since=record.time,
            message=message,
            index=record.index,
            unheeded=passed_over,
        )

    def _words(self, record: Record) -> str:
        who, what = rows(record, self._trace.names)[0]
        return f"{who}: {what}" if who else what


def _standings(course: Course, now: str, nothing: str) -> list[tuple[Record, str]]:
    """What an actor's belief came to from which record on; from the last on it comes to what it does `now`."""
    known = [(turn.record, nothing if turn.state is None else _comes_to(turn.state)) for turn in course.turns]
    return [*known[:-1], (known[-1][0], now)] if known else []


def _disagree(standings: Iterable[str]) -> bool:
    return len({standing for standing in standings if standing != UNHEARD}) > 1


def _beginning(courses: list[list[tuple[Record, str]]]) -> Record | None:
    """The record from which on they disagree: before it they were of one mind. None: the trace does not tell."""
    began = None
    while any(courses):
        newest = max((course for course in courses if course), key=lambda course: course[-1][0].index)
        began = newest.pop()[0]
        if not _disagree(course[-1][1] if course else OVER for course in courses):
            break
    return began


def driver_of(cluster: Wiring | None, driver: object) -> MesoliteSchedulerDriver:
    """The driver that is meant: by itself, by its name, or by one of another interface that stands before it.

    Raises:
        InvalidValue: there is none of that kind.
    """
    known = {} if cluster is None else cluster.frameworks
    for native in reversed(known.values()):
        user = native.user()
        named = isinstance(driver, str) and driver == native.name
        if named or driver is native or (isinstance(user, PassedOn) and user.driver is driver):
            return native
    there = ", ".join(known) or "none yet"
    wanted = f"it must be one that runs here, or its name; there are {there}"
    raise InvalidValue(f"driver cannot be {shown(driver)}: {wanted}")


def user_of(driver: MesoliteSchedulerDriver) -> Any:
    """The scheduler, as its author knows it."""
    user = driver.user()
    return user.scheduler if isinstance(user, PassedOn) else user


def _checked(believed: Mapping[str, TaskState | str]) -> dict[str, TaskState | None]:
    if not isinstance(believed, Mapping):
        raise InvalidValue(f"belief returned {believed!r}: it must return a dict {{task_id: state}}")
    names = TaskState.__members__
    for task_id, state in believed.items():
        if not isinstance(state, TaskState) and state not in names:
            raise InvalidValue(f"belief returned {state!r} of {task_id!r}: it must be a TaskState or its name")
    return {str(task_id): names[str(state)] for task_id, state in believed.items()}
