"""Removing folders of every shape, and saying what could not be removed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesolite.actors.containerizer.removal import remove_tree

NOBODY = 65534
DEPTH = 3000  # three times as deep as Python calls itself, and as files may be open


def dig(top: Path, depth: int, name: str = "d") -> None:
    """Make a folder so deep that it has no path."""
    fd = os.open(top, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=fd)
        os.close(os.open(f"{name}-file", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
        below = os.open(name, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(fd)


def open_files() -> int:
    return len(os.listdir("/dev/fd"))


@pytest.mark.slow
def test_a_tree_of_any_depth_goes(tmp_path: Path) -> None:
    """Deeper than Python calls itself, and longer than any path; no file stays open."""
    top, before = tmp_path / "top", open_files()
    top.mkdir()
    dig(top, DEPTH)
    dig(top, 100, "x" * 200)

    assert remove_tree(str(top)) == []

    assert not top.exists()
    assert open_files() == before


def test_a_wide_tree_goes(tmp_path: Path) -> None:
    """Files, pipes, empty folders, names that are no text, names that need quotes."""
    top = tmp_path / "top"
    for folder in ("a", "b/c", "b/d", " e\n", "-rf"):
        (top / folder).mkdir(parents=True)
        (top / folder / "file").touch()
        os.mkfifo(top / folder / "pipe")
    (Path(os.fsdecode(os.fsencode(top) + b"/\xff"))).mkdir()

    assert remove_tree(str(top)) == []

    assert not top.exists()


def test_links_are_not_followed(tmp_path: Path) -> None:
    """Neither to a folder, nor to a file, nor to nowhere."""
    top, kept = tmp_path / "top", tmp_path / "kept"
    for folder in (top, kept):
        folder.mkdir()
    (kept / "file").touch()
    (top / "folder").symlink_to(kept)
    (top / "file").symlink_to(kept / "file")
    (top / "nowhere").symlink_to("nowhere")

    assert remove_tree(str(top)) == []

    assert not top.exists()
    assert (kept / "file").exists()


def test_what_is_gone_already_is_well(tmp_path: Path) -> None:
    """Somebody else may have removed it."""
    assert remove_tree(str(tmp_path / "never was")) == []


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """It stays, and so does a link to a folder."""
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path)

    for name in ("file", "link"):
        assert len(remove_tree(str(tmp_path / name))) == 1
        assert (tmp_path / name).exists()


def test_what_cannot_be_removed_is_told_and_the_rest_of_the_telling_is_counted() -> None:
    """In the kernel's own folders nothing can be removed by anybody."""
    left = remove_tree(f"/proc/{os.getpid()}/task")

    assert len(left) == 11
    assert left[-1].startswith("and ")
    assert "Operation not permitted" in left[0]


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that an ordinary user comes to. To pytest's own, every run of pytest that begins bars the way."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.parametrize("mode", [0o000, 0o400, 0o500, 0o100])
def test_folders_without_permissions_go_for_an_ordinary_user(open_to_all: Path, mode: int) -> None:
    """Their owner may change them, so they are no obstacle."""
    top = open_to_all / "top"
    (top / "closed" / "below").mkdir(parents=True)
    (top / "closed" / "below" / "file").touch()
    closed = [top / "closed" / "below", top / "closed", top]
    become = ""
    if os.geteuid() == 0:
        for folder in (open_to_all, *closed, closed[0] / "file"):
            os.chown(folder, NOBODY, NOBODY)
        become = f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})"
    script = f"import os, sys\nfrom {remove_tree.__module__} import remove_tree\n{become}\n"
    script += "print(remove_tree(sys.argv[1]))"
    for folder in closed:
        folder.chmod(mode)

    told = subprocess.run([sys.executable, "-c", script, str(top)], capture_output=True, text=True, check=True).stdout

    assert told == "[]\n"
    assert not top.exists()


MOUNTING = """
import subprocess, sys
from mesolite.actors.containerizer.removal import remove_tree
top, kept = sys.argv[1:]
subprocess.run(["mount", "--bind", kept, f"{top}/a/with space"], check=True)
print(remove_tree(top))
"""


def test_what_is_mounted_below_is_not_emptied(tmp_path: Path) -> None:
    """It may be anything, and be the same file system: it is told, all beside it goes, and its content stays."""
    top, kept = tmp_path / "top", tmp_path / "kept"
    for folder in (top / "a" / "with space", top / "b", kept):
        folder.mkdir(parents=True)
    (kept / "file").touch()
    (top / "b" / "file").touch()
    alone = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]

    command = [*alone, sys.executable, "-c", MOUNTING, str(top), str(kept)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    path = str(top / "a" / "with space")
    assert told == f"{[f'{path!r}: something is mounted there']}\n"
    assert (kept / "file").exists()
    assert [path.name for path in top.iterdir()] == ["a"]
