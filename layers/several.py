"""What questions over several layers share: which features of each, and one answer that fits its limit of bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Double,
    FromClause,
    LargeBinary,
    Select,
    Subquery,
    Text,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.sql import visitors

from geo.crs import WGS84_SRID
from layers.catalogue import PublishedLayer
from layers.queries import Output, geometry_text, properties
from layers.selection import Selection, conditions


@dataclass(frozen=True, slots=True)
class Chosen:
    """A layer that is asked, and which of its features.

    The values of its selection are bound under their own names behind ``l0_``, ``l1_`` …, by the layer's number.
    """

    layer: PublishedLayer
    selection: Selection


def value_name(number: int, name: str) -> str:
    """Return the name of a value of the selection of a layer's number."""
    return f"l{number}_{name}"


def wanted(number: int, chosen: Chosen) -> list[ColumnElement[bool]]:
    """Return the conditions on a layer's features; layers of one statement don't share their values."""

    def renamed(element: Any, **_: Any) -> Any:
        if isinstance(element, BindParameter) and element.required:
            return bindparam(value_name(number, element.key), type_=element.type)
        return None

    return [visitors.replacement_traverse(part, {}, renamed) for part in conditions(chosen.layer, chosen.selection)]


def point_geometry(srid: int, target: int = WGS84_SRID) -> ColumnElement[Any]:
    """Return the point ``x``, ``y`` (east before north) of a CRS in another, by default in degrees."""
    x, y = bindparam("x", type_=Double), bindparam("y", type_=Double)
    point: ColumnElement[Any] = func.ST_SetSRID(func.ST_MakePoint(x, y), srid)
    return point if srid == target else func.ST_Transform(point, target)


def measured_text(layer: PublishedLayer, output: Output, measured: FromClause) -> tuple[FromClause, ColumnElement[Any]]:
    """Return the GeoJSON text of a feature with its collection and what was measured, and what to join for it.

    The members stand beside ``id``, where no field of a layer can have their names, and among the properties as well,
    which is all that many tools read; there a field of the layer goes before.
    """
    table, names = layer.table, properties(layer)
    collection = literal_column(f"'{layer.id}'", Text).label("collection")
    added = [column for column in (collection, *measured.c) if column.name not in names]
    attributes = select(*(table.c[name] for name in names), *added).correlate(table, measured).lateral("_p")
    members: list[Any] = []
    for column in measured.c:
        members += [f',"{column.name}":', func.coalesce(cast(column, Text), "null")]
    text = func.concat(
        '{"type":"Feature","id":',
        cast(func.to_json(table.c.id), Text),
        f',"collection":"{layer.id}"',
        *members,
        ',"geometry":',
        geometry_text(layer, output),
        ',"properties":',
        cast(func.row_to_json(literal_column("_p")), Text),
        "}",
    )
    return attributes, text


def joined(features: Subquery, order: list[ColumnElement[Any]], *columns: ColumnElement[Any]) -> Select[Any]:
    """Return the statement that joins GeoJSON texts to one answer of at most ``max_bytes``.

    Parameters
    ----------
    features : Subquery
        With the column ``feature``.
    order : list of its columns
    *columns
        Further columns of the row.

    Its one row has ``features`` (texts joined by commas, or null), ``returned`` and ``cut`` (whether some are left out
    for their length; never the first).
    """
    length = func.octet_length(features.c.feature)
    numbered = select(
        features.c.feature,
        func.row_number().over(order_by=order).label("n"),
        func.sum(length).over(order_by=order, rows=(None, 0)).label("bytes"),
    ).subquery("numbered")
    fits = and_(
        true(), or_(numbered.c.bytes <= bindparam("max_bytes", type_=BigInteger), numbered.c.n == literal_column("1"))
    )
    text = func.string_agg(numbered.c.feature, literal_column("',' ORDER BY n")).filter(fits)
    returned = func.count().filter(fits)
    return select(
        func.convert_to(text, "UTF8", type_=LargeBinary).label("features"),
        returned.label("returned"),
        (func.count() > returned).label("cut"),
        *columns,
    ).select_from(numbered)
