"""The requests that QGIS 3.32 and later forms, replayed: what it reads first, then its filters, boxes and systems.

Which these are was read in QGIS' provider: an expression becomes CQL2 text with names in quotation marks, comparisons in
brackets, and ``CASEI`` around both sides of ``ILIKE``; the layer's own system is named unless it is CRS84.
"""

from urllib.parse import quote

import httpx
import pytest
import shapely
from shapely.geometry import shape

CRS = "http://www.opengis.net/def/crs/EPSG/0/"
FEATURES = {"Accept": "application/geo+json, application/json"}
JSON = {"Accept": "application/json"}
BOX = (-7.65, 33.5, -7.6, 33.6)
METRES = (300000, 320000, 306000, 330000)

#: Filters as QGIS writes them, the expression they come from being like them; and the same in pandas.
FILTERS = [
    ("(kind = 'a')", lambda t: t.kind == "a"),
    ("(kind <> 'a')", lambda t: t.kind.notna() & (t.kind != "a")),
    ("(\"name_fr\" = 'kiosks-0042')", lambda t: t.name_fr == "kiosks-0042"),
    ("(\"name_fr\" = 'l''eau')", lambda t: t.name_fr == "l'eau"),
    ("(\"name_fr\" LIKE 'kiosks-00%')", lambda t: t.name_fr.str.startswith("kiosks-00")),
    ("(\"name_fr\" NOT LIKE 'kiosks-00%')", lambda t: ~t.name_fr.str.startswith("kiosks-00")),
    ("(CASEI(\"name_fr\") LIKE CASEI('KIOSKS-_1%'))", lambda t: t.name_fr.str.match("kiosks-.1")),
    ("(CASEI(\"name_fr\") NOT LIKE CASEI('KIOSKS-_1%'))", lambda t: ~t.name_fr.str.match("kiosks-.1")),
    ("kind IN ('a','b')", lambda t: t.kind.isin(["a", "b"])),
    ("kind NOT IN ('a','b')", lambda t: t.kind == "c"),
    ("amount IN (1,2,3)", lambda t: t.amount.isin([1, 2, 3])),
    ("amount BETWEEN -3 AND 5", lambda t: t.amount.between(-3, 5)),
    ("amount NOT BETWEEN -3 AND 5", lambda t: t.amount.notna() & ~t.amount.between(-3, 5)),
    ("(score >= 1.5)", lambda t: t.score >= 1.5),
    ("(score < 1e-05)", lambda t: t.score < 1e-05),
    ("(kind IS NULL)", lambda t: t.kind.isna()),
    ("(kind IS NOT NULL)", lambda t: t.kind.notna()),
    ("(NOT (kind = 'a'))", lambda t: t.kind.notna() & (t.kind != "a")),
    ("(open = TRUE)", lambda t: t.open.eq(True)),
    ("(open <> TRUE)", lambda t: t.open.eq(False)),
    ("(day = DATE('2026-01-05'))", lambda t: t.day.astype(str) == "2026-01-05"),
    ("(day > DATE('2026-01-19'))", lambda t: t.day.astype(str).isin(["2026-01-20", "2026-01-21"])),
    ("(day >= TIMESTAMP('2026-01-20T00:00:00.000Z'))", lambda t: t.day.astype(str).isin(["2026-01-20", "2026-01-21"])),
    ("(amount > score)", lambda t: t.amount > t.score),
    ("((amount + 1) = 4)", lambda t: t.amount == 3),
    ("((( - (amount)) * 2) > 90)", lambda t: -t.amount * 2 > 90),
    ("((amount % 7) = 3)", lambda t: (t.amount > 0) & (t.amount % 7 == 3)),
    ("((amount / 2) > 20)", lambda t: t.amount / 2 > 20),
    ("((amount ^ 2) > 2000)", lambda t: t.amount**2 > 2000),
    (
        "(((kind = 'a') OR (amount > 40)) AND (NOT ((open = TRUE))))",
        lambda t: ((t.kind == "a") | (t.amount > 40)) & t.open.eq(False),
    ),
]


def parameters(text, **more):
    """Return the parameters of a filter as QUrl writes them."""
    filters = f"filter={quote(text, safe=chr(39) + '()*,/:;=@!$?')}&filter-lang=cql2-text"
    return "&".join([filters, *(f"{name.replace('_', '-')}={value}" for name, value in more.items())])


