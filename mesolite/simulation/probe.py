"""A probe: an actor that only the test speaks for. It decides nothing, and keeps what it hears."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from attrs import define, frozen

from mesolite.actors.actor import MesosActor
from mesolite.actors.decisions.contract import SYSTEM_EVENTS, Core, PeerExited
from mesolite.actors.errors import InvalidValue, MesoliteError, Refused
from mesolite.actors.runtime.port import ActorContext, Placement
from mesolite.actors.trace import HEARTBEATS, Code, Done, say
from mesolite.messages.base import Message
from mesolite.messages.checking import Duration, Name, checked_arguments, in_seconds, misfit
from mesolite.simulation.named import AnyActor, Named
from mesolite.simulation.virtual import VirtualRuntime

OneKind = type[Message] | type[PeerExited]


class NotAsExpected(MesoliteError, AssertionError):
    """A probe has not heard what was expected of it, or has heard what was not."""


@frozen(kw_only=True)
class Heard:
    """Something that a probe has heard: when, from whom, what."""

    time: float
    sender: str
    message: Any


@define(eq=False)
class _Kept:
    heard: Heard
    taken: bool = False


class ProbeCore(Core):
    """Keeps what it hears."""

    def __init__(self) -> None:
        """Start with nothing heard."""
        super().__init__()
        self.kept: list[_Kept] = []

    def handle(self, event: object, sender: str, now: float) -> list[Any]:
        """Keep what others say; there is nothing to decide."""
        if type(event) not in SYSTEM_EVENTS or isinstance(event, PeerExited):
            self.kept.append(_Kept(Heard(time=now, sender=sender, message=event)))
        return []

    def standing(self) -> str:
        """What nobody has asked for, for the errors of those who wait."""
        left = _counted([each.heard for each in self.kept if not each.taken])
        return f"a probe, and only the test speaks for it; heard and not expected so far: {left}" if left else ""


class Probe:
    """Stands in for an actor that is absent or was taken out: `Simulation.probe` makes it.

    Attributes:
        name: what it is called.
        actor: the actor it speaks for, as others know it: its own name, or that of whoever was taken out.
    """

    def __init__(
        self,
        runtime: VirtualRuntime,
        seed: int,
        name: str,
        context: ActorContext,
        known: Callable[[AnyActor], str | None],
    ) -> None:
        """Speak and hear as the actor that sits there; `known` says the name of whom it speaks to."""
        self.name = name
        self.actor = context.name
        self._runtime = runtime
        self._seed = seed
        self._context = context
        self._known = known
        core: Any = context.actor.core
        self._core: ProbeCore = core
        self._sender: str | None = None

    def __str__(self) -> str:
        """Print its name, and whom it stands for if that is somebody else."""
        return self.name if self.name == self.actor else f"{self.name} (instead of {self.actor})"

    def __repr__(self) -> str:
        """Show who it is and how much it has heard."""
        return f"<Probe {self}: heard {len(self._core.kept)}>"

    @property
    def heard(self) -> tuple[Heard, ...]:
        """All it has heard so far, heartbeats included, oldest first."""
        return tuple(each.heard for each in self._core.kept)

    @property
    def sender(self) -> str | None:
        """Who said what was last expected, to be answered; None before anything was."""
        return self._sender

    @checked_arguments
    def send(self, to: AnyActor, message: Message) -> None:
        """Say this to an actor, as the one it stands for: it is in flight, and arrives when time is let pass.

        Raises:
            InvalidValue: a field of the message does not hold what it should.
            Refused: the probe has stopped, or there never was anybody of that name, but of nearly the same.
        """
        if why_not := misfit(message):
            raise InvalidValue(why_not)
        self._check_alive()
        receiver = self._known(to)
        if receiver is None:
            raise InvalidValue(f"{self.name}.send(to=None): say to whom")
        said = Code(f"{type(message).__name__}(...)")
        done = self._record(Done("send", (self.actor, receiver), f"{self.name}.send({receiver!r}, {said})"))
        self._runtime.send(self._context, receiver, message, done)

    @checked_arguments
    def expect(self, kind: OneKind, *, within: Duration) -> Any:
        """Return the oldest message of that kind that it has heard and that was not returned before.

        If there is none yet, let time pass until one comes. What it hears besides stays to be expected later.

        Raises:
            NotAsExpected: none came within so many virtual seconds; it says what was heard instead, and who waits for
                what.
        """
        runtime, seconds = self._runtime, in_seconds(within)
        if not runtime.wait(lambda: self._next(kind) is not None, seconds):
            raise NotAsExpected(
                f"{self} has not heard {kind.__name__} within {seconds:g} virtual seconds (it is {runtime.now():.3f} "
                f"now, seed {self._seed}); it heard {self._instead()}\n{runtime.situation()}"
            )
        kept = self._next(kind)
        assert kept is not None, "what was waited for has come"
        kept.taken, self._sender = True, kept.heard.sender
        return kept.heard.message

    @checked_arguments
    def expect_nothing(self, kind: OneKind | None = None, *, within: Duration) -> None:
        """Let so much time pass, in which it hears no message of that kind; by default none but heartbeats.

        Raises:
            NotAsExpected: it heard one; it says which, from whom and when.
        """
        runtime, seconds, began = self._runtime, in_seconds(within), len(self._core.kept)

        def unwanted() -> Heard | None:
            heard = (each.heard for each in self._core.kept[began:])
            return next((each for each in heard if _is_of(each.message, kind)), None)

        if runtime.wait(lambda: unwanted() is not None, seconds) and (found := unwanted()) is not None:
            wanted = "nothing" if kind is None else f"no {kind.__name__}"
            raise NotAsExpected(
                f"{self} should have heard {wanted} for {seconds:g} virtual seconds, and at {found.time:.3f} "
                f"{found.sender} said to it (seed {self._seed}): {say(found.message)}"
            )

    def stop(self) -> None:
        """End, as a process that dies: links break. Whom it stood for can be started again, if it was a machine's.

        Harmless if it has ended.
        """
        if self._context.alive:
            done = self._record(Done("stop", (self.actor,), f"{self.name}.stop()"))
            self._runtime.end(self._context, 0, cause=done)

    # ------------------------------------------------------------------------------------------------------ inside

    def _record(self, done: Done) -> int:
        runtime = self._runtime
        runtime.check_may_act()
        return runtime.trace.record(
            runtime.now(), self.actor, self.actor, done, (), -1, self._context.incarnation
        )

    def _check_alive(self) -> None:
        if not self._context.alive:
            raise Refused(f"{self} has ended, so it can say nothing; make another with sim.probe()")

    def _next(self, kind: OneKind) -> _Kept | None:
        return next((each for each in self._core.kept if not each.taken and isinstance(each.heard.message, kind)), None)

    def _instead(self) -> str:
        heard = _counted([each.heard for each in self._core.kept if not each.taken])
        taken = sum(each.taken for each in self._core.kept)
        before = f"; {taken} more were expected before" if taken else ""
        return f"{heard or 'nothing else'}{before}"


def _is_of(message: object, kind: OneKind | None) -> bool:
    return not isinstance(message, HEARTBEATS) if kind is None else isinstance(message, kind)


def _counted(heard: list[Heard]) -> str:
    """What was heard by kind and sender, in the order of the first of each."""
    counts = Counter((type(each.message).__name__, each.sender) for each in heard)
    newest = {(type(each.message).__name__, each.sender): each.time for each in heard}
    return ", ".join(
        f"{count} {kind} from {sender}, the last at {newest[kind, sender]:.3f}" if count > 1
        else f"{kind} from {sender} at {newest[kind, sender]:.3f}"
        for (kind, sender), count in counts.items()
    )  # fmt: skip


class Probing(Named):
    """The verb of a simulation that makes probes."""

    seed: int

    @checked_arguments
    def probe(self, name: Name, instead_of: AnyActor = None) -> Probe:
        """Make an actor that only you speak for: `send`, `expect`, `expect_nothing`.

        Without `instead_of` it is an actor of that name, who is absent so far: an agent to come, a framework, or a
        machine's daemon that is down. `instead_of` takes an actor out, with all that runs on its machine if it has one,
        and puts the probe in its place: nobody is told, links hold, and what is said to it the probe hears. The probe
        speaks as that actor, under whose name it is in the trace.

        Checkers judge no more from now on: they take it for granted that actors are what they seem.

        Raises:
            Refused: somebody alive has that name, or whom it should stand for is not alive.
        """
        runtime = self.runtime
        if instead_of is None:
            if runtime.directory.find(name) is not None:
                raise Refused(f"{name} is alive; give another name, or take it out: probe(name, instead_of={name!r})")
            done = self._did("probe", (name,), name)
            return self._seated(name, name, Placement(name), done)
        out = self._alive(instead_of, "stand in for")
        done = self._did("probe", (out.name,), name, instead_of=out.name)
        watchers = runtime.directory.watchers(out.name)
        for context in runtime.directory.on_host(out.name) if out.host == out.name else [out]:
            runtime.end(context, -1, silent=True, cause=done)
        probe = self._seated(name, out.name, Placement(out.host), done)
        for watcher in watchers:
            if watcher.alive:
                runtime.directory.link(watcher, out.name)
        return probe

    def _seated(self, name: str, actor: str, place: Placement, cause: int) -> Probe:
        context = self.runtime.start(actor, place, lambda context: MesosActor(context, ProbeCore()), cause)
        return Probe(self.runtime, self.seed, name, context, self._known)
