"""The master's decisions, split by noun.

    core        who leads; the table from event to decision          state      what is known, and small shared moves
    records     what is remembered of each thing                     view       the books as plain data
    timers      what timers are set for

    agents      new agents come: registration                        returns    known ones: re-registration
    joining     an agent is taken into the books                     health     pings, broken links, silence
    removal     how agents leave                                     pruning    who left long ago is forgotten
    frameworks  subscribe, fail over, leave                          offers     grants, accepts, declines
    launches    what a valid accept leads to                         tasks      updates, kills, reconciliation

    deactivation  out of the offers and back                         draining   from the order to DRAINED
    gone        agents that will never be back                       schedules  maintenance calls, one after another
    maintenance   which agents are on which machine, and when        inverse_offers  made, rescinded
    answers     what frameworks say to inverse offers                enforcement  windows that are not just advice

    reclaims    from the call to DONE, LEFT, RELEASED                demands    who is asked for how much
    revocation  what was not returned is taken                       reclaim_view  a reclaim as it stands, to look at

Each function decides about one event, given all the master knows (`MasterState`).
"""

from mesolite.actors.decisions.master.core import MasterCore

__all__ = ["MasterCore"]
