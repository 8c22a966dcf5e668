"""The registrar: keeps what must outlive a master, who belongs to the cluster above all (core.md EL-36 to EL-38).

In Mesos: `mesos::internal::master::RegistrarProcess` (src/master/registrar.cpp), which keeps the registry in a
replicated log. Its core is `decisions/registrar.py: RegistrarCore`.

    Hears
        master          RecoverRegistry ApplyOperation
        the runtime     Started TimerFired LinkBroken Loaded Saved StoreRefused
    Says
        master          RegistryRecovered OperationApplied RegistryRefused
        the runtime     SetTimer CancelTimer Load Save
"""

from __future__ import annotations

from mesolite.actors.actor import MesosActor
from mesolite.actors.decisions.registrar import RegistrarCore
from mesolite.actors.decisions.settings import Settings
from mesolite.actors.runtime.port import ActorContext


class Registrar(MesosActor):
    """The keeper of one master's registry, in the process of that master."""

    def __init__(self, context: ActorContext, master: str, settings: Settings) -> None:
        """Serve the master of that name only."""
        super().__init__(context, RegistrarCore(master, settings))
