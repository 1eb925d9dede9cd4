"""Cards: what is known of a feature, in the reader's language; unknown is shown as unknown."""

import datetime as dt
import html
import re
from urllib.parse import urlsplit

import httpx
import pytest

import api.state
from api.i18n import messages
from layers.hours.calendar import ZONE, Calendar, Month, Overrides

CTM = "/collections/facilities/items/gare-routiere-ctm-casablanca/card"


def card_of(client, path, lang):
    answer = client.get(path, params={"lang": lang})
    assert answer.status_code == 200
    assert answer.headers["content-language"] == lang
    return answer.json()


def row(card, label):
    return next((item for item in card["rows"] if item["label"] == label), None)


def test_a_facility_in_french(client):
    card = card_of(client, CTM, "fr")
    assert (card["title"], card["alternate"]) == ("Gare routière CTM Casablanca", "محطة ستيام الدار البيضاء")
    assert card["subtitle"] == "Gare routière"
    phone = row(card, "Téléphone")
    assert (phone["href"], phone["dir"]) == ("tel:+212800090030", "ltr")
    assert row(card, "Horaires d'ouverture")["values"][0]["text"].startswith("tous les jours")
    assert {item["rel"]: item["href"] for item in card["links"]} == {
        "canonical": "/directory/gare-routiere-ctm-casablanca",
        "directions": "https://www.openstreetmap.org/directions?to=33.596210%2C-7.611110",
    }
    assert card["source"] == "Source : OpenStreetMap, avril 2026"
    assert card["attribution"] == "© OpenStreetMap contributors"


def test_the_same_in_arabic(client):
    card = card_of(client, CTM, "ar")
    assert (card["title"], card["title_lang"]) == ("محطة ستيام الدار البيضاء", "ar")
    assert card["subtitle"] == "محطة طرقية"
    assert row(card, "الهاتف")["href"] == "tel:+212800090030"
    assert "أبريل 2026" in card["source"]


@pytest.mark.parametrize(("lang", "unknown"), [("fr", "Non renseigné"), ("ar", "غير معروف")])
def test_what_is_unknown_is_said_to_be(client, everything, lang, unknown):
    for feature in everything("facilities")[::45]:
        rows = card_of(client, f"/collections/facilities/items/{feature['id']}/card", lang)["rows"]
        empty = [name for name in ("opening_hours", "phone", "wheelchair") if feature["properties"][name] is None]
        shown = [item for item in rows if item["value"] == unknown]
        assert len(shown) >= len(empty)
        assert all(item["known"] is False and "href" not in item for item in shown)


def test_a_worksite_shows_that_it_is_an_example(client, everything):
    for feature in everything("worksites"):
        card = card_of(client, f"/collections/worksites/items/{feature['id']}/card", "fr")
        assert [item["kind"] for item in card["badges"]] == ["state", "demo"]
        assert card["notice"].startswith("Données de démonstration")


def test_a_worksite_leads_to_the_body_and_its_stations(client, everything):
    feature = everything("worksites")[0]
    card = card_of(client, f"/collections/worksites/items/{feature['id']}/card", "ar")
    body = row(card, "الجهة المسؤولة")
    assert body["href"].split("?")[0] == f"/directory/{feature['properties']['entry_id']}"
    stations = row(card, "المحطات المعنية")["values"]
    assert [urlsplit(item["href"]).path.rsplit("/", 1)[1] for item in stations] == feature["properties"][
        "stops"
    ].split()
    for station in stations:
        assert client.get(station["href"]).json()["properties"]["name_ar"] == station["text"]
    # Whoever reads Arabic here, with a browser in French, goes on in Arabic.
    for address in (body["href"], stations[0]["href"]):
        page = client.get(address, headers={"Accept": "text/html", "Accept-Language": "fr"})
        assert page.headers["content-language"] == "ar"


@pytest.mark.parametrize("layer", ["districts", "facilities", "transport-stops", "transport-lines", "worksites"])
@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_every_layer_has_cards_of_plain_texts(client, everything, layer, lang):
    for feature in everything(layer)[::40]:
        card = card_of(client, f"/collections/{layer}/items/{feature['id']}/card", lang)
        assert card["title"] == feature["properties"][f"name_{lang}"]
        assert card["rows"]
        for item in card["rows"]:
            assert item["label"]
            assert item["value"]
        twins = [item["label"] for item in card["rows"]]
        assert len(set(twins)) == len(twins)


def test_a_district_is_named_and_linked(client):
    place = row(card_of(client, CTM, "fr"), "Arrondissement")
    assert place["value"] == client.get(place["href"]).json()["properties"]["name_fr"]


@pytest.fixture
def shop(workshop):
    """A place with hours of Ramadan, one without, and a body that has only these."""
    for name in ("opening_hours", "opening_hours_ramadan"):
        workshop.add(name, format="opening-hours")
    workshop.raw["directory"] = {
        "role": "place",
        "columns": {"opening_hours": "opening_hours", "opening_hours_ramadan": "opening_hours_ramadan"},
    }
    workshop.ingest(
        workshop.csv(
            "a,Kiosque,كشك,-7.6,33.58,Mo-Fr 08:00-18:00,Mo-Fr 09:00-15:00",
            "b,Stand,محل,-7.6,33.58,Mo-Fr 08:00-18:00,",
            header="opening_hours,opening_hours_ramadan",
        )
    )
    workshop.sql(
        "INSERT INTO directory.entries (id, category, name_fr, name_ar, opening_hours_ramadan, source)"
        " VALUES ('c', 'kiosk', 'Poste', 'بريد', 'Mo-Fr 09:00-15:00', 'test')"
    )
    return workshop


@pytest.mark.parametrize(("begins", "estimated"), [(12, True), (1, False), (0, False), (-29, True)])
def test_hours_of_ramadan_say_when_they_hold(shop, serve, monkeypatch, begins, estimated):
    """Before Ramadan and in it, on the map's card and on the page; where there are none nothing is said of it."""
    first = dt.datetime.now(ZONE).date() + dt.timedelta(days=begins)
    month = Month(first, first + dt.timedelta(days=29), estimated)
    monkeypatch.setattr(api.state, "load_calendar", lambda _: Calendar(Overrides({}, [], [month])))
    base, tail = serve(shop.url), "-estimated" if estimated else ""
    for lang in ("fr", "ar"):
        t = messages(lang)
        fasting = t(f"cards.hours.{'holds-now' if begins <= 0 else 'holds'}{tail}", first=month.first, last=month.last)
        assert t.date(month.first) in fasting
        assert t.date(month.last) in fasting
        usual = t(f"cards.hours.holds-not{tail}", last=month.last) if begins <= 0 else None
        for key, expected in (("a", [usual, fasting]), ("b", [None])):
            card = card_of(httpx, f"{base}/collections/libraries/items/{key}/card", lang)
            assert [one.get("note") for one in card["rows"] if one["kind"] == "hours"] == expected
        for key, expected in (("a", [usual, fasting]), ("b", []), ("c", [fasting])):
            page = httpx.get(f"{base}/directory/{key}", params={"f": "html", "lang": lang}).text
            shown = [html.unescape(text) for text in re.findall(r'<p class="validity">(.*?)</p>', page)]
            assert shown == [text for text in expected if text]
