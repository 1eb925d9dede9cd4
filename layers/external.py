"""Checks a database that the operator brings along, before anything is done to it."""

from __future__ import annotations

import re

import psycopg

from geo.errors import SetupError
from layers.migrate import EXTENSIONS
from layers.postgres import OLDEST


def without_password(url: str) -> str:
    """Return the address without its password, for messages."""
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1@", url)


def check_database(url: str, *, create: bool = True) -> None:
    """Check that the database answers, is new enough, holds Unicode, and has PostGIS or (``create``) lets us make it.

    Raises
    ------
    SetupError
        Saying which of these fails; the password is never part of it.
    """
    address = without_password(url)
    try:
        connection = psycopg.connect(re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url), connect_timeout=10)
    except psycopg.Error as error:
        reason = (str(error).strip().splitlines() or ["?"])[-1]
        raise SetupError(
            "setup.database", url=address, reason=without_password(reason), log=without_password(str(error))
        ) from error
    with connection:
        if connection.info.server_version < OLDEST * 10000:
            major = str(connection.info.server_version // 10000)
            raise SetupError("setup.database_version", url=address, version=major, oldest=str(OLDEST))
        encoding = connection.info.parameter_status("server_encoding") or "?"
        if encoding != "UTF8":
            raise SetupError("setup.database_encoding", url=address, encoding=encoding)
        names = list(EXTENSIONS)
        rows = connection.execute(
            "SELECT name, installed_version FROM pg_available_extensions WHERE name = ANY(%s)", [names]
        ).fetchall()
        available: dict[str, str | None] = dict(rows)
        for name in names:
            if name not in available:
                raise SetupError("setup.database_extension", url=address, extension=name)
            if available[name] is None and create:
                try:
                    connection.execute(f"CREATE EXTENSION {name}")
                except psycopg.Error as error:
                    raise SetupError(
                        "setup.database_create",
                        url=address,
                        extension=name,
                        remedy=f"CREATE EXTENSION {name};",
                        log=str(error),
                    ) from error
