"""What goes wrong between actors: cuts, broken and slow connections, lost and repeated messages, ended sessions.

libprocess delivers at most once and in order per pair, and TCP loses nothing without breaking. So messages are kept
back (all of a pair, in order), or cut off with a connection that is broken afterwards; only what is said again anyway
is lost or said twice without that. What an agent and its executors say to each other stays on one machine and is left
alone.
"""

from __future__ import annotations

from typing import Any

from mesolite.harness.faults.kind import DoesNotFit, Kind, Ongoing, Scene, is_alive
from mesolite.harness.script import Arguments
from mesolite.messages.agent import (
    AgentDrained,
    AgentRegistered,
    AgentReregistered,
    DrainAgent,
    PingAgent,
    PongAgent,
    RegisterAgent,
    ReregisterAgent,
    UnregisterAgent,
)
from mesolite.messages.base import Message
from mesolite.messages.election import ELECTOR
from mesolite.messages.relayed import KillTask, StatusUpdate, StatusUpdateAcknowledgement
from mesolite.messages.scheduler import (
    AgentLost,
    InverseOffers,
    RescindInverseOffer,
    RescindOffer,
    Subscribe,
)
from mesolite.simulation.network import Verdict
from mesolite.simulation.simulation import SimulatedCluster, Simulation

TO_A_MASTER: tuple[type[Message], ...] = (
    PongAgent,
    RegisterAgent,
    ReregisterAgent,
    UnregisterAgent,
    StatusUpdate,
    StatusUpdateAcknowledgement,
    AgentDrained,
    KillTask,
    Subscribe,
)
"""What the leader hears; of all other kinds below it is who says them."""

OFTEN = 4
"""Kinds that are said in every run are drawn so many times as often as those that are said in few."""

SELDOM: tuple[type[Message], ...] = (
    UnregisterAgent, DrainAgent, AgentDrained, KillTask, RescindOffer, InverseOffers, RescindInverseOffer, AgentLost
)  # fmt: skip

LOST: dict[str, type[Message]] = {
    kind.__name__: kind
    for kind in (
        PingAgent,
        PongAgent,
        RegisterAgent,
        AgentRegistered,
        ReregisterAgent,
        AgentReregistered,
        StatusUpdate,
        StatusUpdateAcknowledgement,
        DrainAgent,
        AgentDrained,
        Subscribe,
        RescindOffer,
        InverseOffers,
        RescindInverseOffer,
        AgentLost,
    )
}
"""Said again until it is answered, or of no consequence. What a master says itself of a task it says once."""

TWICE: dict[str, type[Message]] = {
    kind.__name__: kind
    for kind in (
        PingAgent,
        PongAgent,
        RegisterAgent,
        ReregisterAgent,
        UnregisterAgent,
        StatusUpdate,
        StatusUpdateAcknowledgement,
        DrainAgent,
        AgentDrained,
        KillTask,
        Subscribe,
        RescindOffer,
        RescindInverseOffer,
    )
}
"""Said again by retries, so whoever hears it must bear it twice."""


class _OfAPair(Kind):
    """Hits the connection of a master with somebody on another machine."""

    lasts = True

    def draw(self, scene: Scene) -> Arguments | None:
        """The leader and anybody it speaks to."""
        leader = scene.leader()
        others = [*scene.agents() * 2, *scene.schedulers(), *scene.allowed([ELECTOR])]
        if leader is None or not others:
            return None
        pair = [leader, scene.draws.one_of(others)]
        if scene.draws.chance(0.5):
            pair.reverse()
        return ("one", pair[0]), ("other", pair[1]), ("both_ways", scene.draws.chance(0.5))

    @staticmethod
    def pair(sim: Simulation, arguments: dict[str, Any]) -> tuple[str, str]:
        """The two, who must be known."""
        pair: tuple[str, str] = arguments["one"], arguments["other"]
        for name in pair:
            if sim.runtime.directory.incarnation(name) == 0:
                raise DoesNotFit(f"there never was anybody named {name}")
        return pair

    def code(self, arguments: dict[str, Any]) -> str:
        """One verb of the simulation."""
        one_way = "" if arguments["both_ways"] else ", both_ways=False"
        return f"sim.{self.name}({arguments['one']!r}, {arguments['other']!r}{one_way})"


class Partition(_OfAPair):
    """Nothing passes between two actors, or only one way; at its end the connection is broken if it lost something."""

    name = "partition"

    def begin(self, sim: Simulation, cluster: SimulatedCluster, arguments: dict[str, Any]) -> Ongoing:
        """Cut them off from each other."""
        one, other = self.pair(sim, arguments)
        sim.partition(one, other, both_ways=arguments["both_ways"])
        lost = 0

        def end() -> None:
            nonlocal lost
            cuts = sim.runtime.network.cuts
            lost = cuts.get((one, other), 0) + cuts.get((other, one), 0)
            sim.heal(one, other)

        return Ongoing(end=end, had_effect=lambda: lost > 0, hits=(one, other))


