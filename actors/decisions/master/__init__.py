"""The master's decisions, split by noun.

    core        who leads; the table from event to decision          state      what is known, and small shared moves
    agents      registration and re-registration                     records    what is remembered of each thing
    health      pings, broken links, silence                         removal    how agents leave
    frameworks  subscribe, fail over, leave                          offers     grants, accepts, declines
    launches    what a valid accept leads to                         tasks      updates, kills, reconciliation
    deactivation  out of the offers and back                         draining   from the order to DRAINED
    gone        agents that will never be back                       view       the books as plain data

Each function decides about one event, given all the master knows (`MasterState`).
"""

from mesolite.actors.decisions.master.core import MasterCore

__all__ = ["MasterCore"]
