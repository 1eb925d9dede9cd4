"""The maps as they are loaded and served: files, catalogue, pages, frames."""

from __future__ import annotations

import html
import json
import re
import shutil
import time
from typing import Any

import httpx
import mapbox_vector_tile
import pytest
import shapely
import yaml

from api.settings import PROJECT
from geo.errors import DefinitionError
from layers.shipped import load_shipped
from tests.conftest import quiet

FIXED = ["city", "transport", "health", "worksites", "around-me"]
ANFA = "district-06.141.01.01"


def directives(answer: httpx.Response) -> dict[str, list[str]]:
    parts = [part.split() for part in answer.headers["content-security-policy"].split(";")]
    return {name: values for name, *values in parts}


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_a_shared_link_says_what_the_map_is(client: httpx.Client, lang: str) -> None:
    for item in client.get("/maps", params={"lang": lang}).json()["maps"][:6]:
        text = client.get(f"/maps/{item['id']}", params={"f": "html", "lang": lang}).text
        for name in ('name="description"', 'property="og:description"'):
            found = re.search(rf'<meta {name} content="([^"]*)">', text)
            assert found
            assert html.unescape(found[1]) == item["description"]


def test_a_map_begins_at_a_district_where_the_address_says_so(client: httpx.Client) -> None:
    code = ANFA.removeprefix("district-")
    own = client.get(f"/maps/{ANFA}").json()["extent"]
    assert client.get("/maps/worksites", params={"district": code}).json()["extent"] == own
    text = client.get("/maps/worksites", params={"district": code, "f": "html"}).text
    data = re.search(r'id="casamaps-data">(.*?)</script>', text)
    assert data
    assert json.loads(data[1])["extent"] == own
    wrong = client.get("/maps/worksites", params={"district": "06"})
    assert wrong.status_code == 400
    assert code in wrong.json()["allowed"]


def test_there_is_a_map_for_the_city_each_subject_and_each_district(client: httpx.Client) -> None:
    codes = [item["id"] for item in client.get("/collections/districts/items").json()["features"]]
    listed = client.get("/maps").json()["maps"]
    assert len(codes) == 17
    assert [item["id"] for item in listed] == FIXED + [f"district-{code}" for code in sorted(codes)]
    for item in listed:
        links = {link["rel"]: link["href"] for link in item["links"]}
        assert client.get(links["self"]).json()["id"] == item["id"]
        for rel in ("alternate", "embed"):
            page = client.get(links[rel], headers={"Accept": "text/html"})
            assert page.headers["content-type"].startswith("text/html")
            assert html.escape(item["title"], quote=False) in page.text.replace("&#39;", "'")
    for lang, title in (("fr", "Anfa"), ("ar", "أنفا")):
        assert title in client.get(f"/maps?f=html&lang={lang}").text
        assert title in client.get(f"/maps/{ANFA}?f=html&lang={lang}").text


def test_a_districts_map_begins_at_the_district_and_holds_what_lies_in_it(client: httpx.Client) -> None:
    body = client.get(f"/maps/{ANFA}").json()
    district = client.get("/collections/districts/items/06.141.01.01").json()
    bounds = shapely.geometry.shape(district["geometry"]).bounds
    assert body["extent"] == pytest.approx(bounds, abs=1e-5)
    filters = {layer["id"]: layer["filter"] for layer in body["layers"]}
    found = client.get("/collections/facilities/items", params={"filter": filters["facilities"], "limit": 500}).json()
    assert found["features"]
    assert {item["properties"]["district_code"] for item in found["features"]} == {"06.141.01.01"}


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_the_same_map_is_the_same_bytes(client: httpx.Client, serve: Any, database_url: str, lang: str) -> None:
    other = serve(database_url)
    for name in (*FIXED, ANFA):
        address = f"/maps/{name}.js?lang={lang}"
        first, again = client.get(address), httpx.get(other + address)
        assert first.content == again.content
        assert client.get(address, headers={"If-None-Match": first.headers["etag"]}).status_code == 304


