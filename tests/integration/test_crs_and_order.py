"""Coordinate systems (Part 2), order and choice of properties, and paging through a sorted layer."""

import random

import geopandas as gpd
import httpx
import pytest
import shapely
from pyproj import Transformer

URI = "http://www.opengis.net/def/crs/EPSG/0/"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


@pytest.fixture(scope="module")
def points(client):
    features = client.get("/collections/transport-stops/items?limit=1000").json()["features"]
    return {feature["id"]: feature["geometry"]["coordinates"] for feature in features}


@pytest.mark.parametrize("code", [4326, 3857, 32629, 26191])
def test_coordinates_are_in_the_crs_and_its_authoritys_order(client, points, code):
    answer = client.get("/collections/transport-stops/items", params={"crs": URI + str(code), "limit": 1000})
    assert answer.headers["content-crs"] == f"<{URI}{code}>"
    # Not always_xy: the order is the authority's.
    transform = Transformer.from_crs("OGC:CRS84", f"EPSG:{code}").transform
    for feature in answer.json()["features"]:
        wanted = transform(*points[feature["id"]])
        tolerance = 1e-6 if code == 4326 else 5 if code == 26191 else 0.01
        assert feature["geometry"]["coordinates"] == pytest.approx(wanted, abs=tolerance)


@pytest.mark.parametrize("code", [3857, 32629, 26191])
def test_a_box_in_metres_finds_what_it_holds(client, code):
    features = client.get("/collections/transport-stops/items", params={"crs": URI + str(code), "limit": 1000}).json()[
        "features"
    ]
    xs, ys = zip(*(feature["geometry"]["coordinates"] for feature in features), strict=True)
    west, south, east, north = sorted(xs)[30], sorted(ys)[30], sorted(xs)[110], sorted(ys)[110]
    inside = {
        feature["id"]
        for feature, x, y in zip(features, xs, ys, strict=True)
        if west + 1 < x < east - 1 and south + 1 < y < north - 1
    }
    near = {
        feature["id"]
        for feature, x, y in zip(features, xs, ys, strict=True)
        if west - 1 < x < east + 1 and south - 1 < y < north + 1
    }
    answer = client.get(
        "/collections/transport-stops/items",
        params={"bbox": f"{west},{south},{east},{north}", "bbox-crs": f"EPSG:{code}", "limit": 1000},
    )
    found = {feature["id"] for feature in answer.json()["features"]}
    assert inside <= found <= near
    assert len(inside) > 10


def test_epsg_4326_puts_latitude_first(client):
    plain = client.get("/collections/facilities/items", params={"bbox": "-7.62,33.57,-7.6,33.6"}).json()
    turned = client.get(
        "/collections/facilities/items", params={"bbox": "33.57,-7.62,33.6,-7.6", "bbox-crs": "[EPSG:4326]"}
    ).json()
    text = "S_INTERSECTS(geom, BBOX(33.57,-7.62,33.6,-7.6))"
    filtered = client.get("/collections/facilities/items", params={"filter": text, "filter-crs": URI + "4326"}).json()
    assert plain["numberMatched"] == turned["numberMatched"] == filtered["numberMatched"] > 5


def test_an_unknown_crs_names_those_that_there_are(client):
    for parameter in ("crs", "bbox-crs", "filter-crs"):
        answer = client.get("/collections/facilities/items", params={parameter: "EPSG:27700", "bbox": "0,0,1,1"})
        assert answer.status_code == 400
        assert answer.json()["parameter"] == parameter
        assert URI + "26191" in answer.json()["allowed"]


def test_one_feature_in_another_crs(client):
    answer = client.get("/collections/transport-stops/items/tram-sidi-moumen", params={"crs": "EPSG:26191"})
    x, y = answer.json()["geometry"]["coordinates"]
    assert 290_000 < x < 320_000
    assert 320_000 < y < 350_000


@pytest.mark.parametrize(
    "sortby", ["name_fr", "-name_fr", "district_code,-name_ar", "-population", "-district_code", "+id"]
)
def test_pages_of_a_sorted_layer_give_each_feature_once(client, sortby):
    address = "/collections/transport-stops/items"
    if "population" in sortby:
        assert client.get(address, params={"sortby": sortby}).status_code == 400
        return
    found, url = [], client.build_request("GET", address, params={"sortby": sortby, "limit": 13}).url
    while url:
        page = client.get(url).json()
        found += page["features"]
        url = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    whole = client.get(address, params={"sortby": sortby, "limit": 1000}).json()["features"]
    assert [feature["id"] for feature in found] == [feature["id"] for feature in whole]
    assert len({feature["id"] for feature in found}) == 151


def test_unknown_values_come_last_and_first_when_descending(client):
    def codes(sortby: str) -> list:
        features = client.get("/collections/transport-stops/items", params={"sortby": sortby, "limit": 1000}).json()[
            "features"
        ]
        return [feature["properties"]["district_code"] for feature in features]

    assert codes("district_code")[-8:] == [None] * 8
    assert codes("-district_code")[:8] == [None] * 8


