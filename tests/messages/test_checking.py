"""What people construct and pass holds what its annotation says, or is refused in that line, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from itertools import repeat
from pathlib import Path
from typing import Any

import attrs
import pytest

from mesolite.messages.checking import (
    Count,
    Duration,
    Name,
    Timeout,
    checked_arguments,
    evolve,
    in_seconds,
    misfit,
    unchecked,
)
from mesolite.messages.errors import InvalidValue, Refused
from mesolite.messages.frameworks import Capability, FrameworkInfo
from mesolite.messages.ids import FrameworkId, OfferId, TaskId
from mesolite.messages.maintenance import MachineId, Unavailability, Window
from mesolite.messages.offers import Filters, Launch
from mesolite.messages.relayed import StatusUpdateAcknowledgement
from mesolite.messages.resources import ResourceError, Resources
from mesolite.messages.scheduler import AcceptOffers
from mesolite.messages.tasks import (
    CommandInfo,
    ExecutorInfo,
    KillPolicy,
    SimulatedWork,
    TaskInfo,
    TaskState,
    TaskStatus,
)


class Word(StrEnum):
    """Text that is more than text."""

    T1 = "t1"


class Unshowable:
    """Its own text cannot be had."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")


NOW = Unavailability(start=0)

REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: TaskInfo(task_id=5), "TaskInfo.task_id cannot be 5 (int): it must be text"),
    (lambda: TaskInfo(task_id=None), "TaskInfo.task_id cannot be None"),
    (lambda: TaskInfo(task_id={"value": "t"}), "give the text itself, 't'"),
    (lambda: TaskInfo(task_id=b"t"), "task_id cannot be b't' (bytes)"),
    (lambda: TaskInfo(task_id="caf\udce9"), "that UTF-8 can carry"),
    (lambda: TaskInfo(task_id=Unshowable()), "something that cannot be shown (Unshowable)"),
    (lambda: TaskInfo(task_id="t", name=None), "TaskInfo.name cannot be None: it must be text"),
    (lambda: TaskInfo(task_id="t", command=7), "command cannot be 7 (int): it must be a CommandInfo or None"),
    (lambda: TaskInfo(task_id="t", command=CommandInfo), "give an instance, CommandInfo(...), not the class"),
    (lambda: TaskInfo(task_id="t", executor="e"), "executor cannot be 'e' (str): it must be an ExecutorInfo or None"),
    (lambda: TaskInfo(task_id="t", kill_policy=5), "kill_policy cannot be 5 (int)"),
    (lambda: TaskInfo(task_id="t", resources=5), "resources cannot be 5 (int)"),
    (lambda: TaskInfo(task_id="t", data=5), "data cannot be 5 (int): it must be text or bytes"),
    (lambda: ExecutorInfo(executor_id=7, name="e"), "ExecutorInfo.executor_id cannot be 7"),
    (lambda: CommandInfo(value=None), "CommandInfo.value cannot be None"),
    (lambda: CommandInfo(value="a", environment={"A": 1}), "environment[0][1] cannot be 1 (int)"),
    (lambda: CommandInfo(value="a", environment=["AB"]), "[0] cannot be 'AB' (str): it must be a tuple of 2"),
    (lambda: CommandInfo(value="a", shell="no"), "shell cannot be 'no' (str): it must be True or False"),
    (lambda: CommandInfo(value="a", arguments=repeat("x")), "at most 1000000 of them"),
    (lambda: KillPolicy(grace_period_s="5"), "it must be a finite duration in seconds, 0 or more or None"),
    (lambda: KillPolicy(grace_period_s=True), "cannot be True (bool)"),
    (lambda: KillPolicy(grace_period_s=-1), "cannot be -1 (int)"),
    (lambda: KillPolicy(grace_period_s=10**400), "it must be a finite duration"),
    (lambda: Filters(refuse_seconds=float("nan")), "refuse_seconds cannot be nan"),
    (lambda: SimulatedWork(exit_status=1.5), "exit_status cannot be 1.5 (float): it must be a whole number, 0 or more"),
    (lambda: TaskInfo(task_id="t", command=SimulatedWork()), "give it as work=SimulatedWork(...), beside a command"),
    (lambda: SimulatedWork(exit_status=2**80), "it must be a whole number"),
    (lambda: FrameworkInfo(name=""), "name cannot be '' (str): it must be text that is not empty"),
    (lambda: FrameworkInfo(name="f", role=None), "role cannot be None"),
    (lambda: FrameworkInfo(name="f", id=5), "id cannot be 5 (int): it must be text or None"),
    (lambda: FrameworkInfo(name="f", checkpoint="no"), "checkpoint cannot be 'no'"),
    (lambda: FrameworkInfo(name="f", failover_timeout_s="60"), "failover_timeout_s cannot be '60'"),
    (lambda: FrameworkInfo(name="f", capabilities=["PARTITION_WARE"]), "perhaps PARTITION_AWARE is meant"),
    (lambda: TaskStatus(task_id="t", state="TASK_RUNING"), "perhaps TASK_RUNNING is meant"),
    (lambda: Window(machines=["a"], unavailability=100.0), "unavailability cannot be 100.0 (float)"),
    (lambda: Window(machines=[7], unavailability=Unavailability(start=0)), "machines[0] cannot be 7 (int)"),
    (lambda: Window(machines=repeat("a"), unavailability=NOW), "each a MachineId, at most 1000000 of them"),
    (lambda: Window(machines={"hostname": "a"}, unavailability=NOW), "machines[0] cannot be {'hostname': 'a'} (dict)"),
    (lambda: Window(machines=b"a", unavailability=NOW), "machines[0] cannot be b'a' (bytes)"),
    (lambda: Unavailability(start="tomorrow"), "start cannot be 'tomorrow' (str): it must be a finite number"),
    (lambda: Launch(tasks=["t1"]), "tasks[0] cannot be 't1' (str): it must be a TaskInfo"),
]


