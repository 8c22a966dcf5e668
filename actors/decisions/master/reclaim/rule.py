"""Who is asked for how much, what is revoked at the deadline, and what cannot be reclaimed (docs/reclaim.md).

Pure arithmetic on scalars in thousandths. What is revoked is a *plan*: tasks and executors, chosen in a fixed order,
whose resources cover the need, and none of which can be spared.

    holders --no limits, nothing promised--> shares: who is asked for how much
    holders --each down to what it may keep, promised ones first--> plan: who goes
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen

from mesolite.actors.decisions.interval import TIME_EPSILON_S
from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, TaskId
from mesolite.messages.maintenance import Window
from mesolite.messages.resources import Resources

Amounts = Mapping[str, int]
"""Scalars in thousandths, as `Resources.scalars`."""

ExecutorPlace = tuple[AgentId, FrameworkId, ExecutorId]


@frozen(kw_only=True, eq=False)
class Holder:
    """A live task, or an executor (`task_id` None), with what it holds itself.

    A task's `executor_id` is None if it has an executor of its own. `ending`: it was told to end already.
    """

    framework_id: FrameworkId
    agent_id: AgentId
    task_id: TaskId | None = None
    executor_id: ExecutorId | None = None
    amounts: Amounts
    launched_at: float = 0.0
    ending: bool = False

    @property
    def executor(self) -> ExecutorPlace | None:
        """The executor that it is, or that it runs on, None for a task that needs none."""
        return None if self.executor_id is None else (self.agent_id, self.framework_id, self.executor_id)


@frozen(kw_only=True)
class Asked:
    """One framework at the deadline: what it holds beyond what it may keep, and the tasks it promised."""

    excess: Amounts
    returning: tuple[TaskId, ...] = ()


# --- amounts ----------------------------------------------------------------------------------------------


def shortfall(wanted: Amounts, there: Amounts) -> dict[str, int]:
    """The part of `wanted` that is not there; empty when all of it is."""
    return {name: amount - there.get(name, 0) for name, amount in wanted.items() if amount > there.get(name, 0)}


def total(parts: Iterable[Amounts]) -> dict[str, int]:
    """All of them added up."""
    total: dict[str, int] = {}
    for part in parts:
        for name, amount in part.items():
            total[name] = total.get(name, 0) + amount
    return total


def resources_of(amounts: Amounts) -> Resources:
    """These amounts as resources, exactly."""
    return Resources.parse(";".join(f"{name}:{n // 1000}.{n % 1000:03}" for name, n in amounts.items()))


# --- shares and plans -------------------------------------------------------------------------------------


def shares(holders: Sequence[Holder], missing: Amounts | None) -> dict[FrameworkId, Amounts]:
    """Who is asked for how much: its part of what would be revoked now (RV-10). `missing` None: everything."""
    tasks, executors = _in_order(holders, {}, {})
    if missing is None:
        frameworks = dict.fromkeys(holder.framework_id for holder in (*tasks, *executors))
        return {
            framework_id: total(holder.amounts for holder in holders if holder.framework_id == framework_id)
            for framework_id in frameworks
        }
    made: dict[FrameworkId, Amounts] = {}
    left = dict(missing)
    for holder in _choose(tasks, executors, missing, {}):
        part = {name: min(amount, holder.amounts.get(name, 0)) for name, amount in left.items()}
        left = shortfall(left, part)
        made[holder.framework_id] = total([made.get(holder.framework_id, {}), part])
    return {framework_id: shortfall(share, {}) for framework_id, share in made.items()}


def plan(holders: Sequence[Holder], missing: Amounts | None, asked: Mapping[FrameworkId, Asked]) -> list[Holder]:
    """What is revoked of these frameworks, in the order of the shares, if so much is missing (RV-31 to RV-35)."""
    ranks = {framework_id: rank for rank, framework_id in enumerate(asked)}
    promised = {
        (framework_id, task_id): place
        for framework_id, each in asked.items()
        for place, task_id in enumerate(each.returning)
    }
    theirs = [holder for holder in holders if holder.framework_id in asked]
    tasks, executors = _in_order(theirs, ranks, promised)
    if missing is None:
        return [*tasks, *executors]
    beyond = total(each.excess for each in asked.values())
    need = {name: min(amount, beyond.get(name, 0)) for name, amount in missing.items()}
    return _choose(tasks, executors, need, {framework_id: dict(each.excess) for framework_id, each in asked.items()})


def _in_order(
    holders: Sequence[Holder], ranks: Mapping[FrameworkId, int], promised: Mapping[tuple[FrameworkId, TaskId], int]
) -> tuple[list[Holder], list[Holder]]:
    """Tasks and executors in the order in which they are considered (RV-32); an executor is as new as its last task."""
    newest: dict[ExecutorPlace, float] = {}
    tasks: list[tuple[tuple[float, ...], Holder]] = []
    executors: list[tuple[tuple[float, ...], Holder]] = []
    for holder in holders:
        if holder.task_id is not None and holder.executor is not None:
            newest[holder.executor] = max(holder.launched_at, newest.get(holder.executor, -math.inf))
    for place, holder in enumerate(holders):
        rank = ranks.get(holder.framework_id, 0)
        if holder.task_id is None:
            assert holder.executor is not None
            executors.append(((rank, -newest.get(holder.executor, math.inf), -place), holder))
        else:
            turn = promised.get((holder.framework_id, holder.task_id), math.inf)
            tasks.append(((not holder.ending, rank, turn, -holder.launched_at, -place), holder))
    return _sorted(tasks), _sorted(executors)


def _sorted(keyed: list[tuple[tuple[float, ...], Holder]]) -> list[Holder]:
    return [holder for _, holder in sorted(keyed, key=lambda pair: pair[0])]


def _choose(
    tasks: list[Holder], executors: list[Holder], need: Amounts, room: dict[FrameworkId, dict[str, int]]
) -> list[Holder]:
    """Go through them in order until the need is covered, then spare what turned out needless (RV-33, RV-34)."""
    choice = _Choice(tasks, need, room)
    own = {executor.executor: executor for executor in executors}
    for task in tasks:
        if task.ending and choice.wants(task, limited=False):
            choice.take(task)
    empty = [executor for executor in executors if not choice.staying.get(executor.executor)]
    for executor in sorted(empty, key=lambda executor: not executor.ending):
        if choice.wants(executor, limited=not executor.ending):
            choice.take(executor)
    for task in tasks:
        if not task.ending and choice.wants(task):
            choice.take(task)
            freed = own.get(task.executor)
            if freed is not None and not choice.staying.get(task.executor) and choice.wants(freed):
                choice.take(freed)
    for executor in executors:
        if executor not in choice.chosen and choice.wants(executor):
            for task in list(choice.staying.get(executor.executor, ())):
                choice.take(task)
            choice.take(executor)
    return choice.without_needless()


class _Choice:
    """What has been chosen so far, and what is needed still.

    `room`: how far each framework is above what it may keep; a framework that is not listed has no limit. `staying`:
    the tasks of each executor that are neither chosen nor ending.
    """

    def __init__(self, tasks: list[Holder], need: Amounts, room: dict[FrameworkId, dict[str, int]]) -> None:
        self.chosen: dict[Holder, None] = {}
        self.staying: dict[ExecutorPlace | None, dict[Holder, None]] = {}
        self._left = dict(need)
        self._room = room
        for task in tasks:
            if not task.ending and task.executor is not None:
                self.staying.setdefault(task.executor, {})[task] = None

    def wants(self, holder: Holder, *, limited: bool = True) -> bool:
        """Whether it contributes to what is needed still (RV-33)."""
        room = self._room.get(holder.framework_id) if limited else None
        return any(
            amount > 0 and self._left.get(name, 0) > 0 and (room is None or room.get(name, 0) > 0)
            for name, amount in holder.amounts.items()
        )

    def take(self, holder: Holder) -> None:
        self.chosen[holder] = None
        room = self._room.get(holder.framework_id, {})
        for name, amount in holder.amounts.items():
            if name in self._left:
                self._left[name] -= amount
            if name in room:
                room[name] -= amount
        if holder.task_id is not None:
            self.staying.get(holder.executor, {}).pop(holder, None)

    def without_needless(self) -> list[Holder]:
        """Spare, from the last to the first, what the rest covers the need without; a task goes with its executor."""
        kept = {holder.executor for holder in self.chosen if holder.task_id is None}
        for holder in reversed(list(self.chosen)):
            if holder.task_id is not None and holder.executor in kept:
                continue
            if all(left + holder.amounts.get(name, 0) <= 0 for name, left in self._left.items()):
                del self.chosen[holder]
                for name in self._left:
                    self._left[name] += holder.amounts.get(name, 0)
                if holder.task_id is None:
                    kept.discard(holder.executor)
        return list(self.chosen)


# --- enforced windows -------------------------------------------------------------------------------------


def bounds(window: Window) -> list[float]:
    """When an enforced window begins, and when it ends if it does; none if it is only advice (RV-60)."""
    start, duration_s = window.unavailability.start, window.unavailability.duration_s
    if not window.enforce:
        return []
    return [start] if duration_s is None else [start, start + duration_s]


def is_within(window: Window, now: float) -> bool:
    """Whether it is enforced, has begun and not ended (RV-61); a timer may come early by a rounding error."""
    start, *end = bounds(window) or (math.inf,)
    return start <= now + TIME_EPSILON_S and not any(at <= now + TIME_EPSILON_S for at in end)


# --- refusals ---------------------------------------------------------------------------------------------


def amount_error(wanted: Resources | None, had: Resources, who: str, verb: str) -> str:
    """Can so much be reclaimed of `who`, which `verb` (has, holds) so much (RV-70)? '' if it can."""
    if wanted is None:
        return ""
    asked = f"{wanted} was to be reclaimed of {who}"
    if not wanted:
        return f"nothing was to be reclaimed of {who}; name an amount such as cpus:1, or none for everything"
    others = [name for name in wanted.names if name not in wanted.scalars]
    if others:
        return f"{asked}, but {', '.join(others)} is no amount; only scalars such as cpus and mem can be reclaimed"
    over = shortfall(wanted.scalars, had.scalars)
    if over:
        there = "; ".join(f"{name}:{had.scalar(name):g}" for name in over)
        return f"{asked}, which {verb} only {there}; ask for that at most, or none for everything"
    return ""


def time_error(within_s: object) -> str:
    """Can a deadline be so many seconds from now (RV-70)? '' if it can."""
    if isinstance(within_s, int | float) and math.isfinite(within_s) and within_s >= 0:
        return ""
    return f"resources were to be reclaimed within {within_s} s, which is no time to come; give seconds, 0 or more"
