"""A new layer is a new file and one ingest of its data: no Python, and every interface has it."""

import geopandas as gpd
import httpx
import mapbox_vector_tile
import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from geo.crs import transformer

PLACES = [
    ("dar-al-kutub", "Dar al-Kutub", "دار الكتب", -7.6192, 33.5931),
    ("sbata", "Sbata", "خزانة سباتة", -7.5661, 33.5402),
]


@pytest.fixture
def planners_file(workshop):
    """Write a file in the planners' grid (EPSG:26191, metres) with Arabic texts and ids."""

    def write(name):
        frame = gpd.GeoDataFrame(
            {
                "id": [place[0] for place in PLACES],
                "name_fr": [place[1] for place in PLACES],
                "name_ar": [place[2] for place in PLACES],
                "seats": [120, None],
            },
            geometry=gpd.points_from_xy([place[3] for place in PLACES], [place[4] for place in PLACES], crs=4326),
        ).to_crs(26191)
        path = workshop.folder / name
        if path.suffix == ".csv":
            flat = frame.drop(columns="geometry").assign(lon=frame.geometry.x, lat=frame.geometry.y)
            flat["seats"] = ["120", ""]
            flat.to_csv(path, index=False)
        else:
            frame.to_file(path, engine="pyogrio", **({"layer": "plan"} if path.suffix == ".gpkg" else {}))
        return path

    workshop.add("seats", "integer", unit="places")
    return write


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("plan.gpkg", 4326),
        ("plan.gpkg", 26191),
        ("plan.csv", 4326),
        ("plan.csv", 3857),
        ("plan.shp", 4326),
        ("plan.fgb", 3857),
    ],
)
def test_a_file_in_any_form_is_stored_in_the_layers_own_system(workshop, planners_file, name, stored):
    workshop.raw["geometry"]["srid"] = stored
    report = workshop.ingest(planners_file(name), srid=26191 if name.endswith(".csv") else None)
    assert (report.read, report.inserted, report.rejected) == (2, 2, [])
    rows = workshop.sql(
        "SELECT id, name_ar, seats, ST_SRID(geom), ST_X(ST_Transform(geom, 4326)), ST_Y(ST_Transform(geom, 4326)) "
        "FROM features.libraries ORDER BY id"
    )
    for (key, _, arabic, lon, lat), row in zip(PLACES, rows, strict=True):
        assert row[:2] == (key, arabic)
        assert row[3] == stored
        assert row[4:] == (pytest.approx(lon, abs=1e-5), pytest.approx(lat, abs=1e-5))
    assert [row[2] for row in rows] == [120, None]


def test_every_interface_has_the_layer(workshop, planners_file, serve):
    workshop.raw["geometry"]["srid"] = 26191
    workshop.raw["tile_fields"] = ["seats"]
    workshop.ingest(planners_file("plan.gpkg"))
    with httpx.Client(base_url=serve(workshop.url)) as client:
        (collection,) = client.get("/collections").json()["collections"]
        assert (collection["id"], collection["title"], collection["itemCount"]) == (
            "libraries",
            "Bibliothèques de quartier",
            2,
        )
        items = client.get("/collections/libraries/items?seats=120").json()
        assert items["numberMatched"] == 1
        assert items["features"][0]["geometry"]["coordinates"] == pytest.approx([-7.6192, 33.5931], abs=1e-5)
        api = client.get("/api").json()
        OpenAPIV30SpecValidator(api).validate()
        asked = [item["$ref"] for item in api["paths"]["/collections/libraries/items"]["get"]["parameters"]]
        assert "#/components/parameters/libraries.seats" in asked
        assert api["components"]["parameters"]["libraries.seats"]["name"] == "seats"
        for lang, title in (("fr", "Bibliothèques de quartier"), ("ar", "مكتبات الأحياء")):
            assert title in client.get(f"/collections?f=html&lang={lang}").text
            assert title in client.get(f"/?f=html&lang={lang}").text + client.get(f"/maps/city.js?lang={lang}").text
        card = client.get("/collections/libraries/items/sbata/card?lang=ar").json()
        assert card["title"] == "خزانة سباتة"
        assert card["rows"][0]["value"] == "غير معروف"


