"""Keeps the SQL functions of the search as the files beside this one say, whatever the database had before."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

#: In this order, as each calls those before it.
FILES = ("words.sql", "streets.sql", "things.sql", "entries.sql")
_DIGEST = "SELECT obj_description('search'::regnamespace, 'pg_namespace')"
#: All but those that a column or an index is made of, which are migrations' to change.
_DROP = """
    DO $$
    DECLARE
        one regprocedure;
    BEGIN
        FOR one IN
            SELECT p.oid FROM pg_proc p
            WHERE p.pronamespace = 'search'::regnamespace AND NOT EXISTS (
                SELECT FROM pg_depend d WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid)
        LOOP
            EXECUTE format('DROP FUNCTION %s', one);
        END LOOP;
    END $$
"""


def keep_functions(connection: Connection) -> None:
    """Make the functions anew where the files have changed; the schema's comment says which it has."""
    written = "\n".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in FILES)
    digest = f"functions {hashlib.sha256(written.encode()).hexdigest()}"
    if connection.scalar(text(_DIGEST)) == digest:
        return
    connection.execute(text(_DROP))
    # Past SQLAlchemy, for which a colon or a percent sign in a function is its own.
    raw: Any = connection.connection.driver_connection
    raw.execute(written)
    connection.execute(text(f"COMMENT ON SCHEMA search IS '{digest}'"))
