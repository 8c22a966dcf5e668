"""How a cluster speaks HTTP, as its user says it: at which address, to whom, with or without TLS (docs/clients.md)."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from attrs import field, frozen

from mesolite.actors.errors import InvalidValue
from mesolite.messages.checking import Name, checked

LOOPBACK = "127.0.0.1"


@checked
@frozen(kw_only=True)
class Http:
    """How a cluster speaks HTTP: `Cluster(http=Http(...))`; `http=True` is `Http()`, and text is an address.

    Attributes:
        address: host and port of master-1; the other masters and the agents have the next ports. Port 0: any free one.
        credentials: secrets by principal, which whoever calls must give (HT-104); None asks nobody.
        certificate, key: paths in PEM; with them TLS is spoken (HT-18).
        open_to_all: whoever can reach another address than loopback may do everything, without credentials.
    """

    address: Name = f"{LOOPBACK}:0"
    credentials: Mapping[str, str] | None = field(default=None, repr=False)
    certificate: str = ""
    key: str = ""
    open_to_all: bool = False

    @classmethod
    def of(cls, wanted: bool | str | Http) -> Http:
        """What is meant by `http=` of a cluster.

        Raises:
            InvalidValue: it is no address, or would be open to everybody without a word that says so.
        """
        http = wanted if isinstance(wanted, Http) else cls(address=wanted) if isinstance(wanted, str) else cls()
        host, _ = http.host_and_port
        if not ipaddress.ip_address(host).is_loopback and http.credentials is None and not http.open_to_all:
            raise InvalidValue(
                f"http={http.address!r} can be reached from other machines, and whoever comes may do everything; give "
                "Http(address=..., credentials={'principal': 'secret'}), or Http(address=..., open_to_all=True)"
            )
        return http

    @property
    def host_and_port(self) -> tuple[str, int]:
        """The parts of the address.

        Raises:
            InvalidValue: it has none.
        """
        host, colon, port = self.address.removeprefix("http://").rpartition(":")
        host = LOOPBACK if host in ("", "localhost") else host
        try:
            ipaddress.IPv4Address(host)
            number = int(port)
        except ValueError:
            number = -1
        if not colon or not 0 <= number <= 65535:
            raise InvalidValue(f"http={self.address!r} is no address; give '127.0.0.1:5050', or ':0' for any free port")
        return host, number
