"""What a map's view holds, in words: distances and order against pyproj's geodesics, grouping, pages, mistakes."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import shapely
from pyproj import Geod

from api.i18n import Lang, messages
from api.maps.listing import view_around, view_of
from geo.bbox import BBox
from geo.errors import InvalidInput
from layers.hours.calendar import ZONE

GEOD = Geod(ellps="WGS84")
BOX = (-7.64, 33.57, -7.59, 33.61)
BBOX = ",".join(map(str, BOX))
CENTRE = ((BOX[0] + BOX[2]) / 2, (BOX[1] + BOX[3]) / 2)
POINTS = ("facilities", "transport-stops")
Everything = Callable[[str], list[dict[str, Any]]]


def listed(client: httpx.Client, map_id: str = "city", **query: Any) -> dict[str, Any]:
    answer = client.get(f"/maps/{map_id}/list", params={"f": "json", **query})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def of(body: dict[str, Any], layer: str) -> list[dict[str, Any]]:
    return [feature for feature in body["features"] if feature["collection"] == layer]


def measured(origin: tuple[float, float], feature: dict[str, Any]) -> tuple[float, float]:
    """Return bearing and distance to a point, by pyproj."""
    bearing, _, metres = GEOD.inv(*origin, *feature["geometry"]["coordinates"])
    return bearing % 360, metres


def test_layers_come_from_the_top_and_things_in_the_order_of_distance(
    client: httpx.Client, everything: Everything
) -> None:
    body = listed(client, bbox=BBOX, limit=100)
    assert [group["collection"] for group in body["groups"]] == [
        "facilities",
        "transport-stops",
        "worksites",
        "transport-lines",
        "districts",
    ]
    # Each layer's features stand together.
    assert [feature["collection"] for feature in body["features"]] == [
        group["collection"] for group in body["groups"] for _ in range(group["numberReturned"])
    ]
    for layer in POINTS:
        inside = [
            item for item in everything(layer) if shapely.box(*BOX).covers(shapely.geometry.shape(item["geometry"]))
        ]
        expected = sorted(inside, key=lambda item: measured(CENTRE, item)[1])
        found, group = of(body, layer), next(item for item in body["groups"] if item["collection"] == layer)
        assert group["numberMatched"] == len(inside)
        assert [item["id"] for item in found] == [item["id"] for item in expected[:100]]
        for item in found:
            bearing, metres = measured(CENTRE, item)
            assert item["distance"] == pytest.approx(metres, abs=0.01)
            assert item["bearing"] == pytest.approx(bearing, abs=0.001)
    for item in of(body, "districts"):
        assert shapely.geometry.shape(item["geometry"]).intersects(shapely.box(*BOX))


def test_the_list_of_a_district_has_what_its_map_shows(client: httpx.Client) -> None:
    body = listed(client, "district-06.141.01.01", limit=100)
    found = of(body, "facilities")
    assert found
    assert {item["properties"]["district_code"] for item in found} == {"06.141.01.01"}


def test_pages_hold_everything_once(client: httpx.Client) -> None:
    asked = {"bbox": BBOX, "layers": "facilities", "limit": 30}
    body = listed(client, **asked)
    total = body["groups"][0]["numberMatched"]
    pages = [of(body, "facilities")]
    while following := next((link["href"] for link in body["links"] if link["rel"] == "next"), None):
        body = client.get(following).json()
        pages.append(of(body, "facilities"))
    together = [item for page in pages for item in page]
    assert len(pages) == -(-total // 30) > 1
    assert len({item["id"] for item in together}) == len(together) == total
    distances = [item["distance"] for item in together]
    assert distances == sorted(distances)
    assert listed(client, **asked, page=50)["features"] == []


@pytest.mark.parametrize(
    ("place", "name"), [("casa port", "Casa-Port"), ("الميناء", "الدار البيضاء الميناء"), ("3ain diab", "Aïn Diab")]
)
def test_distances_begin_at_the_place_that_is_typed(client: httpx.Client, place: str, name: str) -> None:
    first = client.get("/search", params={"q": place, "lang": "fr"}).json()["features"][0]
    body = listed(client, place=place, layers="facilities", limit=40)
    origin = (body["origin"]["lon"], body["origin"]["lat"])
    assert body["placeFound"] is True
    assert body["origin"]["name"]
    # The nearest of equals is taken, so another platform of the same station may be first.
    assert GEOD.inv(*origin, *first["geometry"]["coordinates"])[2] < 3000, name
    found = of(body, "facilities")
    assert [item["distance"] for item in found] == pytest.approx(
        [measured(origin, item)[1] for item in found], abs=0.01
    )
    assert [item["distance"] for item in found] == sorted(item["distance"] for item in found)


def test_a_position_may_be_typed_or_given(client: httpx.Client) -> None:
    typed = listed(client, place="33.59, -7.61", layers="facilities", limit=5)
    given = listed(client, lon=-7.61, lat=33.59, layers="facilities", limit=5)
    assert [item["id"] for item in typed["features"]] == [item["id"] for item in given["features"]]
    assert (given["origin"]["lon"], given["origin"]["lat"]) == (-7.61, 33.59)


def test_an_unknown_place_is_said_to_be_unknown(client: httpx.Client) -> None:
    nowhere = "qqxzvw kkjjhh"
    assert listed(client, place=nowhere)["placeFound"] is False
    for lang, word in (("fr", "Aucun lieu"), ("ar", "لا مكان")):
        text = client.get("/maps/city/list", params={"f": "html", "lang": lang, "place": nowhere}).text
        assert word in text
        assert nowhere in text


def test_words_narrow_the_list_down(client: httpx.Client) -> None:
    found = of(listed(client, q="pharmacie", limit=100), "facilities")
    assert found
    for item in found:
        said = " ".join(str(item["properties"].get(name) or "") for name in ("name_fr", "name_ar", "address_fr"))
        assert "pharmacie" in said.lower()


def test_only_what_is_open(client: httpx.Client) -> None:
    # What is open is known of the weeks to come: next Tuesday, when a usual week goes on.
    day = dt.datetime.now(ZONE).date() + dt.timedelta(days=1)
    day += dt.timedelta(days=(1 - day.weekday()) % 7)
    moment = f"{day.isoformat()}T10:00:00Z"
    body = listed(client, open=moment, limit=100)
    assert [group["collection"] for group in body["groups"]] == ["facilities"]
    assert {item["state"]["code"] for item in body["features"]} == {"open"}
    entries = client.get("/directory", params={"f": "json", "open": moment, "limit": 1000}).json()["features"]
    known = {item["id"] for item in client.get("/collections/facilities/items?limit=1000").json()["features"]}
    assert {item["id"] for item in body["features"]} == {item["id"] for item in entries} & known


def test_works_say_how_far_they_are_and_stops_that_they_are_there(client: httpx.Client, everything: Everything) -> None:
    body = listed(client, limit=100, lang="fr")
    states = {"planned": "Prévu", "in-progress": "En cours", "suspended": "Suspendu", "done": "Terminé"}
    for item in of(body, "worksites"):
        assert item["state"] == {"code": item["properties"]["state"], "text": states[item["properties"]["state"]]}
    today = dt.datetime.now(ZONE).date().isoformat()
    going_on = [
        item for item in everything("worksites")
        if item["properties"]["start_date"] <= today <= (item["properties"]["end_date"] or "9999")
    ]  # fmt: skip
    assert going_on
    for item in of(body, "transport-stops"):
        expected = {work["id"] for work in going_on if item["id"] in work["properties"]["stops"].split()}
        assert {work["id"] for work in item["works"]} == expected
        assert all(work["demo"] for work in item["works"])


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("bbox=1,2,3", "bbox"), ("bbox=10,0,5,1", "bbox"), ("view=14", "view"), ("view=14/99/0", "view"),
        ("layers=nothing", "layers"), ("layers=districts,districts", "layers"), ("lat=33", "lon"), ("page=0", "page"),
        ("page=1.5", "page"), ("page=51", "page"), ("limit=0", "limit"), ("open=soon", "open"), ("q=" + "a" * 201, "q"),
        ("place=" + "a" * 201, "place"), ("nothing=1", "nothing"), ("q=%00", "q"),
    ],
)  # fmt: skip
def test_mistakes_are_named(client: httpx.Client, query: str, parameter: str) -> None:
    answer = client.get(f"/maps/city/list?f=json&{query}")
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert parameter in (body.get("parameter"), query.split("=")[0])


def test_an_unknown_map_is_not_found(client: httpx.Client) -> None:
    assert client.get("/maps/nothing/list").status_code == 404


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_the_page_says_the_same_and_leads_back_to_the_view(client: httpx.Client, lang: str) -> None:
    asked = {"view": "14/33.59/-7.62", "layers": "facilities,transport-stops", "limit": 5, "lang": lang}
    body = listed(client, **asked)
    page = html.unescape(client.get("/maps/city/list", params={"f": "html", **asked}).text)
    names = re.findall(r"<h3><a href=\"[^\"]*\"><bdi>(.*?)</bdi>", page)
    assert names == [item["properties"][f"name_{lang}"] for item in body["features"]]
    back = re.findall(r'href="(/maps/city\?[^"]*)"', page)
    assert f"/maps/city?lang={lang}&view=14/33.59000/-7.62000&layers=facilities,transport-stops" in back
    for item in body["features"]:
        assert any(address.endswith(f"select={item['collection']}/{item['id']}") for address in back)
        assert client.get(f"{next(link['href'] for link in item['links'])}").status_code == 200


def test_a_view_is_the_box_of_a_screen_and_back() -> None:
    box = view_of("14/33.59/-7.62").box()
    # At this level a pixel is 360° / 2^22 of longitude.
    assert box.east - box.west == pytest.approx(1024 * 360 / 2**22)
    _, _, metres = GEOD.inv(-7.62, box.south, -7.62, box.north)
    _, _, across = GEOD.inv(box.west, 33.59, box.east, 33.59)
    assert metres / across == pytest.approx(640 / 1024, rel=0.01)
    again = view_around(box)
    assert (again.zoom, again.lat, again.lon) == pytest.approx((14, 33.59, -7.62), abs=1e-6)
    assert view_around(BBox(1, 1, 1, 1)).zoom == 18
    with pytest.raises(InvalidInput):
        view_of("1/2")


def test_texts_of_the_data_are_only_ever_text(workshop: Any, serve: Any) -> None:
    # The product is of seven digits: one of two is found in the time of day that the page tells.
    evil = "</bdi><script>alert(1)</script><img src=x onerror=alert(2)>{{1931*1933}}"
    workshop.ingest(workshop.geojson({"id": "a", "name_fr": evil, "name_ar": evil}))
    url = serve(workshop.url)
    for lang in ("fr", "ar"):
        page = httpx.get(f"{url}/maps/city/list", params={"f": "html", "lang": lang, "place": evil, "q": ""}).text
        assert html.escape(evil, quote=False) in page.replace("&#39;", "'")
        for mark in ("<script>alert", "<img src=x", str(1931 * 1933)):
            assert mark not in page.split("<main")[1]


def test_works_are_those_of_the_time_that_is_asked_for(client: httpx.Client) -> None:
    def works(when: str | None) -> set[str]:
        given = {"limit": "500", **({"datetime": when} if when else {})}
        return {item["id"] for item in client.get("/collections/worksites/items", params=given).json()["features"]}

    def shown(map_id: str, **given: str) -> set[str]:
        answer = client.get(f"/maps/{map_id}/list", params={"limit": "100", "layers": "worksites", **given})
        assert answer.status_code == 200, answer.text
        return {item["id"] for item in answer.json()["features"]}

    assert shown("worksites", time="2026-09-15") == works("2026-09-15")
    assert shown("worksites", time="2026-08") == works("2026-08-01/2026-08-31")
    assert shown("city", time="2024-02") == works("2024-02-01/2024-02-29") == set()
    # As the maps begin: today where there is a slider, else all times.
    assert shown("worksites") == works(dt.datetime.now(ZONE).date().isoformat()) != works(None)
    assert shown("city") == works(None)
    for wrong in ("2026", "2026-13", "2026-02-30", "2026-1-1", "now", "٢٠٢٦-٠١"):
        answer = client.get("/maps/worksites/list", params={"time": wrong})
        assert (answer.status_code, answer.json()["parameter"]) == (400, "time")


@pytest.mark.parametrize(("lang", "comma", "other"), [("fr", ", ", "،"), ("ar", "، ", ",")])
def test_states_and_dates_are_joined_as_the_language_does(
    client: httpx.Client, lang: str, comma: str, other: str
) -> None:
    page = client.get("/maps/worksites/list", params={"f": "html", "lang": lang, "layers": "worksites"}).text
    states = re.findall(r'<p class="state" data-state="(?!works)[^"]*">([^<]+)<bdi>', page)
    assert states
    assert all(text.endswith(comma) and other not in text for text in states)


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("fr", r"Liste établie le (\w+di|dimanche) \d+(er)? \w+ \d{4} à \d\d:\d\d\."),
        ("ar", r"أُعدت هذه اللائحة يوم \w+،? \d+ \w+ \d{4} على الساعة \d\d:\d\d\."),
    ],
)
def test_the_page_says_in_a_sentence_when_it_was_made(client: httpx.Client, lang: str, said: str) -> None:
    page = client.get("/maps/worksites/list", params={"f": "html", "lang": lang}).text
    made = re.search(r'<p class="meta made">(.*?)<span', page)
    assert made
    assert re.fullmatch(said, re.sub("[\u2066-\u2069]", "", made[1]).strip())


def test_no_layers_are_none(client: httpx.Client) -> None:
    assert listed(client, "worksites", layers="")["features"] == []
    page = html.unescape(client.get("/maps/worksites/list", params={"f": "html", "lang": "fr", "layers": ""}).text)
    assert "checked" not in page
    assert messages("fr")("list.no-layer") in page
    assert messages("fr")("list.nothing") not in page
    assert re.search(r'class="overview" href="[^"]*[?&]layers="', page)


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_past_the_end_the_page_says_so_and_leads_to_the_pages_that_there_are(client: httpx.Client, lang: Lang) -> None:
    asked = {"f": "html", "lang": lang, "layers": "facilities", "limit": "50"}
    t = messages(lang)
    matched = client.get("/maps/city/list", params={**asked, "f": "json"}).json()["groups"][0]["numberMatched"]
    last = -(-matched // 50)
    assert 2 < last < 30
    page = html.unescape(client.get("/maps/city/list", params={**asked, "page": "30"}).text)
    assert t("list.no-page", count=last) in page
    assert t("list.nothing") not in page
    ways = dict(re.findall(r'<a class="button" href="(/maps/city/list[^"]*)">([^<]+)</a>', page))
    ways = {text: address for address, text in ways.items()}
    assert list(ways) == [t("list.first-page"), t("list.last-page")]
    for text, number in ((t("list.first-page"), "1"), (t("list.last-page"), str(last))):
        address = ways[text] + "&f=json"
        assert client.get(address).json()["features"]
        assert client.get(address).json() | {"links": 0} == client.get(
            "/maps/city/list", params={**asked, "f": "json", "page": number}
        ).json() | {"links": 0}
    beyond = client.get(ways[t("list.last-page")].replace(f"page={last}", f"page={last + 1}") + "&f=json").json()
    assert beyond["features"] == []
    # Where there is nothing at all there is no page to go to.
    empty = html.unescape(client.get("/maps/city/list", params={**asked, "q": "zzzzzz", "page": "3"}).text)
    assert t("list.nothing") in empty
    assert t("list.first-page") not in empty


def test_layers_may_be_ticked_one_by_one(client: httpx.Client) -> None:
    body = client.get("/maps/city/list?layers=facilities&layers=worksites").json()
    assert {group["collection"] for group in body["groups"]} == {"facilities", "worksites"}
    joined = client.get("/maps/city/list?layers=facilities,worksites").json()
    assert body["features"] == joined["features"]
