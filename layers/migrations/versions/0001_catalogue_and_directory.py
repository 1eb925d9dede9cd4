"""The catalogue of layers, the annuaire, and the schema of the layers' own tables."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import ARRAY, JSON

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the schemas and their tables."""
    op.execute("CREATE SCHEMA IF NOT EXISTS features")
    op.execute("CREATE SCHEMA IF NOT EXISTS directory")
    now = sa.func.now()
    op.create_table(
        "layers",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("definition", JSON, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("row_count", sa.BigInteger, nullable=False, server_default="0"),
        *(sa.Column(side, sa.Double) for side in ("west", "south", "east", "north")),
        sa.Column("starts", sa.DateTime(timezone=True)),
        sa.Column("ends", sa.DateTime(timezone=True)),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        schema="catalogue",
    )
    op.create_table(
        "shipped",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        schema="catalogue",
    )
    op.create_table(
        "entries",
        sa.Column("id", sa.Text, sa.CheckConstraint("btrim(id) <> ''", name="entries_id_filled"), primary_key=True),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("name_fr", sa.Text, nullable=False),
        sa.Column("name_ar", sa.Text, nullable=False),
        sa.Column("address_fr", sa.Text),
        sa.Column("address_ar", sa.Text),
        sa.Column("phone", ARRAY(sa.Text)),
        sa.Column("website", sa.Text),
        sa.Column("opening_hours", sa.Text),
        sa.Column("services", ARRAY(sa.Text)),
        sa.Column("wheelchair", sa.Text),
        sa.Column("operator", sa.Text),
        sa.Column("district_code", sa.Text, index=True),
        sa.Column("geom", Geometry("POINT", srid=4326, spatial_index=False)),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("as_of", sa.Text),
        sa.Column("dataset", sa.Text, nullable=False, server_default="local"),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("fid", sa.BigInteger, sa.Identity(always=False), nullable=False, unique=True),
        sa.CheckConstraint("wheelchair IN ('yes', 'limited', 'no', 'designated')", name="entries_wheelchair_allowed"),
        schema="directory",
    )
    op.create_index("entries_geom_idx", "entries", ["geom"], schema="directory", postgresql_using="gist")