def download(watched, layer, query):
    """Take all pages as QGIS does: from the first request on along the links, until one is empty."""
    found = []
    url = f"{watched.url}/collections/{layer}/items?limit=1000&{query}"
    while url:
        answer = httpx.get(url, headers=FEATURES, timeout=60)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        found += body["features"]
        url = next((link["href"] for link in body["links"] if link["rel"] == "next"), None)
    assert len({item["id"] for item in found}) == len(found)
    return found


def ids(found):
    return sorted(item["id"] for item in found)


def test_what_it_reads_before_the_features(watched):
    # "Detect" tries WFS first, and turns to the landing page when that is an error.
    answer = httpx.get(f"{watched.url}?SERVICE=WFS&REQUEST=GetCapabilities&ACCEPTVERSIONS=2.0.0,1.1.0,1.0.0")
    assert answer.status_code == 400
    landing = httpx.get(watched.url, headers=JSON).json()
    links = {(link["rel"], link.get("type")): link["href"] for link in landing["links"]}
    openapi = "application/vnd.oai.openapi+json;version=3.0"
    accept = f"{openapi}, application/openapi+json;version=3.0, application/json"
    answer = httpx.get(links["service-desc", openapi], headers={"Accept": accept})
    assert answer.headers["content-type"] == openapi
    limit = answer.json()["components"]["parameters"]["limit"]["schema"]
    # Pages of 1000, as the default is below and the maximum above.
    assert (limit["default"], limit["maximum"]) == (100, 10_000)

    collections = links["data", "application/json"]
    answer = httpx.get(f"{collections}/plots", headers=JSON)
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert (body["storageCrs"], body["crs"][0]) == (f"{CRS}26191", "http://www.opengis.net/def/crs/OGC/1.3/CRS84")
    declared = httpx.get(links["conformance", "application/json"], headers=JSON).json()["conformsTo"]
    features, cql = "http://www.opengis.net/spec/ogcapi-features-", "http://www.opengis.net/spec/cql2/1.0/conf/"
    switches = ["2/1.0/conf/crs", "3/1.0/conf/filter", "3/1.0/conf/features-filter", "5/1.0/conf/schemas"]
    assert {features + name for name in switches} <= set(declared)
    switches = ["cql2-text", "basic-cql2", "advanced-comparison-operators", "case-insensitive-comparison"]
    assert {cql + name for name in [*switches, "basic-spatial-functions"]} <= set(declared)

    schema_type = {"Accept": "application/schema+json"}
    answer = httpx.get(f"{collections}/plots/queryables", headers=schema_type)
    assert answer.headers["content-type"] == "application/schema+json"
    queryables = answer.json()["properties"]
    assert {name: part.get("format") for name, part in queryables.items() if part.get("type") == "string"} == {
        "id": None, "name_fr": None, "name_ar": None, "kind": None, "day": "date", "label": None, "begin": "date-time",
        "finish": "date-time",
    }  # fmt: skip
    schema = next(
        link["href"] for link in body["links"] if link["rel"] == "http://www.opengis.net/def/rel/ogc/1.0/schema"
    )
    fields = httpx.get(schema, headers=schema_type).json()["properties"]
    assert [part["x-ogc-propertySeq"] for part in fields.values()] == list(range(1, len(fields) + 1))
    sample = httpx.get(f"{collections}/plots/items?limit=10", headers=FEATURES).json()
    assert sample["numberMatched"] == len(watched.town.layers["plots"])
    assert {"id", *sample["features"][0]["properties"]} == set(fields) - {"geometry"}
    # Nothing can be written: QGIS looks for POST before it offers to edit.
    allowed = httpx.request("OPTIONS", f"{collections}/plots/items").headers["allow"]
    assert set(allowed.split(", ")) == {"GET", "HEAD"}


@pytest.mark.parametrize(("text", "same"), FILTERS, ids=[case[0] for case in FILTERS])
def test_filters(watched, text, same):
    truth = watched.truth("kiosks")
    wanted = sorted(truth[same(truth)].index)
    assert len(wanted) < len(truth)
    assert bool(wanted) == ("l''eau" not in text)
    assert ids(download(watched, "kiosks", parameters(text))) == wanted


def test_filter_of_the_layer_with_that_of_a_search(watched):
    truth = watched.truth("kiosks")
    both = parameters("(kind = 'a')").replace("filter=", "filter=(", 1).replace("&", ") AND ((amount%20%3E%200))&", 1)
    found = download(watched, "kiosks", both.replace(" ", "%20"))
    assert ids(found) == sorted(truth[(truth.kind == "a") & (truth.amount > 0)].index)


