"""Every constant once: its name with the unit, the default, the reason, and where Mesos keeps it.

`Settings.mesos()` has Mesos's own defaults and is what a `Simulation` uses; `Settings.local()` is for a `Cluster` on
one machine, where waiting a second for an allocation makes no sense. Every measured figure names its preset.
"""

from __future__ import annotations

import enum
from typing import Annotated, Any

import attrs
from attrs import frozen

from mesolite.messages.checking import Number, Seconds, SomeCount, SomeSeconds, checked

Amount = Annotated[float, Number(at_least=0)]


class ReconfigurationPolicy(enum.Enum):
    """What may have changed about an agent that starts again under its old id (core.md AG-7)."""

    EQUAL = "EQUAL"
    ADDITIVE = "ADDITIVE"


@checked
@frozen(kw_only=True)
class Settings:
    """The timings and limits of a cluster. Seconds unless the name says otherwise; what cannot be is refused."""

    # Health: 5 unanswered pings, 15 s apart, make an agent unreachable after 75 to 90 s (drain.md 1.4.2).
    agent_ping_timeout_s: SomeSeconds = 15.0
    max_agent_ping_timeouts: SomeCount = 5
    # How long a disconnected agent, or one known only from the registry, may take to come back (1.5.3, 1.7.1).
    agent_reregister_timeout_s: SomeSeconds = 600.0

    # At least so long between two agents marked unreachable, the first at once; 0: no limit (1.8). Mesos's flag
    # agent_removal_rate_limit="1/20mins" is 1200 here.
    agent_removal_interval_s: Seconds = 0.0

    # Unreachable and gone agents are forgotten when they are that old, or more than that many (1.9).
    registry_gc_interval_s: SomeSeconds = 900.0
    registry_max_agent_age_s: SomeSeconds = 1_209_600.0
    registry_max_agent_count: SomeCount = 102_400

    # A leader whose store does not answer within these does not lead any longer (core.md EL-38).
    registry_fetch_timeout_s: SomeSeconds = 60.0
    registry_store_timeout_s: SomeSeconds = 20.0

    # Agents spread their registrations: first within b, then within 2b, 4b, ... up to the cap (1.1.1, 1.1.2).
    registration_backoff_factor_s: Seconds = 1.0
    registration_backoff_max_s: SomeSeconds = 60.0
    # Drivers subscribe at once; retries wait within this, doubling up to the cap (core.md EL-57).
    subscription_backoff_factor_s: Seconds = 2.0
    subscription_backoff_max_s: SomeSeconds = 60.0

    # Election: a session ends when nothing was heard for this long (core.md EL-28).
    session_timeout_s: SomeSeconds = 10.0

    # Allocation runs at most this often for what was merely returned (core.md OF-2, OF-4).
    allocation_interval_s: SomeSeconds = 1.0
    # A grant must hold at least this many cpus, or at least this much memory in MB (core.md OF-13).
    min_allocatable_cpus: Amount = 0.01
    min_allocatable_mem: Amount = 32.0

    # An offer or inverse offer that nobody answers is rescinded after this; None: never (drain.md 5.6.6).
    offer_timeout_s: SomeSeconds | None = None

    # An unacknowledged update is sent again after this, doubling up to the cap (drain.md 0.2.13).
    status_update_retry_s: SomeSeconds = 10.0
    status_update_retry_max_s: SomeSeconds = 600.0

    # Executors: time to register, to die when asked, to come back to a restarted agent (drain.md 3.1).
    executor_registration_timeout_s: SomeSeconds = 60.0
    executor_shutdown_grace_s: SomeSeconds = 5.0
    executor_reregistration_timeout_s: SomeSeconds = 2.0
    # How often a restarted agent asks an executor that does not answer; None: once (core.md AG-11).
    executor_reregistration_retry_s: SomeSeconds | None = None
    # How long an executor of a checkpointing framework waits for its agent to return (3.1.11).
    executor_recovery_timeout_s: SomeSeconds = 900.0
    # SIGTERM to SIGKILL for a task without a policy of its own (3.2.1).
    task_kill_grace_s: Seconds = 3.0
    # After its task's last update the command executor waits this long for the acknowledgement; once it was
    # told to end, only that long (3.2.6: the limits of the HTTP based and of the driver based one).
    executor_ack_limit_s: SomeSeconds = 60.0
    executor_shutdown_ack_limit_s: SomeSeconds = 1.0
    # Room for the command executor beside the task's own grace: one second each to escalate and to report (3.1.5).
    command_executor_margin_s: Seconds = 2.0

    # History kept by a master (core.md FW-37).
    completed_frameworks_max: SomeCount = 50
    completed_tasks_max: SomeCount = 1000
    # Drains that have ended, kept in the registry for whoever asks later. Ours.
    past_drains_max: SomeCount = 100
    # The same for reclaims (docs/reclaim.md RV-45).
    past_reclaims_max: SomeCount = 100

    # An agent that is started with other resources, attributes, host name or address than it has stored: EQUAL, it
    # ends and says what has changed; ADDITIVE, it goes on if it has all it had, and more (core.md AG-7).
    reconfiguration_policy: ReconfigurationPolicy = ReconfigurationPolicy.EQUAL

    # A stream of a scheduler or an operator that is open over HTTP carries a heartbeat as often (core.md K-22).
    stream_heartbeat_s: SomeSeconds = 15.0

    # A command that writes without end is stopped by SIGXFSZ at this size of a file. Ours: Mesos has no such limit.
    max_file_size_bytes: SomeCount = 1 << 30

    @property
    def total_ping_timeout_s(self) -> float:
        """How long an agent waits for a ping before it looks for the leader again (drain.md 1.2.6)."""
        return self.agent_ping_timeout_s * self.max_agent_ping_timeouts

    @property
    def silence_noticed_s(self) -> float:
        """When at the latest somebody's silence has consequences: an agent's (drain.md 1.4.2) or a session's."""
        return max(self.total_ping_timeout_s + self.agent_ping_timeout_s, self.session_timeout_s)

    @classmethod
    def mesos(cls) -> Settings:
        """Mesos's own defaults, for a `Simulation`: silence is known after 75 to 90 s, allocation runs every second."""
        return cls()

    @classmethod
    def local(cls) -> Settings:
        """For a `Cluster` inside one process, where the network is a function call and nobody waits for politeness.

        Shorter than in Mesos: agents register and drivers subscribe within milliseconds, elector sessions last 3 s,
        allocation runs every 20 ms, executors that were told to end wait 0.1 s for an acknowledgement. Pings, graces
        and retries are Mesos's.
        """
        return cls(
            registration_backoff_factor_s=0.0025,
            registration_backoff_max_s=1.0,
            subscription_backoff_factor_s=0.05,
            subscription_backoff_max_s=1.0,
            session_timeout_s=3.0,
            allocation_interval_s=0.02,
            executor_shutdown_ack_limit_s=0.1,
        )

    def but(self, **changes: Any) -> Settings:
        """Return a copy with some values changed: `Settings.mesos().but(agent_ping_timeout_s=5)`."""
        return attrs.evolve(self, **changes)

    def changed(self) -> tuple[tuple[str, str], ...]:
        """What is not as in Mesos, by name, as text."""
        mine = ((field.name, getattr(self, field.name), field.default) for field in attrs.fields(Settings))
        return tuple((name, str(value)) for name, value, default in mine if value != default)