@pytest.mark.parametrize("stored", [4326, 26191, 3857])
def test_its_tiles_at_every_zoom_and_boxes_of_every_size_find_it(workshop, planners_file, serve, stored):
    workshop.raw["geometry"]["srid"] = stored
    workshop.ingest(planners_file("plan.gpkg"))
    half = 20_037_508.342789244
    x, y = transformer(4326, 3857).transform(-7.6192, 33.5931)
    with httpx.Client(base_url=serve(workshop.url)) as client:
        for matrix in (0, 1, 3, 8, 12):
            span = 2 * half / 2**matrix
            row, column = int((half - y) // span), int((x + half) // span)
            tile = client.get(f"/collections/libraries/tiles/WebMercatorQuad/{matrix}/{row}/{column}")
            features = mapbox_vector_tile.decode(tile.content)["libraries"]["features"]
            assert "dar-al-kutub" in {item["properties"]["id"] for item in features}
        for box, count in (
            ("-180,-90,180,90", 2),
            ("-90,0,90,80", 2),
            ("-20,20,0,40", 2),
            ("-7.62,33.59,-7.61,33.60", 1),
            ("-7.7,33.5,-7.5,33.65", 2),
            ("170,-90,-7.6,90", 1),
            ("-7.55,33.5,-7.5,33.65", 0),
            ("100,-80,140,80", 0),
            ("-10,-90,-5,-60", 0),
        ):
            answer = client.get("/collections/libraries/items", params={"bbox": box})
            assert answer.status_code == 200, box
            assert answer.json()["numberMatched"] == count, box


def test_fields_may_be_called_as_our_own_statements_call_things(workshop, serve):
    names = [
        "p",
        "t",
        "n",
        "s",
        "lon",
        "lat",
        "found",
        "feature",
        "order",
        "User",
        "fr",
        "more",
        "last",
        "page",
        "west0",
    ]
    for name in names:
        workshop.add(name)
    workshop.raw["tile_fields"] = ["p", "t", "n"]
    # The position columns of the file are lon and lat too, so it is GeoJSON.
    workshop.ingest(workshop.geojson({"id": "a", **{name: f"of {name}" for name in names}}))
    with httpx.Client(base_url=serve(workshop.url)) as client:
        for name in names:
            body = client.get("/collections/libraries/items", params={name: f"of {name}"}).json()
            assert body["features"][0]["properties"] == {
                "name_fr": "Un",
                "name_ar": "واحد",
                **{n: f"of {n}" for n in names},
            }
        card = client.get("/collections/libraries/items/a/card").json()
        assert {row["label"]: row["value"] for row in card["rows"]} == {name: f"of {name}" for name in names}
        tile = client.get("/collections/libraries/tiles/WebMercatorQuad/9/205/245")
        assert mapbox_vector_tile.decode(tile.content)["libraries"]["features"][0]["properties"]["t"] == "of t"


def test_times_are_the_citys(workshop, serve):
    workshop.add("seen", "timestamp")
    workshop.ingest(workshop.geojson({"id": "a", "seen": "2026-01-05T23:30:00Z"}))
    with httpx.Client(base_url=serve(workshop.url)) as client:
        card = client.get("/collections/libraries/items/a/card").json()
        assert card["rows"][0]["value"] == "6 janvier 2026 00:30"
        assert "6 janvier 2026" in client.get("/collections/libraries/items?f=html").text
        stored = client.get("/collections/libraries/items/a").json()["properties"]["seen"]
        assert stored.startswith("2026-01-05T23:30:00")


def test_time_conditions_on_moments(workshop, serve):
    workshop.add("start", "timestamp")
    workshop.add("end", "timestamp")
    workshop.raw["temporal"] = {"start": "start", "end": "end"}
    workshop.ingest(
        workshop.geojson({"id": "a", "start": "2026-01-05T08:00:00Z", "end": "2026-01-05T10:00:00Z"}, {"id": "b"})
    )
    with httpx.Client(base_url=serve(workshop.url)) as client:
        for when, found in (
            ("2026-01-05", "ab"),
            ("2026-01-04", "b"),
            ("2026-01-05T09:00:00Z", "ab"),
            ("2026-01-05T10:00:00Z", "ab"),
            ("2026-01-05T10:00:01Z", "b"),
            ("../2026-01-05T07:59:59Z", "b"),
            ("2026-01-05T11:00:00+01:00/..", "ab"),
        ):
            body = client.get("/collections/libraries/items", params={"datetime": when}).json()
            assert "".join(item["id"] for item in body["features"]) == found, when
        for when in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
            assert client.get("/collections/libraries/items", params={"datetime": when}).status_code in (200, 400)


@pytest.mark.parametrize("open_end", ["infinity", "-infinity", "0044-03-15 BC"])
def test_open_ends_that_users_write_by_sql_are_shown(workshop, serve, open_end):
    workshop.add("start", "date")
    workshop.add("end", "date")
    workshop.raw["temporal"] = {"start": "start", "end": "end"}
    file = workshop.csv("a,Un,واحد,-7.6,33.5,2026-01-01,", header="start,end")
    workshop.ingest(file)
    workshop.sql(f"UPDATE features.libraries SET \"end\" = '{open_end}', dataset = 'local'")
    workshop.sql(
        "INSERT INTO features.libraries (id, name_fr, name_ar, geom) VALUES ('m', 'x', 'y', 'SRID=4326;POINT(-7 33)')"
    )
    workshop.ingest(workshop.csv("b,Un,واحد,-7.6,33.5,2026-01-01,2026-02-01", header="start,end"))
    with httpx.Client(base_url=serve(workshop.url)) as client:
        for path in ("", "/items", "/items?f=html", "/items/a", "/items/a?f=html&lang=ar", "/items/a/card"):
            assert client.get("/collections/libraries" + path).status_code == 200, path


def test_an_internal_layer_is_not_published(workshop, serve):
    workshop.raw["visibility"] = "internal"
    workshop.raw["directory"] = {"role": "place"}
    workshop.ingest(workshop.csv("a,Secret,سر,-7.6,33.5"))
    with httpx.Client(base_url=serve(workshop.url)) as client:
        assert client.get("/collections").json()["collections"] == []
        for path in (
            "/collections/libraries",
            "/collections/libraries/items",
            "/collections/libraries/items/a",
            "/directory/a",
        ):
            answer = client.get(path)
            assert answer.status_code == 404, path
            assert "Secret" not in answer.text
