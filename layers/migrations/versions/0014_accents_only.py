"""ACCENTI takes away what stands above, below or through letters, and nothing else: dashes and ligatures stay."""

import unicodedata

from alembic import op

revision = "0014"
down_revision = "0013"

#: Kept together with letters for their looks, it is no sound.
_TATWEEL = 0x0640
#: What stands between two marks nobody has assigned yet, or lies far apart.
_GAP = 16


def _marks() -> str:
    """Return all nonspacing marks, and the tatweel, as ranges of a regular expression of PostgreSQL."""
    ranges: list[list[int]] = []
    for code in range(0x110000):
        if unicodedata.category(chr(code)) != "Mn" and code != _TATWEEL:
            continue
        if ranges and code - ranges[-1][1] <= _GAP and _unassigned(ranges[-1][1] + 1, code):
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"\\U{first:08X}-\\U{last:08X}" for first, last in ranges)


def _unassigned(first: int, end: int) -> bool:
    return all(unicodedata.category(chr(code)) == "Cn" for code in range(first, end))


def upgrade() -> None:
    """Replace the function, and make the stored names of entries anew, which go on folding ligatures and dashes."""
    op.execute("DROP INDEX directory.entries_plain_idx")
    op.execute("ALTER TABLE directory.entries DROP COLUMN plain")
    # Put together again: a letter of a script that only its decomposition takes apart is one letter still.
    raw = op.get_bind().connection.driver_connection
    raw.execute(
        f"""
        CREATE OR REPLACE FUNCTION catalogue.accenti(text) RETURNS text
        LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
        AS $$
            SELECT CASE WHEN octet_length($1) = length($1) THEN $1 ELSE
                translate(normalize(regexp_replace(normalize($1, NFD), '[{_marks()}]', '', 'g'), NFC),
                    'øØłŁđĐħĦŧŦ', 'oOlLdDhHtT')
            END
        $$;
        CREATE OR REPLACE FUNCTION search.plain(written text) RETURNS text
        LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
        AS $$
            SELECT translate(public.unaccent('public.unaccent', catalogue.accenti(catalogue.casei(written))),
                'ٱىةیکگڭڨ', 'ايهيكككك') COLLATE "C"
        $$;
        ALTER TABLE directory.entries ADD COLUMN plain text GENERATED ALWAYS AS (
            search.plain(
                name_fr || ' ' || name_ar || ' ' || coalesce(address_fr, '') || ' ' || coalesce(address_ar, ''))
        ) STORED;
        CREATE INDEX entries_plain_idx ON directory.entries USING gin (plain public.gin_trgm_ops);
        """
    )
