"""The catalogue and the annuaire as SQLAlchemy models; their tables are made by Alembic.

``catalogue.layers`` is the loaded copy of the definitions under ``data/layers``, with what ingest has counted;
``catalogue.maps`` that of the descriptions under ``data/maps``.
``directory.entries`` is the annuaire: institutions, to which features are linked by a foreign key.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import BigInteger, CheckConstraint, Computed, DateTime, Double, Identity, Text, func
from sqlalchemy.dialects.postgresql import ARRAY, JSON
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

#: Rows that came with the project; an upgrade may replace them. Every other dataset is the users' own.
SHIPPED = "shipped"
LOCAL = "local"
#: Values of wheelchair access, as OpenStreetMap has them.
WHEELCHAIR = ("yes", "limited", "no", "designated")


class Base(DeclarativeBase):
    """Base of the models."""


class Layer(Base):
    """One layer that has been ingested: its definition and what is known of its rows."""

    __tablename__ = "layers"
    __table_args__ = {"schema": "catalogue"}  # noqa: RUF012

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    #: JSON rather than JSONB, which would forget the order of the allowed values.
    definition: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: Grows by one with every change of the layer's rows or definition.
    version: Mapped[int] = mapped_column(BigInteger, server_default="0")
    row_count: Mapped[int] = mapped_column(BigInteger, server_default="0")
    #: Extent in degrees, WGS 84; all four are null for a layer without rows.
    west: Mapped[float | None] = mapped_column(Double)
    south: Mapped[float | None] = mapped_column(Double)
    east: Mapped[float | None] = mapped_column(Double)
    north: Mapped[float | None] = mapped_column(Double)
    #: First and last day of the temporal fields, for layers that have them.
    starts: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    ends: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Map(Base):
    """One map: the loaded copy of its file under ``data/maps``; with ``each`` it stands for several."""

    __tablename__ = "maps"
    __table_args__ = {"schema": "catalogue"}  # noqa: RUF012

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    definition: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: Grows by one with every change of the description.
    version: Mapped[int] = mapped_column(BigInteger, server_default="0")
    updated_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class ShippedFile(Base):
    """What of the project's own data has been loaded: a layer, or the directory, with the hash over its files."""

    __tablename__ = "shipped"
    __table_args__ = {"schema": "catalogue"}  # noqa: RUF012

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    fingerprint: Mapped[str] = mapped_column(Text)
    loaded_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


_PLAIN = "search.plain(name_fr || ' ' || name_ar || ' ' || coalesce(address_fr, '') || ' ' || coalesce(address_ar, ''))"
#: Columns of an entry that are nobody's to see or to bring.
INNER = ("fid", "dataset", "updated_at", "plain")


class Entry(Base):
    """One entry of the annuaire: an institution or a place, with what is known of it; null means unknown."""

    __tablename__ = "entries"
    __table_args__ = (
        CheckConstraint("wheelchair IN ('yes', 'limited', 'no', 'designated')", name="entries_wheelchair_allowed"),
        CheckConstraint("btrim(id) <> ''", name="entries_id_filled"),
        {"schema": "directory"},
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    category: Mapped[str] = mapped_column(Text, index=True)
    name_fr: Mapped[str] = mapped_column(Text)
    name_ar: Mapped[str] = mapped_column(Text)
    address_fr: Mapped[str | None] = mapped_column(Text)
    address_ar: Mapped[str | None] = mapped_column(Text)
    phone: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    website: Mapped[str | None] = mapped_column(Text)
    #: OpenStreetMap ``opening_hours`` syntax.
    opening_hours: Mapped[str | None] = mapped_column(Text)
    #: The same in Ramadan, for those that have other hours then.
    opening_hours_ramadan: Mapped[str | None] = mapped_column(Text)
    services: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    wheelchair: Mapped[str | None] = mapped_column(Text)
    operator: Mapped[str | None] = mapped_column(Text)
    district_code: Mapped[str | None] = mapped_column(Text, index=True)
    geom: Mapped[WKBElement | None] = mapped_column(Geometry("POINT", srid=4326, spatial_index=False))
    source: Mapped[str] = mapped_column(Text)
    as_of: Mapped[str | None] = mapped_column(Text)
    dataset: Mapped[str] = mapped_column(Text, server_default=LOCAL)
    updated_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    fid: Mapped[int] = mapped_column(BigInteger, Identity(always=False), unique=True)
    #: Names and addresses as they are compared with what people type; written by PostgreSQL.
    plain: Mapped[str] = mapped_column(Text, Computed(_PLAIN, persisted=True))
