"""What the master refuses, and how it says so: TASK_ERROR for a wrong description, an error for a wrong framework.

core.md 4.9, 4.10, 3.2.
"""

from __future__ import annotations

import itertools

import attrs
import pytest

from mesolite import ExecutorInfo, Filters, FrameworkInfo, KillPolicy, SimulatedWork, Simulation, TaskInfo
from mesolite.actors.decisions.rules.validation import overlap
from mesolite.messages import (
    AgentReregistered,
    ReregisterAgent,
    RunTask,
    ShutdownAgent,
)
from mesolite.messages.checking import unchecked
from mesolite.messages.errors import InvalidValue
from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, TaskId
from mesolite.messages.infos import AgentInfo
from mesolite.messages.resources import Resources
from mesolite.messages.tasks import Task, TaskState
from tests.scenarios.schedulers import (
    AWARE,
    EXECUTORS,
    PLAIN,
    Launcher,
    Recorder,
    about,
    check_books,
    command_task,
    executor_task,
    fail_over,
    framework_of,
    lose_session,
    only,
)

AGENT_9 = AgentInfo(hostname="agent-9", resources="cpus:1")


def refused(sim: Simulation, task: TaskInfo, resources: str = "cpus:2;mem:1024") -> str:
    """Launch this task beside a good one; returns why it was refused, having seen that it was and the other was not."""
    cluster = sim.cluster(agents=1, resources=resources)
    framework = Launcher(task, command_task("good", resources="cpus:0.1;mem:32"))
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    launched = sim.expect(RunTask, receiver="agent-1")
    sim.advance(1.0)

    answer = only(framework.updates(task.task_id))
    assert (about(answer), answer.uuid) == (("ERROR", "MASTER", "TASK_INVALID"), None)
    assert framework.states("good") == ["STARTING", "RUNNING"]
    assert [message.task.task_id for message in launched.all] == ["good"]
    driver.reconcile_tasks()
    sim.settle()
    assert len(framework.updates(task.task_id)) == 1  # it never existed
    return str(answer.message)


@pytest.mark.scenario("TaskValidationTest.TaskUsesNoResources")
@pytest.mark.parametrize(
    ("resources", "says"),
    [("", "no resources"), ("cpus:2.01;mem:128", "cpus:2.01"), ("cpus:1;mem:128;gpus:1", "gpus:1")],
)
def test_a_task_must_ask_for_something_and_for_no_more_than_was_offered(
    sim: Simulation, resources: str, says: str
) -> None:
    """TASK_ERROR that names what was asked (OF-75, OF-80); its neighbour is launched all the same (OF-65)."""
    assert says in refused(sim, command_task("bad", resources=resources))


