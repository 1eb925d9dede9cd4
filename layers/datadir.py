"""The folder of one instance: which names in it are ours, and which command is at work in it."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path

from geo.errors import SetupError

MANIFEST = "casamaps.json"
CLUSTER = "cluster"
CLUSTER_AT = "cluster-at"
LOGS = "logs"
LOCK = "lock"
NAMES = (LOCK, LOGS, CLUSTER, CLUSTER_AT)


@dataclass(frozen=True)
class Manifest:
    """What CasaMaps made in a data folder: the folder itself or not, and the names in it."""

    made: bool
    names: tuple[str, ...]


def read_manifest(data_dir: Path) -> Manifest | None:
    """Return the manifest of a data folder, or None where CasaMaps has made nothing yet."""
    try:
        raw = json.loads((data_dir / MANIFEST).read_text(encoding="utf-8"))
        return Manifest(bool(raw["made"]), tuple(name for name in raw["names"] if name in NAMES))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def prepare(data_dir: Path) -> None:
    """Make the data folder where it is missing and claim our names in it, once.

    The folder may hold other people's files, so a name that was there before us is refused: ``reset`` removes only what
    the manifest lists.

    Raises
    ------
    SetupError
        If the folder can't be written, or one of our names is taken.
    """
    if read_manifest(data_dir) is not None:
        return
    try:
        made = not data_dir.exists() or not any(data_dir.iterdir())
        data_dir.mkdir(parents=True, exist_ok=True)
        folder = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)  # two first starts at once: one of them claims
            if read_manifest(data_dir) is not None:
                return
            taken = [name for name in NAMES if os.path.lexists(data_dir / name)]
            if taken:
                raise SetupError("setup.foreign", path=str(data_dir / taken[0]))
            draft = data_dir / f"{MANIFEST}.new"
            draft.write_text(json.dumps({"made": made, "names": NAMES}) + "\n", encoding="utf-8")
            draft.replace(data_dir / MANIFEST)
        finally:
            os.close(folder)
    except OSError as error:
        raise SetupError("setup.data_dir", path=str(data_dir), reason=error.strerror or str(error)) from error


@dataclass(frozen=True)
class Holder:
    """The command that is at work in a data folder."""

    pid: int
    label: str


class Lock:
    """Says that one command at a time owns a data folder; the kernel releases it however the command ends."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / LOCK
        self._file: int | None = None

    @property
    def held(self) -> bool:
        """Tell whether this object holds the lock."""
        return self._file is not None

    def acquire(self, label: str) -> bool:
        """Take the lock without waiting and leave ``label`` for others to read; False if another command has it."""
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise SetupError(
                "setup.data_dir", path=str(self._path.parent), reason=error.strerror or str(error)
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return False
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps({"pid": os.getpid(), "label": label}).encode(), 0)
        self._file = file
        return True

    def holder(self) -> Holder | None:
        """Return the command that holds the lock now, or None."""
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            try:
                raw = json.loads(os.pread(file, 4096, 0))
                return Holder(int(raw["pid"]), str(raw["label"]))
            except (ValueError, KeyError, TypeError):
                return Holder(0, "?")
        finally:
            os.close(file)
        return None

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None