def test_the_first_map_is_at_the_services_own_address(client: httpx.Client) -> None:
    page = client.get("/?f=html&lang=fr").text
    assert "/maps/city.js" in page
    own = client.get("/maps/city?f=html&lang=fr").text
    for text in (page, own):
        assert f'<link rel="canonical" href="{str(client.base_url).rstrip("/")}/?f=html&amp;lang=fr">' in text


def test_a_frame_has_nothing_around_the_map_and_its_own_list_of_portals(serve: Any, database_url: str) -> None:
    with httpx.Client(base_url=serve(database_url, frame_origins="https://portal.example.org")) as client:
        embedded, full = client.get("/embed/health?lang=ar"), client.get("/maps/health?f=html&lang=ar")
    assert '<header class="site"' not in embedded.text
    assert '<footer class="site"' not in embedded.text
    assert 'id="map_health"' in embedded.text
    assert '<header class="site"' in full.text
    assert directives(embedded)["frame-ancestors"] == ["'self'", "https://portal.example.org"]
    assert directives(full)["frame-ancestors"] == ["https://portal.example.org"]
    assert directives(embedded)["script-src"] == ["'self'"]
    for answer in (embedded, full):
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/maps/nowhere", "/maps/nowhere.js", "/embed/nowhere", "/maps/district"])
def test_an_unknown_map_names_those_that_there_are(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert set(FIXED) < set(answer.json()["allowed"].split(", "))


@pytest.mark.parametrize(
    ("path", "form"),
    [(path, form) for path in ("/maps/city", "/embed/city") for form in ("html", "json")] + [("/", "html")],
)
@pytest.mark.parametrize(
    ("query", "part"),
    [
        ("view=NaN", "14/33.5931/-7.6192"),
        ("view=12/91/0", "14/33.5931/-7.6192"),
        ("layers=bogus", "transport-stops"),
        ("layers=districts,bogus", "transport-stops"),
        ("select=bogus/1", "transport-stops"),
        ("select=facilities", "districts/id"),
        ("time=soon", "2026-11"),
    ],
)
def test_a_state_that_the_map_cannot_show_is_refused_with_what_is_allowed(
    client: httpx.Client, path: str, query: str, part: str, form: str
) -> None:
    answer = client.get(
        f"{path}?f={form}&lang=fr&{query}", headers={"Accept": "text/html" if form == "html" else "*/*"}
    )
    assert answer.status_code == 400
    assert part in answer.text
    assert query.split("=")[0] in answer.text


@pytest.mark.parametrize("path", ["/maps/city", "/embed/city", "/"])
def test_a_state_that_the_map_can_show_is_taken(client: httpx.Client, path: str) -> None:
    asked = {"view": "14.5/33.59/-7.62", "layers": "districts,worksites", "select": "worksites/gone", "time": "2026-11"}
    assert client.get(path, params={**asked, "f": "html"}).status_code == 200
    assert client.get(path, params={**dict.fromkeys(asked, ""), "f": "html"}).status_code == 200


@pytest.fixture
def shipment(workshop: Any) -> Any:
    """A copy of the shipped data that a test may change, and how it is loaded."""
    folder = workshop.folder / "data"
    shutil.copytree(PROJECT / "data", folder)

    def write(name: str, **changes: Any) -> None:
        path = folder / "maps" / f"{name}.yaml"
        raw = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {"id": name}
        path.write_text(yaml.safe_dump(raw | changes, allow_unicode=True, sort_keys=False), encoding="utf-8")

    write.load = lambda: load_shipped(workshop.url, folder, quiet)  # type: ignore[attr-defined]
    write.folder = folder / "maps"  # type: ignore[attr-defined]
    return write


def test_the_files_are_the_truth_and_the_running_service_follows(workshop: Any, shipment: Any, serve: Any) -> None:
    shipment.load()
    before = dict(workshop.sql("SELECT id, version FROM catalogue.maps"))
    assert set(before) == {*FIXED, "district"}
    shipment.load()
    assert dict(workshop.sql("SELECT id, version FROM catalogue.maps")) == before
    with httpx.Client(base_url=serve(workshop.url)) as client:
        assert client.get("/maps/health").json()["title"] == "Santé"
        origins = ["https://portal.example.org", "http://localhost:8080"]
        shipment("health", title={"fr": "Se soigner", "ar": "العلاج"}, embed=origins)
        (shipment.folder / "around-me.yaml").unlink()
        shipment.load()
        after = dict(workshop.sql("SELECT id, version FROM catalogue.maps"))
        assert after == {key: version + (key == "health") for key, version in before.items() if key != "around-me"}
        deadline = time.monotonic() + 30
        while client.get("/maps/health").json()["title"] != "Se soigner":
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert client.get("/maps/around-me").status_code == 404
        assert directives(client.get("/embed/health"))["frame-ancestors"] == ["'self'", *origins]
        assert directives(client.get("/embed/city"))["frame-ancestors"] == ["'self'"]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"layers": [{"id": "trees"}]}, "layers.trees"),
        ({"layers": [{"id": "facilities", "filter": "height > 3"}]}, "layers.facilities.filter"),
        ({"extent": {"district": "nowhere"}}, "extent.district"),
    ],
)
def test_a_wrong_map_is_refused_and_the_others_stay(
    workshop: Any, shipment: Any, changes: dict[str, Any], key: str
) -> None:
    shipment.load()
    before = workshop.sql("SELECT id, version FROM catalogue.maps ORDER BY id")
    shipment("health", **changes)
    with pytest.raises(DefinitionError) as caught:
        shipment.load()
    assert (caught.value.params["file"], caught.value.params["key"]) == ("health.yaml", key)
    assert workshop.sql("SELECT id, version FROM catalogue.maps ORDER BY id") == before