@pytest.mark.parametrize("info", [PLAIN, AWARE], ids=["plain", "partition aware"])
def test_a_launch_that_came_too_late_may_be_repeated_and_one_that_is_wrong_may_not(
    sim: Simulation, info: FrameworkInfo
) -> None:
    """With another offer it runs after DROPPED or LOST, and is an ERROR again; its framework goes on (OF-64)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    driver = cluster.run(framework, framework=info)
    sim.settle()
    late, wrong = command_task("late"), command_task("wrong", resources="cpus:100")
    used = only(framework.offers)
    driver.decline_offer(used, Filters(refuse_seconds=0))

    driver.launch_tasks(used, attrs.evolve(late, agent_id=used.agent_id))
    sim.advance(1.0)
    driver.launch_tasks(framework.offers[-1], wrong, Filters(refuse_seconds=0))
    sim.advance(1.0)
    driver.launch_tasks(framework.offers[-1], [late, wrong])
    sim.advance(1.0)

    assert framework.states("late") == ["DROPPED" if info is AWARE else "LOST", "STARTING", "RUNNING"]
    assert framework.states("wrong") == ["ERROR", "ERROR"]
    assert (framework.errors, driver.status.name) == ([], "DRIVER_RUNNING")


@pytest.mark.parametrize("gpus", ["0.5", "1.5", "0.001"])
@pytest.mark.parametrize("whose", ["task", "executor"])
def test_a_gpu_cannot_be_asked_for_in_part(sim: Simulation, gpus: str, whose: str) -> None:
    """Whether the agent has it or not; a whole one can, and is launched (OF-81)."""
    if whose == "task":
        bad = command_task("bad", resources=f"cpus:1;mem:128;gpus:{gpus}")
    else:
        executor = ExecutorInfo(executor_id=ExecutorId("e1"), name="obedient", resources=f"cpus:0.1;gpus:{gpus}")
        bad = attrs.evolve(executor_task("bad"), executor=executor)

    assert "ask for a whole number of gpus" in refused(sim, bad, "cpus:2;mem:1024;gpus:2")


@pytest.mark.parametrize("gpus", ["1", "2", "1.0"])
def test_whole_gpus_can_be_asked_for(sim: Simulation, gpus: str) -> None:
    """Also all there are (OF-81)."""
    cluster = sim.cluster(agents=1, resources="cpus:2;mem:1024;gpus:2")
    framework = Launcher(command_task("t1", resources=f"cpus:1;mem:128;gpus:{gpus}"))
    cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)

    assert framework.states("t1") == ["STARTING", "RUNNING"]


@pytest.mark.scenario("TaskValidationTest.KillPolicyGracePeriodIsNonNegative")
def test_a_kill_grace_cannot_be_negative(sim: Simulation) -> None:
    """-1 s is refused where it is made; a leader that meets it all the same ends that framework only (OF-73)."""
    with pytest.raises(InvalidValue, match="0 or more"):
        KillPolicy(grace_period_s=-1.0)

    cluster = sim.cluster(agents=1)
    bystander = Launcher(command_task("t1"))
    cluster.run(bystander, framework="bystander")
    driver = cluster.run(Launcher(command_task("bad", kill_policy=unchecked(KillPolicy)(grace_period_s=-1.0))), PLAIN)
    sim.advance(6.0)

    assert "AcceptOffers.operations[0].tasks[0].kill_policy.grace_period_s cannot be -1.0" in str(driver.error)
    assert cluster.leader is not None
    assert bystander.states("t1") == ["STARTING", "RUNNING"]


def test_a_shutdown_grace_cannot_be_negative() -> None:
    """Nor can that of an executor (OF-77)."""
    with pytest.raises(InvalidValue, match="0 or more"):
        ExecutorInfo(executor_id=ExecutorId("e1"), name="obedient", shutdown_grace_period_s=-1.0)


@pytest.mark.scenario("TaskValidationTest.TaskUsesCommandInfoAndExecutorInfo")
@pytest.mark.parametrize(
    ("task", "says"),
    [
        (attrs.evolve(executor_task("bad"), command=command_task("x").command), "both"),
        (attrs.evolve(command_task("bad"), command=None, work=None), "neither a command nor an executor; give exactly"),
        (attrs.evolve(command_task("bad"), command=None), "work= says what a command does in a simulation"),
    ],
    ids=["both", "neither", "only what is simulated"],
)
def test_a_task_has_either_a_command_or_an_executor(sim: Simulation, task: TaskInfo, says: str) -> None:
    """Exactly one of them (OF-76)."""
    assert says in refused(sim, task)


@pytest.mark.scenario("TaskValidationTest.ExecutorUsesInvalidFrameworkID")
def test_an_executor_of_another_framework_is_refused(sim: Simulation) -> None:
    """Left out, the id is filled in; somebody else's is an error, and the task is unknown afterwards (OF-69, OF-77)."""
    executor = ExecutorInfo(executor_id=ExecutorId("e1"), name="obedient", framework_id=FrameworkId("other"))
    assert "framework other" in refused(sim, attrs.evolve(executor_task("bad"), executor=executor))