class Split(Kind):
    """The cluster falls into two groups; nothing passes between them."""

    name = "split"
    lasts = True

    def draw(self, scene: Scene) -> Arguments | None:
        """Some of all actors that have machines of their own, on one side."""
        everybody = [*scene.masters(), *scene.agents(), *scene.schedulers(), *scene.allowed([ELECTOR])]
        if len(everybody) < 2:
            return None
        few = scene.draws.some_of(everybody, 1 + int(scene.draws.unit() * (len(everybody) - 1)))
        return ("one", tuple(few)), ("other", tuple(name for name in everybody if name not in few))

    def begin(self, sim: Simulation, cluster: SimulatedCluster, arguments: dict[str, Any]) -> Ongoing:
        """Cut each of one group off from each of the other."""
        known = sim.runtime.directory.incarnation
        one, other = ([name for name in arguments[side] if known(name)] for side in ("one", "other"))
        if not one or not other:
            raise DoesNotFit("nobody is left on one side")
        sim.partition(one, other)
        lost = 0

        def end() -> None:
            nonlocal lost
            lost = sum(sim.runtime.network.cuts.values())
            sim.heal(one, other)

        return Ongoing(end=end, had_effect=lambda: lost > 0, hits=(*one, *other))

    def code(self, arguments: dict[str, Any]) -> str:
        """One verb of the simulation."""
        return f"sim.partition({list(arguments['one'])!r}, {list(arguments['other'])!r})"


class BreakLink(_OfAPair):
    """A connection breaks: what is in flight on it is lost, and both ends hear of it, or only one yet."""

    name = "break_link"
    lasts = False

    def begin(self, sim: Simulation, cluster: SimulatedCluster, arguments: dict[str, Any]) -> Ongoing:
        """Break it; both must be alive."""
        one, other = self.pair(sim, arguments)
        for name in (one, other):
            if not is_alive(sim, name):
                raise DoesNotFit(f"{name} is not alive")
        sim.break_link(one, other, both_ways=arguments["both_ways"])
        return Ongoing()


class SlowLink(_OfAPair):
    """All that one actor says to another takes so much longer, in order.

    What is for a life that ends meanwhile is lost, as on a connection that breaks. A link that is slow already stays
    as it is: of two holds the later would let go what has to wait for the earlier.
    """

    name = "slow_link"

    def begin(self, sim: Simulation, cluster: SimulatedCluster, arguments: dict[str, Any]) -> Ongoing:
        """Keep back everything on the way, and let it go at the end."""
        one, other = self.pair(sim, arguments)
        lives: list[int] = []
        network, life_of = sim.runtime.network, sim.runtime.directory.incarnation
        if any(rule.verdict is Verdict.HOLD and (rule.sender, rule.receiver) == (one, other) for rule in network.rules):
            return Ongoing(had_effect=lambda: False)

        def for_this_life(event: object) -> bool:  # a rule asks `where` last, so it is asked about what is held only
            lives.append(life_of(other))
            return True

        hold = sim.hold(sender=one, receiver=other, where=for_this_life)

        def end() -> None:
            in_order = iter(lives)
            hold.release(only=lambda event: next(in_order) == life_of(other))

        return Ongoing(end=end, had_effect=lambda: hold.count > 0, hits=(one, other))

    def code(self, arguments: dict[str, Any]) -> str:
        """A hold."""
        return f"hold = sim.hold(sender={arguments['one']!r}, receiver={arguments['other']!r})"


class _OfAMessage(Kind):
    """Hits the next few messages of one kind, to the leader or from it."""

    lasts = waits = True
    kinds: dict[str, type[Message]]

    def draw(self, scene: Scene) -> Arguments | None:
        """A kind, rather one that is often said, and how many."""
        leader, draws = scene.leader(), scene.draws
        if leader is None or not scene.allowed([leader]):
            return None
        weighted = [kind for kind in self.kinds.values() for _ in range(1 if kind in SELDOM else OFTEN)]
        kind = draws.one_of(weighted)
        end = "receiver" if kind in TO_A_MASTER else "sender"
        return ("kind", kind.__name__), (end, leader), ("times", 1 + int(draws.unit() * 4))

    def begin(self, sim: Simulation, cluster: SimulatedCluster, arguments: dict[str, Any]) -> Ongoing:
        """Put the rule in force, and end it later."""
        verb = sim.drop if self.name == "drop" else sim.duplicate
        sender, receiver = arguments.get("sender"), arguments.get("receiver")
        rule = verb(self.kinds[arguments["kind"]], sender, receiver, times=arguments["times"])
        return Ongoing(end=lambda: sim.forget(rule), had_effect=lambda: rule.count > 0)

    def code(self, arguments: dict[str, Any]) -> str:
        """One verb of the simulation."""
        end = "sender" if "sender" in arguments else "receiver"
        return f"sim.{self.name}({arguments['kind']}, {end}={arguments[end]!r}, times={arguments['times']})"


class Drop(_OfAMessage):
    """Messages are lost that are said again anyway."""

    name = "drop"
    kinds = LOST


class Duplicate(_OfAMessage):
    """Messages are said twice that retries may repeat anyway."""

    name = "duplicate"
    kinds = TWICE


class ExpireSession(Kind):
    """The elector ends somebody's session: a leader is deposed and exits, a standby joins anew."""

    name = "expire_session"
    lasts = True

    def draw(self, scene: Scene) -> Arguments | None:
        """A master, the leader more often."""
        leader = scene.leader()
        names = scene.masters() + ([] if leader is None else scene.allowed([leader]))
        return (("master", scene.draws.one_of(names)),) if names else None

    def begin(self, sim: Simulation, cluster: SimulatedCluster, arguments: dict[str, Any]) -> Ongoing:
        """End it."""
        if not is_alive(sim, arguments["master"]):
            raise DoesNotFit(f"{arguments['master']} is not alive")
        sim.expire_session(arguments["master"])
        return Ongoing(hits=(arguments["master"],))

    def code(self, arguments: dict[str, Any]) -> str:
        """One verb of the simulation."""
        return f"sim.expire_session({arguments['master']!r})"
