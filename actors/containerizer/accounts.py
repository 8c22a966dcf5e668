"""As whom a command runs (http.md HT-245): as its own user, else as its framework's, if we may act for others.

Only root may. There is no such thing in `posix_spawn`, so setpriv, of util-linux, becomes the command.
"""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Sequence


def account_of(user: str) -> pwd.struct_passwd | None:
    """The account that belongs to that name or number; None if it is our own.

    Raises:
        PermissionError: there is none, or we may not act for it.
    """
    own = os.geteuid()
    try:
        account = pwd.getpwuid(int(user)) if user.isdecimal() else pwd.getpwnam(user)
    except KeyError:
        if user == str(own):  # nobody has given this user a name, as in many containers
            return None
        raise PermissionError(f"it is to run as user {user!r}, and there is no such user here") from None
    if account.pw_uid == own:
        return None
    if own != 0:
        raise PermissionError(
            f"it is to run as user {user!r}, but we are user {own}, and only root acts for others: leave `user` out"
        )
    return account


def switched(argv: Sequence[str], account: pwd.struct_passwd) -> list[str]:
    """The command, run as that account, with the groups it is in.

    Raises:
        PermissionError: there is nothing here to switch users with.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise PermissionError(f"to run it as user {account.pw_name!r} takes setpriv, of util-linux, which is not here")
    return [setpriv, f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--init-groups", "--", *argv]


def give(folder: str, account: pwd.struct_passwd) -> None:
    """Let a folder, and what is in it, belong to that account; where links lead stays whose it is."""
    os.chown(folder, account.pw_uid, account.pw_gid)
    for path, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(os.path.join(path, name), account.pw_uid, account.pw_gid, follow_symlinks=False)
