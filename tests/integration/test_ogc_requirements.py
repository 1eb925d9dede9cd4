"""The abstract test suites of the standards, requirement by requirement, where no other test has them.

OGC API - Features Part 1 (17-069r4), Part 2 (18-058r1), Part 3 (19-079r2), Part 5, which is Part 3 of Common (23-058r2),
CQL2 (21-065r2), Tiles (20-057). The names are those of the requirements.
"""

from __future__ import annotations

import datetime as dt
import re

import jsonschema
import pytest
from pyproj import Transformer

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
REL = "http://www.opengis.net/def/rel/ogc/1.0"
LAYERS = ["districts", "transport-lines", "worksites", "transport-stops", "facilities"]
#: Media types of features.
ENCODINGS = {
    "application/geo+json",
    "application/geo+json-seq",
    "text/csv",
    "application/flatgeobuf",
    "application/geopackage+sqlite3",
    "application/vnd.apache.parquet",
    "application/vnd.google-earth.kml+xml",
    "application/zip",
    "text/html",
}
#: Every conformance class of the standards, as they spell them.
CLASSES = {
    "ogcapi-common-1/1.0": "core landing-page json html oas30",
    "ogcapi-common-2/1.0": "collections",
    "ogcapi-common-3/1.0": "schemas advanced-property-roles references returnables-and-receivables queryables sortables"
    " profile-parameter profile-references profile-codelists profile-domains",
    "ogcapi-features-1/1.0": "core geojson gmlsf0 gmlsf2 html oas30",
    "ogcapi-features-2/1.0": "crs",
    "ogcapi-features-3/1.0": "queryables queryables-query-parameters filter features-filter",
    "ogcapi-features-5/1.0": "schemas",
    "cql2/1.0": "basic-cql2 advanced-comparison-operators case-insensitive-comparison accent-insensitive-comparison"
    " basic-spatial-functions basic-spatial-functions-plus spatial-functions temporal-functions array-functions"
    " property-property functions arithmetic cql2-text cql2-json",
    "ogcapi-tiles-1/1.0": "core tileset tilesets-list dataset-tilesets geodata-tilesets collections-selection datetime"
    " oas30 xml png jpeg tiff netcdf geojson mvt",
}


def links_of(value):
    """Return every link of a document, however deep."""
    if isinstance(value, dict):
        own = value.get("links", [])
        return own + [link for key, part in value.items() if key != "links" for link in links_of(part)]
    return [link for part in value for link in links_of(part)] if isinstance(value, list) else []


def items(client, layer, **asked):
    return client.get(f"/collections/{layer}/items", params={name.replace("_", "-"): v for name, v in asked.items()})


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [feature["id"] for feature in answer.json()["features"]]


# Part 1


def test_conformance_classes_are_those_of_the_standards(client):
    declared = client.get("/conformance").json()["conformsTo"]
    known = {
        f"http://www.opengis.net/spec/{standard}/conf/{name}"
        for standard, names in CLASSES.items()
        for name in names.split()
    }
    assert set(declared) <= known
    assert len(declared) == len(set(declared))


def test_root_success_for_features_and_for_common(client):
    rels = {link["rel"] for link in client.get("/").json()["links"]}
    assert {"service-desc", "service-doc", "conformance", "data", "self", "alternate"} <= rels
    assert {f"{REL}/conformance", f"{REL}/data"} <= rels


def test_all_links_have_rel_and_type(client, everything):
    """``fc-md-items-links``, ``fc-rel-type``, ``f-links``."""
    place = everything("facilities")[0]["id"]
    line = everything("transport-lines")[0]["id"]
    for path in (
        "/",
        "/collections",
        "/collections/facilities",
        "/collections/facilities/items?limit=2",
        f"/collections/facilities/items/{place}",
        f"/collections/transport-lines/items/{line}",
        "/collections/facilities/export",
        "/collections/facilities/aggregate?by=district",
        f"/directory/{place}",
        "/nearest?lon=-7.6&lat=33.58",
        "/at?lon=-7.6&lat=33.58",
    ):
        links = links_of(client.get(path, headers={"Accept": "application/json"}).json())
        assert links, path
        for link in links:
            assert link["rel"], (path, link)
            assert link["type"], (path, link)
            assert link["href"].startswith("http"), (path, link)


@pytest.mark.parametrize("layer", LAYERS)
def test_fc_md_items_links_has_every_encoding(client, layer):
    links = [link for link in client.get(f"/collections/{layer}").json()["links"] if link["rel"] == "items"]
    assert {link["type"] for link in links} == ENCODINGS
    for link in links:
        answer = client.head(link["href"])  # files are made for GET only
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(link["type"])


