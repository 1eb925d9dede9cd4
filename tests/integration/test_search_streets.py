"""Places are found by the street of their address, behind all that is found by its name."""

import csv
import re

import pytest

from tests.conftest import DATA
from tests.integration.searching import found
from tests.recall import keys


def _streets():
    """Return the ids of the places by the street of their address, which a house number may stand before."""
    streets = {}
    with (DATA / "facilities.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            street = re.sub(r"^\d+,? ", "", row["address_fr"].split(",")[0].strip())
            if street:
                streets.setdefault(street, set()).add(row["facility_id"])
    return streets


def test_every_street_of_an_address_finds_its_places(client):
    streets = _streets()
    assert len(streets) > 50
    lost = [
        street for street, ids in streets.items() if not ids <= {one["id"] for one in found(client, street, limit=50)}
    ]
    assert not lost


@pytest.mark.parametrize(
    ("q", "key"),
    [
        ("150 boulevard bahmad", "facility/atlantic-clinic-casablanca"),
        ("8 boulevard moulay youssef", "facility/consulat-general-des-etats-unis"),
        ("217 bd bir anzarane", "facility/emsi-casablanca"),
        ("260 Bd. Ziraoui, Casablanca", "facility/lycee-lyautey"),
        ("48 boulevard rachidi", "facility/consulat-de-grece"),
        ("18 boulevard rachidi", "facility/agence-urbaine-de-casablanca"),
        ("RUE 70", "facility/complexe-educatif-hassan-ii-pour-la-jeunesse"),
        # The house is not known, but the street is.
        ("152 boulevard bahmad", "facility/atlantic-clinic-casablanca"),
        ("route d el jadida", "facility/esith-casablanca"),
    ],
)
def test_a_house_of_a_street_goes_first(client, q, key):
    assert keys(found(client, q))[0] == key


def test_names_go_before_streets(client):
    assert keys(found(client, "rue leon l africain"))[:2] == [
        "facility/college-lycee-leon-l-africain",
        "facility/gare-routiere-ctm-casablanca",
    ]
    assert keys(found(client, "boulevard du nil"))[0] == "station/tram-nil"


def test_what_has_only_begun_is_met_and_nothing_is_marked(client):
    (first, *_) = found(client, "rue souhail ben aa")
    assert first["id"] == "consulat-de-russie"
    assert first["properties"]["highlight"] == []


@pytest.mark.parametrize(
    "q", ["boulevard xyzzy", "rue de paris", "boulevard rachidi xyzzy", "place qqq", "rue 4711", "rue .*", "rue"]
)
def test_streets_that_are_not_there_find_nothing(client, q):
    assert found(client, q) == []


def test_without_a_word_for_a_street_no_address_is_meant(client):
    assert found(client, "ziraoui lyautey") == []
    assert "facility/lycee-lyautey" not in keys(found(client, "ziraoui", limit=50))


def test_the_nearest_comes_first_and_bounds_and_layers_hold(client):
    everywhere = found(client, "boulevard rachidi")
    assert len(everywhere) > 2
    lon, lat = everywhere[-1]["geometry"]["coordinates"]
    near = found(client, "boulevard rachidi", lon=lon, lat=lat)
    distances = [one["properties"]["distance"] for one in near]
    assert {one["id"] for one in near} == {one["id"] for one in everywhere}
    assert min(distances) < 1
    box = f"{lon - 1e-5},{lat - 1e-5},{lon + 1e-5},{lat + 1e-5}"
    assert [one["id"] for one in found(client, "boulevard rachidi", bbox=box)] == [everywhere[-1]["id"]]
    assert found(client, "boulevard rachidi", layers="transport-stops") == []
