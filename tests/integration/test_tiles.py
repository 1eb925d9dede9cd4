"""Vector tiles, decoded and counted against the items of the same place."""

import gzip

import httpx
import mapbox_vector_tile
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.crs import transformer
from tests.many import examples

HALF = 20_037_508.342789244
EXTENT, BUFFER = 4096, 256
LAYERS = ["districts", "facilities", "transport-stops", "transport-lines", "worksites"]
CITY = (12, 1642, 1961)


def tile(client, layer, matrix, row, column):
    answer = client.get(f"/collections/{layer}/tiles/WebMercatorQuad/{matrix}/{row}/{column}")
    if answer.status_code == 204:
        assert answer.content == b""
        return []
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    decoded = mapbox_vector_tile.decode(answer.content, default_options={"y_coord_down": True})
    assert list(decoded) == [layer]
    assert decoded[layer]["extent"] == EXTENT
    return decoded[layer]["features"]


def degrees(matrix, row, column, margin=0.0):
    """Return a tile's box in degrees by the grid's own definition; ``margin`` in tiles."""
    span = 2 * HALF / 2**matrix
    xs = [-HALF + (column - margin) * span, -HALF + (column + 1 + margin) * span]
    ys = [HALF - (row + 1 + margin) * span, HALF - (row - margin) * span]
    (west, east), (south, north) = transformer(3857, 4326).transform(xs, ys)
    return west, south, east, north


def touching(features, box):
    area = shapely.box(*box)
    return {item["id"] for item in features if area.intersects(shapely.geometry.shape(item["geometry"]))}


