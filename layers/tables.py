"""Layer tables: SQLAlchemy Tables built from definitions, and the steps that bring a stored table to its definition."""

from __future__ import annotations

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    MetaData,
    Table,
    Text,
    func,
    inspect,
    literal_column,
    not_,
    select,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import AddConstraint, CreateColumn, CreateIndex
from sqlalchemy.types import TypeEngine

from geo.crs import WGS84_SRID
from geo.errors import IngestError
from layers.definition import FieldDefinition, LayerDefinition
from layers.models import LOCAL, Entry

SCHEMA = "features"

_TYPES: dict[str, TypeEngine[Any]] = {
    "text": Text(),
    "integer": BigInteger(),
    "number": Double(),
    "boolean": Boolean(),
    "date": Date(),
    "timestamp": DateTime(timezone=True),
    "text[]": ARRAY(Text()),
}


def sql_type(field: FieldDefinition) -> TypeEngine[Any]:
    """Return the column type of a field."""
    return _TYPES[field.type]


def _allowed_values(field: FieldDefinition) -> CheckConstraint:
    column: Column[Any] = Column(field.name, sql_type(field))
    values = list(field.values or {})
    test = column.in_(values) if field.type == "text" else column.contained_by(postgresql.array(values))
    return CheckConstraint(test, name=_check_name(field))


def _check_name(field: FieldDefinition) -> str:
    return f"{field.name}_allowed"


def _required_name(field: FieldDefinition) -> str:
    return f"{field.name}_required"


def layer_table(definition: LayerDefinition, metadata: MetaData | None = None) -> Table:
    """Build the table of a layer.

    Besides the definition's fields it has: ``fid``, the bigint key of paging and tiles; ``id``, the stable public id;
    ``geom``; ``entry_id``, a foreign key into the annuaire; ``dataset``, where the row came from (rows that users add
    by SQL or QGIS fall into ``local``, which no upgrade touches); ``updated_at``.
    """
    metadata = metadata if metadata is not None else MetaData()
    table = Table(
        definition.table_name,
        metadata,
        Column("fid", BigInteger, Identity(always=False), primary_key=True),
        Column("id", Text, nullable=False, unique=True),
        *(Column(field.name, sql_type(field), nullable=not field.required) for field in definition.fields),
        Column(
            "geom",
            Geometry(definition.geometry.type.upper(), definition.geometry.srid, spatial_index=False),
            nullable=False,
        ),
        Column("entry_id", Text, ForeignKey(Entry.__table__.c.id), index=True),
        Column("dataset", Text, nullable=False, server_default=LOCAL),
        Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        *(_allowed_values(field) for field in definition.fields if field.values),
        schema=SCHEMA,
        comment=definition.title.fr,
    )
    Index(f"{definition.table_name}_geom_idx", table.c.geom, postgresql_using="gist")
    Index(_geography_index(definition), geography(definition, table), postgresql_using="gist")
    return table


def _geography_index(definition: LayerDefinition) -> str:
    return f"{definition.table_name}_geog_idx"


def geography(definition: LayerDefinition, table: Table) -> ColumnElement[Any]:
    """Return the geometry column as geography; exactly as it is indexed, or the index on it would not be used.

    The order of distances in metres is asked of this index: the order of degrees is another one.
    """
    geometry: ColumnElement[Any] = table.c.geom
    if definition.geometry.srid != WGS84_SRID:
        geometry = func.ST_Transform(geometry, literal_column(str(WGS84_SRID)))
    return func.geography(geometry)


def _render(connection: Connection, element: Any) -> str:
    return str(element.compile(dialect=connection.dialect))


def apply_definition(
    connection: Connection, definition: LayerDefinition
) -> tuple[Table, list[tuple[str, dict[str, object]]]]:
    """Create the layer's table, or bring the stored one to the definition.

    A new field is added, a changed type converted, ``required`` and the allowed values set. A field that the definition
    no longer has stays in the table, unseen by every interface, because users may have filled it.

    Returns
    -------
    table : Table
    notes : list of (code, parameters)
        What was changed.

    Raises
    ------
    IngestError
        ``ingest.conversion``, naming the field whose stored values don't fit the new definition.
    """
    table = layer_table(definition)
    inspector = inspect(connection)
    if not inspector.has_table(table.name, schema=SCHEMA):
        table.create(connection)
        return table, []
    stored = {column["name"]: column for column in inspector.get_columns(table.name, schema=SCHEMA)}
    name = f'{SCHEMA}."{table.name}"'
    notes: list[tuple[str, dict[str, object]]] = []
    for field in definition.fields:
        column = table.c[field.name]
        quoted = connection.dialect.identifier_preparer.quote(field.name)
        steps = [
            f"ALTER TABLE {name} DROP CONSTRAINT IF EXISTS {_quote(connection, constraint)}"
            for constraint in (_check_name(field), _required_name(field))
        ]
        old = stored.get(field.name)
        if old is None:
            added = Column(field.name, sql_type(field))
            steps.append(f"ALTER TABLE {name} ADD COLUMN {_render(connection, CreateColumn(added))}")
            notes.append(("ingest.field-added", {"field": field.name}))
        else:
            wanted = column.type.compile(connection.dialect)
            stored_type = old["type"].compile(connection.dialect)
            if stored_type != wanted:
                _refuse_loss(connection, definition, field.name, (stored_type, wanted), f"{name} WHERE {quoted}")
                steps.append(f"ALTER TABLE {name} ALTER COLUMN {quoted} TYPE {wanted} USING {quoted}::{wanted}")
                notes.append(("ingest.field-converted", {"field": field.name, "type": field.type}))
            if old["nullable"] is False and not field.required:
                steps.append(f"ALTER TABLE {name} ALTER COLUMN {quoted} DROP NOT NULL")
        _run(connection, definition, field.name, steps)
    known = {column.name for column in table.columns}
    notes += [("ingest.field-kept", {"field": other}) for other in stored if other not in known]
    # A field that is no longer described must not stand in the way of new rows.
    for other, column_info in stored.items():
        if other not in known and not column_info["nullable"]:
            _run(
                connection,
                definition,
                other,
                [f"ALTER TABLE {name} ALTER COLUMN {_quote(connection, other)} DROP NOT NULL"],
            )
    _apply_geometry(connection, definition, table)
    return table, notes


