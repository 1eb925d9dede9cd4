"""A place as JSON-LD and as a vCard: read back by others' tools and compared with the facts, entry by entry."""

import csv
import datetime as dt
import json
import re

import httpx
import pytest
from rdflib import RDF, Graph, Literal, Namespace, URIRef

from api.hours import write_hours
from api.i18n import messages
from api.linked_place import CONTEXT, opening_hours, week
from api.settings import PROJECT
from layers.definition import Text
from layers.directory import load_vocabulary
from layers.hours.calendar import ZONE, Calendar, Month, Overrides, load_calendar
from layers.hours.spans import open_hours

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
        ("Mo-Fr 00:00-24:00", [[("00:00", "23:59")]] * 5 + [[], []]),
        ("Mo-Th 00:00-24:00; Fr 08:00-24:00; Sa,Su 00:00-00:00", [[("00:00", "23:59")]] * 4 + [[("08:00", "00:00")]] + [[("00:00", "23:59")]] * 2),
        ("Mo-Su 00:00-24:00; Su off", [[("00:00", "23:59")]] * 6 + [[]]),
        ("Mo 00:00-12:00,12:00-24:00", [[("00:00", "12:00"), ("12:00", "00:00")]] + [[]] * 6),
        ("Mo 22:00-26:00; Tu 08:00-12:00,20:30-25:15", [[("22:00", "02:00")], [("08:00", "12:00"), ("20:30", "01:15")]] + [[]] * 5),
        ("Mo 00:00-26:00", None),
        ("Mo-Fr 08:00-12:00; Sa 10:00-34:00", None),
        ("Mo-Fr 08:00-08:00", None),
        ("Mo 24:00-26:00", None),
        ("Mo 23:00-49:00", None),
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
ESTIMATED = {lang: messages(lang)("cards.hours.estimated") for lang in ("fr", "ar")}


def specified(usual, ramadan=None, today=TODAY):
    """Return the hours as a graph reads them: usual ones, and those of some time by their first and last day."""
    described = {
        "@context": CONTEXT,
        "@id": "https://x.example/",
        **opening_hours(usual, ramadan, ANNOUNCED, today, ESTIMATED),
    }
    graph = Graph().parse(data=json.dumps(described), format="json-ld")
    return hours_in(graph, URIRef("https://x.example/"))


def hours_in(graph, place):
    """Return the hours of each time, by its first and last day, and hours that are a text."""
    found = {}
    for node in graph.objects(place, SDO.openingHoursSpecification):
        assert set(graph.objects(node, RDF.type)) == {SDO.OpeningHoursSpecification}
        valid = tuple(str(graph.value(node, name) or "") for name in (SDO.validFrom, SDO.validThrough))
        days = sorted(str(day).rsplit("/", 1)[1] for day in graph.objects(node, SDO.dayOfWeek))
        times = str(graph.value(node, SDO.opens)), str(graph.value(node, SDO.closes))
        found.setdefault(valid, []).append((days, times))
    return found, [str(item) for item in graph.objects(place, SDO.openingHours)]


def estimates_in(graph, place):
    """Return the first days of what is said to be estimated, in both languages."""
    found = {}
    for node in graph.objects(place, SDO.openingHoursSpecification):
        if said := texts(graph, node, SDO.description):
            assert said == set(ESTIMATED.items())
            found.setdefault(str(graph.value(node, SDO.validFrom)), texts(graph, node, SDO.name))
    return found


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
    assert days == {str(day.date) for day in ANNOUNCED.holidays(TODAY, TODAY + dt.timedelta(days=365))}
    assert all("2027-01-26" <= day < "2028-01-26" for day in days)
    assert all(hours == [([], ("00:00", "00:00"))] for hours in found.values())
    found, _ = specified("Mo-Su 08:00-20:00; PH 10:00-12:00,14:00-24:00")
    assert sorted(found["2027-07-30", "2027-07-30"]) == [([], ("10:00", "12:00")), ([], ("14:00", "00:00"))]


def test_a_day_open_throughout_is_not_a_closed_one():
    """Within a week, in Ramadan and on holidays alike; the days that are closed are said to be."""
    found, plain = specified("Mo-Fr 00:00-24:00; PH 00:00-24:00", "Mo-Th 00:00-24:00; Fr 22:00-26:00")
    assert plain == []
    all_day = ("00:00", "23:59")
    assert found["", ""] == [(sorted(DAYS[:5]), all_day)]
    fasting = [(sorted(DAYS[:4]), all_day), (["Friday"], ("22:00", "02:00")), (sorted(DAYS[5:]), ("00:00", "00:00"))]
    assert sorted(found["2027-02-08", "2027-03-09"]) == sorted(fasting)
    assert found["2027-05-01", "2027-05-01"] == [([], all_day)]
    assert specified("Mo-Fr 08:00-12:00; PH 10:00-36:00") == ({}, ["Mo-Fr 08:00-12:00; PH 10:00-36:00"])


