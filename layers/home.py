"""Where the private cluster lives: in the data folder or, when its account can't enter that, under ``/var/lib``."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from geo.errors import SetupError
from layers.account import Account
from layers.datadir import CLUSTER, CLUSTER_AT

OUTSIDE = Path("/var/lib/casamaps")
_MARKER = "data-dir"


def _record(data_dir: Path) -> Path | None:
    try:
        folder = Path((data_dir / CLUSTER_AT).read_text(encoding="utf-8").strip())
    except OSError:
        return None
    return folder if folder.parent == OUTSIDE and re.fullmatch(r"[0-9a-f]{12}", folder.name) else None


def outside_folder(data_dir: Path) -> Path | None:
    """Return the folder under ``/var/lib`` that belongs to this data folder, or None.

    Each of the two names the other. A copied checkout names the original's folder, which names the original: the copy
    gets a cluster of its own. A moved checkout keeps its cluster.
    """
    folder = _record(data_dir)
    if folder is None:
        return None
    try:
        named = Path((folder / _MARKER).read_text(encoding="utf-8"))
        if named != data_dir:
            if _record(named) == folder:
                return None
            (folder / _MARKER).write_text(str(data_dir), encoding="utf-8")
    except OSError:
        return None
    return folder


def find(data_dir: Path) -> Path | None:
    """Return the data directory of the existing cluster, or None when there is none yet."""
    inside = data_dir / CLUSTER
    if inside.is_dir():
        return inside
    folder = outside_folder(data_dir)
    cluster = folder / CLUSTER if folder else None
    return cluster if cluster and cluster.is_dir() else None


def _make_outside(data_dir: Path) -> Path:
    OUTSIDE.mkdir(mode=0o755, parents=True, exist_ok=True)
    OUTSIDE.chmod(0o755)  # whatever root's umask is, the server's account must pass
    folder = OUTSIDE / secrets.token_hex(6)
    folder.mkdir()
    folder.chmod(0o755)
    (folder / _MARKER).write_text(str(data_dir), encoding="utf-8")
    draft = data_dir / f"{CLUSTER_AT}.new"
    draft.write_text(f"{folder}\n", encoding="utf-8")
    draft.replace(data_dir / CLUSTER_AT)
    return folder


def settle(data_dir: Path, account: Account) -> Path:
    """Return the data directory for the cluster, existing or to be made, in a place that its account can enter."""
    existing = find(data_dir)
    if os.geteuid() != 0:
        return existing or data_dir / CLUSTER
    if existing is None:
        if account.can_enter(data_dir):
            return data_dir / CLUSTER
        return (outside_folder(data_dir) or _make_outside(data_dir)) / CLUSTER
    if existing.stat().st_uid != account.uid:
        account.give(existing)  # a checkout copied by root has lost its owners
    if account.can_enter(existing):
        return existing
    if existing.parent != data_dir:
        raise SetupError("setup.cluster_shut", path=str(existing), account=account.name)
    # The folders above were closed since: a rename keeps the data, and is done wholly or not at all.
    target = _make_outside(data_dir) / CLUSTER
    try:
        existing.rename(target)
    except OSError as error:
        raise SetupError("setup.cluster_shut", path=str(existing), account=account.name) from error
    return target


def clear_drafts(parent: Path) -> None:
    """Delete clusters that were never finished; none of them has held data."""
    for _ in range(20):  # processes of a killed initdb may write a last file
        drafts = list(parent.glob(f"{CLUSTER}.new-*"))
        for draft in drafts:
            shutil.rmtree(draft, ignore_errors=True)
        if not drafts:
            break


def remove(data_dir: Path) -> None:
    """Delete the cluster, wherever it lives."""
    folder = outside_folder(data_dir)
    clear_drafts(data_dir)
    shutil.rmtree(data_dir / CLUSTER, ignore_errors=True)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # other instances live there
            OUTSIDE.rmdir()
    (data_dir / CLUSTER_AT).unlink(missing_ok=True)
