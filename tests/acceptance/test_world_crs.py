"""Layers of the whole earth are given in the CRS that hold it, and a CRS that does not is refused before any byte."""

import pytest

EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
WORLD = ["ne-110m-populated-places-simple", "ne-110m-admin-0-countries"]
FORMS = ["json", "jsonseq", "csv", "fgb", "gpkg", "parquet", "kml", "shp"]


@pytest.mark.parametrize("layer", [*WORLD, "ne-110m-rivers-lake-centerlines"])
def test_every_crs_of_the_list_serves_the_whole_layer(world, layer):
    collection = world.get(f"/collections/{layer}").json()
    assert len(collection["crs"]) >= 3
    for crs in collection["crs"]:
        answer = world.get(f"/collections/{layer}/items", params={"crs": crs, "limit": 10_000})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-crs"] == f"<{crs}>"
        assert answer.json()["numberReturned"] == collection["itemCount"]
        lines = world.get(f"/collections/{layer}/export", params={"crs": crs, "f": "jsonseq"}).text
        assert lines.count("\n") == collection["itemCount"]


@pytest.mark.parametrize("layer", WORLD)
@pytest.mark.parametrize("code", ["32629", "26191"])
def test_another_is_refused_with_its_name_and_the_layers(world, layer, code):
    base, crs = f"/collections/{layer}", EPSG + code
    offered = world.get(base).json()["crs"]
    assert crs not in offered
    addresses = [
        f"{base}/items",
        f"{base}/items?f=csv",
        f"{base}/items/x",
        *(f"{base}/export?f={form}" for form in FORMS),
    ]
    addresses += [f"/nearest?lon=0&lat=0&collections={layer}", f"/at?lon=0&lat=0&collections={layer}"]
    for address in addresses:
        answer = world.get(address, params={**dict(_parts(address)), "crs": crs})
        problem = answer.json()
        assert answer.status_code == 400, address
        assert problem["type"].endswith(":crs.layer")
        assert problem["parameter"] == "crs"
        assert crs in problem["detail"]
        assert layer in problem["detail"]
        assert problem["allowed"].split(", ") == offered
    shown = world.get(f"{base}/items", params={"crs": crs, "f": "html", "lang": "ar"})
    assert shown.status_code == 400
    assert layer in shown.text
    # Boxes and filters are clipped to where they hold, and meet what is there.
    box = "400000,3600000,800000,3900000" if code == "32629" else "200000,200000,500000,500000"
    assert world.get(f"{base}/items", params={"bbox": box, "bbox-crs": crs}).json()["numberMatched"] > 0


def _parts(address):
    return [part.split("=") for part in address.partition("?")[2].split("&") if part]


def _given(document, layer, kind):
    known = document["components"]["parameters"]
    given = document["paths"][f"/collections/{layer}/{kind}"]["get"]["parameters"]
    return [known[one["$ref"].rsplit("/", 1)[1]] if "$ref" in one else one for one in given]


@pytest.mark.parametrize("layer", WORLD)
def test_a_grid_says_how_many_are_off_it(world, layer):
    body = world.get(f"/collections/{layer}/aggregate", params={"by": "grid", "size": "100000"}).json()
    *_, off = body["results"]
    assert off["key"] is None
    assert off["count"] > 0
    assert str(off["count"]) in body["note"]


def test_the_documents_agree(world):
    document = world.get("/api").json()
    for layer in (*WORLD, "ne-110m-rivers-lake-centerlines"):
        offered = world.get(f"/collections/{layer}").json()["crs"]
        for kind in ("items", "items/{featureId}", "export"):
            [crs] = [one for one in _given(document, layer, kind) if one["name"] == "crs"]
            assert crs["schema"]["enum"] == offered
        page = world.get(f"/collections/{layer}", params={"f": "html"}).text
        assert ("EPSG:26191" in page) == (EPSG + "26191" in offered)
