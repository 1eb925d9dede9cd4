"""Tilesets: metadata (OGC API - Tiles) and TileJSON 3.0, for one layer and for several."""

import re

import jsonschema
import mapbox_vector_tile
import pytest

from geo.bbox import BBox
from geo.grid import tile_limits

ONE = "/collections/facilities/tiles/WebMercatorQuad"
ALL = "/tiles/WebMercatorQuad"
SET = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
#: What TileJSON 3.0.0 requires (its own schema, section by section).
TILEJSON = {
    "type": "object",
    "required": ["tilejson", "tiles", "vector_layers"],
    "properties": {
        "tilejson": {"pattern": r"^3\.\d+\.\d+$"},
        "tiles": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "vector_layers": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "fields"],
                "properties": {
                    "id": {"type": "string"},
                    "fields": {"type": "object", "additionalProperties": {"type": "string"}},
                    "minzoom": {"type": "integer", "minimum": 0, "maximum": 30},
                    "maxzoom": {"type": "integer", "minimum": 0, "maximum": 30},
                },
            },
        },
        "bounds": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4},
        "minzoom": {"type": "integer"},
        "maxzoom": {"type": "integer"},
        "scheme": {"enum": ["tms", "xyz"]},
    },
}


@pytest.mark.parametrize("path", [ONE, ALL, ALL + "?collections=districts,worksites"])
@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_tilejson_is_valid_and_its_tiles_are_there(client, server_url, path, lang):
    joint = "&" if "?" in path else "?"
    body = client.get(f"{path}{joint}f=tilejson&lang={lang}").json()
    jsonschema.validate(body, TILEJSON)
    template = body["tiles"][0]
    assert template.startswith(server_url)
    answer = client.get(template.replace("{z}", "9").replace("{y}", "205").replace("{x}", "245"))
    layers = {layer["id"]: set(layer["fields"]) for layer in body["vector_layers"]}
    decoded = mapbox_vector_tile.decode(answer.content)
    assert set(decoded) == set(layers)
    for name, layer in decoded.items():
        assert {key for item in layer["features"] for key in item["properties"]} <= layers[name]


def test_zooms_and_bounds_are_those_of_the_layers(client):
    one = client.get(ONE + "?f=tilejson").json()
    assert (one["minzoom"], one["maxzoom"]) == (9, 18)
    assert one["bounds"] == client.get("/collections/facilities").json()["extent"]["spatial"]["bbox"][0]
    several = client.get(ALL + "?f=tilejson&collections=facilities,districts").json()
    assert (several["minzoom"], several["maxzoom"]) == (6, 18)
    assert several["bounds"][0] == min(
        client.get(f"/collections/{name}").json()["extent"]["spatial"]["bbox"][0][0]
        for name in ("facilities", "districts")
    )
    assert "OpenStreetMap" in several["attribution"]


def test_metadata_names_grid_limits_and_layers(client):
    body = client.get(ONE).json()
    assert (body["dataType"], body["tileMatrixSetURI"]) == ("vector", SET)
    assert [layer["id"] for layer in body["layers"]] == ["facilities"]
    box = BBox(*body["boundingBox"]["lowerLeft"], *body["boundingBox"]["upperRight"])
    assert [int(item["tileMatrix"]) for item in body["tileMatrixSetLimits"]] == list(range(9, 19))
    for item in body["tileMatrixSetLimits"]:
        limits = tuple(item[name] for name in ("minTileRow", "maxTileRow", "minTileCol", "maxTileCol"))
        assert limits == tile_limits(box, int(item["tileMatrix"]))


@pytest.mark.parametrize("path", [ONE, ALL, ALL + "?collections=districts"])
def test_links_of_a_tileset_lead_to_tiles_and_to_itself(client, path):
    links = {item["rel"]: item for item in client.get(path).json()["links"]}
    assert links["item"]["templated"] is True
    assert links["item"]["type"] == "application/vnd.mapbox-vector-tile"
    tile = re.sub(
        r"{(\w+)}",
        lambda found: {"tileMatrix": "9", "tileRow": "205", "tileCol": "245"}[found[1]],
        links["item"]["href"],
    )
    assert client.get(tile).status_code == 200
    assert client.get(links["self"]["href"]).json()["title"]
    assert client.get(links["describedby"]["href"]).json()["tilejson"] == "3.0.0"


@pytest.mark.parametrize("path", ["/tiles", "/collections/worksites/tiles"])
def test_lists_of_tilesets_lead_to_the_tileset(client, path):
    (one,) = client.get(path).json()["tilesets"]
    (self,) = [item["href"] for item in one["links"] if item["rel"] == "self"]
    assert client.get(self).json()["tileMatrixSetURI"] == one["tileMatrixSetURI"] == SET


def test_titles_and_labels_are_in_the_readers_language(client):
    body = client.get(ONE, params={"lang": "ar"}).json()
    assert body["title"] == "المرافق والخدمات العمومية"
    assert body["layers"][0]["propertiesSchema"]["properties"]["category"]["title"] == "الصنف"
