"""An index over the geography of every layer's table, for the order of distances in metres."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Index the tables that are there; new ones are made with the index (``layers/tables.py``)."""
    op.execute(
        """
        DO $$
        DECLARE
            layer record;
        BEGIN
            FOR layer IN
                SELECT f_table_name AS name, srid FROM public.geometry_columns
                WHERE f_table_schema = 'features' AND f_geometry_column = 'geom'
            LOOP
                EXECUTE format(
                    'CREATE INDEX IF NOT EXISTS %I ON features.%I USING gist (public.geography(%s))',
                    layer.name || '_geog_idx', layer.name,
                    CASE layer.srid WHEN 4326 THEN 'geom' ELSE 'public.ST_Transform(geom, 4326)' END);
            END LOOP;
        END $$
        """
    )
