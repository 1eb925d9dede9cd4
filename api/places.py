"""What a place's page says beyond its card: what is near, and where the city's other services are told about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import quote

from api.links import Links
from api.negotiation import Reader
from api.routes.at import canonical
from api.routes.nearest import find_nearest, written_direction, written_distance
from api.settings import PLACE_PARTS, Settings
from geo.crs import WGS84_SRID
from layers.nearest import NearestShape, step_for
from layers.selection import EVERYTHING
from layers.several import Chosen

if TYPE_CHECKING:
    from api.state import State

#: Neighbours on a page, and how far they may be, in metres.
NEAR, FARTHEST_NEAR = 6, 2000.0
_POINTS = ("Point", "MultiPoint")


class Neighbour(TypedDict):
    """One thing that is near."""

    name: str
    layer: str
    href: str
    distance: str
    direction: str


async def neighbours(state: State, reader: Reader, lon: float, lat: float, own: str) -> list[Neighbour]:
    """Return what is nearest to a place, but for the features of the entry ``own``."""
    layers = [
        layer
        for layer in state.catalogue.drawn()
        if layer.definition.geometry.type in _POINTS and layer.definition.temporal is None
    ]
    if not layers:
        return []
    chosen = tuple(Chosen(layer, EVERYTHING) for layer in layers)
    shape = NearestShape(chosen, srid=WGS84_SRID, step=step_for(NEAR + 1), bounded=True)
    values: dict[str, object] = {
        "x": lon,
        "y": lat,
        "page": NEAR + 1,
        "farthest": FARTHEST_NEAR,
        "max_bytes": state.settings.max_bytes,
    }
    row = await find_nearest(state.database, shape, values)
    found = json.loads(b"[" + (row["features"] or b"") + b"]")
    links = Links(state.settings.base_path)
    near: list[Neighbour] = []
    for feature in found:
        layer, properties = state.catalogue.by_id[feature["collection"]], feature["properties"]
        entry = properties.get("entry_id")
        if layer.definition.places and entry == own:
            continue
        near.append(
            {
                "name": properties[f"name_{reader.lang}"],
                "layer": layer.definition.title[reader.lang],
                "href": canonical(layer, feature["id"], entry, links) + f"?f=html&lang={reader.lang}",
                "distance": written_distance(reader, feature["distance"]),
                "direction": written_direction(reader, feature["bearing"]),
            }
        )
    return near[:NEAR]


def service_links(settings: Settings, record: Mapping[str, Any], lang: str, address: str) -> dict[str, str]:
    """Return the addresses of the city's other services for a place, by their names in the texts.

    ``record`` is a row of :func:`layers.queries.entry_statement`, ``address`` the place's own. A parameter of the query
    that would tell what is unknown is left out; elsewhere it is left empty.
    """
    lon, lat = record["_lon"], record["_lat"]
    values = {
        "place": address,
        "name": record[f"name_{lang}"],
        "district": record["district_code"] or "",
        "lon": "" if lon is None else f"{lon:.6f}",
        "lat": "" if lat is None else f"{lat:.6f}",
    }
    # Nobody can tell of a problem here where there is no here.
    report = settings.report_url if lon is not None else ""
    templates = {"report": report, "procedure": settings.procedure_url}
    return {name: _filled(template, values) for name, template in templates.items() if template}


def _filled(template: str, values: Mapping[str, str]) -> str:
    unknown = tuple("{" + name + "}" for name in PLACE_PARTS if not values[name])
    address, mark, fragment = template.partition("#")
    path, _, query = address.partition("?")
    known = [part for part in query.split("&") if part and not any(name in part for name in unknown)]
    template = path + ("?" + "&".join(known) if known else "") + mark + fragment
    for name in PLACE_PARTS:
        # Quoted values have no braces, so that none is taken for a placeholder.
        template = template.replace("{" + name + "}", quote(values[name], safe=""))
    return template
