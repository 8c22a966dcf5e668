"""Nouns about machines and masters: what an agent says it is, and who leads."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from mesolite.messages.ids import ActorName, AgentId, ExecutorId, FrameworkId
from mesolite.messages.resources import Resources
from mesolite.messages.tasks import ExecutorInfo


def _resources(value: Resources | str | Mapping[str, float]) -> Resources:
    return Resources.of(value)


@frozen(kw_only=True)
class AgentInfo:
    """What an agent says of itself. `id` None until a master has admitted it (core.md RC-12).

    `hostname` and `ip` say which machine it is on (drain.md 5.1.1); in process the address is optional. `port` is where
    it listens for HTTP, 0 if it does not (http.md HT-1).
    """

    hostname: str
    resources: Resources = field(converter=_resources)
    attributes: tuple[tuple[str, str], ...] = ()
    id: AgentId | None = None
    ip: str = ""
    port: int = 0


@frozen(kw_only=True)
class MasterInfo:
    """Who leads: the actor's name, and the term, the sequence number it won the election with (core.md EL-20)."""

    name: ActorName
    term: int = 0


@frozen(kw_only=True)
class ExecutorSummary:
    """An executor that an agent reports when it re-registers (core.md AG-18). `info` None: it was not said."""

    executor_id: ExecutorId
    framework_id: FrameworkId
    resources: Resources
    info: ExecutorInfo | None = None