TILE = "WebMercatorQuad/10/410/490"


def in_tile(content: bytes) -> dict[str, set[str]]:
    decoded = mapbox_vector_tile.decode(content)
    return {name: {item["properties"]["id"] for item in layer["features"]} for name, layer in decoded.items()}


def test_a_filter_reaches_tiles_and_features_alike(client: httpx.Client) -> None:
    filters = {
        "facilities": "category IN ('pharmacy', 'hospital') AND district_code = '06.141.01.01'",
        "worksites": "state = 'planned' OR name_fr LIKE '%Nations%'",
        "transport-stops": "distance(geom, POINT(-7.6192 33.5931)) < 1500",
    }
    for name, text in filters.items():
        found = client.get(f"/collections/{name}/items", params={"filter": text, "limit": 1000}).json()["features"]
        tile = client.get(f"/collections/{name}/tiles/{TILE}", params={"filter": text})
        assert in_tile(tile.content) == {name: {item["id"] for item in found}}
        assert found


def test_a_filter_and_a_time_hold_for_every_layer_of_a_tile(client: httpx.Client) -> None:
    text = "district_code = '06.141.01.07'"
    asked = {"collections": "facilities,transport-stops,worksites", "filter": text, "datetime": "2026-11-24/.."}
    found = in_tile(client.get(f"/tiles/{TILE}", params=asked).content)
    for name in asked["collections"].split(","):
        chosen = {"filter": text, "datetime": asked["datetime"], "limit": "1000"}
        items = client.get(f"/collections/{name}/items", params=chosen).json()["features"]
        assert found.get(name, set()) == {item["id"] for item in items}
    refused = client.get(f"/tiles/{TILE}", params={"collections": "facilities,districts", "filter": text})
    assert refused.status_code == 400
    assert "districts" in refused.json()["detail"]


def test_a_card_has_the_fields_that_a_map_asks_for(client: httpx.Client) -> None:
    base = "/collections/facilities/items/mosquee-hassan-ii/card?lang=ar"
    whole = client.get(base).json()
    some = client.get(base + "&properties=website,phone,category").json()
    assert [row["label"] for row in some["rows"]] == ["الموقع الإلكتروني", "الهاتف"]
    assert len(some["rows"]) < len(whole["rows"])
    assert some["subtitle"] == whole["subtitle"]
    assert client.get(base + "&properties=height").status_code == 400
    demo = client.get("/collections/worksites/items/demo-t1-ennassim/card?properties=reason_fr&lang=ar").json()
    assert "demo" in {badge["kind"] for badge in demo["badges"]}
