"""The directory: who is where, without a look at everybody."""

from __future__ import annotations

from mesolite.actors.actor import MesosActor
from mesolite.actors.decisions.contract import Core
from mesolite.actors.runtime.directory import Directory
from mesolite.actors.runtime.port import Placement
from mesolite.actors.trace import Trace
from mesolite.simulation.virtual import VirtualRuntime


def test_it_knows_who_is_on_a_machine_in_order_of_arrival() -> None:
    """Those who have left are not there, those who came back are last; nobody is on a machine that nobody is on."""
    directory, runtime = Directory(), VirtualRuntime(0, Trace())

    def enter(name: str, host: str) -> None:
        directory.enter(runtime, name, Placement(host), lambda context: MesosActor(context, Core()))

    def there(host: str) -> list[str]:
        return [context.name for context in directory.on_host(host)]

    for name, host in (("a", "a"), ("b", "b"), ("a/1", "a"), ("b/1", "b"), ("a/2", "a")):
        enter(name, host)
    assert there("a") == ["a", "a/1", "a/2"]

    for name in ("a", "b", "b/1"):
        context = directory.find(name)
        assert context is not None
        directory.leave(context)
    enter("a", "a")

    assert there("a") == ["a/1", "a/2", "a"]
    assert there("b") == there("nowhere") == []
    context = directory.find("a")
    assert context is not None
    assert directory.beside(context) == ("a/1", "a/2")
