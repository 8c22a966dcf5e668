"""What an executor's process finds in its environment, spelt as Mesos spells it (http.md section 8.4)."""

from __future__ import annotations

from mesolite.actors.decisions.agent.state import AgentState, ExecutorRecord, FrameworkRecord

DURATION_UNITS = (
    ("weeks", 604_800_000_000_000),
    ("days", 86_400_000_000_000),
    ("hrs", 3_600_000_000_000),
    ("mins", 60_000_000_000),
    ("secs", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
)


def duration(seconds: float) -> str:
    """Seconds as clients parse them: in the largest unit that gives a whole number, `15mins`, `90secs` (HT-242)."""
    nanoseconds = round(seconds * 1e9)
    for unit, size in DURATION_UNITS:
        if nanoseconds and nanoseconds % size == 0:
            return f"{nanoseconds // size}{unit}"
    return f"{nanoseconds}ns"


def environment(a: AgentState, framework: FrameworkRecord, executor: ExecutorRecord) -> tuple[tuple[str, str], ...]:
    """The agent's variables for this executor, sorted by name; those of its command win over them (HT-221)."""
    agent_id = a.id or ""
    checkpoint = framework.info.checkpoint
    variables = {
        "LIBPROCESS_PORT": "0",
        "MESOS_AGENT_ID": agent_id,
        "MESOS_CHECKPOINT": "1" if checkpoint else "0",  # a digit: no client understands "false" (HT-243)
        "MESOS_DIRECTORY": executor.sandbox,
        "MESOS_EXECUTOR_ID": executor.id,
        "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD": duration(executor.shutdown_grace_s),
        "MESOS_FRAMEWORK_ID": framework.id,
        "MESOS_HTTP_COMMAND_EXECUTOR": "0",
        "MESOS_SANDBOX": executor.sandbox,
        "MESOS_SLAVE_ID": agent_id,
    }
    if executor.info is None:
        variables["MESOS_ALLOCATION_ROLE"] = framework.info.role
    if a.info.port:
        variables["MESOS_AGENT_ENDPOINT"] = f"{a.info.ip}:{a.info.port}"
        variables["MESOS_SLAVE_PID"] = f"slave(1)@{a.info.ip}:{a.info.port}"
    if checkpoint:
        variables["MESOS_RECOVERY_TIMEOUT"] = duration(a.settings.executor_recovery_timeout_s)
        variables["MESOS_SUBSCRIPTION_BACKOFF_MAX"] = duration(a.settings.executor_reregistration_timeout_s)
    return tuple(sorted(variables.items()))
