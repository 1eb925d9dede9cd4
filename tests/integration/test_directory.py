"""The annuaire: one address for each place and institution."""

import pytest


def test_an_entry_is_geojson_by_default(client, server_url):
    answer = client.get("/directory/gare-routiere-ctm-casablanca")
    body = answer.json()
    assert answer.headers["content-type"] == "application/geo+json"
    assert body["geometry"]["coordinates"] == [-7.61111, 33.59621]
    assert body["properties"]["name_fr"] == "Gare routière CTM Casablanca"
    assert body["properties"]["phone"] == ["+212800090030"]
    home = f"{server_url}/directory/gare-routiere-ctm-casablanca"
    assert [item["href"] for item in body["links"] if item["rel"] == "canonical"] == [home]
    assert f'<{home}>; rel="canonical"' in answer.headers["link"]


def test_what_is_unknown_is_null(client):
    known = client.get("/directory/casatransports").json()
    assert known["geometry"] is None
    for name in ("phone", "opening_hours", "wheelchair", "address_fr", "services"):
        assert known["properties"][name] is None


def test_every_facility_has_the_entry_of_its_id(client, everything):
    for feature in everything("facilities")[::25]:
        entry = client.get(f"/directory/{feature['id']}").json()
        assert (entry["id"], entry["geometry"]) == (feature["id"], feature["geometry"])
        for name in ("name_fr", "name_ar", "category", "opening_hours", "website", "district_code", "source", "as_of"):
            assert entry["properties"][name] == feature["properties"][name]


def test_nothing_internal_is_told(client):
    assert not {"dataset", "updated_at", "fid", "geom"} & set(
        client.get("/directory/casatransports").json()["properties"]
    )


@pytest.mark.parametrize("layer", ["transport-lines", "worksites", "transport-stops"])
def test_every_link_leads_to_an_entry(client, everything, layer):
    for key in {feature["properties"]["entry_id"] for feature in everything(layer)} - {None}:
        assert client.get(f"/directory/{key}").status_code == 200


def test_a_body_lists_what_it_is_responsible_for(client, everything):
    line = everything("transport-lines")[0]
    page = client.get(f"/directory/{line['properties']['entry_id']}", params={"f": "html", "lang": "ar"}).text
    assert line["properties"]["name_ar"] in page
    assert "خطوط الطرامواي والباصواي" in page


def test_a_link_to_no_entry_can_not_be_stored(database_url):
    import psycopg

    with psycopg.connect(database_url) as connection, pytest.raises(psycopg.errors.ForeignKeyViolation):
        connection.execute("UPDATE features.worksites SET entry_id = 'nobody'")
