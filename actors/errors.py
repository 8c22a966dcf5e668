"""Every error Mesolite raises to people, by whose fault it is.

    MesoliteError
    +-- Refused             you asked for something that cannot be done; the text says what would work
    |   +-- InvalidValue    a value is of another type than wanted there, or cannot be; TypeError and ValueError, too
    |   |   +-- ResourceError   resources that are none, or less than is to be taken of them (messages/resources)
    |   +-- NameTaken       a second actor under a name in use
    |   +-- UnknownName     there is nobody of that name; a KeyError, too
    |   +-- WorkDirInUse    a second cluster in a work_dir in use; the text names the process of the first
    |   +-- WorkDirUnusable a work_dir, or the store in it, that cannot be used as it is
    |   +-- WrongThread     a simulation is driven from the thread that made it
    |   +-- WouldBlock      waiting inside a handler would stop the only thread there is, or that handler's own
    |   +-- NothingToWaitFor  the condition can never come true: nobody has anything left to do but to repeat itself
    +-- DecodeError         a text that the codec did not write; a ValueError, too (messages/codec)
    +-- OutcomeUnknown      an operator's call was sent and not answered; look, then repeat it
    +-- EndlessLoop         actors keep each other busy without time passing
    +-- ActorFailed         a core raised: our bug, or that of a core of yours; carries the story
    +-- UserCodeFailed      user code raised what would end the program, such as SystemExit; that is the cause
    +-- ActorEnded          an agent or master you wait for has ended itself; the text says why, its store, say
    +-- DriverAborted       a driver you joined was aborted: a master refused or removed its framework

The root and the errors about values are those of `mesolite.messages`, which nothing points up from, and can be had from
here as well. A peer out of turn is no error: its message is recorded and dropped (core.md LP-14, LP-15).
"""

from __future__ import annotations

from mesolite.messages.errors import InvalidValue, MesoliteError, Refused


class NameTaken(Refused):
    """An actor of that name is alive already; names are unique inside one cluster (core.md LP-10)."""


class UnknownName(Refused, KeyError):
    """There is no machine or framework of that name in this cluster; the text names those that there are."""

    __str__ = Exception.__str__  # as a sentence, where a KeyError shows the repr of a key


class WorkDirInUse(Refused):
    """Another cluster lives in that work_dir, in this process or in another; one at a time can."""


class WorkDirUnusable(Refused):
    """A work_dir cannot be used as it is; the text names the path, what is wrong with it, and what to do."""


class WrongThread(Refused):
    """A simulation runs on one thread; nothing else may touch it."""


class WouldBlock(Refused):
    """A handler tried to wait for something that only later handlers could bring about."""


class NothingToWaitFor(Refused):
    """Nothing is to come but what repeats itself, as pings do; the text says who is there, and who waits for whom."""


class OutcomeUnknown(MesoliteError):
    """A call was sent and no answer came: it may have been carried out or not. Repeating it is safe."""


class EndlessLoop(MesoliteError):
    """Too many events at one instant of virtual time."""


class UserCodeFailed(MesoliteError):
    """User code raised something that is no `Exception`; it is `__cause__`. Exceptions are raised as they are."""


class DriverAborted(MesoliteError):
    """The driver that was joined did not end by itself: the text is what the master, or the driver, had to say."""


class ActorEnded(MesoliteError):
    """An agent or a master that is waited for cannot go on and has ended; the text is what it had to say."""


class ActorFailed(MesoliteError):
    """An actor's core raised and the actor is gone; the text ends with the last things it saw."""


__all__ = [
    "EndlessLoop", "InvalidValue", "MesoliteError", "NameTaken", "NothingToWaitFor", "OutcomeUnknown", "ActorEnded",
    "ActorFailed", "Refused", "UnknownName", "WorkDirInUse", "WorkDirUnusable", "WouldBlock", "WrongThread",
]  # fmt: skip
