"""Reads the parameters of the questions beyond the standard: a place, the layers that are asked, a grid, a measure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from pyproj.exceptions import ProjError

from api import params
from geo.bbox import NUMBER
from geo.crs import DEFAULT_CRS, WGS84_SRID, parse_crs, transformer
from geo.errors import InvalidInput
from layers.aggregates import (
    ADDITIVE,
    FIELD_MEASURES,
    GRID_SRIDS,
    MAX_SIZE,
    MEASURES,
    MIN_SIZE,
    AggregateShape,
    By,
)
from layers.catalogue import DISTRICTS, Catalogue, PublishedLayer
from layers.places import DEFAULT_TOLERANCE, MAX_TOLERANCE
from layers.queries import Output
from layers.several import Chosen, value_name

PLACE = frozenset({"lon", "lat", "point", "point-crs"})
SELECT = params.SELECT | {"collections"}
#: Parameters of an aggregation besides those that choose features. They go before fields of the same names.
AGGREGATE = frozenset({"measure", "field", "by", "size", "grid-crs", "per", "population"})
PER = "1000-inhabitants"
_AREAS = ("Polygon", "MultiPolygon")
_POINTS = ("Point", "MultiPoint")
_LINES = ("LineString", "MultiLineString")


@dataclass(frozen=True, slots=True)
class Place:
    """A place as it was given (``x`` east, ``y`` north, of the CRS ``srid``), and in degrees on WGS 84."""

    x: float
    y: float
    srid: int
    lon: float
    lat: float


def number_of(text: str, parameter: str, low: float, high: float) -> float:
    """Read a number within its limits.

    Raises
    ------
    InvalidInput
        ``number.invalid`` or ``number.range``.
    """
    allowed = f"{low:g} … {high:g}"
    value = float(text) if NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise InvalidInput("number.invalid", parameter=parameter, value=text[:40], allowed=allowed)
    if not low <= value <= high:
        raise InvalidInput("number.range", parameter=parameter, value=text[:40], allowed=allowed)
    return value


def place_of(given: Mapping[str, str], *others: str) -> Place | None:
    """Read the place of ``lon`` and ``lat``, or of ``point``; None where another way (``others``) names it.

    Raises
    ------
    InvalidInput
        ``place.missing``, ``place.several``, ``place.form``, ``number.…`` or ``crs.unknown``.
    """
    ways = ["lon,lat", "point", *others]
    used = [way for way in ways if any(name in given for name in way.split(","))]
    if len(used) != 1:
        code = "place.several" if used else "place.missing"
        raise InvalidInput(code, parameter=used[-1] if used else "point", allowed=", ".join(ways))
    if "point-crs" in given and used != ["point"]:
        raise InvalidInput("place.form", parameter="point-crs", value=given["point-crs"][:60], allowed="point=x,y")
    if used == ["point"]:
        return _point(given)
    if used != ["lon,lat"]:
        return None
    for name in ("lon", "lat"):
        if name not in given:
            raise InvalidInput("place.missing", parameter=name, allowed="lon, lat")
    lon, lat = number_of(given["lon"], "lon", -180, 180), number_of(given["lat"], "lat", -90, 90)
    return Place(lon, lat, WGS84_SRID, lon, lat)


def _point(given: Mapping[str, str]) -> Place:
    crs = parse_crs(given["point-crs"], "point-crs") if "point-crs" in given else DEFAULT_CRS
    parts = given["point"].split(",")
    if len(parts) != 2:
        raise InvalidInput("place.form", parameter="point", value=given["point"][:60], allowed="point=x,y")
    if crs.north_first:
        parts.reverse()
    if crs.srid == WGS84_SRID:
        lon, lat = number_of(parts[0], "point", -180, 180), number_of(parts[1], "point", -90, 90)
        return Place(lon, lat, crs.srid, lon, lat)
    x, y = (number_of(part, "point", -1e9, 1e9) for part in parts)
    try:
        lon, lat = transformer(crs.srid, WGS84_SRID).transform(x, y, errcheck=True)
        back = transformer(WGS84_SRID, crs.srid).transform(lon, lat, errcheck=True)
    except ProjError:
        lon = lat = math.inf
        back = (x, y)
    # Beyond where a projection holds there are numbers, too, but they don't lead back.
    if not (abs(lon) <= 180 and abs(lat) <= 90 and math.dist(back, (x, y)) < 1):
        raise InvalidInput("number.range", parameter="point", value=given["point"][:60], allowed=crs.uri)
    return Place(x, y, crs.srid, lon, lat)


def written_place(place: Place) -> str:
    """Write a place for people: latitude, longitude in degrees, in this order among right-to-left text too."""
    return f"\u2066{place.lat:.6f}, {place.lon:.6f}\u2069"


def feature_of(text: str, catalogue: Catalogue) -> tuple[PublishedLayer, str]:
    """Read ``feature``: a collection and the id of one of its features, with a slash between them."""
    name, slash, key = text.partition("/")
    layer = catalogue.by_id.get(name)
    if layer is None or not slash or not key or len(key) > 200:
        allowed = ", ".join(f"{known}/…" for known in catalogue.by_id)
        raise InvalidInput("parameter.value", parameter="feature", value=text[:80], allowed=allowed)
    return layer, key


def layers_of(given: Mapping[str, str], catalogue: Catalogue, *, areas: bool) -> list[PublishedLayer]:
    """Return the layers that ``collections`` names, in its order; by default all, or all but those of areas."""
    if "collections" not in given:
        return [layer for layer in catalogue.drawn() if areas or layer.definition.geometry.type not in _AREAS]
    # One that is named twice is asked once.
    names = list(dict.fromkeys(given["collections"].split(",")))
    for name in names:
        if name not in catalogue.by_id:
            raise InvalidInput(
                "parameter.value", parameter="collections", value=name[:60], allowed=", ".join(catalogue.by_id)
            )
    return [catalogue.by_id[name] for name in names]


def choose(
    layers: Sequence[PublishedLayer], given: Mapping[str, str], zone: ZoneInfo, catalogue: Catalogue
) -> tuple[tuple[Chosen, ...], dict[str, object]]:
    """Return which features of each layer are asked, and the values of their conditions.

    Raises
    ------
    InvalidInput
        With the layer to which a condition can't be put, where several are asked.
    """
    asked = {name: value for name, value in given.items() if name in params.SELECT}
    chosen, values = [], {}
    for number, layer in enumerate(layers):
        try:
            selection, own = params.selection_of(layer, asked, zone, catalogue.districts)
        except InvalidInput as error:
            if len(layers) > 1:
                error.params["in_collection"] = layer.id
            raise
        chosen.append(Chosen(layer, selection))
        values.update({value_name(number, name): value for name, value in own.items()})
    return tuple(chosen), values


def output_of(given: Mapping[str, str], layers: Sequence[PublishedLayer]) -> Output:
    """Read ``crs`` and ``skipGeometry`` of an answer with features of several layers, each of which has the CRS."""
    crs = parse_crs(given["crs"], "crs") if "crs" in given else DEFAULT_CRS
    for layer in layers if "crs" in given else ():
        params.crs_of(layer, given["crs"])
    return Output(crs, None, params.with_geometry(given))


def tolerance_of(given: Mapping[str, str]) -> float:
    """Read how far a point or a line may lie from a place to be at it, in metres."""
    if "tolerance" not in given:
        return DEFAULT_TOLERANCE
    return number_of(given["tolerance"], "tolerance", 0, MAX_TOLERANCE)


def _one_of(given: Mapping[str, str], name: str, default: str, allowed: Sequence[str]) -> str:
    value = given.get(name, default)
    if value not in allowed:
        raise InvalidInput("parameter.value", parameter=name, value=value[:60], allowed=", ".join(allowed) or "–")
    return value


def _only_with(given: Mapping[str, str], name: str, allowed: str) -> None:
    if name in given:
        raise InvalidInput("aggregate.only-with", parameter=name, value=given[name][:60], allowed=allowed)


def measures_of(layer: PublishedLayer) -> list[str]:
    """Return the measures that a layer has: those of fields where it has numbers, those that fit its geometry."""
    kind = layer.definition.geometry.type
    without = {"area"} if kind in (*_POINTS, *_LINES) else set()
    without |= {"length"} if kind in (*_POINTS, *_AREAS) else set()
    without |= set() if numbers_of(layer) else set(FIELD_MEASURES)
    return [measure for measure in MEASURES if measure not in without]


def numbers_of(layer: PublishedLayer) -> list[str]:
    """Return the fields that can be summed."""
    return [field.name for field in layer.definition.fields if field.type in ("integer", "number")]


def groups_of(layer: PublishedLayer, catalogue: Catalogue) -> list[str]:
    """Return what a layer can be grouped by."""
    areas = ["district", "grid"] if DISTRICTS in catalogue.by_id else ["grid"]
    return [*areas, *(field.name for field in layer.definition.fields if field.name not in areas)]


def populations_of(catalogue: Catalogue) -> list[str]:
    """Return the fields of the districts that hold inhabitants, the newest first."""
    layer = catalogue.by_id.get(DISTRICTS)
    fields = layer.definition.fields if layer else ()
    found = [field.name for field in fields if field.type == "integer" and field.name.startswith("population")]
    return sorted(found, reverse=True)


def aggregate_of(
    layer: PublishedLayer, given: Mapping[str, str], zone: ZoneInfo, catalogue: Catalogue, geometry: bool
) -> tuple[AggregateShape, dict[str, object]]:
    """Turn the parameters of an aggregation into its shape and values.

    Raises
    ------
    InvalidInput
        Naming the parameter, its value and what is allowed.
    """
    chosen = {name: value for name, value in given.items() if name not in AGGREGATE}
    selection, values = params.selection_of(layer, chosen, zone, catalogue.districts)
    measure = _one_of(given, "measure", "count", measures_of(layer))
    field = None
    if measure in FIELD_MEASURES:
        if "field" not in given:
            raise InvalidInput(
                "aggregate.field", parameter="field", value=measure, allowed=", ".join(numbers_of(layer))
            )
        field = _one_of(given, "field", "", numbers_of(layer))
    else:
        _only_with(given, "field", "measure=" + ", ".join(FIELD_MEASURES))
    by, group = _by(layer, given, catalogue)
    grid = GRID_SRIDS[0]
    if by == "grid":
        if "size" not in given:
            raise InvalidInput("aggregate.size", parameter="size", allowed=f"{MIN_SIZE} … {MAX_SIZE}")
        values["size"] = number_of(given["size"], "size", MIN_SIZE, MAX_SIZE)
        grid = _grid(given)
    else:
        for name in ("size", "grid-crs"):
            _only_with(given, name, "by=grid")
    population = _population(given, measure, by, catalogue)
    shape = AggregateShape(
        selection, measure, field, by, group, grid, population, geometry and by in ("district", "grid")
    )
    return shape, values


def _by(layer: PublishedLayer, given: Mapping[str, str], catalogue: Catalogue) -> tuple[By, str | None]:
    if "by" not in given:
        return "all", None
    name = _one_of(given, "by", "", groups_of(layer, catalogue))
    if name == "district":
        return "district", None
    return ("grid", None) if name == "grid" else ("field", name)


def _grid(given: Mapping[str, str]) -> int:
    if "grid-crs" not in given:
        return GRID_SRIDS[0]
    crs = parse_crs(given["grid-crs"], "grid-crs")
    if crs.srid not in GRID_SRIDS:
        allowed = ", ".join(f"EPSG:{srid}" for srid in GRID_SRIDS)
        raise InvalidInput("crs.unknown", parameter="grid-crs", value=given["grid-crs"][:80], allowed=allowed)
    return crs.srid


def _population(given: Mapping[str, str], measure: str, by: str, catalogue: Catalogue) -> str | None:
    if "per" not in given:
        _only_with(given, "population", f"per={PER}")
        return None
    _one_of(given, "per", "", [PER])
    if by != "district":
        _only_with(given, "per", "by=district")
    if measure not in ADDITIVE:
        _only_with(given, "per", "measure=" + ", ".join(ADDITIVE))
    known = populations_of(catalogue)
    return _one_of(given, "population", known[0] if known else "", known)
