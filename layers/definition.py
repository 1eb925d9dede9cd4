"""The declarative definition of a layer: one YAML file under ``data/layers``, validated when loaded.

A definition says what a layer is (titles, theme, geometry, fields, style, licence …) and where its shipped data
comes from. Tables, queryables, tiles, legend, cards and catalogue records are all derived from it, so that a new
layer needs a new file and no Python.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from layers.strict import Strict, check_name, parse, read

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=48)]
FieldName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=48)]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Zoom = Annotated[int, Field(ge=0, le=22)]

#: An origin: scheme, host and port in ASCII; other scripts' hosts have their ``xn--`` form.
ORIGIN = r"https?://([A-Za-z0-9_.-]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?"

FieldType = Literal["text", "integer", "number", "boolean", "date", "timestamp", "text[]"]
FieldFormat = Literal["phone", "url", "opening-hours", "colour", "district", "month", "stops", "category"]
GeometryType = Literal["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "Geometry"]
Theme = Literal["administration", "services", "transport", "works", "environment", "other"]

#: Names that no field may take: columns that every layer table has, PostgreSQL's own, parameters of requests.
RESERVED = frozenset(
    {"fid", "id", "geom", "geometry", "entry_id", "dataset", "updated_at"}
    | {"xmin", "xmax", "cmin", "cmax", "ctid", "tableoid", "oid"}
    | {
        "f",
        "lang",
        "limit",
        "bbox",
        "datetime",
        "cursor",
        "crs",
        "filter",
        "sortby",
        "properties",
        "skipgeometry",
        "bom",
        "self",
    }
)
#: Ids that no layer may take: the service's own names stand beside the layers' in its documents.
RESERVED_IDS = frozenset({"tiles", "service"})
#: The layer whose features are the annuaire's entries.
DIRECTORY = "directory"
#: The layer whose areas are the districts; its feature ids are the district codes.
DISTRICTS = "districts"
#: What a field with a format must be.
_FORMAT_TYPES: dict[str, tuple[str, ...]] = {"phone": ("text", "text[]")}


class Text(Strict):
    """A visible text in both languages of the service."""

    fr: Sentence
    ar: Sentence

    def __getitem__(self, lang: str) -> str:
        return self.ar if lang == "ar" else self.fr


class FieldDefinition(Strict):
    """One attribute of a layer: a typed column, a queryable, a row of the card.

    ``values`` are the allowed values with their labels; ``source_column`` (key ``from``) is the column in the data file
    when it differs from ``name``; ``card`` says whether the card for citizens shows it.
    """

    name: FieldName
    type: FieldType = "text"
    label: Text
    unit: str | None = None
    values: dict[str, Text] | None = None
    required: bool = False
    format: FieldFormat | None = None
    source_column: str | None = Field(default=None, alias="from")
    card: bool = True

    @model_validator(mode="after")
    def _check(self) -> FieldDefinition:
        if self.name.lower() in RESERVED:
            raise ValueError(f"'{self.name}' is a reserved column; choose another name than {sorted(RESERVED)}")
        allowed = _FORMAT_TYPES.get(self.format or "", ("text",))
        if self.format and self.type not in allowed:
            raise ValueError(f"format '{self.format}' is allowed for fields of type {' and '.join(allowed)} only")
        if self.values is not None and self.type not in ("text", "text[]"):
            raise ValueError("'values' is allowed for fields of type text and text[] only")
        return self

    @property
    def column(self) -> str:
        """Name of the column in the data file."""
        return self.source_column or self.name


class GeometryDefinition(Strict):
    """Geometry column of a layer: type, SRID of storage, and how good the positions are."""

    type: GeometryType
    srid: int = Field(default=4326, ge=1024, le=999999)
    quality: Literal["surveyed", "digitised", "generalised", "schematic", "estimated"]


class Temporal(Strict):
    """The fields that bound a feature's validity, for the ``datetime`` parameter; both ends included."""

    start: FieldName
    end: FieldName


class ZoomRange(Strict):
    """Zoom levels (WebMercatorQuad tile matrices) at which the layer has tiles."""

    min: Zoom = 0
    max: Zoom = 18

    @model_validator(mode="after")
    def _check(self) -> ZoomRange:
        if self.min > self.max:
            raise ValueError(f"min ({self.min}) must not be greater than max ({self.max})")
        return self


class ValueStyle(Strict):
    """How one value of the styling field looks."""

    colour: Colour
    symbol: str | None = Field(default=None, max_length=2)


class Style(Strict):
    """How the layer is drawn: one colour, the colour found in a field, or a colour for each value of a field."""

    colour: Colour
    colour_field: FieldName | None = None
    by: FieldName | None = None
    values: dict[str, ValueStyle] = Field(default_factory=dict)
    symbol: Literal["dot", "square", "diamond", "line", "area"] = "dot"
    width: float = Field(default=3, gt=0, le=20)
    cluster: bool = False
    label: bool = False
    order: int = Field(default=0, ge=0, le=100)


class Licence(Strict):
    """Licence of the data: SPDX identifier and the address of its text."""

    id: Sentence
    url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]


class PointColumns(Strict):
    """Geometry from two columns of a CSV file, in the order x (longitude or easting), y (latitude or northing)."""

    x: str
    y: str


class WktColumn(Strict):
    """Geometry from one column of well-known text."""

    wkt: str


class PathThrough(Strict):
    """Geometry through named points: ``path`` is a column of space-separated ids of ``points``, a CSV file.

    One id gives a Point, several give a LineString in their order.
    """

    path: str
    points: str
    key: str
    x: str = "lon"
    y: str = "lat"


