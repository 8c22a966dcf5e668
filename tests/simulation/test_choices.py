"""Draws by key, the calm order and its exceptions: what a seed chooses, and what it does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mesolite import InvalidValue, Simulation
from mesolite.messages import PingAgent
from mesolite.simulation.choices import Calm, ChannelKey, Noting, Postponed, Scripted, Seeded, draw, stream
from mesolite.simulation.messages_in_flight import MessageInFlight
from tests.simulation.workload import live_through


def test_a_draw_depends_on_its_own_key_and_number_alone() -> None:
    """The numbers are written down: they must be the same on every Python, whatever else was drawn."""
    begin = stream(7, "latency", "agent-1", 1, "master-1")

    assert begin == 0x5E8DF4C4986E29D9
    assert [draw(begin, n) for n in (1, 2)] == [0.35688908561249477, 0.13620233272131332]
    assert [draw(begin, n) for n in (3, 1, 2)] == [draw(begin, 3), draw(begin, 1), draw(begin, 2)]


def test_draws_are_spread_evenly() -> None:
    """A thousand numbers of one stream, and the first numbers of a thousand streams."""
    within = [draw(stream(1, "order", "a", 1, "b"), n) for n in range(1000)]
    across = [draw(stream(1, "order", "a", n, "b"), 0) for n in range(1000)]

    for numbers in (within, across):
        tenths = [sum(1 for number in numbers if tenth <= 10 * number < tenth + 1) for tenth in range(10)]
        assert all(70 <= count <= 130 for count in tenths), tenths


@pytest.mark.parametrize("latency", [0.0, 0.02], ids=["no latency", "latency"])
@pytest.mark.parametrize("seed", [7, pytest.param(8, marks=pytest.mark.long)])
def test_a_seed_is_its_exceptions_from_first_in_first_out(seed: int, latency: float) -> None:
    """Given back as a script they make the same run, record for record; without them it is another."""
    order, again = Noting(Seeded(seed)), Noting(Calm())
    seeded = live_through(seed, latency, order)
    script = Noting(Scripted(order.exceptions))

    assert live_through(seed, latency, script).trace.hash() == seeded.trace.hash()
    assert script.exceptions == order.exceptions
    assert live_through(seed, latency).trace.hash() == seeded.trace.hash()
    calm = live_through(seed, latency, again)
    assert again.exceptions == []
    assert bool(order.exceptions) == (calm.trace.hash() != seeded.trace.hash())
    assert order.exceptions or latency


def test_the_calm_order_is_the_one_in_which_nothing_is_postponed() -> None:
    """First in, first out: any two seeds differ in jitter and latency only."""
    calm = live_through(7, 0.0, "fifo").trace.hash()

    assert live_through(7, 0.0, Seeded(7, share=0.0)).trace.hash() == calm
    assert live_through(7, 0.0, Scripted(())).trace.hash() == calm


def test_an_exception_can_be_taken_back() -> None:
    """Each is about one message: without the first one the run is another, without the last all others are made."""
    order = Noting(Seeded(7))
    seeded = live_through(7, 0.0, order)
    first, *others = order.exceptions

    assert live_through(7, 0.0, Scripted(others)).trace.hash() != seeded.trace.hash()
    shorter = Noting(Scripted([first, *others[:-1]]))
    live_through(7, 0.0, shorter)
    assert shorter.exceptions == [first, *others[:-1]]
    assert str(first) == f"message {first.serial} from {first.channel.sender} to {first.channel.receiver} waits"


def _two_clusters_in_one(disturb: Callable[[Simulation], object]) -> list[tuple[object, ...]]:
    """What agent-1 and its task see of a busy minute in which agent-2 is disturbed; their causes aside."""
    with Simulation(seed=11, latency=(0.01, 0.05)) as sim:
        cluster = sim.cluster(agents=2, masters=1)
        sim.advance(5.0)
        disturb(sim)
        cluster.agents["agent-1"].restart()
        sim.advance(160.0)
        return [
            (record.time, record.sender, str(record.event))
            for record in sim.trace
            if record.actor == "agent-1" and record.time > 5.0
        ]


def test_a_fault_that_is_taken_out_changes_nothing_it_does_not_touch() -> None:
    """Latencies and jitter of one agent are its own: another's crash and return draw from other streams."""

    def disturb(sim: Simulation) -> None:
        assert sim.started is not None
        sim.started.agents["agent-2"].crash()
        sim.advance(0.0)
        sim.started.agents["agent-2"].restart()

    calm, disturbed = _two_clusters_in_one(lambda _: None), _two_clusters_in_one(disturb)

    assert calm == disturbed
    assert len(calm) > 15


def test_what_is_in_flight_can_be_listed() -> None:
    """From whom to whom, which on its channel, what, and when it arrives; and it can be compared."""
    sim = Simulation(seed=1, latency=(0.5, 0.5))
    sim.cluster(agents=1)
    sim.run_until(lambda: any(isinstance(each.message, PingAgent) for each in sim.in_flight), timeout=60.0)

    [ping] = [each for each in sim.in_flight if isinstance(each.message, PingAgent)]
    assert ping == MessageInFlight("master-1", "agent-1", ping.serial, PingAgent(connected=True), sim.now + 0.5)
    sim.advance(0.5)
    assert ping not in sim.in_flight


def test_what_is_due_is_in_flight_too() -> None:
    """With no latency a message is in flight from the event that sent it to the one that it is."""
    sim = Simulation(seed=1)
    sim.cluster(agents=1)
    seen: dict[MessageInFlight, None] = {}
    sim.trace.subscribe(lambda _: seen.update(dict.fromkeys(sim.in_flight)))
    sim.advance(20.0)

    kinds = {(each.sender, each.receiver, type(each.message).__name__) for each in seen}
    assert ("master-1", "elector", "DetectLeader") in kinds
    assert sim.in_flight == ()


def test_exceptions_name_their_message_whatever_life_its_sender_is_in() -> None:
    """A restarted actor opens channels of its own."""
    once = Postponed(ChannelKey("agent-1", 2, "master-1"), 3, 25)

    assert str(once) == "message 3 from agent-1 (life 2) to master-1 waits"
    order = Scripted([once])
    assert order.ranks(once.channel, 0) == bytes([0, 0, 0, 25]) + bytes(60)
    assert order.ranks(once.channel, 1) == bytes(64)
    assert order.ranks(once.channel._replace(life=1), 0) == bytes(64)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_a_seed_postpones_its_share(share: float) -> None:
    """Of many messages about so many, to a rank of which each is about as likely; and never one of them twice apart."""
    ranks = b"".join(Seeded(7, share).ranks(ChannelKey("a", 1, "b"), block) for block in range(100))

    assert sum(1 for rank in ranks if rank) / len(ranks) == pytest.approx(share, abs=0.03)
    assert Seeded(7, share).ranks(ChannelKey("a", 1, "b"), 5) == ranks[5 * 64 : 6 * 64]


def test_an_order_that_is_none_is_refused() -> None:
    """By name, with those there are."""
    with pytest.raises(InvalidValue, match=r"'lifo'.*'random', 'fifo'"):
        Simulation(order="lifo")
    with pytest.raises(InvalidValue, match="order"):
        Simulation(order=7)  # type: ignore[arg-type]
