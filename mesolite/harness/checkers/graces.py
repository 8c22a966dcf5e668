"""Graces: what is to end has its own, no less and no more, and is told it truly.

Graces are worked out here a second time, from what was asked and from the spec (drain.md 3.1.5, 3.2.1, 4.4.5).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import define

from mesolite.actors.decisions.contract import (
    Loaded,
    PeerExited,
    SetTimer,
    SignalWork,
    SpawnExecutor,
    TimerFired,
    WorkExited,
    WorkFailedToStart,
    WorkStarted,
)
from mesolite.actors.decisions.executor.command import CommandExecutorCore, Escalation
from mesolite.actors.decisions.executor.registration import ReconnectTimeout
from mesolite.actors.decisions.rules.work_outcome import SIGKILL
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Checker, Finding, does, hears, says
from mesolite.harness.checkers.models import EARLY_S
from mesolite.messages.agent import DrainAgent, RevokeExecutor, RevokeTask
from mesolite.messages.executor import (
    RegisterExecutor,
    ReregisterExecutor,
    ShutdownExecutor,
)
from mesolite.messages.ids import FrameworkId, TaskId
from mesolite.messages.relayed import KillTask, RunTask
from mesolite.messages.tasks import KillPolicy, TaskInfo

LATE_S = 1.5
"""A signal that is later than this is late: longer than the time between two looks for what is disturbed."""

Task = tuple[str, FrameworkId, TaskId]
"""A task, and the name of the agent that it was given to."""


@define(eq=False)
class Kill:
    """A kill of a command that goes on.

    `no_sooner`, `no_later`: when SIGKILL may come, and must have come if the command has not ended.
    """

    began: float
    no_sooner: float
    no_later: float


class CommandsHaveTheirGraces(Checker):
    """A command has the grace of what asked first, and less only if that is asked (TK-48, drain.md 3.2.1 to 3.2.3)."""

    name = "commands_have_their_graces"
    statement = "A command that is killed has its grace, and no more: a second kill may shorten it only."

    def __init__(self) -> None:
        """Start with nothing killed."""
        self._kills: dict[Any, Kill] = {}
        self._over: dict[Any, None] = {}
        """Of which nobody asks any more, or whose beginning nobody saw."""
        self._shut_down: dict[Any, None] = {}
        self._started: dict[Any, float] = {}

    def catch_up(self) -> None:
        """Nobody knows what those have heard that live already."""
        self._over = {core: None for _, core in self.watch.reader.all_of(ActorRole.EXECUTOR)}

    @hears(ActorRole.EXECUTOR, WorkStarted)
    def started(self, record: Record, core: Any) -> None:
        """There is something to signal."""
        self._started[core] = record.time

    @hears(ActorRole.EXECUTOR, KillTask)
    def killed(self, record: Record, core: Any) -> None:
        """Its framework, a drain or a reclaim wants it ended (3.2.1)."""
        message = record.event
        if not _is_told(record, core) or message.task_id != core.task.task_id:
            return
        wishes = _grace_of(message.kill_policy), _grace_of(core.task.kill_policy)
        given = [grace_s for grace_s in wishes if grace_s is not None]
        self._wish(record, core, given[0] if given else core.settings.task_kill_grace_s)

    @hears(ActorRole.EXECUTOR, ShutdownExecutor)
    def told(self, record: Record, core: Any) -> None:
        """The first that shuts it down says how long it has; the margin is not the command's (3.1.7)."""
        if _is_told(record, core):
            certain = core not in self._shut_down
            self._shut_down[core] = None
            self._wish(record, core, record.event.grace_s - core.settings.command_executor_margin_s, certain=certain)

    @hears(ActorRole.EXECUTOR, PeerExited, TimerFired)
    def left(self, record: Record, core: Any) -> None:
        """It may shut itself down as its agent is away (3.1.11)."""
        event = record.event
        if type(core) is not CommandExecutorCore or core.task is None:
            return
        if type(event) is TimerFired and type(event.key) is not ReconnectTimeout:
            return
        begins = any(type(effect) is SetTimer and type(effect.key) is Escalation for effect in record.effects)
        if core in self._kills or begins:
            self._shut_down[core] = None
            grace_s = core.start.shutdown_grace_s - core.settings.command_executor_margin_s
            self._wish(record, core, grace_s, certain=core not in self._kills)

    def _wish(self, record: Record, core: Any, grace_s: float, *, certain: bool = True) -> None:
        if core in self._over:
            return
        kill = self._kills.setdefault(core, Kill(record.time, float("inf"), float("inf")))
        due = kill.began + max(0.0, grace_s)
        kill.no_sooner = min(kill.no_sooner, due)
        if certain:
            kill.no_later = min(kill.no_later, max(due, record.time))

    @does(ActorRole.EXECUTOR, SetTimer)
    def waits(self, record: Record, core: Any, effect: SetTimer) -> None:
        """It says itself when the grace is over: whatever holds it up later, that must not be too late."""
        kill = self._kills.get(core) if type(effect.key) is Escalation else None
        if kill is not None and record.time + effect.after_s > kill.no_later + EARLY_S:
            text = f"{record.actor} waits until {record.time + effect.after_s:.3f} s to kill what was told at "
            text += f"{kill.began:.3f} s and has until {kill.no_later:.3f} s"
            self.violated(text, core.task.task_id, record.actor)

    @does(ActorRole.EXECUTOR, SignalWork)
    def signalled(self, record: Record, core: Any, effect: SignalWork) -> None:
        """The grace is over."""
        kill = self._kills.get(core)
        if effect.signum != SIGKILL or kill is None:
            return
        if record.time < kill.no_sooner - EARLY_S:
            text = f"{record.actor} kills at {record.time:.3f} s what was told at {kill.began:.3f} s and has until "
            self.violated(text + f"{kill.no_sooner:.3f} s", core.task.task_id, record.actor)
        self._ends(record, core)

    @hears(ActorRole.EXECUTOR, WorkExited, WorkFailedToStart)
    def ended(self, record: Record, core: Any) -> None:
        """The command has ended."""
        self._ends(record, core)

    def _ends(self, record: Record, core: Any) -> None:
        kill = self._kills.pop(core, None)
        self._over[core] = None
        if kill is not None and self._is_late(core, kill, record.time):
            self.violated(_too_late(core, kill), core.task.task_id, record.actor)

    def _is_late(self, core: Any, kill: Kill, now: float) -> bool:
        due = max(kill.no_later, self._started.get(core, now))
        return now > due + LATE_S and self.watch.quiet_from <= due

    def overdue(self, now: float) -> Iterator[Finding]:
        """Look for commands whose grace is over."""
        for core, kill in list(self._kills.items()):
            if self.watch.reader.core(core.registration.name) is not core:
                del self._kills[core]
            elif self._is_late(core, kill, now):
                del self._kills[core]
                yield _too_late(core, kill), (core.task.task_id, core.registration.name)


