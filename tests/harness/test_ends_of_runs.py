"""When an explored run is over: faults have stopped, and nobody has anything left to answer."""

from __future__ import annotations

from mesolite import Simulation
from mesolite.actors.trace import Done
from mesolite.harness import Faults, explore
from mesolite.harness.explore import Plan
from tests.harness import naive

SEEDS = 30


class Deaf(naive.Careful):
    """Does not answer when it is asked to leave."""

    def inverse_offers(self, driver: object, inverse_offers: object) -> None:
        pass


def states_nothing(sim: Simulation) -> None:
    """A cluster and nothing else."""
    sim.cluster(agents=1)
    sim.advance(1.0)


def asked_back(sim: Simulation) -> None:
    """Is over before anybody's patience is."""
    sim.cluster(agents=2).run(Deaf(), framework="deaf")
    sim.advance(30.0)


def test_faults_stop_where_the_body_ends_whatever_it_states() -> None:
    """Also where none has come yet: then nothing is wrong when the run goes on to its end."""
    plan = Plan(scenario=states_nothing, faults=Faults())
    for seed in range(SEEDS):
        outcome = plan.run(seed)
        assert outcome.error is None, (seed, outcome.error)
        recovered = [
            record.time for record in outcome.sim.trace
            if isinstance(record.event, Done) and record.event.verb == "recover"
        ]  # fmt: skip
        assert len(recovered) == 1
        assert all(fault.at <= recovered[0] for fault in outcome.script.faults)


def test_who_has_not_answered_is_found_however_short_the_body_is() -> None:
    """What operators wish stands until who was asked has had the time to answer, and then it is taken back."""
    found = explore(asked_back, seeds=20, faults=Faults.none().but(reclaim=2.0))
    assert found.failure is not None
    assert found.failure.identity.what == "checker inverse_offers_are_answered"
    assert "has not answered m1-O" in str(found.failure.error)
    assert "what was said about m1-O" in found.failure.story
