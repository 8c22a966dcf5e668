"""A store that cannot be used is refused in one sentence: which file, what is wrong with it, what to do."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from mesolite import ActorEnded, Cluster, FrameworkInfo, OutcomeUnknown, Refused, WorkDirUnusable
from mesolite.actors.runtime.store import encoded
from mesolite.actors.threads.sqlite_store import APPLICATION_ID, SCHEMA, SqliteStore
from tests.cluster.real_commands import Launching, command, run_to_the_end, until

pytestmark = pytest.mark.slow

CHECKPOINTING = FrameworkInfo(name="mine", checkpoint=True, failover_timeout_s=60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which a cluster has been."""
    with Cluster(work_dir=tmp_path) as cluster:
        run_to_the_end(cluster, command("t", "exit 0"), framework=CHECKPOINTING)
        cluster.operator.deactivate("agent-1")
    return tmp_path


def change(folder: Path, *statements: str) -> None:
    """Do something to its store."""
    with closing(sqlite3.connect(folder / "store.sqlite", isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


def refusal(folder: Path) -> str:
    """What a cluster in that folder says when it is refused, at once and leaving nothing behind."""
    before = threading.enumerate(), psutil.Process().num_fds(), psutil.Process().children(recursive=True)
    with pytest.raises(WorkDirUnusable) as refused:
        Cluster(work_dir=folder)
    assert before == (threading.enumerate(), psutil.Process().num_fds(), psutil.Process().children(recursive=True))
    text = str(refused.value)
    assert "\n" not in text
    assert text.startswith(f"the store '{folder}/store.sqlite' cannot be used: ")
    return text


def overwrite(at: int, what: bytes) -> Callable[[Path], None]:
    def do(file: Path) -> None:
        with file.open("r+b") as stream:
            stream.seek(at)
            stream.write(what)

    return do


def foreign(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE records (owner TEXT, key TEXT, record TEXT)")


def swap(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def do(file: Path) -> None:
        file.unlink()
        make(file)

    return do


COPY = "put back a copy of it, or give another work_dir"
AWAY = "move it away, or give another work_dir"

DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "another header": (overwrite(0, b"GIF89a"), f"it is no SQLite file; {COPY}"),
    "text in its place": (lambda file: file.write_text("hello " * 1000), f"it is no SQLite file; {COPY}"),
    "a nonsensical header": (overwrite(16, b"\xff" * 40), r"it is (no SQLite file|damaged.*); put back"),
    "a page of noise": (overwrite(4096, b"\xa5" * 4096), rf"it is damaged.*; {COPY}"),
    "every page but the first of noise": (
        lambda file: overwrite(4096, b"\xa5" * (file.stat().st_size - 4096))(file),
        rf"it is damaged.*; {COPY}",
    ),
    "cut off after a page": (lambda file: os.truncate(file, 4096), rf"it is damaged.*; {COPY}"),
    "cut off in the header": (lambda file: os.truncate(file, 60), "it is no SQLite file; put back a copy of it; if"),
    "cut off in the last page": (
        lambda file: os.truncate(file, file.stat().st_size - 100),
        rf"it is damaged.*; {COPY}",
    ),
    "empty": (lambda file: os.truncate(file, 0), "it is empty; put back a copy of it; if there is nothing to be miss"),
    "of another program": (foreign, f"it is a SQLite file of another program; {AWAY}"),
    "a folder": (swap(Path.mkdir), f"it is no file; {AWAY}"),
    "a pipe": (swap(os.mkfifo), f"it is no file; {AWAY}"),
    "a link to nothing": (swap(lambda file: file.symlink_to("nowhere")), f"it is no file; {AWAY}"),
    "missing beside its log": (
        lambda file: file.rename(f"{file}-wal"),
        r"it is missing, but '.*store.sqlite-wal' is there; put it back, or remove that file, too",
    ),
}


@pytest.mark.parametrize(("damage", "said"), DAMAGE.values(), ids=DAMAGE)
def test_a_file_that_is_not_what_it_was_is_refused(folder: Path, damage: Callable[[Path], object], said: str) -> None:
    """When the cluster is made; and the file is left as it is, for whoever wants to mend it."""
    file = folder / "store.sqlite"
    kept = folder / "kept"
    shutil.copy(file, kept)
    damage(file)
    content = file.read_bytes() if file.is_file() else None

    assert re.search(said, refusal(folder)), refusal(folder)

    if content is not None:
        assert file.read_bytes() == content
    shutil.rmtree(file) if file.is_dir() else file.unlink(missing_ok=True)
    Path(f"{file}-wal").unlink(missing_ok=True)
    kept.rename(file)
    with Cluster(work_dir=folder) as cluster:  # the copy is put back
        assert cluster.operator.state()["agents"][0]["deactivated"]


def test_every_cut_is_refused_or_whole(folder: Path) -> None:
    """Wherever the file is cut off: never an empty registry."""
    file, content = folder / "store.sqlite", (folder / "store.sqlite").read_bytes()
    for size in range(0, len(content), 1021):
        file.write_bytes(content[:size])
        assert re.search("it is (empty|damaged|no SQLite file)", refusal(folder)), size


def test_a_file_of_a_later_version_is_refused(folder: Path) -> None:
    """The text says which layout it has, and which are known."""
    change(folder, f"PRAGMA user_version={SCHEMA + 1}")

    assert refusal(folder).endswith(
        f"it was written by another version of Mesolite, in layout {SCHEMA + 1}, and this one knows {SCHEMA}; "
        "use that version, or give another work_dir"
    )


def test_the_file_says_whose_it_is(folder: Path) -> None:
    """In its header, where `file` and others look."""
    with closing(sqlite3.connect(folder / "store.sqlite")) as db:
        assert db.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA,)


def test_a_table_that_is_missing_is_said(folder: Path) -> None:
    """In SQLite's words, with ours around them."""
    change(folder, "DROP TABLE terms")

    assert f"cannot be used: no such table: terms; {COPY}" in refusal(folder)


def test_what_a_kill_while_it_was_made_has_left_does_not_matter(tmp_path: Path) -> None:
    """The file is renamed when it is whole; until then nothing has been stored."""
    for name in ("store.sqlite.new", "store.sqlite.new-journal", "store.sqlite-shm"):
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / "store.sqlite-wal").write_bytes(b"")

    with Cluster(work_dir=tmp_path) as cluster:
        run_to_the_end(cluster, command("t", "exit 0"))


def test_a_program_that_holds_it_locked_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After waiting a little; here not at all."""
    connect: Any = sqlite3.connect
    with closing(connect(folder / "store.sqlite", isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(sqlite3, "connect", lambda *args, **kwargs: connect(*args, **kwargs, timeout=0.0))

        with pytest.raises(WorkDirUnusable, match=r"another program keeps it locked; close whatever has it open$"):
            Cluster(work_dir=folder)


READ_ONLY = """
import os, sys
from mesolite import Cluster, WorkDirUnusable
if os.geteuid() == 0:
    os.seteuid(65534)
try:
    Cluster(work_dir=sys.argv[1])
except WorkDirUnusable as why:
    print(why)
"""


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder into which everybody finds the way."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


def attempt_as_somebody_else(folder: Path) -> str:
    """What a cluster there says to a user who may not write everywhere."""
    ran = subprocess.run([sys.executable, "-c", READ_ONLY, str(folder)], capture_output=True, text=True, check=True)
    return ran.stdout.rstrip()


def test_a_folder_in_which_one_may_not_write_is_refused(open_to_all: Path) -> None:
    """Whether it is there or would have to be made."""
    inside = open_to_all / "d"
    inside.mkdir(mode=0o555)

    for folder in (inside, inside / "deeper"):
        assert attempt_as_somebody_else(folder) == (
            f"work_dir {str(folder)!r} cannot be used: Permission denied; give a folder in which this user may write"
        )


def test_a_file_that_one_may_not_write_is_refused(open_to_all: Path) -> None:
    """Though the folder may be written, and the file be read."""
    with Cluster(work_dir=open_to_all / "d"):
        pass
    for path in (open_to_all / "d", open_to_all / "d" / "in-use-by"):
        path.chmod(0o777)
    (open_to_all / "d" / "store.sqlite").chmod(0o444)

    assert attempt_as_somebody_else(open_to_all / "d") == (
        f"the store '{open_to_all}/d/store.sqlite' cannot be used: it cannot be written; "
        "let this user write the file and its folder, or give another work_dir"
    )


BROKEN = {
    "no JSON": ("'hello'", "not readable as JSON"),
    "cut off": ("substr(record, 1, 30)", "not readable as JSON"),
    "no text": ("x'ff00fe'", "can't decode byte 0xff"),
    "unknown kind": ("""'{"kind":"AgentInof"}'""", "unknown kind"),
    "unknown field": ("""replace(record, '{"kind":', '{"colour":1,"kind":')""", "unknown key"),
}


@pytest.mark.parametrize(("becomes", "said"), BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize(
    ("owner", "key", "who"),
    [
        ("agent-1", "agent", "agent-1 has ended: the store refused"),
        ("registry", "deactivated/m1-S1", "master-1 has ended: the registry refused"),
    ],
)
def test_a_record_that_cannot_be_read_names_itself(
    folder: Path, owner: str, key: str, who: str, becomes: str, said: str
) -> None:
    """File, owner, key and what is wrong with it come out of the `with`, at once."""
    change(folder, f"UPDATE records SET record = {becomes} WHERE owner = '{owner}' AND key = '{key}'")

    with pytest.raises(ActorEnded) as ended, Cluster(work_dir=folder):
        pass

    text = str(ended.value)
    start = f"the cluster cannot get ready: {who}: the store '{folder}/store.sqlite' cannot be used: the record {key!r}"
    assert text.startswith(f"{start} of {owner} cannot be read: ")
    assert said in text
    assert text.endswith(COPY)


def test_a_record_of_another_owner_does_no_harm(folder: Path) -> None:
    """Nobody reads what nobody asks for."""
    change(folder, "INSERT INTO records VALUES ('agent-2', 'agent', 'hello')")

    with Cluster(agents=1, work_dir=folder) as cluster:
        cluster.operator.reactivate("agent-1")
        run_to_the_end(cluster, command("t", "exit 0"))


def test_a_store_that_fails_later_is_the_reason(folder: Path) -> None:
    """Whoever cannot write ends and says why; whoever waits is told so."""
    with Cluster(work_dir=folder) as cluster:
        cluster.operator.reactivate("agent-1")
        change(folder, "DROP TABLE records")
        scheduler = Launching(command("u", "exit 0"), on="agent-1")
        cluster.run(scheduler, CHECKPOINTING)
        until(cluster, lambda: not cluster.agents["agent-1"].alive)

        why = "the store refused: the store '.*' cannot be used: no such table: records"
        with pytest.raises(ActorEnded, match=f"the cluster cannot get ready: agent-1 has ended: {why}"):
            cluster.ready()
        with pytest.raises(TimeoutError, match=rf"ended by now: agent-1 \({why}"):
            cluster.wait_until(lambda: False, timeout=0.01)


def test_a_registry_that_fails_later_is_the_reason(folder: Path) -> None:
    """The master that cannot write ends; who asks it, and who asks later, is told why; restarted, it leads again."""
    why = "master-1 has ended: the registry refused: the store '.*' cannot be used: no such table: records"
    with Cluster(work_dir=folder) as cluster:
        change(folder, "ALTER TABLE records RENAME TO away")
        with pytest.raises(OutcomeUnknown):
            cluster.operator.reactivate("agent-1")
        until(cluster, lambda: not cluster.masters["master-1"].alive)

        with pytest.raises(Refused, match=f"nobody leads, nor will: {why}"):
            cluster.operator.reactivate("agent-1")
        with pytest.raises(ActorEnded, match=why):
            cluster.ready()
        change(folder, "ALTER TABLE away RENAME TO records")
        cluster.masters["master-1"].restart()
        cluster.ready()
        cluster.operator.reactivate("agent-1")


FULL = """
import resource, sys
from mesolite import Cluster, FrameworkInfo, ActorEnded
from tests.cluster.real_commands import Launching, command, until

with Cluster(work_dir=sys.argv[1]) as cluster:
    known = cluster.agents["agent-1"].id
    cluster.operator.deactivate("agent-1")  # answered when that is stored, and so is what was to be stored before
    cluster.operator.reactivate("agent-1")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, limits[1]))
    cluster.run(Launching(command("t", "exit 0")), FrameworkInfo(name="f", checkpoint=True, failover_timeout_s=60))
    until(cluster, lambda: not cluster.agents["agent-1"].alive)
    try:
        cluster.ready()
    except ActorEnded as why:
        print(why)
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    cluster.agents["agent-1"].restart()
    cluster.ready()
    print(cluster.agents["agent-1"].id == known)
"""


def test_a_disk_that_takes_nothing_is_the_reason(tmp_path: Path) -> None:
    """The agent that cannot write ends and says so; when it can it may be restarted, and knows what it knew."""
    ran = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True)

    why, kept = ran.stdout.splitlines()
    assert why == (
        f"the cluster cannot get ready: agent-1 has ended: the store refused: the store '{tmp_path}/store.sqlite' "
        "cannot be used: the disk failed; look at the disk, and whether it is full"
    )
    assert kept == "True"


def test_the_store_alone_says_the_same(folder: Path) -> None:
    """Its methods raise what the constructor raises."""
    said = f"the store '{folder}/store.sqlite' cannot be used: no such table"
    with closing(SqliteStore(f"{folder}/store.sqlite")) as store:
        change(folder, "DROP TABLE records", "DROP TABLE clock")
        changes = encoded("a", [("k", 1)])
        for use in (lambda: store.load("a", 1), lambda: store.save("a", changes, 1), lambda: store.note_time(1.0)):
            with pytest.raises(WorkDirUnusable, match=said):
                use()
