"""CASEI folds the capital ``ẞ`` like the small one: ``STRAẞE``, ``Straße`` and ``STRASSE`` are one word."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Replace the function; by small letters first, as the capital has no other."""
    op.execute(
        """
        CREATE OR REPLACE FUNCTION catalogue.casei(text) RETURNS text
        LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
        AS $$
            SELECT replace(
                lower(upper(lower($1 COLLATE "und-x-icu") COLLATE "und-x-icu") COLLATE "und-x-icu"), 'ς', 'σ'
            ) COLLATE "C"
        $$
        """
    )
