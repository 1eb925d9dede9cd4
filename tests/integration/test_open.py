"""Open at a moment, as PostgreSQL, filters and cards answer it: yes, no, or not known."""

import asyncio
import datetime as dt
import logging
import threading

import psycopg
import pytest
from sqlalchemy import literal, select

from api.cli.assets import WEB
from api.i18n import messages
from api.opening import opening_rows
from api.settings import Settings
from api.state import State
from geo.errors import Unavailable
from layers.database import admin_engine
from layers.hours.calendar import ZONE, Calendar, load_calendar
from layers.hours.conditions import is_open as is_open_at
from layers.hours.conditions import known_at, open_at
from layers.hours.spans import open_hours
from layers.hours.store import AHEAD, LEAST, extend
from layers.migrate import UPGRADE_LOCK
from layers.models import Entry
from tests.conftest import DATA
from tests.evaluator import read_values
from tests.integration.conftest import Workshop

DAY = dt.timedelta(days=1)
#: A Tuesday, eleven days before the Ramadan that the calendar of 2027 estimates.
NOW = dt.datetime(2027, 1, 26, 10, tzinfo=ZONE)


def at(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.fixture
def shop(workshop: Workshop) -> Workshop:
    """A layer of places with both kinds of hours."""
    workshop.add("opening_hours", format="opening-hours")
    workshop.add("ramadan")
    workshop.raw["directory"] = {
        "role": "place",
        "columns": {"opening_hours": "opening_hours", "opening_hours_ramadan": "ramadan"},
    }
    return workshop


def take(shop: Workshop, *hours: tuple[str, str | None], ids: str = "abcdefghijklmnopqrstuvwxyz"):
    rows = [
        {"id": ids[number] if len(hours) <= 26 else f"p{number}", "opening_hours": usual, "ramadan": ramadan}
        for number, (usual, ramadan) in enumerate(hours)
    ]
    return shop.ingest(shop.geojson(*rows))


def is_open(shop: Workshop, entry: str, moment: dt.datetime):
    return shop.sql("SELECT directory.is_open(%s, %s)", entry, moment)[0][0]


def schedules(shop: Workshop):
    return shop.sql("SELECT entry_id, state, covered FROM directory.schedules ORDER BY entry_id")


def test_every_value_is_open_in_the_database_when_it_is_by_the_spans(shop):
    values = read_values("moroccan.txt")
    take(shop, *((value, values[number * 7 % len(values)] if number % 3 == 0 else None) for number, value in enumerate(values)))  # fmt: skip
    shop.sql("UPDATE directory.schedules SET due = '2000-01-01'")
    extend(shop.url, shop.folder, NOW)
    start, end = NOW.date() - DAY, NOW.date() + AHEAD * DAY
    made = {}
    for number, value in enumerate(values):
        ramadan = values[number * 7 % len(values)] if number % 3 == 0 else None
        made[f"p{number}"] = open_hours(value, ramadan, Calendar(), start, end)
    first = dt.datetime.combine(start, dt.time(), ZONE)
    for hours in range(0, 24 * (AHEAD + 1), 7):
        moment = first + dt.timedelta(hours=hours, minutes=hours % 60)
        answers = dict(shop.sql("SELECT id, directory.is_open(id, %s) FROM directory.entries", moment))
        opened = {row[0] for row in shop.sql("SELECT entry_id FROM directory.open_at(%s)", moment)}
        assert opened == {key for key, answer in answers.items() if answer}
        with admin_engine(shop.url).connect() as connection:
            conditions = [condition(Entry.id, literal(moment)) for condition in (open_at, known_at, is_open_at)]
            found = [set(connection.scalars(select(Entry.id).where(condition))) for condition in conditions]
        assert found == [opened, {key for key, answer in answers.items() if answer is not None}, opened]
        for key, found in made.items():
            now = next((span for span in found.spans if span.start <= moment < span.end), None)
            assert answers[key] is (False if now is None else True if now.certain else None), (key, moment)


def test_what_is_unknown_is_never_closed(shop):
    report = take(
        shop, ("Mo-Fr 08:00-16:00", None), (None, None), ("selon le gardien", None), ('08:00-09:00 "sur rendez-vous"', None),
        ("Mo-Fr 08:00+", None), ("selon le gardien", None),
    )  # fmt: skip
    notes = [params for code, params in report.notes if code == "ingest.hours-not-understood"]
    assert notes == [{"value": "selon le gardien", "id": "c", "count": 2}, {"value": "Mo-Fr 08:00+", "id": "e", "count": 1}]  # fmt: skip
    assert shop.sql("SELECT opening_hours FROM directory.entries WHERE id = 'c'") == [("selon le gardien",)]
    shop.sql("UPDATE directory.schedules SET due = '2000-01-01'")
    extend(shop.url, shop.folder, NOW)
    asked = [is_open(shop, key, at("2027-01-26T08:30")) for key in ("a", "b", "c", "d", "e", "nobody")]
    assert asked == [True, None, None, None, None, None]
    assert [is_open(shop, key, at("2027-01-26T20:00")) for key in "abcd"] == [False, None, None, False]
    # Beyond the horizon nothing is known, on either side.
    assert is_open(shop, "a", at("2027-01-24T23:59")) is None
    assert is_open(shop, "a", at("2027-04-12T09:00")) is None
    assert [(key, state) for key, state, _ in schedules(shop)] == [("a", "parsed"), ("c", "unparsable"), ("d", "parsed"), ("e", "unparsable"), ("f", "unparsable")]  # fmt: skip


def test_the_horizon_rolls_on_by_itself_and_only_when_needed(shop):
    take(shop, ("Mo-Sa 08:00-16:00; PH off", None), ("24/7", None), ("?", None))
    shop.sql("UPDATE directory.schedules SET due = '2000-01-01'")
    assert extend(shop.url, shop.folder, NOW) == 3
    before = shop.sql("SELECT * FROM directory.open_spans ORDER BY 1, 3")
    for hours in range(0, 24 * (AHEAD - LEAST - 1), 9):
        assert extend(shop.url, shop.folder, NOW + dt.timedelta(hours=hours)) == 0
    later = NOW + (AHEAD - LEAST) * DAY
    assert extend(shop.url, shop.folder, later) == 3
    after = shop.sql("SELECT * FROM directory.open_spans ORDER BY 1, 3")
    assert before != after
    (covered,) = {row[0] for row in shop.sql("SELECT covered FROM directory.schedules WHERE state = 'parsed'")}
    assert covered.lower == dt.datetime.combine(later.date() - DAY, dt.time(), ZONE)
    assert covered.upper - later > dt.timedelta(days=60)
    # At no time before it is due is less than sixty days ahead known.
    (due,) = {row[0] for row in shop.sql("SELECT due FROM directory.schedules")}
    assert covered.upper - due > dt.timedelta(days=60)
    # What both horizons know is the same, the moment at which the first one ended aside.
    for moment in (at("2027-02-03T09:00"), at("2027-03-09T09:00"), at("2027-03-08T15:59"), at("2027-03-14T02:30")):
        assert [is_open(shop, key, moment) for key in "ab"] == [moment.day != 9 and moment.day != 14, True]


def test_hours_that_change_are_unknown_until_they_are_worked_out(shop):
    take(shop, ("08:00-16:00", None), ("08:00-16:00", None))
    tomorrow = dt.datetime.now(ZONE).date() + DAY
    noon = dt.datetime.combine(tomorrow, dt.time(12), ZONE)
    assert is_open(shop, "a", noon) is True
    shop.sql("UPDATE directory.entries SET opening_hours = '18:00-20:00' WHERE id = 'a'")
    assert [is_open(shop, key, noon) for key in "ab"] == [None, True]
    assert extend(shop.url, shop.folder) == 1
    assert is_open(shop, "a", noon) is False
    shop.sql("UPDATE directory.entries SET phone = '{1}' WHERE id = 'a'")
    assert extend(shop.url, shop.folder) == 0
    shop.sql("UPDATE directory.entries SET opening_hours = NULL WHERE id = 'a'")
    assert (extend(shop.url, shop.folder), is_open(shop, "a", noon)) == (0, None)
    # A row that somebody adds by SQL has hours too; one that goes takes them along.
    shop.sql("INSERT INTO directory.entries (id, category, name_fr, name_ar, source, opening_hours) VALUES ('z', 'x', 'Z', 'ز', 's', '24/7')")  # fmt: skip
    assert (is_open(shop, "z", noon), extend(shop.url, shop.folder), is_open(shop, "z", noon)) == (None, 1, True)
    shop.sql("UPDATE directory.entries SET id = 'y' WHERE id = 'z'")
    assert is_open(shop, "y", noon) is True
    shop.sql("DELETE FROM directory.entries WHERE id = 'y'")
    assert shop.sql("SELECT count(*) FROM directory.open_spans WHERE entry_id IN ('y', 'z')") == [(0,)]


def test_an_announced_day_changes_the_spans(shop):
    take(shop, ("08:00-16:00; PH off", "10:00-12:00"))
    shop.sql("UPDATE directory.schedules SET due = '2000-01-01'")
    extend(shop.url, shop.folder, NOW)
    assert is_open(shop, "a", at("2027-03-09T11:00")) is False
    text = "added: {}\nremoved: [2027-03-09]\nramadan: [{first: 2027-02-08, last: 2027-03-09}]\n"
    (shop.folder / "holidays.yaml").write_text(text, encoding="utf-8")
    assert extend(shop.url, shop.folder, NOW) == 1
    assert [is_open(shop, "a", at(f"2027-03-09T{hour}:00")) for hour in ("09", "11")] == [False, True]


def test_one_process_at_a_time(shop):
    take(shop, ("08:00-16:00", None))
    shop.sql("UPDATE directory.schedules SET due = '2000-01-01'")
    with psycopg.connect(shop.url) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", (UPGRADE_LOCK,))
        assert extend(shop.url, shop.folder) == 0
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(extend(shop.url, shop.folder))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == [0, 0, 0, 1]


def test_a_database_that_refuses_is_told_of(shop, caplog):
    with pytest.raises(Unavailable):
        extend(shop.url + "_gone", shop.folder)
    state = State(Settings(), shop.url + "_gone", WEB, DATA)

    async def roll():
        task = asyncio.create_task(state.roll())
        for _ in range(600):
            await asyncio.sleep(0.05)
            if caplog.records:
                break
        assert not task.done()
        task.cancel()

    with caplog.at_level(logging.WARNING, "casamaps"):
        asyncio.run(asyncio.wait_for(roll(), 30))
    assert "opening hours" in caplog.records[0].message


def filtered(client, layer, text):
    answer = client.get(f"/collections/{layer}/items", params={"filter": text, "limit": 1000})
    return answer.status_code, {feature["id"] for feature in answer.json().get("features", [])}, answer


def test_filters_know_what_is_open(client, database_url):
    today = dt.datetime.now(ZONE).date()
    with psycopg.connect(database_url) as connection:
        hours = dict(connection.execute("SELECT id, opening_hours FROM directory.entries WHERE opening_hours IS NOT NULL").fetchall())  # fmt: skip
    spans = {key: open_hours(value, None, load_calendar(DATA), today - DAY, today + 30 * DAY).spans for key, value in hours.items()}  # fmt: skip
    assert len(spans) >= 19
    for hour in range(24 * 8):
        moment = dt.datetime.combine(today, dt.time(), ZONE) + dt.timedelta(hours=hour * 3, minutes=20)
        stamp = f"TIMESTAMP('{moment.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}')"
        opened = {key for key, found in spans.items() if any(span.start <= moment < span.end for span in found)}
        assert filtered(client, "facilities", f"is_open({stamp})")[1] == opened
        if hour % 16 == 0:
            assert filtered(client, "facilities", f"NOT is_open({stamp})")[1] == set(spans) - opened
            assert filtered(client, "facilities", f"is_open({stamp}) AND category = 'police'")[1] <= opened
            assert filtered(client, "facilities", f"is_open({stamp}) OR category = 'nothing'")[1] == opened
            assert filtered(client, "facilities", f"is_open({stamp}) IS NULL AND opening_hours IS NOT NULL")[1] == set()
    assert filtered(client, "facilities", "is_open(TIMESTAMP('2099-01-01T00:00:00Z')) IS NOT NULL")[1] == set()


@pytest.mark.parametrize(
    ("layer", "text", "status"),
    [
        ("districts", "is_open(TIMESTAMP('2026-12-01T10:00:00Z'))", 400),
        ("facilities", "is_open('demain')", 400),
        ("facilities", "is_open(DATE('2026-12-01'))", 400),
        ("facilities", "is_open()", 400),
        ("worksites", "is_open(TIMESTAMP('2026-12-01T10:00:00Z'))", 200),
    ],
)
def test_what_the_function_takes(client, layer, text, status):
    got, _, answer = filtered(client, layer, text)
    assert got == status, answer.text
    if layer == "districts":
        assert "is_open" not in answer.json()["detail"].split("casei", 1)[1]


def test_the_function_is_documented(client):
    for lang, word in (("fr", "ouvert"), ("ar", "مفتوح")):
        functions = {item["name"]: item for item in client.get("/functions", params={"lang": lang}).json()["functions"]}
        assert word in functions["is_open"]["description"]
        assert functions["is_open"]["arguments"][0]["type"] == ["datetime"]
        assert functions["is_open"]["returns"] == ["boolean"]


SAYS = {
    # Tuesday; a summer-like clock, then Ramadan from 8 February, Eid on 9 and 10 March.
    ("a", "2027-01-26T10:00"): ("Ouvert jusqu'à 12:30", "مفتوح إلى غاية الساعة 12:30"),
    ("a", "2027-01-26T13:00"): ("Fermé, ouvre à 14:30", "مغلق، يفتح على الساعة 14:30"),
    ("a", "2027-01-26T19:00"): ("Fermé, ouvre demain à 08:30", "مغلق، يفتح غدا على الساعة 08:30"),
    ("a", "2027-01-29T19:00"): ("Fermé, ouvre lundi 1er février à 08:30", "مغلق، يفتح يوم الاثنين 1 فبراير على الساعة 08:30"),
    ("a", "2027-02-05T19:00"): ("Fermé, ouvre lundi 8 février à 09:00", "مغلق، يفتح يوم الاثنين 8 فبراير على الساعة 09:00"),
    ("b", "2027-01-26T10:00"): ("Ouvert", "مفتوح"),
    ("c", "2027-01-26T21:00"): ("Ouvert jusqu'à demain 02:00", "مفتوح إلى غاية يوم غد على الساعة 02:00"),
    ("c", "2027-01-27T01:00"): ("Ouvert jusqu'à 02:00", "مفتوح إلى غاية الساعة 02:00"),
    ("d", "2027-01-26T10:00"): ("Ouvert sous condition, voir les horaires", "مفتوح بشروط، انظر أوقات العمل"),
    ("e", "2027-01-26T10:00"): ("Ouverture non connue, voir les horaires", "لا يُعرف هل هو مفتوح، انظر أوقات العمل"),
    ("f", "2027-01-26T10:00"): ("Ouvert jusqu'à minuit", "مفتوح إلى غاية منتصف الليل"),
    ("g", "2027-01-29T10:00"): ("Ouvert jusqu'au dimanche 31 janvier à 12:00", "مفتوح إلى غاية الأحد 31 يناير على الساعة 12:00"),
    ("h", "2027-01-26T10:00"): ("Fermé", "مغلق"),
    # Hours of Ramadan alone, ahead of it and in it; a remark alone; closed days alone.
    ("i", "2027-01-26T10:00"): ("Ouverture non connue, voir les horaires", "لا يُعرف هل هو مفتوح، انظر أوقات العمل"),
    ("i", "2027-02-09T10:00"): ("Ouvert jusqu'à 15:00", "مفتوح إلى غاية الساعة 15:00"),
    ("j", "2027-01-26T10:00"): ("Ouverture non connue, voir les horaires", "لا يُعرف هل هو مفتوح، انظر أوقات العمل"),
    ("k", "2027-01-26T10:00"): ("Ouverture non connue, voir les horaires", "لا يُعرف هل هو مفتوح، انظر أوقات العمل"),
    ("k", "2027-01-30T10:00"): ("Fermé", "مغلق"),
}  # fmt: skip


UNSURE = {text for key in [("d", "2027-01-26T10:00"), ("e", "2027-01-26T10:00")] for text in SAYS[key]}


def test_cards_say_what_holds_now(shop):
    take(
        shop, ("Mo-Fr 08:30-12:30,14:30-18:30; PH off", "Mo-Fr 09:00-15:00; PH off"), ("24/7", None), ("20:00-02:00", None),
        ('08:00-12:00 "sur rendez-vous"', None), ("selon le gardien", None), ("Tu 08:00-24:00", None),
        ("Fr,Sa 00:00-24:00; Su 00:00-12:00", None), ("off", None),
        (None, "09:00-15:00"), ('"fermé pour travaux"', None), ("Sa,Su off", None),
    )  # fmt: skip
    shop.sql("UPDATE directory.schedules SET due = '2000-01-01'")
    extend(shop.url, shop.folder, NOW)

    async def rows():
        state = State(Settings(), shop.url, WEB, DATA)
        try:
            for (key, time), texts in SAYS.items():
                for lang, text in zip(("fr", "ar"), texts, strict=True):
                    row, *more = await opening_rows(state, key, messages(lang), at(time))
                    said = row["value"].replace("\u2066", "").replace("\u2069", "")
                    assert said == text, (key, time)
                    assert row["known"] == (text not in UNSURE)
                    assert more == []
            _, holiday = await opening_rows(state, "a", messages("fr"), at("2027-03-09T10:00"))
            assert (holiday["label"], holiday["value"]) == ("Jour férié", "Fête de la rupture du jeûne (date estimée)")
            closed, holiday = await opening_rows(state, "a", messages("ar"), at("2027-03-09T10:00"))
            assert closed["value"].startswith("مغلق، يفتح يوم الخميس 11 مارس")
            assert holiday["value"] == "عيد الفطر (تاريخ تقديري)"
            for lang, both in (
                ("fr", "Allégeance Oued Eddahab et Anniversaire du prophète (date estimée)"),
                ("ar", "ذكرى استرجاع إقليم وادي الذهب وعيد المولد النبوي (تاريخ تقديري)"),
            ):
                *_, holiday = await opening_rows(state, "a", messages(lang), at("2027-08-14T10:00"))
                assert holiday["value"] == both
        finally:
            await state.database.close()

    asyncio.run(rows())


def test_the_card_and_the_page_show_it(client):
    card = client.get("/collections/facilities/items/gare-routiere-ctm-casablanca/card", params={"lang": "fr"}).json()
    labels = [row["label"] for row in card["rows"]]
    between = labels[labels.index("En ce moment") + 1 : labels.index("Horaires d'ouverture")]
    assert between in ([], ["Jour férié"])
    page = client.get("/directory/gare-routiere-ctm-casablanca", params={"f": "html", "lang": "ar"}).text
    assert "أوقات العمل" in page
    assert "مفتوح" in page or "مغلق" in page