@pytest.mark.parametrize(("make", "why"), REFUSED, ids=[why for _, why in REFUSED])
def test_what_cannot_be_is_refused_where_it_is_made(make: Callable[[], object], why: str) -> None:
    """The sentence names class and field, what came and what is wanted; it is a TypeError and a ValueError, too."""
    with pytest.raises(InvalidValue) as refused:
        make()

    assert why in str(refused.value)
    assert isinstance(refused.value, Refused)
    assert isinstance(refused.value, TypeError)
    assert isinstance(refused.value, ValueError)


def test_resources_that_are_none_say_what_would_be_some() -> None:
    """Their own text says more than their field could."""
    with pytest.raises(ResourceError, match="write for example"):
        TaskInfo(task_id="t", resources="cpus")
    assert issubclass(ResourceError, InvalidValue)


def test_what_plainly_means_the_same_is_understood() -> None:
    """Names for enums, any iterable, one for several, paths, timedeltas, whole numbers, text for commands."""
    task = TaskInfo(task_id=Word.T1, command="echo hi", resources={"cpus": 1})
    assert (task.task_id, type(task.task_id)) == ("t1", str)
    assert task.command == CommandInfo(value="echo hi")
    assert task.resources == Resources.parse("cpus:1")
    command = CommandInfo(value=Path("/bin/ls"), arguments="-l", environment={"A": Path("/x")}, shell=False)
    assert (command.value, command.arguments, command.environment) == ("/bin/ls", ("-l",), (("A", "/x"),))
    assert FrameworkInfo(name="f", capabilities="PARTITION_AWARE").capabilities == (Capability.PARTITION_AWARE,)
    both = {"TASK_KILLING_STATE", Capability.PARTITION_AWARE}
    assert FrameworkInfo(name="f", capabilities=both).capabilities == tuple(Capability)
    assert KillPolicy(grace_period_s=timedelta(minutes=1)).grace_period_s == 60.0
    assert type(KillPolicy(grace_period_s=5).grace_period_s) is float
    assert KillPolicy(grace_period_s=Fraction(1, 2)).grace_period_s == 0.5
    assert Filters(refuse_seconds=float("inf")).refuse_seconds == 365 * 86_400.0
    assert TaskStatus(task_id="t", state="TASK_LOST").state is TaskState.TASK_LOST
    window = Window(machines="agent-1", unavailability=Unavailability(start=0))
    assert window.machines == (MachineId(hostname="agent-1"),)
    assert Launch(tasks=(task for _ in range(2))).tasks == (task, task)
    assert TaskInfo(task_id="t", data=bytearray(b"x")).data == b"x"


def test_a_set_is_put_in_order() -> None:
    """The order of a set differs from process to process, and would be seen in the trace."""
    names = {f"-{number}" for number in range(50)}

    assert CommandInfo(value="a", arguments=names).arguments == tuple(sorted(names))
    machines = Window(machines=names, unavailability=Unavailability(start=0)).machines
    assert machines == tuple(MachineId(hostname=name) for name in sorted(names))


