"""Files that a command needs are in its sandbox before it starts, or does not start (http.md HT-215, core.md TK-37)."""

from __future__ import annotations

import contextlib
import io
import stat
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest

from mesolite import Cluster, CommandInfo
from mesolite.actors.containerizer import commands
from mesolite.actors.containerizer.fetcher import CannotFetch, fetch
from mesolite.actors.decisions.contract import Run, WorkExited, WorkFailedToStart, WorkStarted
from mesolite.messages.tasks import Uri
from tests.cluster.real_commands import PATIENCE_S, command, run_to_the_end

SCRIPT = "#!/bin/sh\necho hello\n"


@pytest.fixture
def sandbox(tmp_path: Path) -> Path:
    folder = tmp_path / "sandbox"
    folder.mkdir()
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "run.sh"
    path.write_text(SCRIPT)
    return path


def fetched(sandbox: Path) -> dict[str, str]:
    """What is in the sandbox, by its path there."""
    return {str(path.relative_to(sandbox)): path.read_text() for path in sandbox.rglob("*") if path.is_file()}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def tar_of(path: Path, kind: str = "w", **members: str) -> Path:
    """An archive of these files; underscores stand for dots."""
    with tarfile.open(path, kind) as archive:  # type: ignore[call-overload]
        for name, text in members.items():
            member = tarfile.TarInfo(name.replace("_", "."))
            member.size, member.mode = len(text), 0o755
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


# --- copying -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["", "file://", "FILE://", "file://localhost"])
def test_a_file_of_this_machine_is_copied(sandbox: Path, source: Path, before: str) -> None:
    """Under its own name, with what permissions it has."""
    source.chmod(0o640)

    fetch(Uri(value=f"{before}{source}"), str(sandbox))

    assert fetched(sandbox) == {"run.sh": SCRIPT}
    assert mode(sandbox / "run.sh") == 0o640


def test_it_may_be_named_and_made_executable(sandbox: Path, source: Path) -> None:
    """Also in a folder, which is made."""
    fetch(Uri(value=source, output_file="bin/go", executable=True), str(sandbox))

    assert fetched(sandbox) == {"bin/go": SCRIPT}
    assert mode(sandbox / "bin" / "go") == 0o755


@pytest.mark.parametrize("name", ["../run.sh", "/tmp/run.sh", "bin/../../run.sh", "out/run.sh", "."])
def test_its_name_cannot_lead_out_of_the_sandbox(sandbox: Path, source: Path, name: str) -> None:
    """Not even by a link that is there already."""
    (sandbox / "out").symlink_to(sandbox.parent)

    with pytest.raises(CannotFetch, match="is not the name of a file in the sandbox"):
        fetch(Uri(value=source, output_file=name), str(sandbox))
    assert source.read_text() == SCRIPT


# --- downloading ---------------------------------------------------------------------------------------