@pytest.mark.parametrize("layer", LAYERS)
def test_fc_links(client, server_url, layer):
    links = items(client, layer, limit=2).json()["links"]
    by_rel = {rel: [link for link in links if link["rel"] == rel] for rel in ("self", "alternate", "collection")}
    assert {link["type"] for link in by_rel["alternate"]} == ENCODINGS - {"application/geo+json"}
    (collection,) = by_rel["collection"]
    assert collection["href"] == f"{server_url}/collections/{layer}"
    (itself,) = by_rel["self"]
    assert ids(client.get(itself["href"])) == ids(items(client, layer, limit=2))


def test_the_self_link_of_a_feature_is_what_was_asked(client, everything):
    key = everything("transport-stops")[0]["id"]
    path = f"/collections/transport-stops/items/{key}"
    asked = client.get(path, params={"crs": "http://www.opengis.net/def/crs/EPSG/0/26191", "properties": "mode"})
    (itself,) = [link for link in asked.json()["links"] if link["rel"] == "self"]
    again = client.get(itself["href"])
    assert again.json() == asked.json()
    assert again.headers["content-crs"] == asked.headers["content-crs"]


@pytest.mark.parametrize("layer", LAYERS)
def test_fc_numbers_and_timestamp(client, layer):
    body = items(client, layer, limit=3).json()
    assert body["numberReturned"] == len(body["features"]) == 3
    assert body["numberMatched"] == client.get(f"/collections/{layer}").json()["itemCount"]
    moment = dt.datetime.fromisoformat(body["timeStamp"])
    assert abs(dt.datetime.now(dt.UTC) - moment) < dt.timedelta(minutes=5)


@pytest.mark.parametrize("path", ["", "/conformance", "/api", "/collections", "/functions", "/tiles"])
def test_query_param_unknown(client, path):
    for layer_path in ["", "/items", "/items/x", "/queryables", "/schema", "/sortables", "/tiles", "/export"]:
        for asked in {path or "/", f"/collections/facilities{layer_path}"}:
            answer = client.get(asked, params={"unknown-parameter": "1"}, headers={"Accept": "application/json"})
            assert answer.status_code == 400, asked
            assert answer.json()["parameter"] == "unknown-parameter"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("bbox", value) for value in ("1", "1,2,3", "1,2,3,x", "0,10,1,5", "0,0,0,0,0", "-181,0,0,0", "NaN,0,1,1")),
        *(("limit", value) for value in ("0", "-1", "ten", "1.5", "")),
        *(("datetime", value) for value in ("today", "2026-13-01", "2026-11-30/2026-11-01", "../..x", "1/2/3")),
    ],
)
def test_query_param_invalid(client, name, value):
    answer = items(client, "worksites", **{name: value})
    assert answer.status_code == 400
    assert answer.json()["parameter"] == name


@pytest.mark.parametrize("layer", LAYERS)
def test_oas30_parameters_are_those_of_the_standards(client, layer):
    document = client.get("/api").json()
    known = document["components"]["parameters"]
    asked = {}
    for item in document["paths"][f"/collections/{layer}/items"]["get"]["parameters"]:
        parameter = known[item["$ref"].rsplit("/", 1)[1]]
        asked[parameter["name"]] = parameter
    for name in ("bbox", "limit", "datetime", "crs", "bbox-crs", "filter", "filter-lang", "filter-crs"):
        parameter = asked[name]
        assert (parameter["in"], parameter["required"]) == ("query", False)
        assert (parameter["style"], parameter["explode"]) == ("form", False)
    box, limit = asked["bbox"]["schema"], asked["limit"]["schema"]
    assert (box["type"], box["items"]) == ("array", {"type": "number"})
    assert box["oneOf"] == [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}]
    assert (limit["type"], limit["minimum"]) == ("integer", 1)
    assert limit["minimum"] <= limit["default"] <= limit["maximum"]
    assert limit["default"] >= 100
    assert asked["datetime"]["schema"] == {"type": "string"}
    # GDAL sends filters only where it finds this name.
    assert {"cql2-text", "cql2-json", "cql-text"} == set(asked["filter-lang"]["schema"]["enum"])
    described = client.get(f"/collections/{layer}").json()
    for name in ("crs", "bbox-crs", "filter-crs"):
        assert asked[name]["schema"]["enum"] == described["crs"]


# Part 2