@pytest.mark.parametrize("usual", ["sunrise-sunset", 'Mo-Fr 09:00-12:00 "sur rendez-vous"', "selon le gardien"])
def test_what_is_more_than_a_week_stays_its_text(usual):
    assert specified(usual) == ({}, [usual])
    found, plain = specified(usual, "Mo-Su 09:00-10:00")
    assert plain == [usual]
    assert found == {("2027-02-08", "2027-03-09"): [(sorted(DAYS), ("09:00", "10:00"))]}
    # What does not hold in Ramadan is no text that holds all year.
    assert specified(usual, "sunrise-sunset") == ({}, [])


def test_the_usual_week_ends_where_ramadan_begins_whose_hours_are_no_week():
    found, plain = specified("Mo-Su 08:00-16:00", "sunrise-sunset")
    assert plain == []
    assert set(found) == {("2027-01-26", "2027-02-07"), ("2027-03-10", "2028-01-25")}
    found, _ = specified("Mo-Su 08:00-16:00", "sunrise-sunset", dt.date(2027, 2, 20))
    assert min(found) == ("2027-03-10", "2028-01-27")


def test_hours_of_ramadan_alone_are_given():
    found, plain = specified(None, "Mo-Fr 09:00-15:00")
    assert (set(found), plain) == ({("2027-02-08", "2027-03-09")}, [])


def test_a_holiday_in_ramadan_has_the_hours_that_it_has_in_ramadan():
    """The manifesto of independence falls into the Ramadan of January 2030."""
    today, day = dt.date(2029, 12, 1), ("2030-01-11", "2030-01-11")
    usual = "Mo-Fr 08:30-16:30; PH off"
    assert day not in specified(usual, "Mo-Fr 09:00-15:00", today)[0]
    assert specified(usual, "Mo-Fr 09:00-15:00; PH 10:00-11:00", today)[0][day] == [([], ("10:00", "11:00"))]
    assert day not in specified(usual, "sunrise-sunset", today)[0]
    assert specified(usual, None, today)[0][day] == [([], ("00:00", "00:00"))]


#: The hours of entries of somebody's own: usual ones, those of Ramadan.
KINDS = {
    "holidays": ("Mo-Fr 08:30-16:30; PH off", None),
    "open-on-holidays": ("Mo-Sa 08:00-20:00; PH 10:00-12:00,16:00-18:00", None),
    "ramadan": ("Mo-Fr 08:30-16:30; PH off", "Mo-Fr 09:00-15:00; PH off"),
    "ramadan-by-the-sun": ("Mo-Fr 08:30-16:30", "Mo-Fr 09:00-sunset"),
    "only-ramadan": (None, "Mo-Su 20:00-02:00"),
    "condition": ('Mo-Fr 09:00-12:00 "sur rendez-vous"', None),
    "condition-and-ramadan": ('Mo-Fr 09:00-12:00 "sur rendez-vous"', "Mo-Th 10:00-11:00"),
    "unknown": ("Mo-Fr 09:00-18:00; Sa unknown", None),
    "friday": ("Mo-Th 08:30-12:00,14:00-18:00; Fr 08:30-11:30,15:00-18:00", None),
    "season": ("Mo-Fr 08:00-16:00; Jul-Aug Mo-Fr 08:00-14:00", None),
    "always": ("24/7", None),
    "all-day": ("Mo-Th 00:00-24:00; Fr 08:00-24:00; Sa 00:00-24:00; PH 00:00-24:00", "Mo-Sa 00:00-24:00; PH off"),
    "night": ("Fr,Sa 20:00-03:00", None),
    "counted-on": ("Tu,Fr,Sa 22:00-26:00", "Mo-Su 20:00-25:30"),
    "nonsense": ("selon le gardien", "aussi"),
    "nothing": (None, None),
}
#: Those whose usual hours are more than a week, and are given as the text that they are.
TEXTS = {"condition", "condition-and-ramadan", "unknown", "season"}


def read_back(found, day):
    """Return the times of a day by what holds for the shortest time, as who reads schema.org takes them."""
    name = DAYS[day.weekday()]
    valid = [key for key in found if not key[0] or key[0] <= day.isoformat() <= key[1]]
    shortest = min(valid, key=lambda key: (not key[0], (key[1] > key[0]) if key[0] else True, key), default=None)
    return [times for days, times in found.get(shortest, ()) if not days or name in days]


