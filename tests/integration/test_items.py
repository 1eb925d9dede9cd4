"""The features of a collection and single features (7.15, 7.16)."""

import pytest

GEOJSON = "application/geo+json"
CRS84 = "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"
LAYERS = ["districts", "facilities", "transport-stops", "transport-lines", "worksites"]


def rel(answer, name):
    return [item["href"] for item in answer.json()["links"] if item["rel"] == name]


@pytest.mark.parametrize("layer", LAYERS)
def test_features_are_geojson(client, layer):
    answer = client.get(f"/collections/{layer}/items?limit=3")
    body = answer.json()
    assert answer.headers["content-type"] == GEOJSON
    assert answer.headers["content-crs"] == CRS84
    assert (body["type"], body["numberReturned"]) == ("FeatureCollection", 3)
    for feature in body["features"]:
        assert set(feature) == {"type", "id", "geometry", "properties"}
        assert not {"id", "geom", "fid", "dataset", "updated_at"} & set(feature["properties"])


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_both_names_are_always_there(client, layer, lang):
    for feature in client.get(f"/collections/{layer}/items", params={"lang": lang, "limit": 10000}).json()["features"]:
        assert feature["properties"]["name_fr"]
        assert feature["properties"]["name_ar"]


@pytest.mark.parametrize("layer", LAYERS)
def test_a_feature_alone_is_the_feature_of_the_list(client, everything, layer):
    for feature in everything(layer)[:5]:
        answer = client.get(f"/collections/{layer}/items/{feature['id']}")
        alone = answer.json()
        links = alone.pop("links")
        assert alone == feature
        assert {"self", "alternate", "canonical", "collection"} <= {item["rel"] for item in links}
        assert answer.headers["content-crs"] == CRS84


def test_facilities_point_to_the_directory(client, everything, server_url):
    for feature in everything("facilities")[::50]:
        answer = client.get(f"/collections/facilities/items/{feature['id']}")
        home = f"{server_url}/directory/{feature['id']}"
        assert feature["properties"]["entry_id"] == feature["id"]
        assert rel(answer, "canonical") == [home]
        assert f'<{home}>; rel="canonical"' in answer.headers["link"]


@pytest.mark.parametrize("layer", ["transport-lines", "worksites", "transport-stops"])
def test_other_features_link_to_the_body_that_is_responsible(client, everything, layer):
    feature = everything(layer)[0]
    answer = client.get(f"/collections/{layer}/items/{feature['id']}")
    assert rel(answer, "canonical") == rel(answer, "self")[0].split("?")[:1]
    (body,) = rel(answer, "related")
    assert client.get(body).json()["id"] == feature["properties"]["entry_id"]


def test_types_are_those_of_json(everything):
    district = everything("districts")[0]["properties"]
    assert isinstance(district["population_2024"], int)
    assert isinstance(district["area_km2"], float)
    assert everything("worksites")[0]["properties"]["demo"] is True


@pytest.mark.parametrize("layer", LAYERS)
def test_an_unknown_feature_is_not_found(client, layer):
    answer = client.get(f"/collections/{layer}/items/nowhere")
    assert answer.status_code == 404
    assert (answer.json()["parameter"], answer.json()["value"]) == ("featureId", "nowhere")


@pytest.mark.parametrize("path", ["/", "/conformance", "/collections", "/collections/facilities", "/api", "/readyz"])
def test_head_is_get_without_the_body(client, path):
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "content-language", "content-length"):
        assert head.headers.get(name) == get.headers.get(name)


def test_head_of_features_has_their_links(client):
    head = client.head("/collections/facilities/items?limit=5")
    assert head.status_code == 200
    assert 'rel="next"' in head.headers["link"]
    assert not head.content


def test_answers_are_compressed_for_those_who_can(client):
    path = "/collections/facilities/items"
    assert client.get(path, headers={"Accept-Encoding": "gzip"}).headers["content-encoding"] == "gzip"
    for refused in ("identity", "gzip;q=0", "gzip;Q=0"):
        assert "content-encoding" not in client.get(path, headers={"Accept-Encoding": refused}).headers


def test_other_sites_may_read(client):
    answer = client.get("/collections", headers={"Origin": "https://planner.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
