"""What all who write into the database share: one transaction, one writer at a time; geometries as it reads them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from geo.errors import Unavailable
from layers.database import admin_engine
from layers.migrate import UPGRADE_LOCK


@contextmanager
def transaction(url: str) -> Iterator[Connection]:
    """One transaction, one writer at a time."""
    try:
        with admin_engine(url).begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
            yield connection
    except (DBAPIError, psycopg.Error) as error:
        raise Unavailable("database.refused", log=str(error)) from error


def cursor_of(connection: Connection) -> psycopg.Cursor[Any]:
    """Return a cursor of the driver, for COPY and statements composed of names, within the connection's transaction."""
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection).cursor()


def ewkb(geometry: Any, srid: int) -> str:
    """Return a geometry as PostGIS reads it out of a text: EWKB in hexadecimal digits."""
    return str(shapely.to_wkb(shapely.set_srid(geometry, srid), hex=True, include_srid=True))


def place_on(geometry: BaseGeometry) -> tuple[float, float]:
    """Return a place that lies on the geometry."""
    point = geometry if isinstance(geometry, shapely.Point) else geometry.representative_point()
    return point.x, point.y
