"""`mesolite up`: a cluster that speaks Mesos's v1 HTTP interface, until it is told to end."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import TYPE_CHECKING

import click

from mesolite.command_line.ending import Unusable

if TYPE_CHECKING:
    from mesolite.http import Http
    from mesolite.messages.resources import Resources

PROMISED = "127.0.0.1:5050"
"""Where Mesos's master listens unless told otherwise."""


@click.command()
@click.option("--agents", default=1, show_default=True, type=click.IntRange(min=0), help="How many agents.")
@click.option("--masters", default=1, show_default=True, type=click.IntRange(min=1), help="How many masters.")
@click.option("--http", "address", default=PROMISED, show_default=True, help="Where master-1 listens; port 0: any.")
@click.option("--resources", help="What each agent offers, as 'cpus:4;mem:4096'; by default that of a Cluster's.")
@click.option("--work-dir", type=click.Path(file_okay=False), help="Keep registry, ids and sandboxes there.")
@click.option("--credentials", type=click.Path(exists=True, dir_okay=False), help="A file of 'principal secret' lines.")
@click.option("--certificate", default="", help="Speak TLS with this certificate, in PEM; it may hold the key.")
@click.option("--key", default="", help="The certificate's key, in PEM.")
@click.option("--open-to-all", is_flag=True, help="Let whoever can reach another address than loopback do everything.")
def up(
    agents: int,
    masters: int,
    address: str,
    resources: str | None,
    work_dir: str | None,
    credentials: str | None,
    certificate: str,
    key: str,
    open_to_all: bool,
) -> None:
    """Start a cluster for schedulers of any language, and say where it listens.

    SIGUSR1 drains its agents, as it does those of Mesos. Ctrl-C or SIGTERM ends it.
    """
    from loguru import logger

    from mesolite.actors.errors import MesoliteError
    from mesolite.cluster import Cluster
    from mesolite.wiring import DEFAULT_RESOURCES

    logger.enable("mesolite")  # on standard error, as Loguru does unless told otherwise
    over = threading.Event()

    def end(signum: int, frame: FrameType | None) -> None:
        over.set()

    http = _http(address, credentials, certificate, key, open_to_all=open_to_all)
    offered = _resources(resources or DEFAULT_RESOURCES)
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, end)
    try:
        with Cluster(
            agents=agents,
            masters=masters,
            resources=offered,
            work_dir=work_dir,
            handle_signals=True,
            http=http,
        ) as cluster:
            for machine in (*cluster.masters.values(), *cluster.agents.values()):
                role = " leads" if machine is cluster.leader else ""
                click.echo(f"{machine.name}{role}  {machine.url}")
            click.echo("SIGUSR1 drains its agents, Ctrl-C ends it.")
            over.wait()
    except MesoliteError as why:
        raise Unusable(str(why)) from why


def _http(address: str, credentials: str | None, certificate: str, key: str, *, open_to_all: bool) -> Http:
    """How the cluster speaks HTTP, as its options say it.

    Raises:
        Unusable: they cannot be so; the text names them.
    """
    from mesolite.actors.errors import InvalidValue
    from mesolite.http import Http, parsed, require_principals

    if key and not certificate:
        raise Unusable(f"--key {key} is given without --certificate, so nothing would be encrypted; give both")
    try:
        parsed(address, encrypted=bool(certificate))
    except InvalidValue as why:
        raise Unusable(f"--http: {why}") from why
    known = None if credentials is None else _read(credentials)
    try:
        require_principals(known or ())
    except InvalidValue as why:
        raise Unusable(f"--credentials {credentials}: {why}") from why
    http = Http(address=address, credentials=known, certificate=certificate, key=key, open_to_all=open_to_all)
    if http.is_exposed:
        raise Unusable(
            f"--http {address} can be reached from other machines, and whoever comes may do everything; give "
            "--credentials FILE, or --open-to-all if that is meant"
        )
    return http


def _resources(text: str) -> Resources:
    """What each agent offers.

    Raises:
        Unusable: these are no resources.
    """
    from mesolite.messages.resources import ResourceError, Resources

    try:
        return Resources.of(text)
    except ResourceError as why:
        raise Unusable(f"--resources: {why}") from why


def _read(path: str) -> dict[str, str]:
    """The credentials of a file, in Mesos's own form: a principal and its secret in each line.

    Raises:
        Unusable: a line is something else.
    """
    known = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            words = line.split()
            if len(words) not in (0, 2):
                raise Unusable(f"{path}, line {number}: it must be a principal and its secret, with a blank between")
            if words:
                known[words[0]] = words[1]
    return known