class Loud(str):
    """Text of a class of its own."""

    __slots__ = ()


def test_cores_construct_without_a_check() -> None:
    """What a core has was checked before; a receiver finds what was not, wherever it is nested."""
    wrong = unchecked(TaskInfo)(task_id=TaskId("t"), kill_policy=unchecked(KillPolicy)(grace_period_s=-1.0))
    message = AcceptOffers(
        framework_id=FrameworkId("f"), offer_ids=(OfferId("o"),), operations=(unchecked(Launch)(tasks=(wrong,)),)
    )

    assert misfit(message).startswith("AcceptOffers.operations[0].tasks[0].kill_policy.grace_period_s cannot be -1.0")
    assert misfit(evolve(wrong, kill_policy=None)) == ""
    assert misfit(unchecked(TaskStatus)(task_id=5, state=TaskState.TASK_LOST)) != ""


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("state", "TASK_LOST", "cannot be 'TASK_LOST' (str): it must be a TaskState; what it stands for is <Task"),
        ("cause", "GONE", "cannot be 'GONE' (str): it must be a Cause or None; what it stands for is <Cause.GONE"),
        ("task_id", Loud("t"), "cannot be 't' (Loud): it must be text; what it stands for is 't' (str)"),
    ],
)
def test_what_only_stands_for_a_value_is_none_once_it_is_in_a_message(field: str, value: Any, why: str) -> None:
    """Whoever constructs gets it converted; whoever receives would have to go on with it as it is."""
    whole: dict[str, Any] = {"task_id": TaskId("t"), "state": TaskState.TASK_LOST}
    assert misfit(TaskStatus(**whole | {field: value})) == ""

    assert f"TaskStatus.{field} {why}" in misfit(unchecked(TaskStatus)(**whole | {field: value}))


def test_lists_and_numbers_in_a_message() -> None:
    """A list is no tuple, while a whole number does where any number is wanted."""
    command: Any = unchecked(CommandInfo)(value="x", arguments=["a"])  # type: ignore[arg-type]
    assert misfit(command).endswith("it must be a list, each text or a path; what it stands for is ('a',) (tuple)")
    assert misfit(unchecked(KillPolicy)(grace_period_s=5)) == ""
    assert misfit(unchecked(KillPolicy)(grace_period_s=True)) != ""


WRONG = [5, None, b"t", ["t"], ("t",), {"t": "t"}, "caf\udce9", Unshowable(), TaskState.TASK_LOST]


@pytest.mark.parametrize("wrong", WRONG, ids=[type(wrong).__name__ for wrong in WRONG])
@pytest.mark.parametrize("name", [field.name for field in attrs.fields(StatusUpdateAcknowledgement)])
def test_one_wrong_id_is_found_among_right_ones(name: str, wrong: object) -> None:
    """Whichever it is, and whatever it looks like when all of them are looked at together."""
    right = {"framework_id": "f", "agent_id": "a", "task_id": "t", "uuid": "u"}
    assert misfit(StatusUpdateAcknowledgement(**right)) == ""
    assert misfit(StatusUpdateAcknowledgement(**right | {name: ""})) == ""
    assert misfit(StatusUpdateAcknowledgement(**right | {name: "caf\u00e9"})) == ""

    assert misfit(StatusUpdateAcknowledgement(**right | {name: wrong})).startswith(
        f"StatusUpdateAcknowledgement.{name} cannot be "
    )


@pytest.mark.parametrize("name", ["task_id", "name", "agent_id", "data"])
def test_text_of_a_class_of_its_own_is_made_plain(name: str) -> None:
    """What is under way must not be more than text, in a field that is one, may be None, or may be bytes."""
    task = TaskInfo(**{"task_id": "t", name: Word.T1})

    assert (getattr(task, name), type(getattr(task, name))) == ("t1", str)


@pytest.mark.parametrize("number", [0, 0.0, 1, 1.5, 1e300, None])
def test_numbers_at_the_edge_of_what_is_meant(number: float | None) -> None:
    """Zero is a duration, and so is one that nobody will see the end of."""
    policy = KillPolicy(grace_period_s=number)

    assert policy.grace_period_s == number
    assert type(policy.grace_period_s) is (float if number is not None else type(None))


