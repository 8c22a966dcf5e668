"""`mesolite up`: what it cannot do it says in the words of its options, with status 2; and it says where it listens."""

from __future__ import annotations

import pathlib
import signal
import subprocess

import pytest

from tests.command_line.calling import command, mesolite


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("--http nonsense", "--http: 'nonsense' is no address; give '127.0.0.1:5050', or ':0' for any free port"),
        ("--http=", "--http: '' is no address"),
        ("--http [::1]:0", "--http: '[::1]:0' is an address of IPv6, and only IPv4 is served"),
        ("--http https://:0", "--http: 'https://:0' wants TLS, for which a certificate and its key are needed"),
        ("--http 0.0.0.0:0", "--http 0.0.0.0:0 can be reached from other machines, and whoever comes may do"),
        ("--http 0.0.0.0:0", "give --credentials FILE, or --open-to-all"),
        ("--http :0 --key k.pem", "--key k.pem is given without --certificate"),
        ("--http :0 --certificate c.pem", "c.pem with the key in the same file: No such file"),
        ("--http :0 --resources junk", "--resources: junk: a name and a value need ':' between them"),
        ("--http :0 --credentials colon", "--credentials colon: the principal 'a:b' of the credentials could never"),
        ("--http :0 --credentials three", "three, line 1: it must be a principal and its secret"),
    ],
)
def test_what_cannot_be_is_said_in_the_words_of_the_options(
    given: str, says: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody who calls a command knows of classes and their arguments."""
    (tmp_path / "colon").write_text("a:b secret\n")
    (tmp_path / "three").write_text("a b c\n")
    monkeypatch.chdir(tmp_path)

    called = mesolite("up", *given.split())

    assert called.exit_code == 2
    assert says in called.stderr
    assert "Http(" not in called.stderr
    assert "http=" not in called.stderr
    assert called.stdout == ""


def lived(folder: pathlib.Path, *line: str) -> tuple[list[str], str]:
    """What it says of one master and one agent, and what it has logged when it has been told to end."""
    up = subprocess.Popen(line, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with up:
        assert up.stdout is not None
        said = [up.stdout.readline() for _ in range(3)]
        up.send_signal(signal.SIGTERM)
        _, logged = up.communicate()
    assert up.returncode == 0
    return said, logged


def test_it_says_where_everybody_listens_until_it_is_told_to_end(tmp_path: pathlib.Path) -> None:
    """With credentials it may listen everywhere."""
    (tmp_path / "secrets").write_text("ann secret\n")

    said, _ = lived(tmp_path, *command("up", "--http", "0.0.0.0:0", "--credentials", "secrets"))

    assert said[0].startswith("master-1 leads  http://")
    assert said[1].startswith("agent-1  http://")
    assert "0.0.0.0" not in said[0] + said[1]


def test_what_somebody_should_look_at_is_logged_on_standard_error(tmp_path: pathlib.Path) -> None:
    """As that it may open fewer files than many streams need, which nobody would see elsewhere (HT-379)."""
    limited = ["sh", "-c", 'ulimit -n 256 && exec "$@"', "sh"]

    said, logged = lived(tmp_path, *limited, *command("up", "--http", "127.0.0.1:0"))

    assert said[-1] == "SIGUSR1 drains its agents, Ctrl-C ends it.\n"
    assert "WARNING" in logged
    assert "This process may open 256 files and sockets" in logged
