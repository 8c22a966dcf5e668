"""A work_dir in its second life: other facts, gone agents, and what is said to whoever opens it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesolite import (
    ActorEnded,
    Cluster,
    FrameworkInfo,
    MachineId,
    ReconfigurationPolicy,
    Settings,
    Unavailability,
    Window,
)
from tests.cluster.real_commands import command, run_to_the_end, until

ADDITIVE = Settings.local().but(reconfiguration_policy=ReconfigurationPolicy.ADDITIVE)
CHECKPOINTING = FrameworkInfo(name="mine", checkpoint=True, failover_timeout_s=60)


def ids(cluster: Cluster) -> dict[str, str | None]:
    return {name: agent.id for name, agent in cluster.agents.items()}


@pytest.mark.parametrize("resources", ["cpus:2;mem:4096", "cpus:8;mem:4096;gpus:1"])
def test_other_resources_are_refused_at_once(tmp_path: Path, resources: str) -> None:
    """The sentence names what was and what is, and what to do; nobody waits for a time-out."""
    with Cluster(work_dir=tmp_path, resources="cpus:4;mem:4096") as cluster:
        known = ids(cluster)

    with pytest.raises(ActorEnded) as ended, Cluster(work_dir=tmp_path, resources=resources):
        pass

    assert str(ended.value) == (
        f"the cluster cannot get ready: agent-1 has ended: agent {known['agent-1']} cannot go on: its resources were "
        f"cpus:4;mem:4096 and are {resources}; start it as it was, let it grow with Settings.reconfiguration_policy="
        "ADDITIVE, let it begin as a new agent with restart(anew=True), or give another work_dir"
    )
    with Cluster(work_dir=tmp_path, resources="mem:4096;cpus:4.0") as cluster:  # as it was
        assert ids(cluster) == known


def test_other_attributes_and_host_names_are_refused_at_once(tmp_path: Path) -> None:
    """The same of everything an agent says of itself."""
    with Cluster(agents=0, work_dir=tmp_path) as cluster:
        cluster.add_agent("a", attributes={"zone": "north"}, hostname="rack1")
        cluster.ready()
    with Cluster(agents=0, work_dir=tmp_path) as cluster:
        cluster.add_agent("a", attributes={"zone": "south"}, hostname="rack2")

        with pytest.raises(ActorEnded, match="was rack1 and is rack2; its attributes were zone:north and are zone:sou"):
            cluster.ready()


def test_what_has_grown_is_offered_where_that_is_allowed(tmp_path: Path) -> None:
    """Under the old id; and nothing may shrink."""
    with Cluster(work_dir=tmp_path, resources="cpus:2;mem:512", settings=ADDITIVE) as cluster:
        known = ids(cluster)
    for _ in range(2):
        with Cluster(work_dir=tmp_path, resources="cpus:4;mem:512", settings=ADDITIVE) as cluster:
            scheduler, _ = run_to_the_end(cluster, command("t", "exit 0"))
            assert (ids(cluster), str(scheduler.offers[0].resources)) == (known, "cpus:4;mem:512")
    with (
        pytest.raises(ActorEnded, match="were cpus:4;mem:512 and are cpus:2;mem:512; start it as it was, let it begin"),
        Cluster(work_dir=tmp_path, resources="cpus:2;mem:512", settings=ADDITIVE),
    ):
        pass


def test_an_agent_of_other_facts_may_begin_anew(tmp_path: Path) -> None:
    """As the sentence says."""
    with Cluster(work_dir=tmp_path, resources="cpus:4;mem:512") as cluster:
        known = ids(cluster)

    with Cluster(agents=0, work_dir=tmp_path) as cluster:
        agent = cluster.add_agent("agent-1", resources="cpus:2;mem:512")
        until(cluster, lambda: not agent.alive)
        agent.restart(anew=True)
        cluster.ready()
        assert agent.id not in (None, known["agent-1"])
        newer = ids(cluster)
    with Cluster(work_dir=tmp_path, resources="cpus:2;mem:512") as cluster:
        assert ids(cluster) == newer


def test_after_an_agent_was_marked_gone_its_machine_joins_as_a_new_one(tmp_path: Path) -> None:
    """In the same cluster when it is started again, until when `ready` says why not; and the folder opens again."""
    with Cluster(agents=2, work_dir=tmp_path) as cluster:
        first = ids(cluster)
        cluster.operator.mark_gone("agent-2")
        until(cluster, lambda: not cluster.agents["agent-2"].alive)
        with pytest.raises(ActorEnded, match=r"agent-2 has ended: shut down by the master: .* with restart\(\) its"):
            cluster.ready()
        cluster.agents["agent-2"].restart()
        cluster.ready()
        second = ids(cluster)
    assert second["agent-1"] == first["agent-1"]
    assert second["agent-2"] not in (None, first["agent-2"])
    with Cluster(agents=2, work_dir=tmp_path) as cluster:
        assert ids(cluster) == second
        assert list(cluster.operator.state()["gone_agents"]) == [first["agent-2"]]


@pytest.mark.parametrize("away", [False, True])
def test_a_folder_with_a_gone_agent_opens_again(tmp_path: Path, away: bool) -> None:
    """Whether the agent had heard of it or was away at that time; what it ran is not remembered."""
    with Cluster(agents=2, work_dir=tmp_path) as cluster:
        run_to_the_end(cluster, command("t", "exit 0"), framework=CHECKPOINTING)
        first = ids(cluster)
        if away:
            cluster.agents["agent-2"].crash()
        cluster.operator.mark_gone("agent-2")

    for _ in range(2):
        with Cluster(agents=2, work_dir=tmp_path) as cluster:
            assert ids(cluster)["agent-1"] == first["agent-1"]
            assert ids(cluster)["agent-2"] not in (None, first["agent-2"])
            run_to_the_end(cluster, command("t", "exit 0"), framework=CHECKPOINTING)
            agents = [agent["id"] for agent in cluster.operator.state()["agents"]]
            assert sorted(agents) == sorted(str(each) for each in ids(cluster).values())


def test_an_agent_whose_machine_is_down_says_so(tmp_path: Path) -> None:
    """In a second life as in the first."""
    with Cluster(work_dir=tmp_path) as cluster:
        machine = cluster.agents["agent-1"].machine_id
        cluster.operator.update_maintenance_schedule([_now(machine)])
        cluster.operator.machine_down([machine])

    with pytest.raises(ActorEnded, match="by the master: machine agent-1 is down for maintenance; start agents when"):
        Cluster(work_dir=tmp_path).__enter__()


def _now(machine: MachineId) -> Window:
    return Window(machines=[machine], unavailability=Unavailability(start=0.0))
