"""A place as JSON-LD and as a vCard: read back by others' tools and compared with the facts, entry by entry."""

import csv
import datetime as dt
import json
import re

import pytest
from rdflib import RDF, Graph, Literal, Namespace, URIRef

from api.linked_place import CONTEXT, opening_hours, week
from api.settings import PROJECT
from layers.definition import Text
from layers.directory import load_vocabulary
from layers.hours.calendar import Calendar, Month, Overrides

# rdflib's own parser makes a graph of a class that rdflib would rather not have.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
SDO = Namespace("https://schema.org/")
DATA = PROJECT / "data"
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def facts():
    """The rows of the shipped files, by the id of their entry; nothing of them has been through the service."""
    found = {}
    for name, key in (("facilities.csv", "facility_id"), ("directory.csv", "id")):
        with (DATA / name).open(encoding="utf-8", newline="") as file:
            found |= {row[key]: row for row in csv.DictReader(file)}
    return found


FACTS = facts()
VOCABULARY = load_vocabulary(DATA)


def graph_of(client, key):
    answer = client.get(f"/directory/{key}", headers={"Accept": "application/ld+json"})
    assert answer.headers["content-type"] == "application/ld+json"
    return Graph().parse(data=answer.text, format="json-ld")


def texts(graph, subject, predicate):
    return {(item.language, str(item)) for item in graph.objects(subject, predicate)}


def test_every_category_has_a_type():
    assert set(VOCABULARY.schema_org) == set(VOCABULARY.categories)


def test_every_entry_is_read_back_whole(client, server_url):
    assert len(FACTS) == 455
    for key, row in FACTS.items():
        graph = graph_of(client, key)
        place = URIRef(f"{server_url}/directory/{key}")
        assert set(graph.objects(place, RDF.type)) == {SDO[VOCABULARY.schema_org[row["category"]]]}
        assert texts(graph, place, SDO.name) == {("fr", row["name_fr"]), ("ar", row["name_ar"])}
        assert str(graph.value(place, SDO.identifier)) == key
        geo = graph.value(place, SDO.geo)
        if row["lon"]:
            assert float(graph.value(geo, SDO.longitude)) == float(row["lon"])
            assert float(graph.value(geo, SDO.latitude)) == float(row["lat"])
        else:
            assert geo is None
        phones = {part.strip() for part in row["phone"].split(";") if part.strip()}
        assert {str(item) for item in graph.objects(place, SDO.telephone)} == phones
        website = graph.value(place, SDO.url)
        assert (URIRef(row["website"]) if row["website"] else None) == website
        streets = {(lang, row[f"address_{lang}"]) for lang in ("fr", "ar") if row.get(f"address_{lang}")}
        address = graph.value(place, SDO.address)
        assert streets == (texts(graph, address, SDO.streetAddress) if address else set())
        area = graph.value(place, SDO.areaServed)
        assert (str(area).rsplit("/", 1)[1] if area else "") == row["district_code"]
        if area:
            assert str(graph.value(area, SDO.identifier)) == row["district_code"]
        access = graph.value(graph.value(place, SDO.amenityFeature), SDO.value)
        assert (str(access) if access else "") == row["wheelchair"]
        page = graph.value(place, SDO.mainEntityOfPage)
        assert str(graph.value(page, SDO.creditText)) == row["source"]
        assert str(graph.value(page, SDO.dateModified)) == row["as_of"]
        check_hours(graph, place, row["opening_hours"])


