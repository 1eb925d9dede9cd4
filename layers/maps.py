"""The declarative description of a map: one YAML file under ``data/maps``, validated when loaded.

A description says which layers a map shows, in which order, how, and which of their features; where it begins; what
its readers can do with it; and who may put it into a page of theirs. A new map needs a new file and no Python.

With ``each: districts`` one file describes a map for every district: its id is ``<id>-<code>``, and ``{district}``
stands for the district's name in titles and descriptions, for its code in filters and in the extent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, StringConstraints, ValidationError, model_validator

from geo.bbox import BBox
from geo.crs import DEFAULT_CRS
from geo.errors import DefinitionError, InvalidInput
from layers.definition import (
    DISTRICTS,
    ORIGIN,
    Colour,
    FieldName,
    Identifier,
    LayerDefinition,
    Sentence,
    Text,
    ValueStyle,
)
from layers.filters.parse import parse_filter
from layers.filters.resolve import Resolved, resolve
from layers.marks import without_turns
from layers.strict import Mistake, Strict, check_name, parse, read, wrong

#: Stands for all layers of the catalogue that the map does not name.
REST = "*"
#: Stands for the district, in the file of maps that are made for each of them.
PLACEHOLDER = "{district}"
#: Up to so many features a layer is one GeoJSON file, beyond it comes as vector tiles, where a map doesn't say which.
MOST_GEOJSON = 500

Origin = Annotated[str, StringConstraints(pattern=rf"^{ORIGIN}$", max_length=300)]
Source = Literal["tiles", "geojson"]
Control = Literal[
    "search", "layers", "legend", "scale", "locate", "measure", "fullscreen", "share", "print", "time"
]  # fmt: skip
#: What readers can do with a map that does not say: all but going through time.
CONTROLS: tuple[Control, ...] = tuple(control for control in get_args(Control) if control != "time")
_Longitude = Annotated[float, Field(ge=-180, le=180)]
_Latitude = Annotated[float, Field(ge=-85, le=85)]


class MapStyle(Strict):
    """What of a layer's style is another one on this map; see :class:`layers.definition.Style`."""

    colour: Colour | None = None
    colour_field: FieldName | None = None
    by: FieldName | None = None
    values: dict[str, ValueStyle] | None = None
    symbol: Literal["dot", "square", "diamond", "line", "area"] | None = None
    width: float | None = Field(default=None, gt=0, le=20)
    label: bool | None = None


class MapLayer(Strict):
    """A layer on a map.

    Parameters
    ----------
    id : str
        The layer's, or ``*`` for all layers that the map does not name.
    shown : bool
        Whether it is on the map at first; its reader can switch it on and off.
    title : Text, optional
        What it is called on this map; by default as the layer is.
    style : MapStyle, optional
    filter : str, optional
        Which of its features, in CQL2 text.
    source : "tiles" or "geojson", optional
        How the browser gets it; by default by its number of features (:data:`MOST_GEOJSON`).
    cluster : bool, optional
        Whether near points are drawn as one; by default as the layer's own style says.
    card : tuple of str, optional
        The fields that its cards show on this map, in this order; by default those that the layer's definition says.
    about : str, optional
        For the layer of districts: code of the one that the map is about, which is drawn apart from its neighbours.
    """

    id: Identifier | Literal["*"]
    shown: bool = True
    title: Text | None = None
    style: MapStyle | None = None
    filter: Sentence | None = None
    source: Source | None = None
    cluster: bool | None = None
    card: tuple[FieldName, ...] | None = None
    about: Sentence | None = None

    @model_validator(mode="after")
    def _check(self) -> MapLayer:
        said = self.model_dump(exclude={"id", "shown"}, exclude_none=True)
        if self.id == REST and said:
            allowed = f"said of a layer by its name: for '{REST}' there is only 'shown'"
            raise Mistake(next(iter(said)), "this key", allowed)
        if self.about is not None and self.id != DISTRICTS:
            raise Mistake("about", "this key", f"said of the layer '{DISTRICTS}' only")
        return self

    def source_of(self, count: int, clustered: bool) -> Source:
        """Return how the browser gets a layer of so many features; clusters are counted over whole layers."""
        return self.source or ("tiles" if count > MOST_GEOJSON and not clustered else "geojson")

    def applied(self, definition: LayerDefinition) -> LayerDefinition:
        """Return the layer's definition with this map's title and style.

        Raises
        ------
        pydantic.ValidationError
            When the style does not fit the layer's fields.
        """
        if self.title is not None:
            definition = definition.model_copy(update={"title": self.title})
        changes = {} if self.style is None else self.style.model_dump(exclude_none=True)
        if self.cluster is not None:
            changes["cluster"] = self.cluster
        if not changes:
            return definition
        raw = definition.model_dump(by_alias=True)
        return LayerDefinition.model_validate(raw | {"style": raw["style"] | changes})