class DataSource(Strict):
    """The shipped data of a layer, relative to ``data/``."""

    file: str | None = None
    id: str = "id"
    srid: int = 4326
    geometry: PointColumns | WktColumn | PathThrough | None = None


class Directory(Strict):
    """How features lead to the annuaire.

    ``role: place``: each feature *is* a place and owns the entry of its id, filled from ``columns`` (entry column ->
    field).
    ``role: body``: the data's column ``entry_id`` names the entry of the body responsible for the feature.
    ``role: entries``: the features *are* the entries, seen through a view; only the layer ``directory`` has it.
    """

    role: Literal["place", "body", "entries"]
    columns: dict[
        Literal[
            "category",
            "address_fr",
            "address_ar",
            "phone",
            "website",
            "opening_hours",
            "opening_hours_ramadan",
            "wheelchair",
            "district_code",
            "operator",
            "source",
            "as_of",
        ],
        FieldName,
    ] = Field(default_factory=dict)


class LayerDefinition(Strict):
    """Everything that CasaMaps knows about a layer before it has seen a row of it."""

    id: Identifier
    title: Text
    description: Text
    theme: Theme
    geometry: GeometryDefinition
    fields: tuple[FieldDefinition, ...]
    temporal: Temporal | None = None
    zoom: ZoomRange = ZoomRange()
    tile_fields: tuple[FieldName, ...] = ()
    style: Style
    source: Text
    licence: Licence
    attribution: Text
    update: Literal["continuous", "daily", "weekly", "monthly", "quarterly", "annual", "irregular"]
    visibility: Literal["public", "internal"] = "public"
    coverage: Literal["complete", "partial", "unknown"]
    notice: Text | None = None
    data: DataSource = DataSource()
    directory: Directory | None = None

    @model_validator(mode="after")
    def _check(self) -> LayerDefinition:
        if self.id in RESERVED_IDS:
            raise ValueError(f"id: '{self.id}' is taken by the service itself; not one of {sorted(RESERVED_IDS)}")
        if self.entries != (self.id == DIRECTORY):
            raise ValueError(f"id: '{DIRECTORY}' is the layer of the annuaire's entries, and the only one of that role")
        names = [field.name for field in self.fields]
        lowered = [name.lower() for name in names]
        doubled = sorted({name for name in names if lowered.count(name.lower()) > 1})
        if doubled:
            raise ValueError(f"fields: {', '.join(doubled)} stand twice")
        by_name = {field.name: field for field in self.fields}
        for needed in ("name_fr", "name_ar"):
            if needed not in by_name or not by_name[needed].required:
                raise ValueError(f"fields: '{needed}' must be there with 'required: true'")
        used: list[tuple[str, str | None]] = [
            ("style.by", self.style.by),
            ("style.colour_field", self.style.colour_field),
            *(("tile_fields", item) for item in self.tile_fields),
        ]
        if self.temporal:
            used += [("temporal.start", self.temporal.start), ("temporal.end", self.temporal.end)]
            for end in (self.temporal.start, self.temporal.end):
                if end in by_name and by_name[end].type not in ("date", "timestamp"):
                    raise ValueError(f"temporal: '{end}' must be of type date or timestamp")
        if self.directory:
            used += [(f"directory.columns.{key}", name) for key, name in self.directory.columns.items()]
        for key, name in used:
            if name is not None and name not in by_name:
                raise ValueError(f"{key}: no field '{name}'; fields are {', '.join(names)}")
        if self.style.by:
            allowed = by_name[self.style.by].values or {}
            for value in self.style.values:
                if value not in allowed:
                    raise ValueError(
                        f"style.values: '{value}' is not a value of '{self.style.by}': {', '.join(allowed)}"
                    )
        return self

    @property
    def entries(self) -> bool:
        """Whether the features are the annuaire's entries; some of these have no place, so no geometry."""
        return self.directory is not None and self.directory.role == "entries"

    @property
    def linked(self) -> bool:
        """Whether the features name an entry of the annuaire as ``entry_id``."""
        return self.directory is not None and not self.entries

    @property
    def places(self) -> bool:
        """Whether a feature's page is its entry's in the annuaire."""
        return self.directory is not None and self.directory.role != "body"

    @property
    def table_name(self) -> str:
        """Name of the layer's table in the schema ``features``."""
        return self.id.replace("-", "_")

    def field(self, name: str) -> FieldDefinition | None:
        """Return the field of this name, or None."""
        return next((field for field in self.fields if field.name == name), None)


def parse_definition(text: str, file: str) -> LayerDefinition:
    """Parse a definition and check it whole.

    Raises
    ------
    DefinitionError
        With ``file``, ``key``, ``value`` and ``allowed`` of the first thing wrong, and ``count`` of all.
    """
    return parse(text, file, LayerDefinition)


def load_definition(path: Path) -> LayerDefinition:
    """Read one definition file; its name must be the layer's id plus ``.yaml``."""
    definition = parse_definition(read(path), path.name)
    check_name(path, definition)
    return definition


def load_definitions(folder: Path) -> dict[str, LayerDefinition]:
    """Read all definitions of a folder, by layer id, in the order in which they are drawn."""
    found = [load_definition(path) for path in sorted(folder.glob("*.yaml"))]
    found.sort(key=lambda definition: (definition.style.order, definition.id))
    return {definition.id: definition for definition in found}


def fingerprint(paths: list[Path]) -> str:
    """Return a hash over files' contents: the same files, the same hash, on every machine."""
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