def test_fc_md_storage_crs_is_one_of_the_crs(workshop, serve, client):
    import httpx

    workshop.raw["geometry"]["srid"] = 32630
    workshop.ingest(workshop.geojson({"id": "one"}))
    own = "http://www.opengis.net/def/crs/EPSG/0/32630"
    with httpx.Client(base_url=serve(workshop.url), timeout=30) as served:
        described = served.get("/collections/libraries").json()
        assert described["storageCrs"] == own
        assert own in described["crs"]
        assert described["crs"][0] == CRS84
        for name in ("crs", "bbox-crs", "filter-crs"):
            more = {"bbox": "0,0,1000000,5000000"} if name == "bbox-crs" else {}
            assert served.get("/collections/libraries/items", params={name: own, **more}).status_code == 200
            parameters = served.get("/api").json()["components"]["parameters"]
            assert own in parameters[f"{name}.32630"]["schema"]["enum"]
            assert own not in parameters[name]["schema"]["enum"]
        answer = served.get("/collections/libraries/items", params={"crs": own})
        assert answer.headers["content-crs"] == f"<{own}>"
        x, y = Transformer.from_crs("OGC:CRS84", "EPSG:32630").transform(-7.6, 33.5)
        assert answer.json()["features"][0]["geometry"]["coordinates"] == pytest.approx([x, y], abs=0.01)
    assert items(client, "facilities", crs=own).status_code == 400


@pytest.mark.parametrize("name", ["crs", "bbox-crs", "filter-crs"])
def test_an_unknown_crs_is_refused_wherever_it_is_named(client, name):
    for path in ("items", "export"):
        answer = client.get(
            f"/collections/facilities/{path}", params={name: "http://www.opengis.net/def/crs/OGC/0/does_not_exist"}
        )
        assert answer.status_code == 400
        assert answer.json()["parameter"] == name


# Part 3


@pytest.mark.parametrize("layer", LAYERS)
def test_filter_suite(client, everything, layer):
    """``filter-param``, ``filter-lang-default``, ``filter-crs-*``, ``mixing-expressions``, ``expression-construction``."""
    all_ids = sorted(feature["id"] for feature in everything(layer))
    described = client.get(f"/collections/{layer}").json()
    west, south, east, north = described["extent"]["spatial"]["bbox"][0]
    box = f"S_INTERSECTS(geom,BBOX({west},{south},{east},{north}))"
    for lang in ({}, {"filter_lang": "cql2-text"}, {"filter_lang": "cql-text"}):
        assert ids(items(client, layer, filter="id IS NULL", **lang)) == []
        assert sorted(ids(items(client, layer, filter=box, limit=10000, **lang))) == all_ids
        assert items(client, layer, filter="THIS IS NOT A FILTER", **lang).status_code == 400
        assert items(client, layer, filter="this_is_not_a_queryable IS NULL", **lang).status_code == 400
    huge = "S_INTERSECTS(geom,BBOX(1000000,1000000,2000000,2000000))"
    assert items(client, layer, filter=huge).status_code == 400
    for crs in described["crs"]:
        # Not always_xy: the order is the authority's. A box in another CRS is not a box, so it is drawn a little larger.
        turn = Transformer.from_crs(
            "OGC:CRS84",
            crs.replace("http://www.opengis.net/def/crs/OGC/1.3/", "OGC:").replace(
                "http://www.opengis.net/def/crs/EPSG/0/", "EPSG:"
            ),
        )
        corners = [turn.transform(x, y) for x in (west - 0.01, east + 0.01) for y in (south - 0.01, north + 0.01)]
        low, high = ([pick(part) for part in zip(*corners, strict=True)] for pick in (min, max))
        text = f"S_INTERSECTS(geom,BBOX({low[0]},{low[1]},{high[0]},{high[1]}))"
        assert sorted(ids(items(client, layer, filter=text, filter_crs=crs, limit=10000))) == all_ids
    assert sorted(ids(items(client, layer, filter=box, bbox=f"{west},{south},{east},{north}", limit=10000))) == all_ids
    assert ids(items(client, layer, filter=box, bbox="10,10,11,11")) == []


@pytest.mark.parametrize("layer", LAYERS)
def test_queryables_query_parameters(client, everything, layer):
    """Every queryable with a simple value is a parameter of the same schema, and finds the features that have it."""
    document = client.get("/api").json()
    known = document["components"]["parameters"]
    asked = {}
    for item in document["paths"][f"/collections/{layer}/items"]["get"]["parameters"]:
        parameter = known[item["$ref"].rsplit("/", 1)[1]]
        asked[parameter["name"]] = parameter["schema"]
    queryables = client.get(f"/collections/{layer}/queryables").json()["properties"]
    shown = [{"id": feature["id"], **feature["properties"]} for feature in everything(layer)]
    simple = {name: schema for name, schema in queryables.items() if schema.get("type", "array") != "array"}
    assert "id" in simple
    for name, schema in simple.items():
        described = {key: schema[key] for key in ("type", "format", "enum", "x-ogc-unit") if key in schema}
        assert asked[name] == described, name
        values = [row[name] for row in shown if row[name] is not None]
        if values:
            value = str(values[0]).lower() if isinstance(values[0], bool) else values[0]
            wanted = sorted(row["id"] for row in shown if row[name] == values[0])
            for path in ("items", "export"):
                answer = client.get(
                    f"/collections/{layer}/{path}", params={name: value} | ({"limit": 10000} if path == "items" else {})
                )
                assert sorted(ids(answer)) == wanted, (path, name)
            counted = client.get(f"/collections/{layer}/aggregate", params={name: value}).json()
            if name not in ("field", "measure", "by"):
                assert counted["results"][0]["count"] == len(wanted)


