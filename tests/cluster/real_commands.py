"""What tests of a real cluster share: commands that say where they are, and waiting without sleeping.

A command tells on one named pipe that it has got where it should be (`$TOLD`). With `exec 9>"$LIFE"` every process that
descends from it holds another one open: when that hangs up, the last of them has gone.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mesolite import Cluster, CommandInfo, KillPolicy, Settings, TaskInfo
from mesolite.drivers import MesoliteSchedulerDriver
from mesolite.messages.ids import TaskId
from tests.scenarios.schedulers import Recorder

PATIENCE_S = 30.0
"""Only what hangs takes that long."""

SHORT = Settings.local().but(task_kill_grace_s=0.05, command_executor_margin_s=0.2, executor_shutdown_grace_s=0.3)
"""For tests in which something is killed that does not want to go."""


def until(cluster: Cluster, done: Callable[[], object]) -> None:
    """Wait until it is so, looking whenever an actor has handled something."""
    assert cluster.runtime.wait(lambda: bool(done()), PATIENCE_S), cluster.trace.text()[-4000:]


class Pipes:
    """The two named pipes of a command."""

    def __init__(self, folder: Path) -> None:
        self._told, self._life, self._go = folder / "told", folder / "life", folder / "go"
        for path in (self._told, self._life, self._go):
            os.mkfifo(path)
        self._words = os.open(self._told, os.O_RDWR | os.O_NONBLOCK)
        self._order = os.open(self._go, os.O_RDWR | os.O_NONBLOCK)
        self.lifeline = os.open(self._life, os.O_RDONLY | os.O_NONBLOCK)
        self._unread = b""

    @property
    def environment(self) -> dict[str, str]:
        """For the command."""
        return {"TOLD": str(self._told), "LIFE": str(self._life), "GO": str(self._go)}

    def go(self) -> None:
        """Let a command go on that reads a line from `$GO`."""
        os.write(self._order, b"go\n")

    def hear(self, count: int = 1) -> list[str]:
        """Wait for so many lines; sorted, as different processes say them."""
        while self._unread.count(b"\n") < count:
            ready, _, _ = select.select([self._words], [], [], PATIENCE_S)
            assert ready, f"only {self._unread!r} was told"
            self._unread += os.read(self._words, 4096)
        *lines, self._unread = self._unread.split(b"\n")
        return sorted(line.decode() for line in lines)

    def all_gone(self) -> None:
        """Wait until no process holds the lifeline any more."""
        poll = select.poll()
        poll.register(self.lifeline, 0)  # hanging up is always reported
        assert poll.poll(PATIENCE_S * 1000), "somebody lives on"

    def close(self) -> None:
        for fd in (self._words, self._order, self.lifeline):
            os.close(fd)


@contextmanager
def pipes_in(folder: Path) -> Iterator[Pipes]:
    folder.mkdir()
    pipes = Pipes(folder)
    try:
        yield pipes
    finally:
        pipes.close()


def command(
    task_id: str, value: str, *arguments: str, shell: bool = True, grace_s: float | None = None, **environment: str
) -> TaskInfo:
    """A task with a real command."""
    return TaskInfo(
        task_id=TaskId(task_id),
        name=task_id,
        resources="cpus:0.1;mem:32",
        command=CommandInfo(value=value, arguments=arguments, shell=shell, environment=environment),
        kill_policy=None if grace_s is None else KillPolicy(grace_period_s=grace_s),
    )


class Launching(Recorder):
    """Launches its tasks on the first agent that has a name it wants, and declines everything else."""

    def __init__(self, *tasks: TaskInfo, on: str | None = None) -> None:
        super().__init__()
        self.waiting = list(tasks)
        self._on = on

    def resource_offers(self, driver: Any, offers: Any) -> None:
        super().resource_offers(driver, offers)
        for offer in offers:
            wanted = self.waiting if self._on in (None, offer.hostname) else []
            driver.launch_tasks(offer, wanted)
            if wanted:
                self.waiting = []

    def ended(self, *task_ids: str) -> bool:
        """Whether all of these tasks have ended."""
        return all(any(status.state.is_terminal for status in self.updates(task_id)) for task_id in task_ids)


def run_to_the_end(
    cluster: Cluster, *tasks: TaskInfo, framework: Any = "mine"
) -> tuple[Launching, MesoliteSchedulerDriver]:
    """Run tasks until all of them have ended."""
    scheduler = Launching(*tasks)
    driver = cluster.run(scheduler, framework)
    until(cluster, lambda: scheduler.ended(*(str(task.task_id) for task in tasks)))
    return scheduler, driver
