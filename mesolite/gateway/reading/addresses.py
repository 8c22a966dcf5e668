"""Where masters and agents listen, and how Mesos calls them by that (docs/spec/http.md HT-347)."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from mesolite.messages.infos import AgentInfo


@frozen
class Address:
    """Where a server listens; `ip` is an IPv4 address (HT-53)."""

    hostname: str
    ip: str
    port: int
    secure: bool = False
    """Whether TLS is spoken there (HT-18)."""

    @property
    def url(self) -> str:
        """What requests to it begin with."""
        return f"{'https' if self.secure else 'http'}://{self.ip}:{self.port}"

    @property
    def master_pid(self) -> str:
        """The pid of a master that listens there; tools take its address from behind the `@`."""
        return f"master@{self.ip}:{self.port}"


Addresses = Mapping[str, Address]
"""Where each master listens, by its actor's name."""


def agent_pid(info: AgentInfo) -> str:
    """The pid of an agent."""
    return f"slave(1)@{info.ip or info.hostname}:{info.port}"