class Files(BaseHTTPRequestHandler):
    """Serves what is in `held`, by path; less of it than it says, if the path says so."""

    held: ClassVar[dict[str, bytes]] = {}

    def do_GET(self) -> None:
        """Answer."""
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/run.sh")
            self.end_headers()
            return
        content = self.held.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with contextlib.suppress(OSError):  # who has given up does not take all of it
            self.wfile.write(content[: 3 if "short" in self.path else None])

    def log_message(self, *said: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    """Of a server of files."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


def test_a_file_is_downloaded(sandbox: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frameworks of other languages serve their executors so; also where it has moved to."""
    monkeypatch.setattr(Files, "held", {"/run.sh": SCRIPT.encode()})

    fetch(Uri(value=f"{url}/run.sh", executable=True), str(sandbox))
    fetch(Uri(value=f"{url}/moved", output_file="bin/moved.sh"), str(sandbox))

    assert fetched(sandbox) == {"run.sh": SCRIPT, "bin/moved.sh": SCRIPT}
    assert mode(sandbox / "run.sh") == 0o755


def test_an_archive_is_unpacked_when_it_has_come(
    sandbox: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that was copied."""
    archive = tar_of(tmp_path / "a.tgz", "w:gz", run_sh=SCRIPT).read_bytes()
    monkeypatch.setattr(Files, "held", {"/a.tgz": archive})

    fetch(Uri(value=f"{url}/a.tgz"), str(sandbox))

    assert (sandbox / "run.sh").read_text() == SCRIPT


@pytest.mark.parametrize(("path", "why"), [("/no", "404"), ("/short", "of 20 bytes only 3 came")])
def test_a_download_that_fails_is_named(
    sandbox: Path, url: str, path: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a file is none."""
    monkeypatch.setattr(Files, "held", {"/short": b"x" * 20})

    with pytest.raises(CannotFetch, match=f"cannot fetch '{url}{path}': .*{why}"):
        fetch(Uri(value=f"{url}{path}"), str(sandbox))


def test_a_download_that_nobody_waits_for_is_given_up(sandbox: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its executor may have ended, or the cluster."""
    monkeypatch.setattr(Files, "held", {"/large": bytes(5 << 20)})

    with pytest.raises(CannotFetch, match="its executor has ended"):
        fetch(Uri(value=f"{url}/large"), str(sandbox), lambda: True)
    assert (sandbox / "large").stat().st_size < 5 << 20


# --- what cannot be ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("hdfs://example.org/a.tgz", "nothing is downloaded here by hdfs; http and https are"),
        ("http://127.0.0.1:1/a.tgz", "Connection refused"),
        ("http://127.0.0.1:none/a.tgz", "nonnumeric port"),
        ("http://127.0.0.1:1/", "is not the name of a file"),
        ("a.tgz", "neither an absolute path nor file://"),
        ("file://a.tgz", "neither an absolute path nor file://"),
        ("/no/such.tgz", "No such file or directory"),
        ("/etc/", "is not the name of a file"),
        ("/etc", "Is a directory"),
    ],
)
def test_what_cannot_be_had_is_named(sandbox: Path, value: str, why: str) -> None:
    """With the reason, and what would work."""
    with pytest.raises(CannotFetch, match=f"cannot fetch '{value}'.*{why}"):
        fetch(Uri(value=value), str(sandbox))


# --- unpacking -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.tgz", "w:gz"), ("a.tar.bz2", "w:bz2"), ("a.tar.xz", "w:xz")],
)
def test_a_tar_archive_is_unpacked(sandbox: Path, tmp_path: Path, name: str, kind: str) -> None:
    """Into the sandbox, beside itself, with its permissions."""
    archive = tar_of(tmp_path / name, kind, run_sh=SCRIPT, notes="hi")

    fetch(Uri(value=archive), str(sandbox))

    assert (sandbox / "notes").read_text() == "hi"
    assert mode(sandbox / "run.sh") == 0o755
    assert (sandbox / name).exists()


def test_a_zip_archive_is_unpacked(sandbox: Path, tmp_path: Path) -> None:
    """With its permissions, as unzip does it."""
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        script = zipfile.ZipInfo("bin/run.sh")
        script.external_attr = 0o755 << 16
        packed.writestr(script, SCRIPT)
        packed.writestr("../notes", "hi")

    fetch(Uri(value=archive), str(sandbox))

    assert mode(sandbox / "bin" / "run.sh") == 0o755
    assert (sandbox / "notes").read_text() == "hi"
    assert not (tmp_path / "notes").exists()


@pytest.mark.parametrize("how", [{"extract": False}, {"executable": True}, {"output_file": "blob"}])
def test_an_archive_may_stay_packed(sandbox: Path, tmp_path: Path, how: dict[str, Any]) -> None:
    """If it is said, if it is a program, or if it is not called an archive there."""
    archive = tar_of(tmp_path / "a.tar", notes="hi")

    fetch(Uri(value=archive, **how), str(sandbox))

    assert [path.name for path in sandbox.iterdir()] == [how.get("output_file", "a.tar")]


def test_no_member_of_an_archive_is_put_outside(sandbox: Path, tmp_path: Path) -> None:
    """Neither by its name nor by a link in the archive."""
    by_name = tmp_path / "name.tar"
    with tarfile.open(by_name, "w") as archive:
        archive.addfile(tarfile.TarInfo("../evil"))
    by_link = tmp_path / "link.tar"
    with tarfile.open(by_link, "w") as archive:
        link = tarfile.TarInfo("out")
        link.type, link.linkname = tarfile.SYMTYPE, ".."
        archive.addfile(link)
        archive.addfile(tarfile.TarInfo("out/evil"))

    for archive_path in (by_name, by_link):
        with pytest.raises(CannotFetch, match="outside"):
            fetch(Uri(value=archive_path), str(sandbox))
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("name", ["a.tar", "a.tgz", "a.zip"])
def test_what_is_no_archive_fails(sandbox: Path, tmp_path: Path, name: str) -> None:
    """Though it is called one."""
    (tmp_path / name).write_text("not packed")

    with pytest.raises(CannotFetch, match=name):
        fetch(Uri(value=tmp_path / name), str(sandbox))


# --- with commands -------------------------------------------------------------------------------------


def fetching(task_id: str, value: str, *uris: Uri, user: str = "") -> Any:
    return attrs.evolve(command(task_id, ""), command=CommandInfo(value=value, uris=uris, user=user))


def test_a_command_runs_what_was_fetched(source: Path) -> None:
    """In a sandbox for nobody but its user (HT-214)."""
    with Cluster(agents=1) as cluster:
        scheduler, _ = run_to_the_end(
            cluster, fetching("t", "./go", Uri(value=source, output_file="go", executable=True))
        )

        assert scheduler.states("t")[-1] == "FINISHED"
        assert (cluster.sandbox("t") / "stdout").read_text() == "hello\n"
        assert mode(cluster.sandbox("t")) == 0o700


def test_a_task_fails_whose_files_are_not_there() -> None:
    """With the reason; it never ran."""
    with Cluster(agents=1) as cluster:
        scheduler, _ = run_to_the_end(cluster, fetching("t", "true", Uri(value="/no/such")))

        assert scheduler.states("t") == ["STARTING", "FAILED"]
        assert scheduler.updates("t")[-1].message.startswith("cannot fetch '/no/such'")


def test_nothing_of_an_agent_is_in_the_environment_of_its_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything else is; LIBPROCESS_IP is said of the machine (HT-220, HT-240)."""
    for name in ("MESOS_IP", "LIBPROCESS_ADVERTISE_IP", "LIBPROCESS_IP", "MINE"):
        monkeypatch.setenv(name, "1.2.3.4")
    with Cluster(agents=1) as cluster:
        run_to_the_end(cluster, command("t", "env"))
        environment = dict(line.split("=", 1) for line in (cluster.sandbox("t") / "stdout").read_text().splitlines())

    assert "MESOS_IP" not in environment
    assert "LIBPROCESS_ADVERTISE_IP" not in environment
    assert environment["LIBPROCESS_IP"] == environment["MINE"] == "1.2.3.4"
    assert environment["LIBPROCESS_PORT"] == "0"


@pytest.mark.parametrize("uris", [1, 2])
def test_what_an_ended_actor_was_fetching_for_does_not_run(
    sandbox: Path, source: Path, monkeypatch: pytest.MonkeyPatch, uris: int
) -> None:
    """It is given up before the next file, or killed at once; the actor takes its leave when that is done."""
    told: list[object] = []
    over = threading.Event()
    running = commands.Commands(1 << 20, lambda context, event, sender, cause: told.append(event))
    actor: Any = type("Context", (), {"host": "h1"})()

    def fetch_while_it_ends(uri: Uri, folder: str, given_up: Callable[[], bool]) -> None:
        fetch(uri, folder)
        running.end(actor, over.set)

    monkeypatch.setattr(commands, "fetch", fetch_while_it_ends)
    command = CommandInfo(value="sleep 1000", uris=[Uri(value=source)] * uris)
    running.run(actor, Run("w", command, (), str(sandbox)), -1)
    try:
        assert over.wait(PATIENCE_S)
        if uris == 1:
            assert [type(event) for event in told] == [WorkStarted, WorkExited]
        else:
            assert told == [WorkFailedToStart("w", "cannot start '/bin/sh': its executor has ended")]
        assert running.processes("h1") == []
    finally:
        running.close()