@pytest.mark.parametrize("layer", ["kiosks", "roads"])
def test_box_in_degrees(watched, layer):
    truth = watched.truth(layer)
    inside = truth.intersects(shapely.box(*BOX))
    assert ids(download(watched, layer, "bbox=-7.65000000000000036,33.5,-7.59999999999999964,33.6")) == sorted(
        truth[inside].index
    )
    found = download(watched, layer, parameters("(kind = 'a')") + "&bbox=-7.65,33.5,-7.6,33.6")
    assert ids(found) == sorted(truth[inside & (truth.kind == "a")].index)


@pytest.mark.parametrize("layer", ["plots", "zones"])
def test_the_layers_own_system(watched, layer):
    things = {thing.id: thing for thing in watched.town.layers[layer]}
    own = f"bbox={','.join(map(str, METRES))}&bbox-crs={CRS}26191&crs={CRS}26191"
    inside = [key for key, thing in things.items() if thing.geometry.intersects(shapely.box(*METRES))]
    found = download(watched, layer, own)
    assert ids(found) == sorted(inside)
    for item in found:
        assert shapely.hausdorff_distance(shape(item["geometry"]), things[item["id"]].geometry) < 0.01
    found = download(watched, layer, parameters("(kind = 'a')") + "&" + own)
    assert ids(found) == sorted(key for key in inside if things[key].properties["kind"] == "a")


@pytest.mark.parametrize("code", [3857, 4326, 26191, 32629])
def test_another_system_by_choice(watched, code):
    truth = watched.truth("roads").to_crs(code)
    west, south, east, north = truth.geometry.iloc[0].buffer(0.01 if code == 4326 else 1500).bounds
    inside = truth[truth.intersects(shapely.box(west, south, east, north))]
    assert 0 < len(inside) < len(truth)
    # QGIS turns its box round where the authority puts north first.
    corners = (south, west, north, east) if code == 4326 else (west, south, east, north)
    box = ",".join(f"{number:.17f}" for number in corners)
    found = download(watched, "roads", f"bbox={box}&bbox-crs={CRS}{code}&crs={CRS}{code}")
    assert ids(found) == sorted(inside.index)
    for item in found:
        line = shape(item["geometry"])
        line = shapely.transform(line, lambda axes: axes[:, ::-1]) if code == 4326 else line
        distance = shapely.hausdorff_distance(line, inside.geometry[item["id"]])
        assert distance < (1e-6 if code == 4326 else 0.05)


@pytest.mark.parametrize("name", ["geom", "geometry"])
def test_spatial_functions(watched, name):
    truth = watched.truth("roads")
    text = f"S_INTERSECTS({name},BBOX(-7.65,33.5,-7.6,33.6))"
    assert ids(download(watched, "roads", parameters(text))) == sorted(truth[truth.intersects(shapely.box(*BOX))].index)
    zone = next(thing for thing in watched.town.layers["zones"])
    x, y = zone.geometry.representative_point().coords[0]
    query = parameters(f"S_INTERSECTS({name},POINT({x!r} {y!r}))", filter_crs=f"{CRS}26191")
    assert ids(download(watched, "zones", query)) == sorted(
        thing.id for thing in watched.town.layers["zones"] if thing.geometry.intersects(shapely.Point(x, y))
    )
    query = parameters(f"S_INTERSECTS({name},BBOX({','.join(map(str, METRES))}))", filter_crs=f"{CRS}26191")
    assert ids(download(watched, "zones", query)) == sorted(
        thing.id for thing in watched.town.layers["zones"] if thing.geometry.intersects(shapely.box(*METRES))
    )


def test_time_of_older_versions(client, everything):
    # Without CQL2, QGIS turns a condition on a date into these.
    for query, since, until in (
        ("datetime=2026-12-01%2F9999-12-31T00:00:00Z", "2026-12-01", "9999"),
        ("datetime=0000-01-01T00:00:00Z%2F2026-11-15", "0000", "2026-11-15"),
    ):
        answer = client.get(f"/collections/worksites/items?limit=1000&{query}", headers=FEATURES)
        assert answer.status_code == 200, answer.text
        wanted = [
            item["id"]
            for item in everything("worksites")
            if (item["properties"]["start_date"] or "0") <= until and (item["properties"]["end_date"] or "9") >= since
        ]
        assert ids(answer.json()["features"]) == sorted(wanted)
