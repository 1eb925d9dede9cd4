"""OWSLib: every question of its ``Features`` is asked, and the answers are right."""

import json

import pytest
import shapely
from owslib.ogcapi.features import Features
from shapely.geometry import shape

BOX = (-7.65, 33.5, -7.6, 33.6)
CRS = "http://www.opengis.net/def/crs/"


@pytest.fixture
def features(watched):
    return Features(watched.url)


def ids(answer):
    return sorted(item["id"] for item in answer["features"])


def test_what_there_is(watched, features):
    assert set(features.feature_collections()) == set(watched.town.layers)
    assert features.collection("plots")["storageCrs"] == f"{CRS}EPSG/0/26191"
    assert "/collections/plots/items" in features.api()["paths"]
    assert f"{CRS[:-8]}spec/ogcapi-features-1/1.0/conf/core" in features.conformance()["conformsTo"]
    for document in (features.collection_queryables("plots"), features.collection_schema("plots")):
        assert document["type"] == "object"
        assert document["properties"]["day"]["format"] == "date"
        assert [part["format"] for part in document["properties"].values() if "geometry" in part.get("format", "")] == [
            "geometry-point"
        ]
    assert features.collection_item("plots", "plots-0003")["properties"]["name_fr"] == "plots-0003"
    with pytest.raises(RuntimeError, match="plots-9999"):
        features.collection_item("plots", "plots-9999")


def test_box_and_filter(watched, features):
    truth = watched.truth("kiosks")
    wanted = sorted(truth[truth.intersects(shapely.box(*BOX)) & (truth.amount > 3)].index)
    assert 0 < len(wanted) < len(truth)
    answer = features.collection_items("kiosks", bbox=list(BOX), filter="amount > 3", limit=5000)
    assert ids(answer) == wanted
    assert answer["numberMatched"] == len(wanted)
    page = watched.items()[-1].query_params
    assert (page["bbox"], page["filter"]) == ("-7.65,33.5,-7.6,33.6", "amount > 3")


@pytest.mark.parametrize("lang", ["cql2-text", "cql2-json"])
def test_both_languages_of_filters(watched, features, lang):
    tree = {"op": "in", "args": [{"property": "kind"}, ["a", "c"]]}
    written = json.dumps(tree) if lang == "cql2-json" else "kind IN ('a', 'c')"
    truth = watched.truth("roads")
    answer = features.collection_items("roads", filter=written, limit=5000, **{"filter-lang": lang})
    assert ids(answer) == sorted(truth[truth.kind.isin(["a", "c"])].index)


def test_order_and_pages(watched, features):
    truth = watched.truth("roads")
    answer = features.collection_items("roads", sortby=("name_fr", "desc"), limit=7)
    assert [item["id"] for item in answer["features"]] == sorted(truth.index, reverse=True)[:7]
    assert any(link["rel"] == "next" for link in answer["links"])


@pytest.mark.parametrize("code", [3857, 4326, 26191, 32629])
def test_every_system(watched, features, code):
    truth = watched.truth("plots").to_crs(code)
    answer = features.collection_items("plots", limit=5000, crs=f"{CRS}EPSG/0/{code}")
    assert features.response_headers["Content-Crs"] == f"<{CRS}EPSG/0/{code}>"
    assert len(answer["features"]) == len(truth)
    for item in answer["features"]:
        x, y = item["geometry"]["coordinates"]
        point = shapely.Point(y, x) if code == 4326 else shape(item["geometry"])
        assert shapely.distance(point, truth.geometry[item["id"]]) < (1e-6 if code == 4326 else 0.05)


def test_time(server_url, everything):
    answer = Features(server_url).collection_items("worksites", datetime_="2026-12-01/2026-12-31", limit=5000)
    wanted = [
        item["id"]
        for item in everything("worksites")
        if (item["properties"]["start_date"] or "0") <= "2026-12-31"
        and (item["properties"]["end_date"] or "9") >= "2026-12-01"
    ]
    assert 0 < len(wanted) < len(everything("worksites"))
    assert ids(answer) == sorted(wanted)


# With a query, OWSLib takes the last part of the path for a page: a prefix needs its slash.
@pytest.mark.parametrize("tail", ["", "/", "?f=json", "/?f=json", "/?lang=ar"])
@pytest.mark.parametrize("prefix", [False, True])
def test_base_addresses(watched, tail, prefix):
    tail = f"/{tail}" if prefix and tail.startswith("?") else tail
    features = Features((watched.prefixed if prefix else watched.url) + tail)
    title = features.collection("districts")["title"]
    assert title == ("مقاطعات الدار البيضاء" if "ar" in tail else "Arrondissements de Casablanca")
    assert ids(features.collection_items("kiosks", filter="name_fr = 'kiosks-0001'")) == ["kiosks-0001"]
