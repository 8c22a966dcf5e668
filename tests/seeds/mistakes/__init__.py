"""Mistakes a decision could make, each planted on purpose, and the checkers that notice.

masters   what a leader decides        agents   what an agent does        registries   what is stored and recovered
answers   what follows at once from what is heard                         endings      timers, graces, causes of ends
drivers   what a driver says, and who is offered what                   sayings      contents and order of messages
"""

from tests.seeds.mistakes import agents, answers, drivers, endings, masters, offers, registries, sayings
from tests.seeds.mistakes.mistake import Mistake

MISTAKES = [
    *masters.MISTAKES,
    *offers.MISTAKES,
    *agents.MISTAKES,
    *endings.MISTAKES,
    *registries.MISTAKES,
    *answers.MISTAKES,
    *drivers.MISTAKES,
    *sayings.MISTAKES,
]

__all__ = ["MISTAKES", "Mistake"]
