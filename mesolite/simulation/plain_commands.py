"""What a command would do, read from its text: as much of the shell as the commands are made of that tests run.

    sleep 30        lasts so long; decimals, a unit (s, m, h, d) and `infinity` are understood
    exit 3          ends the command with that status; without a number, with the status of what came before
    true, false     end at once, with 0 and 1

They may be joined by `;`, `&&`, `||` and new lines, and follow `exec`. Every other command among them is taken for a
second that ends well, as `SimulatedWork()` is, and so is, as a whole, what is more than such a list: `if`, `( )`, `&`.
Without a shell it is one command, of `sleep`, `true`, `false` and `sh -c TEXT`.
"""

from __future__ import annotations

import math
import re
from posixpath import basename

from mesolite.messages.tasks import CommandInfo, SimulatedWork

_OTHER = SimulatedWork()
_SHELLS = ("sh", "bash", "dash")
_MORE_THAN_A_LIST = ("if", "for", "while", "until", "case", "select", "function", "{", "!")
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SECONDS = re.compile(r"(\d+\.?\d*|\.\d+)([smhd]?)", re.ASCII)
_STATUSES = 256

_TOKEN = re.compile(
    r"""[ \t\r]* (?:
        (?P<join> && | \|\| | ; | \n )
      | (?P<word> (?: [^\s;&|()<>'"\\] | \\. | '[^']*' | "(?: [^"\\] | \\. )*" )+ )
      | (?P<redirection> [<>]&? | \| )
    ) [ \t\r]*""",
    re.VERBOSE | re.DOTALL,
)
"""What else there may be, `&` and parentheses for example, makes more than a list of a text."""


def work_of(command: CommandInfo) -> SimulatedWork | None:
    """What this command would do; None if it would not even start, as only a shell knows what `exit` is."""
    if command.shell:
        return _of_text(command.value)
    words = [command.value, *command.arguments]
    if basename(words[0]) in _SHELLS and words[1:2] == ["-c"] and len(words) > 2:
        return _of_text(words[2])
    return None if words[0] == "exit" else _of_words(words, 0)


def _of_text(text: str) -> SimulatedWork:
    commands = _list_of_commands(text)
    if commands is None:
        return _OTHER
    seconds, status = 0.0, 0
    for join, words in commands:
        if (join == "&&" and status != 0) or (join == "||" and status == 0):
            continue
        becomes = words[0] == "exec" and len(words) > 1
        work = _of_words(words[1:] if becomes else words, status)
        seconds, status = seconds + (math.inf if work.duration is None else work.duration), work.exit_status
        if becomes or words[0] == "exit":
            break
    return SimulatedWork(duration=_finite(seconds), exit_status=status)


def _list_of_commands(text: str) -> list[tuple[str, list[str]]] | None:
    """The simple commands of a text, and by what each is joined to the one before; None if it is more than a list."""
    commands: list[tuple[str, list[str]]] = []
    words: list[str] = []
    join, at = "", 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            return None
        at = token.end()
        if token["join"] is None:
            words.append(token["word"] or token["redirection"])
        elif words:
            commands.append((join, words))
            join, words = token["join"], []
        elif token["join"] != "\n":
            return None
    if words:
        commands.append((join, words))
    elif join in ("&&", "||"):
        return None
    return None if any(words[0] in _MORE_THAN_A_LIST for _, words in commands) else commands


def _of_words(words: list[str], before: int) -> SimulatedWork:
    """What a simple command does, after one that ended with the status `before`."""
    match [word.strip("'\"") for word in words]:
        case ["exit"]:
            return SimulatedWork(duration=0.0, exit_status=before)
        case ["exit", status] if status.isdecimal():
            return SimulatedWork(duration=0.0, exit_status=int(status) % _STATUSES)
        case [program] if basename(program) in ("true", "false"):
            return SimulatedWork(duration=0.0, exit_status=int(basename(program) == "false"))
        case [program, "infinity"] if basename(program) == "sleep":
            return SimulatedWork(duration=None)
        case [program, time] if basename(program) == "sleep" and (found := _SECONDS.fullmatch(time)):
            return SimulatedWork(duration=_finite(float(found[1]) * _UNITS[found[2]]))
    return _OTHER


def _finite(seconds: float) -> float | None:
    """For ever, if it is more than can be told."""
    return seconds if seconds < math.inf else None
