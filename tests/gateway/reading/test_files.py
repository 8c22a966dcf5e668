"""Sandboxes and logs over HTTP (docs/spec/http.md section 12.2), with real files."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from mesolite.gateway.exchange import Request
from mesolite.gateway.files import READ_MAX, FileRefusal, Files
from mesolite.gateway.routing import parameters
from tests.gateway.reading.clusters import check_strict

SECRET = "do not show me"


@pytest.fixture
def sandbox(tmp_path: Path) -> Path:
    made = tmp_path / "run-1"
    (made / "sub").mkdir(parents=True)
    (made / "stdout").write_bytes(b"hello\n")
    (made / "sub" / "page.html").write_bytes(b"<p>")
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "run-10").mkdir()
    (tmp_path / "run-10" / "stdout").write_text(SECRET)
    return made


@pytest.fixture
def files(sandbox: Path, tmp_path: Path) -> Files:
    log = tmp_path / "agent.log"
    log.write_bytes(b"started\n")
    attached = {"/sandbox": str(sandbox), str(sandbox): str(sandbox), "/slave/log": str(log)}
    return Files(lambda: attached)


def status(asked: Any, *given: Any) -> int:
    with pytest.raises(FileRefusal) as refused:
        asked(*given)
    assert SECRET not in refused.value.text
    return refused.value.status


def test_browse_lists_a_directory_by_path(files: Files, sandbox: Path) -> None:
    """HT-360: each path is the asked one joined with the name."""
    (sandbox / "Zoe").write_bytes(b"")
    (sandbox / "stdout").chmod(0o644)
    os.utime(sandbox / "stdout", ns=(0, 1_500_000_000))
    listed = files.browse("/sandbox")
    assert [entry["path"] for entry in listed] == ["/sandbox/Zoe", "/sandbox/stdout", "/sandbox/sub"]
    entry = listed[1]
    assert (entry["size"], entry["nlink"], entry["mtime"], entry["mode"]) == (6, 1, 1.5, "-rw-r--r--")
    assert listed[2]["mode"].startswith("d")
    assert isinstance(entry["uid"], str)
    assert isinstance(entry["gid"], str)
    check_strict(listed)


def test_browse_shows_permissions_and_no_other_bits(files: Files, sandbox: Path) -> None:
    """HT-360: nine letters behind that of the type."""
    (sandbox / "stdout").chmod(stat.S_ISUID | 0o750)
    assert files.browse("/sandbox")[0]["mode"] == "-rwxr-x---"


def test_list_files_is_the_same_for_v1(files: Files, sandbox: Path) -> None:
    """HT-271."""
    os.utime(sandbox / "stdout", ns=(0, 1_500_000_001))
    told = files.list_files("/sandbox")
    entry = told["file_infos"][0]
    assert (entry["path"], entry["size"], entry["nlink"]) == ("/sandbox/stdout", 6, 1)
    assert entry["mtime"] == {"nanoseconds": 1_500_000_001}
    assert entry["mode"] == (sandbox / "stdout").stat().st_mode
    check_strict(told)


def test_a_name_that_is_no_text_is_shown_and_can_be_read(files: Files, sandbox: Path) -> None:
    """HT-360, HT-47: strict clients get plain text; it can be asked for as it is shown, and byte for byte."""
    odd = os.fsdecode(b"bad\xffname\xc3")
    (sandbox / odd).mkdir()
    (sandbox / odd / "log").write_bytes(b"odd\n")

    shown = files.browse("/sandbox")[0]["path"]
    assert shown == "/sandbox/bad\\xffname\\xc3"
    assert files.list_files("/sandbox")["file_infos"][0]["path"] == shown
    for path in (shown, f"/sandbox/{odd}"):
        assert [entry["path"] for entry in files.browse(path)] == [f"{shown}/log"]
        assert files.read(f"{path}/log", "0")["data"] == "odd\n"
    query = Request(method="GET", path="/files/read", query="path=/sandbox/bad%FFname%C3/log")
    assert files.read(parameters(query)["path"], "0")["data"] == "odd\n"


def test_who_is_really_called_so_comes_first(files: Files, sandbox: Path) -> None:
    """HT-361: a backslash is a character like any other."""
    (sandbox / os.fsdecode(b"a\xff")).write_bytes(b"bytes")
    (sandbox / "a\\xff").write_bytes(b"backslash")
    assert files.read("/sandbox/a\\xff", "0")["data"] == "backslash"
    assert files.read(os.fsdecode(b"/sandbox/a\xff"), "0")["data"] == "bytes"


def test_half_of_a_pair_is_no_path(files: Files) -> None:
    """HT-364: JSON can spell what no file is called."""
    assert status(files.list_files, "/sandbox/\ud800") == 400


def test_a_file_has_no_entries(files: Files) -> None:
    """HT-360."""
    assert files.browse("/sandbox/stdout") == []
    assert files.list_files("/slave/log") == {"file_infos": []}


def test_slashes_too_many_mean_nothing(files: Files) -> None:
    """HT-360, HT-359."""
    assert [entry["path"] for entry in files.browse("/sandbox//sub/")] == ["/sandbox//sub/page.html"]
    assert files.read("//sandbox/stdout", "0") == {"offset": 0, "data": "hello\n"}


def test_the_real_path_is_a_virtual_one_too(files: Files, sandbox: Path) -> None:
    """HT-357, HT-359: also with a file behind it; a file may be attached as well."""
    assert files.read(f"{sandbox}/stdout", "0")["data"] == "hello\n"
    assert files.read("/slave/log", "0")["data"] == "started\n"


def test_roots_are_asked_each_time(sandbox: Path) -> None:
    """HT-359: executors come and go."""
    attached: dict[str, str] = {}
    files = Files(lambda: attached)
    assert status(files.browse, "/sandbox") == 404
    attached["/sandbox"] = str(sandbox)
    assert files.browse("/sandbox")


def test_the_longest_root_counts(files: Files, sandbox: Path, tmp_path: Path) -> None:
    """HT-359: a root below another."""
    attached = {"/a": str(sandbox), "/a/sub": str(tmp_path / "run-10")}
    assert [entry["path"] for entry in Files(lambda: attached).browse("/a/sub")] == ["/a/sub/stdout"]


@pytest.mark.parametrize(
    ("offset", "length", "begin", "data"),
    [
        ("0", "-1", 0, "hello\n"),
        ("0", "2", 0, "he"),
        ("2", "3", 2, "llo"),
        ("4", "100", 4, "o\n"),
        ("6", "5", 6, ""),
        ("99", "5", 99, ""),
        ("3", "0", 3, ""),
        ("-1", "-1", 6, ""),
        ("-1", "3", 6, ""),
    ],
)
def test_read_gives_a_piece(files: Files, offset: str, length: str, begin: int, data: str) -> None:
    """HT-361: with offset -1 only the size, as the offset."""
    assert files.read("/sandbox/stdout", offset, length) == {"offset": begin, "data": data}


def test_read_without_an_offset_gives_the_size(files: Files) -> None:
    """HT-361."""
    assert files.read("/sandbox/stdout") == {"offset": 6, "data": ""}


def test_read_gives_so_much_at_a_time(files: Files, sandbox: Path) -> None:
    """HT-361, HT-373: 65,536 bytes, whether more is asked for or all."""
    (sandbox / "stdout").write_bytes(b"x" * (READ_MAX + 5))
    assert READ_MAX == 65_536
    for length in ("-1", "1000000"):
        assert len(files.read("/sandbox/stdout", "0", length)["data"]) == READ_MAX
    assert files.read("/sandbox/stdout", str(READ_MAX))["data"] == "xxxxx"
    assert len(base64.b64decode(files.read_file("/sandbox/stdout", 0)["data"])) == READ_MAX


def test_text_that_is_none_is_shown_as_far_as_it_is(files: Files, sandbox: Path) -> None:
    """HT-362: READ_FILE and download are exact."""
    (sandbox / "stdout").write_bytes(b"a\xffb\xc3\xa4")
    assert files.read("/sandbox/stdout", "0")["data"] == "a\ufffdbä"
    assert base64.b64decode(files.read_file("/sandbox/stdout", 0)["data"]) == b"a\xffb\xc3\xa4"
    assert files.download("/sandbox/stdout").body == b"a\xffb\xc3\xa4"


def test_a_growing_file_can_be_followed(files: Files, sandbox: Path) -> None:
    """HT-366."""
    followed = ""
    for piece in ("one\n", "two\n", "three\n"):
        with (sandbox / "log").open("a") as log:
            log.write(piece)
        followed += files.read("/sandbox/log", str(len(followed)))["data"]
    assert followed == "one\ntwo\nthree\n"


@pytest.mark.parametrize(
    ("offset", "length", "data"), [(0, None, b"hello\n"), (1, 2, b"el"), (6, None, b""), (99, 3, b""), (0, 0, b"")]
)
def test_read_file_tells_the_size_and_gives_bytes(files: Files, offset: int, length: int | None, data: bytes) -> None:
    """HT-272."""
    told = files.read_file("/sandbox/stdout", offset, length)
    assert told == {"size": 6, "data": base64.b64encode(data).decode()}


def test_download_gives_a_whole_file(files: Files) -> None:
    """HT-363: with the type that its extension says."""
    page = files.download("/sandbox/sub/page.html")
    assert (page.body, page.filename, page.content_type) == (b"<p>", "page.html", "text/html")
    plain = files.download("/sandbox/stdout")
    assert (plain.content_type, plain.disposition) == ("application/octet-stream", "attachment; filename=stdout")
    assert files.download("/slave/log").filename == "agent.log"


def test_the_name_of_a_file_cannot_break_the_head_of_an_answer(files: Files, sandbox: Path) -> None:
    """HT-363, HT-381."""
    (sandbox / "a\r\nX-Evil: ä").write_bytes(b"")
    assert files.download("/sandbox/a\r\nX-Evil: ä").disposition == "attachment; filename=a__X-Evil: _"


def test_a_path_must_be_given(files: Files) -> None:
    """HT-364."""
    for asked in (files.browse, files.list_files, files.read, files.download):
        assert status(asked, "") == 400
    assert status(files.read_file, "", 0) == 400


@pytest.mark.parametrize("text", ["x", "", "1.5", "-2", "1e3", "9" * 40, "²"])
def test_offset_and_length_must_be_numbers(files: Files, text: str) -> None:
    """HT-364."""
    assert status(files.read, "/sandbox/stdout", text) == 400
    assert status(files.read, "/sandbox/stdout", "0", text) == 400


def test_read_file_takes_no_negative_numbers(files: Files) -> None:
    """HT-272, HT-364."""
    assert status(files.read_file, "/sandbox/stdout", -1) == 400
    assert status(files.read_file, "/sandbox/stdout", 0, -1) == 400


def test_a_directory_is_no_file(files: Files) -> None:
    """HT-364."""
    assert status(files.read, "/sandbox/sub", "0") == 400
    assert status(files.read_file, "/sandbox", 0) == 400
    assert status(files.download, "/sandbox/sub") == 400


@pytest.mark.parametrize(
    "path",
    [
        "/sandbox/none",
        "/sandbox/stdout/below",
        "/elsewhere",
        "/",
        "sandbox/stdout",
        "/sandboxes",
        "/slave/log/below",
        "/sandbox/" + "x" * 300,
        "/sandbox/loop",
    ],
)
def test_what_is_not_there_is_not_found(files: Files, sandbox: Path, path: str) -> None:
    """HT-364: whether nothing is attached or there is no such file."""
    (sandbox / "loop").symlink_to("loop")
    for asked in (files.browse, files.list_files, files.read, files.download):
        assert status(asked, path) == 404
    assert status(files.read_file, path, 0) == 404


def test_what_cannot_be_read_is_an_error_of_the_server() -> None:
    """HT-364: nothing is mapped at address 0 of a process, so the system refuses that."""
    files = Files(lambda: {"/mem": "/proc/self/mem"})
    assert status(files.download, "/mem") == 500


@pytest.mark.parametrize(
    "path",
    [
        "/sandbox/../secret",
        "/sandbox/sub/../../secret",
        "/sandbox/../run-10/stdout",
        "/sandbox/../none",
        "/sandbox/out",
        "/sandbox/up/secret",
        "/sandbox/up/none",
        "/sandbox/chain",
        "/sandbox/out-nowhere",
        "/sandbox/\0",
    ],
)
def test_no_path_leads_out(files: Files, sandbox: Path, path: str) -> None:
    """HT-365: neither by dots nor by links; it does not show, either, whether a file is there."""
    (sandbox / "out").symlink_to("../secret")
    (sandbox / "up").symlink_to(sandbox.parent)
    (sandbox / "chain").symlink_to("out")
    (sandbox / "out-nowhere").symlink_to("../none")
    for asked in (files.browse, files.list_files, files.read, files.download):
        assert status(asked, path) == 400
    assert status(files.read_file, path, 0) == 400


def test_links_and_dots_inside_are_followed(files: Files, sandbox: Path) -> None:
    """HT-365."""
    (sandbox / "latest").symlink_to("sub")
    assert files.download("/sandbox/latest/page.html").body == b"<p>"
    assert files.download("/sandbox/sub/../stdout").body == b"hello\n"


def test_a_root_may_be_a_link(files: Files, sandbox: Path, tmp_path: Path) -> None:
    """HT-365, HT-359: `latest` is one, say; what it leads to is the root."""
    (tmp_path / "latest").symlink_to(sandbox)
    linked = Files(lambda: {"/latest": str(tmp_path / "latest")})
    assert linked.download("/latest/stdout").body == b"hello\n"
    assert status(linked.download, "/latest/../secret") == 400


def test_browse_reveals_nothing_of_what_links_lead_to_outside(files: Files, sandbox: Path) -> None:
    """HT-365: such a link is shown as a link; one that leads nowhere is left out."""
    (sandbox / "out").symlink_to("../secret")
    (sandbox / "latest").symlink_to("sub")
    (sandbox / "nowhere").symlink_to("none")
    modes = {entry["path"]: entry["mode"][0] for entry in files.browse("/sandbox")}
    assert modes == {"/sandbox/latest": "d", "/sandbox/out": "l", "/sandbox/stdout": "-", "/sandbox/sub": "d"}
    (link,) = (entry for entry in files.browse("/sandbox") if entry["path"] == "/sandbox/out")
    assert link["size"] == len("../secret")


def test_a_pipe_in_a_sandbox_blocks_nobody(files: Files, sandbox: Path) -> None:
    """HT-380, HT-364: a task may have made one that nobody writes to."""
    os.mkfifo(sandbox / "pipe")
    assert status(files.read, "/sandbox/pipe", "0") == 400
    assert status(files.download, "/sandbox/pipe") == 400