def check_hours(graph, place, value):
    """The hours, written out by hand for the few values that the data has."""
    specified = {
        (str(day).rsplit("/", 1)[1], str(graph.value(node, SDO.opens)), str(graph.value(node, SDO.closes)))
        for node in graph.objects(place, SDO.openingHoursSpecification)
        for day in graph.objects(node, SDO.dayOfWeek)
    }
    plain = re.fullmatch(r"(Mo-Su|Mo-Sa|Mo-Fr|Su-Th) (\d\d:\d\d)-(\d\d:\d\d)", value)
    if value == "24/7":
        assert specified == {(day, "00:00", "23:59") for day in DAYS}
    elif plain:
        days = {"Mo-Su": DAYS, "Mo-Sa": DAYS[:6], "Mo-Fr": DAYS[:5], "Su-Th": (*DAYS[:4], "Sunday")}[plain[1]]
        closes = "00:00" if plain[3] == "24:00" else plain[3]
        assert specified == {(day, plain[2], closes) for day in days}
    else:
        assert specified == set()
        hours = graph.value(place, SDO.openingHours)
        assert hours == (Literal(value) if value else None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Mo-Fr 08:30-12:00,14:00-18:00; Sa 09:00-12:00; Su off", [[("08:30", "12:00"), ("14:00", "18:00")]] * 5 + [[("09:00", "12:00")], []]),
        ("Mo-Fr 08:00-17:00; Fr 08:00-12:00", [[("08:00", "17:00")]] * 4 + [[("08:00", "12:00")], [], []]),
        ("Sa-Mo 10:00-22:00", [[("10:00", "22:00")], [], [], [], [], [("10:00", "22:00")], [("10:00", "22:00")]]),
        ("Mo,We 20:00-02:00", [[("20:00", "02:00")], [], [("20:00", "02:00")], [], [], [], []]),
        ("09:00-18:00", [[("09:00", "18:00")]] * 7),
        ("Mo-Fr 09:00-17:00; PH off", None),
        ("sunrise-sunset", None),
        ("by appointment", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_plain_week_becomes_hours_of_each_day(value, expected):
    assert week(value) == expected


#: Ramadan 2027 as announced by hand, and one day off; the estimates of 2028 stand as they are.
ANNOUNCED = Calendar(Overrides({dt.date(2027, 3, 10): Text(fr="Aïd", ar="العيد")}, [], [Month(dt.date(2027, 2, 8), dt.date(2027, 3, 9))]))  # fmt: skip
TODAY = dt.date(2027, 1, 26)


def specified(usual, ramadan=None, today=TODAY):
    """Return the hours as a graph reads them: usual ones, and those of some time by their first and last day."""
    described = {"@context": CONTEXT, "@id": "https://x.example/", **opening_hours(usual, ramadan, ANNOUNCED, today)}
    graph = Graph().parse(data=json.dumps(described), format="json-ld")
    found = {}
    for node in graph.objects(URIRef("https://x.example/"), SDO.openingHoursSpecification):
        valid = tuple(str(graph.value(node, name) or "") for name in (SDO.validFrom, SDO.validThrough))
        days = sorted(str(day).rsplit("/", 1)[1] for day in graph.objects(node, SDO.dayOfWeek))
        times = str(graph.value(node, SDO.opens)), str(graph.value(node, SDO.closes))
        found.setdefault(valid, []).append((days, times))
    return found, [str(item) for item in graph.objects(None, SDO.openingHours)]


def test_ramadan_has_its_own_hours_from_its_first_to_its_last_day():
    found, plain = specified("Mo-Sa 08:30-16:30", "Mo-Fr 09:00-15:00")
    assert plain == []
    assert found.pop(("", "")) == [(sorted(DAYS[:6]), ("08:30", "16:30"))]
    fasting = [(sorted(DAYS[:5]), ("09:00", "15:00")), (["Saturday", "Sunday"], ("00:00", "00:00"))]
    assert sorted(found.pop(("2027-02-08", "2027-03-09"))) == sorted(fasting)
    assert found == {}


def test_holidays_are_days_of_their_own():
    found, plain = specified("Mo-Fr 08:30-16:30; PH off")
    assert plain == []
    assert found.pop(("", "")) == [(sorted(DAYS[:5]), ("08:30", "16:30"))]
    days = {first for first, last in found if first == last}
    assert len(days) == len(found)
    assert {"2027-03-10", "2027-05-01", "2027-07-30", "2027-11-18", "2028-01-11"} <= days
    # Days of the moon are facts once they are announced, until then estimates that nothing could mark as such.
    assert not days & {str(day.date) for day in ANNOUNCED.holidays(TODAY, dt.date(2028, 2, 1)) if day.estimated}
    assert all("2027-01-26" <= day < "2028-01-26" for day in days)
    assert all(hours == [([], ("00:00", "00:00"))] for hours in found.values())
    found, _ = specified("Mo-Su 08:00-20:00; PH 10:00-12:00,14:00-24:00")
    assert sorted(found["2027-07-30", "2027-07-30"]) == [([], ("10:00", "12:00")), ([], ("14:00", "00:00"))]


@pytest.mark.parametrize(("usual", "ramadan"), [("sunrise-sunset", None), ("Mo-Fr 08:00-16:00", "sunrise-sunset"), ("selon le gardien", "Mo 09:00-10:00")])  # fmt: skip
def test_what_is_more_than_a_week_stays_its_text(usual, ramadan):
    assert specified(usual, ramadan) == ({}, [usual])


def test_an_estimated_ramadan_is_no_fact():
    found, _ = specified("Mo-Sa 08:30-16:30", "Mo-Fr 09:00-15:00", dt.date(2028, 1, 20))
    assert set(found) == {("", "")}


def test_without_hours_there_are_none():
    for value in ("off", "Mo-Su off"):
        assert opening_hours(value, None, ANNOUNCED, TODAY) == {}
    assert specified(None) == ({}, [])


class Card:
    """A strict reader of vCard 4.0 (RFC 6350): folding, escapes, parameters; anything else fails."""

    def __init__(self, body: bytes) -> None:
        text = body.decode("utf-8")
        assert text.endswith("\r\n")
        lines = text[:-2].split("\r\n")
        assert "\n" not in "".join(lines)
        assert "\r" not in "".join(lines)
        assert all(len(line.encode()) <= 75 for line in lines)
        unfolded = []
        for line in lines:
            if line.startswith(" "):
                unfolded[-1] += line[1:]
            else:
                unfolded.append(line)
        assert unfolded[0] == "BEGIN:VCARD"
        assert unfolded[1] == "VERSION:4.0"
        assert unfolded[-1] == "END:VCARD"
        self.properties = [self._read(line) for line in unfolded[2:-1]]

    @staticmethod
    def _read(line):
        match = re.fullmatch(r'([A-Z-]+)((?:;[A-Z-]+=(?:"[^"]*"|[^";:,]+))*):(.*)', line)
        assert match, line
        pairs = (part.split("=", 1) for part in match[2].split(";")[1:])
        return match[1], dict(pairs), match[3]

    def all(self, name):
        return [(given, value) for key, given, value in self.properties if key == name]

    @staticmethod
    def text(value):
        assert re.fullmatch(r"(?:[^\\,;]|\\[\\,;n])*", value), value
        return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], value)


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_every_entry_is_a_contact(client, server_url, lang):
    for key, row in FACTS.items():
        answer = client.get(f"/directory/{key}", params={"f": "vcf", "lang": lang})
        assert answer.headers["content-type"].startswith("text/vcard")
        assert f"{key}.vcf" in answer.headers["content-disposition"]
        card = Card(answer.content)
        assert card.all("UID") == [({}, f"{server_url}/directory/{key}")]
        names = sorted((given["PREF"], given["LANGUAGE"], card.text(value)) for given, value in card.all("FN"))
        other = "fr" if lang == "ar" else "ar"
        assert names == [("1", lang, row[f"name_{lang}"]), ("2", other, row[f"name_{other}"])]
        phones = [part.strip() for part in row["phone"].split(";") if part.strip()]
        assert card.all("TEL") == [({"VALUE": "uri"}, f"tel:{number}") for number in phones]
        assert [value for _, value in card.all("URL")] == [row["website"]] * bool(row["website"])
        assert not re.search("[\u2066-\u2069]", answer.text)
        streets = [re.split(r"(?<!\\);", value) for _, value in card.all("ADR")]
        assert all(len(parts) == 7 for parts in streets)
        known = [row[f"address_{name}"] for name in (lang, other) if row.get(f"address_{name}")]
        assert [card.text(parts[2]) for parts in streets] == known
        places = [tuple(map(float, value.removeprefix("geo:").split(","))) for _, value in card.all("GEO")]
        assert places == ([(float(row["lat"]), float(row["lon"]))] if row["lon"] else [])
        assert [card.text(value) for _, value in card.all("CATEGORIES")] == [
            VOCABULARY.categories[row["category"]][lang]
        ]


