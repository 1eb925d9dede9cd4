"""The database of a command: the operator's own, or the private cluster for as long as the command runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from api.cli.console import note
from api.cli.packages import PROJECT, ensure
from api.settings import Settings


def forget_postgres_settings() -> None:
    """Drop PGHOST, PGSERVICE, PGOPTIONS … of the user's shell: they speak of other servers than ours."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]


def cluster_version(settings: Settings) -> int | None:
    """Return the major version of PostgreSQL that made the existing cluster, or None."""
    from layers import home

    data = home.find(settings.data_dir)
    try:
        return int((data / "PG_VERSION").read_text(encoding="ascii")) if data else None
    except (OSError, ValueError):
        return None


def say_packages(names: list[str]) -> None:
    """Say which packages of the system are about to be installed."""
    if names:
        note("packages.install", names=" ".join(names))
    else:
        note("packages.update")


@contextmanager
def open_database(settings: Settings, label: str, *, share: bool = False) -> Iterator[str]:
    """Give the database's URL for the time of a block.

    Parameters
    ----------
    label : str
        What other commands are told about this one while it owns the cluster.
    share : bool
        Use the cluster of a command that is running, if there is one.
    """
    if settings.database_url:
        from layers.external import check_database

        check_database(settings.database_url)
        yield settings.database_url
        return
    forget_postgres_settings()
    from layers.cluster import Cluster

    cluster = Cluster(settings.data_dir, label=label)
    if share and cluster.attach():
        yield cluster.url
        return
    ensure({"postgres"}, say_packages, PROJECT / ".casamaps" / "setup.log", major=cluster_version(settings), ask=True)
    said: set[str] = set()

    def progress(step: str) -> None:
        if step not in said and step not in ("start", "database"):
            said.add(step)
            note(f"cluster.{step}")

    try:
        cluster.start(progress)
        with cluster.kept_alive():
            yield cluster.url
    finally:
        cluster.stop()
