"""The harness: find, shrink and replay any bad ordering of events.

It stands on `mesolite.simulation`, which knows nothing of it. A run is a function of (scenario, seed, script).

    explore      draw scripts, one a seed, until a check fails
    sweep        one action at every instant of a calm run
    compare      one thing changed, side by side
    faults       what goes wrong, and how often
    checkers     what must hold whatever happens, of Mesolite and of who uses it
    conformance  any scheduler in named situations, with a verdict on each
    stateful     rules of Hypothesis for what happens to a cluster; it needs hypothesis, and is not loaded from here
    schedulers   bad schedulers, and executors: bad executors, one fault each

Inside: `script` is what was done to a run, as data; `run` is one run; `shrink` makes a script smaller; `failure` is
what was found, to be replayed and kept, in a `corpus` and under a name (`naming`); `confirm` sees whether another
process agrees; `exploration` and `coverage` say what was tried.
"""

from mesolite.harness.checkers.checker import Family, Violation
from mesolite.harness.compare import Comparison, compare
from mesolite.harness.coverage import Coverage, Reached
from mesolite.harness.exploration import Exploration, NothingReached, NotLookedAt
from mesolite.harness.explore import explore
from mesolite.harness.failure import Failure, NotReplayed
from mesolite.harness.faults import Fault, Faults
from mesolite.harness.run import CheckerViolated, Identity, reached
from mesolite.harness.script import Injection, Script
from mesolite.harness.sweep import Swept, sweep
from mesolite.simulation.choices import ChannelKey, Postponed

__all__ = [
    "ChannelKey",
    "CheckerViolated",
    "Comparison",
    "Coverage",
    "Exploration",
    "Failure",
    "Family",
    "Fault",
    "Faults",
    "Identity",
    "Injection",
    "NotLookedAt",
    "NotReplayed",
    "NothingReached",
    "Postponed",
    "Reached",
    "Script",
    "Swept",
    "Violation",
    "compare",
    "explore",
    "reached",
    "sweep",
]