class Extent(Strict):
    """What a map shows at first: a district, else where a layer's features lie, else a box in degrees, WGS 84."""

    district: Sentence | None = None
    layer: Identifier | None = None
    bbox: tuple[_Longitude, _Latitude, _Longitude, _Latitude] | None = None

    @model_validator(mode="after")
    def _check(self) -> Extent:
        if self.bbox and not (self.bbox[0] < self.bbox[2] and self.bbox[1] < self.bbox[3]):
            raise Mistake("bbox", str([*self.bbox]), "west, south, east, north, in this order")
        return self

    @property
    def box(self) -> BBox | None:
        """The box, if it is given."""
        return BBox(*self.bbox) if self.bbox else None


class Word(Strict):
    """A word on the map that belongs to no layer, such as a sea's name; not shown over a background."""

    lat: _Latitude
    lon: _Longitude
    text: Text


class MapDefinition(Strict):
    """Everything that a map is, before the catalogue is looked at.

    Parameters
    ----------
    id : str
        Name of the file and of the map's address; with ``each`` the beginning of the maps' addresses.
    layers : tuple of MapLayer
        From the lowest to the topmost.
    lang : "fr" or "ar", optional
        The language it is shown in to a reader who has not chosen one; by default the one that the browser prefers.
    embed : tuple of str
        Origins, besides ``CASAMAPS_FRAME_ORIGINS``, whose pages may show the map in a frame.
    order : int
        Its place in lists of maps; the first is shown at the service's own address.
    """

    id: Identifier
    title: Text
    description: Text
    order: int = Field(default=50, ge=0, le=100)
    each: Literal["districts"] | None = None
    layers: Annotated[tuple[MapLayer, ...], Field(min_length=1)]
    extent: Extent = Extent()
    words: tuple[Word, ...] = ()
    lang: Literal["fr", "ar"] | None = None
    controls: tuple[Control, ...] = CONTROLS
    embed: tuple[Origin, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> MapDefinition:
        ids = [layer.id for layer in self.layers]
        listed: dict[str, list[str]] = {"layers": ids, "controls": [*self.controls], "embed": [*self.embed]}
        for key, values in listed.items():
            doubled = sorted({value for value in values if values.count(value) > 1})
            if doubled:
                raise Mistake(key, f"naming {', '.join(doubled)} twice", "a list that names each once")
        if self.each is None and PLACEHOLDER in self.model_dump_json():
            raise Mistake("each", "nothing", f"'districts' for '{PLACEHOLDER}' to stand for one")
        return self

    def layer(self, name: str) -> MapLayer | None:
        """Return what the map says of a layer; None where it is not on the map."""
        return next((layer for key in (name, REST) for layer in self.layers if layer.id == key), None)

    def of(self, code: str, name: Text) -> MapDefinition:
        """Return the map of one district."""
        quoted = code.replace("'", "''")
        layers = [
            layer.model_copy(
                update={
                    "filter": layer.filter and layer.filter.replace(PLACEHOLDER, quoted),
                    "about": layer.about and layer.about.replace(PLACEHOLDER, code),
                }
            )
            for layer in self.layers
        ]
        district = self.extent.district and self.extent.district.replace(PLACEHOLDER, code)
        return self.model_copy(
            update={
                "id": f"{self.id}-{code}",
                "each": None,
                "layers": tuple(layers),
                "extent": self.extent.model_copy(update={"district": district}),
                "title": _of(self.title, name),
                "description": _of(self.description, name),
            }
        )


def _of(text: Text, name: Text) -> Text:
    named = {lang: text[lang].replace(PLACEHOLDER, without_turns(name[lang])) for lang in ("fr", "ar")}
    return Text(fr=named["fr"], ar=named["ar"])


def parse_map(text: str, file: str) -> MapDefinition:
    """Parse a map's description and check it whole, apart from the layers that it names.

    Raises
    ------
    DefinitionError
        With ``file``, ``key``, ``value`` and ``allowed`` of the first thing wrong, and ``count`` of all.
    """
    return parse(text, file, MapDefinition)


def load_maps(folder: Path) -> dict[str, MapDefinition]:
    """Read all descriptions of a folder, by id, in the order of lists; ``each`` is not carried out yet."""
    found = []
    for path in sorted(folder.glob("*.yaml")):
        described = parse_map(read(path), path.name)
        check_name(path, described)
        found.append(described)
    return {described.id: described for described in in_order(found)}


def in_order(maps: Iterable[MapDefinition]) -> list[MapDefinition]:
    """Sort maps as lists show them."""
    return sorted(maps, key=lambda described: (described.order, described.id))


def expand(maps: Iterable[MapDefinition], districts: Mapping[str, Text]) -> dict[str, MapDefinition]:
    """Make the maps that there are, by id: those with ``each`` once a district."""
    found: dict[str, MapDefinition] = {}
    for described in in_order(maps):
        made = [described] if described.each is None else [described.of(*item) for item in sorted(districts.items())]
        found |= {item.id: item for item in made}
    return found


def filter_of(layer: MapLayer, definition: LayerDefinition, districts: Iterable[str]) -> Resolved | None:
    """Return a layer's filter, resolved against its fields; None where all features are shown.

    Raises
    ------
    InvalidInput
        As for a filter of a request.
    """
    if layer.filter is None:
        return None
    return resolve(parse_filter(layer.filter, "cql2-text"), definition, DEFAULT_CRS, list(districts))


def check_maps(
    maps: Iterable[MapDefinition], layers: Mapping[str, LayerDefinition], districts: Mapping[str, Text]
) -> None:
    """Compare descriptions with the layers and districts that there are.

    Raises
    ------
    DefinitionError
        ``definition.invalid``, naming the map's file, the layer, field or filter that can't be, and what can.
    """
    for described in maps:
        file = f"{described.id}.yaml"
        # One district stands for all: what could be wrong is the same for each of them.
        first = next(iter(sorted(districts.items())), None) if described.each else None
        made = described.of(*first) if first else described
        if not (described.each and first is None):
            _check_map(file, made, layers, districts)


def fitting(
    described: MapDefinition, layers: Mapping[str, LayerDefinition], districts: Mapping[str, Text]
) -> tuple[MapDefinition, list[DefinitionError]]:
    """Return a map without those of its layers that have become other than its file took them for, and why."""
    kept, errors = [], []
    for layer in described.layers:
        try:
            if layer.id in layers:
                _check_layer(f"{described.id}.yaml", layer, layers[layer.id], districts)
            kept.append(layer)
        except DefinitionError as error:
            errors.append(error)
    return (described.model_copy(update={"layers": tuple(kept)}) if errors else described), errors


def _check_map(
    file: str, described: MapDefinition, layers: Mapping[str, LayerDefinition], districts: Mapping[str, Text]
) -> None:
    extent = described.extent
    for key, value, known in (
        ("extent.layer", extent.layer, sorted(layers)),
        ("extent.district", extent.district, sorted(districts)),
    ):
        # A city without districts yet begins at its box.
        if value is not None and value not in known and (known or key == "extent.layer"):
            raise wrong(file, key, repr(value), ", ".join(known))
    for layer in described.layers:
        if layer.id == REST:
            continue
        if layer.id not in layers:
            raise wrong(file, f"layers.{layer.id}", repr(layer.id), f"one of {', '.join(sorted(layers))}")
        if layer.about is not None and districts and layer.about not in districts:
            raise wrong(file, f"layers.{layer.id}.about", repr(layer.about), ", ".join(sorted(districts)))
        _check_layer(file, layer, layers[layer.id], districts)
    if "time" in described.controls:
        timed = [name for name, definition in layers.items() if definition.temporal]
        if not any(described.layer(name) for name in timed):
            raise wrong(file, "controls", "'time'", f"for maps with a layer that has times: {', '.join(timed) or '–'}")


def _check_layer(file: str, layer: MapLayer, definition: LayerDefinition, districts: Mapping[str, Text]) -> None:
    key = f"layers.{layer.id}"
    names = [field.name for field in definition.fields]
    for name in layer.card or ():
        if name not in names:
            raise wrong(file, f"{key}.card", repr(name), ", ".join(names))
    try:
        layer.applied(definition)
    except ValidationError as error:
        raise wrong(file, f"{key}.style", _first(error), f"a style for the fields {', '.join(names)}") from error
    try:
        filter_of(layer, definition, districts)
    except InvalidInput as error:
        raise _wrong_filter(file, key, layer, error) from error


def _first(error: ValidationError) -> str:
    return str(error.errors()[0]["msg"]).removeprefix("Value error, ")


def _wrong_filter(file: str, key: str, layer: MapLayer, error: InvalidInput) -> DefinitionError:
    said: dict[str, Any] = {name: error.params[name] for name in ("at", "value", "allowed") if name in error.params}
    why = ", ".join([error.code, *(f"{name}: {value}" for name, value in said.items() if value != layer.filter)])
    return wrong(file, f"{key}.filter", repr(layer.filter), f"a filter in CQL2 text that the layer can answer ({why})")
