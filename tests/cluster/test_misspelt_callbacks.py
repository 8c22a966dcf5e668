"""A callback that is misspelt is refused when it is run; what only sounds like one never is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partialmethod
from typing import Any

import pytest

from mesolite import Cluster, Executor, Refused, Scheduler, Simulation
from mesolite.slips import check_callbacks


def two(self: object, driver: Any, what: Any) -> None:
    """Takes what most callbacks are given."""


def three(self: object, driver: Any, one: Any, other: Any) -> None:
    """Takes what `registered` and `kill_task` are given."""


def four(self: object, driver: Any, one: Any, other: Any, another: Any) -> None:
    """Takes what `framework_message` and `executor_lost` are given."""


def one(self: object, driver: Any) -> None:
    """Takes what `disconnected` and `shutdown` are given."""


def scheduler(**methods: Any) -> type[Scheduler]:
    """A class of a user's with these methods."""
    return type("Mine", (Scheduler,), methods)


def executor(**methods: Any) -> type[Executor]:
    """The same for an executor."""
    return type("Mine", (Executor,), methods)


SLIPS = [
    ("resource_offer", two, "resource_offers"),
    ("resourse_offers", two, "resource_offers"),
    ("resource_offerd", two, "resource_offers"),
    ("Resource_Offers", two, "resource_offers"),
    ("resourceoffers", two, "resource_offers"),
    ("resourceOffers", two, "resource_offers"),
    ("status_updates", two, "status_update"),
    ("status_udpate", two, "status_update"),
    ("statusUpdate", two, "status_update"),
    ("offerRescinded", two, "offer_rescinded"),
    ("offers_rescinded", two, "offer_rescinded"),
    ("inverseOffers", two, "inverse_offers"),
    ("inverse_offer_recinded", two, "inverse_offer_rescinded"),
    ("frameworkMessage", four, "framework_message"),
    ("framework_messages", four, "framework_message"),
    ("slaveLost", two, "agent_lost"),
    ("slave_lost", two, "agent_lost"),
    ("agentLost", two, "agent_lost"),
    ("executorLost", four, "executor_lost"),
    ("register", three, "registered"),
    ("re_registered", two, "reregistered"),
    ("disconected", one, "disconnected"),
    ("errors", two, "error"),
]


@pytest.mark.parametrize(("name", "method", "meant"), SLIPS)
def test_a_slip_is_refused_with_what_was_meant(name: str, method: Callable[..., None], meant: str) -> None:
    """Before anything of it is started; also one that a base class of the user's has, with defaults besides."""
    mine = scheduler(**{name: method})
    with Cluster(agents=0) as cluster:
        with pytest.raises(Refused, match=rf"Mine\.{name} is no callback, .*: {meant} is meant, it seems;"):
            cluster.run(mine(), "mine")
        assert cluster.frameworks == {}

    with pytest.raises(Refused, match=meant):
        check_callbacks(type("Derived", (mine,), {}), Scheduler)


@pytest.mark.parametrize(
    ("name", "method", "meant"),
    [
        ("launchTask", two, "launch_task"),
        ("launch_tasks", two, "launch_task"),
        ("killTask", three, "kill_task"),
        ("frameworkMessage", two, "framework_message"),
        ("shut_down", one, "shutdown"),
        ("shutDown", one, "shutdown"),
    ],
)
def test_a_slip_in_an_executor_is_refused(sim: Simulation, name: str, method: Callable[..., None], meant: str) -> None:
    """When the framework is run, not when its first task fails; in simulation, too."""
    cluster = sim.cluster(agents=0)
    with pytest.raises(Refused, match=rf"Mine\.{name} is no callback, .*: {meant} is meant"):
        cluster.run(Scheduler(), "mine", executors={"mine": executor(**{name: method})})


@pytest.mark.parametrize("method", [one, two, three, four])
@pytest.mark.parametrize(
    "name",
    [
        "registered_at", "is_registered", "update_status", "on_offers", "on_error", "on_status_update", "offers",
        "resource_offers_seen", "status_update_count", "task_update", "status", "status_report", "lost", "task_lost",
        "agent_list_of", "error_text", "message", "launch", "kill", "stop", "run", "main", "decline", "place",
        "disconnect_all",
    ],
)  # fmt: skip
def test_another_name_is_never_refused(name: str, method: Callable[..., None]) -> None:
    """Whatever it takes: a word more or less makes it somebody's own."""
    check_callbacks(scheduler(**{name: method}), Scheduler)
    check_callbacks(executor(**{name: method}), Executor)


def with_defaults(self: object, driver: Any, offers: Any, verbose: bool = False) -> None:
    """Could be called as `resource_offers` is."""


def by_keyword(self: object, driver: Any, offers: Any, *, verbose: bool) -> None:
    """Could not."""


def any_arguments(self: object, *arguments: Any) -> None:
    """Takes whatever it is given, which is no sign of anything."""


def test_a_method_that_no_callback_could_be_is_the_users_own() -> None:
    """Of whatever name: it takes something else, or is no method."""
    own = {"one": one, "three": three, "keyword": by_keyword, "any": any_arguments, "static": staticmethod(two)}
    own |= {"class": classmethod(two), "property": property(one), "value": 5, "partial": partialmethod(two, 5)}
    own |= {"inner": type("Inner", (), {})}
    for method in own.values():
        check_callbacks(scheduler(resource_offer=method), Scheduler)
    check_callbacks(scheduler(errors=one, register=two), Scheduler)
    check_callbacks(executor(kill_tasks=one, registers=one), Executor)
    check_callbacks(scheduler(_resource_offer=two, __resource_offers=two), Scheduler)

    with pytest.raises(Refused, match="resource_offers is meant"):
        check_callbacks(scheduler(resource_offer=with_defaults), Scheduler)


def test_who_has_the_callback_may_call_its_helper_as_it_likes() -> None:
    """`resource_offers` calls `resource_offer` for each; a class for two libraries has both spellings."""
    check_callbacks(scheduler(resource_offers=two, resource_offer=two, resourceOffers=two), Scheduler)
    derived = type("Derived", (scheduler(resource_offers=two),), {"resource_offer": two})
    check_callbacks(derived, Scheduler)


def test_callbacks_of_the_other_kind_are_no_slips() -> None:
    """Executors of other libraries have some that are never called here."""
    check_callbacks(executor(reregistered=two, disconnected=one, error=two), Executor)
    check_callbacks(scheduler(launch_task=two, shutdown=one), Scheduler)