@pytest.mark.scenario("ResourceValidationTest.OverlappingSetsAndRanges")
@pytest.mark.parametrize(
    ("groups", "shared"),
    [
        pytest.param([], "", id="no-group"),
        pytest.param(["ports:[1-2,5-6];zones:{a,b}"], "", id="one-group"),
        pytest.param(["ports:[1-2]", "ports:[3-4]"], "", id="adjacent-ranges"),
        pytest.param(["ports:[1-9]", "numbers:[1-9]"], "", id="other-names"),
        pytest.param(["zones:{a,b}", "zones:{c}"], "", id="other-items"),
        pytest.param(["cpus:1;mem:32", "cpus:1;mem:32"], "", id="scalars"),
        pytest.param(["ports:[1-4]", "ports:[4-9]"], "ports", id="one-number"),
        pytest.param(["ports:[1-2,20-30]", "ports:[5-9,22-23]"], "ports", id="a-range-within-another"),
        pytest.param(["zones:{a,b}", "zones:{b,c}"], "zones", id="one-item"),
        pytest.param(["ports:[1-2]", "ports:[3-4]", "ports:[2-2]"], "ports", id="the-first-and-third-ranges"),
        pytest.param(["zones:{a}", "zones:{b}", "zones:{b,c}"], "zones", id="the-second-and-third-sets"),
        pytest.param(["ports:[1-2]", "ports:[3-4]", "ports:[5-6]"], "", id="three-groups-apart"),
        pytest.param(["cpus:1;ports:[1-4]", "cpus:1;ports:[2-3]"], "ports", id="ranges-beside-scalars"),
        pytest.param(["cpus:1;zones:{a}", "mem:32;zones:{a}"], "zones", id="sets-beside-scalars"),
    ],
)
def test_two_groups_overlap_when_they_share_a_number_of_a_range_or_an_item_of_a_set(
    groups: list[str], shared: str
) -> None:
    """Whichever two of them, in whatever order; scalars never do (OF-75)."""
    for order in itertools.permutations(map(Resources.parse, groups)):
        assert overlap(order) == shared


@pytest.mark.parametrize(
    ("resources", "of_executor", "says"),
    [
        ("cpus:1;ports:[1-5]", "cpus:0.1;ports:[3-8]", "the same ports"),
        ("cpus:1;zones:{a,b}", "cpus:0.1;zones:{b}", "the same zones"),
        ("cpus:1;ports:1", "cpus:0.1;ports:[3-8]", "ports:1 and "),
        ("cpus:1;ports:[1-2]", "cpus:0.1;ports:[99-101]", "ports:[99-101]"),
        ("cpus:1.5", "cpus:0.6", "cpus:1.5 and cpus:0.6"),
    ],
    ids=["ranges", "sets", "two types", "not offered", "too much together"],
)
def test_a_task_and_its_executor_must_fit_into_the_offer_side_by_side(
    sim: Simulation, resources: str, of_executor: str, says: str
) -> None:
    """Nothing is asked for by both, and both together are there; the leader is none the worse for it (OF-75, OF-80)."""
    executor = ExecutorInfo(executor_id=ExecutorId("e1"), name="obedient", resources=Resources.of(of_executor))
    bad = attrs.evolve(executor_task("bad", resources=resources), executor=executor)
    assert says in refused(sim, bad, resources="cpus:2;mem:1024;ports:[1-100];zones:{a,b}")


def test_a_running_executor_must_be_described_with_what_it_holds(sim: Simulation) -> None:
    """Whether it was started by an earlier accept or by an earlier task of the same one (OF-78)."""
    cluster = sim.cluster(agents=1, resources="cpus:4;mem:1024")
    small, large = (
        ExecutorInfo(executor_id=ExecutorId("e1"), name="obedient", resources=Resources.of(resources))
        for resources in ("cpus:0.1;mem:32", "cpus:0.2;mem:32")
    )
    tasks = [attrs.evolve(executor_task(name, resources="cpus:0.5;mem:64"), executor=small) for name in ("t1", "t2")]
    others = [attrs.evolve(executor_task(name, resources="cpus:0.5;mem:64"), executor=large) for name in ("b1", "b2")]
    framework = Launcher(tasks[0], others[0], refuse_s=0)
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.advance(2.0)
    driver.launch_tasks(framework.offers[-1], [others[1], tasks[1]])
    sim.advance(2.0)

    assert [framework.states(name) for name in ("t1", "t2")] == [["RUNNING"]] * 2
    for name in ("b1", "b2"):
        assert framework.states(name) == ["ERROR"]
        said = framework.updates(name)[-1].message
        assert "with cpus:0.1;mem:32, not with cpus:0.2;mem:32" in said
    check_books(sim)


