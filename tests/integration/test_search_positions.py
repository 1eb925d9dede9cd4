"""Positions that are typed, and what is near a position that is given."""

import geopandas as gpd
import pytest
import shapely

from tests.integration.searching import found
from tests.recall import keys


def test_districts_are_as_far_as_their_border(client, everything):
    (area,) = (one for one in everything("districts") if one["id"] == "06.141.01.03")
    shape = shapely.geometry.shape(area["geometry"])
    inside = shape.representative_point()
    (first, *_) = found(client, "maarif", lon=inside.x, lat=inside.y)
    assert (first["properties"]["kind"], first["properties"]["distance"]) == ("district", 0)
    lon, lat = -7.5, 33.6
    (first, *_) = found(client, "maarif", lon=lon, lat=lat)
    truth = (
        gpd.GeoSeries([shape], crs=4326)
        .to_crs(32629)
        .distance(gpd.GeoSeries([shapely.Point(lon, lat)], crs=4326).to_crs(32629))
    )
    assert first["properties"]["distance"] == pytest.approx(truth[0], rel=1e-3)
    for one in found(client, "pharmacie", lon=lon, lat=lat)[1:]:
        assert one["properties"]["distance"] == round(one["properties"]["distance"], 1)


def test_only_in_a_box_and_in_layers(client):
    box = (-7.65, 33.55, -7.6, 33.6)
    features = found(client, "mosquee", bbox=",".join(map(str, box)), limit=50)
    places = [one for one in features if one["properties"]["kind"] != "category"]
    assert places
    assert all(shapely.box(*box).intersects(shapely.Point(one["geometry"]["coordinates"])) for one in places)
    assert len(found(client, "mosquee", limit=50)) > len(features)
    assert set(keys(found(client, "hay hassani", layers="transport-stops"))) == {"station/tram-hay-hassani"}
    assert keys(found(client, "oncf", layers="directory"))[0] == "entry/oncf"
    assert found(client, "oncf", layers="districts") == []


def test_a_box_may_lie_over_the_antimeridian(client):
    """From far in the east to the middle of the city: its west, and nothing of its east."""
    east, south, north = -7.62, 33.4, 33.7
    features = found(client, "mosquee", bbox=f"170,{south},{east},{north}", limit=50)
    plain = found(client, "mosquee", bbox=f"-180,{south},{east},{north}", limit=50)
    assert len(features) > 3
    assert keys(features) == keys(plain)
    assert keys(found(client, "mosquee", bbox=f"170,{south},-170,{north}")) == ["category/place_of_worship"]


def test_the_nearest_name_of_a_position(client, everything):
    stops = [*everything("transport-stops"), *everything("facilities")]
    frame = gpd.GeoDataFrame(
        {"id": [one["id"] for one in stops]},
        geometry=[shapely.Point(one["geometry"]["coordinates"]) for one in stops],
        crs=4326,
    ).to_crs(32629)
    for lon, lat in ((-7.6176, 33.5935), (-7.66, 33.56), (-7.5, 33.6), (-7.58, 33.57)):
        body = client.get("/search/reverse", params={"lon": lon, "lat": lat}).json()
        distances = frame.distance(gpd.GeoSeries([shapely.Point(lon, lat)], crs=4326).to_crs(32629).iloc[0])
        (nearest,) = body["features"]
        assert nearest["properties"]["distance"] == pytest.approx(distances.min(), rel=1e-3, abs=0.1)
        assert nearest["id"] in set(frame.id[distances <= distances.min() + 0.5])
        assert nearest["properties"]["name"] in body["label"]
        if body["district"]:
            assert body["district"]["name"] in body["label"]


def test_far_from_everything_the_label_says_so(client):
    body = client.get("/search/reverse", params={"lon": 0, "lat": 0, "lang": "fr"}).json()
    assert body["district"] is None
    assert body["label"] == "Hors des arrondissements"
    (nearest,) = body["features"]
    assert nearest["properties"]["distance"] > 3_000_000


@pytest.mark.parametrize(("lang", "label"), [("fr", "À {} km de {}"), ("ar", "على بعد {} كلم من {}")])
def test_a_label_says_how_far_the_nearest_name_is(client, lang, label):
    """In the fields south-east of the city nothing is near."""
    body = client.get("/search/reverse", params={"lon": -7.512, "lat": 33.537, "lang": lang}).json()
    (nearest,) = body["features"]
    distance = nearest["properties"]["distance"]
    assert 2000 < distance < 10_000
    written = f"{round(distance / 1000, 1):g}".replace(".", ",")
    assert body["label"] == label.format(written, nearest["properties"]["name"])
    page = client.get(f"/search/reverse?lon=-7.512&lat=33.537&f=html&lang={lang}").text
    assert nearest["properties"]["name"] in page


@pytest.mark.parametrize(
    ("given", "parameter"), [("", "lat"), ("?lat=33.5", "lon"), ("?lon=-7.5", "lat"), ("?lon=-7.5&lat=", "lat")]
)
def test_a_position_that_is_missing_is_named(client, given, parameter):
    answer = client.get(f"/search/reverse{given}")
    assert (answer.status_code, answer.json()["parameter"]) == (400, parameter)


@pytest.mark.parametrize(
    ("q", "more"),
    [
        ("8C5JH9QC+XX", {}), ("8c5jh9qc+xx", {}), ("H9QC+XX", {}), ("H9QC+XX Casablanca", {}),
        ("H9QC+XX, Casablanca, Maroc", {}), ("H9QC+XX الدار البيضاء", {}), ("H9QC+XX Maârif", {}),
        ("H9QC+XX", {"lon": -7.2, "lat": 33.9}), ("5JH9QC+XX", {}),
    ],
)  # fmt: skip
def test_plus_codes_are_positions(client, q, more):
    (one,) = found(client, q, **more)
    assert one["properties"]["kind"] == "coordinates"
    assert one["geometry"]["coordinates"] == pytest.approx([-7.6275625, 33.5899375], abs=1e-6)


def test_metres_are_positions(client):
    for q in ("29N 628982 3717563", "X=294794 Y=334615", "X 294794 Y 334615"):
        (one,) = found(client, q)
        assert one["properties"]["kind"] == "coordinates"
        assert one["geometry"]["coordinates"] == pytest.approx([-7.61, 33.59], abs=1e-4)