def test_a_cursor_of_another_order_is_refused(client):
    page = client.get("/collections/transport-stops/items", params={"sortby": "name_fr", "limit": 2}).json()
    following = next(link["href"] for link in page["links"] if link["rel"] == "next")
    answer = client.get(following.replace("sortby=name_fr", "sortby=mode,name_fr"))
    assert answer.status_code == 400
    assert answer.json()["parameter"] == "cursor"


def test_properties_and_geometry_are_chosen(client):
    body = client.get(
        "/collections/districts/items", params={"properties": "name_ar,name_fr", "skipGeometry": "true"}
    ).json()
    for feature in body["features"]:
        assert list(feature["properties"]) == ["name_fr", "name_ar"]
        assert feature["geometry"] is None
    assert client.get("/collections/districts/items", params={"properties": "nothing"}).status_code == 400
    assert client.get("/collections/districts/items", params={"skipGeometry": "perhaps"}).status_code == 400


def test_collections_say_which_crs_they_have(client):
    for collection in client.get("/collections").json()["collections"]:
        assert collection["crs"] == [CRS84, *(URI + code for code in ("4326", "3857", "32629", "26191"))]
        assert collection["storageCrs"] == CRS84


@pytest.mark.parametrize("kind", ["schema", "queryables", "sortables"])
def test_schemas_describe_what_there_is(client, kind):
    for layer in ("facilities", "worksites"):
        document = client.get(f"/collections/{layer}/{kind}")
        assert document.headers["content-type"].startswith("application/schema+json")
        body = document.json()
        assert body["$id"].endswith(f"/collections/{layer}/{kind}")
        served = client.get(f"/collections/{layer}/items?limit=1").json()["features"][0]["properties"]
        for name in served:
            if kind != "sortables" or name != "entry_id":
                assert body["properties"][name]["title"]
        page = client.get(f"/collections/{layer}/{kind}", params={"f": "html", "lang": "ar"})
        assert page.status_code == 200
        assert 'dir="rtl"' in page.text


def test_functions_are_listed(client):
    names = {item["name"] for item in client.get("/functions").json()["functions"]}
    assert names == {"casei", "accenti", "distance", "area", "length", "within_district", "is_open"}
    assert client.get("/functions?f=html&lang=ar").status_code == 200


@pytest.mark.parametrize("srid", [26191, 32629, 3857])
def test_the_edges_of_a_box_are_straight_in_its_own_system(client, srid):
    frame = gpd.GeoDataFrame.from_features(client.get("/collections/facilities/items?limit=1000").json(), crs=4326)
    moved, chance = frame.to_crs(srid), random.Random(srid)
    west, south, east, north = moved.total_bounds
    for _ in range(60):
        # An edge half a metre from a feature.
        here = moved.geometry.iloc[chance.randrange(len(moved))]
        if chance.random() < 0.5:
            corners = (west - 9000, here.y - 0.5, east + 9000, here.y + chance.uniform(100, north - south))
        else:
            corners = (west - 9000, south - 9000, east + 9000, here.y + 0.5)
        expected = moved.geometry.within(shapely.box(*corners)).sum()
        answer = client.get(
            "/collections/facilities/items",
            params={"bbox": ",".join(str(float(side)) for side in corners), "bbox-crs": f"EPSG:{srid}", "limit": 1},
        )
        assert answer.json()["numberMatched"] == expected, corners


def test_pages_say_their_system_to_those_who_read_the_body_only(client):
    for code, known in (("32629", True), ("26191", True), ("4326", False)):
        body = client.get(f"/collections/facilities/items?limit=3&crs=EPSG:{code}").json()
        assert ("crs" in body) == known
    address = f"{client.base_url}/collections/facilities/items?f=json&limit=3&crs=EPSG:32629"
    assert gpd.read_file(address).crs.to_epsg() == 32629


def test_a_row_without_a_place_in_the_crs_names_it(workshop, serve):
    """Rows may be written past the ingest, which measures what a layer covers."""
    workshop.ingest(workshop.geojson({"id": "a"}))
    where = "ST_SetSRID(ST_MakePoint(83, 0), 4326)"  # a quarter round from the middle of UTM 29N
    workshop.sql(
        "INSERT INTO features.libraries (id, dataset, name_fr, name_ar, geom)"
        f" SELECT 'b', dataset, 'Loin', 'بعيد', {where} FROM features.libraries"
    )
    with httpx.Client(base_url=serve(workshop.url)) as client:
        base = "/collections/libraries"
        for address in (
            f"{base}/items",
            f"{base}/items/b",
            f"{base}/export?f=csv",
            "/nearest?lon=0&lat=0",
            "/at?lon=83&lat=0",
        ):
            answer = client.get(address, params={**dict(httpx.URL(address).params), "crs": "EPSG:32629"})
            assert answer.status_code == 400, address
            assert answer.json()["type"].endswith(":crs.features")
            assert URI + "32629" in answer.json()["detail"]
            assert client.get(address).status_code == 200