@pytest.mark.parametrize("task_id", ["", ".", "..", "a/b", "a\\b", "a\nb", "x" * 256])
def test_a_task_id_must_be_an_id(sim: Simulation, task_id: str) -> None:
    """Not empty, not a folder's name, no slash, no control character, at most 255 characters (OF-70)."""
    assert "id" in refused(sim, command_task(task_id))


def test_a_task_must_name_the_agent_of_its_offer(sim: Simulation) -> None:
    """Another agent's id is refused (OF-72)."""
    assert "agent elsewhere" in refused(sim, command_task("bad", agent_id="elsewhere"))


@pytest.mark.scenario("TaskValidationTest.DuplicatedTaskID")
def test_of_two_tasks_with_one_id_the_second_is_refused(sim: Simulation) -> None:
    """In one launch or in a later one; the first goes on (OF-71)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"), command_task("t1"), refuse_s=0)
    driver = cluster.run(framework, framework=PLAIN)
    launched = sim.expect(RunTask, receiver="agent-1")
    sim.advance(2.0)
    assert sorted(framework.states("t1")) == ["ERROR", "RUNNING", "STARTING"]
    driver.launch_tasks(framework.offers[-1], command_task("t1"))
    sim.settle()

    assert launched.count == 1
    assert framework.states("t1").count("ERROR") == 2
    assert [task["state"] for task in framework_of(cluster)["tasks"]] == ["TASK_RUNNING"]


def test_the_id_of_a_task_that_has_ended_may_be_used_again(sim: Simulation) -> None:
    """Once its end is acknowledged, and not before (OF-71)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", SimulatedWork(duration=1.0)), refuse_s=0)
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(5.0)
    assert framework.states("t1") == ["STARTING", "RUNNING", "FINISHED"]

    driver.launch_tasks(framework.offers[-1], command_task("t1", resources="cpus:0.1;mem:32"))
    sim.advance(5.0)

    assert framework.states("t1")[3:] == ["STARTING", "RUNNING"]


def test_the_id_of_an_unreachable_task_may_not_be_used_again(sim: Simulation) -> None:
    """It may come back (OF-71)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    cluster.agents["agent-1"].power_off()
    sim.run_until(lambda: framework.lost_agents, timeout=100.0)
    cluster.add_agent()
    sim.advance(5.0)

    driver.launch_tasks(framework.offers[-1], command_task("t1"))
    sim.settle()

    assert framework.states("t1")[-2:] == ["LOST", "ERROR"]


@pytest.mark.scenario("FrameworkInfoValidationTest.ValidateFrameworkID")
@pytest.mark.parametrize("framework_id", [None, "", "made-up-by-somebody"])
def test_a_framework_may_come_without_an_id_or_with_any_valid_one(sim: Simulation, framework_id: str | None) -> None:
    """None and empty mean a new framework; an id nobody knows is taken for a predecessor's (FW-2, FW-10, FW-16)."""
    cluster = sim.cluster(agents=0)
    framework = Recorder()
    wanted = None if framework_id is None else FrameworkId(framework_id)
    driver = cluster.run(framework, framework=FrameworkInfo(name="framework", id=wanted))
    sim.settle()

    assert framework.names == ["registered"]
    assert (driver.framework_id == framework_id) == bool(framework_id)


