"""How the features of a layer are written, one text a feature, by PostGIS itself; nothing here executes.

All formats begin as such texts: GeoJSON, GeoJSON text sequences and CSV are sent as they come out of the database, and
the file formats are made from *plain* lines, CSV that :mod:`layers.files` reads back into Arrow columns without a
Python object for any feature.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import BigInteger, Column, ColumnElement, Text, case, cast, func, literal, literal_column
from sqlalchemy import types as sql_types

from geo.crs import WGS84_SRID
from layers.definition import FieldDefinition
from layers.files.job import ELEMENT

if TYPE_CHECKING:
    from layers.catalogue import PublishedLayer
    from layers.queries import Output

#: ``array`` keeps lists apart (GeoParquet); ``plain`` joins them, as all other files and tables have them.
Style = Literal["geojson", "geojsonseq", "csv", "plain", "array"]
CsvGeometry = Literal["wkt", "lonlat"]

#: Between the elements of a list in tables; ``ingest`` takes them apart again.
JOINED = ";"
#: PostgreSQL takes at most 100 arguments a call.
_ARGUMENTS = 90
#: Digits after the point of degrees in tables: 1 cm; of metres: 1 mm.
_DIGITS, _METRE_DIGITS = 7, 3
#: Cells that a spreadsheet would run: they begin like a formula, and are not just a number or a phone number.
_FORMULA = "^([=@\t\r]|[+-](?![0-9_ ().,/-]*$))"  # the characters themselves: a backslash would be doubled in SQL


@dataclass(frozen=True, slots=True)
class Lines:
    """How features are written: ``geometry`` is for CSV, ``box`` adds the four sides of each geometry's box."""

    style: Style = "geojson"
    geometry: CsvGeometry = "wkt"
    box: bool = False

    @property
    def between(self) -> str:
        """What stands between two features; lines bring their own end."""
        return "," if self.style == "geojson" else ""


GEOJSON = Lines()


def concat(parts: list[Any]) -> ColumnElement[str]:
    """Join texts, null counting as empty, however many they are."""
    while len(parts) > _ARGUMENTS:
        parts = [
            func.concat(*parts[start : start + _ARGUMENTS], type_=Text) for start in range(0, len(parts), _ARGUMENTS)
        ]
    joined: ColumnElement[str] = func.concat(*parts, type_=Text)
    return joined


def coordinates(layer: PublishedLayer, output: Output) -> ColumnElement[Any]:
    """Return a feature's geometry in the output's CRS, x before y."""
    geometry: ColumnElement[Any] = layer.table.c.geom
    return (
        geometry if layer.definition.geometry.srid == output.crs.srid else func.ST_Transform(geometry, output.crs.srid)
    )


def csv_columns(output: Output, lines: Lines, names: list[str]) -> list[str]:
    """Return the columns of CSV: ``id``, the properties, then ``geometry`` or the point's two coordinates.

    The coordinates are ``lon``, ``lat`` in degrees and ``x``, ``y`` (easting, northing) in metres, with an underscore
    behind where a property is called so.
    """
    found = ["id", *names]
    if output.geometry and lines.geometry == "wkt":
        found.append("geometry")
    elif output.geometry:
        for name in ("lon", "lat") if output.crs.srid == WGS84_SRID else ("x", "y"):
            while name in found:
                name += "_"
            found.append(name)
    return found


def csv_head(columns: list[str]) -> bytes:
    """Return the first line of CSV (RFC 4180)."""
    return (",".join(columns) + "\r\n").encode()


def csv_line(layer: PublishedLayer, output: Output, lines: Lines, names: list[str]) -> ColumnElement[str]:
    """Return a feature as a line of CSV, for people and their spreadsheets."""
    cells = [_quoted(_harmless(layer.table.c.id))]
    cells += [_shown(layer.table.c[name], layer.definition.field(name)) for name in names]
    digits: ColumnElement[Any] = literal_column(str(_DIGITS if output.crs.srid == WGS84_SRID else _METRE_DIGITS))
    geometry = coordinates(layer, output)
    if output.geometry and lines.geometry == "wkt":
        cells.append(_quoted(func.ST_AsText(geometry, digits)))
    elif output.geometry:
        sides: list[Any] = [func.ST_X(geometry), func.ST_Y(geometry)]
        cells += [
            cast(cast(func.round(cast(side, sql_types.Numeric), digits), sql_types.Double), Text) for side in sides
        ]
    return _line(cells, "\r\n")


def plain_line(layer: PublishedLayer, output: Output, lines: Lines, names: list[str]) -> ColumnElement[str]:
    """Return a feature as a line of CSV for Arrow: null and empty text differ, times are numbers, geometry is WKB."""
    cells = [_quoted(layer.table.c.id)]
    cells += [_plain(layer.table.c[name], layer.definition.field(name), lines.style == "array") for name in names]
    if output.geometry:
        geometry = coordinates(layer, output)
        if lines.box:
            cells += [
                cast(getattr(func, f"ST_{side}")(geometry, type_=sql_types.Double), Text)
                for side in ("XMin", "YMin", "XMax", "YMax")
            ]
        cells.append(func.encode(func.ST_AsBinary(geometry, "NDR"), "hex"))
    return _line(cells, "\n")


def _line(cells: list[Any], end: str) -> ColumnElement[str]:
    parts: list[Any] = []
    for cell in cells:
        parts += [cell, literal(",")]
    return concat([*parts[:-1], literal(end)])


def _quoted(text: ColumnElement[Any]) -> ColumnElement[Any]:
    # The operator rather than concat: null stays null, so that it differs from an empty text.
    return literal('"', Text).op("||")(func.replace(text, '"', '""', type_=Text)).op("||")(literal('"', Text))


def harmless(text: str) -> str:
    """Return a text with an apostrophe before it where a spreadsheet would run it as a formula."""
    return f"'{text}" if re.match(_FORMULA, text) else text


def _harmless(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return what :func:`harmless` does, in SQL."""
    return case((text.op("~")(_FORMULA), literal("'", Text).op("||")(text)), else_=text)


def _shown(column: Column[Any], field: FieldDefinition | None) -> ColumnElement[Any]:
    kind = field.type if field else "text"
    if kind == "text":
        return _quoted(_harmless(column))
    if kind == "text[]":
        return _quoted(_harmless(func.array_to_string(column, JOINED, type_=Text)))
    if kind in ("date", "timestamp"):
        # ISO 8601 as in GeoJSON, whatever the server's date style.
        return func.to_json(column).op("#>>")(literal_column("'{}'"))
    return cast(column, Text)


def _plain(column: Column[Any], field: FieldDefinition | None, lists: bool) -> ColumnElement[Any]:
    kind = field.type if field else "text"
    if kind == "text":
        return _quoted(column)
    if kind == "text[]" and not lists:
        return _quoted(func.array_to_string(column, JOINED, type_=Text))
    if kind == "text[]":
        # Each element has the mark before it, so that an empty list differs from a list of one empty text.
        joined = literal(ELEMENT, Text).op("||")(func.array_to_string(column, ELEMENT, "", type_=Text))
        return _quoted(case((func.cardinality(column) == 0, ""), else_=joined))
    if kind in ("date", "timestamp"):
        # Infinity and years that the formats can't have are open ends there: no value.
        lasts = column.between(literal_column("'0001-01-01'"), literal_column("'9999-12-31'"))
        if kind == "date":
            number: Any = column.op("-")(literal_column("DATE '1970-01-01'"))
        else:
            number = cast(func.extract("epoch", column) * 1_000_000, BigInteger)
        return cast(case((lasts, number)), Text)
    return cast(column, Text)
