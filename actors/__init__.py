"""Who speaks, and what they decide: the middle storey, above messages and below what people use.

`decisions` decides: pure cores and rules that turn (event, sender, now) into a list of effects.
`runtime` does: clocks, the directory, stores, work, threads. A performer stands between the two: it asks a
core, records what happened in the trace and carries the effects out. The actors of each role are small Pykka
classes around a performer.

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