def test_functions_are_as_the_standard_writes_them(client):
    kinds = {"string", "number", "integer", "datetime", "geometry", "boolean"}
    for function in client.get("/functions").json()["functions"]:
        assert set(function) <= {"name", "description", "metadataUrl", "arguments", "returns"}
        assert set(function["returns"]) <= kinds
        for argument in function["arguments"]:
            assert set(argument) <= {"title", "description", "type"}
            assert set(argument["type"]) <= kinds


# Part 5

#: What UCUM (case-sensitive) has of the units in use, and annotations for what it has not.
UCUM = re.compile(r"k?m2|k?m|min|h|s|%|deg|\{[!-z|~]+\}")
KEYWORDS = {"$schema", "$id", "type", "title", "description", "properties", "required", "additionalProperties"}
PROPERTY_KEYWORDS = {"type", "title", "description", "format", "enum", "items"}
GEOMETRY_FORMATS = {"any", "point", "multipoint", "linestring", "multilinestring", "polygon", "multipolygon"}


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("kind", ["schema", "queryables", "sortables"])
def test_schemas_suite(client, server_url, layer, kind):
    """``basic-schema-inspection``, ``role-*``, ``property-seq``, ``unit``, ``link``, ``op-and-response``."""
    (link,) = [
        link["href"] for link in client.get(f"/collections/{layer}").json()["links"] if link["rel"] == f"{REL}/{kind}"
    ]
    assert link == f"{server_url}/collections/{layer}/{kind}"
    answer = client.get(link, headers={"Accept": "application/schema+json"})
    assert answer.headers["content-type"] == "application/schema+json"
    schema = answer.json()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert (schema["$id"], schema["type"], schema["additionalProperties"]) == (link, "object", False)
    assert set(schema) <= KEYWORDS
    properties = schema["properties"]
    roles = [described["x-ogc-role"] for described in properties.values() if "x-ogc-role" in described]
    assert roles.count("id") == 1
    assert all(roles.count(role) == 1 for role in roles)
    sequence = [described["x-ogc-propertySeq"] for described in properties.values()]
    assert sequence == sorted(set(sequence))
    for described in properties.values():
        assert all(key in PROPERTY_KEYWORDS or key.startswith("x-ogc-") for key in described)
        assert described["title"]
        spatial = described.get("format", "").startswith("geometry-")
        assert ("type" in described) != spatial
        if spatial:
            assert described["format"].removeprefix("geometry-") in GEOMETRY_FORMATS
        if "x-ogc-unit" in described:
            assert described["type"] in ("number", "integer")
            assert UCUM.fullmatch(described["x-ogc-unit"])
    if kind == "sortables":
        assert not any("type" not in described or described["type"] == "array" for described in properties.values())
    ends = [properties[name] for name in properties if properties[name].get("x-ogc-role", "").startswith("primary-int")]
    assert len({end["format"] for end in ends}) <= 1


@pytest.mark.parametrize("layer", LAYERS)
def test_features_are_valid_against_their_schema(client, everything, layer):
    """``response-1``; a value that is unknown is null in GeoJSON, and no value of the property."""
    schema = client.get(f"/collections/{layer}/schema").json()
    kind = schema["properties"].pop("geometry")["format"].removeprefix("geometry-")
    # Without the geometry, which its format alone describes.
    schema["required"].remove("geometry")
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    assert {"id", "name_fr", "name_ar"} <= set(schema["required"]) < set(schema["properties"])
    for feature in everything(layer):
        known = {name: value for name, value in feature["properties"].items() if value is not None}
        validator.validate({"id": feature["id"], **known})
        assert kind in ("any", feature["geometry"]["type"].lower())


@pytest.mark.parametrize("layer", LAYERS)
def test_only_sortables_sort(client, layer):
    sortables = client.get(f"/collections/{layer}/sortables").json()["properties"]
    for name in sortables:
        for sign in ("", "-", "+"):
            assert items(client, layer, sortby=sign + name, limit=1).status_code == 200
    for name in ("geom", "nothing"):
        assert items(client, layer, sortby=name).status_code == 400
