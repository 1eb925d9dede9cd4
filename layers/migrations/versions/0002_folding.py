"""The foldings of CQL2: casei and accenti."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the functions; both are immutable, so that indexes may use them."""
    op.execute(
        """
        CREATE FUNCTION catalogue.casei(text) RETURNS text
        LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
        AS $$ SELECT lower($1 COLLATE "und-x-icu") COLLATE "C" $$
        """
    )
    # Latin letters lose their accents, Arabic ones their vowel signs and the tatweel.
    op.execute(
        """
        CREATE FUNCTION catalogue.accenti(text) RETURNS text
        LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
        AS $$
            SELECT public.unaccent('public.unaccent', regexp_replace(
                normalize($1, NFD), U&'[\\0300-\\036F\\064B-\\065F\\0670\\0640]', '', 'g'))
        $$
        """
    )
