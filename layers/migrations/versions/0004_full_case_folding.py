"""CASEI folds case fully, as Unicode has it: ``Straße`` and ``STRASSE`` are one word, and so are ``ς`` and ``σ``."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Replace the function; by capitals and back, as this PostgreSQL has no folding of its own."""
    op.execute(
        """
        CREATE OR REPLACE FUNCTION catalogue.casei(text) RETURNS text
        LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
        AS $$
            SELECT replace(lower(upper($1 COLLATE "und-x-icu") COLLATE "und-x-icu"), 'ς', 'σ') COLLATE "C"
        $$
        """
    )
