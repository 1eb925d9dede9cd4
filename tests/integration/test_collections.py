"""The collections: what the catalogue says of each layer (7.13, 7.14)."""

import pytest
import shapely

COUNTS = {"districts": 17, "facilities": 450, "transport-stops": 151, "transport-lines": 6}
LINKS = ("self", "alternate", "items", "license", "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector")


@pytest.fixture(scope="module")
def collections(client):
    return {item["id"]: item for item in client.get("/collections").json()["collections"]}


def test_all_layers_are_there_in_drawing_order(collections):
    assert list(collections) == [
        "districts",
        "transport-lines",
        "worksites",
        "transport-stops",
        "facilities",
        "directory",
    ]


@pytest.mark.parametrize("layer", COUNTS)
def test_counts_are_those_of_the_facts(client, collections, layer):
    assert collections[layer]["itemCount"] == COUNTS[layer]
    assert client.get(f"/collections/{layer}/items?limit=1").json()["numberMatched"] == COUNTS[layer]


@pytest.mark.parametrize("layer", ["districts", "facilities", "transport-stops", "transport-lines", "worksites"])
def test_the_extent_is_that_of_the_features(everything, collections, layer):
    shapes = [
        shapely.from_geojson(shapely.to_geojson(shapely.geometry.shape(item["geometry"]))) for item in everything(layer)
    ]
    box = collections[layer]["extent"]["spatial"]["bbox"][0]
    assert box == pytest.approx(list(shapely.total_bounds(shapes)), abs=1e-7)


def test_worksites_have_their_time(everything, collections):
    (start, end), *others = collections["worksites"]["extent"]["temporal"]["interval"]
    days = [item["properties"] for item in everything("worksites")]
    assert not others
    assert start[:10] == min(day["start_date"] for day in days)
    assert end[:10] == max(day["end_date"] for day in days if day["end_date"])
    assert "temporal" not in collections["facilities"]["extent"]


def test_one_collection_is_described_as_in_the_list(client, collections):
    for name, described in collections.items():
        alone = client.get(f"/collections/{name}").json()
        assert alone == described
        assert set(LINKS) <= {item["rel"] for item in alone["links"]}


def test_titles_follow_the_language_and_links_do_not(client):
    french, arabic = (client.get("/collections/worksites", params={"lang": lang}).json() for lang in ("fr", "ar"))
    assert (french["title"], arabic["title"]) == ("Chantiers (exemples)", "الأشغال (أمثلة)")
    assert [item["href"] for item in french["links"]] == [item["href"] for item in arabic["links"]]


def test_every_layer_has_a_licence_and_an_attribution(collections):
    for described in collections.values():
        assert described["license"] == "ODbL-1.0"
        assert "OpenStreetMap" in described["attribution"]
        assert described["crs"][0] == "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


def test_the_quality_of_positions_is_told(collections):
    assert collections["transport-lines"]["quality"] == "schematic"
    assert collections["facilities"]["coverage"] == "partial"


def test_an_unknown_collection_names_those_that_there_are(client):
    for path in ("", "/items", "/items/x", "/items/x/card", "/tiles", "/tiles/WebMercatorQuad"):
        answer = client.get(f"/collections/parks{path}")
        assert answer.status_code == 404
        assert "worksites" in answer.json()["allowed"]
