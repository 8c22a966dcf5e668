"""How a cluster speaks HTTP, as its user says it: at which address, to whom, with or without TLS (docs/clients.md)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from attrs import field, frozen

from mesolite.actors.errors import InvalidValue
from mesolite.messages.checking import Name, checked

LOOPBACK = "127.0.0.1"


@checked
@frozen(kw_only=True)
class Http:
    """How a cluster speaks HTTP: `Cluster(http=Http(...))`; `http=True` is `Http()`, and text is an address.

    Attributes:
        address: host and port of master-1; the other masters have the next ports, and then the agents. Port 0: any free
            ones. On loopback under Linux each agent has an address of its own, 127.0.1.1, 127.0.1.2 and so on, as if it
            were a machine, and all of them the same port. 0.0.0.0 listens at all addresses of this machine.
        credentials: secrets by principal, which whoever calls must give (HT-104); None asks nobody.
        certificate, key: paths in PEM; with them TLS is spoken (HT-18). One file may hold both.
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
            InvalidValue: it is no address, would be open to everybody without a word that says so, or can never be.
        """
        http = wanted if isinstance(wanted, Http) else cls(address=wanted) if isinstance(wanted, str) else cls()
        if http.is_exposed:
            raise InvalidValue(
                f"http={http.address!r} can be reached from other machines, and whoever comes may do everything; give "
                "Http(address=..., credentials={'principal': 'secret'}), or Http(address=..., open_to_all=True)"
            )
        if http.key and not http.certificate:
            raise InvalidValue(
                f"Http(key={http.key!r}) has no certificate=, so nothing would be encrypted; give both, or neither"
            )
        require_principals(http.credentials or ())
        return http

    @property
    def host_and_port(self) -> tuple[str, int]:
        """The parts of the address.

        Raises:
            InvalidValue: it has none.
        """
        return parsed(self.address, encrypted=bool(self.certificate))

    @property
    def is_exposed(self) -> bool:
        """Whether other machines reach it, and neither credentials are asked for nor a word says that this is meant.

        Raises:
            InvalidValue: it has no address.
        """
        host, _ = self.host_and_port
        return not (ipaddress.ip_address(host).is_loopback or self.credentials is not None or self.open_to_all)


def parsed(address: str, *, encrypted: bool) -> tuple[str, int]:
    """The host and the port of an address; `encrypted`: TLS is to be spoken there.

    Raises:
        InvalidValue: it has none, or cannot be listened at.
    """
    scheme, _, rest = address.rpartition("://")
    host, colon, port = rest.rpartition(":")
    host = LOOPBACK if host in ("", "localhost") else host
    if scheme == "https" and not encrypted:
        raise InvalidValue(f"{address!r} wants TLS, for which a certificate and its key are needed; give them, too")
    if ":" in host:
        raise InvalidValue(f"{address!r} is an address of IPv6, and only IPv4 is served; give such as '127.0.0.1:5050'")
    # Five digits, and no others than people write: int() would take blanks, signs, and those of all scripts.
    number = int(port) if port.isascii() and port.isdigit() and len(port) <= len("65535") else -1
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        number = -1
    if not colon or scheme not in ("", "http", "https") or not 0 <= number <= 65535:
        raise InvalidValue(f"{address!r} is no address; give '127.0.0.1:5050', or ':0' for any free port")
    return host, number


def require_principals(principals: Iterable[str]) -> None:
    """Go on only if all of these can authenticate: from its secret a principal is parted at the first colon (HT-113).

    Raises:
        InvalidValue: one of them never could.
    """
    for principal in principals:
        if not principal:
            raise InvalidValue("a principal of the credentials is empty; give it a name")
        if ":" in principal:
            raise InvalidValue(
                f"the principal {principal!r} of the credentials could never authenticate, as HTTP has a colon between "
                "the principal and its secret; give it a name without one"
            )
