"""What must hold whatever happens: checkers look at every record of a simulation, and report what does not hold.

    checker      what a checker is, and how it says what it wants to see
    watching     `Checkers`: a set of them attached to one simulation
    reading      the states of actors, to be looked at and never changed
    models       what several of them need to know: what operators decided, what is alive where
    wishes       the same: who wants which offers
    standard     all there are, by name
    the others   the checkers themselves, by what they are about

docs/checkers.md lists them, each with what switches it off.
"""

from mesolite.harness.checkers.beliefs import BeliefsAreTrue
from mesolite.harness.checkers.checker import (
    ActorRole,
    Assumption,
    Checker,
    Family,
    Violation,
    afterwards,
    does,
    hears,
    says,
)
from mesolite.harness.checkers.schedulers import NobodyStarves, NoJobLost, NoJobTwice
from mesolite.harness.checkers.standard import OPTIONAL, STANDARD
from mesolite.harness.checkers.watching import Checkers

__all__ = [
    "ActorRole", "Assumption", "BeliefsAreTrue", "Checker", "Checkers", "Family", "NoJobLost", "NoJobTwice",
    "NobodyStarves", "OPTIONAL", "STANDARD", "Violation", "afterwards", "does", "hears", "says",
]  # fmt: skip
