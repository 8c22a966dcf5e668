"""Who speaks, and what they decide: the middle storey, above messages and below what people use.

One file for each kind of actor: its Pykka class, which core it has, what it hears and says, its name in Mesos.

    master            leads the cluster, or stands by         registrar         keeps what must outlive a master
    agent             a machine, a *slave* before 1.0         elector           says who leads, as ZooKeeper would
    scheduler         a framework's scheduler and driver      executor          a user's executor and its driver
    command_executor  runs one command                        operator          speaks for whoever runs the cluster

What they have in common is `actor`: MesosActor asks a core, records what happened in the trace, performs the effects.
`decisions` decides: pure cores and rules that turn (event, sender, now) into a list of effects. `runtime` does: clocks,
the directory, stores, work, threads. `user_code` is the fence around what users have written.

Write `from mesolite.actors.decisions.contract import Send`: the link mesolite/actors leads here.
"""

# Under its bare name this would be a second copy of every class, equal in name and different to isinstance().
if __name__ != "mesolite.actors":
    raise ImportError(
        f"this package is mesolite.actors and was imported as {__name__!r}: "
        "write `from mesolite.actors import ...`"
    )

import mesolite.messages  # noqa: F401  # which refuses to run under python -O

# --- the map goes below this line ---
