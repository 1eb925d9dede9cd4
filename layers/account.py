"""The system account that runs the private server, and the folders that it, and nobody else, may enter."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from geo.errors import SetupError

# PostgreSQL refuses to run as root. Debian's package makes the first of these accounts, other systems the next ones.
SERVER_ACCOUNTS = ("postgres", "_postgres", "_postgresql", "pgsql", "daemon")


class Identity(TypedDict, total=False):
    """The arguments of :class:`subprocess.Popen` that change the account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """A system account."""

    name: str
    uid: int
    gid: int

    def identity(self) -> Identity:
        """Return what a subprocess needs to run under this account: nothing, where it is our own."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, folder: Path) -> bool:
        """Tell whether this account can enter a folder through all that lies above it."""
        return (
            subprocess.run(  # noqa: S603 - a fixed program
                ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)],
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                **self.identity(),
            ).returncode
            == 0
        )

    def give_file(self, path: Path) -> None:
        """Make this account the owner of one file or folder."""
        if self.uid != os.geteuid():
            os.chown(path, self.uid, self.gid)

    def give(self, folder: Path) -> None:
        """Make this account the owner of a folder and of all in it."""
        if self.uid == os.geteuid():
            return
        self.give_file(folder)
        for parent, folders, files in os.walk(folder):
            for name in [*folders, *files]:
                os.chown(Path(parent, name), self.uid, self.gid, follow_symlinks=False)


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def own_account() -> Account:
    """Return the account under which this command runs."""
    try:
        return _account(pwd.getpwuid(os.geteuid()))
    except KeyError as error:
        raise SetupError("setup.account_unknown", uid=str(os.geteuid())) from error


def server_account(cluster: Path) -> Account:
    """Return the account for the server of a cluster, which need not exist yet.

    An existing cluster belongs to its owner. A new one belongs to whoever runs the command, but to PostgreSQL's own
    account when that is root.

    Raises
    ------
    SetupError
        If root finds no account to use, or the cluster belongs to somebody else.
    """
    own = own_account()
    try:
        owner: int | None = cluster.stat().st_uid
    except FileNotFoundError:
        owner = None
    except PermissionError as error:
        raise SetupError("setup.cluster_owner", path=str(cluster), owner="?", account=own.name) from error
    if own.uid != 0:
        if owner is not None and owner != own.uid:
            raise SetupError("setup.cluster_owner", path=str(cluster), owner=_name(owner), account=own.name)
        return own
    if owner:
        try:
            return _account(pwd.getpwuid(owner))
        except KeyError as error:
            raise SetupError("setup.account_unknown", uid=str(owner)) from error
    for name in SERVER_ACCOUNTS:
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    raise SetupError("setup.account", accounts=", ".join(SERVER_ACCOUNTS))


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


SOCKET_PREFIX = "casamaps-"


def make_socket_dir(account: Account) -> Path:
    """Make a new, short folder for the server's socket that only its account can enter.

    A fresh random name each time: a folder that somebody else prepared in ``/tmp`` can't be mistaken for ours.
    XDG_RUNTIME_DIR isn't used: it goes away when its user logs out, and the service may stay.
    """
    for base in ("/run", "/tmp", "/var/tmp"):  # noqa: S108 - mkdtemp makes a private folder
        if base == "/run" and os.geteuid() != 0:
            continue
        try:
            made = Path(tempfile.mkdtemp(prefix=SOCKET_PREFIX, dir=base))
        except OSError:
            continue
        try:
            made.chmod(0o700)
            account.give(made)
            if account.can_enter(made):
                return made
        except BaseException:
            made.rmdir()
            raise
        made.rmdir()
    raise SetupError("setup.socket", account=account.name)


def remove_socket_dir(folder: Path, account: Account) -> None:
    """Remove a socket's folder of a server that has ended, if it is one of ours."""
    try:
        found = folder.lstat()
    except OSError:
        return
    if folder.name.startswith(SOCKET_PREFIX) and stat.S_ISDIR(found.st_mode) and found.st_uid == account.uid:
        shutil.rmtree(folder, ignore_errors=True)
