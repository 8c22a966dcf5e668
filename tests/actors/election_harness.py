"""An elector and its clients on a virtual clock: carries effects to and fro, and notes what clients saw.

Only cores are here: messages take no time, timers fire in order of deadline, and nothing else happens.
"""

from __future__ import annotations

from mesolite.actors.decisions.contract import CancelTimer, Effect, Link, Send, SetTimer, TimerFired, TimerKey
from mesolite.actors.decisions.detector import LeaderDetector, Step
from mesolite.actors.decisions.elector import ElectorCore
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.base import Message
from mesolite.messages.election import ELECTOR

DETECT_RETRY_S = 5.0


class Electorate:
    """`seen` is what happened to the clients, `said` every message sent, both since the last `take`."""

    def __init__(self) -> None:
        self.now = 0.0
        self.elector = ElectorCore(Settings.mesos())
        self.watches: dict[str, LeaderDetector] = {}
        self.timers: dict[tuple[str, TimerKey], float] = {}
        self.cut: list[str] = []
        self.lost: list[type[Message]] = []
        self.seen: list[str] = []
        self.said: list[tuple[str, Send]] = []
        self._under_way: list[tuple[str, Send]] = []

    def master(self, name: str) -> LeaderDetector:
        return self._started(name, LeaderDetector(10.0, DETECT_RETRY_S, contend=True))

    def scheduler(self, name: str) -> LeaderDetector:
        return self._started(name, LeaderDetector(10.0, DETECT_RETRY_S))

    def agent(self, name: str) -> LeaderDetector:
        return self._started(name, LeaderDetector(None, DETECT_RETRY_S))

    def _started(self, name: str, watch: LeaderDetector) -> LeaderDetector:
        self.crash(name)
        self.watches[name] = watch
        self.do(name, watch.start(self.now))
        return watch

    def crash(self, name: str) -> None:
        """End a client without a word: its timers go with it, its session does not."""
        self.timers = {(owner, key): due for (owner, key), due in self.timers.items() if owner != name}
        self.watches.pop(name, None)

    def do(self, name: str, step: Step) -> None:
        """Carry out what a client's core decided, and everything that follows from it at this instant."""
        self._note(name, step)
        self._perform(name, step.effects)
        self._settle()

    def tell_elector(self, sender: str, message: Message) -> None:
        self._under_way.append((sender, Send(ELECTOR, message)))
        self._settle()

    def advance(self, seconds: float) -> None:
        """Let time pass, firing each timer at its time."""
        until = self.now + seconds
        while (due := min(self.timers.values(), default=until + 1)) <= until:
            self.now = due
            for owner, key in [timer for timer, at in self.timers.items() if at == due]:
                if self.timers.get((owner, key)) == due:
                    del self.timers[owner, key]
                    self._happen(owner, TimerFired(key), owner)
            self._settle()
        self.now = until

    def take(self) -> list[str]:
        seen, self.seen = self.seen, []
        self.said = []
        return seen

    def sent(self, kind: type[Message]) -> int:
        return sum(isinstance(send.message, kind) for _, send in self.said)

    def _settle(self) -> None:
        while self._under_way:
            sender, send = self._under_way.pop(0)
            self.said.append((sender, send))
            if not {sender, send.to} & {*self.cut} and type(send.message) not in self.lost:
                self._happen(send.to, send.message, sender)

    def _happen(self, name: str, event: object, sender: str) -> None:
        if name == ELECTOR:
            self._perform(name, tuple(self.elector.handle(event, sender, self.now)))
            self.elector.check()
        elif name in self.watches:
            assert self.watches[name].handles(event)
            step = self.watches[name].handle(event, sender, self.now)
            self._note(name, step)
            self._perform(name, step.effects)

    def _perform(self, name: str, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            match effect:
                case Send():
                    self._under_way.append((name, effect))
                case SetTimer():
                    self.timers[name, effect.key] = self.now + effect.after_s
                case CancelTimer():
                    self.timers.pop((name, effect.key), None)
                case Link():
                    pass  # actors exit only in tests of the elector alone
                case _:
                    raise AssertionError(f"{name} wants {effect}, which has nothing to do with elections")

    def _note(self, name: str, step: Step) -> None:
        watch = self.watches[name]
        if step.candidacy_lost:
            self.seen.append(f"{self.now:g} {name}: candidacy lost")
        if step.detected:
            master = watch.leader
            leader = "nobody leads" if master is None else f"{master.name} leads in {master.term}"
            self.seen.append(f"{self.now:g} {name}: {leader}")