@pytest.mark.parametrize("layer", LAYERS)
@settings(max_examples=examples(12))
@given(st.integers(9, 15), st.floats(33.45, 33.65), st.floats(-7.75, -7.45))
def test_a_tile_holds_what_lies_in_it_and_its_margin(client, everything, layer, matrix, lat, lon):
    x, y = transformer(4326, 3857).transform(lon, lat)
    span = 2 * HALF / 2**matrix
    row, column = int((HALF - y) // span), int((x + HALF) // span)
    found = {item["properties"]["id"] for item in tile(client, layer, matrix, row, column)}
    assert touching(everything(layer), degrees(matrix, row, column)) <= found
    # A hair more than the margin, for what touches its very edge.
    assert found <= touching(everything(layer), degrees(matrix, row, column, BUFFER / EXTENT + 1e-3))


@pytest.mark.parametrize("layer", ["districts", "transport-lines"])
def test_the_lowest_zoom_holds_the_whole_layer(client, everything, layer):
    (matrix, row, column) = (6, 25, 30)
    assert len(tile(client, layer, matrix, row, column)) == len(everything(layer))


def test_points_are_where_the_items_say(client, everything):
    west, south, east, north = degrees(*CITY)
    homes = {item["id"]: item["geometry"]["coordinates"] for item in everything("facilities")}
    features = tile(client, "facilities", *CITY)
    assert features
    for item in features:
        x, y = item["geometry"]["coordinates"]
        lon, lat = homes[item["properties"]["id"]]
        assert west + x / EXTENT * (east - west) == pytest.approx(lon, abs=(east - west) / EXTENT)
        assert north + y / EXTENT * (south - north) == pytest.approx(lat, abs=(north - south) / EXTENT * 1.1)


def test_symbols_reach_over_the_edge(client):
    inside = [tile(client, "facilities", 14, row, column) for row in range(6566, 6574) for column in range(7842, 7848)]
    coordinates = [item["geometry"]["coordinates"] for features in inside for item in features]
    assert any(not 0 <= number <= EXTENT for pair in coordinates for number in pair)
    assert all(-BUFFER <= number <= EXTENT + BUFFER for pair in coordinates for number in pair)


@pytest.mark.parametrize(
    ("layer", "names"),
    [
        ("districts", {"id", "name_fr", "name_ar", "kind"}),
        ("facilities", {"id", "name_fr", "name_ar", "category"}),
        ("worksites", {"id", "name_fr", "name_ar", "state", "impact", "demo"}),
        ("transport-lines", {"id", "name_fr", "name_ar", "mode", "colour"}),
    ],
)
def test_attributes_are_those_of_the_definition(client, everything, layer, names):
    known = {item["id"]: item["properties"] for item in everything(layer)}
    for item in tile(client, layer, 9, 205, 245):
        properties = dict(item["properties"])
        assert set(properties) == names
        stored = known[properties.pop("id")]
        assert properties == {name: stored[name] for name in properties}
        assert item["id"] > 0


def test_several_layers_share_a_tile(client):
    path = "/tiles/WebMercatorQuad/9/205/245"
    whole = mapbox_vector_tile.decode(client.get(path).content)
    assert set(whole) == set(LAYERS)
    chosen = mapbox_vector_tile.decode(client.get(path + "?collections=worksites,districts").content)
    assert set(chosen) == {"worksites", "districts"}
    alone = mapbox_vector_tile.decode(client.get("/collections/districts/tiles/WebMercatorQuad/9/205/245").content)
    for other, layer in ((chosen, "worksites"), (alone, "districts")):
        by_id = [sorted(features[layer]["features"], key=lambda item: item["id"]) for features in (other, whole)]
        assert by_id[0] == by_id[1]


def test_a_shared_tile_leaves_out_layers_that_are_out_of_range(client):
    decoded = mapbox_vector_tile.decode(client.get("/tiles/WebMercatorQuad/7/51/61").content)
    assert set(decoded) == {"districts", "transport-lines"}


@pytest.mark.parametrize("prefix", ["/collections/facilities/tiles", "/tiles"])
def test_where_nothing_lies_there_is_no_content(client, prefix):
    answer = client.get(f"{prefix}/WebMercatorQuad/12/0/0")
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(
    "address",
    ["8/100/120", "19/1/1", "9/512/0", "9/0/512", "23/0/0", "a/0/0", "9/-1/0", "9/1.5/0", "9/0x1/0", "9/1/1.mvt"],
)
def test_outside_of_the_range_nothing_is_found(client, address):
    answer = client.get(f"/collections/facilities/tiles/WebMercatorQuad/{address}")
    assert answer.status_code == 404
    assert answer.json()["type"].rpartition(":")[2] in ("tile.outside", "tile.zoom")
    assert answer.json()["allowed"]


@pytest.mark.parametrize("query", ["?x=1", "?f=json", "?bbox=1,2,3,4"])
def test_a_wrong_parameter_is_refused(client, query):
    assert client.get(f"/collections/facilities/tiles/WebMercatorQuad/12/1642/1961{query}").status_code == 400


@pytest.mark.parametrize("encoding", ["identity", "gzip", "gzip;q=0", "br"])
def test_what_is_unchanged_is_not_sent_again(client, encoding):
    path = "/tiles/WebMercatorQuad/12/1642/1961"
    first = client.get(path, headers={"Accept-Encoding": encoding})
    tag = first.headers["etag"]
    assert tag.startswith('"')
    assert "Accept-Encoding" in first.headers["vary"]
    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = client.get(path, headers={"Accept-Encoding": encoding, "If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    assert client.get(path, headers={"Accept-Encoding": encoding, "If-None-Match": '"other"'}).status_code == 200


def test_a_compressed_tile_is_the_same_tile_under_a_tag_of_its_own(server_url):
    path = f"{server_url}/tiles/WebMercatorQuad/12/1642/1961"
    plain = httpx.get(path, headers={"Accept-Encoding": "identity"})
    with httpx.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as packed:
        raw = b"".join(packed.iter_raw())
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == plain.content
    assert len(raw) < len(plain.content)
    assert packed.headers["etag"] != plain.headers["etag"]


@pytest.mark.parametrize("accept", ["*/*", "text/html", "application/vnd.mapbox-vector-tile", "image/png,image/*"])
def test_whoever_asks_gets_the_tile(client, accept):
    answer = client.get("/tiles/WebMercatorQuad/12/1642/1961", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"


def test_head_has_the_tag(client):
    head = client.head("/tiles/WebMercatorQuad/12/1642/1961")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"]


def test_a_tile_that_is_too_large_says_so(database_url, serve):
    answer = httpx.get(serve(database_url, max_bytes=10_000) + "/tiles/WebMercatorQuad/9/205/245")
    assert answer.status_code == 400
    assert answer.json()["allowed"] == "10000"


def test_a_tag_stays_while_the_tile_stays(workshop, serve):
    workshop.ingest(workshop.csv(*(f"{name},Un,واحد,-7.6,33.5" for name in "abcd")))
    path = serve(workshop.url) + "/collections/libraries/tiles/WebMercatorQuad/9/205/245"
    tag = httpx.get(path).headers["etag"]
    # A row that was written again lies elsewhere in the table.
    workshop.sql("UPDATE features.libraries SET updated_at = now() WHERE id = 'a'")
    assert httpx.get(path).headers["etag"] == tag
    workshop.sql("UPDATE features.libraries SET name_fr = 'Autre' WHERE id = 'a'")
    assert httpx.get(path).headers["etag"] != tag
