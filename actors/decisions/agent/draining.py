"""The agent drains: all it runs is killed with grace, nothing new is taken, and the end is reported (drain.md 4.4).

DrainAgent --> config stored --> every task killed --> all ended, acknowledged, gone --> config forgotten, AgentDrained
                    |
                    +-- a restarted agent finds it and kills again (4.4.11)
"""

from __future__ import annotations

from mesolite.actors.decisions.agent import checkpoints, graces, tasks
from mesolite.actors.decisions.agent.state import (
    AgentState,
    ExecutorPhase,
    ExecutorRecord,
    FrameworkRecord,
    LastGrace,
    TaskRecord,
)
from mesolite.actors.decisions.rules.grace import drain_grace_s, drain_policy
from mesolite.messages.agent import AgentDrained, DrainAgent
from mesolite.messages.drains import DrainConfig
from mesolite.messages.tasks import Cause


def told(a: AgentState, message: DrainAgent, sender: str, now: float) -> None:
    """Kill everything, or say at once that there is nothing to kill (4.4.2 to 4.4.4).

    It is taken from the detected leader only, where Mesos does not look (4.4.1): a trust boundary. An agent that knows
    no leader yet is told again when it re-registers (4.6.1).
    """
    if not tasks.listens(a, sender) or a.id is None:
        return
    if _nothing_left(a):
        a.send(sender, AgentDrained(agent_id=a.id))
        return
    if a.drain == message.config:
        return  # said again, in case it was lost: all there is is being killed already, and nothing new was taken
    a.drain = message.config  # before the kills, so that what ends at once says why (4.4.7)
    checkpoints.drain(a)
    kill_all(a, now)


def kill_all(a: AgentState, now: float) -> None:
    """Kill every task of every framework, launched ones before queued ones (4.4.4)."""
    assert a.drain is not None, "nothing is drained"
    for framework in list(a.frameworks.values()):
        for executor in list(framework.executors.values()):
            for task in sorted(executor.live_tasks, key=lambda task: not task.delivered):
                policy = drain_policy(a.drain.max_grace_period_s, task.own_grace_s)
                tasks.end(a, framework, executor, task, Cause.DRAINED, policy, now)
                _limit(a, a.drain, framework, executor, task, now)


def _limit(
    a: AgentState,
    config: DrainConfig,
    framework: FrameworkRecord,
    executor: ExecutorRecord,
    task: TaskRecord,
    now: float,
) -> None:
    """The longest grace of a drain ends it whatever the executor does, where Mesos trusts its executor (4.4.5)."""
    longest_s = config.max_grace_period_s
    if longest_s is not None:
        grace_s = drain_grace_s(longest_s, task.own_grace_s)
        graces.give(a, framework, executor, task, LastGrace(now + grace_s, Cause.DRAINED), now)



def look(a: AgentState) -> None:
    """While it drains something may have ended: with the last of it the drain is over here (4.4.9)."""
    if _nothing_left(a):
        forget(a)
        assert a.id is not None, "an agent without an id was told to drain"
        a.send_to_leader(AgentDrained(agent_id=a.id))


def forget(a: AgentState) -> None:
    """Drain no longer: it is done, or this agent leaves for good, and its next life must not go on with it (4.6.8)."""
    if a.drain is not None:
        a.drain = None
        checkpoints.drain(a)


def _nothing_left(a: AgentState) -> bool:
    """Nothing lives and nothing is unacknowledged. Custom executors that merely idle do not count (4.4.10).

    In Mesos they do at the agent, and such an agent, reactivated, refuses every launch (4.2.5, 10.11). What an earlier
    life of this agent left behind does count; Mesos kills such containers when it recovers.
    """
    if a.orphans:
        return False
    for framework in a.frameworks.values():
        for executor in framework.executors.values():
            if executor.tasks or not _idles(executor):
                return False
    return not any(stream.updates for stream in a.streams.values())


def _idles(executor: ExecutorRecord) -> bool:
    return executor.info is not None and executor.phase is ExecutorPhase.RUNNING
