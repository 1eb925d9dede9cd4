"""Entries of the annuaire without a place are neither in a district nor outside of all."""

import csv
import io

import pytest


@pytest.fixture(scope="module")
def places(client):
    """The annuaire as the service itself gives it: how many entries have a place, and how many have none."""
    features = client.get("/collections/directory/items?limit=10000").json()["features"]
    without = sum(feature["geometry"] is None for feature in features)
    assert without > 1
    return len(features) - without, without


@pytest.mark.parametrize(
    ("lang", "label", "word"),
    [("fr", "Sans lieu connu", "n'ont pas de lieu connu"), ("ar", "بلا موقع معروف", "بلا موقع معروف")],
)
@pytest.mark.parametrize("query", ["by=district", "by=grid&size=2000"])
def test_they_are_a_group_of_their_own(client, places, lang, label, word, query):
    path = f"/collections/directory/aggregate?{query}&lang={lang}"
    body = client.get(path).json()
    [last] = [row for row in body["results"] if row["label"] == label]
    assert last == body["results"][-1]
    assert (last["key"], last["count"], last["value"]) == (None, places[1], places[1])
    assert sum(row["count"] for row in body["results"]) == sum(places)
    assert word in body["note"]
    outside = [row for row in body["results"] if row["key"] is None and row is not last]
    assert len(outside) <= 1
    table = list(csv.DictReader(io.StringIO(client.get(f"{path}&f=csv").text)))
    assert (table[-1]["key"], table[-1]["label"], table[-1]["measure"], table[-1]["unit"]) == ("", label, "count", "")
    assert label in client.get(f"{path}&f=html").text
    feature = client.get(f"{path}&f=geojson").json()["features"][-1]
    assert (feature["geometry"], feature["properties"]["label"]) == (None, label)


def test_without_them_nothing_is_said_of_them(client, places):
    asked = {"by": "district", "filter": "geom IS NOT NULL"}
    body = client.get("/collections/directory/aggregate", params=asked).json()
    assert "Sans lieu connu" not in {row["label"] for row in body["results"]}
    assert sum(row["count"] for row in body["results"]) == places[0]
    body = client.get("/collections/directory/aggregate", params={**asked, "filter": "geom IS NULL"}).json()
    assert [row["label"] for row in body["results"] if row["count"]] == ["Sans lieu connu"]
