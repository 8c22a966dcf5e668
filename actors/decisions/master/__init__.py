"""The master's decisions. A room for each flow, a file for each noun.

    core        the table from event to decision; who must know     state        what is known, and small shared moves
    leadership  contending, recovering, leading                     records      what is remembered of each thing
    admission   what a leader decides on at all                     timers       what timers are set for
    queries     answers to who only looks                           view, standing  the state as data, in few words
    frameworks  subscribe, fail over, leave                         tasks        updates, kills, ends
    watching    what operators' streams are told                    reconciliation  how tasks are, when a scheduler asks

    membership/  which agents belong to the cluster: one state each, in table.py
                 registration, reregistration, joining; pings, disconnection, unreachable;
                 leaving, removal, gone, pruning
    offers/      offers, allocation, acceptance with operations and launches; inverse_offers and their responses
    drain/       rule, draining, view; deactivation; decisions: what operators have decided about agents
    maintenance/ rule, schedules, machines; advice: who is asked; enforcement: windows that are not just advice
    reclaim/     rule, reclaims, view; demands: who holds what; asking; revocation

Each function decides about one event, given all the master knows (`MasterState`).
"""

from mesolite.actors.decisions.master.core import MasterCore

__all__ = ["MasterCore"]