def test_what_stands_in_a_name_stays_there(workshop, serve):
    import httpx

    name = 'A\\b;c,d:"e"\r\nEND:VCARD\r\n</script><b>é' + "ع" * 60
    workshop.sql(
        "INSERT INTO directory.entries (id, category, name_fr, name_ar, website, phone, source, geom)"
        " VALUES ('x y?', 'kiosk', %s, 'اسم', 'javascript:alert(1)', ARRAY['nonsense'], 'test', 'SRID=4326;POINT(-7.6 33.5)')",
        name,
    )
    base = serve(workshop.url, report_url="https://r.example/?n={name}&p={place}&d={district}")
    card = Card(httpx.get(f"{base}/directory/x%20y%3F", params={"f": "vcf"}).content)
    assert [card.text(value) for given, value in card.all("FN") if given["LANGUAGE"] == "fr"] == [
        name.replace("\r\n", "\n")
    ]
    assert card.all("TEL") == [({}, "nonsense")]
    assert card.all("URL") == []
    answer = httpx.get(f"{base}/directory/x%20y%3F", params={"f": "jsonld"})
    graph = Graph().parse(data=answer.text, format="json-ld")
    place = URIRef(f"{base}/directory/x%20y%3F")
    assert ("fr", name) in texts(graph, place, SDO.name)
    assert set(graph.objects(place, RDF.type)) == {SDO.Place}
    assert graph.value(place, SDO.url) is None
    page = httpx.get(f"{base}/directory/x%20y%3F", params={"f": "html"}).text
    assert "<b>é" not in page
    assert "javascript:" not in page.replace(">javascript:", "")
    assert "&amp;p=http%3A%2F%2F127.0.0.1" in page


def test_an_unknown_form_is_named(client):
    answer = client.get("/directory/oncf?f=xml")
    assert answer.status_code == 400
    assert "vcf" in answer.json()["detail"]


def test_forms_are_told_by_links_and_chosen_by_accept(client):
    body = client.get("/directory/oncf").json()
    types = {item["type"] for item in body["links"] if item["rel"] == "alternate"}
    assert types == {"text/html", "application/ld+json", "text/vcard"}
    for media_type in types:
        answer = client.get("/directory/oncf", headers={"Accept": media_type})
        assert answer.headers["content-type"].split(";")[0] == media_type
        assert "Accept" in answer.headers["vary"]