class Verbs:
    """Has one verb of each kind."""

    @checked_arguments
    def wait(self, timeout: Timeout | None = None) -> float | None:
        return None if timeout is None else in_seconds(timeout)

    @checked_arguments
    def rest(self, seconds: Duration) -> float:
        return in_seconds(seconds)

    @checked_arguments
    def call(self, function: Callable[[], object], name: Name, *, times: Count = 1) -> tuple[object, str, int]:
        return function(), name, times

    @checked_arguments
    def name(self, first: Name, *others: Name, times: Count = 1) -> tuple[object, ...]:
        return first, others, times

    @checked_arguments
    def take(
        self, kinds: type[Exception] | Iterable[type[Exception]], named: Mapping[str, int] | None = None
    ) -> object:
        return kinds, named


def test_each_of_any_number_of_arguments_is_read() -> None:
    """As the annotation of all of them says."""
    assert Verbs().name("a", "b", "c", times=2) == ("a", ("b", "c"), 2)

    with pytest.raises(InvalidValue, match=r"Verbs\.name: others cannot be 5 \(int\): it must be text"):
        Verbs().name("a", "b", 5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="positional argument"):
        Verbs().wait(1, 2)  # type: ignore[call-arg]


def test_arguments_are_read_as_their_annotations_say() -> None:
    """By position or by name, defaults untouched; infinity is a time-out and no duration."""
    verbs = Verbs()

    assert verbs.wait() is None
    assert verbs.wait(timeout=float("inf")) == float("inf")
    assert verbs.rest(timedelta(seconds=2)) == 2.0
    assert verbs.call(lambda: 3, "n", times=2) == (3, "n", 2)
    assert verbs.take([KeyError], {"a": 1}) == ((KeyError,), {"a": 1})
    assert verbs.take(KeyError) == (KeyError, None)


@pytest.mark.parametrize(
    ("say", "why"),
    [
        (lambda verbs: verbs.rest(float("inf")), "Verbs.rest: seconds cannot be inf"),
        (lambda verbs: verbs.rest(seconds="1"), "Verbs.rest: seconds cannot be '1' (str)"),
        (lambda verbs: verbs.wait(-1), "Verbs.wait: timeout cannot be -1"),
        (lambda verbs: verbs.call(5, "n"), "function cannot be 5 (int): it must be a function"),
        (lambda verbs: verbs.call(print, ""), "name cannot be ''"),
        (lambda verbs: verbs.call(print, "n", times=-1), "times cannot be -1"),
        (lambda verbs: verbs.take("KeyError"), "kinds cannot be 'KeyError' (str)"),
        (lambda verbs: verbs.take(KeyError("k")), "give the class itself, KeyError"),
        (lambda verbs: verbs.take([KeyError, 5]), "kinds[1] cannot be 5"),
        (lambda verbs: verbs.take(KeyError, {"a": "1"}), "named['a' (str)] cannot be '1'"),
    ],
)
def test_arguments_that_cannot_be_are_refused(say: Callable[[Verbs], object], why: str) -> None:
    """Before the function is entered, by the name of the argument."""
    with pytest.raises(InvalidValue) as refused:
        say(Verbs())

    assert why in str(refused.value)


def test_what_the_function_does_not_have_python_itself_refuses() -> None:
    """Too many arguments and unknown names are no matter of types."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'second'"):
        Verbs().rest(second=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="takes 2 positional arguments but 3 were given"):
        Verbs().rest(1, 2)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (lambda: Window(machine=()), "Window has no 'machine'; did you mean 'machines'?"),  # type: ignore[call-arg]
        (lambda: evolve(Filters(), refuse_secs=3.0), "Filters has no such field among refuse_secs"),
        (lambda: attrs.evolve(Filters(), refuse_secs=3.0), "no 'refuse_secs'; did you mean 'refuse_seconds'?"),  # type: ignore[call-arg]
        (lambda: Filters(qqqq=1), "Filters has no 'qqqq'; see help(Filters)"),  # type: ignore[call-arg]
        (Window, "missing 2 required"),
        (lambda: Filters(1, 2, 3), "positional argument"),  # type: ignore[call-arg]
    ],
)
def test_a_field_that_a_class_does_not_have_is_named_with_the_one_that_was_meant(
    made: Callable[[], object], why: str
) -> None:
    """It is a slip of whoever writes code, so it is the error that Python raises."""
    with pytest.raises(TypeError) as refused:
        made()

    assert why in str(refused.value)