@pytest.mark.scenario("FrameworkInfoValidationTest.ValidateFrameworkID")
@pytest.mark.parametrize(
    "info",
    [
        FrameworkInfo(name="framework", id=FrameworkId("a/b")),
        FrameworkInfo(name="framework", role="a//b"),
        *(FrameworkInfo(name="framework", role=role) for role in ("", "/a", "a/..", "*/a", "-a", "a b", "\x7f", "\b")),
        unchecked(FrameworkInfo)(name="framework", failover_timeout_s=-1.0),
    ],
    ids=lambda info: repr((info.id, info.role, info.failover_timeout_s)),
)
def test_a_framework_that_is_not_valid_gets_an_error_and_is_never_registered(
    sim: Simulation, info: FrameworkInfo
) -> None:
    """A slash in the id, an ill-formed role, a negative time-out (FW-9, FW-10, FW-53)."""
    cluster = sim.cluster(agents=0)
    framework = Recorder()
    driver = cluster.run(framework, framework=info)
    sim.advance(10.0)

    assert framework.names == ["error"]
    assert driver.status.name == "DRIVER_ABORTED"
    assert cluster.operator.state()["frameworks"] == []


@pytest.mark.parametrize("leader_dies", [False, True], ids=["same leader", "new leader"])
def test_a_framework_may_return_in_another_role_but_not_as_another_user(sim: Simulation, *, leader_dies: bool) -> None:
    """Also to a leader that has heard of it from its agents only: registered, offered to in the new role (FW-24)."""
    cluster = sim.cluster(agents=1, masters=2)
    info = FrameworkInfo(name="framework", role="role1", user="me", failover_timeout_s=1e6)
    old, new = Launcher(command_task("t1")), Recorder()
    driver = cluster.run(old, framework=info)
    sim.advance(1.0)
    assert only(old.offers).role == "role1"
    framework_id = driver.framework_id
    driver.stop(failover=True)
    if leader_dies:
        fail_over(sim, cluster)
        sim.run_until(lambda: cluster.operator.state()["frameworks"], timeout=60.0)

    cluster.run(new, framework=attrs.evolve(info, id=framework_id, role="role2", user="you"))
    sim.advance(20.0)

    assert (new.names[0], new.errors, new.offers[-1].role) == ("registered", [], "role2")
    found = framework_of(cluster)
    assert (found["id"], found["role"], found["user"]) == (framework_id, "role2", "me")
    assert [task["task_id"] for task in found["tasks"]] == ["t1"]
    check_books(sim)


@pytest.mark.scenario("RegisterSlaveValidationTest.DropInvalidReregistration")
@pytest.mark.parametrize(
    "extra",
    [
        {"agent_id": AgentId("another")},
        {"framework_id": FrameworkId("not-named")},
        {},
    ],
    ids=["of another agent", "of a framework not named", "named twice"],
)
def test_an_inconsistent_reregistration_is_dropped(sim: Simulation, extra: dict[str, str]) -> None:
    """A task that cannot be there: no answer at all, and the books stay as they are (RC-15)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    asked = sim.hold(ReregisterAgent)
    lose_session(sim, "agent-1")
    sim.run_until(lambda: asked.count, timeout=20.0)
    genuine = asked.all[0]
    answers = sim.expect((AgentReregistered, ShutdownAgent))
    wrong: Task = attrs.evolve(genuine.tasks[0], **extra)

    sim.inject("master-1", attrs.evolve(genuine, tasks=(*genuine.tasks, wrong)), sender="agent-1")
    sim.settle()

    assert answers.count == 0
    assert [task["task_id"] for task in framework_of(cluster)["tasks"]] == ["t1"]


def test_an_agent_with_no_id_in_its_reregistration_is_dropped(sim: Simulation) -> None:
    """There is nothing it could be compared with (RC-15)."""
    cluster = sim.cluster(agents=0)
    answers = sim.expect(sender="master-1", receiver="agent-9")
    sim.run_until(lambda: cluster.leader, timeout=10.0)
    task = Task(
        task_id=TaskId("t1"),
        framework_id=FrameworkId("f"),
        agent_id=AgentId("a"),
        state=TaskState.TASK_RUNNING,
        resources=Resources.of("cpus:1"),
    )

    sim.inject("master-1", ReregisterAgent(agent=AGENT_9, tasks=(task,)), sender="agent-9")
    sim.settle()

    assert answers.count == 0
    assert cluster.operator.state()["agents"] == []