def test_hours_of_every_kind_are_read_back_as_they_are(workshop, serve):
    """Each day of a year, from what another's reader finds in the document, beside what the values say."""
    insert = (
        "INSERT INTO directory.entries (id, category, name_fr, name_ar, opening_hours, opening_hours_ramadan, source)"
        " VALUES (%s, 'post_office', %s, 'بريد', %s, %s, 'test')"
    )
    for key, (usual, ramadan) in KINDS.items():
        workshop.sql(insert, key, key, usual, ramadan)
    base, calendar = serve(workshop.url), load_calendar(DATA)
    today = dt.datetime.now(ZONE).date()
    end = today + dt.timedelta(days=365)
    # In Ramadan the next one begins within the year, too.
    months = {month.first.isoformat(): month for month in calendar.ramadans(today, end)}
    free = {holiday.date.isoformat(): holiday for holiday in calendar.holidays(today, end)}
    weekly = set()
    for key, (usual, ramadan) in KINDS.items():
        graph = Graph().parse(data=httpx.get(f"{base}/directory/{key}?f=jsonld").text, format="json-ld")
        place = URIRef(f"{base}/directory/{key}")
        said = {
            (str(graph.value(node, SDO.propertyID)), str(graph.value(node, SDO.value)))
            for node in graph.objects(place, SDO.additionalProperty)
        }
        given = {"opening_hours": usual, "opening_hours_ramadan": ramadan, "category": "post_office"}
        assert said == {(name, value) for name, value in given.items() if value}
        found, plain = hours_in(graph, place)
        estimated = estimates_in(graph, place)
        for first, last in found:
            moon = free[first] if first == last and first else months.get(first)
            assert (first in estimated) == (moon is not None and moon.estimated)
        for node in graph.objects(place, SDO.openingHoursSpecification):
            first = str(graph.value(node, SDO.validFrom))
            named = free.get(first) if first == str(graph.value(node, SDO.validThrough)) else None
            names = {("fr", name) for name in named.fr} | {("ar", name) for name in named.ar} if named else set()
            assert texts(graph, node, SDO.name) == names
        assert plain == ([usual] if key in TEXTS else [])
        if key in TEXTS or not found:
            continue
        weekly.add(key)
        spans = [span for span in open_hours(usual, ramadan, calendar, today, end).spans if span.certain]
        for day in (today + dt.timedelta(days=n) for n in range(365)):
            if ramadan == "Mo-Fr 09:00-sunset" and any(one.first <= day <= one.last for one in months.values()):
                assert read_back(found, day) == []
                continue
            said, midnight = read_back(found, day), dt.datetime.combine(day, dt.time(), ZONE)
            known = [span for span in spans if span.start < midnight + dt.timedelta(days=2) and midnight < span.end]
            # Later than the nights, which belong to their evenings.
            for minute in range(6 * 60 + 10, 24 * 60, 20):
                time = dt.time(minute // 60, minute % 60)
                at = dt.datetime.combine(day, time, ZONE).astimezone(dt.UTC)
                clock = f"{time:%H:%M}"
                ours = any(opens <= clock and (clock < closes or closes < opens) for opens, closes in said)
                assert ours == any(span.start <= at < span.end for span in known), (key, at)
    assert weekly == set(KINDS) - TEXTS - {"nonsense", "nothing"}


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_a_contact_has_the_hours_of_ramadan_with_its_dates(workshop, serve, lang):
    workshop.sql(
        "INSERT INTO directory.entries (id, category, name_fr, name_ar, opening_hours, opening_hours_ramadan, source)"
        " VALUES ('both', 'post_office', 'Poste', 'بريد', 'Mo-Fr 08:30-16:30', 'Mo-Fr 09:00-15:00', 'test'),"
        " ('one', 'post_office', 'Poste', 'بريد', NULL, 'Mo-Fr 09:00-15:00', 'test')"
    )
    base, t = serve(workshop.url), messages(lang)
    today = dt.datetime.now(ZONE).date()
    month = load_calendar(DATA).ramadans(today, today + dt.timedelta(days=365))[0]
    usual, ramadan = (write_hours(f"Mo-Fr {times}", t) for times in ("08:30-16:30", "09:00-15:00"))
    about = t("cards.hours.ramadan-estimated", first=month.first, last=month.last)
    assert t.date(month.first) in about
    assert t.date(month.last) in about
    for key, lines in (("both", [*usual, about, *ramadan]), ("one", [about, *ramadan])):
        card = Card(httpx.get(f"{base}/directory/{key}", params={"f": "vcf", "lang": lang}).content)
        ((given, note),) = card.all("NOTE")
        assert given == {"LANGUAGE": lang}
        assert card.text(note) == re.sub("[\u2066-\u2069]", "", "\n".join(lines))


def test_estimates_are_said_to_be_such():
    described = opening_hours("Mo-Fr 08:30-16:30; PH off", "Mo-Fr 09:00-15:00", Calendar(), TODAY, ESTIMATED)
    document = {"@context": CONTEXT, "@id": "https://x.example/", **described}
    graph = Graph().parse(data=json.dumps(document), format="json-ld")
    estimated = estimates_in(graph, URIRef("https://x.example/"))
    days = {str(day.date): day for day in Calendar().holidays(TODAY, TODAY + dt.timedelta(days=365)) if day.estimated}
    (month,) = Calendar().ramadans(TODAY, TODAY + dt.timedelta(days=365))[:1]
    assert month.estimated
    assert len(days) >= 5
    assert set(estimated) - {str(day.first) for day in Calendar().ramadans(TODAY, dt.date(2029, 1, 1))} == set(days)
    assert str(month.first) in estimated
    # Two of one day are told by their names.
    assert any(len(names) == 4 for names in estimated.values())


def test_without_hours_there_are_none():
    for value in ("off", "Mo-Su off"):
        assert opening_hours(value, None, ANNOUNCED, TODAY, ESTIMATED) == {}
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
