"""The elector: sessions, candidates, and who leads (core.md section 2). It stands where ZooKeeper stands.

In Mesos there is no such process: masters contend, and all detect, by processes of their own that speak to an ensemble
of ZooKeeper, `ZooKeeperMasterContenderProcess` and `ZooKeeperMasterDetectorProcess` (zookeeper.cpp in
src/master/contender and src/master/detector). Here contending and detecting are rules inside of masters, agents and
schedulers, which speak to this actor. Its core is `decisions/elector.py: ElectorCore`.

    Hears
        anybody         KeepSession DetectLeader
        masters         JoinElection LeaveElection
        operator        ExpireSession
        the runtime     Started TimerFired PeerExited LinkBroken
    Says
        anybody         SessionKept SessionExpired LeaderDetected
        masters         ElectionJoined ElectionLeft
        the runtime     SetTimer CancelTimer Link
"""

from __future__ import annotations

from mesolite.actors.actor import MesosActor
from mesolite.actors.decisions.elector import ElectorCore
from mesolite.actors.decisions.settings import Settings
from mesolite.actors.runtime.port import ActorContext


class Elector(MesosActor):
    """Who leads, as ZooKeeper would tell."""

    def __init__(self, context: ActorContext, settings: Settings, first_sequence: int = 1) -> None:
        """Number candidates from `first_sequence` on: higher than any term a store has seen."""
        super().__init__(context, ElectorCore(settings, first_sequence))