#: Conversions that PostgreSQL does by rounding, with the test that a value would lose something.
_LOSSY = {
    ("DOUBLE PRECISION", "BIGINT"): "<> trunc({0})",
    ("TIMESTAMP WITH TIME ZONE", "DATE"): "<> date_trunc('day', {0})",
}


def _refuse_loss(
    connection: Connection, definition: LayerDefinition, field: str, types: tuple[str, str], rows: str
) -> None:
    test = _LOSSY.get(types)
    if test is None:
        return
    statement = f"SELECT count(*) FROM {rows} {test.format(_quote(connection, field))}"  # noqa: S608 - our own names
    lost = connection.exec_driver_sql(statement).scalar()
    if lost:
        raise IngestError("ingest.conversion", layer=definition.id, field=field, log=f"{lost} values would be rounded")


def enforce_definition(
    connection: Connection, definition: LayerDefinition, table: Table
) -> list[tuple[str, dict[str, object]]]:
    """Set the definition's constraints on a table whose rows have just been brought to it.

    Rows that users added before may break a rule that is new. They stay as they are, and are named; the rule holds for
    every row that comes after.

    Returns
    -------
    notes : list of (code, parameters)
        ``ingest.rows-break-rule`` for each such field, with how many rows and the id of one.
    """
    notes: list[tuple[str, dict[str, object]]] = []
    name = f'{SCHEMA}."{table.name}"'
    constraints = {item.name: item for item in table.constraints if isinstance(item, CheckConstraint)}
    stored = {check["name"] for check in inspect(connection).get_check_constraints(table.name, schema=SCHEMA)}
    for field in definition.fields:
        column = table.c[field.name]
        steps = []
        if field.required:
            missing = _breaking(connection, table, column.is_(None))
            if missing:
                notes.append(("ingest.rows-break-rule", {"field": field.name, **missing}))
                rule = AddConstraint(CheckConstraint(column.is_not(None), name=_required_name(field), table=table))
                steps.append(_render(connection, rule) + " NOT VALID")
            else:
                steps.append(f"ALTER TABLE {name} ALTER COLUMN {_quote(connection, field.name)} SET NOT NULL")
        if field.values and _check_name(field) not in stored:
            check = constraints[_check_name(field)]
            foreign = _breaking(connection, table, not_(check.sqltext))
            if foreign:
                notes.append(("ingest.rows-break-rule", {"field": field.name, **foreign}))
            steps.append(_render(connection, AddConstraint(check)) + (" NOT VALID" if foreign else ""))
        _run(connection, definition, field.name, steps)
    return notes


def _breaking(connection: Connection, table: Table, test: ColumnElement[bool]) -> dict[str, object]:
    """Return how many rows a test finds and the id of the first, or nothing."""
    count, first = connection.execute(select(func.count(), func.min(table.c.id)).where(test)).one()
    return {"count": count, "id": first} if count else {}


def _quote(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)


def _run(connection: Connection, definition: LayerDefinition, field: str, steps: list[str]) -> None:
    try:
        for step in steps:
            connection.exec_driver_sql(step)
    except DBAPIError as error:
        raise IngestError("ingest.conversion", layer=definition.id, field=field, log=str(error.orig)) from error


def _apply_geometry(connection: Connection, definition: LayerDefinition, table: Table) -> None:
    """Bring the geometry column to the definition's type and SRID; its values are transformed, never relabelled."""
    srid, kind = connection.execute(
        text(
            "SELECT Find_SRID(:s, :t, 'geom'), postgis_typmod_type(atttypmod) FROM pg_attribute "
            "WHERE attrelid = to_regclass(:r) AND attname = 'geom'"
        ),
        {"s": SCHEMA, "t": table.name, "r": f'{SCHEMA}."{table.name}"'},
    ).one()
    wanted = definition.geometry
    if srid == wanted.srid and str(kind).lower() == wanted.type.lower():
        return
    value = "geom" if srid == wanted.srid else f"ST_Transform(geom, {wanted.srid})"
    if wanted.type.startswith("Multi"):
        value = f"ST_Multi({value})"
    name = f'{SCHEMA}."{table.name}"'
    target = f"geometry({wanted.type}, {wanted.srid})"
    index = next(index for index in table.indexes if index.name == _geography_index(definition))
    # The index is over an expression that depends on the SRID.
    steps = [
        f'DROP INDEX IF EXISTS {SCHEMA}."{index.name}"',
        f"ALTER TABLE {name} ALTER COLUMN geom TYPE {target} USING {value}::{target}",
        _render(connection, CreateIndex(index)),
    ]
    _run(connection, definition, "geom", steps)
