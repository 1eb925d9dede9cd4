"""The annuaire as a layer: a view that shows its entries as the layers' own tables show features."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the view, and the indexes that a layer's questions are answered by."""
    # Entries that belong to an internal layer are for nobody; no layer's id has a wildcard of LIKE.
    op.execute(
        """
        CREATE VIEW features.directory AS
        SELECT e.fid, e.id, e.category, e.name_fr, e.name_ar, e.address_fr, e.address_ar, e.phone, e.website,
            e.opening_hours, e.opening_hours_ramadan, e.services, e.wheelchair, e.operator, e.district_code,
            e.source, e.as_of,
            e.geom, e.id AS entry_id, e.dataset, e.updated_at
        FROM directory.entries e
        WHERE NOT EXISTS (
            SELECT FROM catalogue.layers l
            WHERE l.definition ->> 'visibility' = 'internal' AND e.dataset LIKE l.id || ':%'
        )
        """
    )
    op.execute("CREATE INDEX entries_geog_idx ON directory.entries USING gist (public.geography(geom))")
    op.create_index("ix_directory_entries_category", "entries", ["category"], schema="directory")
