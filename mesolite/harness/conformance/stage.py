"""What a situation has at hand: a simulation with a cluster, the scheduler on it, and who sees what it does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import define, field

from mesolite.actors.decisions.driver_calls import DriverStatus
from mesolite.actors.errors import Refused
from mesolite.drivers import MesoliteSchedulerDriver
from mesolite.harness.checkers import Violation
from mesolite.harness.checkers.schedulers import InverseOffersAreAnswered, OffersAreAnswered, UpdatesAreAcknowledged
from mesolite.harness.checkers.watching import Checkers
from mesolite.harness.conformance.jobs import Job, JobsSeen
from mesolite.harness.conformance.subject import Store, Subject
from mesolite.harness.conformance.verdict import WORST_FIRST, Finding, Kind
from mesolite.machines import AgentMachine, MasterMachine
from mesolite.simulation.simulation import SimulatedCluster, Simulation

MASTERS = 2

KIND_OF = {
    OffersAreAnswered.name: Kind.LEAKED,
    UpdatesAreAcknowledged.name: Kind.NEVER_ANSWERED,
    InverseOffersAreAnswered.name: Kind.NEVER_ANSWERED,
}
"""What a checker's violation is called here."""


@define(eq=False)
class Stage:
    """A cluster, and on it the scheduler that is tried.

    Attributes:
        sim, cluster: with their verbs.
        subject: the scheduler that is tried, and how it is run.
        store: what outlives its process.
        seen: who sees which jobs it launches.
        driver: of the scheduler's present life; None before it is run.
    """

    sim: Simulation
    cluster: SimulatedCluster
    subject: Subject
    seen: JobsSeen
    _checkers: Checkers
    store: Store = field(factory=dict)
    driver: MesoliteSchedulerDriver | None = None

    @classmethod
    def set(cls, sim: Simulation, subject: Subject, jobs: Iterable[Job] | None) -> Stage:
        """Start a cluster in that simulation, on which the scheduler is to be judged by these jobs, or learned from."""
        seen = JobsSeen(subject.job_of, jobs)
        watching = [seen, OffersAreAnswered(), UpdatesAreAcknowledged(), InverseOffersAreAnswered()]
        checkers = Checkers(sim, watching)
        cluster = sim.cluster(agents=subject.agents, masters=MASTERS, resources=subject.resources)
        return cls(sim=sim, cluster=cluster, subject=subject, seen=seen, checkers=checkers)

    # ------------------------------------------------------------------------------------------------- the scheduler

    def begin(self) -> None:
        """Run the scheduler: its first life, or the next one, with what the last has stored."""
        self.driver = self.subject.begin(self.cluster, self.store, self.driver)

    @property
    def scheduler(self) -> str:
        """The name of its actor, for the verbs of the simulation."""
        assert self.driver is not None, "it is not run yet"
        return self.driver.name

    @property
    def runs(self) -> bool:
        """Whether its driver has neither stopped nor aborted."""
        return self.driver is not None and self.driver.status is DriverStatus.DRIVER_RUNNING

    # -------------------------------------------------------------------------------------------------- the machines

    @property
    def agent(self) -> AgentMachine:
        """The machine that has most of its tasks, the first of several."""
        return max(self.cluster.agents.values(), key=lambda agent: self.seen.alive_on(agent.name))

    @property
    def leader(self) -> MasterMachine:
        """The master that leads.

        Raises:
            Refused: nobody does.
        """
        leader = self.cluster.leader
        if leader is None:
            raise Refused("nobody leads")
        return leader

    def cut(self, agent: AgentMachine) -> None:
        """Let nothing pass between an agent and all masters."""
        self.sim.partition(agent.name, list(self.cluster.masters))

    # ---------------------------------------------------------------------------------------------------- what is found

    def open_findings(self, since: float) -> Iterator[Finding]:
        """What would be wrong if nothing more happened; what is repeated has to begin after `since`."""
        yield from self.seen.missing(since)
        yield from self.seen.surplus()
        yield from _of(self._checkers.unfinished())

    def findings(self, since: float) -> tuple[Finding, ...]:
        """All that is wrong, the worst first."""
        found = list(self.seen.findings)
        found += _of(self._checkers.violations)
        found += self.open_findings(since)
        once: dict[tuple[Kind, str], Finding] = {}
        for finding in found:  # of what was seen again and again the first
            once.setdefault((finding.kind, finding.text), finding)
        return tuple(sorted(once.values(), key=lambda finding: WORST_FIRST.index(finding.kind)))


def _of(violations: Iterable[Violation]) -> Iterator[Finding]:
    """What checkers have found, as it is called here."""
    for one in violations:
        if one.checker in KIND_OF:
            yield Finding(KIND_OF[one.checker], one.text, one.time, one.about)
