"""``./casamaps reset``: removes what CasaMaps made, and nothing else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import click

from api.cli import assets
from api.cli.bootstrap import IN_USE, use_environment
from api.cli.console import done, err, say
from api.settings import PROJECT, Settings
from geo.errors import SetupError
from layers import home
from layers.cluster import Cluster
from layers.datadir import CLUSTER, MANIFEST, read_manifest

#: What the launcher and the installations make beside the data; the environment, in which we run, goes last.
ENVIRONMENT = (
    "web", "web.new", "web.old", "web.lock", "node", "node.new", "setup.log", "setup.lock", IN_USE, "venv",
)  # fmt: skip
SCHEMAS = ("features", "directory", "catalogue")


def _size(path: Path) -> int:
    if not path.is_dir() or path.is_symlink():
        return path.lstat().st_size
    total = 0
    for folder, _, files in os.walk(path):
        for name in files:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size  # noqa: PTH118 - many files
            except OSError:
                continue
    return total


def made_here(settings: Settings) -> list[Path]:
    """Return all that CasaMaps made for this checkout and this data folder, as far as it exists."""
    found: list[Path] = []
    manifest = read_manifest(settings.data_dir)
    if manifest:
        outside = home.outside_folder(settings.data_dir)
        found += [outside] if outside else []
        found += [settings.data_dir / name for name in (*manifest.names, MANIFEST)]
    found += [assets.HOME / name for name in ENVIRONMENT]
    return [path for path in found if os.path.lexists(path)]


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def reset(settings: Settings, *, yes: bool) -> None:
    """List what was made, ask, and remove it.

    Raises
    ------
    SetupError
        If a command of this instance is running, or something can't be removed.
    """
    paths = made_here(settings)
    console = err()
    if settings.database_url:
        console.print(say("reset.own_database", schemas=", ".join(SCHEMAS)), markup=False)
    console.print(say("reset.list"), markup=False)
    for path in paths:
        console.print(f"  {path}  ({_size(path) / 1e6:.1f} MB)", markup=False)
    if not yes and not click.confirm(say("reset.ask"), default=False, err=True):
        console.print(say("reset.nothing"), markup=False)
        return
    made = read_manifest(settings.data_dir)
    try:
        with use_environment(alone=True):
            if made:
                Cluster(settings.data_dir, label="reset").remove()
            for path in paths:
                if path.name != CLUSTER:
                    _remove(path)
            _remove(assets.HOME / IN_USE)  # our own mark of now
            for folder in (settings.data_dir if made and made.made else None, assets.HOME):
                if folder and folder.is_dir() and not any(folder.iterdir()):
                    folder.rmdir()
    except BlockingIOError as error:
        raise SetupError("setup.in_use", path=str(PROJECT)) from error
    except OSError as error:
        raise SetupError("setup.remove", path=str(error.filename), reason=error.strerror or str(error)) from error
    done("reset.done")
