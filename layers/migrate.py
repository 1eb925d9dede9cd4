"""Brings the database's own tables to the newest migration."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

from layers.database import admin_engine
from layers.search.functions import keep_functions

EXTENSIONS = ("postgis", "pg_trgm", "unaccent")
#: Key of the advisory lock that lets one process at a time migrate or load shipped data.
UPGRADE_LOCK = 4_201_126


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def newest_revision() -> str:
    """Return the revision that the code expects the database to have."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "the project has migrations"
    return head


def upgrade(url: str) -> None:
    """Create extensions where missing, run all outstanding migrations and keep the functions, in one transaction."""
    with admin_engine(url).begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
        present = set(connection.scalars(text("SELECT extname FROM pg_extension")))
        for extension in EXTENSIONS:
            if extension not in present:
                connection.execute(text(f"CREATE EXTENSION {extension}"))
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS catalogue"))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        keep_functions(connection)