def _too_late(core: Any, kill: Kill) -> str:
    text = f"{core.task.task_id} was to be killed at {kill.began:.3f} s, had until {kill.no_later:.3f} s, and "
    return text + "was not signalled then"


def _is_told(record: Record, core: Any) -> bool:
    """Whether a command executor that has its task hears its agent."""
    ours = type(core) is CommandExecutorCore and core.task is not None
    return ours and record.sender == core.registration.agent


def _grace_of(policy: KillPolicy | None) -> float | None:
    return None if policy is None else policy.grace_period_s


class GracesAreTold(Checker):
    """What an agent tells an executor of graces is what it was told (drain.md 3.1.2, 3.1.5, 4.4.5)."""

    name = "graces_are_told"
    statement = "An agent tells an executor the grace that is its own, and of a kill the one that was asked for."

    def __init__(self) -> None:
        """Start with no task."""
        self._tasks: dict[Task, list[TaskInfo]] = {}
        self._asked: dict[Task, list[float | None]] = {}
        self._refused: dict[str, None] = {}

    @hears(ActorRole.AGENT, RunTask)
    def given(self, record: Record, core: Any) -> None:
        """An agent gets a task."""
        task = record.event.task
        key = (record.actor, record.event.framework_id, task.task_id)
        self._tasks.setdefault(key, []).append(task)
        self._asked.setdefault(key, [])

    @hears(ActorRole.AGENT, KillTask, RevokeTask)
    def killed(self, record: Record, core: Any) -> None:
        """It is told to end a task, with whatever policy; who revokes says nothing."""
        message = record.event
        policy = message.kill_policy if type(message) is KillTask else None
        self._ask((record.actor, message.framework_id, message.task_id), _grace_of(policy))

    @hears(ActorRole.AGENT, RevokeExecutor)
    def revoked(self, record: Record, core: Any) -> None:
        """It is told to end an executor, with its tasks."""
        framework = core.state.frameworks.get(record.event.framework_id)
        executor = framework.executors.get(record.event.executor_id) if framework is not None else None
        for task_id in executor.tasks if executor is not None else ():
            self._ask((record.actor, record.event.framework_id, task_id), None)

    @hears(ActorRole.AGENT, DrainAgent)
    def drained(self, record: Record, core: Any) -> None:
        """It is told to end all: the longest grace limits a task's own, and stands in for it (table of 4.4.5)."""
        self._limit(record, core, record.event.config.max_grace_period_s)

    @hears(ActorRole.AGENT, Loaded)
    def recovered(self, record: Record, core: Any) -> None:
        """An agent that is back goes on with its drain (4.4.11)."""
        if core.state.drain is not None:
            self._limit(record, core, core.state.drain.max_grace_period_s)

    def _limit(self, record: Record, core: Any, longest_s: float | None) -> None:
        for framework in core.state.frameworks.values():
            for executor in framework.executors.values():
                for task_id, task in executor.tasks.items():
                    own_s = _grace_of(task.info.kill_policy)
                    within = longest_s is not None and own_s is not None and own_s <= longest_s
                    self._ask((record.actor, framework.id, task_id), None if within else longest_s)

    def _ask(self, key: Task, grace_s: float | None) -> None:
        asked = self._asked.get(key)
        if asked is not None and grace_s not in asked:
            asked.append(grace_s)

    @says(ActorRole.AGENT, KillTask)
    def kills(self, record: Record, core: Any, message: KillTask, to: str) -> None:
        """It passes a kill on."""
        asked = self._asked.get((record.actor, message.framework_id, message.task_id))
        if asked is not None and _grace_of(message.kill_policy) not in asked:
            text = f"{record.actor} kills {message.task_id} with {message.kill_policy}, of the graces asked for {asked}"
            self.violated(text, message.task_id, record.actor)

    @does(ActorRole.AGENT, SpawnExecutor)
    def spawned(self, record: Record, core: Any, effect: SpawnExecutor) -> None:
        """It starts an executor, and says how long that has to shut down (3.1.4)."""
        start, settings = effect.start, core.state.settings
        self._refused.pop(effect.name, None)
        key = (record.actor, FrameworkId(start.framework_id), TaskId(start.executor_id))
        if start.info is not None:
            own_s = start.info.shutdown_grace_period_s
            expected = [settings.executor_shutdown_grace_s if own_s is None else own_s]
        else:
            graces = [_grace_of(task.kill_policy) for task in self._tasks.get(key, ())]
            whole = [settings.task_kill_grace_s if grace_s is None else grace_s for grace_s in graces]
            expected = [grace_s + settings.command_executor_margin_s for grace_s in whole]
        if expected and start.shutdown_grace_s not in expected:
            text = f"{record.actor} gives {effect.name} {start.shutdown_grace_s:g} s to shut down, "
            self.violated(text + f"not {expected[0]:g} s", effect.name, record.actor)

    @hears(ActorRole.AGENT, RegisterExecutor, ReregisterExecutor)
    def registered(self, record: Record, core: Any) -> None:
        """Who is not taken is told to go within what the agent gives anybody (TK-51)."""
        _, executor = core.state.executor_of_pid.get(record.sender, (None, None))
        if executor is None or executor.phase.name != "RUNNING":
            self._refused[record.sender] = None

    @says(ActorRole.AGENT, ShutdownExecutor)
    def shut_down(self, record: Record, core: Any, message: ShutdownExecutor, to: str) -> None:
        """It shuts down an executor."""
        _, executor = core.state.executor_of_pid.get(to, (None, None))
        own_s = executor.info.shutdown_grace_period_s if executor is not None and executor.info is not None else None
        if own_s is not None and message.grace_s != own_s and to not in self._refused:
            text = f"{record.actor} shuts {to} down within {message.grace_s:g} s, which has {own_s:g} s"
            self.violated(text, to, record.actor)
