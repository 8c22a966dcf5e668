"""The schedulers of which docs/conformance.md says what they survive: what makes each, and how it is run."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from examples import drain_now, drain_with_grace, from_pymesos, hello, maintenance, reclaim
from examples.schedulers import Hello, Shop, Stayer, service
from mesolite.harness.conformance import Report, check
from tests.compat import schedulers as compat
from tests.examples.test_write_a_scheduler import Journal, page
from tests.harness import wrong


@frozen
class Tried:
    """A scheduler that is tried."""

    name: str
    where: str
    make: Any
    how: dict[str, Any] = field(factory=dict)
    tasks_have_names: bool = False

    def check(self) -> Report:
        """Try it."""
        named = {} if self.tasks_have_names else {"job_of": wrong.job_of}
        return check(self.make, **named, **self.how)


def shop(store: dict[str, Any]) -> Shop:
    return wrong.OfThree(store)


def stayer(store: dict[str, Any]) -> Shop:
    return wrong.opened(Stayer([service(name, "sleep infinity") for name in wrong.NAMES]), store)


def hellos() -> Hello:
    return Hello(6)


def polite_keeper(store: dict[str, Any]) -> Any:
    keeper = page()["PoliteKeeper"](*wrong.NAMES)
    keeper.current, keeper.launched = store.setdefault("kept", (keeper.current, keeper.launched))
    return keeper


def journal(store: dict[str, Any]) -> Journal:
    return Journal(store.setdefault("journal", []))


def command_runner() -> compat.CommandRunner:
    return compat.CommandRunner(["sleep 30"] * 5)


def squares() -> compat.Squares:
    return compat.Squares([2, 3, 4])


def quiet() -> compat.Quiet:
    return compat.Quiet([("one", "sleep 30"), ("two", "sleep 40")], tries=3)


EXPLICIT = {"implicit_acknowledgements": False}

EXAMPLES = (
    Tried("Shop", "examples/schedulers.py", shop),
    Tried("Stayer", "examples/schedulers.py", stayer),
    Tried("Hello", "examples/schedulers.py", hellos),
    Tried("KeepOne", "examples/drain_now.py", drain_now.KeepOne),
    Tried("TwoServices", "examples/drain_with_grace.py", drain_with_grace.TwoServices),
    Tried("Polite", "examples/maintenance.py", maintenance.Polite),
    Tried("Deaf", "examples/reclaim.py", reclaim.Deaf),
    Tried("Hello", "examples/hello.py", hello.Hello),
    Tried("Services", "examples/from_pymesos.py", from_pymesos.Services),
    Tried("Mended", "examples/from_pymesos.py", from_pymesos.Mended),
    Tried("PoliteKeeper", "docs/write-a-scheduler.md", polite_keeper),
    Tried("Journal", "tests/examples/test_write_a_scheduler.py", journal, EXPLICIT),
)

COMPAT = (
    Tried("CommandRunner", "tests/compat/schedulers.py", command_runner, {}, True),
    Tried("Squares", "tests/compat/schedulers.py", squares, {"executors": {"Squarer": compat.Squarer}}, True),
    Tried("Quiet", "tests/compat/schedulers.py", quiet, {}, True),
    Tried("Steadfast", "tests/compat/schedulers.py", compat.steadfast_driver, {}, True),
)

WRONG = (
    Tried("Silent", "tests/harness/wrong.py", wrong.Silent, EXPLICIT),
    *(
        Tried(kind.__name__, "tests/harness/wrong.py", kind)
        for kind in (wrong.Anew, wrong.Hopeful, wrong.Trusting, wrong.Hoarding, wrong.Hasty)
    ),
)
